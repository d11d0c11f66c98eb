/* Tasks: functions that some thread of a pool runs, once each, and whose end can be waited for.
 *
 * A task is the caller's memory and its own future: nothing is allocated for it.
 *
 *     para_task task = {.run = rank, .arg = &page};
 *     para_must(para_submit(NULL, &task));
 *     ...
 *     if (para_task_wait(&task)) ...
 *
 * From para_submit until its end has been seen (para_task_wait and the like have returned its
 * outcome, para_task_is_over is true, or `done` was called of a detached task) the task is para's:
 * its memory stays where it is, and the caller changes no member. After that it may be freed, or
 * submitted again.
 *
 * Order. Tasks that threads outside of the pool submit begin in the order of their priority, and in
 * the order of their arrival within one; at most PARA_TASK_HEAD_START tasks that arrive later go
 * before a task for each step that they are more urgent, however many arrive. Tasks that a task submits are run by the thread that submitted them,
 * the last one first, unless another thread of the pool has nothing to do: that one takes the first.
 * Threads of the pool look for shared calls before each task.
 *
 * Waiting helps. A thread that waits for a task runs it itself if nobody has begun it, and while
 * another thread runs it, it runs other tasks that lie deeper than its own: a task that a task has
 * submitted lies one deeper than that. So tasks may wait for tasks that they have submitted, as
 * deep as they like, and a thread's stack holds at most one task of each depth. */
#ifndef PARA_TASK_H
#define PARA_TASK_H

#include <para/cancel.h>
#include <para/pool.h>

typedef struct para_task para_task;

/* How a task is, or was. */
typedef enum para_task_state {
    PARA_TASK_NEW = 0,   /* not submitted */
    PARA_TASK_QUEUED,    /* submitted; nobody has begun it */
    PARA_TASK_RUNNING,   /* begun */
    PARA_TASK_COMPLETED, /* over: run returned 0 */
    PARA_TASK_FAILED,    /* over: run returned another value, or left its thread */
    PARA_TASK_CANCELLED, /* over without having begun: its token was requested */
    PARA_TASK_DROPPED    /* over without having begun: its deadline had passed, or the pool ended */
} para_task_state;

enum { PARA_TASK_PRIORITIES = 4, PARA_TASK_HEAD_START = 1000 };

/* Zero but for what is set: para_task task = {.run = f, .arg = &x}; */
struct para_task {
    int (*run)(void *arg); /* called once, on any thread of the pool or on one that waits. Must not
                              leave by a jump or an exception, nor end its thread. May make calls,
                              submit tasks and wait for those */
    void *arg;
    unsigned priority;    /* 0: normal, to PARA_TASK_PRIORITIES - 1: most urgent. Of tasks that a
                             thread outside of the pool submits */
    uint64_t deadline_ns; /* not begun after it (para/deadline.h); 0: none */
    para_cancel *cancel;  /* not begun once this is requested; NULL: none */
    uint64_t id;          /* the program's, for its own use */
    bool is_detached;     /* nobody waits for it. After `done` has been called, or if that is NULL
                             after run has, para does not touch it: both may free it */
    void (*done)(para_task *task); /* called when the task is over, on the thread that has run or
                                      dropped it, and before anybody's wait returns; NULL: none */

    /* Results, valid once it is over. */
    int result; /* what run returned */

    /* para's. */
    uint32_t word_;
    uint32_t depth_;
    para_pool *pool_;
    para_task *prev_, *next_;
    uint64_t turn_;
};

#ifdef __cplusplus
extern "C" {
#endif

/* Gives the task to the pool; NULL: the default pool. If the pool's queue is full, para_submit
 * waits until it is not, para_submit_until does so until a deadline (0: does not wait). Within a
 * task of the pool they do not wait: a task for which there is no room is run at once, on the
 * calling thread. On failure the task was not submitted, and is not run. Any thread, but not within
 * a kernel. Errors: PARA_ERR_ARGUMENT (task or run NULL, a priority too high), _BUSY (the task is
 * submitted already), _TIMEOUT, _FORKED (the pool has no threads in this process), _ENDING (the
 * pool accepts no more); for NULL _MEMORY, _TOPOLOGY. */
PARA_NODISCARD_ PARA_API para_status para_submit(para_pool *pool, para_task *task);
PARA_NODISCARD_ PARA_API para_status para_submit_until(para_pool *pool, para_task *task,
                                                       uint64_t deadline_ns);

/* Waits until the task is over, and tells how: PARA_OK, PARA_ERR_TASK (run returned other than 0,
 * which is in .result), PARA_ERR_CANCELLED, PARA_ERR_DEADLINE, PARA_ERR_ENDING (the pool ended).
 * Any thread, several at once, again and again. _until gives up at a deadline with
 * PARA_ERR_TIMEOUT (0: does not wait). Errors: PARA_ERR_ARGUMENT (NULL, or never submitted). */
PARA_NODISCARD_ PARA_API para_status para_task_wait(para_task *task);
PARA_NODISCARD_ PARA_API para_status para_task_wait_until(para_task *task, uint64_t deadline_ns);

#ifdef __cplusplus
}
#endif
#endif
