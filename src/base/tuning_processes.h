/* The constants of worker processes. Entries are as in tuning.h. */
#ifndef PARA_BASE_TUNING_PROCESSES_H
#define PARA_BASE_TUNING_PROCESSES_H

#include "base/constant.h"

/* Addresses that a pool of processes reserves for its buffers, at most; and the least with which it
 * can work. Bytes. Reasoned: addresses cost nothing, and 128 TiB of them are there. */
#define PARA__REGION_BYTES ((size_t)1 << 40)
#define PARA__REGION_LEAST ((size_t)64 << 20)

/* Tickets of a call for each worker process. Reasoned: one that dies costs 1/16 of its share, and
 * the last one to finish keeps the others waiting for no longer; each costs a kernel call. */
PARA__COUNT(PARA__PROCESS_TICKETS, 16) /* - */

/* Calls that go on at the same time on worker processes, beyond one for each worker. */
PARA__COUNT(PARA__PROCESS_DESKS, 4) /* - */

/* How long a worker process spins for the next call, and a caller for the end of its own, before it
 * sleeps; and for how much of that it keeps its CPU. ns. Reasoned: a wake-up. Measured on two CPUs,
 * see ADR 101: without yields a call after a pause takes two to three times as long, since a caller
 * keeps a worker off its CPU; with yields alone one after the other take twice as long. */
PARA__COUNT(PARA__PROCESS_SPIN_NS, 20000) /* - */
PARA__COUNT(PARA__PROCESS_PAUSE_NS, 8000) /* - */

/* How often one that spins looks before it reads the clock, which takes as long as two looks. */
PARA__COUNT(PARA__PROCESS_LOOKS, 8) /* - */

/* For so long who waits for a call lets workers sleep if others are awake: these may do all of it
 * before. ns. Reasoned: a wake-up costs about as much. */
PARA__COUNT(PARA__PROCESS_PATIENCE_NS, 3000) /* - */

/* A call has no more tickets than so long a work of the last one like it would fill. ns. Reasoned:
 * to claim and finish a ticket takes 70. */
PARA__COUNT(PARA__PROCESS_TICKET_NS, 2000) /* - */

/* How often the caller of a call that lasts looks whether its words can be as they are; ms. And how
 * often in a row nothing is left to be done, and yet it is not over, before that counts as spoilt.
 * Reasoned: ten looks a second cost nothing, and a worker that is kept from its last store for a
 * second was stopped. */
PARA__COUNT(PARA__PROCESS_AUDIT_MS, 100) /* - */

/* Where there is a token to look at, or where somebody may not have been woken, who waits sleeps so
 * long at most. ms. Reasoned: what others see of it is not later than a slice of the system's. */
PARA__COUNT(PARA__PROCESS_JOIN_MS, 1) /* - */
PARA__COUNT(PARA__PROCESS_RESTS, 10)  /* - */

/* How often a chunk is tried if nothing says. Reasoned: a death by accident is not likely to strike
 * the same chunk three times. */
PARA__COUNT(PARA__PROCESS_ATTEMPTS, 3) /* - */

/* How long the zygote may take for an answer before it is replaced, with all workers. ms. Reasoned:
 * a fork takes some ms with much memory; an answer that late means that it was stopped. */
PARA__COUNT(PARA__ZYGOTE_ANSWER_MS, 1000) /* - */

/* Zygotes that are forked in a row, if one was killed at once. Reasoned: more would not live
 * either. */
PARA__COUNT(PARA__ZYGOTE_TRIES, 3) /* - */

/* How often it is looked meanwhile whether the zygote is stopped. ms. Reasoned: an answer takes
 * less than that, and calls wait for it. */
PARA__COUNT(PARA__ZYGOTE_LOOK_MS, 5) /* - */

/* How long is waited before processes are forked again after the system has refused one; and how
 * often in a row before a call that has no worker fails. ms. Reasoned: limits of processes are
 * exceeded for moments, or for long. */
PARA__COUNT(PARA__FORK_PAUSE_MS, 10)  /* - */
PARA__COUNT(PARA__FORK_REFUSALS, 100) /* - */

/* The breaker of a pool of processes: so many ends of tickets and workers in so long, of which so
 * many per cent are deaths, stop forks for so long. Reasoned: the halving of a chunk with a bad
 * element takes some 20 deaths; 256 are of a kernel that does nothing else. */
PARA__COUNT(PARA__PROCESS_BREAKER_WINDOW_MS, 10000) /* - */
PARA__COUNT(PARA__PROCESS_BREAKER_LEAST, 256)       /* - */
PARA__COUNT(PARA__PROCESS_BREAKER_PERCENT, 90)      /* - */
PARA__COUNT(PARA__PROCESS_BREAKER_PAUSE_MS, 1000)   /* - */

#endif
