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

const bench_runtime bench_serial = {
    .name = "serial",
    .can = BENCH_NESTS | BENCH_CONCURRENT | BENCH_DECIDES,
    .start = start,
    .for_each = for_each,
    .sum = sum,
};

/* The runtime of the executable that has no other. */
extern const bench_runtime bench_this_runtime __attribute__((weak, alias("bench_serial")));
