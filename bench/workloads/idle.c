/* CPU time that a runtime's threads use in the second after their last call. */
#include "fixed.h"

static const bench_point points[] = {
    {.name = "1s", .n = 10000, .quick = true},
    {0},
};

const bench_workload bench_idle = {
    .name = "idle",
    .title = "CPU time used in one second without calls",
    .kind = BENCH_IDLE,
    .points = points,
    .setup = fixed_setup,
    .run = fixed_run,
    .digest = fixed_digest,
};
