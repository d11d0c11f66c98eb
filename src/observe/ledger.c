#include "observe/ledger.h"

#include "base/clock.h"
#include "base/fork.h"
#include "base/fpenv.h"
#include "base/process.h"
#include "pool/sites.h"
#include "schedule/common.h"
#include "schedule/observer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 256 };

static para__guard counting = PARA__GUARD_INIT;
static para__entry *ledger[BUCKETS]; /* all under the mutex */
static uint64_t uncounted_calls;     /* calls without memory for their entry */
static unsigned ledger_readers;
static unsigned forks; /* of which process the entries are */

/* ---- Counting ------------------------------------------------------------------------- */

/* Forgets what a parent has counted; its entries stay. */
static void begin_child(void)
{
    if (forks == para__fork_count())
        return;
    forks = para__fork_count();
    uncounted_calls = 0;
    for (unsigned b = 0; b < BUCKETS; b++)
        for (para__entry *r = ledger[b]; r; r = r->next) {
            r->calls = r->shared = r->workers = r->time_ns = r->elements = 0;
            r->foreseen = r->foreseen_ns = 0;
            r->predicted_ns = 0;
            r->alone_ns = r->unknown_elements = 0;
            memset(r->why, 0, sizeof r->why);
            memset(&r->seen, 0, sizeof r->seen);
            r->alarm = (para__alarm){0};
        }
}

/* Whether the entry is still that of its address: a library may have been unloaded since. */
static bool is_still(para__entry *r, uint64_t unloads)
{
    if (r->unloads == unloads)
        return true;
    para__symbol now;
    para__symbol_find(r->kernel, &now);
    r->unloads = unloads;
    r->is_gone = strcmp(now.name, r->symbol.name) != 0 || strcmp(now.place, r->symbol.place) != 0;
    return !r->is_gone;
}

/* The kernel's entry; NULL without memory for it. */
static para__entry *entry_of(uintptr_t kernel, uint64_t loop)
{
    const uint64_t unloads = para__symbol_unloads();
    para__entry **const bucket = &ledger[(kernel >> 4 ^ loop) % BUCKETS];
    for (para__entry *r = *bucket; r; r = r->next)
        if (r->kernel == kernel && r->loop == loop && !r->is_gone && is_still(r, unloads))
            return r;
    para__entry *const made = calloc(1, sizeof *made);
    if (!made)
        return NULL;
    made->kernel = kernel;
    made->loop = loop;
    made->unloads = unloads;
    para__symbol_find(kernel, &made->symbol);
    made->next = *bucket;
    *bucket = made;
    return made;
}

/* What an element of the call costs alone, as far as that was learnt; 0: it was not. */
static double alone_element_ns(const para__schedule *s)
{
    if (!s->site) /* of worker processes nothing is learnt */
        return 0;
    const para__estimate e = para__site_read(s->site);
    return e.alone > 0 ? para__estimate_cost(e, PARA__ALONE) : 0;
}

/* What was known of such calls before this one; 0: nothing, or it is too short to be timed. */
static double predicted_call_ns(const para__schedule *s)
{
    const bool is_shared = s->plan.width > 1;
    const bool is_known = s->site && !s->small && !s->probe && para__estimate_trusted(s->estimate);
    return is_known ? para__elements_ns(s, is_shared ? PARA__SHARED : PARA__ALONE) +
                          (double)s->estimate.price_ns
                    : 0;
}

static void add_call(para__entry *r, const para__schedule *s, const para__outcome *outcome)
{
    const bool is_shared = s->plan.width > 1;
    const double predicted_ns = predicted_call_ns(s);
    r->calls++;
    r->elements += s->count;
    r->time_ns += outcome->time_ns;
    if (predicted_ns > 0) {
        r->foreseen++;
        r->foreseen_ns += outcome->time_ns;
        r->predicted_ns += predicted_ns;
    }
    r->why[s->plan.why]++;
    if (!is_shared) {
        r->alone_ns += (double)outcome->time_ns;
        return;
    }
    r->shared++;
    r->workers += outcome->workers;
    const double element_ns = alone_element_ns(s);
    if (element_ns > 0) {
        r->element_ns = element_ns;
        r->alone_ns += element_ns * (double)s->count;
    } else
        r->unknown_elements += (double)s->count;
}

static void count_call(const para__schedule *s, const para__outcome *outcome)
{
    const para__fp fp = para__fp_save();
    const int saved = errno;
    para__guard_enter(&counting);
    begin_child();
    para__entry *const r = entry_of(s->kernel, s->options->site);
    if (r)
        add_call(r, s, outcome);
    else
        uncounted_calls++;
    para__guard_leave(&counting);
    errno = saved;
    para__fp_restore(fp, 0);
}

void para__ledger_open(void)
{
    para__guard_enter(&counting);
    begin_child();
    ledger_readers++;
    para__or_relaxed(&para__watched, PARA__WATCH_REPORT); /* no order: see observer.h */
    para__guard_leave(&counting);
}

void para__ledger_rest(void)
{
    para__guard_enter(&counting);
    if (--ledger_readers == 0)
        para__and_relaxed(&para__watched, ~(uint32_t)PARA__WATCH_REPORT); /* likewise */
    para__guard_leave(&counting);
}

__attribute__((constructor(101))) static void begin_counting(void)
{
    para__fork_handle(PARA__FORK_REPORT, &counting, NULL);
    para__observe = count_call;
}

/* ---- Reading -------------------------------------------------------------------------- */

static int compare_entries(const void *a, const void *b)
{
    const para__entry *const *x = a, *const *y = b;
    return ((*x)->time_ns < (*y)->time_ns) - ((*x)->time_ns > (*y)->time_ns);
}

para__entry **para__ledger_list(size_t *count, uint64_t *lost)
{
    size_t n = 0;
    *count = 0;
    para__guard_enter(&counting);
    begin_child();
    *lost = uncounted_calls;
    for (unsigned b = 0; b < BUCKETS; b++)
        for (const para__entry *r = ledger[b]; r; r = r->next)
            n += r->calls > 0;
    para__entry **const list = n ? calloc(n, sizeof *list) : NULL;
    for (unsigned b = 0; b < BUCKETS && list; b++)
        for (para__entry *r = ledger[b]; r; r = r->next)
            if (r->calls > 0)
                list[(*count)++] = r;
    if (list)
        qsort(list, *count, sizeof *list, compare_entries);
    return list;
}

void para__ledger_close(para__entry *const *list)
{
    free((void *)list);
    para__guard_leave(&counting);
}
