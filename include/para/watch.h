/* Signals of a pool: how many threads, tasks that wait and tasks that run it has; read at any time,
 * or told as they change.
 *
 *     para_watch watch = {.changed = note};
 *     para_must(para_pool_watch(pool, &watch));
 *     ...
 *     para_signals now = {.size = sizeof now};
 *     para_must(para_watch_get(&watch, &now)); */
#ifndef PARA_WATCH_H
#define PARA_WATCH_H

#include <para/pool.h>
#include <para/status.h>

/* A pool's signals. They are counted one after the other: while tasks come and go, queued and
 * inflight may be too high by those that have gone on meanwhile. When none does, all are right. */
typedef struct para_signals {
    size_t size;      /* set to sizeof(para_signals) by the caller */
    unsigned workers; /* threads that a call can run on, the caller among them: those that are up */
    uint64_t queued;  /* tasks that nobody has begun */
    uint64_t inflight; /* tasks that run, or wait within their function */

    /* Counts since the pool was made: accepted = queued + inflight + the others. */
    uint64_t accepted;  /* tasks that were submitted, and not refused */
    uint64_t completed; /* those that have returned 0 */
    uint64_t failed;    /* those that have returned another value, or have left */
    uint64_t cancelled; /* those whose token was requested before they began */
    uint64_t dropped;   /* those that did not begin before their deadline, or the pool's end */
} para_signals;

/* What is told of a pool's signals. The program's memory, from para_pool_watch to para_watch_end;
 * zero but for what is set. It may outlive the pool. In a child of fork() it watches nothing, also
 * after para_pool_restart; para_watch_end ends it there without waiting. */
typedef struct para_watch {
    /* Called when signals have changed, on the thread that has changed them: one that submits,
     * runs, drops or waits for a task, makes the pool ready, or destroys it. Several threads may
     * be in it at once. After the last change it is called at least once. May submit tasks and
     * make calls; of what it changes itself it is told when it has returned. Must not end its
     * thread, nor leave by a jump or an exception. NULL: none. */
    void (*changed)(struct para_watch *watch);
    void *arg; /* the program's */

    /* para's. */
    para_pool *pool_;
    struct para_watch *next_;
    int fd_;
    unsigned told_;
    unsigned forks_;
} para_watch;

#ifdef __cplusplus
extern "C" {
#endif

/* Fills *signals. pool NULL: the default pool. In a child of fork() all are 0 until
 * para_pool_restart. Takes no lock. Any thread. Errors: PARA_ERR_ARGUMENT (signals NULL, or its
 * size); for NULL _MEMORY, _TOPOLOGY. */
PARA_NODISCARD_ PARA_API para_status para_pool_get_signals(para_pool *pool, para_signals *signals);

/* From now on *watch is told of the pool's signals. A pool may have several. A pool that nobody
 * watches pays one load a task. Any thread. Errors: PARA_ERR_ARGUMENT (watch NULL), _BUSY (it
 * watches a pool already), _FORKED; for NULL _MEMORY, _TOPOLOGY. */
PARA_NODISCARD_ PARA_API para_status para_pool_watch(para_pool *pool, para_watch *watch);

/* As para_pool_get_signals, of the watch's pool; all 0 once that is destroyed, or if there is
 * none. */
PARA_NODISCARD_ PARA_API para_status para_watch_get(para_watch *watch, para_signals *signals);

/* A descriptor that becomes readable when signals have changed: an eventfd, made here; if asked
 * again, the same. Who reads it has seen all changes before. It is the caller's to close, after
 * para_watch_end. Errors: PARA_ERR_ARGUMENT (NULL; it watches nothing), _FILE (the system gives
 * none). */
PARA_NODISCARD_ PARA_API para_status para_watch_fd(para_watch *watch, int *fd);

/* The watch is told no more, and is the caller's again: waits for those that are in `changed`. Also
 * of a watch whose pool is destroyed, or that watches nothing. Any thread. Errors:
 * PARA_ERR_ARGUMENT (NULL), _BUSY (within `changed` of that watch). */
PARA_API para_status para_watch_end(para_watch *watch);

#ifdef __cplusplus
}
#endif
#endif
