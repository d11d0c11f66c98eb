#include "executor/executor.h"

const para__costs para__costs_assumed = {.round_trip_ns = 1000,
                                         .per_helper_ns = 50,
                                         .wake_ns = 50000,
                                         .wake_cost_ns = 5000,
                                         .share_ns = 150,
                                         .clock_ns = 20};

static unsigned caller_alone(const struct para_pool *pool)
{
    (void)pool;
    return 1;
}

static unsigned none_awake(const struct para_pool *pool)
{
    (void)pool;
    return 0;
}

static para__costs assumed_costs(const struct para_pool *pool)
{
    (void)pool;
    return para__costs_assumed;
}

static bool wait_for_nobody(struct para_pool *pool, uint64_t deadline_ns)
{
    (void)pool;
    (void)deadline_ns;
    return true;
}

static void wake_nobody(struct para_pool *pool, unsigned count)
{
    (void)pool;
    (void)count;
}

const para__executor para__nobody = {.width = caller_alone,
                                     .awake = none_awake,
                                     .costs = assumed_costs,
                                     .wait = wait_for_nobody,
                                     .wake = wake_nobody};
