#include "data/call.h"

#include "base/bounds.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/stack.h"
#include "base/status.h"
#include "pool/default_pool.h"

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
        [PARA_WHY_LOADING] = "serial: made while a library is loaded or unloaded",
    };
    const size_t index = (size_t)why;
    return index < sizeof texts / sizeof texts[0] ? texts[index] : "unknown";
}

/* Memory that no call has needed for this long is given back. To allocate it anew costs about 0.1 s
 * for a GiB. */
static const double idle_ns = 1e9;

static void trim(para_pool *pool)
{
    const para__fp fp = para__fp_save();
    const uint64_t idle_ticks = para__ns_to_ticks(idle_ns);
    if (para__ticks() - para__load_relaxed(&pool->lanes.kept_ticks) > idle_ticks && /* see lane.h */
        !para__pool_is_forked(pool))
        para__lanes_trim(&pool->lanes, idle_ticks);
    para__fp_restore(fp, 0);
}

/* Leases a lane for a plan to share, if the process has the pool's threads, they need not wait for
 * something that this thread holds, and a lane is free. Otherwise the call runs alone. */
static void take_lane(para__call *call)
{
    para__schedule *s = &call->schedule;
    if (para__pool_is_forked(s->pool))
        para__schedule_stay_alone(s, PARA_WHY_FORKED);
    else if (para__in_loader((uintptr_t)s->site))
        para__schedule_stay_alone(s, PARA_WHY_LOADING);
    else if (!call->lane && !(call->lane = para__lane_lease(&s->pool->lanes)))
        para__schedule_stay_alone(s, PARA_WHY_LANES_BUSY);
    else
        para__schedule_is_shared(s);
}

para_status para__call_begin(para__call *call, para_pool *pool, void (*kernel)(void), size_t count,
                             size_t units, const para_options *options, para_report *report)
{
    call->lane = NULL;
    call->borrowed = NULL;
    call->borrowed_bytes = 0;
    call->report = report;
    if (report)
        call->start_ns = para__now_ns();
    const para_status status = para__pool_resolve(&pool);
    if (status)
        return status;
    if (para__load_relaxed(&pool->lanes.kept_ticks)) /* see lane.h */
        trim(pool);
    call->schedule.pool = pool;
    call->schedule.count = count;
    call->schedule.options = options;
    call->holds_fp = !para__schedule_begin_small(&call->schedule, (uintptr_t)kernel, units);
    if (!call->holds_fp)
        return PARA_OK;
    call->fp = para__fp_save();
    para__schedule_begin(&call->schedule, units);
    if (call->schedule.plan.width > 1)
        take_lane(call);
    return PARA_OK;
}

unsigned para__call_width_most(const para__call *call)
{
    const para__schedule *s = &call->schedule;
    if (para__call_is_alone(call))
        return 1;
    if (!s->probe)
        return s->plan.width;
    const unsigned workers = para__pool_workers(s->pool);
    return s->limit && s->limit < workers ? s->limit : workers;
}

void *para__call_memory(para__call *call, size_t bytes)
{
    /* A forked pool's lanes may have been caught halfway: they are left alone. */
    if (!call->lane && !para__pool_is_forked(call->schedule.pool))
        call->lane = para__lane_lease(&call->schedule.pool->lanes);
    if (call->lane)
        return para__lane_arena(call->lane, bytes);
    para__block_free(call->borrowed, call->borrowed_bytes);
    call->borrowed = para__block_alloc(bytes);
    call->borrowed_bytes = call->borrowed ? bytes : 0;
    return call->borrowed;
}

/* Runs units [first, first + n) of the job on this thread, timed, in the caller's floating-point
 * environment. */
static uint64_t run_batch(para__call *call, const para__job *job, size_t first, size_t n,
                          para__runner *runner, para__batches *batches)
{
    const uint64_t start = para__ticks();
    para__fp_restore(call->fp, 0);
    job->run(job->payload, first, n, runner);
    call->fp = para__fp_save();
    const uint64_t ticks = para__ticks() - start;
    runner->tally.busy_ticks += ticks;
    para__batches_add(batches, (double)n, (double)ticks);
    return ticks;
}

/* Runs the job on this thread in growing batches, until the rest is worth sharing. Returns how
 * many units were run. */
static size_t probe(para__call *call, const para__job *job, para__runner *runner,
                    para__batches *batches)
{
    para__schedule *s = &call->schedule;
    size_t done = 0;
    const size_t unit_elements = (s->count - 1) / job->units + 1;
    size_t batch = s->first_elements / unit_elements;
    batch = para__clamp(batch, 1, job->units);
    while (batch > 0) {
        const uint64_t ticks = run_batch(call, job, done, batch, runner, batches);
        done += batch;
        if (done == job->units || runner->tally.error)
            break;
        batch = para__schedule_next(s, batches, batch, ticks, job->units - done);
        if (batch == 0) {
            take_lane(call);
            if (s->plan.width == 1) /* then this thread runs the rest */
                batch = job->units - done;
        }
    }
    return done;
}

void para__call_more(para__call *call, para__job *job, para__outcome *outcome)
{
    para__schedule *s = &call->schedule;
    if (job->units == 0)
        return;
    if (s->plan.width == 1 || job->units == 1) {
        para__atomic_u64 stop = PARA__ATOMIC(UINT64_MAX);
        para__runner runner = {
            .stop = &stop, .kind = para__call_kind(call), .tally = outcome->tally};
        const uint64_t start = s->timed ? para__ticks() : 0;
        job->run(job->payload, job->first, job->units, &runner);
        if (s->timed)
            runner.tally.busy_ticks += para__ticks() - start;
        outcome->tally = runner.tally;
        return;
    }
    para__plan plan = s->plan;
    plan.width = (unsigned)para__min(plan.width, job->units);
    plan.tickets = (unsigned)para__min((job->units - 1) / plan.width + 1, 256);
    plan.first = (plan.tickets + 15) / 16;
    plan.head_start = 0;
    plan.grain = (para__grain){0};
    /* Batches and helpers' times stay those of the first phase: they describe one job. */
    const para__batches batches = outcome->batches;
    const float dearest_ticks = outcome->tally.dearest_ticks;
    const unsigned workers = outcome->workers;
    outcome->tally.came_ticks = 0;
    job->timed = s->timed;
    s->pool->executor->run(s->pool, call->lane, job, &plan, outcome);
    outcome->workers = para__max(workers, outcome->workers);
    outcome->tally.dearest_ticks = dearest_ticks;
    outcome->batches = batches;
}

/* Runs a call that is timed, probed or shared. */
static void run_at_length(para__call *call, para__job *job, para__runner *runner, para__rest *rest,
                          void *state, para__outcome *outcome)
{
    para__schedule *s = &call->schedule;
    const size_t units = job->units;
    const bool whole = s->plan.width == 1 && !s->probe;
    const uint64_t start = s->timed && !whole ? para__ticks() : 0;
    outcome->batches = (para__batches){0};
    if (s->probe)
        job->first = probe(call, job, runner, &outcome->batches);
    else if (s->plan.width == 1)
        outcome->ticks = run_batch(call, job, 0, units, runner, &outcome->batches);
    outcome->tally = runner->tally;
    outcome->workers = runner->tally.chunks != 0;
    if (s->plan.width > 1) {
        job->units = units - job->first;
        job->timed = s->timed;
        if (job->unit_bytes)
            para__plan_pages(&s->plan, job->written + job->first * job->unit_bytes, job->unit_bytes,
                             job->units, s->pool->machine->info.page_bytes);
        para__fp_restore(call->fp, 0);
        s->pool->executor->run(s->pool, call->lane, job, &s->plan, outcome);
        call->fp = para__fp_save();
    }
    if (rest) {
        para__fp_restore(call->fp, 0);
        rest(call, state, outcome);
        call->fp = para__fp_save();
    }
    if (s->timed && s->site && !outcome->tally.error) {
        if (!whole)
            outcome->ticks = para__ticks() - start;
        para__schedule_learn(s, outcome, units);
    }
}

static void write_report(const para__call *call, const para__outcome *outcome)
{
    const para__tally *tally = &outcome->tally;
    *call->report = (para_report){.workers = outcome->workers,
                                  .width = call->schedule.plan.width,
                                  .chunks = tally->chunks,
                                  .chunk = tally->largest,
                                  .time_ns = para__now_ns() - call->start_ns,
                                  .why = call->schedule.plan.why};
    if (tally->error && tally->failed_count) {
        call->report->kernel_error = tally->error;
        call->report->failed_first = tally->failed_first;
        call->report->failed_count = tally->failed_count;
    }
}

para_status para__call_fail(int error, size_t first, size_t count)
{
    return para__fail(PARA_ERR_KERNEL, "error %d in elements [%zu, %zu)", error, first,
                      first + count);
}

para_status para__call_run_phases(para__call *call, para__job *job, para__rest *rest, void *state)
{
    const para__schedule *s = &call->schedule;
    para__atomic_u64 stop = PARA__ATOMIC(UINT64_MAX);
    para__runner runner = {.stop = &stop, .kind = para__call_kind(call)};
    para__outcome outcome;
    if (s->plan.width == 1 && !s->timed) {
        para__call_release_fp(call, 0);
        job->run(job->payload, 0, job->units, &runner);
        outcome.tally = runner.tally;
        if (rest)
            rest(call, state, &outcome);
        outcome.workers = outcome.tally.chunks != 0;
    } else {
        run_at_length(call, job, &runner, rest, state, &outcome);
        para__call_release_fp(call, outcome.tally.fp_flags);
    }
    const para__tally *tally = &outcome.tally;
    if (call->report)
        write_report(call, &outcome);
    if (tally->error && tally->failed_count == 0)
        return para__fail((para_status)tally->error, NULL);
    if (tally->error)
        return para__call_fail(tally->error, tally->failed_first, tally->failed_count);
    return PARA_OK;
}

para_status para__call_run(para__call *call, para__job *job)
{
    return para__call_run_phases(call, job, NULL, NULL);
}
