/* What is learnt of a call: while it is probed, and from how it went. */
#include "schedule/schedule.h"

#include "base/thread.h"
#include "schedule/common.h"

#include <float.h>
#include <math.h>

/* Counts calls that were not shared, for what is done now and then. */
static PARA__THREAD_LOCAL uint8_t relaxed;

/* ---- While it is probed --------------------------------------------------------------- */

/* The price of a kernel call, as these batches tell it, else as it is known. */
static double price_of(const para__schedule *s, const para__batches *batches)
{
    const double known_ns = s->estimate.price_ns;
    const double ticks = para__batches_price(batches, known_ns / para__ns_per_tick(), true);
    return ticks < 0 ? known_ns : para__schedule_ns(s, ticks, 1);
}

/* The next batch is eight times as long as all before; shorter where units seem to be dear and it
 * is not clear whether that was the price of the call. */
static size_t next_batch(const para__batches *batches, bool is_unclear, size_t left)
{
    const double next =
        batches->units * (is_unclear ? PARA__PROBE_GROWTH_UNCLEAR : PARA__PROBE_GROWTH);
    return next < (double)left ? (size_t)next : left;
}

/* Whether the rest, as it was asked about, is shared, as s->plan then says. */
static bool shares_rest(para__schedule *s)
{
    const para__costs costs = para__costs_now(s->pool);
    const para__plan plan = para__decide(&s->ask, &costs);
    if (plan.width == 1)
        return false;
    s->plan = plan;
    para__plan_tickets(&s->plan, &s->ask, &costs);
    s->plan.why = PARA_WHY_ESCALATED;
    return true;
}

/* The next batch of a trial alone. 0: it has taken as long already as the whole call would have
 * when shared, so the rest is. */
static size_t next_of_trial(para__schedule *s, const para__batches *batches, size_t last,
                            size_t left)
{
    const double ns = para__schedule_ns(s, batches->ticks, batches->count);
    const double rest_ns = ns / batches->units * (double)left;
    if (ns > s->usual_ns && rest_ns > PARA__ESCALATE_NS) {
        para__schedule_ask(s, left, rest_ns, rest_ns * s->workers);
        if (shares_rest(s))
            return 0;
    }
    const size_t batch = 2 * last;
    return batch < left ? batch : left;
}

size_t para__schedule_next(para__schedule *s, const para__batches *batches, size_t last,
                           uint64_t last_ticks, size_t left)
{
    if (s->trial)
        return next_of_trial(s, batches, last, left);
    const double ns = para__schedule_ns(s, (double)last_ticks, 1);
    const double price_ns = price_of(s, batches);
    const double unit_ns = ns > price_ns ? (ns - price_ns) / (double)last : 0;
    const double rest_ns = unit_ns * (double)left;
    const bool is_long =
        last_ticks >= s->pool->lanes.batch_ticks; /* else it tells more of its call */
    /* A price that is known need not be that of this call. */
    const double all = batches->units + (double)left;
    const double expected_ns = price_ns + para__elements_ns(s, PARA__ALONE) * (double)last / all;
    const bool is_unclear = (!s->estimate.priced || ns > PARA__ANOTHER_KIND * expected_ns) &&
                            left > PARA__FEW_UNITS && !para__batches_are_clear(batches);
    s->probed_ns = unit_ns * all / (double)s->count;
    if (is_long && !is_unclear && rest_ns >= PARA__ESCALATE_NS) {
        para__schedule_ask(s, left, rest_ns, rest_ns + price_ns);
        s->ask.price_ns = price_ns;
        s->ask.varies = !s->estimate.priced; /* claims find out */
        if (shares_rest(s))
            return 0;
    }
    return next_batch(batches, is_long && is_unclear, left);
}

/* ---- After a call --------------------------------------------------------------------- */

/* Whether workers sleep that might have helped: for a part of a shared call none is woken. */
static bool may_wake(const para__schedule *s)
{
    return s->pool->executor->awake(s->pool) < s->workers - 1 &&
           !para__schedule_is_within_shared(s);
}

/* Workers of the pool sleep, and a call was not worth waking them. If calls like it follow each
 * other quickly, what they forgo adds up; once it has reached the price of a wake-up, that is paid:
 * the next one finds them awake. (Ski rental: never more than twice the price that was best in
 * hindsight; Karlin et al., "Competitive snoopy caching", Algorithmica 3, 1988.) */
static void count_forgone(para__schedule *s, uint64_t call_ticks)
{
    para_pool *pool = s->pool;
    const para__costs costs = para__costs_now(pool);
    unsigned width;
    const double forgone_ns = para__forgone_ns(&s->ask, &costs, &width);
    if (forgone_ns <= 0)
        return;
    const unsigned calls = s->stands_for;
    const uint64_t now = para__ticks();
    const uint64_t last = para__load_relaxed(&pool->followed.forgone_at); /* all: see types.h */
    uint64_t sum = para__load_relaxed(&pool->followed.forgone_ns);
    if (now - last > calls * (para__load_relaxed(&pool->lanes.spin_ticks) + call_ticks))
        sum = 0; /* a helper woken then would sleep again by now */
    sum += (uint64_t)(calls * forgone_ns);
    const double price_ns = costs.wake_ns + (width - 2) * costs.wake_cost_ns;
    if ((double)sum > price_ns && !para__pool_is_forked(pool)) {
        pool->executor->wake(pool, width - 1);
        sum = 0;
    }
    para__store_relaxed(&pool->followed.forgone_ns, sum);
    para__store_relaxed(&pool->followed.forgone_at, now);
}

/* Credit grows with the time that calls take, and is spent by a trial: one that was faster leaves
 * it, so that the next call confirms it. */
static void account(const para__schedule *s, para__estimate *e, double ns)
{
    if (s->trial) {
        *e = para__trial_settle(*e, ns < s->usual_ns ? PARA__WON : PARA__LOST);
        para__tuner width = para__site_tuner(s->site);
        width.turn = true; /* of another width, if the site has one */
        para__site_set_tuner(s->site, width);
        return;
    }
    const bool compared = e->alone > 0 || s->plan.width == 1;
    *e = para__trial_earn(*e, ns * s->stands_for,
                          compared ? PARA__CREDIT_PART : PARA__FIRST_CREDIT_PART);
    /* At the cost of its probe the call would have been over sooner alone: an uneven loop, or one
     * that is better left alone. The next call tells. */
    if (!compared && s->probed_ns > 0 && s->probed_ns * (double)s->count < ns)
        e->credit_ns = FLT_MAX;
}

/* Records what the elements cost, and returns it for the whole call. */
static double record(const para__schedule *s, para__estimate *e, const para__outcome *outcome,
                     size_t units)
{
    const unsigned all = s->workers;
    const bool is_alone = s->plan.width == 1;
    const para__tally *tally = &outcome->tally;
    /* Where memory keeps fewer workers waiting, the cost is that of all of them: else it would look
     * like another kernel. */
    const double of_all = para__is_tuned(s) ? (double)all / s->tuned_width : 1;
    /* The caller's batches are counted; the others have about as many, and at most one a chunk. */
    const double about = (double)outcome->batches.count * (is_alone ? 1 : s->plan.width);
    const double batches = about < (double)tally->chunks ? about : (double)tally->chunks;
    double ns = para__schedule_ns(s, (double)tally->busy_ticks, 1) - batches * (double)e->price_ns;
    const bool uneven = para__estimate_unevenness(*e) > PARA__VERY_UNEVEN;
    /* Slices as long as those of a long call of two. What is not known of the cost of sharing
     * counts here as often as the team has members: in short slices of many it would look
     * like work. */
    const bool is_long = ns >= PARA__LONG_NS / 2 * s->plan.width;
    if (!is_alone && !s->probe && !uneven && is_long) {
        const para__costs costs = para__costs_now(s->pool);
        const double work_ns = para__work_of(
            &s->ask, s->plan.width, para__schedule_ns(s, (double)outcome->ticks, 1), &costs);
        ns = work_ns > ns ? work_ns : ns;
    }
    ns = ns > 0 ? ns * of_all : 0;
    const double mean_ticks = (double)tally->busy_ticks / (double)units;
    const double spread = is_alone ? 0
                          : tally->dearest_ticks > mean_ticks && mean_ticks > 0
                              ? tally->dearest_ticks / mean_ticks
                              : 1;
    const para__way way = is_alone ? PARA__ALONE : PARA__SHARED;
    if (!is_alone && s->probe && e->alone > 0 &&
        s->probed_ns > PARA__ANOTHER_KIND * (double)e->alone_ns)
        *e = para__estimate_distrust(*e); /* it was expected to be like those that run alone */
    *e = s->trial ? para__estimate_try(*e, way, (double)s->count, ns)
                  : para__estimate_add(*e, way, (double)s->count, ns, spread);
    return ns;
}

/* What its batches tell of the price of a kernel call. Of few units one dear one looks like one. */
static para__estimate learn_price(const para__schedule *s, para__estimate e,
                                  const para__batches *batches, size_t units)
{
    if (units <= PARA__FEW_UNITS)
        return e;
    const double price_ticks =
        para__batches_price(batches, (double)e.price_ns / para__ns_per_tick(), s->probe);
    if (price_ticks >= 0)
        e = para__estimate_price(e, para__schedule_ns(s, price_ticks, 1));
    e.priced |= para__batches_are_clear(batches);
    return e;
}

/* A trial alone that was given up took longer than the calls that are shared. That much stands for
 * what is not known. Among many workers no other trial tells the price, nor do calls that are
 * divided coarsely because a wrong one is thought to be high. */
static void learn_given_up(const para__schedule *s, const para__outcome *outcome, size_t units)
{
    para__estimate e = para__site_read(s->site);
    if (e.alone == 0)
        e = para__estimate_try(e, PARA__ALONE, (double)s->count, s->usual_ns * s->workers);
    e = learn_price(s, e, &outcome->batches, units);
    account(s, &e, INFINITY);
    para__site_write(s->site, e);
}

/* What a call on the present width, or one of a trial, tells of the width; whether it was a
 * trial. */
static bool learn_width(const para__schedule *s, double element_ns)
{
    para__tuner tuner = para__site_tuner(s->site);
    if (!s->widths) {
        para__site_set_tuner(s->site, para__tuner_add(tuner, element_ns));
        return false;
    }
    para__verdict verdict;
    tuner = para__tuner_try(tuner, s->reach, element_ns, &verdict);
    para__site_set_tuner(s->site, tuner);
    para__site_write(s->site, para__trial_settle(para__site_read(s->site), verdict));
    return true;
}

size_t para__small_count(const para__schedule *s)
{
    const unsigned samples = para__estimate_samples(s->estimate);
    const double cost_ns = para__estimate_cost(s->estimate, PARA__ALONE);
    const double certain = para__estimate_trusted(s->estimate) ? 1
                           : samples >= PARA__TRUST_SAMPLES    ? PARA__ANOTHER_KIND
                                                               : 0;
    const double most = certain > 0 ? para__least_work_now(s->pool) / (certain * cost_ns) : 0;
    return most < (double)SIZE_MAX / 2 ? (size_t)most : SIZE_MAX / 2;
}

void para__schedule_watched(const para__schedule *s, uint64_t ticks)
{
    if (ticks < s->dull_ticks)
        return;
    para__store_relaxed(&s->site->small, 0); /* no order: see sites.h */
    para__store_relaxed(&s->site->brief, 0);
}

void para__schedule_learn(para__schedule *s, const para__outcome *outcome, size_t units)
{
    const unsigned all = s->workers;
    const double elapsed_ns = para__schedule_ns(s, (double)outcome->ticks, 1);
    if (s->trial && s->probe && s->plan.width > 1) {
        learn_given_up(s, outcome, units);
        return;
    }
    if (s->trial && s->plan.width > 1 && outcome->workers < 2) {
        para__schedule_forgo_trial(s); /* nobody came: this was not shared */
        return;
    }
    if (elapsed_ns < s->dull_ns) {
        if (!s->together && may_wake(s)) {
            s->stands_for = 1;
            count_forgone(s, outcome->ticks);
        }
        if (para__is_sampled(&relaxed))
            para__costs_relax(s->pool);
        return;
    }
    if (s->widths && !para__is_tuned(s)) { /* a call that has no room for that width */
        para__tuner tuner = para__site_tuner(s->site);
        tuner.turn = tuner.again = false;
        para__site_set_tuner(s->site, tuner);
        para__schedule_forgo_trial(s);
    }
    if (para__is_tuned(s) && learn_width(s, elapsed_ns / (double)s->count))
        return; /* a trial tells of the width alone */
    para__estimate e = learn_price(s, para__site_read(s->site), &outcome->batches, units);
    const double ns = record(s, &e, outcome, units);
    if (s->is_automatic)
        account(s, &e, elapsed_ns);
    s->estimate = e;
    para__site_write(s->site, e);
    para__store_relaxed(&s->site->small, para__small_count(s)); /* no order: see sites.h */
    para__store_relaxed(&s->site->brief, para__estimate_brief(e, s->count));
    if (s->plan.why != PARA_WHY_ASKED && !s->together &&
        !(para__is_tuned(s) && s->tuned_width < all) && !s->trial &&
        ns > para__least_work_now(s->pool) && may_wake(s)) {
        para__schedule_ask(s, s->units, para__elements_ns(s, PARA__SHARED),
                           para__elements_ns(s, PARA__ALONE) + (double)e.price_ns);
        count_forgone(s, outcome->ticks);
    }
    if (s->plan.why == PARA_WHY_SMALL && (s->stands_for > 1 || para__is_sampled(&relaxed)) &&
        ns > para__least_work_ns(para__pool_costs(s->pool), all))
        para__costs_relax(s->pool); /* much more rarely than shared calls put it right */
}
