/* Calls on the simulated machine, by para's engine and by barriers. */
#include "scenario.h"

#include "base/memory.h"
#include "pool/calibrate.h"
#include "pool/types.h"
#include "thread.h"

#include <math.h>
#include <para/map.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Instructions that the simulation does not see: of a call's entry and exit, and of a kernel call.
 * Together with atomics and clocks they make F1's call alone and a claim of some 20 ns. */
static const double call_ns = 8;
static const double chunk_ns = 5;

typedef struct run_state {
    const scenario *s;
    double *prefix;
    unsigned *done;  /* [units]: how often */
    unsigned active; /* cores in a batch */
    size_t beyond;
    double start; /* of the call; and of each core's first chunk in it, and the last one's end */
    double came[MODEL_CORES_MAX], ended;
    outcome out;
} run_state;

/* The thread that measures is one; the pool's threads see it by this. */
static run_state *state;

/* So much work of a core, where `limit` cores at work saturate memory. Its pace follows how many
 * are at work, and is looked at every microsecond. */
static void work_saturated(double ns, unsigned limit)
{
    static const double step_ns = 1000;
    while (ns > 0) {
        const double step = fmin(ns, step_ns);
        model_work(step * fmax(1, (double)state->active / limit));
        ns -= step;
    }
}

static void compute(size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++)
        state->done[i]++;
    const model_machine *const m = &state->s->on;
    const unsigned socket = model_part_of((unsigned)para__current_cpu(), m->sockets);
    for (size_t i = first; i < first + count; i++) { /* slices are even but for the head start */
        const unsigned owner = (unsigned)(i * m->cores / state->s->units);
        state->beyond += model_part_of(owner, m->sockets) != socket;
    }
    double *const came = &state->came[para__current_cpu()];
    if (*came < state->start)
        *came = model_now();
    const unsigned active = ++state->active;
    const double contended = state->s->contended > 0 && active > 1 ? state->s->contended : 1;
    const bool is_slow = (unsigned)para__current_cpu() >= m->cores - m->slow;
    const double units_ns = contended * (is_slow ? m->slowness : 1) *
                            (state->prefix[first + count] - state->prefix[first]);
    model_work(chunk_ns + state->s->price_ns + (state->s->saturate ? 0 : units_ns));
    if (state->s->saturate)
        work_saturated(units_ns, state->s->saturate);
    state->active--;
    state->ended = fmax(state->ended, model_now());
}

/* ---- Costs of units ------------------------------------------------------------------- */

static double uniform(uint64_t *random)
{
    return ((double)(model_random(random) >> 11) + 0.5) / 9007199254740992.0;
}

static double cost_of(pattern p, size_t i, size_t n, uint64_t *random)
{
    switch (p) {
    case PATTERN_TRIANGULAR:
        return (double)i;
    case PATTERN_LOGNORMAL: { /* Box and Muller, 1958 */
        const double radius = sqrt(-2 * log(uniform(random)));
        return fmin(exp(3 + 1.5 * radius * cos(6.283185307179586 * uniform(random))), 100000);
    }
    case PATTERN_LAST:
        return i >= n - n / 100 ? 1 : 0;
    case PATTERN_DEAR:
        return uniform(random) < 0.01 ? 1000 : 1;
    default:
        return 1;
    }
}

void scenario_costs(const scenario *s, double *prefix)
{
    uint64_t random = s->on.seed;
    prefix[0] = 0;
    for (size_t i = 0; i < s->units; i++)
        prefix[i + 1] = prefix[i] + cost_of(s->pattern, i, s->units, &random);
    const double scale = prefix[s->units] > 0 ? s->work_ns / prefix[s->units] : 0;
    for (size_t i = 0; i <= s->units; i++)
        prefix[i] *= scale;
}

/* ---- para ----------------------------------------------------------------------------- */

static int kernel(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    compute(chunk->first, chunk->count);
    return 0;
}

static void call_para(para_pool *pool, para_report *report)
{
    const scenario *s = state->s;
    model_work(call_ns);
    const para_status status =
        para_pmap(pool, &(para_map){.kernel = kernel,
                                    .count = s->units,
                                    .report = report,
                                    .options.executor =
                                        s->forced ? PARA_EXECUTOR_THREADS : PARA_EXECUTOR_AUTO});
    if (status)
        abort();
}

/* One group, or one for each worker: job descriptors, done words and scouts go by these. */
static void regroup(para_pool *pool, bool each)
{
    const unsigned workers = para__pool_workers(pool);
    for (unsigned i = 0; i < workers; i++)
        pool->lanes.helper[i].group = each ? i : 0;
    const unsigned groups = para__helpers_group(pool->lanes.helper, workers);
    para__free(pool->lanes.raids);
    pool->lanes.groups = groups;
    pool->lanes.raids = para__alloc((size_t)groups * groups * sizeof *pool->lanes.raids);
    if (!pool->lanes.raids)
        abort();
    for (unsigned g = 0; g < groups; g++)
        for (unsigned i = 1; i < groups; i++)
            pool->lanes.raids[g * (groups - 1) + i - 1] = (uint16_t)((g + i) % groups);
}

static para_pool *make_pool(void)
{
    const scenario *s = state->s;
    para_pool *pool = NULL;
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = s->on.cores;
    config.binding = PARA_BIND_CORE;
    config.start = PARA_START_WAIT;
    if (para_pool_create(&pool, &config))
        abort();
    if (s->lines != LINES_GROUPED) {
        regroup(pool, s->lines == LINES_EACH);
        para__costs_measure(pool);
    }
    state->out.round_trip_ns = pool->costs.round_trip_ns;
    state->out.per_helper_ns = pool->costs.per_helper_ns;
    state->out.far_ns = pool->costs.far_ns;
    state->out.wake_ns = pool->costs.wake_ns;
    return pool;
}

/* ---- Barriers ------------------------------------------------------------------------- */

typedef struct barrier {
    _Alignas(PARA__LINE) para__atomic_u32 awaited;
    _Alignas(PARA__LINE) para__atomic_u32 phase;
} barrier;

typedef struct member {
    _Alignas(PARA__LINE) para__atomic_u32 go;
    _Alignas(PARA__LINE) para__atomic_u32 arrived;
} member;

static barrier dock, end;
static member members[MODEL_CORES_MAX];

static void pass(barrier *b)
{
    const uint32_t phase = MODEL_LOAD(&b->phase, true);
    if (MODEL_ADD(&b->awaited, -1u) == 1) {
        MODEL_STORE(&b->awaited, state->s->on.cores);
        MODEL_STORE(&b->phase, phase + 1);
    } else {
        while (MODEL_LOAD(&b->phase, true) == phase)
            para__pause();
    }
}

static void compute_share(unsigned i)
{
    const size_t n = state->s->units;
    const unsigned p = state->s->on.cores;
    const size_t first = para__share(n, p, i);
    const size_t last = para__share(n, p, i + 1);
    if (last > first)
        compute(first, last - first);
}

static void *serve_barrier(void *arg)
{
    const unsigned self = (unsigned)((member *)arg - members);
    for (;;) {
        pass(&dock);
        compute_share(self);
        pass(&end);
    }
    return NULL;
}

static void spread(unsigned self, uint32_t phase)
{
    for (unsigned c = 4 * self + 1; c <= 4 * self + 4 && c < state->s->on.cores; c++)
        MODEL_STORE(&members[c].go, phase);
}

static void gather(unsigned self, uint32_t phase)
{
    for (unsigned c = 4 * self + 1; c <= 4 * self + 4 && c < state->s->on.cores; c++)
        while (MODEL_LOAD(&members[c].arrived, true) != phase)
            para__pause();
}

static void *serve_tree(void *arg)
{
    const unsigned self = (unsigned)((member *)arg - members);
    for (uint32_t phase = 1;; phase++) {
        while (MODEL_LOAD(&members[self].go, true) != phase)
            para__pause();
        spread(self, phase);
        compute_share(self);
        gather(self, phase);
        MODEL_STORE(&members[self].arrived, phase);
    }
    return NULL;
}

static void make_barriers(void)
{
    memset(members, 0, sizeof members);
    dock = end = (barrier){.awaited = PARA__ATOMIC(state->s->on.cores)};
    for (unsigned i = 1; i < state->s->on.cores; i++)
        model_start(i, state->s->runtime == RUNTIME_TREE ? serve_tree : serve_barrier, &members[i]);
    model_work(1e6);
}

static void call_barrier(uint32_t phase)
{
    model_work(call_ns);
    if (state->s->runtime == RUNTIME_TREE) {
        spread(0, phase);
        compute_share(0);
        gather(0, phase);
    } else {
        pass(&dock);
        compute_share(0);
        pass(&end);
    }
}

/* ---- Measuring ------------------------------------------------------------------------ */

static void preempt_some(uint64_t *random)
{
    for (unsigned i = 0; i < state->s->preempted && state->s->on.cores > 1; i++)
        model_preempt(1 + (unsigned)(model_random(random) % (state->s->on.cores - 1)), 3e6);
}

/* Where the time of the call that has just returned went. */
static void split(outcome *out)
{
    const scenario *s = state->s;
    double last = state->start;
    for (unsigned i = 0; i < s->on.cores; i++)
        last = fmax(last, state->came[i]);
    out->publish_ns += (state->came[0] - state->start) / s->calls;
    out->spread_ns += (last - state->start) / s->calls;
    out->work_ns += (state->ended - state->start) / s->calls;
}

static void measure(void *arg)
{
    (void)arg;
    const scenario *s = state->s;
    const bool para = s->runtime == RUNTIME_PARA;
    outcome *out = &state->out;
    para_pool *pool = NULL;
    if (para)
        pool = make_pool();
    else
        make_barriers();
    uint64_t random = s->on.seed;
    out->exact = true;
    out->why = "";
    out->least_ns = INFINITY;
    uint64_t transfers = 0;
    for (unsigned k = 0; k < s->warm_calls + s->calls; k++) {
        const bool counts = k >= s->warm_calls;
        para_report report = {.width = s->on.cores, .workers = s->on.cores};
        if (s->asleep)
            model_work(1e6);
        if (counts)
            preempt_some(&random);
        const uint64_t transfers_before = model_transfers;
        const size_t beyond_before = state->beyond;
        const double start = state->start = model_now();
        if (para)
            call_para(pool, counts && k + 1 < s->warm_calls + s->calls ? NULL : &report);
        else
            call_barrier(k + 1);
        const double ns = model_now() - start;
        for (size_t i = 0; i < s->units; i++)
            out->exact &= state->done[i] == k + 1;
        if (!counts)
            continue;
        split(out);
        transfers += model_transfers - transfers_before;
        out->beyond +=
            (double)(state->beyond - beyond_before) / (double)s->units / (double)s->calls;
        out->mean_ns += ns / s->calls;
        out->least_ns = fmin(out->least_ns, ns);
        out->most_ns = fmax(out->most_ns, ns);
        out->width = report.width;
        out->workers = report.workers;
        out->why = para ? para_why_text(report.why) : "";
    }
    out->transfers = (double)transfers / s->calls;
    out->events = model_events;
    para__free(pool ? pool->lanes.raids : NULL);
    para__free(pool ? pool->lanes.before : NULL);
    para__free(pool);
}

outcome scenario_run(const scenario *s)
{
    run_state r = {.s = s};
    r.prefix = calloc(s->units + 1, sizeof *r.prefix);
    r.done = calloc(s->units, sizeof *r.done);
    if (!r.prefix || !r.done)
        abort();
    scenario_costs(s, r.prefix);
    state = &r;
    model_simulate(&s->on, measure, NULL);
    state = NULL;
    free(r.prefix);
    free(r.done);
    return r.out;
}
