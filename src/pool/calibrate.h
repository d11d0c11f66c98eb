/* Measuring what the machine charges for sharing a call. */
#ifndef PARA_POOL_CALIBRATE_H
#define PARA_POOL_CALIBRATE_H

#include "plan/decide.h"
#include "pool/types.h"

#include <stdint.h>

/* For a machine on which nothing was measured: too low rather than too high, since calls correct
 * that soon. */
extern const para__costs para__costs_assumed;

/* What sharing costs on this machine: measured if the pool is ready, else assumed. */
static inline const para__costs *para__pool_costs(const para_pool *pool)
{
    return para__pool_is_ready(pool) ? &pool->costs : &para__costs_assumed;
}

/* Gives the pool assumed costs, before it has threads. */
void para__costs_assume(para_pool *pool);

/* Measures by calls on the pool's threads, in a few hundred microseconds. The threads spin
 * meanwhile, whatever the policy. Called by the thread that makes the pool ready, or while nobody
 * else uses the pool. Other calls may run: it takes minima of several trials, since a disturbance
 * makes a trial longer. What cannot be measured, as in a pool whose threads share CPUs, is assumed.
 */
void para__costs_measure(para_pool *pool);

/* What a pool's calls are decided by now. */
para__costs para__costs_now(const para_pool *pool);

/* A call's first helper came so many ticks after the call was published, from spinning or from
 * sleep; or, with came false, none had come by then. So a machine that was busy while the pool was
 * made, or has changed since, is known before long. */
void para__costs_refine(para_pool *pool, uint64_t ticks, bool awake, bool came);

/* A short, even call on a team of that width took its caller so many ticks, and all its
 * participants so many in batches: what remains, helpers' delays apart, is what sharing cost the
 * caller. */
void para__costs_refine_share(para_pool *pool, unsigned width, uint64_t ticks, uint64_t busy_ticks);

/* A call was not shared which the machine as it was measured would have shared: what is followed
 * moves a little towards that, so that helpers are tried again some time after a machine was busy.
 */
void para__costs_relax(para_pool *pool);

#endif
