/* From one element to ten million, from 0.3 ns to 10 us each, as far as a serial run takes no
 * longer than about 20 ms: on a warm site, and as the first call that a site ever sees. */
#include "workload.h"

typedef struct grid {
    size_t n, steps;
    const bench_loop *loop;
    double *x, *y;
    uint32_t *out;
} grid;

/* About 0.3 ns an element. */
BENCH_LOOP(grid_cheap)
{
    const grid *g = ctx;
    const double *restrict x = g->x;
    double *restrict y = g->y;
    for (size_t i = first; i < last; i++)
        y[i] = x[i] * 0.75 + 1.5;
}

/* About 1.6 ns a step. */
BENCH_LOOP(grid_dear)
{
    const grid *g = ctx;
    const size_t steps = g->steps;
    uint32_t *out = g->out;
    uint64_t previous = bench_last;
    for (size_t i = first; i < last; i++) {
        previous = bench_chain(bench_after(i, previous), steps);
        out[i] = (uint32_t)previous;
    }
    bench_last = previous;
}

static void *setup(const bench_point *point, const bench_runtime *runtime)
{
    (void)runtime;
    grid *g = bench_alloc(sizeof *g);
    g->n = point->n;
    g->steps = (size_t)point->parameter;
    g->loop = g->steps ? &grid_dear : &grid_cheap;
    if (g->steps) {
        g->out = bench_alloc(g->n * sizeof *g->out);
    } else {
        g->x = bench_alloc(g->n * sizeof *g->x);
        g->y = bench_alloc(g->n * sizeof *g->y);
        for (size_t i = 0; i < g->n; i++)
            g->x[i] = (double)(i % 1000);
    }
    return g;
}

static void run(void *ctx, const bench_runtime *runtime)
{
    const grid *g = ctx;
    runtime->for_each(g->n, g->loop, g);
}

static void forget(void *ctx, const bench_runtime *runtime)
{
    (void)ctx;
    if (runtime->forget)
        runtime->forget();
}

static double digest(const void *ctx)
{
    const grid *g = ctx;
    double total = 0;
    for (size_t i = 0; i < g->n; i++)
        total += (double)(i % 7 + 1) * (g->steps ? g->out[i] : g->y[i]);
    return total;
}

/* A point by cost of an element, steps of it, elements, and whether it is part of a quick run. */
#define AT(cost, steps, count, in_quick)                                                 \
    {                                                                                    \
        .name = cost "x" #count, .n = (count), .parameter = (steps), .quick = (in_quick) \
    }
static const bench_point points[] = {
    AT("0.3ns", 0, 1, true),
    AT("0.3ns", 0, 10, false),
    AT("0.3ns", 0, 100, true),
    AT("0.3ns", 0, 1000, false),
    AT("0.3ns", 0, 3000, false),
    AT("0.3ns", 0, 10000, true),
    AT("0.3ns", 0, 30000, false),
    AT("0.3ns", 0, 100000, false),
    AT("0.3ns", 0, 1000000, true),
    AT("0.3ns", 0, 10000000, false),

    AT("3ns", 2, 1, false),
    AT("3ns", 2, 10, true),
    AT("3ns", 2, 100, false),
    AT("3ns", 2, 300, true),
    AT("3ns", 2, 1000, false),
    AT("3ns", 2, 3000, false),
    AT("3ns", 2, 10000, true),
    AT("3ns", 2, 100000, false),
    AT("3ns", 2, 1000000, false),

    AT("100ns", 62, 1, true),
    AT("100ns", 62, 3, false),
    AT("100ns", 62, 10, true),
    AT("100ns", 62, 30, false),
    AT("100ns", 62, 100, false),
    AT("100ns", 62, 1000, true),
    AT("100ns", 62, 10000, false),
    AT("100ns", 62, 100000, false),

    AT("1us", 625, 1, true),
    AT("1us", 625, 2, true),
    AT("1us", 625, 3, false),
    AT("1us", 625, 10, false),
    AT("1us", 625, 100, true),
    AT("1us", 625, 1000, false),
    AT("1us", 625, 10000, false),

    AT("10us", 6250, 1, false),
    AT("10us", 6250, 2, true),
    AT("10us", 6250, 3, false),
    AT("10us", 6250, 10, true),
    AT("10us", 6250, 100, false),
    AT("10us", 6250, 1000, false),
    {0},
};

const bench_workload bench_grid = {
    .name = "grid",
    .title = "Never slower than the serial loop: cost of an element x elements, warm",
    .needs = BENCH_DECIDES,
    .points = points,
    .setup = setup,
    .run = run,
    .digest = digest,
};

const bench_workload bench_grid_cold = {
    .name = "grid-cold",
    .title = "Likewise, each call the first one ever",
    .kind = BENCH_PREPARED,
    .needs = BENCH_DECIDES,
    .points = points,
    .setup = setup,
    .run = run,
    .prepare = forget,
    .digest = digest,
};
