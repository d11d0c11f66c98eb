#include "pool/calibrate.h"

#include "base/bounds.h"
#include "base/clock.h"
#include "base/fpenv.h"
#include "base/log.h"
#include "base/tuning.h"
#include "executor/lease.h"
#include "plan/estimate.h"
#include "pool/place.h"
#include "pool/processes.h"
#include "pool/self.h"

para__costs para__costs_followed(const para_pool *pool)
{
    para__costs costs = *para__pool_costs(pool);
    costs.round_trip_ns = para__load_relaxed(&pool->followed.round_trip_ns); /* all: see types.h */
    costs.wake_ns = para__load_relaxed(&pool->followed.wake_ns);
    costs.share_ns = para__load_relaxed(&pool->followed.share_ns);
    return costs;
}

/* Whether the pool is about to end: then nobody needs its costs. */
static bool is_ending(const para_pool *pool)
{
    return para__load_relaxed(&pool->stopping); /* late news: a ping more */
}

/* The shortest of several pings, in ns; more than PARA__PING_MOST_NS if nobody came in time. */
static double ping_ns(para_pool *pool, unsigned width, int trials)
{
    const uint64_t limit = para__ns_to_ticks(PARA__PING_MOST_NS);
    double shortest = 2 * PARA__PING_MOST_NS;
    for (int i = 0, late = 0; i < trials && late < PARA__PINGS_LATE && !is_ending(pool); i++) {
        para__lane *const lane = para__lane_lease(&pool->lanes);
        uint64_t ticks = UINT64_MAX;
        if (lane) {
            para__position at;
            para__pool_position(pool, width, &at);
            ticks = para__lane_ping(lane, &at, width, limit);
            para__lane_release(lane);
        }
        const double ns = (double)ticks * para__ns_per_tick();
        late += ticks == UINT64_MAX; /* a machine so busy is not worth many trials */
        if (ns < shortest)
            shortest = ns;
    }
    return shortest;
}

/* Lets the helpers park and gives them time to fall asleep; without spinning they park at once.
 * False if they did not in time. */
static bool let_park(const para_pool *pool)
{
    const uint64_t start = para__now_ns();
    const unsigned others = para__pool_workers(pool) - para__pool_is_worker(pool);
    while (para__load_relaxed(&pool->lanes.sleeping) < others) { /* a guess is enough */
        if (is_ending(pool) || (double)(para__now_ns() - start) > PARA__PING_MOST_NS)
            return false;
        para__pause();
    }
    const uint64_t parked = para__now_ns();
    while ((double)(para__now_ns() - parked) < PARA__PING_MOST_NS / PARA__ASLEEP_PART)
        para__pause();
    return true;
}

static double clock_ns(void)
{
    const uint64_t start = para__ticks();
    uint64_t now = start;
    for (int i = 0; i < PARA__CLOCK_LOOKS; i++)
        now = para__ticks();
    return (double)(now - start) / PARA__CLOCK_LOOKS * para__ns_per_tick();
}

/* Sets how long workers spin, in proportion to the measured cost of a wake-up; not at all if
 * threads share CPUs, with each other or with worker processes, or must not spin. */
static void set_spin(para_pool *pool, double wake_ns)
{
    const double ns =
        para__clamp(PARA__SPIN_WAKES * wake_ns, PARA__SPIN_LEAST_NS, PARA__SPIN_MOST_NS);
    const bool never = pool->is_passive || pool->is_novice || pool->executor == &para__processes ||
                       para__pool_workers(pool) > pool->machine->cpu_count;
    para__store_relaxed(&pool->lanes.spin_ticks,
                        never ? 0 : para__ns_to_ticks(ns)); /* see lane.h */
}

static void set_least_work(para_pool *pool, const para__costs *costs)
{
    const double least = para__least_work_ns(costs, para__pool_usual(pool));
    para__store_relaxed(&pool->followed.least_work_ns, /* see lane.h */
                        least < 1e9 ? (uint32_t)least : 1000000000u);
}

/* Updates what depends on the costs that are followed. */
static void update_least_work(para_pool *pool)
{
    const para__costs costs = para__costs_followed(pool);
    set_least_work(pool, &costs);
}

/* Follows the costs from these on. */
static void follow_from(para_pool *pool, const para__costs *costs)
{
    para__store_relaxed(&pool->followed.round_trip_ns, /* all: see types.h */
                        (uint32_t)costs->round_trip_ns);
    para__store_relaxed(&pool->followed.wake_ns, (uint32_t)costs->wake_ns);
    para__store_relaxed(&pool->followed.share_ns, (uint32_t)costs->share_ns);
    set_least_work(pool, costs);
    set_spin(pool, costs->wake_ns);
}

static void tell_disturbed(const char *what, double ns)
{
    para__log(PARA_LOG_CALIBRATION, 0, "%s: %ju ns", what, (uintmax_t)ns);
}

/* The round trip to the last helper of a team, or more than PARA__PING_MOST_NS. */
static double last_ns(para_pool *pool, unsigned width, const char *what)
{
    const double ns = ping_ns(pool, width, PARA__PINGS_ALL);
    if (ns >= PARA__PING_MOST_NS)
        tell_disturbed(what, ns);
    return ns;
}

/* How much later further helpers come. Those of other domains are told apart if the last of all
 * comes later than the domain's own would lead to expect. */
static void measure_further(para_pool *pool)
{
    para__costs *const costs = &pool->costs;
    const unsigned workers = para__pool_usual(pool);
    const unsigned near = para__workers_of_domain(pool);
    const double one = costs->round_trip_ns;
    const double all = workers > 2 ? last_ns(pool, workers, "all helpers' round trip") : one;
    if (all >= PARA__PING_MOST_NS)
        return;
    costs->has_further = true;
    costs->per_helper_ns = all > one ? (all - one) / (workers - 2) : 0;
    if (near < 3 || near == workers)
        return;
    const double of_domain = last_ns(pool, near, "a domain's round trip");
    const double per_helper = of_domain > one ? (of_domain - one) / (near - 2) : 0;
    if (per_helper < costs->per_helper_ns) {
        costs->far_ns = all - one - per_helper * (workers - 2);
        costs->near = near - 1;
        costs->per_helper_ns = per_helper;
    }
}

static void measure(para_pool *pool)
{
    para__costs *costs = &pool->costs;
    costs->clock_ns = clock_ns();

    /* Awake, with the longest spinning while we measure; the first may still be starting. */
    para__store_relaxed(&pool->lanes.spin_ticks,
                        para__ns_to_ticks(PARA__SPIN_MOST_NS)); /* see lane.h */
    (void)ping_ns(pool, para__pool_usual(pool), 1);
    const double one = ping_ns(pool, 2, PARA__PINGS);
    if (one < PARA__PING_MOST_NS) {
        costs->round_trip_ns = one;
        costs->has_round_trip = true;
        measure_further(pool);
    } else
        tell_disturbed("a helper's round trip", one);

    /* Asleep. */
    double wake = 2 * PARA__PING_MOST_NS;
    para__store_relaxed(&pool->lanes.spin_ticks, 0); /* see lane.h */
    for (int i = 0; i < PARA__PINGS_ASLEEP; i++) {
        const double ns = let_park(pool) ? ping_ns(pool, 2, 1) : wake;
        wake = para__min(ns, wake);
    }
    if (wake < PARA__PING_MOST_NS) {
        costs->wake_ns = wake > costs->round_trip_ns ? wake - costs->round_trip_ns : 0;
        costs->wake_cost_ns = costs->wake_ns / PARA__WAKE_COST_PART;
        costs->has_wake = true;
    } else
        tell_disturbed("a wake-up", wake);
}

void para__costs_assume(para_pool *pool)
{
    pool->lanes.batch_ticks = para__ns_to_ticks(PARA__CLOCK_SHOWS_NS);
    follow_from(pool, &para__costs_assumed);
}

void para__costs_take(para_pool *pool, const para__costs *costs)
{
    pool->costs = *costs;
    follow_from(pool, costs);
}

void para__costs_measure(para_pool *pool)
{
    const unsigned workers = para__pool_workers(pool);
    pool->costs = para__costs_assumed;
    if (workers > 1 && workers <= pool->machine->cpu_count)
        measure(pool);
    follow_from(pool, &pool->costs);
}

/* Follows samples down quickly and up slowly, because a disturbance makes a call longer. Callers at
 * the same time may lose a sample. */
static void follow_cost(para__atomic_u32 *ns, double sample)
{
    const double known = para__load_relaxed(ns); /* a value on its own: see types.h */
    const double next = sample < known ? known + (sample - known) / PARA__SAMPLE_WEIGHT
                                       : known + known / PARA__COST_UP_WEIGHT + 1;
    if (sample < PARA__REACH_MOST_NS)
        para__store_relaxed(ns, (uint32_t)para__max(next, PARA__REACH_LEAST_NS)); /* see lane.h */
}

void para__costs_refine(para_pool *pool, uint64_t ticks, bool awake, bool came)
{
    /* The way there and back, or for a helper that slept, what the wake-up added; less the helper's
     * reading of the clock. */
    const double round_trip_ns =
        para__load_relaxed(&pool->followed.round_trip_ns); /* all: see types.h */
    const double way_ns = (double)ticks * para__ns_per_tick() - para__pool_costs(pool)->clock_ns;
    const double ns = awake ? 2 * way_ns : way_ns > round_trip_ns ? way_ns - round_trip_ns : 0;
    para__atomic_u32 *known = awake ? &pool->followed.round_trip_ns : &pool->followed.wake_ns;
    if (came || ns > para__load_relaxed(known))
        follow_cost(known, ns);
    if (awake)
        update_least_work(pool);
    else
        set_spin(pool, para__load_relaxed(known));
}

void para__costs_refine_share(para_pool *pool, unsigned width, uint64_t ticks, uint64_t busy_ticks)
{
    const double known = para__load_relaxed(&pool->followed.share_ns); /* all: see types.h */
    const double round_trip = para__load_relaxed(&pool->followed.round_trip_ns);
    const double each = para__ns_per_tick();
    const double whole = (double)ticks * each + PARA__AROUND_NS -
                         PARA__TIMED_LOOKS * para__pool_costs(pool)->clock_ns;
    const double usual = para__max(known, para__pool_costs(pool)->share_ns);
    if (whole > PARA__SHARE_TELLS * width * (usual + round_trip))
        return;
    const double sample = width * whole - (double)busy_ticks * each - (width - 1) * round_trip -
                          para__far_ns(para__pool_costs(pool), width);
    /* Steps as long up as down, towards the median: what disturbs a call makes it much longer. */
    const double step = known / PARA__COST_STEP_WEIGHT + 1;
    const double next = sample > known ? known + step : known - step;
    const double most = para__share_most_ns(pool, width);
    para__store_relaxed(&pool->followed.share_ns,
                        (uint32_t)(para__clamp(next, PARA__SHARE_LEAST_NS, most) + 0.5));
    update_least_work(pool);
}

void para__costs_learn(para_pool *pool, const para__plan *plan, const para__outcome *outcome,
                       uint64_t busy_ticks)
{
    const uint64_t came_ticks = outcome->tally.came_ticks;
    const bool came = came_ticks > outcome->published;
    const bool awake = outcome->sleepers == 0;
    if (awake || outcome->sleepers == plan->width - 1) /* else it is not known which came first */
        para__costs_refine(pool, (came ? came_ticks : outcome->joined) - outcome->published, awake,
                           came);
    if (came && awake && plan->tickets == 1)
        para__costs_refine_share(pool, plan->width, outcome->joined - outcome->begun, busy_ticks);
}

/* What a unit took on the cores of one kind. */
typedef struct pace {
    float least;             /* ticks; 0: nobody tells */
    unsigned members, close; /* who tell, and those of them that are about as fast as that */
} pace;

static unsigned kind_of_worker(const para_pool *pool, unsigned worker)
{
    return para__min(pool->lanes.helper[worker].kind, PARA__KINDS_MOST - 1u);
}

/* What a unit took that member, in its dearest batch; 0: it does not tell. The caller's done word
 * is not written. */
static float pace_of(const para__lane *lane, unsigned worker, unsigned caller)
{
    const para__member *member = &lane->member[worker];
    const bool took_part =
        worker == caller ||
        para__load_relaxed(&member->done) >> PARA__COUNT_BITS == lane->epoch; /* joined */
    return took_part ? member->tally.dearest_ticks : 0;
}

static void find_paces(const para_pool *pool, const para__lane *lane, unsigned caller,
                       pace paces[PARA__KINDS_MOST])
{
    const unsigned end = lane->first + lane->width;
    for (unsigned w = lane->first; w < end; w++) {
        pace *const own = &paces[kind_of_worker(pool, w)];
        const float each = pace_of(lane, w, caller);
        own->members += each > 0;
        if (each > 0 && (own->least <= 0 || each < own->least))
            own->least = each;
    }
    for (unsigned w = lane->first; w < end; w++) {
        pace *const own = &paces[kind_of_worker(pool, w)];
        const float each = pace_of(lane, w, caller);
        own->close += each > 0 && each <= (float)PARA__PACE_EVEN * own->least;
    }
}

static bool has_pace(pace p)
{
    return p.least > 0 && 2 * p.close >= p.members;
}

static void follow_speed(para_pool *pool, unsigned kind, double sample)
{
    const double known = para__load_relaxed(&pool->speed[kind]) / 65536.0; /* all: see types.h */
    const double next = known > 0 ? para__estimate_robust(sample, known) : sample;
    const double speed = para__clamp(next, PARA__SPEED_LEAST, PARA__SPEED_MOST);
    const double used = para__load_relaxed(&pool->lanes.weight[kind]);
    const double right = PARA__WEIGHT_ONE * speed;
    para__store_relaxed(&pool->speed[kind], (uint32_t)(65536 * speed));
    if (right > used * (1 + PARA__WEIGHT_STEP) || right < used * (1 - PARA__WEIGHT_STEP))
        para__store_relaxed(&pool->lanes.weight[kind], (uint32_t)(right + 0.5));
}

static bool are_known(const para_pool *pool, const para__kinds_before *all, unsigned fastest)
{
    bool known = true;
    for (unsigned k = 0; k < fastest; k++)
        known &= all->of[k] == 0 || para__load_relaxed(&pool->speed[k]); /* see types.h */
    return known;
}

void para__weights_learn(para_pool *pool, const para__lane *lane, unsigned caller)
{
    const para__kinds_before *const all = &pool->lanes.before[pool->requested];
    pace paces[PARA__KINDS_MOST] = {{0}};
    unsigned fastest = PARA__KINDS_MOST - 1;
    while (all->of[fastest] == 0)
        fastest--;
    if (are_known(pool, all, fastest) && lane->epoch % PARA__WEIGHTS_EVERY)
        return;
    find_paces(pool, lane, caller, paces);
    for (unsigned k = 0; k < fastest && has_pace(paces[fastest]); k++)
        if (has_pace(paces[k]))
            follow_speed(pool, k, (double)(paces[fastest].least / paces[k].least));
}

void para__costs_relax(para_pool *pool)
{
    const double round_trip =
        para__load_relaxed(&pool->followed.round_trip_ns); /* all: see types.h */
    const double share = para__load_relaxed(&pool->followed.share_ns);
    const double round_trip_then = para__pool_costs(pool)->round_trip_ns;
    const double share_then = para__pool_costs(pool)->share_ns;
    if (round_trip > round_trip_then)
        para__store_relaxed(
            &pool->followed.round_trip_ns,
            (uint32_t)(round_trip - (round_trip - round_trip_then) / PARA__COST_BACK_WEIGHT));
    if (share > share_then)
        para__store_relaxed(&pool->followed.share_ns,
                            (uint32_t)(share - (share - share_then) / PARA__COST_BACK_WEIGHT));
    update_least_work(pool);
}
