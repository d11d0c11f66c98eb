#include "cli/isolation.h"

#include "cli/say.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINES_MOST = 20 }; /* on stderr; the JSON object has all */

static void note_damage(const para_damage *damage, void *of)
{
    para__isolation *const is = of;
    if (is->count == is->room) {
        const size_t room = is->room ? 2 * is->room : 16;
        para_damage *const more = realloc(is->damage, room * sizeof *more);
        if (!more) {
            is->lacks_memory = true;
            return;
        }
        is->damage = more;
        is->room = room;
    }
    is->damage[is->count++] = *damage;
}

void para__isolation_begin(para__isolation *is, const para__request *request, size_t bytes)
{
    const para__isolating *const asked = &request->isolating;
    *is = (para__isolation){.processes = PARA_PROCESSES_INIT};
    if (bytes == sizeof is->fill.narrow)
        is->fill.narrow = (float)asked->fill;
    else
        is->fill.wide = asked->fill;
    is->processes.survival =
        (para_survival){.attempts = asked->tries_once ? 1 : 0,
                        .on_crash = asked->fills ? PARA_CRASH_FILLS : PARA_CRASH_FAILS,
                        .fill = bytes ? &is->fill : NULL,
                        .fill_bytes = bytes,
                        .damaged = note_damage,
                        .damaged_arg = is,
                        .copies = true};
    is->processes.chunk_ns = asked->chunk_ns;
    is->processes.memory_bytes = asked->memory_bytes;
    is->processes.sandbox = asked->sandbox;
}

void para__isolation_end(para__isolation *is)
{
    free(is->damage);
    is->damage = NULL;
}

static int by_place(const void *a, const void *b)
{
    const para_damage *const x = a, *const y = b;
    return (x->first > y->first) - (x->first < y->first);
}

static bool is_continued(const para_damage *d, const para_damage *next)
{
    return d->first + d->count == next->first && d->death == next->death &&
           d->number == next->number && d->attempts == next->attempts;
}

/* In order, and ranges of one fate that follow each other as one. */
static void put_in_order(para__isolation *is)
{
    size_t kept = 0;
    if (is->count < 2) /* of none there is no array */
        return;
    qsort(is->damage, is->count, sizeof is->damage[0], by_place);
    for (size_t i = 0; i < is->count; i++) {
        if (kept > 0 && is_continued(&is->damage[kept - 1], &is->damage[i]))
            is->damage[kept - 1].count += is->damage[i].count;
        else
            is->damage[kept++] = is->damage[i];
    }
    is->count = kept;
}

static void say_damage(const para_damage *d, bool is_left_out)
{
    char which[64], how[PARA_DEATH_TEXT];
    if (d->count == 1)
        snprintf(which, sizeof which, "element %zu", d->first);
    else
        snprintf(which, sizeof which, "elements %zu to %zu", d->first, d->first + d->count - 1);
    fprintf(stderr, "para: %s %s: %u worker%s died, the last %s\n", which,
            is_left_out ? "left out" : "filled", d->attempts, para__say_plural(d->attempts),
            para_death_text(d->death, d->number, how, sizeof how));
}

void para__isolation_say(para__isolation *is)
{
    if (is->count == 0)
        return;
    put_in_order(is);
    for (size_t i = 0; i < is->count && i < LINES_MOST; i++)
        say_damage(&is->damage[i], is->processes.survival.fill_bytes == 0);
    if (is->count > LINES_MOST || is->lacks_memory)
        fprintf(stderr, "para: and %s%zu ranges more: --json lists all\n",
                is->lacks_memory ? "at least " : "",
                is->count > LINES_MOST ? is->count - LINES_MOST : 0);
}

void para__isolation_say_json(para__isolation *is)
{
    static const char *const deaths[] = {[PARA_DEATH_UNKNOWN] = "unknown",
                                         [PARA_DEATH_SIGNAL] = "signal",
                                         [PARA_DEATH_EXIT] = "exit",
                                         [PARA_DEATH_OVERRUN] = "overrun"};
    put_in_order(is);
    printf(", \"damaged\": [");
    for (size_t i = 0; i < is->count; i++) {
        const para_damage *const d = &is->damage[i];
        printf("%s{\"first\": %zu, \"count\": %zu, \"attempts\": %u, \"death\": \"%s\", "
               "\"number\": %d}",
               i ? ", " : "", d->first, d->count, d->attempts, deaths[d->death], d->number);
    }
    printf("]%s", is->lacks_memory ? ", \"damaged_is_incomplete\": true" : "");
}
