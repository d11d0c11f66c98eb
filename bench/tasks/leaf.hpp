// What tasks do, apart from making tasks: compiled once, for all runtimes.
#ifndef BENCH_TASKS_LEAF_HPP
#define BENCH_TASKS_LEAF_HPP

#include <cstddef>
#include <cstdint>

// A task's work of so many steps of bench_chain, 1.6 ns each. Counts that it was done.
void leaf_work(size_t steps);
// How often it was done by all threads. Those that do it now may or may not be counted.
uint64_t leaf_count();

// A loop's body, for the elements from `first` on.
void leaf_loop(uint32_t *out, size_t first, size_t count);

// The tree: a node's number of children, and their seeds. The first levels are full; below, a node
// has five children or none by its seed, so that subtrees differ by factors of thousands.
enum { TREE_CHILDREN = 8, TREE_STEPS = 30 };
unsigned leaf_tree_children(uint64_t seed, unsigned depth, unsigned full, uint64_t *seeds);

// Quicksort: puts the lesser elements first, and returns how many of them there are.
size_t leaf_partition(double *x, size_t n);
void leaf_sort(double *x, size_t n);

// Queens: ways to fill the rows from that one on.
struct Board {
    unsigned n, row;
    uint32_t columns, left, right; // that are attacked in this row
    uint32_t free() const
    {
        return ~(columns | left | right) & ((1u << n) - 1);
    }
    Board with(uint32_t queen) const
    {
        return {n, row + 1, columns | queen, (left | queen) << 1, (right | queen) >> 1};
    }
};
uint64_t leaf_queens(const Board &board);

#endif
