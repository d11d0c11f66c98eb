/* Heap allocations (by malloc and its like) and resident memory over many warm calls, by items x
 * calls: of a map so small that sharing cannot pay, and of one that is worth sharing. Runtimes that
 * share every call make a tenth of the calls, which take many times as long. */
#include "fixed.h"

static const bench_point points[] = {
    {.name = "20x1e5", .n = 20, .parameter = 1e5, .quick = true},
    {.name = "2000x1e4", .n = 2000, .parameter = 1e4, .quick = true},
    {.name = "20x1e7", .n = 20, .parameter = 1e7},
    {.name = "2000x1e6", .n = 2000, .parameter = 1e6},
    {0},
};

const bench_workload bench_memory = {
    .name = "memory",
    .title = "Heap allocations and resident memory over warm calls, by items x calls",
    .kind = BENCH_MEMORY,
    .points = points,
    .setup = fixed_setup,
    .run = fixed_run,
    .digest = fixed_digest,
};
