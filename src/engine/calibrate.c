#include "engine/calibrate.h"

#include "base/clock.h"
#include "engine/pool.h"

/* Spinning may cost as much as the park and the wake that it spares: both are about a wake-up. At
 * least so much, at most that much, whatever was measured. */
static const double spin_least_ns = 20000;
static const double spin_most_ns = 200000;

para__costs para__costs_assumed(void)
{
    return (para__costs){
        .reach_ns = 20000, .each_ns = 1000, .wake_ns = 100000, .rouse_ns = 5000, .clock_ns = 20};
}

static double least(double a, double b)
{
    return a < b ? a : b;
}

/* The shortest of several pings, in ns; more than limit_ns if nobody came in time. */
static double ping_ns(para_pool *pool, unsigned width, int trials, double limit_ns)
{
    const uint64_t limit = para__ns_to_ticks(limit_ns);
    double shortest = 2 * limit_ns;
    for (int i = 0; i < trials; i++) {
        const uint64_t ticks = para__lane_ping(pool, width, limit);
        if (ticks == UINT64_MAX)
            break; /* a machine so busy is not worth more trials */
        shortest = least(shortest, (double)ticks * para__ns_per_tick());
    }
    return shortest;
}

/* Has the helpers park, which without spinning they do at once. */
static void let_park(const para_pool *pool, double limit_ns)
{
    const uint64_t start = para__now_ns();
    while (para__load_relaxed(&pool->sleeping) < pool->workers /* a guess is enough */
           && (double)(para__now_ns() - start) < limit_ns)
        para__pause();
}

para__costs para__costs_measure(para_pool *pool)
{
    para__costs costs = para__costs_assumed();
    uint64_t looks = para__ticks();
    const uint64_t start = looks;
    for (int i = 0; i < 16; i++)
        looks = para__ticks();
    costs.clock_ns = (double)(looks - start) / 16 * para__ns_per_tick();

    /* Awake, with the spinning of the longest wait while we measure. */
    const double limit_ns = 100000;
    para__store_relaxed(&pool->spin_ticks, para__ns_to_ticks(spin_most_ns)); /* see pool.h */
    (void)ping_ns(pool, pool->workers, 1, limit_ns); /* they may still be starting */
    const double one = ping_ns(pool, 2, 16, limit_ns);
    if (one < limit_ns) {
        costs.reach_ns = one;
        const double all = pool->workers > 2 ? ping_ns(pool, pool->workers, 8, limit_ns) : one;
        costs.each_ns = all > one && all < limit_ns ? (all - one) / (pool->workers - 2) : 0;
    }

    /* Asleep. */
    para__store_relaxed(&pool->spin_ticks, 0); /* see pool.h */
    let_park(pool, spin_most_ns);
    double wake = 2 * limit_ns;
    for (int i = 0; i < 3; i++) {
        wake = least(wake, ping_ns(pool, 2, 1, limit_ns));
        let_park(pool, limit_ns);
    }
    if (wake < limit_ns) {
        costs.wake_ns = wake > costs.reach_ns ? wake - costs.reach_ns : 0;
        costs.rouse_ns = costs.wake_ns / 8;
    }
    const double spin_ns = 2 * costs.wake_ns;
    para__store_relaxed(&pool->spin_ticks, para__ns_to_ticks(spin_ns < spin_least_ns ? spin_least_ns
                                                             : spin_ns > spin_most_ns ? spin_most_ns
                                                                                      : spin_ns));
    return costs;
}
