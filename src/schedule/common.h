/* What the files of this folder share. */
#ifndef PARA_SCHEDULE_COMMON_H
#define PARA_SCHEDULE_COMMON_H

#include "base/clock.h"
#include "base/tuning.h"
#include "pool/calibrate.h"
#include "schedule/state.h"
#include "share/participant.h"

/* Whether it is the turn of this one, of many. */
static inline bool para__is_sampled(uint8_t *counter)
{
    if (++*counter < PARA__SAMPLE_EVERY)
        return false;
    *counter = 0;
    return true;
}

/* Whether the call is a part of a shared one of its pool. */
static inline bool para__schedule_is_within_shared(const para__schedule *s)
{
    return para__lane_around(&s->pool->lanes) != 0;
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

/* Whether the call ran, or will run, as its site's width says. */
static inline bool para__is_tuned(const para__schedule *s)
{
    return s->plan.width == s->tuned_width;
}

/* Asks about units that cost so much when shared, and take so long alone. */
void para__schedule_ask(para__schedule *s, size_t units, double work_ns, double alone_ns);

/* A call that is planned is remembered, if it is short. A call of which as much is known as of one
 * before, with as many helpers awake, gets the plan of that; false: there is none. */
void para__keep_plan(const para__schedule *s);
bool para__recall_plan(para__schedule *s);

/* Gives a trial up for which nobody came to help. */
void para__schedule_forgo_trial(const para__schedule *s);

/* The most elements of a call that is alone, whatever it is asked: what is known of its cost can be
 * trusted, or would not be worth sharing even at four times of it. */
size_t para__small_count(const para__schedule *s);

#endif
