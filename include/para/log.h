/* The log: what happens that is worth a word, told to a function of the program as it happens.
 *
 *     static void note(const para_log_entry *e, void *arg)
 *     {
 *         fprintf(arg, "%s: %s: %s\n", para_log_level_text(e->level), e->text, e->reason);
 *     }
 *     ...
 *     para_log log = PARA_LOG_INIT;
 *     log.entry = note;
 *     log.arg = stderr;
 *     para_must(para_log_start(&log));
 *
 * Nobody is told anything by default. PARA_LOG=note, warning or alarm in the environment prints
 * entries of that level and above on standard error, one a line. */
#ifndef PARA_LOG_H
#define PARA_LOG_H

#include <para/must.h>
#include <para/status.h>

#include <stddef.h>
#include <stdint.h>

/* How bad it is. */
typedef enum para_log_level {
    PARA_LEVEL_NOTE = 1, /* para has done something about it */
    PARA_LEVEL_WARNING,  /* less is there than was asked for */
    PARA_LEVEL_ALARM     /* somebody should look */
} para_log_level;

/* X(name, value, level, text): what can be told. Beside each, what `subject` is. Numbers and
 * meanings stay; programs that read them pass over those that they do not know. */
#define PARA_LOG_LIST(X)                                                                         \
    /* none */                                                                                   \
    X(PARA_LOG_VARIABLE, 1, WARNING, "a variable of the environment is malformed or misspelt")   \
    X(PARA_LOG_DEFAULT_POOL, 2, WARNING, "there is no default pool: calls run on their threads") \
    X(PARA_LOG_FILE, 3, WARNING, "a file that was asked for is not written")                     \
    X(PARA_LOG_UNCHECKED, 4, WARNING, "something that is to be checked is not")                  \
    X(PARA_LOG_TOOL, 5, WARNING, "a tool that was asked for cannot be used")                     \
    /* a worker's number */                                                                      \
    X(PARA_LOG_THREAD, 6, WARNING, "a worker's thread cannot be started")                        \
    X(PARA_LOG_UNBOUND, 7, WARNING, "a worker cannot be bound")                                  \
    X(PARA_LOG_PIN_DROPPED, 8, NOTE, "a worker gives its pin up: its CPU is contended")          \
    X(PARA_LOG_PIN_BACK, 9, NOTE, "a worker takes its pin back")                                 \
    /* none */                                                                                   \
    X(PARA_LOG_CALIBRATION, 10, NOTE, "a measurement is thrown away: something disturbed it")    \
    /* how many */                                                                               \
    X(PARA_LOG_EVENTS_LOST, 11, WARNING, "events are missing in a trace")                        \
    /* a task's id */                                                                            \
    X(PARA_LOG_RETRY, 12, NOTE, "a task is tried again")                                         \
    X(PARA_LOG_TASK_DROPPED, 13, NOTE, "a task ends without having run")                         \
    /* a breaker's period; 0: that of a pool of processes */                                     \
    X(PARA_LOG_BREAKER_OPEN, 14, ALARM, "a breaker opens")                                       \
    X(PARA_LOG_BREAKER_CLOSED, 15, NOTE, "a breaker closes")                                     \
    /* a worker's number */                                                                      \
    X(PARA_LOG_PROCESS_DIED, 16, WARNING, "a worker process has died")                           \
    X(PARA_LOG_PROCESS_STARTED, 17, NOTE, "a worker process is started in a dead one's place")   \
    X(PARA_LOG_PROCESS_REFUSED, 18, WARNING, "the system refuses a worker process")              \
    X(PARA_LOG_PROCESS_LATE, 19, ALARM, "a worker process has not been heard of for too long")   \
    /* how many elements */                                                                      \
    X(PARA_LOG_ELEMENTS_LOST, 20, WARNING, "a call goes on without elements that took lives")    \
    /* the 99th percentile, ns */                                                                \
    X(PARA_LOG_TASKS_WAIT, 21, ALARM, "tasks wait more than twice as long as they used to")      \
    X(PARA_LOG_TASKS_FLOW, 22, NOTE, "tasks wait no longer than they used to")                   \
    /* .options.site of the kernel's calls */                                                    \
    X(PARA_LOG_PREDICTION, 23, ALARM, "a kernel's predictions are off by more than twice")       \
    X(PARA_LOG_PREDICTION_FITS, 24, NOTE, "a kernel's predictions fit again")                    \
    /* a task's id, or a call's .options.site: a watchdog has found it */                        \
    X(PARA_LOG_LATE, 25, ALARM, "a chunk or a task takes too long")                              \
    X(PARA_LOG_DEADLOCK, 26, ALARM, "tasks wait for each other, in a circle")                    \
    /* .options.site of the kernel's call */                                                     \
    X(PARA_LOG_IMPURE, 27, ALARM, "a kernel is not pure")                                        \
    /* none */                                                                                   \
    X(PARA_LOG_BOARD_SPOILT, 28, ALARM, "a kernel has written over the memory of calls")

typedef enum para_log_id {
#define PARA_LOG_ENUM(name, value, level, text) name = (value),
    PARA_LOG_LIST(PARA_LOG_ENUM)
#undef PARA_LOG_ENUM
} para_log_id;

/* What is told. The library's memory, until the function returns. */
typedef struct para_log_entry {
    size_t size;          /* sizeof(para_log_entry) of the library */
    para_log_id id;       /* what has happened: a number for programs, */
    para_log_level level; /* how bad it is, */
    const char *text;     /* and the same for people: static storage */
    const char *reason;   /* what is known of this case: a name, a number, a path. Not empty */
    uint64_t subject;     /* what it is about: see the list */
    uint64_t time_ns;     /* CLOCK_MONOTONIC, ns */
    uint64_t left_out;    /* entries with this id that were not told since the last one was, as
                             there were too many */
} para_log_entry;

/* Who is told. */
typedef struct para_log {
    size_t size; /* sizeof(para_log) */

    /* Called on the thread on which it happens, which may hold locks of para's: calls nothing of
     * para but the functions of para/status.h and of this header that return texts, does not fork,
     * does not end its thread, and does not leave by a jump or an exception. One thread at a time;
     * others wait, also calls on a pool of processes, so it is short, and it takes no lock that
     * another thread may hold while that calls para. What happens within it is not told. */
    void (*entry)(const para_log_entry *entry, void *arg);
    void *arg;            /* the program's */
    para_log_level least; /* what is below is not told; 0: PARA_LEVEL_NOTE */
    unsigned most;        /* entries of an id a second; 0: 10. Others are counted */
} para_log;
#define PARA_LOG_INIT                                                \
    {                                                                \
        sizeof(para_log), PARA_NULL_, PARA_NULL_, PARA_LEVEL_NOTE, 0 \
    }

#ifdef __cplusplus
extern "C" {
#endif

/* From now on entries are told to *log, of which a copy is kept, and not printed: also those that
 * PARA_LOG prints, and those lines that para prints otherwise. A child of fork() tells nobody until
 * it asks for it, and neither does a worker process. Any thread.
 * Errors: PARA_ERR_ARGUMENT (NULL, its size, no entry, no such level), _BUSY (a function is told
 * already). */
PARA_NODISCARD_ PARA_API para_status para_log_start(const para_log *log);

/* From now on nobody is told, or PARA_LOG prints again; if it is PARA_LOG that prints, it does not
 * any more. When this returns, the function is not called any more. Any thread.
 * Errors: PARA_ERR_ARGUMENT (nobody is), _BUSY (within the function). */
PARA_NODISCARD_ PARA_API para_status para_log_stop(void);

/* From now on alarms are also raised by what is counted: PARA_LOG_TASKS_WAIT and
 * PARA_LOG_PREDICTION, and the notes that they are over. A thread of para's looks once a second,
 * and statistics are kept for it (para/stats.h); it ends with para_log_stop, or the process.
 * PARA_LOG does the same, and its thread goes on where para_log_stop lets it print again. Any
 * thread. Errors: PARA_ERR_ARGUMENT (nobody is told), _BUSY (this was called already), _MEMORY,
 * _THREAD. */
PARA_NODISCARD_ PARA_API para_status para_log_alarms(void);

/* An id's name, such as "PARA_LOG_RETRY"; "unknown" for any other value. Static storage. */
PARA_API const char *para_log_name(para_log_id id);

/* "note", "warning" or "alarm"; "unknown". Static storage. */
PARA_API const char *para_log_level_text(para_log_level level);

#ifdef __cplusplus
}
#endif
#endif
