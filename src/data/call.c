#include "data/call.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/stack.h"
#include "base/status.h"
#include "engine/calibrate.h"

const char *para_why_text(para_why why)
{
    static const char *const texts[] = {
        [PARA_WHY_EMPTY] = "no elements",
        [PARA_WHY_PARALLEL] = "parallel: a gain was predicted",
        [PARA_WHY_ESCALATED] = "parallel: measured on the caller first, then shared",
        [PARA_WHY_ASKED] = "as the options asked",
        [PARA_WHY_ONE_UNIT] = "serial: the call cannot be divided",
        [PARA_WHY_ONE_WORKER] = "serial: the pool has one worker",
        [PARA_WHY_SMALL] = "serial: predicted gain below the cost of sharing",
        [PARA_WHY_LANES_BUSY] = "serial: every lane of the pool was in use",
        [PARA_WHY_FORKED] = "serial: the process forked after the pool was made",
        [PARA_WHY_SATURATED] = "parallel: on some workers, which are enough, or tried to be",
        [PARA_WHY_LOADING] = "serial: made while a library is loaded or unloaded",
    };
    const size_t index = (size_t)why;
    return index < sizeof texts / sizeof texts[0] ? texts[index] : "unknown";
}

/* ---- Deciding ------------------------------------------------------------------------ */

/* Calls shorter than this are timed now and then only; and a site that is trusted runs so long
 * before the clock is looked at, so that a look does not show. */
static const double short_ns = 1000;
enum { SAMPLE_EVERY = 17 }; /* odd, so that each of two sites in turn has its turn */

/* In calls shorter than this, data that travels between cores shows: what they cost alone and
 * shared is kept apart. Longer ones are always timed. */
static const double long_ns = 50000;

/* Work below this is not worth sharing, even with helpers that are awake. */
static double least_work_ns(const para_pool *pool)
{
    return para__load_relaxed(&pool->followed.least_work_ns); /* see pool.h */
}

/* What a thread remembers of its own last calls; its own, so that callers do not share a line. */
static PARA__THREAD_LOCAL struct {
    const para__site *shared; /* the site of the last call, if that was shared */
    const para__site *trial;  /* the site of which alone_left more are to be run alone, or
                                 timed_left more shared ones to be timed */
    unsigned char alone_left, timed_left;
    unsigned char calls, timed, relaxed; /* counters, for what is done now and then */
} recent;

/* Whether it is the turn of this one, of many. */
static bool is_sampled(unsigned char *counter)
{
    if (++*counter < SAMPLE_EVERY)
        return false;
    *counter = 0;
    return true;
}

/* Whether this one of a site's short shared calls runs alone, to see what it costs so. Several in a
 * row do, and the last one is timed: the first finds data where a helper has left it. The shared
 * ones that follow are timed as well, so that it shows soon what it costs that data travel. */
static bool is_trial(para__call *call)
{
    enum { ALONE_IN_A_ROW = 3, TIMED_AFTERWARDS = 4 };
    if (recent.trial == call->site) {
        if (recent.alone_left > 0) {
            call->timed = --recent.alone_left == 0;
            return true;
        }
        if (recent.timed_left > 0) {
            recent.timed_left--;
            call->timed = true;
            return false;
        }
    }
    if (!call->timed || !is_sampled(&recent.timed))
        return false;
    recent.trial = call->site;
    recent.alone_left = ALONE_IN_A_ROW - 1;
    recent.timed_left = TIMED_AFTERWARDS;
    call->timed = false;
    return true;
}

static para__ask ask_of(const para__call *call, size_t units, double work_ns)
{
    const para_pool *pool = call->pool;
    /* A call within a kernel finds everybody busy with the call around it. If it is long against
     * the cost of sharing, they may come to help before it is over. */
    const bool long_within = work_ns >= 10 * short_ns && para__pool_is_worker(pool);
    return (para__ask){.units = units,
                       .work_ns = work_ns,
                       .inflation = call->site ? para__site_inflation(call->site) : 1,
                       .workers = pool->workers,
                       .awake = long_within ? pool->workers - 1 : para__pool_awake(pool),
                       .limit = call->options->workers,
                       .executor = call->options->executor,
                       .spread = para__estimate_unevenness(call->estimate)};
}

static para__plan decide(const para__call *call, size_t units, double work_ns)
{
    const para__ask ask = ask_of(call, units, work_ns);
    const para__costs costs = para__costs_now(call->pool);
    return para__decide(&ask, &costs);
}

/* A long call for which the engine chooses: on as many workers as its site is at, or tries, unless
 * even fewer are to share it. */
static void narrow(para__call *call, size_t units, double work_ns)
{
    const unsigned all = call->pool->workers;
    call->pace = para__site_width(call->site);
    if (call->plan.width < para__width_present(call->pace, all) || call->options->workers ||
        call->options->executor != PARA_EXECUTOR_AUTO)
        return;
    call->paced = para__width_next(call->pace, all);
    if (call->plan.width == call->paced)
        return;
    call->plan.width = call->paced;
    call->plan.why = PARA_WHY_SATURATED;
    const para__costs costs = para__costs_now(call->pool);
    para__plan_portions(&call->plan, units, work_ns, para__estimate_unevenness(call->estimate),
                        &costs);
}

/* Whether the call ran, or will run, as narrow has planned it. */
static bool is_paced(const para__call *call)
{
    return call->plan.width == call->paced;
}

static void stay_alone(para__call *call, para_why why)
{
    call->plan = (para__plan){.width = 1, .tickets = 1, .first = 1, .why = why};
    call->probe = false;
}

/* Alone, since that is thought to be best, or to see how it is. */
static void run_small(para__call *call)
{
    call->unsettled = recent.shared == call->site;
    recent.shared = NULL;
    stay_alone(call, PARA_WHY_SMALL);
}

/* A plan to share is carried out if the process has its threads, they need not wait for what this
 * thread holds, and a lane is free. */
static void take_lane(para__call *call)
{
    if (para__pool_is_forked(call->pool))
        stay_alone(call, PARA_WHY_FORKED);
    else if (para__in_loader((uintptr_t)call->site))
        stay_alone(call, PARA_WHY_LOADING);
    else if (!call->lane && !(call->lane = para__lane_lease(call->pool)))
        stay_alone(call, PARA_WHY_LANES_BUSY);
    else
        recent.shared = call->site;
}

para_status para__call_begin(para__call *call, para_pool *pool, void (*kernel)(void), size_t count,
                             size_t units, const para_options *options, para_report *report)
{
    call->pool = pool;
    call->probe = false;
    call->timed = false;
    call->unsettled = false;
    call->paced = 0;
    call->count = count;
    call->options = options;
    call->site = NULL;
    call->estimate = (para__estimate){0};
    call->lane = NULL;
    call->borrowed = NULL;
    call->report = report;
    if (report)
        call->start_ns = para__now_ns();
    const para_status status = para__pool_resolve(&call->pool);
    if (status)
        return status;
    pool = call->pool;
    const para_why why = para__why_alone(options->executor, options->workers, pool->workers, units);
    if (why != PARA_WHY_PARALLEL) {
        stay_alone(call, why);
        return PARA_OK;
    }
    call->site = para__site_find(&pool->sites, para__site_key((uintptr_t)kernel, count));
    call->estimate = para__site_read(call->site);
    const double expected_ns = (double)call->estimate.cost_ns * (double)count;
    /* What would not be worth sharing even at four times the cost need not be trusted. */
    const bool trusted = para__estimate_trusted(call->estimate) ||
                         (call->estimate.samples >= 2 && 4 * expected_ns < least_work_ns(pool));
    const double work_ns = trusted ? expected_ns : 0;
    if (options->executor == PARA_EXECUTOR_AUTO && (!trusted || work_ns < least_work_ns(pool))) {
        run_small(call);
        call->probe = !trusted;
        call->timed = call->probe || is_sampled(&recent.calls);
        call->first_portion = 1;
        return PARA_OK;
    }
    call->plan = decide(call, units, work_ns);
    call->timed = work_ns >= long_ns || is_sampled(&recent.calls);
    if (work_ns >= long_ns)
        narrow(call, units, work_ns);
    const bool trial = call->plan.width > 1 && work_ns < long_ns &&
                       options->executor == PARA_EXECUTOR_AUTO && is_trial(call);
    if (call->plan.width > 1 && !trial) {
        take_lane(call);
        return PARA_OK;
    }
    run_small(call);
    if (!trial && work_ns > short_ns) {
        call->probe = true;
        call->timed = true;
        call->first_portion = (size_t)(short_ns / work_ns * (double)count);
    }
    return PARA_OK;
}

size_t para__call_piece(const para__call *call)
{
    static const double moment_ns = 200000;
    const double known =
        call->estimate.cost_ns > 0 ? moment_ns / (double)call->estimate.cost_ns : 0;
    const double piece = known > 0 ? known : (double)call->count / 64;
    return piece < 1 ? 1 : piece < (double)call->count ? (size_t)piece : call->count;
}

unsigned para__call_width_most(const para__call *call)
{
    const unsigned limit = call->options->workers;
    if (para__call_is_alone(call))
        return 1;
    if (!call->probe)
        return call->plan.width;
    return limit && limit < call->pool->workers ? limit : call->pool->workers;
}

void para__call_replan(para__call *call, size_t units)
{
    const double work_ns = para__estimate_trusted(call->estimate)
                               ? (double)call->estimate.cost_ns * (double)call->count
                               : 0;
    const para__costs costs = para__costs_now(call->pool);
    if (units < 2) {
        stay_alone(call, PARA_WHY_ONE_UNIT);
        return;
    }
    if (units < call->plan.width)
        call->plan.width = (unsigned)units;
    para__plan_portions(&call->plan, units, work_ns, para__estimate_unevenness(call->estimate),
                        &costs);
}

/* ---- Running ------------------------------------------------------------------------- */

void *para__call_memory(para__call *call, size_t bytes)
{
    /* A forked pool's lanes may have been caught halfway: they are left alone. */
    if (!call->lane && !para__pool_is_forked(call->pool))
        call->lane = para__lane_lease(call->pool);
    if (call->lane)
        return para__lane_arena(call->lane, bytes);
    para__free(call->borrowed);
    call->borrowed = para__alloc(bytes);
    return call->borrowed;
}

static double ticks_ns(const para__call *call, uint64_t ticks, unsigned looks)
{
    const double ns = (double)ticks * para__ns_per_tick() - looks * call->pool->costs.clock_ns;
    return ns > 0 ? ns : 0;
}

/* A shorter rest is run alone: that costs little, and tells what the call costs alone. A call that
 * was shared does not, since its data had to travel. */
static const double worth_escalating_ns = 10000;

/* Runs the job on this thread in growing portions. Each tells what an element costs now; when that
 * makes it worth while to share the rest, it is left to be shared: returns how many units were run.
 */
static size_t probe(para__call *call, const para__job *job, para__seat *seat)
{
    const size_t units = job->units;
    const size_t unit_elements = (call->count - 1) / units + 1;
    size_t done = 0;
    size_t portion = call->first_portion / unit_elements;
    uint64_t before = para__ticks();
    const uint64_t start = before;
    for (;;) {
        portion = portion < 1 ? 1 : portion < units - done ? portion : units - done;
        job->run(job->payload, done, portion, seat);
        done += portion;
        const uint64_t now = para__ticks();
        seat->tally.busy_ticks = now - start;
        if (done == units || seat->tally.error)
            return done;
        const double unit_ns = ticks_ns(call, now - before, 1) / (double)portion;
        const double rest_ns = unit_ns * (double)(units - done);
        const bool tells = now - before >= call->pool->portion_ticks; /* more than of its call */
        before = now;
        portion = 8 * done;
        if (!tells || rest_ns < worth_escalating_ns)
            continue;
        const para__plan plan = decide(call, units - done, rest_ns);
        if (plan.width == 1)
            continue;
        call->plan = plan;
        call->plan.why = PARA_WHY_ESCALATED;
        take_lane(call);
        if (call->plan.width > 1)
            return done;
    }
}

/* Workers of the pool sleep, and a call was not worth waking them. If calls like it follow each
 * other quickly, what they forgo adds up; once it has reached the price of a wake-up, that is paid:
 * the next one finds them awake. (Ski rental: never more than twice the price that was best in
 * hindsight; Karlin et al., "Competitive snoopy caching", Algorithmica 3, 1988.) */
static void count_forgone(para__call *call, size_t units, double work_ns)
{
    para_pool *pool = call->pool;
    const para__ask ask = ask_of(call, units, work_ns);
    const para__costs costs = para__costs_now(pool);
    unsigned width;
    const double forgone_ns = para__forgone_ns(&ask, &costs, &width);
    if (forgone_ns <= 0)
        return;
    const unsigned calls = work_ns < long_ns ? SAMPLE_EVERY : 1; /* that this one stands for */
    const uint64_t now = para__ticks();
    const uint64_t last = para__load_relaxed(&pool->followed.forgone_at); /* all: see pool.h */
    uint64_t sum = para__load_relaxed(&pool->followed.forgone_ns);
    if (now - last > calls * para__load_relaxed(&pool->spin_ticks))
        sum = 0; /* a helper woken then would sleep again by now */
    sum += (uint64_t)(calls * forgone_ns);
    const double price_ns = costs.wake_ns + (width - 2) * costs.wake_cost_ns;
    if ((double)sum > price_ns && !para__pool_is_forked(pool)) {
        para__workers_wake(pool, width - 1);
        sum = 0;
    }
    para__store_relaxed(&pool->followed.forgone_ns, sum);
    para__store_relaxed(&pool->followed.forgone_at, now);
}

static void remember(para__call *call, size_t units, const para__tally *tally)
{
    const unsigned all = call->pool->workers;
    const bool paced = is_paced(call);
    if (paced && call->paced != para__width_present(call->pace, all))
        return; /* a trial tells of the width alone */
    /* Where memory keeps fewer workers waiting, the cost is that of all of them: else it would look
     * like another kernel. */
    const double of_all = paced ? (double)all / call->paced : 1;
    const double ns = ticks_ns(call, tally->busy_ticks, 1) * of_all;
    const double mean_ticks = (double)tally->busy_ticks / (double)units;
    const bool is_alone = call->plan.width == 1;
    const double spread = is_alone ? 0
                          : tally->dearest_ticks > mean_ticks && mean_ticks > 0
                              ? tally->dearest_ticks / mean_ticks
                              : 1;
    const double alone_ns = (double)call->estimate.cost_ns * (double)call->count;
    if (is_alone && call->unsettled && ns < long_ns)
        return;
    if (is_alone || call->probe || ns >= long_ns || alone_ns <= 0)
        para__site_record(call->site, (double)call->count, ns, spread);
    else
        para__site_inflate(call->site, ns / alone_ns, spread);
    if (call->plan.why != PARA_WHY_ASKED && !(paced && call->paced < all) &&
        ns > least_work_ns(call->pool) && para__pool_awake(call->pool) < all - 1)
        count_forgone(call, units, ns);
    if (call->plan.why == PARA_WHY_SMALL && is_sampled(&recent.relaxed) &&
        ns > para__least_work_ns(&call->pool->costs, all)) {
        /* Much more rarely than shared calls put it right. */
        para__costs_relax(call->pool);
        if (para__site_inflation(call->site) > 1)
            para__site_relax(call->site);
    }
}

/* The ways to run that are not the shortest: timed, probed, shared. Returns how many took part. */
static unsigned run_at_length(para__call *call, para__job *job, para__seat *seat)
{
    const size_t units = job->units;
    if (call->probe) {
        job->first = probe(call, job, seat);
    } else if (call->plan.width == 1) {
        const uint64_t start = para__ticks();
        job->run(job->payload, 0, units, seat);
        seat->tally.busy_ticks = para__ticks() - start;
    }
    unsigned workers = seat->tally.chunks != 0;
    if (call->plan.width > 1) {
        job->units = units - job->first;
        job->timed = call->timed;
        if (job->unit_bytes)
            para__plan_pages(&call->plan, job->written + job->first * job->unit_bytes,
                             job->unit_bytes, job->units, call->pool->machine->info.page_bytes);
        const bool paced = is_paced(call);
        const uint64_t start = paced ? para__ticks() : 0;
        para__lane_run(call->pool, call->lane, job, &call->plan, &seat->tally, &workers);
        if (paced && !seat->tally.error)
            para__site_pace(call->site, call->pool->workers, call->plan.width,
                            ticks_ns(call, para__ticks() - start, 1) / (double)call->count);
    }
    if (call->timed && call->site && !seat->tally.error)
        remember(call, units, &seat->tally);
    return workers;
}

static void write_report(const para__call *call, const para__tally *tally, unsigned workers)
{
    *call->report = (para_report){.workers = workers,
                                  .width = call->plan.width,
                                  .chunks = tally->chunks,
                                  .chunk = tally->largest,
                                  .time_ns = para__now_ns() - call->start_ns,
                                  .why = call->plan.why};
    if (tally->error && tally->failed_count) {
        call->report->kernel_error = tally->error;
        call->report->failed_first = tally->failed_first;
        call->report->failed_count = tally->failed_count;
    }
}

para_status para__call_fail(int error, size_t first, size_t count)
{
    return para__fail(PARA_ERR_KERNEL, "error %d in elements [%zu, %zu)", error, first,
                      first + count);
}

para_status para__call_run(para__call *call, para__job *job)
{
    _Atomic uint64_t stop = UINT64_MAX;
    para__seat seat = {.stop = &stop};
    unsigned workers;
    if (call->plan.width == 1 && !call->timed) {
        job->run(job->payload, 0, job->units, &seat);
        workers = seat.tally.chunks != 0;
    } else {
        workers = run_at_length(call, job, &seat);
    }
    const para__tally *tally = &seat.tally;
    if (call->report)
        write_report(call, tally, workers);
    if (tally->error && tally->failed_count == 0)
        return para__fail((para_status)tally->error, NULL);
    if (tally->error)
        return para__call_fail(tally->error, tally->failed_first, tally->failed_count);
    return PARA_OK;
}
