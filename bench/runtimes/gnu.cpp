// libstdc++'s parallel mode, which is OpenMP below: algorithms, and no loops or sums of its own. It
// has no filter; as its users write it: a running count of those that stay, then a loop that
// copies.
#include "runtime.h"
#include <memory>
#include <omp.h>
#include <parallel/algorithm>
#include <parallel/numeric>

static void start(unsigned threads)
{
    if (threads)
        omp_set_num_threads((int)threads);
}

static void scan(size_t n, const double *x, double *y)
{
    __gnu_parallel::partial_sum(x, x + n, y);
}

static size_t filter(size_t n, const double *x, double *y)
{
    const std::unique_ptr<size_t[]> stays(new size_t[n]), place(new size_t[n]);
#pragma omp parallel for
    for (size_t i = 0; i < n; i++)
        stays[i] = x[i] < BENCH_HALF;
    __gnu_parallel::partial_sum(stays.get(), stays.get() + n, place.get());
#pragma omp parallel for
    for (size_t i = 0; i < n; i++)
        if (stays[i])
            y[place[i] - 1] = x[i];
    return place[n - 1];
}

static void sort(size_t n, double *x)
{
    __gnu_parallel::sort(x, x + n);
}

static const bench_algorithms algorithms = {scan, filter, sort};

const bench_runtime bench_this_runtime = {
    BENCH_NAME, BENCH_YARDSTICK | BENCH_ALGORITHMS, start, nullptr, nullptr, nullptr, &algorithms};
