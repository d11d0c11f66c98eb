/* Calls of few units, most of whose work is in some of them: all that matters is which thread gets
 * which unit. Costs are a tenth of those that users of such loops have reported, so that a run is
 * short; where they are mixed, each call of a run has other ones. Every runtime divides [0, n) as
 * it would any loop: OpenMP's dynamic and guided schedules hand out single units here, its static
 * one and pthreadpool's single tiles give each thread one range. */
#include "workload.h"
#include <math.h>

/* About 1.6 ns a step of bench_chain. */
static const double steps_per_us = 625;

enum { CALLS_MIXED = 64 };

typedef struct few_dear {
    size_t n, calls;
    const bench_loop *loop;
    uint32_t *steps,
        *out; /* of each unit's chain, and its result; all calls' one after the other */
} few_dear;

/* One call's part of the tables. */
typedef struct units {
    const uint32_t *steps;
    uint32_t *out;
} units;

static void run_units(const units *u, size_t first, size_t last)
{
    uint64_t previous = bench_last;
    for (size_t i = first; i < last; i++) {
        previous = bench_chain(bench_after(i, previous), u->steps[i]);
        u->out[i] = (uint32_t)previous;
    }
    bench_last = previous;
}

/* A loop for each kind of call: what para learns of one must not help or mislead it at another. */
BENCH_LOOP(few_dear_uneven)
{
    run_units(ctx, first, last);
}

BENCH_LOOP(few_dear_mixed)
{
    run_units(ctx, first, last);
}

typedef enum shape { DEAR_FIRST, DEAR_LAST, MIXED } shape;

/* Two dear units among cheap ones, or costs from 2 us to 500 us whose logarithm is uniform. */
static double cost_us(shape s, size_t i, size_t n, uint64_t *random)
{
    if (s == MIXED)
        return 2 * pow(250, bench_uniform(random));
    const bool dear = s == DEAR_FIRST ? i < 2 : i >= n - 2;
    return dear ? 500 : 10;
}

static void *setup(const bench_point *point, const bench_runtime *runtime)
{
    (void)runtime;
    few_dear *f = bench_alloc(sizeof *f);
    const shape s = (shape)point->parameter;
    uint64_t random = 1;
    f->n = point->n;
    f->calls = point->calls ? point->calls : 1;
    f->loop = s == MIXED ? &few_dear_mixed : &few_dear_uneven;
    f->steps = bench_alloc(f->calls * f->n * sizeof *f->steps);
    f->out = bench_alloc(f->calls * f->n * sizeof *f->out);
    for (size_t k = 0; k < f->calls * f->n; k++)
        f->steps[k] = (uint32_t)(cost_us(s, k % f->n, f->n, &random) * steps_per_us);
    return f;
}

static void run(void *ctx, const bench_runtime *runtime)
{
    const few_dear *f = ctx;
    for (size_t c = 0; c < f->calls; c++) {
        const units u = {f->steps + c * f->n, f->out + c * f->n};
        runtime->for_each(f->n, f->loop, &u);
    }
}

static double digest(const void *ctx)
{
    const few_dear *f = ctx;
    double total = 0;
    for (size_t k = 0; k < f->calls * f->n; k++)
        total += (double)(k % 7 + 1) * f->out[k];
    return total;
}

static const bench_point points[] = {
    {.name = "3-dear-first", .n = 3, .parameter = DEAR_FIRST, .quick = true},
    {.name = "3-dear-last", .n = 3, .parameter = DEAR_LAST},
    {.name = "9-dear-first", .n = 9, .parameter = DEAR_FIRST, .quick = true},
    {.name = "9-dear-last", .n = 9, .parameter = DEAR_LAST},
    {.name = "2-mixed", .n = 2, .parameter = MIXED, .calls = CALLS_MIXED, .quick = true},
    {.name = "8-mixed", .n = 8, .parameter = MIXED, .calls = CALLS_MIXED},
    {0},
};

const bench_workload bench_few_dear = {
    .name = "few-dear",
    .title =
        "Few units: two of 500 us, the others of 10 us; or all of 2 to 500 us, another cost each "
        "call",
    .points = points,
    .setup = setup,
    .run = run,
    .digest = digest,
};
