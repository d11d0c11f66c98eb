/* pthreadpool with BENCH_TILES tiles for each thread: 1 suits even work, more suit uneven work. */
#include "runtime.h"
#include <pthreadpool.h>
#include <stdlib.h>

enum { THREADS_MAX = 1024, LINE = 64 / sizeof(double) };

static pthreadpool_t pool;

typedef struct call {
    size_t n, tile;
    const bench_loop *loop;
    const bench_sum *sum;
    const void *ctx;
    double *parts; /* one to a line */
} call;

static void start(unsigned threads)
{
    pool = pthreadpool_create(threads);
    if (!pool || pthreadpool_get_threads_count(pool) > THREADS_MAX)
        exit(1);
}

static size_t tile_length(size_t n, size_t tiles)
{
    const size_t all = pthreadpool_get_threads_count(pool) * tiles;
    return (n + all - 1) / all;
}

static void run_tile(void *arg, size_t first, size_t count)
{
    const call *c = arg;
    c->loop->range(c->ctx, first, first + count);
}

static void for_each(size_t n, const bench_loop *loop, const void *ctx)
{
    call c = {.loop = loop, .ctx = ctx};
    pthreadpool_parallelize_1d_tile_1d(pool, run_tile, &c, n, tile_length(n, BENCH_TILES), 0);
}

static void sum_tile(void *arg, size_t part)
{
    const call *c = arg;
    const size_t first = part * c->tile;
    const size_t last = first + c->tile < c->n ? first + c->tile : c->n;
    c->parts[part * LINE] = c->sum->partial(c->ctx, first, last);
}

static double sum(size_t n, const bench_sum *s, const void *ctx)
{
    static _Alignas(64) double parts[THREADS_MAX * BENCH_TILES * LINE];
    call c = {.n = n, .tile = tile_length(n, BENCH_TILES), .sum = s, .ctx = ctx, .parts = parts};
    const size_t used = (n + c.tile - 1) / c.tile;
    pthreadpool_parallelize_1d(pool, sum_tile, &c, used, 0);
    double total = 0;
    for (size_t k = 0; k < used; k++)
        total += parts[k * LINE];
    return total;
}

/* It takes calls from several threads one after the other. A loop within a loop would wait forever.
 * */
const bench_runtime bench_this_runtime = {
    .name = BENCH_NAME,
    .can = BENCH_CONCURRENT,
    .start = start,
    .for_each = for_each,
    .sum = sum,
};
