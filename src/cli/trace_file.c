/* Each line is an object that para has written: its members are in a known form, and no text in it
 * has a quote or a backslash. So a member is found by its name. */
#include "cli/trace_file.h"

#include "cli/say.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* More than para has ever written: bytes of a line, and microseconds (30 years). */
enum { LINE_MOST = 65536 };
static const uint64_t US_MOST = UINT64_C(1000000000000000); /* their sums are ns in 64 bits */

/* Where a member's value begins; NULL: there is none. */
static const char *value_of(const char *line, const char *name)
{
    char quoted[32];
    snprintf(quoted, sizeof quoted, "\"%s\":", name);
    const char *const at = strstr(line, quoted);
    return at ? at + strlen(quoted) : NULL;
}

static bool take_integer(const char *line, const char *name, uint64_t *value)
{
    const char *const at = value_of(line, name);
    char *end = NULL;
    if (!at)
        return false;
    *value = strtoull(at, &end, 10);
    return end > at;
}

/* Microseconds with three digits behind the point, as ns. */
static bool take_time(const char *line, const char *name, uint64_t *ns)
{
    const char *const at = value_of(line, name);
    char *end = NULL;
    if (!at || !isdigit((unsigned char)*at))
        return false;
    const uint64_t us = strtoull(at, &end, 10);
    if (us > US_MOST)
        return false;
    *ns = 1000 * us;
    if (end == at || *end != '.')
        return end > at;
    const char *const digits = end + 1;
    const uint64_t part = strtoull(digits, &end, 10);
    *ns += part;
    return end == digits + 3;
}

static bool take_text(const char *line, const char *name, char *to, size_t bytes)
{
    const char *const at = value_of(line, name);
    if (!at || *at != '"')
        return false;
    const size_t length = strcspn(at + 1, "\"");
    snprintf(to, bytes, "%.*s", (int)length, at + 1);
    for (; *to; to++)
        if (iscntrl((unsigned char)*to))
            *to = '?'; /* para has written none, and a terminal may obey it */
    return true;
}

static para__doing doing_of(const char *category, unsigned width)
{
    static const struct {
        const char *category;
        para__doing doing;
    } known[] = {{"batch", PARA__DOING_BATCH}, {"steal", PARA__DOING_STOLEN},
                 {"task", PARA__DOING_TASK},   {"wait", PARA__DOING_WAITING},
                 {"idle", PARA__DOING_IDLE},   {"submit", PARA__DOING_SHARING}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(category, known[i].category) == 0)
            return known[i].doing;
    return width > 1 ? PARA__DOING_SHARING : PARA__DOING_CALL;
}

/* What follows "name": in a line that says what a thread is called. */
static bool take_thread_name(para__trace_reader *reader, const char *line)
{
    const char *const arguments = value_of(line, "args");
    return arguments && take_text(arguments, "name", reader->name, sizeof reader->name);
}

static bool parse_event(para__trace_reader *reader, const char *line, para__trace_event *event)
{
    char phase[4], category[16] = "";
    uint64_t number = 0;
    *event = (para__trace_event){.name = reader->name, .why = reader->why};
    *reader->name = *reader->why = '\0';
    if (!take_text(line, "ph", phase, sizeof phase) || !take_integer(line, "pid", &number))
        return false;
    event->phase = *phase;
    event->pid = (int64_t)number;
    event->tid = take_integer(line, "tid", &number) ? (int64_t)number : 0;
    if (!take_text(line, "name", reader->name, sizeof reader->name))
        return false;
    if (event->phase == 'M') {
        event->names_thread = strcmp(reader->name, "thread_name") == 0;
        event->has_dropped = strcmp(reader->name, "process_labels") == 0 &&
                             take_integer(line, "events", &event->dropped);
        return !event->names_thread || take_thread_name(reader, line);
    }
    if (!take_time(line, "ts", &event->begin_ns))
        return false;
    uint64_t duration_ns = 0;
    (void)take_text(line, "cat", category, sizeof category);
    (void)take_text(line, "why", reader->why, sizeof reader->why);
    if (event->phase == 'X' && !take_time(line, "dur", &duration_ns))
        return false;
    event->end_ns = event->begin_ns + duration_ns;
    event->is_call = event->phase == 'X' && strcmp(category, "call") == 0;
    event->width = event->is_call && take_integer(line, "width", &number) ? (unsigned)number : 0;
    event->doing = doing_of(category, event->width);
    event->has_queued = take_time(line, "queued_us", &event->queued_ns);
    return true;
}

int para__trace_read(para__trace_reader *reader, para__trace_event *event)
{
    for (;;) {
        if (!reader->line && !(reader->line = malloc(LINE_MOST)))
            return -para__say_failed("%s: out of memory", reader->path);
        reader->number++;
        if (!fgets(reader->line, LINE_MOST, reader->stream))
            return ferror(reader->stream) ? -para__say_failed("%s: cannot be read", reader->path)
                                          : 0;
        if (strcmp(reader->line, "[\n") == 0 && reader->number == 1)
            continue;
        if (strcmp(reader->line, "]\n") == 0 && reader->number > 1)
            continue;
        if (reader->number > 1 && *reader->line == '{' && parse_event(reader, reader->line, event))
            return 1;
        return -para__say_failed("%s: line %ju: this is no trace of para", reader->path,
                                 (uintmax_t)reader->number);
    }
}
