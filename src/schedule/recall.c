/* Plans of short calls, which are shared as those like them were before: to decide takes as long as
 * to publish. Timed calls are decided anew, one in PARA__SAMPLE_EVERY. */
#include "base/thread.h"
#include "base/tuning.h"
#include "schedule/common.h"

/* In few bytes, as it is the thread's. */
typedef struct short_plan {
    uint32_t site, count; /* of which call, */
    uint16_t workers, awake;
    float alone_ns, shared_ns; /* and what an element took */
    uint32_t units;
    uint32_t width : 11, tickets : 10, first : 10, announces : 1;
    uint16_t head_start, gain_ns;
} short_plan;
_Static_assert(sizeof(short_plan) == 32, "without gaps");
_Static_assert(PARA__WORKERS_MAX < 1 << 11 && PARA__SLICE_TICKETS_MAX < 1 << 10, "wide enough");

static PARA__THREAD_LOCAL short_plan plans[PARA__SHORT_PLANS]; /* by their sites' numbers */

/* Whether the engine may divide it as it likes. */
static bool may_divide(const para__schedule *s)
{
    return s->is_automatic && !s->options->claim && !s->options->workers &&
           !para__schedule_is_within_shared(s);
}

void para__keep_plan(const para__schedule *s)
{
    const para__plan *p = &s->plan;
    if (!may_divide(s) || s->stands_for == 1 || s->trial || s->count > UINT32_MAX ||
        p->head_start > UINT16_MAX || !(p->gain_ns >= 0 && p->gain_ns <= UINT16_MAX))
        return;
    const uint32_t site = para__site_number(s->site);
    plans[site % PARA__SHORT_PLANS] = (short_plan){.site = site,
                                                   .count = (uint32_t)s->count,
                                                   .workers = (uint16_t)s->workers,
                                                   .awake = (uint16_t)s->ask.awake,
                                                   .alone_ns = s->estimate.alone_ns,
                                                   .shared_ns = s->estimate.shared_ns,
                                                   .units = (uint32_t)s->units,
                                                   .width = p->width & 0x7ff,
                                                   .tickets = p->tickets & 0x3ff,
                                                   .first = p->first & 0x3ff,
                                                   .announces = p->announces,
                                                   .head_start = (uint16_t)p->head_start,
                                                   .gain_ns = (uint16_t)p->gain_ns};
}

static bool is_plan_of(const short_plan *k, const para__schedule *s)
{
    return k->site == para__site_number(s->site) && k->count == s->count &&
           (s->split || k->units == s->units) && k->workers == s->workers &&
           k->alone_ns == s->estimate.alone_ns && k->shared_ns == s->estimate.shared_ns;
}

bool para__recall_plan(para__schedule *s)
{
    const short_plan *k = &plans[para__site_number(s->site) % PARA__SHORT_PLANS];
    if (!is_plan_of(k, s) || !may_divide(s) || k->awake != s->pool->executor->awake(s->pool))
        return false;
    s->plan = (para__plan){.units = {0, k->units},
                           .width = k->width,
                           .tickets = k->tickets,
                           .first = k->first,
                           .head_start = k->head_start,
                           .announces = k->announces,
                           .why = PARA_WHY_PARALLEL,
                           .gain_ns = k->gain_ns};
    return true;
}
