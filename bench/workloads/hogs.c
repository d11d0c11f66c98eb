/* The loop of workload fixed while other programs keep one or two CPUs busy. */
#include "fixed.h"

static const bench_point points[] = {
    {.name = "1x10000", .n = 10000, .hogs = 1, .quick = true},
    {.name = "1x100000", .n = 100000, .hogs = 1},
    {.name = "2x10000", .n = 10000, .hogs = 2},
    {.name = "2x100000", .n = 100000, .hogs = 2, .quick = true},
    {0},
};

const bench_workload bench_hogs = {
    .name = "hogs",
    .title = "Fork-join beside CPU hogs, by hogs x items of about 1.6 ns",
    .kind = BENCH_EACH,
    .points = points,
    .setup = fixed_setup,
    .run = fixed_run,
    .digest = fixed_digest,
};
