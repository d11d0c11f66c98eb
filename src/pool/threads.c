#include "pool/threads.h"

#include "base/fpenv.h"
#include "pool/calibrate.h"
#include "pool/start.h"
#include "pool/self.h"

/* Whether the call takes its share of every domain, instead of neighbours: it is narrower than the
 * pool, and so long that ways between domains show less than memory that is far. If so, *spread is
 * the plan for that. */
static bool is_spread(const para_pool *pool, const para__job *job, const para__plan *plan,
                      para__plan *spread)
{
    const unsigned places = para__pool_usual(pool);
    if (!pool->has_domains || !plan->announces || plan->width >= places ||
        plan->units.count < places || para__pool_place(pool) >= places)
        return false;
    *spread = *plan;
    para__plan_spread(spread, places);
    if (plan->grain.log2) {
        spread->grain = (para__grain){0};
        para__plan_pages(spread, job->written + plan->units.first * job->unit_bytes,
                         job->unit_bytes, plan->units.count, pool->machine->info.page_bytes);
    }
    return true;
}

static void run_on_threads(para_pool *pool, para__lane *lane, const para__job *job,
                           const para__plan *plan, para__outcome *outcome)
{
    para__plan spread;
    const para__plan *const carried_out = is_spread(pool, job, plan, &spread) ? &spread : plan;
    para__position at;
    para__pool_position(pool, carried_out->width, &at);
    if (!plan->timed) {
        para__lane_run(lane, &at, job, carried_out, outcome);
        return;
    }
    const uint64_t busy_before = outcome->tally.busy_ticks;
    para__lane_run(lane, &at, job, carried_out, outcome);
    if (para__pool_is_forked(pool))
        return;
    const para__fp fp = para__fp_save();
    para__costs_learn(pool, plan, outcome, outcome->tally.busy_ticks - busy_before);
    if (pool->lanes.before && carried_out->width <= pool->usual) /* else cores are shared */
        para__weights_learn(pool, lane, at.self);
    para__fp_restore(fp, 0);
}

const para__executor para__threads = {.width = para__pool_workers,
                                      .awake = para__pool_awake,
                                      .costs = para__costs_followed,
                                      .wait = para__workers_await,
                                      .wake = para__workers_wake,
                                      .run = run_on_threads};
