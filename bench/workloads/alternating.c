/* What was learned is wrong every time: one loop whose items cost 1 ns and 1 us by turns, and one
 * that has 1 and a million items by turns. Only the call that the point is named after is timed. */
#include "workload.h"

typedef struct turn {
    size_t n, steps;
} turn;

typedef struct alternating {
    turn timed, other;
    uint32_t *out;
    size_t steps; /* of the call that is made */
} alternating;

BENCH_LOOP(alternating_loop)
{
    const alternating *a = ctx;
    uint64_t previous = bench_last;
    for (size_t i = first; i < last; i++) {
        previous = bench_chain(bench_after(i, previous), a->steps);
        a->out[i] = (uint32_t)previous;
    }
    bench_last = previous;
}

static void call(alternating *a, const turn *t, const bench_runtime *runtime)
{
    a->steps = t->steps;
    runtime->for_each(t->n, &alternating_loop, a);
}

static void run(void *ctx, const bench_runtime *runtime)
{
    alternating *a = ctx;
    call(a, &a->timed, runtime);
}

static void prepare(void *ctx, const bench_runtime *runtime)
{
    alternating *a = ctx;
    call(a, &a->other, runtime);
}

static void *setup(const bench_point *point, const bench_runtime *runtime)
{
    static const turn turns[][2] = {{{1000, 0}, {1000, 625}},
                                    {{1000, 625}, {1000, 0}},
                                    {{1, 0}, {1000000, 0}},
                                    {{1000000, 0}, {1, 0}}};
    (void)runtime;
    alternating *a = bench_alloc(sizeof *a);
    a->timed = turns[(size_t)point->parameter][0];
    a->other = turns[(size_t)point->parameter][1];
    a->out = bench_alloc(1000000 * sizeof *a->out);
    return a;
}

static double digest(const void *ctx)
{
    const alternating *a = ctx;
    double total = 0;
    for (size_t i = 0; i < 1000000; i++)
        total += (double)(i % 7 + 1) * a->out[i];
    return total;
}

static const bench_point points[] = {
    {.name = "1ns-after-1us", .parameter = 0, .quick = true},
    {.name = "1us-after-1ns", .parameter = 1, .quick = true},
    {.name = "1-after-1000000", .parameter = 2, .quick = true},
    {.name = "1000000-after-1", .parameter = 3, .quick = true},
    {0},
};

const bench_workload bench_alternating = {
    .name = "alternating",
    .title =
        "One loop, changed from call to call: cost of its 1000 items, and number of 1 ns items",
    .kind = BENCH_PREPARED,
    .needs = BENCH_DECIDES,
    .points = points,
    .setup = setup,
    .run = run,
    .prepare = prepare,
    .digest = digest,
};
