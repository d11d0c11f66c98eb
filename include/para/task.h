/* Tasks: functions that some thread of a pool runs, once each, and whose end can be waited for.
 *
 * A task is the caller's memory and its own future: nothing is allocated for it.
 *
 *     para_task task = {.run = rank, .arg = &page};
 *     para_must(para_submit(NULL, &task));
 *     ...
 *     if (para_task_wait(&task)) ...
 *
 * From para_submit until its end has been seen the task is para's: its memory stays where it is,
 * and the caller changes no member. After that it may be freed, or submitted again, but not while
 * another thread still waits for it. Its end has been seen
 *     of a task alone      when a wait has returned its outcome, or para_task_is_over is true;
 *     of a task of a group when a wait for the group has returned that all are over;
 *     of a detached task   when `done` was called, also if it has a group; without `done`, only a
 *                          wait for its group tells.
 *
 * Order. Tasks that threads outside of the pool submit begin in the order of their priority, and in
 * the order of their arrival within one; threads of the pool take up to 16 at a time. Of tasks that
 * arrive later and are k steps more urgent, at most k * PARA_TASK_HEAD_START begin first. (A pool
 * may be told to let submitters take turns within a priority: config.task_order.) Tasks that a task
 * submits have no priority: the thread that submitted them runs them, the last one first, unless
 * another thread of the pool has nothing to do, which takes the first. Threads of the pool look for
 * shared calls before each task.
 *
 * Waiting helps. A thread that waits for a task runs it itself if nobody has begun it. A task that
 * waits while another thread runs what it waits for also runs tasks of its own family that lie
 * deeper: a family is a task from outside and what it, and those, have submitted; each lies one
 * deeper than its submitter:
 *
 *     A, from outside      depth 1    While B runs on another thread, A's wait for it may run C
 *      |- B                      2    or D. B's wait for C may not run D, which is no deeper than
 *      |   `- C                  3    B. A wait runs no task of another family but the one that it
 *      `- D                      2    waits for.
 *
 * So tasks may wait for tasks that they have submitted, as deep as they like, and the depths of the
 * tasks of a family on a stack increase. They may wait for tasks of other families too, unless
 * those, directly or through others, wait for a task of the first family that has not ended. Waits
 * in a circle last for ever; a wait for a task that runs on the calling thread is refused.
 *
 * A thread is not cancelled (pthread_cancel) while it runs a task. A task that ends its thread
 * (pthread_exit) has failed: PARA_ERR_TASK, PARA_TASK_LEFT. So has one that throws an exception, if
 * somebody further out on its thread catches that; a thread of the pool has nobody there, and the
 * program ends. If the thread was the pool's, another takes its place, after worker_exit and with
 * worker_init. A task that leaves by a jump runs for ever, to those that wait for it: they need a
 * deadline. The pool goes on, but its destroy waits for that task until its thread makes another
 * call of para, or ends.
 *
 * On a pool of worker processes (config.processes) `run` is called in one of them, and all else,
 * such as `done`, in the program. What lies at arg has to be where workers see it: in a buffer of
 * the pool, or in arg_bytes, which are copied there, and back when run has returned. run cannot
 * submit tasks, nor free them. If it takes its worker's life, the task has failed, with
 * PARA_ERR_WORKER_DIED, and its bytes are not copied back; .result tells how (para_death_of). It is
 * not run a second time: para_retry does that. A call that is a task (para_pmap_submit) is made in
 * the program. `chunk_ns` holds for tasks too.
 *
 * A pool of 2 workers or more has as many threads, and all of them run tasks, unless some are on
 * further hardware threads of cores (para_pool_info.usual has how many do). A pool without threads
 * of its own (one worker, or config.executor) runs a task within para_submit. So a pool for tasks
 * has at least 2 workers. */
#ifndef PARA_TASK_H
#define PARA_TASK_H

#include <para/cancel.h>
#include <para/context.h>
#include <para/deadline.h>
#include <para/map.h>
#include <para/pool.h>
#include <para/reduce.h>
#include <limits.h>

typedef struct para_task para_task;
typedef struct para_task_group para_task_group;

/* How a task is, or was. The status of a wait tells how it has ended. */
typedef enum para_task_state {
    PARA_TASK_NEW = 0,   /* not submitted */
    PARA_TASK_QUEUED,    /* submitted; nobody has begun it */
    PARA_TASK_RUNNING,   /* begun */
    PARA_TASK_COMPLETED, /* over: run returned 0 */
    PARA_TASK_FAILED,    /* over: run returned another value, or took its worker's life */
    PARA_TASK_CANCELLED, /* over without having begun: its token was requested */
    PARA_TASK_DROPPED    /* over without having begun: its deadline had passed, or the pool ended */
} para_task_state;

enum { PARA_TASK_PRIORITIES = 4, PARA_TASK_HEAD_START = 1000 };

#define PARA_TASK_LEFT INT_MIN /* the result of a task that has ended its thread */

/* Zero but for what is set: para_task task = {.run = f, .arg = &x}; */
struct para_task {
    int (*run)(void *arg); /* called once, on any thread of the pool or on one that waits. Must not
                              leave by a jump. May make calls, submit tasks and wait for those */
    void *arg;
    size_t arg_bytes;       /* bytes at arg, which are copied for a worker process, and back; see
                               above. 0: they are not. Of no meaning to threads */
    unsigned priority;      /* 0: normal, to PARA_TASK_PRIORITIES - 1: most urgent. Of tasks that a
                               thread outside of the pool submits; else ignored */
    bool is_detached;       /* nobody waits for it. `done` may free it; `run` may only if `done` is
                               NULL */
    uint64_t deadline_ns;   /* not begun after it (para/deadline.h); 0: none. This and the token are
                               looked at when a thread takes the task, no earlier */
    para_cancel *cancel;    /* not begun once this is requested, or its deadline has passed; NULL:
                               none */
    uint64_t id;            /* the program's, for its own use; it stands in traces */
    para_task_group *group; /* its end is the group's too; NULL: none */
    void (*done)(para_task *task); /* called at the task's end, on the thread that has run or
                                      dropped it, before anybody's wait returns; there
                                      para_task_is_over is still false. Must not end its thread,
                                      nor leave by a jump or an exception. NULL: none */
    uint32_t submitter; /* with config.task_order PARA_TASKS_BY_TURNS: whose turn it takes; 0: that
                           of the thread that submits it */
    const para_context *context; /* what it is a part of (para/context.h), copied when it is
                                    submitted; NULL: that of the task that submits it, if any */

    /* Results, valid in `done` and once it is over. */
    int result;         /* what run returned, or PARA_TASK_LEFT; if its worker has died, how */
    para_status status; /* what a wait for it returns */

    /* para's. */
    uint32_t word_;
    uint32_t waits_;
    uint64_t kin_;
    uint32_t forks_;
    const void *call_;
    para_pool *pool_;
    para_task *prev_;
    para_task *next_;
    uint64_t turn_;
    uint64_t queued_;
    para_context context_;
    bool is_spared_;
};

/* Tasks whose end is waited for together. Zero at first: para_task_group group = {0}; Its memory is
 * the caller's and stays until a wait for it has returned PARA_OK or a failure of its tasks, and so
 * has each submission to it. Then it can be used again on the same pool. The first failure stays in
 * it; made zero, it is as new. */
struct para_task_group {
    uint32_t word_;
    int32_t status_;
    uint32_t forks_;
    para_pool *pool_;
};

#ifdef __cplusplus
extern "C" {
#endif

/* Gives the task to the pool; NULL: the default pool. While the pool starts, or its queue is full,
 * para_submit waits, and para_submit_until does so until a deadline (0: does not wait). Within a
 * task or a shared kernel of the pool, and on its threads, they do not wait: then the task is run
 * at once, on the calling thread. On failure the task was not submitted, and is not run; it keeps
 * result and status of its former run. Any thread.
 * Errors: PARA_ERR_ARGUMENT (task or run NULL, a priority too high, a group of another pool's
 * tasks), _BUSY (the task is submitted already, or another thread still waits for it), _TIMEOUT (no
 * room, or not started yet), _FORKED (the pool's threads are in the parent process), _ENDING (the
 * pool accepts no more), _MEMORY (with the pool's first task), _NOT_SHARED (worker processes
 * cannot see what lies at arg); for NULL _TOPOLOGY. */
PARA_NODISCARD_ PARA_API para_status para_submit(para_pool *pool, para_task *task);
/* Likewise, but waits until a deadline at most. */
PARA_NODISCARD_ PARA_API para_status para_submit_until(para_pool *pool, para_task *task,
                                                       uint64_t deadline_ns);

/* The same for a call: a thread of the pool makes it, and others help as with any other call.
 * `run` and `arg` of the task are para's then. The call, and what it names, stay the caller's and
 * must not change until the task's end has been seen. A wait for the task returns what the call
 * has returned, which .result has too, if the task began.
 * Errors: as para_submit; PARA_ERR_ARGUMENT (call NULL). */
PARA_NODISCARD_ PARA_API para_status para_pmap_submit(para_pool *pool, const para_map *call,
                                                      para_task *task);
/* Likewise, but waits until a deadline at most. */
PARA_NODISCARD_ PARA_API para_status para_pmap_submit_until(para_pool *pool, const para_map *call,
                                                            para_task *task, uint64_t deadline_ns);
/* Likewise, of a reduction. */
PARA_NODISCARD_ PARA_API para_status para_preduce_submit(para_pool *pool, const para_reduce *call,
                                                         para_task *task);
/* Likewise, of a reduction, but waits until a deadline at most. */
PARA_NODISCARD_ PARA_API para_status para_preduce_submit_until(para_pool *pool,
                                                               const para_reduce *call,
                                                               para_task *task,
                                                               uint64_t deadline_ns);

/* Waits until the task is over, and tells how: PARA_OK, PARA_ERR_TASK (run returned other than 0,
 * which is in .result), PARA_ERR_WORKER_DIED (as .result tells), PARA_ERR_CANCELLED,
 * PARA_ERR_DEADLINE, PARA_ERR_ENDING (the pool ended before it began), PARA_ERR_MEMORY (no room for
 * arg_bytes among worker processes). Any thread, several at once, again and again. _until gives up
 * at a deadline with PARA_ERR_TIMEOUT (0: does not wait); but a task that the thread has begun
 * meanwhile, since waiting helps, is run to its end.
 * Errors: PARA_ERR_ARGUMENT (NULL, never submitted, detached), _DEADLOCK (the calling thread runs
 * it), _FORKED (it was submitted in the parent process). */
PARA_NODISCARD_ PARA_API para_status para_task_wait(para_task *task);
/* Likewise, but waits until a deadline at most. */
PARA_NODISCARD_ PARA_API para_status para_task_wait_until(para_task *task, uint64_t deadline_ns);

/* Whether it is over; then its results can be read. Not of a detached task. NULL: it is not. */
PARA_API bool para_task_is_over(para_task *task);

/* A descriptor for poll, epoll and other event loops: it becomes readable at the task's end, and
 * para_task_wait then returns without delay. It is told just before that: for an instant
 * para_task_is_over may still deny it. It is an eventfd, made here; if asked again, the same. It
 * belongs to this submission. The caller closes it, after it has seen that the task is over and
 * before the task is submitted again. Any thread.
 * Errors: as para_task_wait; PARA_ERR_ARGUMENT (fd NULL), _FILE (the system gives none). *fd is
 * then unchanged. */
PARA_NODISCARD_ PARA_API para_status para_task_fd(para_task *task, int *fd);

/* Waits until all of these are over, or until a deadline. Returns the first outcome, in the order
 * of the array, that is not PARA_OK; the others were waited for too. PARA_ERR_TIMEOUT says nothing
 * of those that are over, which may have failed. Errors: as para_task_wait. */
PARA_NODISCARD_ PARA_API para_status para_wait_all(para_task *const tasks[], size_t count,
                                                   uint64_t deadline_ns);

/* Waits until one of these is over, or until a deadline. Returns its outcome, and in *which (unless
 * NULL) its place in the array: of several the first. At PARA_ERR_TIMEOUT *which is unchanged. A
 * thread that sleeps looks after tasks beyond the 64th once a millisecond. Errors: as
 * para_task_wait; PARA_ERR_ARGUMENT if there is none. */
PARA_NODISCARD_ PARA_API para_status para_wait_any(para_task *const tasks[], size_t count,
                                                   uint64_t deadline_ns, size_t *which);

/* Waits until all tasks that were submitted with this group are over, those included that tasks of
 * the group submit meanwhile. Returns PARA_OK, or the outcome of the first task that failed, was
 * cancelled or dropped. Any thread, several at once. Errors: PARA_ERR_ARGUMENT (NULL), _TIMEOUT,
 * _DEADLOCK (the calling thread runs a task of the group), _FORKED. */
PARA_NODISCARD_ PARA_API para_status para_task_group_wait(para_task_group *group);
/* Likewise, but waits until a deadline at most. */
PARA_NODISCARD_ PARA_API para_status para_task_group_wait_until(para_task_group *group,
                                                                uint64_t deadline_ns);

/* A block after which all tasks of the group are over, however the block is left, other than by a
 * jump out of a function:
 *
 *     para_task_group group = {0};
 *     para_task left = {.run = sort, .arg = &a, .group = &group};
 *     PARA_WITH_TASKS(&group)
 *         para_must(para_submit(NULL, &left));
 *
 * The tasks' memory has to outlast the block. In C++ an exception waits too. The block ignores
 * failures: para_task_group_wait after it returns the first. */
#define PARA_WITH_TASKS(group)                                                               \
    PARA_WITH_(para_task_scope_, PARA_NAME_(para_scope_, __COUNTER__), para_task_scope_end_, \
               para_task_scope_begin_(group))

typedef struct para_task_scope_ {
    para_task_group *group;
    int run;
} para_task_scope_;

static inline para_task_scope_ para_task_scope_begin_(para_task_group *group)
{
    const para_task_scope_ scope = {group, 1};
    return scope;
}

static inline void para_task_scope_end_(para_task_scope_ *scope)
{
    const para_status status = para_task_group_wait(scope->group);
    (void)status;
}

#ifdef __cplusplus
}
#endif
#endif
