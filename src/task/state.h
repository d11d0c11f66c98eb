/* A task from its submission to its end, and those who wait for that.
 *
 *            submit             begin                       end [E19]
 *     NEW ----------> QUEUED ----------> RUNNING ---------------------> COMPLETED, FAILED
 *      ^                 |                                                     |
 *      |                 +------- drop [E19] ----> CANCELLED, DROPPED          |
 *      |                                                 |    submit again     |
 *      +-------------------------------------------------+---------------------+
 *
 * The task's word has the state, and bits beside it. Who takes a task out of where it is queued has
 * it alone, up to the end. The swap that ends it publishes its results [E19]; after it the task
 * belongs to those who wait, and is not touched again: sleepers are found by its address. */
#ifndef PARA_TASK_STATE_H
#define PARA_TASK_STATE_H

#include "base/atomic.h"

#include <para/status.h>
#include <para/task.h>

enum {
    PARA__TASK_STATE = 7,
    PARA__TASK_AWAITED = 8, /* somebody sleeps until it is over: set under their bucket's latch */
    PARA__TASK_IN_LINE = 16 /* it is in the ingress: set and cleared under its latch */
};

static inline para__atomic_u32 *para__task_word(para_task *task)
{
    return (para__atomic_u32 *)&task->word_;
}

static inline para_task_state para__task_state_of(uint32_t word)
{
    return (para_task_state)(word & PARA__TASK_STATE);
}

static inline bool para__task_state_is_final(uint32_t word)
{
    return para__task_state_of(word) >= PARA_TASK_COMPLETED;
}

/* Whether it is over; then its results can be read. */
static inline bool para__task_is_over(para_task *task)
{
    return para__task_state_is_final(para__load_acquire(E19, para__task_word(task)));
}

/* Runs a task that the calling thread has taken, or drops it if it may not begin any more. */
void para__task_carry_out(para_task *task);

/* Ends a task that the calling thread has taken, without running it. */
void para__task_drop(para_task *task, para_task_state state);

/* Sleeps until it is over; false: the deadline came first. */
bool para__task_sleep(para_task *task, uint64_t deadline_ns);

#endif
