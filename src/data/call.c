#include "data/call.h"

#include "base/memory.h"
#include "base/status.h"
#include "base/tuning_memory.h"

#include <para/setup.h>

const char *para_why_text(para_why why)
{
    static const char *const texts[] = {
        [PARA_WHY_EMPTY] = "no elements",
        [PARA_WHY_PARALLEL] = "parallel: a gain was predicted",
        [PARA_WHY_ESCALATED] = "parallel: measured on the caller first, then shared",
        [PARA_WHY_ASKED] = "as the options asked",
        [PARA_WHY_ONE_UNIT] = "serial: the call cannot be divided",
        [PARA_WHY_ONE_WORKER] = "serial: the pool has one worker",
        [PARA_WHY_SMALL] = "serial: predicted gain below the cost of sharing",
        [PARA_WHY_LANES_BUSY] = "serial: every lane of the pool was in use",
        [PARA_WHY_FORKED] = "serial: the process forked after the pool was made",
        [PARA_WHY_SATURATED] = "parallel: on some workers; more add nothing, or this is a trial",
        [PARA_WHY_MEMORY] = "serial: no memory for several workers",
        [PARA_WHY_TOGETHER] = "serial: the thread's short loops take less time together alone",
        [PARA_WHY_PROCESSES] = "parallel: on worker processes",
        [PARA_WHY_LOADING] = "serial: made while a library is loaded or unloaded",
    };
    const size_t index = (size_t)why;
    return index < sizeof texts / sizeof texts[0] ? texts[index] : "unknown";
}

para_status para_refuse_count_(size_t count, para_report *report)
{
    if (report)
        *report = (para_report){0};
    if (count == PARA_TOO_MANY_)
        return para__fail(PARA_ERR_OVERFLOW, "the product of the numbers of iterations, or the "
                                             "length of a row, is too large");
    return para__fail(PARA_ERR_OVERFLOW, "the number of iterations is negative: %td",
                      (ptrdiff_t)count);
}

/* Leases a lane for the call's memory; false: there is none. A forked pool's lanes may have been
 * caught halfway: they are left alone. So are the novice's: the call may leave it. */
static bool has_lane(para__schedule *s)
{
    if (!s->lane && !s->pool->is_novice && !para__pool_is_forked(s->pool) &&
        para__schedule_enter(s))
        s->lane = para__lane_lease(&s->pool->lanes);
    return s->lane != NULL;
}

void *para__call_memory(para__call *call, size_t bytes)
{
    para__schedule *s = &call->schedule;
    if (s->desk)
        return para__desk_arena(s->desk, 0, bytes);
    if (!s->isolated && has_lane(s))
        return para__lane_arena(s->lane, bytes);
    para__block_free(call->borrowed, call->borrowed_bytes);
    call->borrowed = para__block_alloc(bytes);
    call->borrowed_bytes = call->borrowed ? bytes : 0;
    return call->borrowed;
}

bool para__call_has_strips(para__call *call, size_t bytes)
{
    para__schedule *s = &call->schedule;
    return !s->isolated && bytes >= PARA__STRIP_LEAST && s->pool->has_domains &&
           s->pool->machine->info.numa_nodes > 1 && has_lane(s);
}

char *para__call_strips(para__call *call, unsigned count, size_t *bytes)
{
    return para__call_has_strips(call, *bytes)
               ? para__lane_strips(call->schedule.lane, count, bytes)
               : para__call_memory(call, count * *bytes);
}

static void write_report(const para__call *call, const para__outcome *outcome)
{
    const para__tally *tally = &outcome->tally;
    *call->report = (para_report){.workers = outcome->workers,
                                  .width = call->schedule.plan.width,
                                  .chunks = tally->chunks,
                                  .chunk = tally->largest,
                                  .time_ns = outcome->time_ns,
                                  .why = call->schedule.plan.why,
                                  .done = call->schedule.count - outcome->left_out};
    if (call->isolated)
        call->tell(call, outcome);
    if (tally->ending == PARA__ENDED_FAILED) {
        call->report->kernel_error = tally->error;
        call->report->failed_first = tally->failed_first;
        call->report->failed_count = tally->failed_count;
    }
}

para_status para__call_missing(void)
{
    return para__fail(PARA_ERR_ARGUMENT, "there is no call");
}

para_status para__call_fail(int error, size_t first, size_t count)
{
    return para__fail(PARA_ERR_KERNEL, "error %d in elements [%zu, %zu)", error, first,
                      first + count);
}

/* The status of a call that did not run to its end. Without a reason in the token a kernel has left
 * its thread: see executor/left.c. */
__attribute__((cold)) static para_status ending_status(const para_cancel *cancel,
                                                       const para__tally *tally)
{
    if (tally->ending == PARA__ENDED_FAILED)
        return para__call_fail(tally->error, tally->failed_first, tally->failed_count);
    if (tally->ending == PARA__ENDED_FORKED)
        return para__fail(PARA_ERR_FORKED, NULL);
    const para_status reason = cancel ? para_cancel_status(cancel) : PARA_OK;
    return para__cancel_fail(reason ? reason : PARA_ERR_CANCELLED);
}

para_status para__call_run_phases(para__call *call, const para__job *job, para__rest *later,
                                  void *state)
{
    para__outcome outcome;
    para__schedule_run_phases(&call->schedule, job, later, state, &outcome);
    para_status status = call->isolated ? call->settle(call, job, &outcome) : PARA_OK;
    if (!status && outcome.tally.ending != PARA__ENDED_WHOLE)
        status = ending_status(call->schedule.options->cancel, &outcome.tally);
    if (call->report && status != PARA_ERR_FORKED && status != PARA_ERR_ARGUMENT)
        write_report(call, &outcome);
    return status;
}

para_status para__call_run(para__call *call, const para__job *job)
{
    return para__call_run_phases(call, job, NULL, NULL);
}
