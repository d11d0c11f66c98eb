/* Fork and join with a fixed amount of work: items of about 1.6 ns each, a dependent chain all
 * through a participant's share, and one store at its end, so that nothing but the runtime is
 * measured. */
#include "fixed.h"

/* A share's sum goes to a line of its own. Each item adds fewer than 2^24, so the sum stays below
 * 2^62 and item i is the same wherever a share begins, which the compiler cannot know. bench_last:
 * see workload.h. */
BENCH_LOOP(fixed_loop)
{
    const fixed *f = ctx;
    uint64_t sum = bench_last >> 63;
    for (size_t i = first; i < last; i++)
        sum += ((i ^ sum >> 62) * 0x9E3779B97F4A7C15u) >> 40;
    f->sums[first * FIXED_LINE] = sum;
    bench_last = sum;
}

void *fixed_setup(const bench_point *point, const bench_runtime *runtime)
{
    (void)runtime;
    fixed *f = bench_alloc(sizeof *f);
    f->n = point->n;
    f->sums = bench_alloc(f->n * FIXED_LINE * sizeof *f->sums);
    return f;
}

void fixed_run(void *ctx, const bench_runtime *runtime)
{
    const fixed *f = ctx;
    runtime->for_each(f->n, &fixed_loop, f);
}

double fixed_digest(const void *ctx)
{
    const fixed *f = ctx;
    uint64_t total = 0;
    for (size_t i = 0; i < f->n; i++)
        total += f->sums[i * FIXED_LINE];
    return (double)total;
}

static const bench_point points[] = {
    {.name = "20", .n = 20, .quick = true},
    {.name = "50", .n = 50, .quick = true},
    {.name = "100", .n = 100, .quick = true},
    {.name = "200", .n = 200, .quick = true},
    {.name = "300", .n = 300},
    {.name = "400", .n = 400, .quick = true},
    {.name = "1000", .n = 1000, .quick = true},
    {.name = "2000", .n = 2000, .quick = true},
    {.name = "10000", .n = 10000, .quick = true},
    {.name = "100000", .n = 100000, .quick = true},
    {.name = "300000", .n = 300000},
    {0},
};

const bench_workload bench_fixed = {
    .name = "fixed",
    .title = "Fork-join with fixed work, by items of about 1.6 ns",
    .yardstick = true,
    .points = points,
    .setup = fixed_setup,
    .run = fixed_run,
    .digest = fixed_digest,
};
