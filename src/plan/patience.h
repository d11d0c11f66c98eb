/* How long a worker spins before it sleeps: spinning pays for itself or is left. Pure functions.
 *
 * Spinning spares a wake-up if a call comes in time, and is CPU time for nothing if none comes. A
 * worker earns patience: as much as it works, and a wake-up for each time that spinning spared one.
 * What it spins is spent. So all spinning takes no longer than the worker's work and the wake-ups
 * that it spared, whatever the rate of calls (but for what a new pool begins with). */
#ifndef PARA_PLAN_PATIENCE_H
#define PARA_PLAN_PATIENCE_H

#include "base/bounds.h"
#include "base/tuning.h"

#include <stdint.h>

typedef struct para__patience {
    uint64_t ticks;
} para__patience;

/* Earns so many ticks; spin_ticks is what a worker spins at most. */
static inline void para__patience_earn(para__patience *patience, uint64_t ticks,
                                       uint64_t spin_ticks)
{
    const uint64_t most = PARA__PATIENCE_SPINS * spin_ticks;
    const uint64_t room = most > patience->ticks ? most - patience->ticks : 0;
    patience->ticks += para__min(ticks, room);
}

static inline void para__patience_spend(para__patience *patience, uint64_t ticks)
{
    patience->ticks -= para__min(ticks, patience->ticks);
}

/* How long the worker may spin now. */
static inline uint64_t para__patience_limit(const para__patience *patience, uint64_t spin_ticks)
{
    return para__min(patience->ticks, spin_ticks);
}

#endif
