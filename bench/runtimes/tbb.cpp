// oneTBB with one partitioner: BENCH_PARTITIONER_auto, _static or _affinity.
#include "runtime.h"
#include <functional>
#include <memory>
#include <tbb/blocked_range.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/parallel_reduce.h>
#include <tbb/parallel_scan.h>
#include <tbb/parallel_sort.h>
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
#ifdef BENCH_PARTITIONER_auto
static const unsigned can = BENCH_CONCURRENT | BENCH_NESTS | BENCH_ALGORITHMS;
#else
static const unsigned can = BENCH_CONCURRENT | BENCH_NESTS;
#endif
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

static void scan(size_t n, const double *x, double *y)
{
    tbb::parallel_scan(
        range(0, n), 0.0,
        [=](const range &r, double total, bool is_final) {
            for (size_t i = r.begin(); i < r.end(); i++) {
                total += x[i];
                if (is_final)
                    y[i] = total;
            }
            return total;
        },
        std::plus<double>());
}

static size_t filter(size_t n, const double *x, double *y)
{
    return tbb::parallel_scan(
        range(0, n), (size_t)0,
        [=](const range &r, size_t kept, bool is_final) {
            if (is_final)
                for (size_t i = r.begin(); i < r.end(); i++) {
                    if (x[i] < BENCH_HALF)
                        y[kept++] = x[i];
                }
            else
                for (size_t i = r.begin(); i < r.end(); i++)
                    kept += x[i] < BENCH_HALF;
            return kept;
        },
        std::plus<size_t>());
}

static void sort(size_t n, double *x)
{
    tbb::parallel_sort(x, x + n);
}

static const bench_algorithms algorithms = {scan, filter, sort};

const bench_runtime bench_this_runtime = {BENCH_NAME, can,     start,      for_each,
                                          sum,        nullptr, &algorithms};
