/* Measuring what it costs on this machine to share a call. */
#ifndef PARA_POOL_CALIBRATE_H
#define PARA_POOL_CALIBRATE_H

#include "base/tuning.h"
#include "plan/decide.h"
#include "pool/types.h"

#include <stdint.h>

/* What sharing costs on this machine: measured if the pool is ready, else assumed. */
static inline const para__costs *para__pool_costs(const para_pool *pool)
{
    return para__pool_is_ready(pool) ? &pool->costs : &para__costs_assumed;
}

/* Gives the pool assumed costs, before it has threads. */
void para__costs_assume(para_pool *pool);

/* Measures by calls on the pool's threads, in a few hundred microseconds. The threads spin
 * meanwhile, whatever the policy. Called by the thread that makes the pool ready, or while nobody
 * else uses the pool. Other calls may run: it takes the minimum of several trials, since a
 * disturbance makes a trial longer. What cannot be measured is assumed, as in a pool whose threads
 * share CPUs. */
void para__costs_measure(para_pool *pool);

/* Sets costs that were measured otherwise; the caller makes the pool ready after that. */
void para__costs_take(para_pool *pool, const para__costs *costs);

/* Learns from a timed call that was shared: how long the first helper was on its way, and what
 * sharing cost the caller. busy_ticks: of all its participants. */
void para__costs_learn(para_pool *pool, const para__plan *plan, const para__outcome *outcome,
                       uint64_t busy_ticks);

/* Learns from a timed call on that lane how fast the kinds of cores are that it ran on, and makes
 * slices as long as that. The pool has several kinds, and its workers are bound. */
void para__weights_learn(para_pool *pool, const para__lane *lane, unsigned caller);

/* What sharing costs with the pool's threads now: measured, and followed since. */
para__costs para__costs_followed(const para_pool *pool);

/* Learns from a call's first helper. It came this many ticks after the call was published, from
 * spinning (awake) or from sleep; came is false if none had come by then. So the pool soon notices
 * that the machine was busy while the pool was made, or has changed since. */
void para__costs_refine(para_pool *pool, uint64_t ticks, bool awake, bool came);

/* The most that it may be. While a lender begins and ends nobody works, so that counts for each of
 * the team. */
static inline double para__share_most_ns(const para_pool *pool, unsigned width)
{
    return pool->lender.run ? width * PARA__SHARE_MOST_NS / 2 : PARA__SHARE_MOST_NS;
}

/* Learns from an even call, if it is short, on a team of that width, which took its caller this
 * many ticks, and its participants busy_ticks in batches together. The rest, without the helpers'
 * delays, is what sharing cost the caller. */
void para__costs_refine_share(para_pool *pool, unsigned width, uint64_t ticks, uint64_t busy_ticks);

/* Called after a call that ran alone, but would have been shared by the costs that were measured
 * first: moves the followed costs a little towards those. So helpers are tried again some time
 * after the machine was busy. */
void para__costs_relax(para_pool *pool);

#endif
