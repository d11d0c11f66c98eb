/* Watchdogs: a pool's chunks and tasks that take too long are told, with who is at them, for how
 * long, and where. So are tasks that wait for each other in a circle.
 *
 *     static void tell(const para_late *late, void *log)
 *     {
 *         fprintf(log, "worker %d is at %" PRIu64 " for %.1f s\n", late->worker, late->id,
 *                 1e-9 * (double)late->elapsed_ns);
 *     }
 *     ...
 *     para_watchdog dog = PARA_WATCHDOG_INIT;
 *     dog.late_ns = 2000000000;
 *     dog.late = tell;
 *     dog.late_arg = stderr;
 *     para_must(para_watchdog_begin(pool, &dog));
 *     ...
 *     para_must(para_watchdog_end(&dog));
 *
 * A watchdog has a thread, which looks at what threads and worker processes have noted of
 * themselves, each quarter of late_ns, at least once a millisecond and at most ten times a second.
 * What it tells the log is told as well: PARA_LOG_LATE, PARA_LOG_DEADLOCK (para/log.h).
 * While there is none, nothing is noted, and that costs a load for a batch of chunks or a task, as
 * do traces. It ends nothing: chunk_ns of worker processes does (para/process.h), and a kernel may
 * look at its token.
 *
 * Chunks are what a thread takes of a call at once, which may be several kernel calls. What runs on
 * its caller alone, since the call was small or nobody could help, is not looked at. */
#ifndef PARA_WATCHDOG_H
#define PARA_WATCHDOG_H

#include <para/pool.h>

/* What is late. */
typedef enum para_late_kind {
    PARA_LATE_CHUNK = 0, /* of a map, reduction or other call */
    PARA_LATE_TASK,      /* a task, waits within it included */
    PARA_LATE_DEADLOCK   /* a task that waits for a task, or a group, that waits for itself */
} para_late_kind;

/* One that is. Told once each; a deadlock besides of its tasks. */
typedef struct para_late {
    para_late_kind kind;
    int worker;          /* who is at it; -1: a thread that is none of the pool's */
    int process, thread; /* the system's numbers of these; of a worker process both are the same */
    uintptr_t function;  /* the kernel, or the task's; 0: not known */
    uint64_t id;         /* the task's .id, or the call's .options.site */
    size_t first, count; /* of a chunk on a thread: units of its call; else 0 */
    uint64_t elapsed_ns; /* since it began */
    struct para_watchdog_ *watchdog_; /* para's, like the next */
    uint64_t since_;
} para_late;

/* The program's, and unchanged while it is in use. */
typedef struct para_watchdog {
    size_t size;      /* sizeof(para_watchdog) */
    uint64_t late_ns; /* what takes longer is told; at least 1000000, one millisecond */
    void (*late)(const para_late *late, void *late_arg); /* called on the watchdog's thread, of
                                                            which there is one. Must not end it, nor
                                                            leave by a jump or an exception */
    void *late_arg;
    bool backtraces; /* para_late_backtrace may be called. Then para takes SIGURG, which the system
                        sends to nobody who has not asked for it: threads that run a chunk or a task
                        do not block it meanwhile, and its handler is para's */

    /* para's. */
    struct para_watchdog_ *watchdog_;
} para_watchdog;
#define PARA_WATCHDOG_INIT                                                  \
    {                                                                       \
        sizeof(para_watchdog), 0, PARA_NULL_, PARA_NULL_, false, PARA_NULL_ \
    }

#ifdef __cplusplus
extern "C" {
#endif

/* Has the pool looked at; NULL: the default pool. Several may look at one pool, but one of all with
 * backtraces. A pool is not destroyed before its watchdogs have ended (PARA_ERR_BUSY). Any thread.
 * Errors: PARA_ERR_ARGUMENT (watchdog or .late NULL, .size, .late_ns too small), _BUSY (it is in
 * use; with backtraces another one has them, or the program has a handler of SIGURG), _UNSUPPORTED
 * (with backtraces and a C library other than glibc), _FORKED, _ENDING, _MEMORY, _THREAD; for NULL
 * _TOPOLOGY. */
PARA_NODISCARD_ PARA_API para_status para_watchdog_begin(para_pool *pool, para_watchdog *watchdog);

/* Ends it: waits until `late` has returned. In a child of fork() it only makes *watchdog free. Any
 * thread but its own. Errors: PARA_ERR_ARGUMENT (watchdog NULL, not in use), _BUSY (within its
 * `late`). */
PARA_NODISCARD_ PARA_API para_status para_watchdog_end(para_watchdog *watchdog);

/* Within `late`: where the thread is, from the innermost function outwards, at most `most` places
 * in its code. They can be given to backtrace_symbols and dladdr, also of a worker process. It is
 * asked by SIGURG, and answers as soon as it runs; if it has gone on to something else meanwhile,
 * that is what is told. Sleeps of the program in system calls that SA_RESTART does not resume, such
 * as nanosleep, end early with EINTR.
 * Errors: PARA_ERR_ARGUMENT (a NULL), _UNSUPPORTED (without .backtraces), _TIMEOUT (no answer in
 * 0.2 s: it is stopped, gets no CPU, blocks the signal or has ended). *count is then unchanged. */
PARA_NODISCARD_ PARA_API para_status para_late_backtrace(const para_late *late, void *frames[],
                                                         unsigned most, unsigned *count);

#ifdef __cplusplus
}
#endif
#endif
