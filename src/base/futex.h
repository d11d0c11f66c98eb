/* Futexes: sleeping on a 32-bit word until its value has changed. */
#ifndef PARA_BASE_FUTEX_H
#define PARA_BASE_FUTEX_H

#include "base/atomic_types.h"

#include <stdint.h>

_Static_assert(sizeof(para__atomic_u32) == 4, "a futex word has 32 bits");

/* Sleeps until woken, if *word == expected. May return without a reason: the caller checks its
 * condition again. Leaves errno as it was. */
void para__futex_wait(para__atomic_u32 *word, uint32_t expected);

/* The same, for at most ns. */
void para__futex_wait_for(para__atomic_u32 *word, uint32_t expected, uint64_t ns);

/* The same, until CLOCK_MONOTONIC has reached deadline_ns; UINT64_MAX: for as long as it takes. */
void para__futex_wait_until(para__atomic_u32 *word, uint32_t expected, uint64_t deadline_ns);

/* Wakes at most count sleepers on the word. The word's memory may have been freed by then. */
void para__futex_wake(para__atomic_u32 *word, int count);

/* The same two for a word in memory that processes share, whichever of them sleeps and wakes. */
void para__futex_wait_shared(para__atomic_u32 *word, uint32_t expected, uint64_t deadline_ns);
void para__futex_wake_shared(para__atomic_u32 *word, int count);

#endif
