/* Who comes to help with a call: a table of functions. A pool has one, and its calls know their
 * helpers through it alone. How wide a call may be is a number, para__pool_workers, since every
 * call asks for it. */
#ifndef PARA_EXECUTOR_EXECUTOR_H
#define PARA_EXECUTOR_EXECUTOR_H

#include "plan/decide.h"
#include "share/lane.h"

struct para_pool;

typedef struct para__executor {
    /* How many helpers the calling thread has that need not be woken, as far as one can tell. */
    unsigned (*awake)(const struct para_pool *pool);

    /* Wakes so many of those who sleep, for calls that are expected to come. */
    void (*wake)(struct para_pool *pool, unsigned count);

    /* Runs the job on a leased lane as planned, on the calling thread and on whoever comes, and
     * returns when it is done: para__lane_run, which is told the caller's position. The executor
     * learns from timed calls. NULL where a call may have one participant only. */
    void (*run)(struct para_pool *pool, para__lane *lane, const para__job *job,
                const para__plan *plan, para__outcome *outcome);
} para__executor;

/* Of a pool of one worker, which is in its caller's place. */
extern const para__executor para__nobody;

#endif
