#include "schedule/schedule.h"

#include "base/clock.h"
#include "engine/calibrate.h"

#include <float.h>

/* Calls shorter than this are timed now and then only, so that a look at the clock does not show. */
static const double short_ns = 1000;
enum { SAMPLE_EVERY = 17 }; /* odd, so that each of two sites in turn has its turn */

/* In calls shorter than this, data that travels between cores shows: the first one alone after a
 * shared one tells little. Longer ones are always timed. */
static const double long_ns = 50000;

/* A shorter rest of a probe is run alone: that costs little, and tells what the call costs alone. */
static const double worth_escalating_ns = 10000;

/* The part of a site's time that trials may cost; and until it is known what its calls take alone,
 * which a few calls should show. */
static const double credit_part = 1.0 / 64;
static const double first_credit_part = 1.0 / 4;
enum { MOST_TRIALS_REFUSED = 3 };

/* Participants that were busy for less than what the call's end tells kept each other waiting. What
 * differs by less is noise. */
static const double clearly = 1.1;

/* A probe whose elements cost so many times more than those of calls that run alone is of a call of
 * another kind: wrappers run all loops through one kernel. */
static const double another_kind = 4;

/* A probe's first portions may be dominated by the price of a kernel call. So in calls of more units
 * than this for each worker one portion does not tell; and portions are so long that the
 * price is a small part. */
enum { FEW_UNITS = 8, PRICES_A_PORTION = 4 };

/* What a thread remembers of its own last calls; its own, so that callers do not share a line. */
static PARA__THREAD_LOCAL struct {
    const para__site *shared; /* the site of the last call, if that was shared */
    const para__site *woken;  /* of which one call is to be shared as soon as a helper is awake */
    const para__site *trial;  /* the site of which alone_left more are to be run alone, or
                                 timed_left more shared ones to be timed */
    uint8_t alone_left, timed_left;
    uint8_t calls, priced, relaxed; /* counters, for what is done now and then */
} recent;

/* In short calls, several in a row run alone for a trial, and the last one is timed: the first finds
 * data where a helper has left it. The shared ones that follow are timed as well, to measure the
 * cost of moving data promptly. */
enum { ALONE_IN_A_ROW = 3, TIMED_AFTERWARDS = 4 };

/* Whether it is the turn of this one, of many. */
static bool is_sampled(uint8_t *counter)
{
    if (++*counter < SAMPLE_EVERY)
        return false;
    *counter = 0;
    return true;
}

/* Work below this is not worth sharing, even with helpers that are awake. */
static double least_work_ns(const para_pool *pool)
{
    return para__load_relaxed(&pool->followed.least_work_ns); /* see pool.h */
}

static double ticks_ns(const para__schedule *s, double ticks, unsigned looks)
{
    const double ns = ticks * para__ns_per_tick() - looks * s->pool->costs.clock_ns;
    return ns > 0 ? ns : 0;
}

/* What the call's elements cost that way, the price of kernel calls left out: more than nothing,
 * which would mean that it is not known. */
static double elements_ns(const para__schedule *s, para__way way)
{
    const double ns = para__estimate_cost(s->estimate, way) * (double)s->count;
    return ns > 1 ? ns : 1;
}

static unsigned awake(const para_pool *pool, double work_ns)
{
    /* A call within a kernel finds everybody busy with the call around it. If it is long against
     * the cost of sharing, they may come to help before it is over. */
    const bool long_within = work_ns >= 10 * short_ns && para__pool_is_worker(pool);
    return long_within ? pool->workers - 1 : para__pool_awake(pool);
}

/* Asks about units that cost so much when shared, and take so long alone. */
static void ask(para__schedule *s, size_t units, double work_ns, double alone_ns)
{
    s->ask = (para__ask){.units = units,
                         .work_ns = work_ns,
                         .alone_ns = alone_ns,
                         .price_ns = s->estimate.price_ns,
                         .workers = s->pool->workers,
                         .awake = awake(s->pool, work_ns),
                         .limit = s->limit,
                         .executor = s->options->executor,
                         .claim = s->options->claim,
                         .spread = para__estimate_unevenness(s->estimate)};
}

static void decide(para__schedule *s)
{
    const para__costs costs = para__costs_now(s->pool);
    s->plan = para__decide(&s->ask, &costs);
}

void para__schedule_stay_alone(para__schedule *s, para_why why)
{
    s->plan = (para__plan){.width = 1, .tickets = 1, .first = 1, .why = why};
    s->probe = false;
}

/* Alone, since that is thought to be best, or to see how it is. */
static void run_small(para__schedule *s)
{
    s->unsettled = recent.shared == s->site;
    recent.shared = NULL;
    para__schedule_stay_alone(s, PARA_WHY_SMALL);
}

/* Alone, in portions of which the first is so long that the price of a kernel call does not show; as
 * one if that would be all. */
static void run_probe(para__schedule *s, size_t units)
{
    const double price_ns = PRICES_A_PORTION * (double)s->estimate.price_ns;
    const double portion = price_ns / elements_ns(s, PARA__ALONE) * (double)units;
    run_small(s);
    s->timed = true;
    s->probe = portion < (double)units;
    s->first_units = portion >= 1 && s->probe ? (size_t)portion : 1;
}

/* ---- Trying the other way ------------------------------------------------------------- */

/* Whether the site's credit covers a call, or several, that take longer by so much. */
static bool is_covered(const para__schedule *s, double longer_ns)
{
    const bool is_short = s->ask.work_ns < long_ns;
    const double each_ns = longer_ns > 0 ? longer_ns : -longer_ns;
    return s->estimate.credit_ns >
           each_ns * (is_short ? ALONE_IN_A_ROW : 1) * (1u << (s->estimate.refused & 3));
}

/* Whether this call of a site that is shared runs alone, to see what it costs so. */
static bool is_trial_alone(para__schedule *s)
{
    if (recent.trial == s->site) {
        if (recent.alone_left > 0) {
            s->timed = --recent.alone_left == 0;
            return true;
        }
        if (recent.timed_left > 0) {
            recent.timed_left--;
            s->timed = true;
            return false;
        }
    }
    if (!s->timed || !is_covered(s, s->plan.gain_ns))
        return false;
    if (s->ask.work_ns < long_ns) {
        recent.trial = s->site;
        recent.alone_left = ALONE_IN_A_ROW - 1;
        recent.timed_left = TIMED_AFTERWARDS;
        s->timed = false;
    }
    return true;
}

/* Whether this call of a site that runs alone, since its elements were dearer when shared, is
 * shared, to see whether they still are. */
static bool is_trial_shared(para__schedule *s)
{
    if (s->estimate.shared == 0 || !(s->timed || recent.woken == s->site) ||
        !is_covered(s, s->plan.gain_ns))
        return false;
    if (s->ask.work_ns < long_ns && s->ask.awake == 0) {
        /* Were its calls shared, helpers would be awake. One of the next finds them so. */
        para__workers_wake(s->pool, s->pool->workers - 1);
        recent.woken = s->site;
        return false;
    }
    recent.woken = NULL;
    const double longer_ns = -s->plan.gain_ns;
    ask(s, s->ask.units, elements_ns(s, PARA__ALONE), s->ask.alone_ns);
    decide(s);
    s->timed = true;
    s->usual_ns = s->ask.alone_ns;
    return s->plan.width > 1 && longer_ns > 0;
}

/* ---- Before a call -------------------------------------------------------------------- */

/* A long call for which the engine chooses: on as many workers as its site is at, or tries, unless
 * even fewer are to share it. */
static void narrow(para__schedule *s)
{
    const unsigned all = s->pool->workers;
    s->pace = para__site_width(s->site);
    if (s->plan.width < para__width_present(s->pace, all) || s->options->workers ||
        s->options->executor != PARA_EXECUTOR_AUTO)
        return;
    s->paced = para__width_next(s->pace, all);
    if (s->plan.width == s->paced)
        return;
    s->plan.width = s->paced;
    s->plan.why = PARA_WHY_SATURATED;
    const para__costs costs = para__costs_now(s->pool);
    para__plan_portions(&s->plan, &s->ask, &costs);
}

/* Whether the call ran, or will run, as narrow has planned it. */
static bool is_paced(const para__schedule *s)
{
    return s->plan.width == s->paced;
}

/* A call whose cost is not known: from its first unit on if its units have been dear. */
static void begin_unknown(para__schedule *s, size_t units)
{
    const double mean_ns = (double)s->estimate.mean_ns * (double)s->count;
    if (para__estimate_samples(s->estimate) > 0) {
        ask(s, units, mean_ns, 0);
        s->ask.varies = true;
        const para__costs costs = para__costs_now(s->pool);
        if (para__share_at_once(&s->ask, mean_ns / (double)units, &costs)) {
            s->plan = para__decide(&s->ask, &costs);
            s->timed = true;
            if (s->plan.width > 1)
                return;
        }
    }
    run_probe(s, units);
}

/* A call whose cost is known, and enough to be worth sharing. */
static void begin_known(para__schedule *s, size_t units)
{
    const double work_ns = elements_ns(s, PARA__SHARED);
    const double alone_ns = elements_ns(s, PARA__ALONE) + (double)s->estimate.price_ns;
    const bool automatic = s->options->executor == PARA_EXECUTOR_AUTO;
    ask(s, units, work_ns, alone_ns);
    decide(s);
    s->timed = work_ns >= long_ns || is_sampled(&recent.calls);
    if (work_ns >= long_ns)
        narrow(s);
    if (!automatic)
        return;
    if (s->plan.width > 1) {
        if (!is_trial_alone(s))
            return;
        s->usual_ns = alone_ns - s->plan.gain_ns;
        s->trial = true;
        run_small(s);
    } else if (is_trial_shared(s)) {
        s->trial = true;
    } else {
        run_small(s);
        s->watched = !s->timed && alone_ns > short_ns;
        s->timed |= s->watched;
        s->usual_ns = alone_ns;
    }
}

/* The most elements of a call that is alone, whatever it is asked: what is known of its cost can be
 * trusted, or would not be worth sharing even at four times of it. */
static size_t small_count(const para__schedule *s)
{
    const unsigned samples = para__estimate_samples(s->estimate);
    const double cost_ns = para__estimate_cost(s->estimate, PARA__ALONE);
    const double certain = para__estimate_trusted(s->estimate) ? 1 : samples >= 2 ? 4 : 0;
    const double most = certain > 0 ? least_work_ns(s->pool) / (certain * cost_ns) : 0;
    return most < (double)SIZE_MAX / 2 ? (size_t)most : SIZE_MAX / 2;
}

bool para__schedule_begin_small(para__schedule *s, uintptr_t kernel, size_t units)
{
    const para_options *options = s->options;
    s->limit = options->workers;
    s->timed = false;
    s->probe = false;
    const para_why why =
        para__why_alone(options->executor, options->workers, s->pool->workers, units);
    if (why != PARA_WHY_PARALLEL) {
        s->site = NULL;
        s->estimate = (para__estimate){0};
        para__schedule_stay_alone(s, why);
        return true;
    }
    s->site = para__site_find(&s->pool->sites, para__site_key_of(kernel, s->count, options->site));
    if (options->executor != PARA_EXECUTOR_AUTO ||
        s->count > para__load_relaxed(&s->site->small) || /* no order: see sites.h */
        is_sampled(&recent.calls))
        return false;
    recent.shared = NULL;
    s->plan = (para__plan){.width = 1, .tickets = 1, .first = 1, .why = PARA_WHY_SMALL};
    return true;
}

void para__schedule_begin(para__schedule *s, size_t units)
{
    s->watched = false;
    s->trial = false;
    s->paced = 0;
    s->probed_ns = 0;
    s->estimate = para__site_read(s->site);
    const bool automatic = s->options->executor == PARA_EXECUTOR_AUTO;
    const bool trusted = para__estimate_trusted(s->estimate);
    if (automatic && s->count <= small_count(s)) {
        run_small(s);
        s->timed = true; /* the others of its kind are not looked at */
        if ((double)s->estimate.price_ns > elements_ns(s, PARA__ALONE) &&
            is_sampled(&recent.priced)) {
            s->probe = true; /* a price is only seen in portions: is it still there? */
            s->first_units = units / 16 + 1;
        }
    } else if (automatic && !trusted) {
        begin_unknown(s, units);
    } else if (trusted) {
        begin_known(s, units);
    } else {
        ask(s, units, 0, 0);
        decide(s);
        s->timed = true;
    }
}

void para__schedule_divide(para__schedule *s, size_t units)
{
    if (s->plan.width == 1)
        return;
    if (units < 2) {
        para__schedule_stay_alone(s, PARA_WHY_ONE_UNIT);
        return;
    }
    if (units < s->plan.width)
        s->plan.width = (unsigned)units;
    s->ask.units = units;
    const para__costs costs = para__costs_now(s->pool);
    para__plan_portions(&s->plan, &s->ask, &costs);
}

void para__schedule_limit(para__schedule *s, unsigned most, para_why why)
{
    s->limit = most;
    if (most == 1)
        para__schedule_stay_alone(s, why);
    else if (s->plan.width > most)
        s->plan.width = most;
}

size_t para__schedule_piece(const para__schedule *s)
{
    static const double moment_ns = 200000;
    const double known_ns = para__estimate_cost(s->estimate, PARA__ALONE);
    const double piece = known_ns > 0 ? moment_ns / known_ns : (double)s->count / 64;
    return piece < 1 ? 1 : piece < (double)s->count ? (size_t)piece : s->count;
}

/* ---- While it is probed --------------------------------------------------------------- */

/* The price of a kernel call, as these portions tell it, else as it is known. */
static double price_of(const para__schedule *s, const para__portions *portions)
{
    const double known_ns = s->estimate.price_ns;
    const double ticks = para__portions_price(portions, known_ns / para__ns_per_tick());
    return ticks < 0 ? known_ns : ticks_ns(s, ticks, 1);
}

/* The next portion is eight times as long as all before; longer where these were mostly the price of
 * the call, shorter where units seem to be dear and it is not clear whether that was the price. */
static size_t next_portion(const para__portions *portions, bool is_unclear, double unit_ns,
                           double price_ns, size_t left)
{
    const double done = portions->units;
    double next = 8 * done;
    if (is_unclear)
        next = 2 * done;
    else if (unit_ns * done < price_ns * portions->count) {
        const double enough = unit_ns > 0 ? PRICES_A_PORTION * price_ns / unit_ns : 64 * done;
        const double most = 64 * done;
        next = enough < next ? next : enough < most ? enough : most;
    }
    return next < (double)left ? (size_t)next : left;
}

size_t para__schedule_next(para__schedule *s, const para__portions *portions, size_t last,
                           uint64_t last_ticks, size_t left)
{
    const double ns = ticks_ns(s, (double)last_ticks, 1);
    const double price_ns = price_of(s, portions);
    const double unit_ns = ns > price_ns ? (ns - price_ns) / (double)last : 0;
    const double rest_ns = unit_ns * (double)left;
    const bool is_long = last_ticks >= s->pool->portion_ticks; /* else it tells more of its call */
    const bool is_unclear = s->estimate.price_ns == 0 &&
                            left > (size_t)FEW_UNITS * s->pool->workers &&
                            !para__portions_are_clear(portions);
    s->probed_ns = unit_ns * (double)(portions->units + (double)left) / (double)s->count;
    if (is_long && !is_unclear && rest_ns >= worth_escalating_ns) {
        const double alone_ns = para__estimate_cost(s->estimate, PARA__ALONE);
        const double shared_ns = para__estimate_cost(s->estimate, PARA__SHARED);
        /* Of a site that is not trusted these are of different calls. */
        const bool known = alone_ns > 0 && para__estimate_trusted(s->estimate);
        const double dearer = known ? shared_ns / alone_ns : 1;
        ask(s, left, rest_ns * dearer, rest_ns + price_ns);
        s->ask.price_ns = price_ns;
        s->ask.varies = s->estimate.price_ns == 0; /* claims find out */
        const para__costs costs = para__costs_now(s->pool);
        const para__plan plan = para__decide(&s->ask, &costs);
        if (plan.width > 1) {
            s->plan = plan;
            s->plan.why = PARA_WHY_ESCALATED;
            return 0;
        }
    }
    return next_portion(portions, is_long && is_unclear, unit_ns, price_ns, left);
}

/* ---- After a call --------------------------------------------------------------------- */

/* Workers of the pool sleep, and a call was not worth waking them. If calls like it follow each
 * other quickly, what they forgo adds up; once it has reached the price of a wake-up, that is paid:
 * the next one finds them awake. (Ski rental: never more than twice the price that was best in
 * hindsight; Karlin et al., "Competitive snoopy caching", Algorithmica 3, 1988.) */
static void count_forgone(para__schedule *s, double alone_ns)
{
    para_pool *pool = s->pool;
    const para__costs costs = para__costs_now(pool);
    unsigned width;
    const double forgone_ns = para__forgone_ns(&s->ask, &costs, &width);
    if (forgone_ns <= 0)
        return;
    const unsigned calls = alone_ns < long_ns ? SAMPLE_EVERY : 1; /* that this one stands for */
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

/* Credit grows with the time that calls take, and is spent by a trial: one that was faster leaves it,
 * so that the next call confirms it. */
static void account(const para__schedule *s, para__estimate *e, double ns)
{
    if (s->trial) {
        const bool faster = ns < s->usual_ns;
        e->refused = (uint8_t)(faster                             ? 0
                               : e->refused < MOST_TRIALS_REFUSED ? e->refused + 1
                                                                  : MOST_TRIALS_REFUSED);
        if (!faster)
            e->credit_ns = 0;
        return;
    }
    const bool compared = e->alone > 0 || s->plan.width == 1;
    const unsigned calls = ns < long_ns ? SAMPLE_EVERY : 1; /* that this one stands for */
    e->credit_ns += (float)(ns * calls * (compared ? credit_part : first_credit_part));
    /* At the cost of its probe the call would have been over sooner alone: an uneven loop, or one that
     * is better left alone. The next call tells. */
    if (!compared && s->probed_ns > 0 && s->probed_ns * (double)s->count < ns)
        e->credit_ns = FLT_MAX;
}

/* Records what the elements cost; returns it for the whole call, or a negative value if this call
 * tells nothing. */
static double record(const para__schedule *s, para__estimate *e, const para__outcome *outcome,
                     size_t units)
{
    const unsigned all = s->pool->workers;
    const bool is_alone = s->plan.width == 1;
    const para__tally *tally = &outcome->tally;
    /* Where memory keeps fewer workers waiting, the cost is that of all of them: else it would look
     * like another kernel. */
    const double of_all = is_paced(s) ? (double)all / s->paced : 1;
    const double portions = (double)outcome->portions.count * (is_alone ? 1 : s->plan.width);
    double ns = ticks_ns(s, (double)tally->busy_ticks, 1) - portions * (double)e->price_ns;
    if (!is_alone && !s->probe && ns >= long_ns) {
        const para__costs costs = para__costs_now(s->pool);
        const double work_ns =
            para__work_of(&s->ask, s->plan.width, ticks_ns(s, (double)outcome->ticks, 1), &costs);
        ns = work_ns > clearly * ns ? work_ns : ns;
    }
    ns = ns > 0 ? ns * of_all : 0;
    const double mean_ticks = (double)tally->busy_ticks / (double)units;
    const double spread = is_alone ? 0
                          : tally->dearest_ticks > mean_ticks && mean_ticks > 0
                              ? tally->dearest_ticks / mean_ticks
                              : 1;
    if (is_alone && s->unsettled && ns < long_ns)
        return -1;
    const para__way way = is_alone ? PARA__ALONE : PARA__SHARED;
    if (!is_alone && s->probe && e->alone > 0 && s->probed_ns > another_kind * (double)e->alone_ns)
        *e = para__estimate_distrust(
            *e); /* it was not shared calls that it was expected to be like */
    *e = s->trial ? para__estimate_try(*e, way, (double)s->count, ns)
                  : para__estimate_add(*e, way, (double)s->count, ns, spread);
    return ns;
}

void para__schedule_learn(para__schedule *s, const para__outcome *outcome, size_t units)
{
    const unsigned all = s->pool->workers;
    const double elapsed_ns = ticks_ns(s, (double)outcome->ticks, 1);
    if (s->watched && elapsed_ns < another_kind * s->usual_ns)
        return;
    if (is_paced(s)) {
        para__site_pace(s->site, all, s->plan.width, elapsed_ns / (double)s->count);
        if (s->paced != para__width_present(s->pace, all))
            return; /* a trial tells of the width alone */
    }
    para__estimate e = para__site_read(s->site);
    const double price_ticks =
        para__portions_price(&outcome->portions, (double)e.price_ns / para__ns_per_tick());
    if (price_ticks >= 0)
        e = para__estimate_price(e, ticks_ns(s, price_ticks, 1));
    const double ns = record(s, &e, outcome, units);
    if (ns >= 0 && s->options->executor == PARA_EXECUTOR_AUTO)
        account(s, &e, elapsed_ns);
    s->estimate = e;
    para__site_write(s->site, e);
    para__store_relaxed(&s->site->small, small_count(s)); /* no order: see sites.h */
    if (ns < 0)
        return;
    if (s->plan.why != PARA_WHY_ASKED && !(is_paced(s) && s->paced < all) && !s->trial &&
        ns > least_work_ns(s->pool) && para__pool_awake(s->pool) < all - 1) {
        ask(s, units, elements_ns(s, PARA__SHARED),
            elements_ns(s, PARA__ALONE) + (double)e.price_ns);
        count_forgone(s, ns);
    }
    if (s->plan.why == PARA_WHY_SMALL && is_sampled(&recent.relaxed) &&
        ns > para__least_work_ns(&s->pool->costs, all))
        para__costs_relax(s->pool); /* much more rarely than shared calls put it right */
}
