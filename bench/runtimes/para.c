/* para as it decides by itself: no call carries an option. */
#include "runtime.h"
#ifdef BENCH_LENT
#include <para/openmp.h>
#endif
#include <para/para.h>
#include <stdio.h>
#include <stdlib.h>

static para_pool *pool; /* NULL: the default pool */

static void must(para_status status)
{
    if (status) {
        fprintf(stderr, "bench-para: %s %s\n", para_status_text(status), para_status_detail());
        exit(1);
    }
}

static void start(unsigned threads)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = threads;
#ifdef BENCH_LENT /* on the program's OpenMP team */
    config.executor = para_openmp_lender();
    if (config.executor)
#else
    if (threads)
#endif
        must(para_pool_create(&pool, &config));
}

static void for_each(size_t n, const bench_loop *loop, const void *ctx)
{
    must(para_pmap(pool, &(para_map){.kernel = loop->kernel, .arg = ctx, .count = n}));
}

PARA_COMBINE(add, double, total, part, total += part)

static double sum(size_t n, const bench_sum *s, const void *ctx)
{
    double total = 0;
    must(para_preduce(pool, &(para_reduce){.kernel = s->kernel,
                                           .combine = add,
                                           .arg = ctx,
                                           .count = n,
                                           .result = &total,
                                           .result_bytes = sizeof total}));
    return total;
}

PARA_SCAN_KERNEL(running_sums, double, acc, double, v, acc += v)

static void scan(size_t n, const double *x, double *y)
{
    double total = 0;
    must(para_pscan(pool, &(para_scan){.kernel = running_sums,
                                       .combine = add,
                                       .count = n,
                                       .in = {PARA_IN(x)},
                                       .out = {PARA_OUT(y)},
                                       .result = &total,
                                       .result_bytes = sizeof total}));
}

PARA_FILTER_KERNEL(below_half, double, v, v < BENCH_HALF)

static size_t filter(size_t n, const double *x, double *y)
{
    size_t kept;
    must(para_pfilter(pool, &(para_filter){.kernel = below_half,
                                           .count = n,
                                           .in = {PARA_IN(x)},
                                           .out = {PARA_OUT(y)},
                                           .kept = &kept}));
    return kept;
}

static void sort(size_t n, double *x)
{
    must(para_psort(pool, &(para_sort){.data = PARA_OUT(x), .count = n, .key = PARA_KEY_F64}));
}

static const bench_algorithms algorithms = {scan, filter, sort};

static void forget(void)
{
    must(para_calibration_reset(pool));
}

const bench_runtime bench_this_runtime = {
    .name = BENCH_NAME,
#ifdef BENCH_LENT /* the ports run on the default pool */
    .can = BENCH_NESTS | BENCH_CONCURRENT | BENCH_DECIDES | BENCH_ALGORITHMS,
#else
    .can = BENCH_NESTS | BENCH_CONCURRENT | BENCH_DECIDES | BENCH_ALGORITHMS | BENCH_PORTS,
#endif
    .start = start,
    .for_each = for_each,
    .sum = sum,
    .forget = forget,
    .algorithms = &algorithms,
};
