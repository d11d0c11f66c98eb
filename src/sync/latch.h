/* A latch: the lock inside the library's own locks, held for some ten nanoseconds.
 *
 *     FREE ----lock [E10]----> HELD
 *       ^                        | another finds it held
 *       |                        v
 *       +----unlock [E10]---- CONTENDED     the unlocker wakes one sleeper
 *
 * A thread that has slept takes it as CONTENDED, since it cannot know whether others still sleep:
 * at worst one wake-up is in vain. The third of the mutexes in Drepper, "Futexes Are Tricky", 2004.
 * Not fair; a thread that holds one neither waits nor takes a second. */
#ifndef PARA_SYNC_LATCH_H
#define PARA_SYNC_LATCH_H

#include "base/atomic.h"
#include "base/futex.h"
#include "base/thread.h"
#include "base/tuning_locks.h"

typedef struct para__latch {
    para__atomic_u32 state; /* zeroed: free */
} para__latch;

enum { PARA__LATCH_FREE = 0, PARA__LATCH_HELD = 1, PARA__LATCH_CONTENDED = 2 };

static inline bool para__latch_try(para__latch *latch)
{
    uint32_t seen = PARA__LATCH_FREE;
    return para__cas_acquire(E10, &latch->state, &seen, PARA__LATCH_HELD);
}

static inline void para__latch_lock(para__latch *latch)
{
    if (para__latch_try(latch))
        return;
    for (int looks = para__several_cpus() ? PARA__LATCH_LOOKS : 0; looks > 0; looks--) {
        for (int pauses = 0; pauses < PARA__LATCH_PAUSES; pauses++)
            para__pause();
        if (para__load_relaxed(&latch->state) == PARA__LATCH_FREE /* a guess; the try decides */
            && para__latch_try(latch))
            return;
    }
    while (para__swap_acquire(E10, &latch->state, PARA__LATCH_CONTENDED) != PARA__LATCH_FREE)
        para__futex_wait(&latch->state, PARA__LATCH_CONTENDED);
}

static inline void para__latch_unlock(para__latch *latch)
{
    if (para__swap_release(E10, &latch->state, PARA__LATCH_FREE) == PARA__LATCH_CONTENDED)
        para__futex_wake(&latch->state, 1);
}

#endif
