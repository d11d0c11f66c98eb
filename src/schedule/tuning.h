/* The constants of policy, and what its two files share. */
#ifndef PARA_SCHEDULE_TUNING_H
#define PARA_SCHEDULE_TUNING_H

#include "base/clock.h"
#include "pool/calibrate.h"
#include "schedule/state.h"

/* Calls shorter than this are timed now and then only, so that a look at the clock does not
 * show. */
static const double short_ns = 1000;
enum { SAMPLE_EVERY = 17 }; /* odd, so that each of two sites in turn has its turn */

/* Likewise of a thread whose short calls run alone, all of them: all that is gained by that is some
 * percent, and a look at the clock with all that goes with it takes 100 ns. */
static const double together_ns = 10000;

/* In calls shorter than this, data that travels between cores shows: the first one alone after a
 * shared one tells little. Longer ones are always timed. */
static const double long_ns = 50000;

/* A shorter rest of a probe is run alone: that costs little, and tells what the call costs
 * alone. */
static const double worth_escalating_ns = 10000;

/* The part of a site's time that trials may cost; and until it is known what its calls take alone,
 * which a few calls should show. */
static const double credit_part = 1.0 / 64;
static const double first_credit_part = 1.0 / 8;
enum { MOST_TRIALS_REFUSED = 3 };

/* Participants kept each other waiting if the call took so many times longer than they were busy.
 * Less is noise. */
static const double clearly = 1.1;

/* Where the dearest batch costs so many times the mean, participants wait for whoever has it, and
 * the elements are not dearer for that. */
static const double very_uneven = 4;

/* A probe whose elements cost so many times more than those of calls that run alone is of a call of
 * another kind: wrappers run all loops through one kernel. */
static const double another_kind = 4;

/* What a unit is taken to cost before one has run: so much that a first call of few units is shared
 * at once where that costs no more than 10 us in vain. Two units of a second each, tried one
 * after the other, would cost a second. */
static const double unknown_unit_ns = 20000;

/* Units of a worker, in a first call, of which one that is tried alone holds up little. */
enum { FIRST_UNITS = 4 };

/* A probe's first batches may be dominated by the price of a kernel call. So in calls of more
 * units than this one batch does not tell; and batches are so long that the price is a small
 * part. */
enum { FEW_UNITS = 16, PRICES_A_BATCH = 4 };

/* In short calls, a trial has several in a row, of which the last is timed: the first finds data
 * where the other way has left it. The shared ones that follow are timed as well, to measure the
 * cost of moving data promptly. */
enum { TRIALS_IN_A_ROW = 3, TIMED_AFTERWARDS = 4 };

/* A trial alone is run in growing batches, of which the first is this part: it can be given up
 * when it has taken as long as the whole call would have when shared, and shows whether a kernel
 * call still has its price. */
enum { TRIAL_BATCHES = 16 };

/* A helper that is woken for a trial is awake after some of these calls, or the trial is given
 * up. */
enum { CALLS_TO_WAKE = 32 };

/* Whether it is the turn of this one, of many. */
static inline bool para__is_sampled(uint8_t *counter)
{
    if (++*counter < SAMPLE_EVERY)
        return false;
    *counter = 0;
    return true;
}

/* Work below this is not worth sharing, even with helpers that are awake. */
static inline double para__least_work_now(const para_pool *pool)
{
    return para__load_relaxed(&pool->followed.least_work_ns); /* see types.h */
}

static inline double para__schedule_ns(const para__schedule *s, double ticks, unsigned looks)
{
    const double ns = ticks * para__ns_per_tick() - looks * para__pool_costs(s->pool)->clock_ns;
    return ns > 0 ? ns : 0;
}

/* What the call's elements cost that way, the price of kernel calls left out: more than nothing,
 * which would mean that it is not known. */
static inline double para__elements_ns(const para__schedule *s, para__way way)
{
    const double ns = para__estimate_cost(s->estimate, way) * (double)s->count;
    return ns > 1 ? ns : 1;
}

/* Whether the call ran, or will run, as narrow has planned it. */
static inline bool para__is_tuned(const para__schedule *s)
{
    return s->plan.width == s->tuned_width;
}

/* Asks about units that cost so much when shared, and take so long alone. */
void para__schedule_ask(para__schedule *s, size_t units, double work_ns, double alone_ns);

/* Gives a trial up for which nobody came to help. */
void para__schedule_forgo_trial(const para__schedule *s);

/* The most elements of a call that is alone, whatever it is asked: what is known of its cost can be
 * trusted, or would not be worth sharing even at four times of it. */
size_t para__small_count(const para__schedule *s);

#endif
