/* A task from its submission to its end, and those who wait for that.
 *
 *            submit             begin                       end [E19]
 *     NEW ----------> QUEUED ----------> RUNNING ---------------------> COMPLETED, FAILED
 *      ^                 |                                                     |
 *      |                 +------- drop [E19] ----> CANCELLED, DROPPED          |
 *      |                                                 |    submit again     |
 *      +-------------------------------------------------+---------------------+
 *
 * The task's word has the state, and bits beside it. A thread that takes a task out of where it is
 * queued has it alone, up to the end. The swap that ends it publishes its results [E19]; after it
 * the task belongs to those who wait, and is not touched again: sleepers are found by its address.
 *
 * A group's word counts its tasks that are not over, in steps of PARA__GROUP_TASK. The subtraction
 * that makes it 0 is the group's end, in the same way. */
#ifndef PARA_TASK_STATE_H
#define PARA_TASK_STATE_H

#include "base/atomic.h"
#include "base/trace.h"
#include "sync/queue.h"
#include "task/host.h"

#include <para/status.h>
#include <para/task.h>

enum {
    PARA__TASK_STATE = 7,
    PARA__TASK_AWAITED = 8,  /* somebody sleeps until it is over: set under their bucket's latch */
    PARA__TASK_IN_LINE = 16, /* it is in the ingress: set and cleared under its latch */
    PARA__TASK_FD = 32       /* times 1 + its descriptor, above the other bits; 0: none */
};

enum {
    PARA__GROUP_AWAITED = 1, /* as of a task */
    PARA__GROUP_TASK = 2
};

static inline para__atomic_u32 *para__task_word(para_task *task)
{
    return (para__atomic_u32 *)&task->word_;
}

/* Threads that wait for it: to notice that it is submitted again meanwhile. */
static inline para__atomic_u32 *para__task_waits(para_task *task)
{
    return (para__atomic_u32 *)&task->waits_;
}

static inline para__atomic_u32 *para__group_word(para_task_group *group)
{
    return (para__atomic_u32 *)&group->word_;
}

/* What several threads may write, but always the same. */
static inline para__atomic_u32 *para__group_forks(para_task_group *group)
{
    return (para__atomic_u32 *)&group->forks_;
}

static inline para__atomic_uptr *para__group_pool(para_task_group *group)
{
    return (para__atomic_uptr *)&group->pool_;
}

static inline para_task_state para__task_state_of(uint32_t word)
{
    return (para_task_state)(word & PARA__TASK_STATE);
}

static inline bool para__task_state_is_final(uint32_t word)
{
    return para__task_state_of(word) >= PARA_TASK_COMPLETED;
}

/* Ties the event of a task's submission, at that time, to that of its run. */
static inline uint64_t para__task_flow(const para_task *task, uint64_t queued)
{
    return queued * 0x9e3779b97f4a7c15u ^ (uintptr_t)task;
}

/* Whether it is over; then its results can be read. */
static inline bool para__task_is_over(para_task *task)
{
    return para__task_state_is_final(para__load_acquire(E19, para__task_word(task)));
}

/* The same after the calling thread has noted that it enters the task's pool: if it is not over,
 * the pool is there until the thread leaves. */
static inline bool para__task_is_over_inside(para_task *task)
{
    return para__task_state_is_final(para__load_seq_cst(E19_E21, para__task_word(task)));
}

/* Whether all of its tasks are over. */
static inline bool para__group_is_over(para_task_group *group)
{
    return para__load_acquire(E19, para__group_word(group)) < PARA__GROUP_TASK;
}

/* As of a task. */
static inline bool para__group_is_over_inside(para_task_group *group)
{
    return para__load_seq_cst(E19_E21, para__group_word(group)) < PARA__GROUP_TASK;
}

/* Runs a task that the calling thread has taken, or drops it if it may not begin any more. */
void para__task_carry_out(para_task *task, const para__host *host);

/* Ends a task that the calling thread has taken. Nothing of it is touched after that. */
void para__task_end(para_task *task, para_task_state state, para_status status,
                    const para__host *host);

/* The task's descriptor, made if it has none; -1: errno tells why not. */
int para__task_fd(para_task *task);

/* Counts a task in before it is submitted, and out if it could not be. */
void para__group_enter(para_task_group *group);
void para__group_leave(para_task_group *group, para_status status);

/* The group's outcome, when it is over. */
para_status para__group_status(para_task_group *group);

/* Called after a task of the group was queued: a thread that sleeps until the group is over looks
 * at that task too. */
void para__group_tell(para_task_group *group);

/* Puts a node into the line of those who sleep until the task, or the group, is over. False: it is,
 * and the node is in no line. The event is armed. */
bool para__task_await(para_task *task, para__waiter *waiter);
bool para__group_await(para_task_group *group, para__waiter *waiter);
void para__task_await_end(para__waiter *waiter);

#endif
