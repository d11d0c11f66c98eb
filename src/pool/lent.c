/* A call goes through the program's table: the lender calls `help` on the calling thread, which
 * publishes the call, works and joins, and on others, each of which takes a free place of the team
 * and works in that worker's name. The protocol waits for work alone (lane.h), so all is right
 * whoever comes and whenever:
 *
 *   early     before the call is published: waits for it briefly
 *   late      finds nothing to claim, or helps with the next call on that lane
 *   too many  find no free place
 *   never     the caller does all; if `help` was not even called on it, after the lender has
 *             returned
 *
 * A thread that runs a kernel of the pool does not help, since it might wait for itself: a lender
 * may run what it is given on any thread that waits. A place is taken as a worker's name is [E8].
 * Calls at the same time have teams that begin at different places, as far as these go.
 *
 * Costs are those of the whole way, from before the lender is called until it has returned. From
 * the call's publication on that is the round trip, by which the caller has a head start; the rest,
 * in which nobody works, is what sharing costs. */
#include "pool/lent.h"

#include "base/bounds.h"
#include "base/cancellation.h"
#include "base/clock.h"
#include "base/futex.h"
#include "base/status.h"
#include "base/tuning.h"
#include "executor/left.h"
#include "executor/lease.h"
#include "pool/calibrate.h"
#include "pool/start.h"
#include "share/caller.h"
#include "share/participant.h"
#include "share/visit.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- A thread that comes ---------------------------------------------------------------- */

static bool is_lessee(const para__lane *lane)
{
    const para__lane *mine = para__innermost_lane;
    while (mine && mine != lane)
        mine = mine->outer;
    return mine != NULL;
}

/* The caller's part of its call. Between the lender's steps it may make other calls: then
 * run_frame tells that no call of this lane can have been left. */
static void begin_lent(para__lent *lent)
{
    para__lane *const lane = lent->lane;
    const uint32_t seats = para__load_relaxed(&lent->seats); /* its own */
    const para__position at = {.self = seats >> 16, .first = seats >> 16};
    lent->is_begun = true;
    if (lent->ping_limit) {
        lent->pinged = para__lane_ping(lane, &at, seats & 0xffff, lent->ping_limit);
    } else {
        para__lane_run(lane, &at, lent->job, lent->plan, lent->outcome);
    }
    lane->run_frame = 0;
}

static uint64_t epoch_published(const para__lent *lent, unsigned worker)
{
    const unsigned group = lent->pool->lanes.helper[worker].group;
    /* A hint: who visits the lane looks again, in order. */
    return para__load_relaxed(&lent->lane->descriptor[group].call) >> PARA__COUNT_BITS;
}

/* Waits for the call to be published to its last member; false if it is over, or is not published
 * in time. */
static bool await_call(const para__lent *lent, uint64_t epoch, unsigned last)
{
    const uint64_t most = para__ns_to_ticks(PARA__LENT_WAIT_NS);
    const uint64_t start = para__ticks();
    while (epoch_published(lent, last) < epoch) {
        if (para__load_relaxed(&lent->epoch) != epoch || /* a hint: see types.h */
            para__ticks() - start > most)
            return false;
        para__pause();
    }
    return true;
}

/* Whether it has helped, or come too late, in that worker's name. */
static bool help_lent_as(const para__lent *lent, unsigned index, unsigned worker)
{
    para__helper *const helper = &lent->pool->lanes.helper[worker];
    if (para__load_relaxed(&helper->acting) || /* a guess, to leave others' lines alone */
        para__swap_acquire(E8, &helper->acting, 1) != 0)
        return false;
    const para__visit visit = para__lane_visit(&lent->pool->lanes, index, worker, 0);
    para__store_release(E8, &helper->acting, 0);
    return visit == PARA__VISIT_WORKED;
}

static void come_lent(const para__lent *lent)
{
    const para_pool *const pool = lent->pool;
    const unsigned index = (unsigned)(lent - pool->lent);
    const uint64_t epoch = para__load_relaxed(&lent->epoch); /* hints: see types.h */
    const uint32_t seats = para__load_relaxed(&lent->seats); /* perhaps of another call, or none */
    const unsigned first = seats >> 16, width = seats & 0xffff;
    if (epoch == 0 || width < 2 || !await_call(lent, epoch, first + width - 1))
        return;
    for (unsigned w = first + 1; w < first + width; w++)
        if (para__load_relaxed(&pool->lanes.helper[w].seen[index]) < epoch && /* see lane.h */
            help_lent_as(lent, index, w))
            return;
}

static void help_lent(void *call)
{
    para__lent *const lent = call;
    para_pool *const pool = lent->pool;
    __builtin_prefetch(lent->lane->descriptor); /* on its way while the rest is looked at */
    if (is_lessee(lent->lane)) {
        if (lent->is_begun)
            return;
        begin_lent(lent);
        if (para__pool_is_forked(pool))
            _exit(EXIT_FAILURE); /* a kernel has forked: the lender's threads are not in the child,
                                    where it would wait for them */
        return;
    }
    if (para__lane_around(&pool->lanes) || para__pool_is_forked(pool))
        return;
    const int cancel_state = para__cancellation_off();
    const para__fp fp = para__fp_save();
    come_lent(lent);
    para__fp_restore(fp, 0);
    if (para__pool_is_forked(pool))
        _exit(EXIT_FAILURE); /* a kernel has forked: as in a worker, nobody waits for the child */
    para__cancellation_restore(cancel_state);
}

/* ---- The caller ------------------------------------------------------------------------- */

static unsigned width_now(const para_pool *pool)
{
    const unsigned width = pool->lender.width(pool->lender.self);
    return width < 1 ? 1 : para__min(width, pool->lent_most);
}

/* Has the call or the ping on that lane run by all who come; returns when it is done. */
static void go_lent(para_pool *pool, para__lent *lent, unsigned width)
{
    para__lane *const lane = lent->lane;
    const unsigned apart = (unsigned)(lent - pool->lent) * width;
    const unsigned first = apart + width <= pool->requested ? apart : 0;
    lent->is_begun = false;
    lane->run_frame = 0;
    para__store_relaxed(&lent->seats, first << 16 | width); /* hints: see types.h */
    para__store_relaxed(&lent->epoch, lane->epoch + 1);
    pool->lender.run(pool->lender.self, width - 1, help_lent, lent);
    if (!lent->is_begun)
        begin_lent(lent);
    para__store_relaxed(&lent->epoch, 0);
}

static void measure_lent(para_pool *pool, para__lent *lent, unsigned width)
{
    para__costs costs = para__costs_assumed;
    double round_trip = 2 * PARA__PING_MOST_NS, around = round_trip;
    const double ns = para__ns_per_tick();
    lent->ping_limit = para__ns_to_ticks(PARA__PING_MOST_NS);
    for (unsigned i = 0, late = 0; i < PARA__PINGS_LENT && late < PARA__PINGS_LATE; i++) {
        const uint64_t start = para__ticks();
        go_lent(pool, lent, width);
        const uint64_t end = para__ticks();
        late += lent->pinged == UINT64_MAX; /* a lender so slow is not worth many trials */
        if (lent->pinged == UINT64_MAX)
            continue;
        round_trip = para__min(round_trip, (double)lent->pinged * ns);
        around = para__min(around, (double)(end - start - lent->pinged) * ns);
    }
    lent->ping_limit = 0;
    costs.has_round_trip = round_trip <= PARA__PING_MOST_NS;
    costs.round_trip_ns = para__min(round_trip, PARA__PING_MOST_NS);
    costs.share_ns = para__clamp(width * around, PARA__SHARE_NS, para__share_most_ns(pool, width));
    para__costs_take(pool, &costs);
    para__store_release(E4, &pool->ready, 1);
    para__futex_wake(&pool->ready, INT_MAX);
}

/* Whether it is for the calling thread to measure; the others use what is assumed. */
static bool takes_measuring(para_pool *pool)
{
    uint32_t one = 1;
    return para__load_relaxed(&pool->starting) == 1 && /* one of them, whichever: no order */
           para__cas_relaxed(&pool->starting, &one, 0);
}

static void run_on_lent(para_pool *pool, para__lane *lane, const para__job *job,
                        const para__plan *plan, para__outcome *outcome)
{
    para__lent *const lent = &pool->lent[lane - pool->lanes.lane];
    if (takes_measuring(pool)) {
        const para__fp fp = para__fp_save();
        measure_lent(pool, lent, plan->width);
        para__fp_restore(fp, 0);
    }
    const uint64_t busy_before = outcome->tally.busy_ticks;
    const uint64_t start = plan->timed ? para__ticks() : 0;
    lent->job = job;
    lent->plan = plan;
    lent->outcome = outcome;
    go_lent(pool, lent, plan->width);
    if (!plan->timed || para__pool_is_forked(pool))
        return;
    const para__fp fp = para__fp_save();
    outcome->begun = start;
    outcome->joined = para__ticks();
    para__costs_learn(pool, plan, outcome, outcome->tally.busy_ticks - busy_before);
    para__fp_restore(fp, 0);
}

/* Nobody knows who is awake, but what it costs to have them is measured. */
static unsigned all_awake(const para_pool *pool)
{
    return pool->requested;
}

/* There are no threads to wait for. Costs are measured by the first who asks, if it can have help
 * now; else by the first call that is shared. */
static bool wait_measured(para_pool *pool, uint64_t deadline_ns)
{
    const unsigned width = deadline_ns ? width_now(pool) : 1;
    para__lane *lane = NULL;
    if (width < 2 || para__load_relaxed(&pool->starting) == 0) /* a guess */
        return true;
    lane = para__lane_lease(&pool->lanes);
    if (lane && takes_measuring(pool))
        measure_lent(pool, &pool->lent[lane - pool->lanes.lane], width);
    if (lane)
        para__lane_release(lane);
    return true;
}

const para__executor para__lent_threads = {.width = width_now,
                                           .awake = all_awake,
                                           .costs = para__costs_followed,
                                           .wait = wait_measured,
                                           .wake = para__wake_nobody,
                                           .run = run_on_lent};

/* ---- The pool --------------------------------------------------------------------------- */

para_status para__lent_check(const para_pool_config *config)
{
    const para_lender *const lender = config->executor;
    if (lender->size != sizeof *lender)
        return para__fail(PARA_ERR_ARGUMENT, "config.executor->size is %zu, not %zu", lender->size,
                          sizeof *lender);
    if (!lender->width || !lender->run)
        return para__fail(PARA_ERR_ARGUMENT, "config.executor->%s is NULL",
                          lender->run ? "width" : "run");
    if (config->worker_init || config->worker_exit || config->stack_bytes || config->distribution ||
        config->places || config->least_workers || config->most_workers ||
        (config->binding && config->binding != PARA_BIND_NONE))
        return para__fail(
            PARA_ERR_ARGUMENT,
            "with config.executor the pool has no threads: worker_init, worker_exit, "
            "stack_bytes, binding, distribution, places and sizes are the lender's to say");
    return PARA_OK;
}

unsigned para__lent_places(const para_pool_config *config)
{
    const para_lender *const lender = config->executor;
    const unsigned width = config->workers ? config->workers : lender->width(lender->self);
    const unsigned places = width > PARA__WORKERS_MAX ? PARA__WORKERS_MAX : width * PARA__LANES;
    return (unsigned)para__clamp(places, config->workers ? 2 : PARA__LENT_PLACES,
                                 PARA__WORKERS_MAX);
}

void para__lent_set(para_pool *pool, const para_pool_config *config)
{
    pool->executor = &para__lent_threads;
    pool->lender = *config->executor;
    para__store_relaxed(&pool->starting, 1); /* published with the pool */
    pool->lent_most = config->workers ? config->workers : pool->requested;
    for (unsigned i = 0; i < PARA__LANES; i++)
        pool->lent[i] = (para__lent){.pool = pool, .lane = &pool->lanes.lane[i]};
}

void para__lent_start(para_pool *pool)
{
    pool->start_status = PARA_OK;
    para__store_relaxed(&pool->workers, width_now(pool)); /* all: published with the pool */
    const bool is_measured = para__load_relaxed(&pool->starting) == 0; /* in the parent */
    para__store_relaxed(&pool->ready, is_measured);
    for (unsigned i = 0; i < PARA__LANES; i++)
        para__store_relaxed(&pool->lent[i].epoch, 0);
}
