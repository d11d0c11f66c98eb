/* Each line is one JSON object and a comma, so that a file that ends after any of them can be read.
 * Lines are put together without printf, which would take most of the writer's time. */
#include "observe/trace_lines.h"

#include "base/clock.h"

#include <para/call.h>
#include <para/process.h>
#include <para/task.h>

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MOST = 1024 };

/* ---- Text ----------------------------------------------------------------------------- */

void para__lines_flush(para__trace_lines *lines)
{
    size_t done = 0;
    while (done < lines->used && !lines->error) {
        const ssize_t n = write(lines->fd, lines->text + done, lines->used - done);
        if (n >= 0)
            done += (size_t)n;
        else if (errno != EINTR)
            lines->error = errno;
    }
    if (!lines->error)
        lines->whole += lines->used;
    else if (done > 0) { /* whole lines only */
        while (done > 0 && lines->text[done - 1] != '\n')
            done--;
        lines->whole += done;
        const int cut = ftruncate(lines->fd, (off_t)lines->whole); /* fails on a device */
        (void)cut;
    }
    lines->used = 0;
}

static char *put_number(char *to, uint64_t number, unsigned digits)
{
    char reversed[20];
    unsigned n = 0;
    for (; number || n < digits; number /= 10)
        reversed[n++] = (char)('0' + number % 10);
    while (n)
        *to++ = reversed[--n];
    return to;
}

static char *put_hex(char *to, uint64_t number)
{
    for (int shift = 60; shift >= 0; shift -= 4)
        *to++ = "0123456789abcdef"[number >> shift & 15];
    return to;
}

/* Appends to the line: %s text, %n a number, %x one of 16 hexadecimal digits, %t thousandths. */
static void put_text(para__trace_lines *lines, const char *format, ...)
{
    char *to = lines->text + lines->used;
    va_list arguments;
    va_start(arguments, format);
    for (; *format; format++) {
        if (*format != '%') {
            *to++ = *format;
            continue;
        }
        switch (*++format) {
        case 's': {
            const char *const text = va_arg(arguments, const char *);
            const size_t length = strlen(text);
            memcpy(to, text, length);
            to += length;
            break;
        }
        case 'n':
            to = put_number(to, va_arg(arguments, uint64_t), 1);
            break;
        case 'x':
            to = put_hex(to, va_arg(arguments, uint64_t));
            break;
        default: {
            const uint64_t thousandths = va_arg(arguments, uint64_t);
            to = put_number(to, thousandths / 1000, 1);
            *to++ = '.';
            to = put_number(to, thousandths % 1000, 3);
        }
        }
    }
    va_end(arguments);
    lines->used = (size_t)(to - lines->text);
}

/* Makes room for a line, or two that belong together. */
static void begin_line(para__trace_lines *lines)
{
    if (lines->used + LINE_MOST > sizeof lines->text)
        para__lines_flush(lines);
}

/* ---- Objects -------------------------------------------------------------------------- */

/* Times before the trace's begin count as that. */
static uint64_t time_ns(const para__trace_lines *lines, uint64_t ticks)
{
    return ticks > lines->begun ? (uint64_t)((double)(ticks - lines->begun) * lines->ns_per_tick)
                                : 0;
}

/* An object's beginning. A duration is from one rounded time to the other, so that events that lie
 * within each other do so in the file. */
static void put_head(para__trace_lines *lines, char phase, pid_t pid, pid_t tid,
                     const uint64_t word[PARA__RING_WORDS], const char *category, const char *name)
{
    const char phases[2] = {phase, '\0'};
    const uint64_t begin = time_ns(lines, word[1]);
    put_text(lines, "{\"ph\":\"%s\",\"pid\":%n,\"tid\":%n,\"ts\":%t", phases, (uint64_t)pid,
             (uint64_t)tid, begin);
    if (phase == 'X')
        put_text(lines, ",\"dur\":%t", time_ns(lines, word[2]) - begin);
    if (phase == 'i')
        put_text(lines, ",\"s\":\"t\"");
    put_text(lines, ",\"cat\":\"%s\",\"name\":\"%s\"", category, name);
}

/* One end of an arrow from a task's submission to its run. */
static void put_flow(para__trace_lines *lines, char phase, pid_t pid, pid_t tid, uint64_t ticks,
                     uint64_t flow)
{
    const uint64_t word[PARA__RING_WORDS] = {[1] = ticks, [2] = ticks};
    put_head(lines, phase, pid, tid, word, "flow", "task");
    put_text(lines, ",\"id\":\"%x\"%s},\n", flow, phase == 'f' ? ",\"bp\":\"e\"" : "");
}

/* Whether the trace has the task's submission. */
static bool has_submission(const para__trace_lines *lines, uint64_t queued)
{
    return queued > lines->begun;
}

static const char *state_text(unsigned how)
{
    switch (how) {
    case PARA_TASK_COMPLETED:
        return "completed";
    case PARA_TASK_FAILED:
        return "failed";
    case PARA_TASK_CANCELLED:
        return "cancelled";
    default:
        return "dropped";
    }
}

static const char *how_died(unsigned detail)
{
    switch (detail) {
    case PARA_DEATH_SIGNAL:
        return "signal";
    case PARA_DEATH_EXIT:
        return "exit";
    case PARA_DEATH_OVERRUN:
        return "overrun";
    default:
        return "unknown";
    }
}

static void put_task(para__trace_lines *lines, pid_t pid, pid_t tid,
                     const uint64_t word[PARA__RING_WORDS], unsigned detail, const char *name)
{
    const bool has_run = (word[0] & 0xff) == PARA__EVENT_TASK;
    put_head(lines, has_run ? 'X' : 'i', pid, tid, word, "task", name);
    put_text(lines, ",\"args\":{\"id\":%n,\"state\":\"%s\"", word[4], state_text(detail));
    if (has_submission(lines, word[6]))
        put_text(lines, ",\"queued_us\":%t", time_ns(lines, word[1]) - time_ns(lines, word[6]));
    put_text(lines, "}},\n");
    if (has_submission(lines, word[6]))
        put_flow(lines, 'f', pid, tid, word[1], word[5]);
}

void para__lines_event(para__trace_lines *lines, pid_t pid, pid_t tid,
                       const uint64_t word[PARA__RING_WORDS])
{
    const unsigned kind = word[0] & 0xff;
    const unsigned detail = (unsigned)(word[0] >> 8);
    const char *const name = kind == PARA__EVENT_BATCH && word[3] == 0
                                 ? "calibration" /* calls by which a pool measures what they cost */
                                 : para__name_of(&lines->names, (uintptr_t)word[3]);
    begin_line(lines);
    lines->events++;
    switch (kind) {
    case PARA__EVENT_CALL:
        put_head(lines, 'X', pid, tid, word, "call", name);
        put_text(lines,
                 ",\"args\":{\"why\":\"%s\",\"elements\":%n,\"width\":%n,\"workers\":%n,"
                 "\"site\":%n}},\n",
                 para_why_text((para_why)(detail & 0xff)), word[5], word[6] & 0xffff, word[6] >> 16,
                 word[4]);
        break;
    case PARA__EVENT_BATCH:
        put_head(lines, 'X', pid, tid, word, detail ? "steal" : "batch", name);
        put_text(lines, ",\"args\":{\"first\":%n,\"units\":%n,\"slice\":%n}},\n", word[5], word[6],
                 word[7]);
        break;
    case PARA__EVENT_JOIN:
        put_head(lines, 'X', pid, tid, word, "wait", "join");
        put_text(lines, ",\"args\":{\"kernel\":\"%s\"}},\n", name);
        break;
    case PARA__EVENT_PARK:
        put_head(lines, 'X', pid, tid, word, "idle", detail ? "displaced" : "parked");
        put_text(lines, "},\n");
        break;
    case PARA__EVENT_AWAIT:
        put_head(lines, 'X', pid, tid, word, "wait", "tasks");
        put_text(lines, "},\n");
        break;
    case PARA__EVENT_LOCK:
        put_head(lines, 'X', pid, tid, word, "wait", "lock");
        put_text(lines, "},\n");
        break;
    case PARA__EVENT_QUEUED:
        put_head(lines, 'X', pid, tid, word, "submit", "submit");
        put_text(lines, ",\"args\":{\"function\":\"%s\",\"id\":%n}},\n", name, word[4]);
        put_flow(lines, 's', pid, tid, word[1], word[5]);
        break;
    case PARA__EVENT_TASK:
    case PARA__EVENT_DROPPED:
        put_task(lines, pid, tid, word, detail, name);
        break;
    case PARA__EVENT_CONTEXT: {
        const char flags[3] = {'0', (char)('0' + (detail & 3)), '\0'};
        put_head(lines, 'i', pid, tid, word, "context", "traceparent");
        put_text(lines, ",\"args\":{\"id\":%n,\"traceparent\":\"00-%x%x-%x-%s\"}},\n", word[4],
                 word[5], word[6], word[7], flags);
        break;
    }
    case PARA__EVENT_BEGUN:
        put_head(lines, 'i', pid, tid, word, "begin", name);
        if (word[5])
            put_text(lines, ",\"args\":{\"elements\":%n}", word[5]);
        put_text(lines, "},\n");
        break;
    case PARA__EVENT_BUSY:
        put_head(lines, 'i', pid, tid, word, "call", "no lane is free");
        put_text(lines, ",\"args\":{\"kernel\":\"%s\"}},\n", name);
        break;
    case PARA__EVENT_DIED:
        put_head(lines, 'i', pid, tid, word, "worker", "died");
        put_text(lines, ",\"args\":{\"by\":\"%s\",\"number\":%n}},\n", how_died(detail), word[4]);
        break;
    default:
        put_head(lines, 'i', pid, tid, word, "worker",
                 kind == PARA__EVENT_WAKE ? "wake"
                 : kind != PARA__EVENT_UP ? "ends"
                 : detail                 ? "starts again"
                                          : "starts");
        put_text(lines, "},\n");
    }
}

void para__lines_thread(para__trace_lines *lines, pid_t pid, pid_t tid, const char *name,
                        unsigned number)
{
    char clean[16];
    para__text_clean(clean, name, sizeof clean);
    begin_line(lines);
    if (pid != getpid())
        put_text(
            lines,
            "{\"ph\":\"M\",\"pid\":%n,\"name\":\"process_name\",\"args\":{\"name\":\"%s\"}},\n",
            (uint64_t)pid, clean);
    put_text(lines,
             "{\"ph\":\"M\",\"pid\":%n,\"tid\":%n,\"name\":\"thread_name\",\"args\":{\"name\":"
             "\"%s\"}},\n",
             (uint64_t)pid, (uint64_t)tid, clean);
    put_text(lines,
             "{\"ph\":\"M\",\"pid\":%n,\"tid\":%n,\"name\":\"thread_sort_index\",\"args\":{"
             "\"sort_index\":%n}},\n",
             (uint64_t)pid, (uint64_t)tid, (uint64_t)number);
}

void para__lines_counter(para__trace_lines *lines, uint64_t ticks, const char *name,
                         const char *unit, uint64_t thousandths)
{
    begin_line(lines);
    put_text(lines,
             "{\"ph\":\"C\",\"pid\":%n,\"tid\":0,\"ts\":%t,\"cat\":\"counter\",\"name\":\"%s\","
             "\"args\":{\"%s\":%t}},\n",
             (uint64_t)getpid(), time_ns(lines, ticks), name, unit, thousandths);
}

void para__lines_begin(para__trace_lines *lines, int fd)
{
    lines->fd = fd;
    lines->error = 0;
    lines->whole = 0;
    lines->events = 0;
    lines->used = 0;
    lines->ns_per_tick = para__ns_per_tick();
    lines->begun = para__ticks();
    para__names_refresh(&lines->names);
    put_text(lines,
             "[\n{\"ph\":\"M\",\"pid\":%n,\"name\":\"process_name\",\"args\":{\"name\":\"%s\"}},\n",
             (uint64_t)getpid(), "para");
}

void para__lines_end(para__trace_lines *lines, uint64_t dropped)
{
    begin_line(lines);
    put_text(lines,
             "{\"ph\":\"M\",\"pid\":%n,\"name\":\"process_labels\",\"args\":{\"labels\":\"%n "
             "events lost\","
             "\"events\":%n}}\n]\n",
             (uint64_t)getpid(), dropped, dropped);
    para__lines_flush(lines);
}
