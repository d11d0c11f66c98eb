/* Running sums, a filter of half, and sorting of doubles: each runtime's own algorithms. */
#include "workload.h"

#include <string.h>

typedef enum keys { RANDOM, SORTED, FEW_VALUED } keys;

typedef struct algorithm {
    size_t n, kept;
    double *x, *y;
} algorithm;

static algorithm *make(size_t n, keys kind)
{
    algorithm *a = bench_alloc(sizeof *a);
    uint64_t state = 0;
    a->n = n;
    a->x = bench_alloc(n * sizeof *a->x);
    a->y = bench_alloc(n * sizeof *a->y);
    for (size_t i = 0; i < n; i++) {
        const double u = bench_uniform(&state);
        a->x[i] = kind == RANDOM ? u : kind == SORTED ? (double)i : (double)(int)(u * 16);
    }
    memset(a->y, 0, n * sizeof *a->y);
    return a;
}

static void *setup(const bench_point *point, const bench_runtime *runtime)
{
    (void)runtime;
    return make(point->n, (keys)point->parameter);
}

/* What stands where, of some thousands of elements. */
static double digest(const void *ctx)
{
    const algorithm *a = ctx;
    const size_t n = a->kept ? a->kept : a->n;
    double total = (double)a->kept;
    for (size_t i = 0; i < n; i += n / 5000 + 1)
        total += (double)(i % 7 + 1) * a->y[i];
    return total;
}

static void run_scan(void *ctx, const bench_runtime *runtime)
{
    const algorithm *a = ctx;
    runtime->algorithms->scan(a->n, a->x, a->y);
}

static void run_filter(void *ctx, const bench_runtime *runtime)
{
    algorithm *a = ctx;
    a->kept = runtime->algorithms->filter(a->n, a->x, a->y);
}

static void copy_keys(void *ctx, const bench_runtime *runtime)
{
    const algorithm *a = ctx;
    (void)runtime;
    memcpy(a->y, a->x, a->n * sizeof *a->x);
}

static void run_sort(void *ctx, const bench_runtime *runtime)
{
    const algorithm *a = ctx;
    runtime->algorithms->sort(a->n, a->y);
}

#define AT(prefix, count, ...)                                                                 \
    {                                                                                          \
        .name = prefix #count, .n = (size_t)(count), .bytes = (count) >= 1e7 ? (count)*16 : 0, \
        __VA_ARGS__                                                                            \
    }

static const bench_point scan_points[] = {
    AT("", 1e4, .quick = true),
    AT("", 1e5),
    AT("", 1e6, .quick = true),
    AT("", 1e7),
    AT("", 1e8),
    {0},
};

static const bench_point sort_points[] = {
    AT("random-", 1e5, .quick = true),
    AT("random-", 1e6),
    AT("random-", 1e7),
    AT("sorted-", 1e5, .parameter = SORTED),
    AT("sorted-", 1e6, .parameter = SORTED, .quick = true),
    AT("sorted-", 1e7, .parameter = SORTED),
    AT("few-", 1e5, .parameter = FEW_VALUED),
    AT("few-", 1e6, .parameter = FEW_VALUED, .quick = true),
    AT("few-", 1e7, .parameter = FEW_VALUED),
    {0},
};

const bench_workload bench_scan = {
    .name = "scan",
    .title = "Running sums of doubles, by elements",
    .needs = BENCH_ALGORITHMS,
    .yardstick = true,
    .points = scan_points,
    .tolerance = 1e-10,
    .setup = setup,
    .run = run_scan,
    .digest = digest,
};

const bench_workload bench_filter = {
    .name = "filter",
    .title = "The half of doubles that is below a bound, by elements",
    .needs = BENCH_ALGORITHMS,
    .yardstick = true,
    .points = scan_points,
    .setup = setup,
    .run = run_filter,
    .digest = digest,
};

const bench_workload bench_sort = {
    .name = "sort",
    .title = "Sorting doubles: random, sorted already, of 16 values",
    .kind = BENCH_PREPARED,
    .needs = BENCH_ALGORITHMS,
    .yardstick = true,
    .points = sort_points,
    .setup = setup,
    .prepare = copy_keys,
    .run = run_sort,
    .digest = digest,
};
