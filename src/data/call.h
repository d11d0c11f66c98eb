/* What map and reduce calls have in common: options, memory to work in, and the way a call runs. */
#ifndef PARA_DATA_CALL_H
#define PARA_DATA_CALL_H

#include "base/fpenv.h"
#include "base/memory.h"
#include "base/status.h"
#include "executor/lease.h"
#include "pool/worker.h"
#include "schedule/schedule.h"

#include <para/call.h>

/* Checks the members of options that a caller may set, and those that must be zero. */
static inline para_status para__options_check(const para_options *options, const size_t reserved[2])
{
    if ((unsigned)options->executor > PARA_EXECUTOR_SERIAL)
        return para__fail(PARA_ERR_ARGUMENT, "unknown executor %d", (int)options->executor);
    if (reserved[0] | reserved[1])
        return para__fail(PARA_ERR_ARGUMENT, "a reserved field is not zero");
    return PARA_OK;
}

/* A call in progress. */
typedef struct para__call {
    para__schedule schedule;
    bool holds_fp; /* the caller's floating-point environment is saved between kernels: */
    para__fp fp;
    para__lane *lane; /* leased, or NULL */
    void *borrowed;   /* memory of its own, where no lane's arena could be had */
    size_t borrowed_bytes;
    uint64_t start_ns;
    para_report *report; /* the user's, or NULL */
} para__call;

/* Decides how a call of count elements in units runs. On success the caller's floating-point
 * environment may be saved. Errors: those of the default pool. */
para_status para__call_begin(para__call *call, para_pool *pool, void (*kernel)(void), size_t count,
                             size_t units, const para_options *options, para_report *report);

/* Whether the call runs on its thread from beginning to end. */
static inline bool para__call_is_alone(const para__call *call)
{
    return call->schedule.plan.width == 1 && !call->schedule.probe;
}

/* Whether the call needs nothing but its kernel: it runs alone, to its end, and nobody times it. */
static inline bool para__call_is_plain(const para__call *call)
{
    return call->schedule.plan.width == 1 && !call->schedule.timed && !call->report &&
           !call->schedule.options->cancel;
}

/* Restores the caller's floating-point environment, and raises those flags too. */
static inline void para__call_release_fp(para__call *call, unsigned flags)
{
    if (call->holds_fp)
        para__fp_restore(call->fp, flags);
    call->holds_fp = false;
}

/* The largest number of participants that the call may have. */
unsigned para__call_width_most(const para__call *call);

/* The kind of core that the calling thread is on. */
static inline unsigned para__call_kind(const para__call *call)
{
    const para_pool *pool = call->schedule.pool;
    return pool->is_hybrid ? pool->lanes.helper[para__pool_place(pool)].kind : 0;
}

/* Memory until the call ends, aligned to PARA__LINE; NULL if there is none. */
void *para__call_memory(para__call *call, size_t bytes);

/* Runs the job as decided, restores the environment, and fills the report. PARA_OK, PARA_ERR_KERNEL
 * or PARA_ERR_CANCELLED. */
para_status para__call_run(para__call *call, para__job *job);

/* What a call of several phases does after its first job, whether or not that failed: it runs
 * others by para__call_more. On the calling thread, in the caller's floating-point environment. */
typedef void para__rest(para__call *call, void *state, para__outcome *outcome);

/* The same, and the rest. All of it counts as one call: costs are learnt for the whole. */
para_status para__call_run_phases(para__call *call, para__job *job, para__rest *rest, void *state);

/* Runs a further job: by the call's team if the first was shared, else on this thread. Adds to the
 * outcome what was done and what failed. */
void para__call_more(para__call *call, para__job *job, para__outcome *outcome);

/* Whether the process was forked within the call: this is the child, and nobody is left to help. */
static inline bool para__outcome_is_forked(const para__outcome *outcome)
{
    return outcome->tally.error == PARA_ERR_FORKED && outcome->tally.failed_count == 0;
}

/* PARA_ERR_KERNEL, with what a kernel returned for elements [first, first + count) as its
 * detail. */
para_status para__call_fail(int error, size_t first, size_t count) __attribute__((cold));

/* Releases what the call holds. */
static inline void para__call_end(para__call *call)
{
    if (call->lane)
        para__lane_release(call->lane);
    if (call->borrowed)
        para__block_free(call->borrowed, call->borrowed_bytes);
}

#endif
