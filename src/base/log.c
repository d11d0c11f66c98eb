#include "base/log.h"

#include "base/atomic.h"
#include "base/clock.h"
#include "base/fork.h"
#include "base/process.h"
#include "base/thread.h"
#include "base/tuning_observe.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct {
    para_log_id id;
    para_log_level level;
    const char *name, *text;
} kinds[] = {
#define KIND(name, value, level, text) {name, PARA_LEVEL_##level, #name, text},
    PARA_LOG_LIST(KIND)
#undef KIND
};
enum { KINDS = sizeof kinds / sizeof kinds[0], REASON_BYTES = 512 };

static para__guard logging = PARA__GUARD_INIT;
static para__atomic_u32 listens; /* the least level that somebody wants; 0: nobody. A value on its
                                    own: who is late tells an entry more or less */
static struct {                  /* under the guard */
    para_log log;                /* entry NULL: lines on standard error */
    para_log_level printed;      /* the least level that is printed while no function is told; 0 */
    para__log_rate rate[KINDS];
} the_log;
static PARA__THREAD_LOCAL bool is_saying; /* the log's function */

/* ---- Texts ---------------------------------------------------------------------------- */

static unsigned row_of_id(para_log_id id)
{
    unsigned i = 0;
    while (i < KINDS && kinds[i].id != id)
        i++;
    return i;
}

const char *para_log_name(para_log_id id)
{
    const unsigned i = row_of_id(id);
    return i < KINDS ? kinds[i].name : "unknown";
}

const char *para_log_level_text(para_log_level level)
{
    static const char *const texts[] = {"unknown", "note", "warning", "alarm"};
    return texts[(unsigned)level <= PARA_LEVEL_ALARM ? level : 0];
}

static void print_line(const char *text)
{
    char line[REASON_BYTES + 128];
    int end = snprintf(line, sizeof line - 1, "para: %s", text);
    end = end < (int)sizeof line - 1 ? end : (int)sizeof line - 2;
    for (int i = 0; i < end; i++)
        if ((unsigned char)line[i] < ' ' || line[i] == 127)
            line[i] = '?';
    line[end++] = '\n';
    const ssize_t written = write(STDERR_FILENO, line, (size_t)end); /* whom could we tell? */
    (void)written;
}

bool para__log_is_open(void)
{
    return para__load_relaxed(&listens) != 0; /* see above */
}

bool para__log_is_here(void)
{
    return is_saying;
}

/* ---- Telling -------------------------------------------------------------------------- */

bool para__log_admits(para__log_rate *rate, uint64_t now_ns, unsigned most)
{
    if (now_ns - rate->since_ns >= 1000000000) {
        rate->since_ns = now_ns;
        rate->told = 0;
    }
    if (rate->told < most) {
        rate->told++;
        return true;
    }
    rate->left_out++;
    return false;
}

static void print_entry(const para_log_entry *entry)
{
    char text[REASON_BYTES + 100];
    char more[48] = "";
    if (entry->left_out)
        snprintf(more, sizeof more, " (%ju like it were left out)", (uintmax_t)entry->left_out);
    snprintf(text, sizeof text, "%s: %s: %s%s", para_log_level_text(entry->level), entry->text,
             entry->reason, more);
    print_line(text);
}

/* Under the guard. */
static void hand_entry(unsigned i, uint64_t subject, const char *reason)
{
    para__log_rate *const rate = &the_log.rate[i];
    const uint64_t now_ns = para__now_ns();
    if (!para__log_admits(rate, now_ns, the_log.log.most ? the_log.log.most : PARA__LOG_MOST))
        return;
    const para_log_entry entry = {.size = sizeof entry,
                                  .id = kinds[i].id,
                                  .level = kinds[i].level,
                                  .text = kinds[i].text,
                                  .reason = reason,
                                  .subject = subject,
                                  .time_ns = now_ns,
                                  .left_out = rate->left_out};
    rate->left_out = 0;
    is_saying = true;
    if (the_log.log.entry)
        the_log.log.entry(&entry, the_log.log.arg);
    else
        print_entry(&entry);
    is_saying = false;
}

static bool is_wanted(unsigned i)
{
    const uint32_t least = para__load_relaxed(&listens); /* see above */
    return i < KINDS && least && kinds[i].level >= least;
}

static void say(para_log_id id, uint64_t subject, bool is_printed, const char *format,
                va_list arguments)
{
    const int saved = errno;
    const unsigned i = row_of_id(id);
    char reason[REASON_BYTES];
    if (is_saying || !(is_printed || is_wanted(i)))
        return;
    vsnprintf(reason, sizeof reason, format, arguments);
    para__guard_enter(&logging);
    if (is_wanted(i) && (the_log.log.entry || !is_printed))
        hand_entry(i, subject, reason);
    else if (is_printed && !the_log.log.entry)
        print_line(reason);
    para__guard_leave(&logging);
    errno = saved;
}

void para__log(para_log_id id, uint64_t subject, const char *format, ...)
{
    if (!para__log_is_open())
        return;
    va_list arguments;
    va_start(arguments, format);
    say(id, subject, false, format, arguments);
    va_end(arguments);
}

void para__tell(para_log_id id, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(id, 0, true, format, arguments);
    va_end(arguments);
}

/* ---- Who is told ---------------------------------------------------------------------- */

static void tell_from_now_on(const para_log *log, para_log_level least)
{
    the_log.log = *log;
    memset(the_log.rate, 0, sizeof the_log.rate);
    para__store_relaxed(&listens, (uint32_t)least); /* under the guard */
}

/* A function takes over from what is printed. */
static para_status open_log(const para_log *log)
{
    if (is_saying || the_log.log.entry)
        return para__fail(PARA_ERR_BUSY, "somebody is told already");
    if (!log->entry)
        the_log.printed = log->least;
    tell_from_now_on(log, log->least ? log->least : PARA_LEVEL_NOTE);
    return PARA_OK;
}

static para_status open_guarded(const para_log *log)
{
    if (is_saying)
        return open_log(log);
    para__guard_enter(&logging);
    const para_status status = open_log(log);
    para__guard_leave(&logging);
    return status;
}

para_status para__log_open(const para_log *log)
{
    if (!log || log->size != sizeof *log)
        return para__fail(PARA_ERR_ARGUMENT, "%s", log ? "log.size: use PARA_LOG_INIT" : "no log");
    if (!log->entry)
        return para__fail(PARA_ERR_ARGUMENT, "log.entry is NULL");
    if ((unsigned)log->least > PARA_LEVEL_ALARM)
        return para__fail(PARA_ERR_ARGUMENT, "log.least is %d", (int)log->least);
    return open_guarded(log);
}

para_status para__log_print(para_log_level least)
{
    return open_guarded(&(para_log){.least = least});
}

para_status para__log_close(void)
{
    if (is_saying)
        return para__fail(PARA_ERR_BUSY, "within the log's function");
    para__guard_enter(&logging);
    const bool was_open = para__log_is_open();
    if (!the_log.log.entry)
        the_log.printed = 0;
    tell_from_now_on(&(para_log){.least = the_log.printed}, the_log.printed);
    para__guard_leave(&logging);
    return was_open ? PARA_OK : para__fail(PARA_ERR_ARGUMENT, "nobody is told");
}

/* Nobody is told in a child. */
static void forget_log(void)
{
    para__store_relaxed(&listens, 0); /* one thread */
    the_log.log.entry = NULL;
    the_log.printed = 0;
    is_saying = false;
}

__attribute__((constructor(101))) static void begin_log(void)
{
    para__fork_handle(PARA__FORK_LOG, &logging, forget_log);
}
