/* The caller's side of a call: publish it, work on it, join. */
#ifndef PARA_SHARE_CALLER_H
#define PARA_SHARE_CALLER_H

#include "plan/decide.h"
#include "share/lane.h"

/* Where the calling thread takes part, and the team around it. The executor decides it. Passed in
 * memory: in registers its members are put together and taken apart, at 10 ns. */
typedef struct para__position {
    unsigned self;  /* the worker in whose place it works */
    unsigned first; /* of the plan's width workers, neighbours, that have slices; self is one */
    bool is_helper; /* it is that worker itself, and displaces none */
} para__position;

/* Runs the plan's units of the job on a leased lane; the calling thread is one of the participants.
 * plan->width is at least 2.
 *
 * Adds what all participants did to the outcome's tally, and the caller's batches to its batches;
 * both may already hold some of the caller's work. The tally's floating-point flags are those of
 * the helpers' kernels, and the caller raises them. Sets all other members of the outcome but
 * ticks and time_ns. If a kernel has forked, the child gets a tally with nothing but that. */
#if defined(__clang__)
#define PARA__OWN_FRAME __attribute__((noinline))
#else
#define PARA__OWN_FRAME __attribute__((noinline, noclone))
#endif
PARA__OWN_FRAME /* executor/left.c finds by its frame whether it still runs */
    void
    para__lane_run(para__lane *lane, const para__position *at, const para__job *job,
                   const para__plan *plan, para__outcome *outcome);

/* Has an empty job run by the caller's nearest width - 1 helpers, on a leased lane. Returns the
 * ticks until the caller knows that it is done; UINT64_MAX if they did not come within
 * limit_ticks. */
uint64_t para__lane_ping(para__lane *lane, const para__position *at, unsigned width,
                         uint64_t limit_ticks);

#endif
