#include "schedule/schedule.h"

#include "base/bounds.h"
#include "base/thread.h"
#include "pool/self.h"
#include "schedule/common.h"
#include "schedule/together.h"

#include <math.h>

/* What a thread remembers of its own last calls; its own, so that callers do not share a line. */
static PARA__THREAD_LOCAL struct {
    /* Sites by their numbers, 0: none. Two may have the same one, which costs a trial. */
    uint32_t woken; /* of which one call is to be shared as soon as a helper is awake */
    uint32_t trial; /* of which trial_left more are to be run in the other way */
    uint8_t trial_left, waits;
    uint8_t calls, learnt; /* counters, for what is done now and then */
} recent;

/* A call within a shared one finds everybody busy with that. If it is long against the cost of
 * sharing, they may come to help before it is over. */
static unsigned awake(const para__schedule *s, double work_ns)
{
    if (!para__schedule_is_within_shared(s))
        return s->pool->executor->awake(s->pool);
    return work_ns < PARA__LONG_WITHIN_NS ? 0 : s->workers - 1;
}

void para__schedule_ask(para__schedule *s, size_t units, double work_ns, double alone_ns)
{
    s->ask = (para__ask){.units = units,
                         .work_ns = work_ns,
                         .alone_ns = alone_ns,
                         .price_ns = s->estimate.price_ns,
                         .workers = s->workers,
                         .awake = awake(s, work_ns),
                         .limit = s->limit,
                         .is_forced = !s->is_automatic,
                         .claim = s->options->claim,
                         .spread = para__estimate_unevenness(s->estimate)};
}

static void decide(para__schedule *s)
{
    const para__costs costs = para__costs_now(s->pool);
    s->plan = para__decide(&s->ask, &costs);
}

void para__schedule_move(para__schedule *s, para_pool *pool)
{
    const unsigned before = s->workers;
    s->pool = pool;
    s->workers = para__min(para__workers_for(pool, s->options), before);
    s->site =
        para__site_find(&pool->sites, para__site_key_of(s->kernel, s->count, s->options->site));
}

void para__schedule_stay_alone(para__schedule *s, para_why why)
{
    s->plan = para__plan_alone(why);
    s->probe = false;
    s->trial = false;
}

void para__schedule_is_shared(para__schedule *s)
{
    if (!s->pool->executor->wait(s->pool, 0))
        s->timed = false; /* helpers may be late: it tells nothing of sharing */
}

/* Alone, since that is thought to be best, or to see how it is. */
static void run_small(para__schedule *s)
{
    para__schedule_stay_alone(s, PARA_WHY_SMALL);
}

/* Alone, in batches of which the first is so long that the price of a kernel call does not show;
 * as one if that would be all. */
static void run_probe(para__schedule *s)
{
    const double price_ns = PARA__PRICES_A_BATCH * (double)s->estimate.price_ns;
    const double elements = price_ns / para__elements_ns(s, PARA__ALONE) * (double)s->count;
    run_small(s);
    s->timed = true;
    s->probe = elements < (double)s->count;
    s->first_elements = s->probe ? (size_t)elements : s->count;
}

/* ---- Trying the other way ------------------------------------------------------------- */

/* Whether the site's credit covers a call, or several, that take longer by so much. A long trial
 * alone is given up at the end of the batch in which it passes the usual time: at about twice that
 * time at the latest. */
static bool is_covered(const para__schedule *s, double longer_ns)
{
    const bool is_short = s->ask.work_ns < PARA__LONG_NS;
    const double usual_ns = s->ask.alone_ns - longer_ns;
    const double alone_ns = is_short || longer_ns < usual_ns ? longer_ns : usual_ns;
    const double each_ns = longer_ns > 0 ? alone_ns : -longer_ns;
    return para__trial_is_covered(s->estimate, each_ns * (is_short ? PARA__TRIALS_IN_A_ROW : 1));
}

static bool is_woken_for(const para__schedule *s)
{
    return recent.woken == para__site_number(s->site);
}

/* Begins a trial: of short calls several in a row, of which the last is timed. */
static void begin_trial(para__schedule *s)
{
    if (s->ask.work_ns >= PARA__LONG_NS)
        return;
    recent.trial = para__site_number(s->site);
    recent.trial_left = PARA__TRIALS_IN_A_ROW - 1;
    s->timed = false;
}

/* Whether calls of its site are in a trial that was begun. */
static bool is_in_trial(const para__schedule *s)
{
    return recent.trial_left > 0 && recent.trial == para__site_number(s->site);
}

/* Whether its site's trial may go on with this call, or begin since a helper is awake by now. */
static bool wants_trial(const para__schedule *s)
{
    return (is_in_trial(s) || is_woken_for(s)) && !para__together_is_trial();
}

/* Its site's trial, begun or to come, is void. */
static void forget_trial(const para__schedule *s)
{
    if (is_in_trial(s))
        recent.trial_left = 0;
    if (is_woken_for(s))
        recent.woken = 0;
}

/* Whether that goes on with this call. */
static bool goes_on_trial(para__schedule *s)
{
    if (!is_in_trial(s) || para__together_is_trial())
        return false;
    s->timed = --recent.trial_left == 0;
    return true;
}

/* Whether this call of a site that is shared runs alone, to see what it costs so. */
static bool is_trial_alone(para__schedule *s)
{
    if (goes_on_trial(s))
        return true;
    if (!s->timed || !is_covered(s, s->plan.gain_ns))
        return false;
    begin_trial(s);
    return true;
}

void para__schedule_forgo_trial(const para__schedule *s)
{
    para__estimate e = para__site_read(s->site);
    e.credit_ns = 0;
    para__site_write(s->site, e);
}

/* The first batch of a trial alone, as short against the usual time as it can be measured: on many
 * workers that is a very small part of the call. */
static size_t first_of_trial(const para__schedule *s)
{
    const double usual = para__min(s->usual_ns / para__elements_ns(s, PARA__ALONE), 1);
    return (size_t)((double)s->count * usual / PARA__TRIAL_BATCHES) + 1;
}

/* Short calls are tried with helpers that are awake, as they would be were these calls shared.
 * Wakes some, for one of the next calls; whether that is still to come. Where threads never spin,
 * it does not. */
static bool waits_for_helpers(para__schedule *s)
{
    if (s->ask.work_ns >= PARA__LONG_NS || s->ask.awake > 0 ||
        para__load_relaxed(&s->pool->lanes.spin_ticks) == 0) /* see lane.h */
        return false;
    if (!is_woken_for(s)) {
        recent.woken = para__site_number(s->site);
        recent.waits = PARA__CALLS_TO_WAKE;
        s->pool->executor->wake(s->pool, 1);
    } else if (--recent.waits == 0) {
        para__schedule_forgo_trial(s);
        recent.woken = 0;
    }
    return true;
}

/* Whether this call of a site that runs alone, since its elements were dearer when shared, is
 * shared, to see whether they still are. */
static bool is_trial_shared(para__schedule *s)
{
    const bool goes_on = goes_on_trial(s);
    if (!goes_on && (s->estimate.shared == 0 || !(s->timed || wants_trial(s)) ||
                     !is_covered(s, s->plan.gain_ns)))
        return false;
    const para__ask asked = s->ask;
    const double longer_ns = -s->plan.gain_ns;
    para__schedule_ask(s, asked.units, para__elements_ns(s, PARA__ALONE), asked.alone_ns);
    if (!goes_on && waits_for_helpers(s)) {
        s->ask = asked;
        return false;
    }
    recent.woken = 0;
    decide(s);
    if (s->plan.width == 1 || longer_ns <= 0) {
        s->ask = asked;
        return false;
    }
    s->usual_ns = asked.alone_ns;
    if (!goes_on) {
        s->timed = true;
        begin_trial(s);
    }
    return true;
}

/* ---- Before a call -------------------------------------------------------------------- */

/* Has a long call run on another width than planned. */
static void set_width(para__schedule *s, unsigned width)
{
    s->tuned_width = width;
    if (s->plan.width == width)
        return;
    s->plan.why = width < s->plan.width ? PARA_WHY_SATURATED : s->plan.why;
    s->plan.width = width;
}

/* A long call for which the engine chooses: on as many workers as its site is at, unless fewer than
 * these, and than usual, are to share it. */
static void tune(para__schedule *s)
{
    const unsigned all = s->pool->executor->width(s->pool);
    s->reach =
        (para__widths){.usual = s->workers, .all = s->units < all ? (unsigned)s->units : all};
    s->tuner = para__site_tuner(s->site);
    const unsigned present = para__tuner_present(s->tuner, s->reach);
    if (s->plan.width >= para__min(present, s->workers) && !s->options->workers && s->is_automatic)
        set_width(s, present);
}

/* What a call takes as it is planned: as it was seen, if the call runs on its site's width. */
static double usual_ns(const para__schedule *s, double predicted_ns)
{
    const bool is_seen = s->tuned_width && s->tuner.element_ns > 0;
    return is_seen ? (double)s->tuner.element_ns * (double)s->count : predicted_ns;
}

/* Whether the site's next trial is of another width; then, whether it is this call. */
static bool is_trial_of_width(para__schedule *s)
{
    if (!s->tuned_width || !s->tuner.turn || !(s->tuner.element_ns > 0))
        return false;
    const unsigned trial = para__tuner_trial(s->tuner, s->reach);
    if (trial == s->tuned_width)
        return false;
    /* Half as many workers may take twice as long. */
    if (para__trial_is_covered(s->estimate, usual_ns(s, INFINITY))) {
        set_width(s, trial);
        s->widths = true;
    }
    return true;
}

/* A call whose cost is not known: from its first unit on if its units have been dear, or are so few
 * that they may be. */
static void begin_unknown(para__schedule *s)
{
    const size_t units = s->units;
    const bool first = para__estimate_samples(s->estimate) == 0;
    const double unit_ns = first ? PARA__FIRST_UNIT_NS
                                 : (double)s->estimate.mean_ns * (double)s->count / (double)units;
    para__schedule_ask(s, units, unit_ns * (double)units, 0);
    s->ask.varies = true;
    /* Units that may be dear are not kept waiting for a pool to be made. Small reductions are not
     * such: their units are few because their blocks are. */
    const bool by_novice = s->pool->is_novice;
    const para__costs costs = by_novice ? para__costs_assumed : para__costs_now(s->pool);
    const size_t tasks = by_novice && !s->options->chunk ? s->count : units;
    const bool few = !first || tasks <= (size_t)PARA__FIRST_UNITS_A_WORKER * s->workers;
    if (few && para__share_at_once(&s->ask, unit_ns, &costs)) {
        s->plan = para__decide(&s->ask, &costs);
        s->timed = true;
        if (s->plan.width > 1)
            return;
    }
    run_probe(s);
}

/* Times a call that is not so short, only to see whether it is of another kind than expected. */
static void watch_call(para__schedule *s, double alone_ns, double least_ns)
{
    if (s->timed || alone_ns <= least_ns || para__together_is_trial())
        return;
    s->timed = true;
    s->dull_ns = PARA__ANOTHER_KIND * alone_ns;
}

static void run_together(para__schedule *s, double alone_ns)
{
    run_small(s);
    s->plan.why = PARA_WHY_TOGETHER;
    s->together = true;
    watch_call(s, alone_ns, PARA__BRIEF_NS);
}

/* A call whose cost is known, and enough to be worth sharing. */
static void begin_known(para__schedule *s)
{
    const double work_ns = para__elements_ns(s, PARA__SHARED);
    const double alone_ns = para__elements_ns(s, PARA__ALONE) + (double)s->estimate.price_ns;
    s->stands_for = work_ns < PARA__LONG_NS ? PARA__SAMPLE_EVERY : 1;
    s->timed |= s->stands_for == 1;
    if (s->is_automatic && work_ns < PARA__LONG_WITHIN_NS && para__schedule_is_within_shared(s)) {
        run_small(s);
        watch_call(s, alone_ns, PARA__CLOCK_SHOWS_NS);
        return;
    }
    const para__window window = para__together_begin(s, work_ns, alone_ns);
    if (window == PARA__WINDOW_ALONE && !s->timed && !wants_trial(s)) {
        run_together(s, alone_ns);
        return;
    }
    para__schedule_ask(s, s->units, work_ns, alone_ns);
    decide(s);
    if (window == PARA__WINDOW_ALONE && s->plan.width > 1) {
        forget_trial(s);
        run_together(s, alone_ns);
        return;
    }
    if (window == PARA__WINDOW && s->plan.width > 1)
        para__together_shared(s);
    if (s->stands_for == 1)
        tune(s);
    if (!s->is_automatic)
        return;
    if (s->plan.width > 1) {
        if (is_trial_of_width(s) || !is_trial_alone(s))
            return;
        s->usual_ns = usual_ns(s, alone_ns - s->plan.gain_ns);
        run_small(s);
        s->trial = true;
        s->probe = s->timed;
        s->first_elements = first_of_trial(s);
    } else if (is_trial_shared(s)) { /* also where all run alone: docs/adr/0130 */
        s->trial = true;
    } else if (window == PARA__WINDOW_ALONE) {
        run_together(s, alone_ns);
    } else {
        run_small(s);
        watch_call(s, alone_ns, PARA__CLOCK_SHOWS_NS);
    }
}

/* Has the call shared as one like it was before; false: it has to be decided. In a trial all are,
 * as the last one is learnt from. */
static bool begin_as_before(para__schedule *s)
{
    if (s->timed || is_in_trial(s) || !para__recall_plan(s))
        return false;
    const double alone_ns = para__elements_ns(s, PARA__ALONE) + (double)s->estimate.price_ns;
    s->stands_for = PARA__SAMPLE_EVERY;
    const para__window window = para__together_begin(s, 0, alone_ns);
    s->is_recalled = window != PARA__WINDOW_ALONE;
    if (!s->is_recalled)
        run_together(s, alone_ns);
    if (window == PARA__WINDOW)
        para__together_shared(s);
    return true;
}

bool para__schedule_begin_small(para__schedule *s)
{
    const para_options *options = s->options;
    s->is_automatic = options->executor == PARA_EXECUTOR_AUTO;
    s->limit = options->executor == PARA_EXECUTOR_SERIAL ? 1 : options->workers;
    s->workers = para__workers_for(s->pool, options);
    s->probe = false;
    s->small = false;
    s->timed = false;
    s->dull_ticks = 0;
    const para_why why = para__why_alone(s->limit, s->workers, s->units);
    if (why != PARA_WHY_PARALLEL) {
        s->site = NULL;
        para__schedule_stay_alone(s, why);
        return true;
    }
    s->site =
        para__site_find(&s->pool->sites, para__site_key_of(s->kernel, s->count, options->site));
    s->timed = para__is_sampled(&recent.calls);
    if (!s->is_automatic || (s->timed && para__is_sampled(&recent.learnt)))
        return false;
    uint64_t expected_ns;                                  /* at most */
    if (s->count <= para__load_relaxed(&s->site->small)) { /* no order: see sites.h */
        s->plan.why = PARA_WHY_SMALL;
        expected_ns = para__load_relaxed(&s->pool->followed.least_work_ns); /* see types.h */
    } else if (!wants_trial(s) && (expected_ns = para__together_brief_ns(s)) > 0) {
        s->plan.why = para__schedule_is_within_shared(s) ? PARA_WHY_SMALL : PARA_WHY_TOGETHER;
        expected_ns *= (uint64_t)PARA__ANOTHER_KIND;
    } else {
        return false;
    }
    if (s->timed)
        s->dull_ticks =
            expected_ns * s->pool->lanes.batch_ticks / (uint64_t)PARA__CLOCK_SHOWS_NS + 1;
    s->timed = false;
    s->small = true;
    s->plan.width = 1; /* the rest of a plan is of calls that are shared or learnt from */
    return true;
}

void para__schedule_begin(para__schedule *s)
{
    s->dull_ns = 0;
    s->together = false;
    s->trial = false;
    s->widths = false;
    s->stands_for = 1;
    s->is_recalled = false;
    s->tuned_width = 0;
    s->probed_ns = 0;
    s->estimate = para__site_read(s->site);
    if (begin_as_before(s))
        return;
    const bool trusted = para__estimate_trusted(s->estimate);
    if (s->is_automatic && s->count <= para__small_count(s)) {
        run_small(s);
        s->small = true;
        s->timed = true; /* the others of its kind are not looked at */
        s->stands_for = PARA__SAMPLE_EVERY;
    } else if (s->is_automatic && !trusted) {
        begin_unknown(s);
    } else if (trusted) {
        begin_known(s);
    } else {
        para__schedule_ask(s, s->units, 0, 0);
        decide(s);
        s->timed = true;
    }
}

unsigned para__schedule_width_most(const para__schedule *s)
{
    if (!s->probe)
        return s->plan.width;
    return s->limit && s->limit < s->workers ? s->limit : s->workers;
}

/* Has the call divided into units for as many as it may have. */
static void split(para__schedule *s)
{
    const unsigned most = para__schedule_width_most(s);
    if (!s->split || most == 1)
        return;
    const para__split split = s->split(s->split_of, most);
    s->units = split.units;
    if (split.width >= most)
        return;
    s->limit = split.width;
    if (split.width == 1)
        para__schedule_stay_alone(s, split.why);
    else if (s->plan.width > split.width)
        s->plan.width = split.width;
}

void para__schedule_settle(para__schedule *s)
{
    const unsigned width = s->plan.width;
    split(s);
    if (s->plan.width == 1)
        return;
    if (s->units < 2) {
        para__schedule_stay_alone(s, PARA_WHY_ONE_UNIT);
        return;
    }
    if (s->plan.width > s->units)
        s->plan.width = (unsigned)s->units;
    if (s->is_recalled && s->plan.width == width && s->plan.units.count == s->units)
        return;
    if (s->is_recalled) /* but divided otherwise: for its memory or its chunks */
        para__schedule_ask(s, s->units, para__elements_ns(s, PARA__SHARED), 0);
    s->ask.units = s->units;
    const para__costs costs = para__costs_now(s->pool);
    para__plan_tickets(&s->plan, &s->ask, &costs);
    para__keep_plan(s);
}

bool para__schedule_lacks_memory(para__schedule *s)
{
    if (para__schedule_is_alone(s))
        return false;
    s->limit = 1;
    para__schedule_stay_alone(s, PARA_WHY_MEMORY);
    return true;
}

size_t para__schedule_piece(const para__schedule *s)
{
    if (s->small)
        return s->count;
    if (!s->site)
        return s->count / PARA__PIECES_UNKNOWN + 1;
    const bool known = para__estimate_samples(s->estimate) > 0;
    const double moments =
        known ? para__elements_ns(s, PARA__ALONE) / PARA__PIECE_NS : PARA__PIECES_UNKNOWN;
    const double piece = (double)s->count / moments;
    return piece < 1 ? 1 : piece < (double)s->count ? (size_t)piece : s->count;
}
