/* Policy: what is decided for a call, and what is learnt from how it went. Descriptions come from
 * `data`, plans go to the pool's executor; the pure functions are in `plan`, what is remembered in
 * the pool's sites.
 *
 * A call for which the engine chooses runs in one of three ways:
 *   alone   if its cost is known and sharing would not pay;
 *   shared  if its cost is known and it would; also if its cost is not known but its units have
 *           been dear, since one unit tried alone would keep the other workers waiting;
 *   probed  else: alone in growing batches, until the rest is worth sharing at the cost that was
 *           just measured. */
#ifndef PARA_SCHEDULE_SCHEDULE_H
#define PARA_SCHEDULE_SCHEDULE_H

#include "executor/lease.h"
#include "process/workshop.h"
#include "schedule/state.h"

/* Describes a call. One whose units follow from its width has split and split_of set besides. */
static inline void para__schedule_describe(para__schedule *s, void (*kernel)(void), size_t count,
                                           size_t units, const para_options *options)
{
    s->options = options;
    s->kernel = (uintptr_t)kernel;
    s->count = count;
    s->units = units;
    s->split = NULL;
    s->form = PARA__FORM_MAP;
}

/* Begins a call that is described, on that pool or the default one: decides how it runs, and takes
 * a lane for one that is to be shared. is_told: the outcome has its time. */
void para__schedule_open(para__schedule *s, para_pool *pool, bool is_told);

/* What a call of several phases does after its first job, whether or not that ran to its end: it
 * runs others by para__schedule_more. On the calling thread, in the caller's floating-point
 * environment. */
typedef void para__rest(para__schedule *s, void *state, para__outcome *outcome);

/* Runs the job of a call that is begun, as decided, then the rest if there is any; learns from all
 * of it as from one job, and releases fp. */
void para__schedule_run_phases(para__schedule *s, const para__job *job, para__rest *later,
                               void *state, para__outcome *outcome);

/* Runs those units of a further job: by the call's team if the first was shared, else on this
 * thread. Adds to the outcome what was done and how it ended. */
void para__schedule_more(para__schedule *s, const para__job *job, para__range units,
                         para__outcome *outcome);

/* The call touches its pool after its kernel has run, or has memory of it: the pool is to wait for
 * it. False: the pool has ended meanwhile. */
static inline bool para__schedule_enter(para__schedule *s)
{
    return !s->is_guest || s->stay || para__pool_enter(s->pool, &s->stay);
}

/* The call does not touch its pool any more. */
static inline void para__schedule_leave(para__schedule *s)
{
    para__pool_leave(s->stay);
    s->stay = NULL;
}

/* Gives back the lane, or ends the turn on processes, and leaves the pool. */
static inline void para__schedule_close(para__schedule *s)
{
    if (s->lane)
        para__lane_release(s->lane);
    if (s->desk)
        para__desk_leave(s->desk);
    para__schedule_leave(s);
}

/* Gives the caller's floating-point environment back, with those flags raised besides. */
static inline void para__schedule_release_fp(para__schedule *s, unsigned flags)
{
    if (s->holds_fp)
        para__fp_restore(s->fp, flags);
    s->holds_fp = false;
}

/* Whether the call runs on its thread from beginning to end. */
static inline bool para__schedule_is_alone(const para__schedule *s)
{
    return s->plan.width == 1 && !s->probe;
}

/* Into how many units a call that is begun is divided. */
static inline size_t para__schedule_units(const para__schedule *s)
{
    return s->split && para__schedule_is_alone(s) && !s->isolated ? 1 : s->units;
}

/* How many workers a call is decided for: the usual ones, unless it is to be shared by a number
 * that it asks for. */
static inline unsigned para__workers_for(const para_pool *pool, const para_options *options)
{
    const unsigned all = pool->executor->width(pool);
    return options->workers && options->executor == PARA_EXECUTOR_THREADS
               ? all
               : para__min(all, pool->usual);
}

/* The most participants that it may have. */
unsigned para__schedule_width_most(const para__schedule *s);

/* The same, before so many bytes are allocated for each. The novice plans for all CPUs of the
 * machine: where that would be much memory, it is found out how many its pool will have. */
unsigned para__schedule_room(para__schedule *s, size_t bytes);

/* There is no memory for so many participants. Whether to try again: the call runs alone now, and
 * did not before. */
bool para__schedule_lacks_memory(para__schedule *s);

/* ---- Its steps ------------------------------------------------------------------------ */

/* Decides how a call runs. begin_small does so without arithmetic; false: call begin. Then settle
 * asks for its units and divides them, if the call is to be shared. */
bool para__schedule_begin_small(para__schedule *s);
void para__schedule_begin(para__schedule *s);
void para__schedule_settle(para__schedule *s);

/* The call goes on in that pool, with no more participants than it had room for until now. */
void para__schedule_move(para__schedule *s, para_pool *pool);

/* Says that the call is shared as planned, or cannot be and runs alone. */
void para__schedule_is_shared(para__schedule *s);
void para__schedule_stay_alone(para__schedule *s, para_why why);

/* While probing, after batches of which the last had `last` units and took last_ticks, and with so
 * many units left. Returns the next batch's units; 0: share the rest, as s->plan says. */
size_t para__schedule_next(para__schedule *s, const para__batches *batches, size_t last,
                           uint64_t last_ticks, size_t left);

/* Learns from a timed call of so many units that did not fail. */
void para__schedule_learn(para__schedule *s, const para__outcome *outcome, size_t units);

/* A call that is watched took so long. While it is as short as expected nothing is decided
 * otherwise, and nothing is computed; else the next one of its site is learnt from. */
void para__schedule_watched(const para__schedule *s, uint64_t ticks);

/* The most elements of a kernel call, where it can be cancelled and nothing else says: what is
 * expected to take 0.2 ms. */
size_t para__schedule_piece(const para__schedule *s);

#endif
