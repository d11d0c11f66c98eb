/* Measuring what the machine charges for sharing a call. */
#ifndef PARA_ENGINE_CALIBRATE_H
#define PARA_ENGINE_CALIBRATE_H

#include "plan/decide.h"

#include <stdint.h>

struct para_pool;

/* Of a machine on which nothing was measured: rather too low than too high, since calls put that
 * right soon. */
extern const para__costs para__costs_assumed;

/* Costs are assumed from now on: before the pool has threads. */
void para__costs_assume(struct para_pool *pool);

/* Measures by calls on the pool's threads, which spin meanwhile, whatever the policy; in a few
 * hundred microseconds. By the thread that makes the pool ready, or while nobody else uses it.
 * Calls may run: minima of several trials, since whatever disturbs one makes it longer. What cannot
 * be measured, as in a pool whose threads share CPUs, is assumed. */
void para__costs_measure(struct para_pool *pool);

/* What a pool's calls are decided by now. */
para__costs para__costs_now(const struct para_pool *pool);

/* A call's first helper came so many ticks after the call was published, from spinning or from
 * sleep; or, with came false, none had come by then. So a machine that was busy while the pool was
 * made, or has changed since, is known before long. */
void para__costs_refine(struct para_pool *pool, uint64_t ticks, bool awake, bool came);

/* A short, even call on a team of that width took its caller so many ticks, and all its
 * participants so many in portions: what remains, helpers' delays apart, is what sharing cost the
 * caller. */
void para__costs_refine_share(struct para_pool *pool, unsigned width, uint64_t ticks,
                              uint64_t busy_ticks);

/* A call was not shared which the machine as it was measured would have shared: what is followed
 * moves a little towards that, so that helpers are tried again some time after a machine was busy.
 */
void para__costs_relax(struct para_pool *pool);

#endif
