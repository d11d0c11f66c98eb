#include "leaf.hpp"
#include "workload.h"
#include <algorithm>
#include <atomic>

namespace
{
// A thread's own. They stay in the list after their thread.
struct alignas(128) Counter {
    std::atomic<uint64_t> count{0};
    uint64_t sink = 1;
    Counter *next = nullptr;
};
std::atomic<Counter *> counters{nullptr};
thread_local Counter *own = nullptr;

__attribute__((noinline)) Counter *make_counter()
{
    own = new Counter;
    own->next = counters.load();
    while (!counters.compare_exchange_weak(own->next, own)) {
    }
    return own;
}
} // namespace

void leaf_work(size_t steps)
{
    Counter *const mine = own ? own : make_counter();
    mine->count.store(mine->count.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    if (steps)
        mine->sink = bench_chain(mine->sink, steps);
}

uint64_t leaf_count()
{
    uint64_t total = 0;
    for (const Counter *c = counters.load(); c; c = c->next)
        total += c->count.load(std::memory_order_acquire);
    return total;
}

void leaf_loop(uint32_t *out, size_t first, size_t count)
{
    static volatile size_t one_step = 1;
    const size_t steps = one_step;
    uint64_t previous = 1;
    for (size_t i = first; i < first + count; i++) {
        previous = bench_chain(i ^ previous >> 63, steps);
        out[i] = (uint32_t)previous;
    }
}

// The hash is splitmix64's (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators",
// 2014); the tree a binomial one of "UTS: An Unbalanced Tree Search Benchmark" (Olivier et al.,
// 2006). A node has 5 x 0.199 = 0.995 children on average: some subtrees go on and on.
unsigned leaf_tree_children(uint64_t seed, unsigned depth, unsigned full, uint64_t *seeds)
{
    leaf_work(TREE_STEPS);
    uint64_t z = seed;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    const unsigned few = z % 1000 < 199 ? 5 : 0, many = TREE_CHILDREN;
    const unsigned count = depth < full ? many : few;
    for (unsigned i = 0; i < count; i++)
        seeds[i] = z + (i + 1) * 0x9E3779B97F4A7C15u;
    return count;
}

// Hoare's, around the median of three.
size_t leaf_partition(double *x, size_t n)
{
    const double a = x[0], b = x[n / 2], c = x[n - 1];
    const double pivot = std::max(std::min(a, b), std::min(std::max(a, b), c));
    size_t i = 0, j = n - 1;
    for (;;) {
        while (x[i] < pivot)
            i++;
        while (x[j] > pivot)
            j--;
        if (i >= j)
            return std::max(i, (size_t)1);
        std::swap(x[i++], x[j--]);
    }
}

void leaf_sort(double *x, size_t n)
{
    std::sort(x, x + n);
}

uint64_t leaf_queens(const Board &board)
{
    if (board.row == board.n)
        return 1;
    uint64_t ways = 0;
    for (uint32_t free = board.free(); free; free &= free - 1)
        ways += leaf_queens(board.with(free & -free));
    return ways;
}
