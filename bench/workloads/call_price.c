/* Kernels that charge for each call, and then about 1 ns an element: a library's entry, a callback
 * into an interpreter. Every runtime calls the kernel in the batches that it makes by itself:
 * OpenMP's static schedule, with gcc and with LLVM, and pthreadpool make one call a thread;
 * OpenMP's dynamic schedule makes 32 a thread and guided up to 256, pthreadpool-fine 16, oneTBB's
 * partitioners one for each range that they end up with. The serial loop is one call. */
#include "workload.h"

/* About 1.6 ns a step of bench_chain. */
static const double steps_per_us = 625;

typedef struct call_price {
    size_t n, steps; /* of the chain at the beginning of each kernel call */
    const bench_loop *loop;
    uint32_t *out;
} call_price;

/* An element is three operations, each of which waits for the one before. */
static void run_batch(const call_price *p, size_t first, size_t last)
{
    uint64_t previous = bench_chain(bench_last >> 63, p->steps);
    for (size_t i = first; i < last; i++) {
        previous = bench_after(i, previous) + 1;
        p->out[i] = (uint32_t)previous;
    }
    bench_last = previous;
}

/* A kernel for each price: what para learns of one must not help or mislead it at another. */
BENCH_LOOP(call_price_0)
{
    run_batch(ctx, first, last);
}

BENCH_LOOP(call_price_1)
{
    run_batch(ctx, first, last);
}

BENCH_LOOP(call_price_10)
{
    run_batch(ctx, first, last);
}

BENCH_LOOP(call_price_100)
{
    run_batch(ctx, first, last);
}

static const bench_loop *loop_of(double price_us)
{
    return price_us == 0    ? &call_price_0
           : price_us == 1  ? &call_price_1
           : price_us == 10 ? &call_price_10
                            : &call_price_100;
}

static void *setup(const bench_point *point, const bench_runtime *runtime)
{
    (void)runtime;
    call_price *p = bench_alloc(sizeof *p);
    p->n = point->n;
    p->steps = (size_t)(point->parameter * steps_per_us);
    p->loop = loop_of(point->parameter);
    p->out = bench_alloc(p->n * sizeof *p->out);
    return p;
}

static void run(void *ctx, const bench_runtime *runtime)
{
    const call_price *p = ctx;
    runtime->for_each(p->n, p->loop, p);
}

static double digest(const void *ctx)
{
    const call_price *p = ctx;
    double total = 0;
    for (size_t i = 0; i < p->n; i++)
        total += (double)(i % 7 + 1) * p->out[i];
    return total;
}

/* A point by price of a kernel call in us, elements, and whether it is part of a quick run. */
#define AT(price, count, in_quick)                                                              \
    {                                                                                           \
        .name = #price "us+" #count "ns", .n = (count), .parameter = (price), .quick = in_quick \
    }
#define AT_ALL_COUNTS(price, quick_1000, quick_100000)                           \
    AT(price, 100, false), AT(price, 1000, quick_1000), AT(price, 10000, false), \
        AT(price, 100000, quick_100000), AT(price, 1000000, false)
static const bench_point points[] = {
    AT_ALL_COUNTS(0, false, true),
    AT_ALL_COUNTS(1, true, false),
    AT_ALL_COUNTS(10, false, true),
    AT_ALL_COUNTS(100, true, false),
    {0},
};

const bench_workload bench_call_price = {
    .name = "call-price",
    .title = "Kernels with a price: of each call + of all elements, at about 1 ns each",
    .points = points,
    .setup = setup,
    .run = run,
    .digest = digest,
};
