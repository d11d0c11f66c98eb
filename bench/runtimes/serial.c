/* A plain loop: what a program has before it uses any runtime. */
#include "runtime.h"

static void start(unsigned threads)
{
    (void)threads;
}

static void for_each(size_t n, const bench_loop *loop, const void *ctx)
{
    loop->range(ctx, 0, n);
}

static double sum(size_t n, const bench_sum *s, const void *ctx)
{
    return s->partial(ctx, 0, n);
}

static void scan(size_t n, const double *x, double *y)
{
    double total = 0;
    for (size_t i = 0; i < n; i++)
        y[i] = total += x[i];
}

/* Without a branch that nobody can foresee. */
static size_t filter(size_t n, const double *x, double *y)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        y[kept] = x[i];
        kept += x[i] < BENCH_HALF;
    }
    return kept;
}

extern void bench_serial_sort(size_t n, double *x); /* serial_sort.cpp */

static const bench_algorithms algorithms = {scan, filter, bench_serial_sort};

const bench_runtime bench_serial = {
    .name = "serial",
    .can = BENCH_NESTS | BENCH_CONCURRENT | BENCH_DECIDES | BENCH_ALGORITHMS | BENCH_PORTS,
    .start = start,
    .for_each = for_each,
    .sum = sum,
    .algorithms = &algorithms,
};

/* The runtime of the executable that has no other. */
extern const bench_runtime bench_this_runtime __attribute__((weak, alias("bench_serial")));
