/* Parking: one thread sleeps until another says that there may be news.
 *
 *            prepare                     wait
 *     AWAKE ---------> PARKED (checking) -----> PARKED (asleep)
 *       ^                  |                        |
 *       |     cancel       |         wake           |
 *       +------------------+------------------------+
 *
 * The sleeper: prepare(); looks for news; if there are any cancel(), else wait(). The waker: makes
 * the news visible; wake(). A wake-up is not lost if the sleeper's look and the waker's news are
 * seq_cst operations [E5]: either the look finds the news, or it comes before them in the single
 * order of seq_cst operations, and then so does the sleeper's PARKED, which the waker therefore
 * sees.
 *
 * A waker may leave a word, which the sleeper finds when it ends its parking. The word orders
 * nothing.
 *
 * A sleeper in a queue, one of many, uses arm() instead of prepare(), and its waker uses ring()
 * instead of wake(). The news are then a word that another edge orders. Both are swaps of the
 * state, and one comes first [E13]. If it is the ring, the arm reads AWAKE from it and acquires, so
 * that the look after it finds the news. If it is the arm, the ring turns its PARKED into AWAKE,
 * and the wait ends. Ringing is separate from the system call, which can wait until latches are
 * free. */
#ifndef PARA_SYNC_EVENT_H
#define PARA_SYNC_EVENT_H

#include "base/atomic.h"
#include "base/clock.h"
#include "base/futex.h"
#include "base/trace.h"

/* One sleeper, any number of wakers. */
typedef struct para__event {
    para__atomic_u32 state; /* PARKED written by the sleeper; AWAKE, or a word, by anyone */
} para__event;

enum { PARA__AWAKE = 0, PARA__PARKED = 1, PARA__WORD /* the first one */ };

static inline void para__event_prepare(para__event *event)
{
    para__swap_seq_cst(E5, &event->state, PARA__PARKED); /* before the look for news */
}

static inline void para__event_cancel(para__event *event)
{
    para__store_relaxed(&event->state, PARA__AWAKE); /* a waker in between wakes nobody: harmless */
}

static inline void para__event_wait(para__event *event)
{
    while (para__load_relaxed(&event->state) ==
           PARA__PARKED) /* the news are looked for afterwards */
        para__futex_wait(&event->state, PARA__PARKED);
}

/* The same, for a limited time; PARKED may be what it leaves behind. */
static inline void para__event_wait_for(para__event *event, uint64_t ns)
{
    if (para__load_relaxed(&event->state) == PARA__PARKED) /* as above */
        para__futex_wait_for(&event->state, PARA__PARKED, ns);
}

/* Whether the sleeper seems to be parked: for decisions that may be wrong. */
static inline bool para__event_seems_parked(para__event *event)
{
    return para__load_relaxed(&event->state) == PARA__PARKED; /* a guess: orders nothing */
}

/* The same for a waker, which has made its news visible and must not miss a sleeper. */
static inline bool para__event_is_parked(para__event *event)
{
    return para__load_seq_cst(E5, &event->state) == PARA__PARKED; /* after the news */
}

static inline void para__event_wake(para__event *event)
{
    uint32_t parked = PARA__PARKED;
    if (para__event_is_parked(event) && /* of several who see that, one makes the system call */
        para__cas_relaxed(&event->state, &parked, PARA__AWAKE)) {
        para__futex_wake(&event->state, 1);
        para__trace_instant(.kind = PARA__EVENT_WAKE);
    }
}

/* Wakes a sleeper that is parked, and leaves it a word, which brings what the waker has found;
 * false: it is not. */
static inline bool para__event_wake_with(para__event *event, uint32_t word)
{
    uint32_t parked = PARA__PARKED;
    if (!para__cas_release(E20, &event->state, &parked, word))
        return false;
    para__futex_wake(&event->state, 1);
    para__trace_instant(.kind = PARA__EVENT_WAKE);
    return true;
}

/* As cancel, for a sleeper that may have been left a word; else it is less than PARA__WORD. */
static inline uint32_t para__event_end(para__event *event)
{
    return para__swap_acquire(E20, &event->state, PARA__AWAKE);
}

static inline void para__event_arm(para__event *event)
{
    para__swap_acquire(E13, &event->state, PARA__PARKED); /* before the look for news */
}

/* Whether CLOCK_MONOTONIC has reached deadline_ns; UINT64_MAX: it never does, nor is it asked. */
static inline bool para__has_passed(uint64_t deadline_ns)
{
    return deadline_ns != UINT64_MAX && para__now_ns() >= deadline_ns;
}

/* Waits for a ring; false: CLOCK_MONOTONIC has reached deadline_ns and there was none. */
static inline bool para__event_wait_until(para__event *event, uint64_t deadline_ns)
{
    while (para__load_relaxed(&event->state) == PARA__PARKED) { /* news: after the next arm */
        if (para__has_passed(deadline_ns))
            return false;
        para__futex_wait_until(&event->state, PARA__PARKED, deadline_ns);
    }
    return true;
}

/* Called after the news. Whether para__futex_wake(&event->state, 1) is due. It may come after the
 * event is gone, because it needs the address only. */
static inline bool para__event_ring(para__event *event)
{
    return para__swap_release(E13, &event->state, PARA__AWAKE) == PARA__PARKED;
}

#endif
