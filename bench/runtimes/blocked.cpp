// parlaylib's published algorithms, written anew on oneTBB's loops: what is done block by block, in
// two passes, and a sample sort (Blelloch, Anderson, Dhulipala, "ParlayLib - A Toolkit for Parallel
// Algorithms on Shared-Memory Multicore Machines", SPAA 2020). It has no loops or sums of its own.
#include "runtime.h"
#include <algorithm>
#include <cstring>
#include <memory>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <vector>

namespace
{
constexpr size_t BLOCK = 2048;          // elements, of a scan and of a filter
constexpr size_t SORT_ALONE = 1u << 14; // fewer are sorted by one thread
constexpr size_t OVERSAMPLE = 8;        // samples for each pivot

size_t blocks_of(size_t n, size_t block)
{
    return (n + block - 1) / block;
}

// body(block, first, last) for each block.
template <class Body> void for_blocks(size_t n, size_t block, Body body)
{
    tbb::parallel_for((size_t)0, blocks_of(n, block),
                      [=](size_t b) { body(b, b * block, std::min(n, (b + 1) * block)); });
}

// Numbers become the sum of those before them.
template <class Number> Number sums_before(Number *numbers, size_t n)
{
    Number total = 0;
    for (size_t k = 0; k < n; k++) {
        const Number number = numbers[k];
        numbers[k] = total;
        total += number;
    }
    return total;
}

void start(unsigned threads)
{
    static std::unique_ptr<tbb::global_control> limit;
    if (threads)
        limit = std::make_unique<tbb::global_control>(tbb::global_control::max_allowed_parallelism,
                                                      threads);
}

void scan(size_t n, const double *x, double *y)
{
    const std::unique_ptr<double[]> sums(new double[blocks_of(n, BLOCK)]);
    double *const before = sums.get();
    for_blocks(n, BLOCK, [=](size_t b, size_t first, size_t last) {
        double total = 0;
        for (size_t i = first; i < last; i++)
            total += x[i];
        before[b] = total;
    });
    sums_before(before, blocks_of(n, BLOCK));
    for_blocks(n, BLOCK, [=](size_t b, size_t first, size_t last) {
        double total = before[b];
        for (size_t i = first; i < last; i++)
            y[i] = total += x[i];
    });
}

// Each block is packed where it stands in a second array, then moved to its place.
size_t filter(size_t n, const double *x, double *y)
{
    const std::unique_ptr<double[]> packed(new double[n]);
    const std::unique_ptr<size_t[]> counts(new size_t[blocks_of(n, BLOCK) + 1]);
    double *const kept = packed.get();
    size_t *const place = counts.get();
    for_blocks(n, BLOCK, [=](size_t b, size_t first, size_t last) {
        size_t stays = 0;
        for (size_t i = first; i < last; i++) {
            kept[first + stays] = x[i];
            stays += x[i] < BENCH_HALF;
        }
        place[b] = stays;
    });
    const size_t all = sums_before(place, blocks_of(n, BLOCK));
    place[blocks_of(n, BLOCK)] = all;
    for_blocks(n, BLOCK, [=](size_t b, size_t first, size_t) {
        std::memcpy(y + place[b], kept + first, (place[b + 1] - place[b]) * sizeof *y);
    });
    return all;
}

// Sample sort: blocks are sorted and cut at pivots, the pieces between two pivots come to stand
// together, and each such bucket is sorted.
void sort(size_t n, double *x)
{
    if (n < SORT_ALONE) {
        std::sort(x, x + n);
        return;
    }
    const size_t block = SORT_ALONE, blocks = blocks_of(n, block);
    const size_t buckets = std::min<size_t>(256, blocks * 4);
    std::vector<double> pivots(buckets * OVERSAMPLE);
    for (size_t k = 0; k < pivots.size(); k++)
        pivots[k] = x[k * 0x9E3779B97F4A7C15u % n];
    std::sort(pivots.begin(), pivots.end());
    for (size_t k = 0; k + 1 < buckets; k++)
        pivots[k] = pivots[(k + 1) * OVERSAMPLE];
    pivots.resize(buckets - 1);

    const std::unique_ptr<double[]> moved(new double[n]);
    std::vector<size_t> cuts(blocks * (buckets + 1)), places(buckets * blocks + 1);
    double *const to = moved.get();
    for_blocks(n, block, [&](size_t b, size_t first, size_t last) {
        std::sort(x + first, x + last);
        size_t *const cut = &cuts[b * (buckets + 1)];
        cut[0] = first;
        cut[buckets] = last;
        for (size_t k = 1; k < buckets; k++)
            cut[k] = (size_t)(std::lower_bound(x + cut[k - 1], x + last, pivots[k - 1]) - x);
        for (size_t k = 0; k < buckets; k++)
            places[k * blocks + b] = cut[k + 1] - cut[k];
    });
    places[buckets * blocks] = sums_before(places.data(), buckets * blocks);
    for_blocks(n, block, [&](size_t b, size_t, size_t) {
        const size_t *const cut = &cuts[b * (buckets + 1)];
        for (size_t k = 0; k < buckets; k++)
            std::memcpy(to + places[k * blocks + b], x + cut[k], (cut[k + 1] - cut[k]) * sizeof *x);
    });
    tbb::parallel_for((size_t)0, buckets, [&](size_t k) {
        const size_t first = places[k * blocks], last = places[(k + 1) * blocks];
        std::sort(to + first, to + last);
        std::memcpy(x + first, to + first, (last - first) * sizeof *x);
    });
}

const bench_algorithms algorithms = {scan, filter, sort};
} // namespace

const bench_runtime bench_this_runtime = {
    BENCH_NAME, BENCH_YARDSTICK | BENCH_ALGORITHMS, start, nullptr, nullptr, nullptr, &algorithms};
