/* Who helps with a call: a table of functions. A pool has one, and its calls reach helpers only
 * through it. The number of workers is not in the table, because every call asks for it: see
 * para__pool_workers. */
#ifndef PARA_EXECUTOR_EXECUTOR_H
#define PARA_EXECUTOR_EXECUTOR_H

#include "plan/decide.h"
#include "share/lane.h"

struct para_pool;

typedef struct para__executor {
    /* How many helpers of the calling thread seem to be awake. */
    unsigned (*awake)(const struct para_pool *pool);

    /* Wakes up to count sleeping helpers, because calls are expected. */
    void (*wake)(struct para_pool *pool, unsigned count);

    /* Runs the job on a leased lane as planned, on the calling thread and on helpers that come;
     * returns when it is done. An executor of threads finds the caller's position, calls
     * para__lane_run, and learns from timed calls. NULL if a call can have one participant only. */
    void (*run)(struct para_pool *pool, para__lane *lane, const para__job *job,
                const para__plan *plan, para__outcome *outcome);
} para__executor;

/* The executor of a pool of one worker: the caller takes that worker's place. */
extern const para__executor para__nobody;

#endif
