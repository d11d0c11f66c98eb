#include "engine/calibrate.h"

#include "base/clock.h"
#include "engine/pool.h"

/* Spinning may cost as much as the park and the wake that it spares: both are about a wake-up. At
 * least so much, at most that much, whatever was measured. */
static const double spin_least_ns = 20000;
static const double spin_most_ns = 200000;

/* Nobody waits longer than this for a helper that does not come, while costs are measured. */
static const double patience_ns = 100000;

/* What a shared call costs its caller before it has a lane and after: checks, decision, report.
 * Some 300 instructions (tests/instructions). */
static const double around_ns = 45;

para__costs para__costs_assumed(void)
{
    return (para__costs){.reach_ns = 20000,
                         .each_ns = 1000,
                         .wake_ns = 100000,
                         .rouse_ns = 5000,
                         .share_ns = 150,
                         .clock_ns = 20};
}

para__costs para__costs_now(const para_pool *pool)
{
    para__costs costs = pool->costs;
    costs.reach_ns = para__load_relaxed(&pool->reach_ns); /* values on their own: see pool.h */
    costs.wake_ns = para__load_relaxed(&pool->wake_ns);
    costs.share_ns = para__load_relaxed(&pool->share_ns);
    return costs;
}

/* The shortest of several pings, in ns; more than the patience if nobody came in time. */
static double ping_ns(para_pool *pool, unsigned width, int trials)
{
    const uint64_t limit = para__ns_to_ticks(patience_ns);
    double shortest = 2 * patience_ns;
    for (int i = 0, late = 0; i < trials && late < 3; i++) {
        const uint64_t ticks = para__lane_ping(pool, width, limit);
        const double ns = (double)ticks * para__ns_per_tick();
        late += ticks == UINT64_MAX; /* a machine so busy is not worth many trials */
        if (ns < shortest)
            shortest = ns;
    }
    return shortest;
}

/* Has the helpers park, which without spinning they do at once, and gives them the time to fall
 * asleep; false if they did not in time. */
static bool let_park(const para_pool *pool)
{
    const uint64_t start = para__now_ns();
    while (para__load_relaxed(&pool->sleeping) < pool->workers) { /* a guess is enough */
        if ((double)(para__now_ns() - start) > patience_ns)
            return false;
        para__pause();
    }
    const uint64_t parked = para__now_ns();
    while ((double)(para__now_ns() - parked) < patience_ns / 4)
        para__pause();
    return true;
}

static double clock_ns(void)
{
    const uint64_t start = para__ticks();
    uint64_t now = start;
    for (int i = 0; i < 16; i++)
        now = para__ticks();
    return (double)(now - start) / 16 * para__ns_per_tick();
}

/* Spinning in proportion to what was measured of waking. */
static void set_spin(para_pool *pool, double wake_ns)
{
    const double ns = 2 * wake_ns;
    const double bounded = ns < spin_least_ns  ? spin_least_ns
                           : ns > spin_most_ns ? spin_most_ns
                                               : ns;
    para__store_relaxed(&pool->spin_ticks, para__ns_to_ticks(bounded)); /* see pool.h */
}

void para__costs_measure(para_pool *pool)
{
    para__costs *costs = &pool->costs;
    costs->clock_ns = clock_ns();

    /* Awake, with the longest spinning while we measure; the first may still be starting. */
    set_spin(pool, spin_most_ns);
    (void)ping_ns(pool, pool->workers, 1);
    const double one = ping_ns(pool, 2, 16);
    if (one < patience_ns) {
        costs->reach_ns = one;
        const double all = pool->workers > 2 ? ping_ns(pool, pool->workers, 8) : one;
        costs->each_ns = all > one && all < patience_ns ? (all - one) / (pool->workers - 2) : 0;
    }

    /* Asleep. */
    double wake = 2 * patience_ns;
    para__store_relaxed(&pool->spin_ticks, 0); /* see pool.h */
    for (int i = 0; i < 3; i++) {
        const double ns = let_park(pool) ? ping_ns(pool, 2, 1) : wake;
        wake = ns < wake ? ns : wake;
    }
    if (wake < patience_ns) {
        costs->wake_ns = wake > costs->reach_ns ? wake - costs->reach_ns : 0;
        costs->rouse_ns = costs->wake_ns / 8;
    }
    set_spin(pool, costs->wake_ns);
}

/* Follows a sample down quickly and up slowly: what disturbs a call makes it longer. Callers at
 * once may lose a sample. */
static void follow(_Atomic uint32_t *ns, double sample)
{
    const double known = para__load_relaxed(ns); /* a value on its own: see pool.h */
    const double next = sample < known ? known + (sample - known) / 4 : known + known / 64;
    if (sample < 1e6)
        para__store_relaxed(ns, (uint32_t)(next < 50 ? 50 : next)); /* see pool.h */
}

void para__costs_refine(para_pool *pool, uint64_t ticks, bool awake, bool came)
{
    const double ns = (double)ticks * para__ns_per_tick() * (awake ? 2 : 1); /* there and back */
    _Atomic uint32_t *known = awake ? &pool->reach_ns : &pool->wake_ns;
    if (!came && ns < para__load_relaxed(known)) /* see pool.h */
        return;                                  /* it may still have been on its way */
    follow(known, ns);
    if (!awake)
        set_spin(pool, para__load_relaxed(known)); /* see pool.h */
}

void para__costs_refine_share(para_pool *pool, unsigned width, uint64_t ticks, uint64_t busy_ticks)
{
    const double known = para__load_relaxed(&pool->share_ns); /* see pool.h */
    const double reach = para__load_relaxed(&pool->reach_ns);
    const double each = para__ns_per_tick();
    const double whole = (double)ticks * each + around_ns;
    const double sample = width * whole - (double)busy_ticks * each - (width - 1) * reach;
    /* Steps of equal size up and down: towards the median, whatever outliers there are. */
    const double next = sample > known ? known + 2 : known - 2;
    para__store_relaxed(&pool->share_ns, (uint32_t)(next < 20 ? 20 : next > 5000 ? 5000 : next));
}

void para__costs_relax(para_pool *pool)
{
    const double known = para__load_relaxed(&pool->reach_ns); /* see pool.h */
    const double measured = pool->costs.reach_ns;
    if (known > measured)
        para__store_relaxed(&pool->reach_ns, (uint32_t)(known - (known - measured) / 32));
}
