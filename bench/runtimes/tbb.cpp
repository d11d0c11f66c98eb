// oneTBB with one partitioner: BENCH_PARTITIONER_auto, _static or _affinity.
#include "runtime.h"
#include <functional>
#include <memory>
#include <tbb/blocked_range.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/parallel_reduce.h>
#include <tbb/partitioner.h>
#include <unordered_map>

using range = tbb::blocked_range<size_t>;

#if defined BENCH_PARTITIONER_affinity
// It remembers where the parts of a loop ran, so each loop has its own, and each thread that calls.
static tbb::affinity_partitioner &partitioner(const void *loop)
{
    thread_local std::unordered_map<const void *, tbb::affinity_partitioner> of_loop;
    return of_loop[loop];
}
static const unsigned can = BENCH_CONCURRENT;
#else
#ifdef BENCH_PARTITIONER_static
using kind = tbb::static_partitioner;
#else
using kind = tbb::auto_partitioner;
#endif
static kind partitioner(const void *)
{
    return kind();
}
static const unsigned can = BENCH_CONCURRENT | BENCH_NESTS;
#endif

static void start(unsigned threads)
{
    static std::unique_ptr<tbb::global_control> limit;
    if (threads)
        limit = std::make_unique<tbb::global_control>(tbb::global_control::max_allowed_parallelism,
                                                      threads);
}

static void for_each(size_t n, const bench_loop *loop, const void *ctx)
{
    tbb::parallel_for(
        range(0, n), [=](const range &r) { loop->range(ctx, r.begin(), r.end()); },
        partitioner(loop));
}

static double sum(size_t n, const bench_sum *s, const void *ctx)
{
    return tbb::parallel_reduce(
        range(0, n), 0.0,
        [=](const range &r, double total) { return total + s->partial(ctx, r.begin(), r.end()); },
        std::plus<double>(), partitioner(s));
}

const bench_runtime bench_this_runtime = {BENCH_NAME, can, start, for_each, sum, nullptr};
