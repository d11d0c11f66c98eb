/* Tasks on a pool's threads: what each thread runs, and tasks as a source of work of workers. The
 * public functions are in submit.c and await.c. */
#ifndef PARA_POOL_TASKS_H
#define PARA_POOL_TASKS_H

#include "pool/types.h"
#include "share/visit.h"
#include "task/crew.h"

/* A task that the calling thread runs. Frames lie on its stack, the innermost first. */
typedef struct para__frame {
    const para_task *task;        /* its address alone: the task may be freed */
    const para_task_group *group; /* likewise */
    const para__crew *crew;
    para__seat *seat; /* NULL: none was free */
    para__kin kin;
    para_context context;
    const struct para__frame *outer;
    int cancel_state; /* of the thread, before the task */
} para__frame;

extern PARA__THREAD_LOCAL const para__frame *para__innermost_frame;

/* The innermost; NULL: the thread runs no task, or has left it by a jump. */
const para__frame *para__frame_here(void);

/* The innermost of that crew; NULL: the thread runs no task of it. */
const para__frame *para__frame_of(const para__crew *crew);

static inline para__crew *para__crew_of(const para_pool *pool)
{
    return para__load_acquire(E20, &pool->crew);
}

/* What a task does: run(arg). call: its status is the task's; NULL: it is no call. */
typedef struct para__work {
    int (*run)(void *arg);
    void *arg;
    const void *call;
} para__work;

/* Whether the task may be submitted to that pool now; then its memory is the calling thread's. */
para_status para__task_check(const para_pool *pool, para_task *task);

/* Whether the pool's progress may depend on the calling thread. */
bool para__pool_needs_caller(para_pool *pool);

/* para_submit_until of a task that does this work; NULL: its own. */
para_status para__submit(para_pool *pool, para_task *task, const para__work *work,
                         uint64_t deadline_ns);

/* Runs a task that was taken, on the calling thread in that seat. */
void para__task_run(para__crew *crew, para__seat *seat, para_task *task);

/* Called after the news: wakes a worker if any sleeps and nobody looks out for tasks. */
void para__tasks_tell(para_pool *pool);

/* The same by a worker that looks again by itself, soon: it wakes none that is displaced. */
void para__tasks_pass_on(para_pool *pool);

/* For a worker: it begins to look out for tasks; it ends that, if it does. True: it was the last,
 * so it has to look at what is queued. */
void para__worker_look_out(para__worker *self);
bool para__worker_look_away(para__worker *self);

/* The same, and tells if there is a task: the worker has found something else to do. */
void para__worker_turn_away(para__worker *self);

/* For a worker: whether there is a task to look at, and to run one. */
bool para__tasks_have_news(para_pool *pool, unsigned worker);
bool para__tasks_have_old(para_pool *pool, unsigned worker); /* while it spins: see crew.h */
para__visit para__tasks_serve(para_pool *pool, unsigned worker);

/* Whether the calling thread runs a task of the pool. */
bool para__tasks_are_run_here(const para_pool *pool);

/* The pool's queue takes no more; under its latch. */
void para__tasks_close(para_pool *pool);

/* Drops what is queued. Any thread, at any time. */
void para__tasks_drop(para_pool *pool);

/* What has become of the pool's tasks: see crew.h. */
para__census para__tasks_census(para_pool *pool);

/* Frees the crew; in a child the parent's tasks are left as they are. */
void para__tasks_free(para_pool *pool);

#endif
