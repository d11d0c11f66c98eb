/* Who helps with a call: a table of functions. A pool has one, and its calls reach helpers only
 * through it. There are five: the pool's own threads (pool/threads.c), those that a program
 * lends (pool/lent.c), worker processes (pool/processes.c), nobody, and the novice's, which has the
 * pool made (pool/default_pool.c). */
#ifndef PARA_EXECUTOR_EXECUTOR_H
#define PARA_EXECUTOR_EXECUTOR_H

#include "plan/decide.h"
#include "share/lane.h"

struct para_pool;

typedef struct para__executor {
    /* How many participants a call can have now, the caller included. Every call asks. */
    unsigned (*width)(const struct para_pool *pool);

    /* How many helpers of the calling thread seem to be awake. */
    unsigned (*awake)(const struct para_pool *pool);

    /* What sharing a call costs now. */
    para__costs (*costs)(const struct para_pool *pool);

    /* Waits until all helpers can come; false if the deadline came first (para__now_ns; UINT64_MAX:
     * none; 0: does not wait). Before that, fewer helpers come than width says. NULL: the novice's,
     * whose calls go on in another pool before they are shared. */
    bool (*wait)(struct para_pool *pool, uint64_t deadline_ns);

    /* Wakes up to count sleeping helpers, because calls are expected. */
    void (*wake)(struct para_pool *pool, unsigned count);

    /* Runs the plan's units of the job on a leased lane, on the calling thread and on helpers that
     * come; returns when they are done. Worker processes have no lanes: theirs is NULL. An executor
     * of threads finds the caller's position, calls para__lane_run, and learns its costs from timed
     * calls. NULL: the novice's and nobody's, on whose pools no call is shared. */
    void (*run)(struct para_pool *pool, para__lane *lane, const para__job *job,
                const para__plan *plan, para__outcome *outcome);
} para__executor;

/* The executor of a pool of one worker: the caller takes that worker's place. */
extern const para__executor para__nobody;

/* Its functions that serve others as well: nobody is awake, there is nobody to wait for or to wake,
 * and costs are assumed. */
unsigned para__none_awake(const struct para_pool *pool);
bool para__await_nobody(struct para_pool *pool, uint64_t deadline_ns);
void para__wake_nobody(struct para_pool *pool, unsigned count);
para__costs para__costs_unmeasured(const struct para_pool *pool);

/* What sharing is assumed to cost where nothing was measured. It is too low rather than too high,
 * since calls correct that soon. */
extern const para__costs para__costs_assumed;

#endif
