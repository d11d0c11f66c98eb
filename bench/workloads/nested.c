/* Loops within a loop: each item of the outer one runs an inner one of items of about 3 ns. */
#include "workload.h"

typedef struct nested nested;

typedef struct row {
    const nested *all;
    uint32_t *out;
    uint64_t seed;
} row;

struct nested {
    const bench_runtime *runtime;
    size_t rows, columns, steps;
    row *row;
};

BENCH_LOOP(nested_inner)
{
    const row *r = ctx;
    uint64_t previous = bench_last;
    for (size_t i = first; i < last; i++) {
        previous = bench_chain(bench_after(r->seed + i, previous), r->all->steps);
        r->out[i] = (uint32_t)previous;
    }
    bench_last = previous;
}

BENCH_LOOP(nested_outer)
{
    const nested *all = ctx;
    for (size_t i = first; i < last; i++)
        all->runtime->for_each(all->columns, &nested_inner, &all->row[i]);
}

static void *setup(const bench_point *point, const bench_runtime *runtime)
{
    nested *all = bench_alloc(sizeof *all);
    all->runtime = runtime;
    all->rows = point->n;
    all->columns = (size_t)point->parameter;
    all->steps = 1;
    all->row = bench_alloc(all->rows * sizeof *all->row);
    for (size_t i = 0; i < all->rows; i++) {
        uint32_t *out = bench_alloc(all->columns * sizeof *out);
        all->row[i] = (row){.all = all, .out = out, .seed = i * all->columns};
    }
    return all;
}

static void run(void *ctx, const bench_runtime *runtime)
{
    const nested *all = ctx;
    runtime->for_each(all->rows, &nested_outer, all);
}

static double digest(const void *ctx)
{
    const nested *all = ctx;
    double total = 0;
    for (size_t i = 0; i < all->rows; i++)
        for (size_t j = 0; j < all->columns; j++)
            total += (double)(j % 7 + 1) * all->row[i].out[j];
    return total;
}

static const bench_point points[] = {
    {.name = "3x20000", .n = 3, .parameter = 20000, .quick = true},
    {.name = "8x1000", .n = 8, .parameter = 1000},
    {.name = "64x100", .n = 64, .parameter = 100, .quick = true},
    {.name = "100x10000", .n = 100, .parameter = 10000},
    {0},
};

const bench_workload bench_nested = {
    .name = "nested",
    .title = "Loops within a loop, by outer x inner items",
    .needs = BENCH_NESTS,
    .points = points,
    .setup = setup,
    .run = run,
    .digest = digest,
};
