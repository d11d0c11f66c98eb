#include "schedule/together.h"

#include "base/bounds.h"
#include "base/clock.h"
#include "base/thread.h"
#include "plan/arms.h"
#include "pool/self.h"
#include "schedule/common.h"

PARA__THREAD_LOCAL uintptr_t para__outermost_call;

static PARA__THREAD_LOCAL struct {
    para__arms arms;  /* whether its short calls run alone, all of them */
    uint16_t within;  /* calls that were a part of another */
    uint16_t helpers; /* of the last call in a window that was shared */
} lately;

/* Whether this call is a part of another one of its thread. Then it is in no window: its time is in
 * the other's, and counted in both, a loop would look cheaper where its inner loops run here. */
static bool is_within_call(void)
{
    if (!para__is_within_call())
        return false;
    if (++lately.within == 0) /* so that one that a jump has left is forgotten, if not soon */
        para__outermost_call = 0;
    return true;
}

uint64_t para__together_brief_ns(const para__schedule *s)
{
    para__arms *arms = &lately.arms;
    const bool is_within_shared = para__schedule_is_within_shared(s);
    if (!is_within_shared && para__arms_now(arms) != PARA__ALL_ALONE)
        return 0;
    const uint64_t brief = para__load_relaxed(&s->site->brief); /* no order: see sites.h */
    const uint32_t site = para__site_number(s->site);
    const bool is_within = is_within_shared || is_within_call();
    if (brief == 0 || (!is_within && para__arms_is_full(arms, site)))
        return 0;
    const uint64_t alone_ns = para__brief_ns(brief, s->count);
    if (alone_ns > (uint64_t)PARA__BRIEF_NS)
        return 0;
    if (!is_within)
        para__arms_add(arms, site, (uint32_t)alone_ns);
    return alone_ns + 1;
}

/* Where calls are shared again, helpers are woken: no call is timed in a trial, so that none would
 * do it. */
static bool is_alone_with_all(para__schedule *s, double alone_ns)
{
    para__arms *arms = &lately.arms;
    const uint32_t site = para__site_number(s->site);
    if (para__arms_is_full(arms, site)) {
        const para__arm before = para__arms_now(arms);
        para__arms_next_window(arms, site, (uint64_t)((double)para__ticks() * para__ns_per_tick()));
        if (before == PARA__ALL_ALONE && para__arms_now(arms) != before)
            s->pool->executor->wake(s->pool, para__max(lately.helpers, 1));
    }
    para__arms_add(arms, site, (uint32_t)alone_ns);
    return para__arms_now(arms) == PARA__ALL_ALONE;
}

/* A worker's own calls are not looked at: what they cost is the outer call's. */
para__window para__together_begin(para__schedule *s, double work_ns, double alone_ns)
{
    if (work_ns >= PARA__LONG_NS || !s->is_automatic || para__pool_is_worker(s->pool))
        return PARA__NO_WINDOW;
    const bool is_within = is_within_call();
    const bool is_alone = is_within ? para__arms_now(&lately.arms) == PARA__ALL_ALONE
                                    : is_alone_with_all(s, alone_ns);
    if (lately.arms.trial)
        s->timed = false; /* see para__together_is_trial */
    return is_alone ? PARA__WINDOW_ALONE : is_within ? PARA__NO_WINDOW : PARA__WINDOW;
}

void para__together_shared(const para__schedule *s)
{
    para__arms_gain(&lately.arms, s->plan.gain_ns);
    lately.helpers = (uint16_t)(s->plan.width - 1);
}

bool para__together_is_trial(void)
{
    return lately.arms.trial != 0;
}
