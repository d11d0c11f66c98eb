/* Policy: what is decided for a call, and what is learnt from how it went. Descriptions come from
 * `data`, plans go there; the pure functions are in `plan`, what is remembered in the pool's sites.
 *
 * A call for which the engine chooses runs in one of three ways:
 *   alone   if its cost is known and sharing would not pay;
 *   shared  if its cost is known and it would; also if its cost is not known but its units have
 *           been dear, since one unit tried alone would keep the other workers waiting;
 *   probed  else: alone in growing batches, until the rest is worth sharing at the cost that was
 *           just measured. */
#ifndef PARA_SCHEDULE_SCHEDULE_H
#define PARA_SCHEDULE_SCHEDULE_H

#include "schedule/state.h"

/* Decides how a call runs, of so many units. s->pool, options and count are set. begin_small
 * decides without arithmetic; false: call begin. */
bool para__schedule_begin_small(para__schedule *s, uintptr_t kernel, size_t units);
void para__schedule_begin(para__schedule *s, size_t units);

/* Divides a call that is to be shared into other units than those it was decided with. */
void para__schedule_divide(para__schedule *s, size_t units);

/* Leaves the call no more participants than that, to be divided anew; with one, it runs alone for
 * that reason. */
void para__schedule_limit(para__schedule *s, unsigned most, para_why why);

/* The call is shared as planned, or cannot be and runs alone. */
void para__schedule_is_shared(para__schedule *s);
void para__schedule_stay_alone(para__schedule *s, para_why why);

/* While probing, after batches of which the last had `last` units and took last_ticks, and with so
 * many units left. Returns the next batch's units; 0: share the rest, as s->plan says. */
size_t para__schedule_next(para__schedule *s, const para__batches *batches, size_t last,
                           uint64_t last_ticks, size_t left);

/* Learns from a timed call of so many units that did not fail. */
void para__schedule_learn(para__schedule *s, const para__outcome *outcome, size_t units);

/* The most elements of a kernel call, where it can be cancelled and nothing else says: what is
 * expected to take 0.2 ms. */
size_t para__schedule_piece(const para__schedule *s);

#endif
