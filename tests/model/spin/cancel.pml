/* Cancelling a wait: a waiter stands in the queue of its lock and in that of its token, with one
 * event.
 *
 * Abstracts src/sync/cancel.c, and sleep_in_line of src/sync/line.c, with a lock that is never
 * free. One step is one access to a word that others change; what happens under the lock's latch is
 * one step (see mutex.pml).
 *
 * Left out: deadlines, which need nobody to wake the waiter; weak memory [E12], [E13], which
 * Relacy's models have.
 *
 * Proves, for two waiters, a canceller that calls one at a time, and an unlocker that wakes either
 * of them in vain as often as it likes:
 *   ended   after the request every waiter ends, though it never gets the lock
 *   fits    the canceller wakes no waiter that has left (assertion) */
#define N 2

bool requested, waiting; /* bits of one word */
bool latched;            /* the token's bucket */
bool queued[N], called[N];
bool parked[N] = true; /* the event's word */
bool asleep[N];        /* in the kernel, until the futex is woken */
bool left[N];
byte ended;

inline latch()
{
    atomic { !latched -> latched = true }
}

proctype waiter(byte me)
{
    latch();
#ifndef LATE_WAITING
    waiting = true;
#endif
    if
    :: atomic { requested -> latched = false; goto stop }
    :: !requested
    fi;
    queued[me] = true;
    latched = false;

    do
    ::
#ifdef LOOK_BEFORE_ARM
        if
        :: requested -> break
        :: !requested
        fi;
        parked[me] = true;
#else
        if
        :: requested -> break
        :: !requested
        fi;
#endif
#ifdef LATE_WAITING
        waiting = true;
#endif
        do /* event wait */
        :: !parked[me] -> break
        :: atomic { parked[me] -> asleep[me] = true };
            !asleep[me]
        od;
#ifndef LOOK_BEFORE_ARM
        parked[me] = true /* it was in vain: arms the event, under the lock's latch */
#endif
    od;

    latch();
#ifndef STAY_QUEUED
    queued[me] = false;
#endif
    latched = false;

stop:
    left[me] = true;
    ended++
}

/* An event is rung, and then its futex woken, by address. */
inline ring(e)
{
    parked[e] = false
}

proctype canceller()
{
    byte next, w;
    bool was_waiting;
    atomic { was_waiting = waiting; requested = true };
    if
    :: was_waiting ->
        do
        :: latch();
            next = N;
            w = 0;
            do
            :: atomic { w < N && queued[w] && !called[w] -> next = w; break }
            :: atomic { w < N && !(queued[w] && !called[w]) -> w++ }
            :: w == N -> break
            od;
            if
            :: next < N ->
                assert(!left[next]);
                called[next] = true;
                ring(next)
            :: else
            fi;
            latched = false;
            if
            :: next < N -> asleep[next] = false
            :: else -> break
            fi;
#ifdef ONE_BATCH
            break
#endif
        od
    :: else
    fi;
    ended++
}

proctype unlocker()
{
    do
    :: true -> ring(0); asleep[0] = false
    :: true -> ring(1); asleep[1] = false
    :: break
    od;
    ended++
}

init
{
    atomic {
        run waiter(0);
        run waiter(1);
        run canceller();
        run unlocker()
    }
}

#ifdef LIVENESS
ltl all_left { <> (left[0] && left[1]) }
#endif
