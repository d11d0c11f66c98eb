#include "executor/executor.h"

#include "base/tuning.h"

const para__costs para__costs_assumed = {.round_trip_ns = PARA__ROUND_TRIP_NS,
                                         .per_helper_ns = PARA__PER_HELPER_NS,
                                         .wake_ns = PARA__WAKE_NS,
                                         .wake_cost_ns = PARA__WAKE_COST_NS,
                                         .share_ns = PARA__SHARE_NS,
                                         .clock_ns = PARA__CLOCK_NS};

static unsigned caller_alone(const struct para_pool *pool)
{
    (void)pool;
    return 1;
}

unsigned para__none_awake(const struct para_pool *pool)
{
    (void)pool;
    return 0;
}

para__costs para__costs_unmeasured(const struct para_pool *pool)
{
    (void)pool;
    return para__costs_assumed;
}

bool para__await_nobody(struct para_pool *pool, uint64_t deadline_ns)
{
    (void)pool;
    (void)deadline_ns;
    return true;
}

void para__wake_nobody(struct para_pool *pool, unsigned count)
{
    (void)pool;
    (void)count;
}

const para__executor para__nobody = {.width = caller_alone,
                                     .awake = para__none_awake,
                                     .costs = para__costs_unmeasured,
                                     .wait = para__await_nobody,
                                     .wake = para__wake_nobody};
