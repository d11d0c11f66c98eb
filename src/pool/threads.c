#include "pool/threads.h"

#include "base/fpenv.h"
#include "pool/calibrate.h"
#include "pool/start.h"
#include "pool/worker.h"

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
    para__costs_learn(pool, plan, outcome, outcome->tally.busy_ticks - busy_before);
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
