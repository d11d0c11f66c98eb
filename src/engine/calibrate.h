/* Measuring what the machine charges for sharing a call. */
#ifndef PARA_ENGINE_CALIBRATE_H
#define PARA_ENGINE_CALIBRATE_H

#include "plan/decide.h"

struct para_pool;

/* What is assumed where nothing can be measured: so dear that only calls of many microseconds are
 * shared. */
para__costs para__costs_assumed(void);

/* Measures on a pool whose threads run and which nobody else uses yet; in a few hundred
 * microseconds. Minima of several trials: whatever disturbs one makes it longer. */
para__costs para__costs_measure(struct para_pool *pool);

#endif
