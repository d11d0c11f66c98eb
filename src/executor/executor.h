/* Who comes to help with a call: a table of functions. A pool has one, and calls know their helpers
 * through it alone. There are two: the pool's own threads (pool/threads.c) and nobody. */
#ifndef PARA_EXECUTOR_EXECUTOR_H
#define PARA_EXECUTOR_EXECUTOR_H

#include "plan/decide.h"
#include "share/lane.h"

struct para_pool;

typedef struct para__executor {
    /* How many participants a call may have now, the caller among them. Every call asks. */
    unsigned (*width)(const struct para_pool *pool);

    /* How many helpers the calling thread has that need not be woken, as far as one can tell. */
    unsigned (*awake)(const struct para_pool *pool);

    /* What sharing a call costs now. */
    para__costs (*costs)(const struct para_pool *pool);

    /* Waits until everybody who is to help can; false if the deadline came first (para__now_ns;
     * UINT64_MAX: none; 0: it does not wait). Till then calls find fewer helpers than width says. */
    bool (*wait)(struct para_pool *pool, uint64_t deadline_ns);

    /* Wakes so many of those who sleep, for calls that are expected to come. */
    void (*wake)(struct para_pool *pool, unsigned count);

    /* Runs what the plan has of the job on a leased lane, on the calling thread and on whoever
     * comes, and returns when it is done: para__lane_run, which is told the caller's position. The
     * executor learns its costs from timed calls. NULL where width is always 1. */
    void (*run)(struct para_pool *pool, para__lane *lane, const para__job *job,
                const para__plan *plan, para__outcome *outcome);
} para__executor;

/* Of a pool of one worker, which is in its caller's place. */
extern const para__executor para__nobody;

/* What sharing is taken to cost where nothing was measured: too little rather than too much, since
 * calls correct that soon. */
extern const para__costs para__costs_assumed;

#endif
