/* A call on its way: it is begun as its description asks and runs as planned, and its outcome is
 * learnt from. Kernels run in the caller's floating-point environment; all else is apart from that.
 * A call's clock is read here alone, and by the participants of a shared one. */
#include "base/tuning.h"
#include "schedule/schedule.h"

#include "base/assert.h"
#include "base/bounds.h"
#include "base/clock.h"
#include "base/stack.h"
#include "pool/default_pool.h"
#include "pool/novice.h"
#include "pool/self.h"
#include "schedule/common.h"
#include "schedule/observer.h"

para__observer *para__observe;
para__atomic_u32 para__watched;

/* ---- Before it runs ------------------------------------------------------------------- */

/* A call that the novice would share goes on in the default pool, which is made for it; there it is
 * decided anew. Whether it does; its width is 1 if it cannot. */
static bool leave_novice(para__schedule *s)
{
    para_pool *made = NULL;
    if (!s->pool->is_novice)
        return false;
    if (para__in_loader((uintptr_t)s->site))
        para__schedule_stay_alone(s, PARA_WHY_LOADING);
    else if (!para__default_pool_offer(&made))
        para__schedule_stay_alone(s, PARA_WHY_ONE_WORKER);
    else
        para__schedule_move(s, made);
    return made != NULL;
}

/* A plan to share is carried out if the process has its threads, they need not wait for what this
 * thread holds, and a lane is free. */
static void take_lane(para__schedule *s)
{
    if (para__pool_is_forked(s->pool))
        para__schedule_stay_alone(s, PARA_WHY_FORKED);
    else if (para__in_loader((uintptr_t)s->site))
        para__schedule_stay_alone(s, PARA_WHY_LOADING);
    else if (!s->lane && !(s->lane = para__lane_lease(&s->pool->lanes))) {
        para__trace_instant(.kind = PARA__EVENT_BUSY, .function = s->kernel);
        para__schedule_stay_alone(s, PARA_WHY_LANES_BUSY);
    } else
        para__schedule_is_shared(s);
}

unsigned para__schedule_room(para__schedule *s, size_t bytes)
{
    const unsigned most = para__schedule_width_most(s);
    if (most == 1 || !s->pool->is_novice || bytes <= PARA__ROOM_BYTES / most)
        return most;
    const bool knows = !para__in_loader((uintptr_t)s->site);
    s->workers = knows ? para__min(s->workers, para__novice_bound()) : 1;
    if (s->workers == 1)
        para__schedule_stay_alone(s, knows ? PARA_WHY_ONE_WORKER : PARA_WHY_LOADING);
    return para__schedule_width_most(s);
}

/* Somebody asks for the call's time. */
__attribute__((noinline)) static void begin_watch(para__schedule *s)
{
    s->since_ns = para__now_ns();
    s->since = para__trace_begin();
    para__trace_instant(.kind = PARA__EVENT_BEGUN, .detail = s->form, .function = s->kernel,
                        .a = s->count);
}

/* A call on worker processes: divided among all that it may have, without a plan. Waits for
 * a desk; has none if the pool has ended. */
static void open_isolated(para__schedule *s, para_pool *pool)
{
    s->isolated = true;
    s->pool = pool;
    const bool is_there = para__schedule_enter(s);
    s->site = NULL;
    s->kind = 0;
    s->is_automatic = s->probe = s->small = s->timed = s->trial = s->widths = false;
    s->dull_ticks = 0;
    s->limit = s->options->workers;
    s->desk = is_there ? para__workshop_enter(pool->shop) : NULL;
    s->workers = is_there ? pool->executor->width(pool) : 1;
    s->plan = para__plan_alone(PARA_WHY_PROCESSES);
    s->plan.width = s->limit && s->limit < s->workers ? s->limit : s->workers;
    if (s->desk)
        para__desk_name(s->desk, &(para__work_name){false, s->kernel, s->options->site});
    s->holds_fp = true;
    s->fp = para__fp_save();
    if (s->split) {
        const para__split split = s->split(s->split_of, s->plan.width);
        s->units = split.units;
        s->plan.width = para__min(s->plan.width, split.width);
    }
}

/* The participants are not this thread: what they do is learnt from nothing. */
static void run_isolated(para__schedule *s, const para__job *job, para__outcome *outcome)
{
    para__job told = *job;
    told.kernel = s->kernel;
    *outcome = (para__outcome){0};
    para__fp_restore(s->fp, 0);
    s->pool->executor->run(s->pool, NULL, &told, &s->plan, outcome);
    s->fp = para__fp_save();
}

void para__schedule_open(para__schedule *s, para_pool *pool, bool is_told)
{
    s->lane = NULL;
    s->desk = NULL;
    s->stay = NULL;
    s->is_guest = pool != NULL;
    s->since_ns = 0;
    if (is_told || para__load_relaxed(&para__watched)) /* no order: see observer.h */
        begin_watch(s);
    s->isolated = false;
    if (pool && pool->shop) {
        open_isolated(s, pool);
        return;
    }
    pool = para__pool_of_call(pool);
    para__lanes_tidy(&pool->lanes);
    s->pool = pool;
    s->holds_fp = !para__schedule_begin_small(s);
    if (!s->holds_fp) {
        if (s->dull_ticks && !para__schedule_enter(s))
            s->dull_ticks = 0; /* nothing is to be learnt any more */
        return;
    }
    s->fp = para__fp_save();
    para__schedule_begin(s);
    if ((s->plan.width > 1 || s->timed) && !para__schedule_enter(s)) {
        s->is_guest =
            false; /* the pool has ended since the call was accepted: to the default one */
        s->pool = para__pool_of_call(NULL);
        if (!para__schedule_begin_small(s))
            para__schedule_begin(s);
    }
    if (s->plan.width > 1 && leave_novice(s) && !para__schedule_begin_small(s))
        para__schedule_begin(s);
    if (s->plan.width > 1)
        take_lane(s);
    para__schedule_settle(s);
}

/* ---- While it runs -------------------------------------------------------------------- */

/* Runs units [first, first + n) of the job on this thread, timed. */
static uint64_t run_batch(para__schedule *s, const para__job *job, size_t first, size_t n,
                          para__runner *runner, para__batches *batches)
{
    const uint64_t start = para__ticks();
    para__fp_restore(s->fp, 0);
    job->run(job->payload, first, n, runner);
    s->fp = para__fp_save();
    const uint64_t ticks = para__ticks() - start;
    runner->tally.busy_ticks += ticks;
    para__batches_add(batches, (double)n, (double)ticks);
    return ticks;
}

/* Runs the job on this thread in growing batches, until the rest is worth sharing. Returns how
 * many units were run. */
static size_t probe(para__schedule *s, const para__job *job, para__runner *runner,
                    para__batches *batches)
{
    size_t done = 0;
    const size_t unit_elements = (s->count - 1) / job->units + 1;
    size_t batch = s->first_elements / unit_elements;
    batch = para__clamp(batch, 1, job->units);
    while (batch > 0) {
        const uint64_t ticks = run_batch(s, job, done, batch, runner, batches);
        done += batch;
        if (done == job->units || runner->tally.ending != PARA__ENDED_WHOLE)
            break;
        const size_t last = batch;
        batch = para__schedule_next(s, batches, last, ticks, job->units - done);
        if (batch == 0 && leave_novice(s)) {
            /* The novice's plan to share is void: the pool may have one worker. */
            s->plan = para__plan_alone(s->workers > 1 ? PARA_WHY_SMALL : PARA_WHY_ONE_WORKER);
            batch = para__schedule_next(s, batches, last, ticks, job->units - done);
        }
        if (batch == 0) {
            if (s->plan.width > 1)
                take_lane(s);
            if (s->plan.width == 1) /* then all that is left, here */
                batch = job->units - done;
        }
    }
    if (done < job->units && runner->tally.ending != PARA__ENDED_WHOLE)
        job->run(job->payload, done, job->units - done, runner); /* counts what it leaves out */
    return done;
}

/* For those who look. Both are published by the call word. */
__attribute__((noinline, cold)) static void name_lane(const para__schedule *s)
{
    para__store_relaxed(&s->lane->kernel, s->kernel);
    para__store_relaxed(&s->lane->site, s->options->site);
}

/* Runs the units from `first` on with helpers. */
static void run_shared(para__schedule *s, const para__job *job, size_t first,
                       para__outcome *outcome)
{
    para__plan *plan = &s->plan;
    PARA__ASSERT(s->lane);
    plan->timed = s->timed;
    plan->units = (para__range){first, job->units - first};
    if (job->unit_bytes)
        para__plan_pages(plan, job->written + first * job->unit_bytes, job->unit_bytes,
                         plan->units.count, s->pool->machine->info.page_bytes);
    if (para__is_traced())
        name_lane(s);
    para__fp_restore(s->fp, 0);
    s->pool->executor->run(s->pool, s->lane, job, plan, outcome);
    s->fp = para__fp_save();
}

void para__schedule_more(para__schedule *s, const para__job *job, para__range units,
                         para__outcome *outcome)
{
    if (units.count == 0)
        return;
    if (s->plan.width == 1 || units.count == 1) {
        para__atomic_u64 stop = PARA__ATOMIC(UINT64_MAX);
        para__atomic_u64 left_out = PARA__ATOMIC(0);
        para__runner runner = {
            .stop = &stop, .left_out = &left_out, .kind = s->kind, .tally = outcome->tally};
        const uint64_t start = s->timed ? para__ticks() : 0;
        job->run(job->payload, units.first, units.count, &runner);
        if (s->timed)
            runner.tally.busy_ticks += para__ticks() - start;
        outcome->tally = runner.tally;
        outcome->left_out += para__load_relaxed(&left_out); /* its own */
        return;
    }
    para__plan plan = s->plan;
    plan.timed = s->timed;
    plan.units = units;
    plan.width = (unsigned)para__min(plan.width, units.count);
    plan.tickets = (unsigned)para__min((units.count - 1) / plan.width + 1, PARA__PHASE_TICKETS);
    plan.first = (plan.tickets - 1) / PARA__PHASE_CLAIMS + 1;
    plan.head_start = 0;
    plan.grain = (para__grain){0};
    /* Batches and helpers' times stay those of the first phase: they describe one job. */
    const para__batches batches = outcome->batches;
    const float dearest_ticks = outcome->tally.dearest_ticks;
    const unsigned workers = outcome->workers;
    outcome->tally.came_ticks = 0;
    s->pool->executor->run(s->pool, s->lane, job, &plan, outcome);
    outcome->workers = para__max(workers, outcome->workers);
    outcome->tally.dearest_ticks = dearest_ticks;
    outcome->batches = batches;
}

/* Of a call whose rest is shared: what ran here before is a batch to those who look. Else the call
 * tells of it. */
static size_t probe_told(para__schedule *s, const para__job *job, para__runner *runner,
                         para__batches *batches)
{
    const para__mark since = para__trace_begin();
    const size_t done = probe(s, job, runner, batches);
    if (s->plan.width > 1)
        para__trace_end(since, .kind = PARA__EVENT_BATCH, .function = s->kernel, .b = done,
                        .chunks = (unsigned)runner->tally.chunks, .is_busy = true);
    return done;
}

/* The ways to run that are not the shortest: timed, probed, shared. */
static void run_at_length(para__schedule *s, const para__job *job, para__rest *later, void *state,
                          para__runner *runner, para__outcome *outcome)
{
    const bool whole = para__schedule_is_alone(s);
    const uint64_t start = s->timed && !whole ? para__ticks() : 0;
    size_t done = 0;
    outcome->batches = (para__batches){0};
    if (s->probe)
        done = probe_told(s, job, runner, &outcome->batches);
    else if (s->plan.width == 1)
        outcome->ticks = run_batch(s, job, 0, job->units, runner, &outcome->batches);
    outcome->tally = runner->tally;
    outcome->left_out = para__load_relaxed(runner->left_out); /* its own */
    outcome->workers = runner->tally.chunks != 0;
    if (s->plan.width > 1)
        run_shared(s, job, done, outcome);
    const bool is_trial = s->timed && s->site && (s->trial || s->widths);
    if (later) {
        para__fp_restore(s->fp, 0);
        later(s, state, outcome);
        s->fp = para__fp_save();
    }
    if (s->timed && s->site && outcome->tally.ending == PARA__ENDED_WHOLE) {
        if (!whole)
            outcome->ticks = para__ticks() - start;
        para__schedule_learn(s, outcome, job->units);
    } else if (is_trial)
        para__schedule_forgo_trial(s); /* it tells nothing, and has to be paid all the same */
}

/* The call is over, and somebody has asked for its time. */
__attribute__((noinline)) static void end_watch(para__schedule *s, para__outcome *outcome)
{
    outcome->time_ns = para__now_ns() - s->since_ns;
    if (outcome->tally.ending == PARA__ENDED_FORKED)
        return;
    para__trace_end(s->since, .kind = PARA__EVENT_CALL,
                    .detail = (unsigned)s->plan.why | (unsigned)s->form << 8, .function = s->kernel,
                    .id = s->options->site, .a = s->count,
                    .b = s->plan.width | (uint64_t)outcome->workers << 16,
                    .chunks = outcome->tally.chunks, .is_busy = s->plan.width == 1 && !s->isolated);
    if (para__load_relaxed(&para__watched) & PARA__WATCH_REPORT) /* no order: see observer.h */
        para__observe(s, outcome);
}

void para__schedule_run_phases(para__schedule *s, const para__job *job, para__rest *later,
                               void *state, para__outcome *outcome)
{
    para__atomic_u64 stop = PARA__ATOMIC(UINT64_MAX);
    para__atomic_u64 left_out = PARA__ATOMIC(0);
    s->kind = s->isolated ? 0 : para__pool_kind(s->pool);
    para__runner runner = {.stop = &stop, .left_out = &left_out, .kind = s->kind};
    const uintptr_t outermost = para__is_within_call() ? para__outermost_call : 0;
    if (!outermost)
        para__outermost_call = (uintptr_t)__builtin_frame_address(0);
    if (s->isolated) {
        run_isolated(s, job, outcome);
        if (later) {
            para__fp_restore(s->fp, 0);
            later(s, state, outcome);
            s->fp = para__fp_save();
        }
        para__schedule_release_fp(s, outcome->tally.fp_flags);
    } else if (s->plan.width == 1 && !s->timed) {
        const uint64_t start = s->dull_ticks ? para__ticks() : 0;
        para__schedule_release_fp(s, 0);
        job->run(job->payload, 0, job->units, &runner);
        outcome->tally = runner.tally;
        outcome->left_out = para__load_relaxed(&left_out); /* its own */
        if (later)
            later(s, state, outcome);
        if (s->dull_ticks)
            para__schedule_watched(s, para__ticks() - start);
        outcome->workers = outcome->tally.chunks != 0;
    } else {
        run_at_length(s, job, later, state, &runner, outcome);
        para__schedule_release_fp(s, outcome->tally.fp_flags);
    }
    para__outermost_call = outermost;
    if (s->since_ns)
        end_watch(s, outcome);
}
