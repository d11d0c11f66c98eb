/* How long a worker spins before it sleeps: spinning pays for itself or is left. Pure functions.
 *
 * Spinning spares a wake-up if a call comes in time, and is CPU time for nothing if none comes. A
 * worker earns its spin budget: the time that it works, and a wake-up's time whenever spinning
 * spared one. It spends what it spins. So all spinning takes no longer than the worker's work and
 * the wake-ups that it spared, whatever the rate of calls (but for what a new pool begins with). */
#ifndef PARA_PLAN_SPIN_BUDGET_H
#define PARA_PLAN_SPIN_BUDGET_H

#include "base/bounds.h"

#include <stdint.h>

/* A budget is at most so many full spins: a burst of calls is followed by a pause now and then. */
enum { PARA__SPIN_BUDGET_SPINS = 16 };

typedef struct para__spin_budget {
    uint64_t ticks;
} para__spin_budget;

/* Earns so many ticks; spin_ticks is what a worker spins at most. */
static inline void para__spin_budget_earn(para__spin_budget *budget, uint64_t ticks,
                                          uint64_t spin_ticks)
{
    const uint64_t most = PARA__SPIN_BUDGET_SPINS * spin_ticks;
    const uint64_t room = most > budget->ticks ? most - budget->ticks : 0;
    budget->ticks += para__min(ticks, room);
}

static inline void para__spin_budget_spend(para__spin_budget *budget, uint64_t ticks)
{
    budget->ticks -= para__min(ticks, budget->ticks);
}

/* How long the worker may spin now. */
static inline uint64_t para__spin_budget_limit(const para__spin_budget *budget, uint64_t spin_ticks)
{
    return para__min(budget->ticks, spin_ticks);
}

#endif
