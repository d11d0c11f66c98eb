/* Yielding: a worker leaves a contended CPU by itself, between two claims.
 *
 * A thread that the system takes off its CPU in the middle of a claim keeps a caller waiting for as
 * long as the others run there, some milliseconds. So on a contended CPU a worker yields before it
 * is preempted: it works for a quantum, shorter than the system's time slices, and then rests. A
 * worker that rests is in nobody's way, and nobody waits for it.
 *
 * The CPU is contended if the thread's CPU time lags behind the clock by lost_ns in a stretch, and
 * by a quarter in the last 20 ms or so, and the thread was preempted more often than it left the
 * CPU by itself. Without a preemption the lag may be a kernel that sleeps, or a process that was
 * stopped; and on any machine other programs run for a millisecond now and then. While a worker
 * yields it is not preempted, so it cannot see contention. Now and then it tries to run on, and if
 * it is preempted then, it yields twice as often before the next try:
 *
 *              off the CPU for lost_ns
 *     RUNS ON --------------------------> YIELDS
 *        ^                                  |
 *        |         yielded so often         |
 *        +----------------------------------+
 *
 * All of it is the worker's own: no atomics. Measured beside one and two CPU hogs on two CPUs,
 * calls of 16 and 160 us: 0.73 to 0.83 of the time of the best other runtime, and 0.9 to 1.4
 * without yields. Quanta of 300 to 1000 us with rests of 300 to 3000 us were tried; these were the
 * best. */
#ifndef PARA_POOL_YIELD_H
#define PARA_POOL_YIELD_H

#include "base/thread.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct para__yield {
    uint64_t quantum_ticks, look_ticks; /* a quantum; how often a longer stretch is looked at */
    uint64_t begun_ticks;    /* when the worker has last come back from a sleep, or was looked at */
    para__usage begun_usage; /* the CPU time that it had used by then */
    double recent_ns, lost_ns; /* of stretches: about the last 20 ms, and lost in these */
    uint64_t calm_ticks;       /* for how long it has not been taken off the CPU */
    unsigned left, failed; /* yields before the next try; as many as after the last failed one */
} para__yield;

void para__yield_init(para__yield *yield);

/* The worker has been asleep: a new quantum begins. */
void para__yield_restart(para__yield *yield);

/* Whether the worker has to rest now. Called between claims; costs a few ns. */
bool para__yield_is_due(para__yield *yield, uint64_t now_ticks);

#endif
