/* OpenMP with one schedule, BENCH_SCHEDULE_static, _dynamic or _guided, as its users write it.
 * Compiled by gcc for libgomp and by clang for LLVM's libomp. With BENCH_ONLY_PORTS it is for
 * ports/ alone, which have schedules of their own. */
#include "runtime.h"
#include <omp.h>

#ifdef BENCH_ONLY_PORTS
#define BENCH_CAN BENCH_YARDSTICK
#else
#define BENCH_CAN (BENCH_NESTS | BENCH_CONCURRENT)
#endif

static void start(unsigned threads)
{
    if (threads)
        omp_set_num_threads((int)threads);
}

#ifdef BENCH_SCHEDULE_static
static void share(size_t n, size_t *first, size_t *last)
{
    const size_t team = (size_t)omp_get_num_threads(), me = (size_t)omp_get_thread_num();
    const size_t more = n % team;
    *first = n / team * me + (me < more ? me : more);
    *last = *first + n / team + (me < more);
}

static void for_each(size_t n, const bench_loop *loop, const void *ctx)
{
#pragma omp parallel
    {
        size_t first, last;
        share(n, &first, &last);
        if (first < last)
            loop->range(ctx, first, last);
    }
}

static double sum(size_t n, const bench_sum *s, const void *ctx)
{
    double total = 0;
#pragma omp parallel reduction(+ : total)
    {
        size_t first, last;
        share(n, &first, &last);
        if (first < last)
            total += s->partial(ctx, first, last);
    }
    return total;
}
#else
/* Blocks for each thread: enough to even out, few enough that handing them out does not show.
 * Guided needs them finer, as it hands out several at first. */
#ifdef BENCH_SCHEDULE_dynamic
#define SCHEDULE schedule(dynamic, 1)
enum { BLOCKS = 32 };
#else
#define SCHEDULE schedule(guided, 1)
enum { BLOCKS = 256 };
#endif
#define PRAGMA(text) _Pragma(#text)
#define OMP(...)     PRAGMA(omp __VA_ARGS__)

static size_t block_length(size_t n)
{
    const size_t block = n / ((size_t)omp_get_max_threads() * BLOCKS);
    return block ? block : 1;
}

static void for_each(size_t n, const bench_loop *loop, const void *ctx)
{
    const size_t block = block_length(n), blocks = (n + block - 1) / block;
    OMP(parallel for SCHEDULE)
    for (size_t b = 0; b < blocks; b++)
        loop->range(ctx, b * block, b + 1 < blocks ? (b + 1) * block : n);
}

static double sum(size_t n, const bench_sum *s, const void *ctx)
{
    const size_t block = block_length(n), blocks = (n + block - 1) / block;
    double total = 0;
    OMP(parallel for SCHEDULE reduction(+ : total))
    for (size_t b = 0; b < blocks; b++)
        total += s->partial(ctx, b * block, b + 1 < blocks ? (b + 1) * block : n);
    return total;
}
#endif

const bench_runtime bench_this_runtime = {
    .name = BENCH_NAME,
    .can = BENCH_CAN | BENCH_PORTS,
    .start = start,
    .for_each = for_each,
    .sum = sum,
};
