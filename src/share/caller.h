/* The caller's side of a call: publish it, work on it, join. */
#ifndef PARA_SHARE_CALLER_H
#define PARA_SHARE_CALLER_H

#include "plan/decide.h"
#include "share/lane.h"

/* Where the calling thread takes part, and beside whom. The executor knows. */
typedef struct para__position {
    unsigned self;  /* the worker in whose place it works */
    unsigned first; /* of the plan's width workers, neighbours, that are the team; self is one */
    bool is_helper; /* it is that worker itself, and displaces none */
} para__position;

/* Runs the job on a leased lane as planned, with the calling thread as one of the participants;
 * adds what all of them did to the outcome's tally, with the floating-point flags of the helpers'
 * kernels, which are the caller's to raise, and to its batches; both may have some of the caller
 * already. Sets all the rest of it but ticks. plan->width is at least 2. In a child, if a kernel of
 * it has forked: a tally of nothing but PARA_ERR_FORKED. */
#if defined(__clang__)
#define PARA__OWN_FRAME __attribute__((noinline))
#else
#define PARA__OWN_FRAME __attribute__((noinline, noclone))
#endif
PARA__OWN_FRAME /* executor/left.c tells by its frame whether it runs */
    void
    para__lane_run(para__lane *lane, para__position at, const para__job *job,
                   const para__plan *plan, para__outcome *outcome);

/* Has an empty job run by the caller's nearest helpers, width - 1 of them, on a leased lane, and
 * returns the ticks until the caller knows of its end; UINT64_MAX if they did not come within
 * limit_ticks. */
uint64_t para__lane_ping(para__lane *lane, para__position at, unsigned width, uint64_t limit_ticks);

#endif
