/* Calls that are planned and learnt from, but not run. Outcomes and the machine's costs are made
 * up, so that no clock decides. */
#ifndef PARA_TESTS_POLICY_H
#define PARA_TESTS_POLICY_H

#include "check.h"

#include "base/clock.h"
#include "schedule/schedule.h"

enum { COUNT = 1000 };
static inline void kernel(void)
{
}

static para_pool *pool;

/* What sharing costs on the pool, whatever the machine is. */
static inline void set_costs(void)
{
    pool->costs = (para__costs){.round_trip_ns = 400,
                                .wake_ns = 5000,
                                .wake_cost_ns = 800,
                                .share_ns = 150,
                                .clock_ns = pool->costs.clock_ns};
    para__store_relaxed(&pool->followed.round_trip_ns, 400); /* all: nobody else is there */
    para__store_relaxed(&pool->followed.wake_ns, 5000);
    para__store_relaxed(&pool->followed.share_ns, 150);
    para__store_relaxed(&pool->followed.least_work_ns, 700);
    para__store_relaxed(&pool->lanes.spin_ticks,
                        0); /* nobody is awake, at any speed of the machine */
}

static inline int make_pool(void **state)
{
    (void)state;
    pool = check_pool(2);
    set_costs();
    return 0;
}

static inline int destroy_pool(void **state)
{
    (void)state;
    para_pool_destroy(pool);
    return 0;
}

static inline para__site *site_of(uint64_t loop)
{
    return para__site_find(&pool->sites, para__site_key_of((uintptr_t)kernel, COUNT, loop));
}

static inline void know(para__estimate estimate)
{
    para__site_forget(site_of(0));
    para__site_write(site_of(0), estimate);
}

static inline para__schedule begin(para_options options, size_t units)
{
    static para_options kept;
    kept = options;
    para__schedule s = {.pool = pool};
    para__schedule_describe(&s, kernel, COUNT, units, &kept);
    if (!para__schedule_begin_small(&s)) {
        para__schedule_begin(&s);
        para__schedule_settle(&s);
    }
    return s;
}

static inline uint64_t ticks(double ns)
{
    return (uint64_t)(ns / para__ns_per_tick());
}

/* Tells that the call, as it was planned, took so long; its participants were busy all the time. */
static inline void end(para__schedule *s, size_t units, double ns)
{
    para__outcome outcome = {.workers = s->plan.width, .ticks = ticks(ns)};
    outcome.tally.busy_ticks = ticks(ns * s->plan.width);
    outcome.tally.chunks = s->plan.width;
    para__batches_add(&outcome.batches, (double)units / s->plan.width, (double)ticks(ns));
    if (s->timed)
        para__schedule_learn(s, &outcome, units);
}

#endif
