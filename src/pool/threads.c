#include "pool/threads.h"

#include "base/fpenv.h"
#include "pool/calibrate.h"
#include "pool/start.h"
#include "pool/worker.h"

/* Learns how long the first helper was on its way, and what sharing cost the caller. */
static void refine_costs(para_pool *pool, const para__plan *plan, const para__outcome *outcome,
                         uint64_t busy_ticks)
{
    const uint64_t came_ticks = outcome->tally.came_ticks;
    const bool came = came_ticks > outcome->published;
    const bool awake = outcome->sleepers == 0;
    if (awake || outcome->sleepers == plan->width - 1) /* else it is not known which came first */
        para__costs_refine(pool, (came ? came_ticks : outcome->joined) - outcome->published, awake,
                           came);
    if (came && awake && plan->tickets == 1)
        para__costs_refine_share(pool, plan->width, outcome->joined - outcome->begun, busy_ticks);
}

static void run_on_threads(para_pool *pool, para__lane *lane, const para__job *job,
                           const para__plan *plan, para__outcome *outcome)
{
    const para__position at = para__pool_position(pool, plan->width);
    if (!plan->timed) {
        para__lane_run(lane, at, job, plan, outcome);
        return;
    }
    const uint64_t busy_before = outcome->tally.busy_ticks;
    para__lane_run(lane, at, job, plan, outcome);
    if (para__pool_is_forked(pool))
        return;
    const para__fp fp = para__fp_save();
    refine_costs(pool, plan, outcome, outcome->tally.busy_ticks - busy_before);
    para__fp_restore(fp, 0);
}

static unsigned workers_now(const para_pool *pool)
{
    return para__pool_workers(pool);
}

const para__executor para__threads = {.width = workers_now,
                                      .awake = para__pool_awake,
                                      .costs = para__costs_followed,
                                      .wait = para__workers_await,
                                      .wake = para__workers_wake,
                                      .run = run_on_threads};
