/* The semaphore: units, and a line of those who wait, some for more than one.
 *
 * Abstracts src/sync/semaphore.c and src/sync/line.c. One step is one access to the word. What a
 * section under the latch does to the line is part of the step beside it, since nobody else sees
 * the line meanwhile (Lipton, Reduction, 1975). The first thread to ask gets the latch.
 *
 * Left out: as in mutex.pml. A timeout or a cancellation is a waiter that leaves at any time. Time:
 * a waiter is seen to be first in line as it queues, or by the serve() that makes it the first; the
 * first serve() after that may find that PARA__OVERTAKE_NS have passed, and the second does.
 *
 * Proves, for three threads that want one, two and one of two units as often as they like, and may
 * stop for good in between:
 *   consistent  no unit is lost or made; and whenever the latch is free the first in line has been
 *               woken or has too few units (assertions)
 *   served      a waiter without a timeout gets its units, also if it wants both while the others
 *               take and return single ones for ever */
#define N 3
#define UNITS 2
#define NONE N
#define need(who) (who == 1 -> 2 : 1)

#ifdef ALL_LEAVE
#define may_leave(who) true
#else
#define may_leave(who) (who == 2)
#endif

/* The word. */
byte units = UNITS;
bool waiting, closed;

/* Under the latch. */
chan latch = [N] of { byte }; /* its holder, and who asks for it */
byte line[N], length;
bool woken[N];
byte first_seen[N]; /* how often it was seen first in line */

bool parked[N]; /* the event's word */
bool asleep[N]; /* in the kernel, until its event's futex is woken */

/* What only the properties look at. */
byte out;
bool waits[N];

#define lock_latch latch!me; latch?[eval(me)]
#define unlock_latch assert(prompt); latch?_
#define prompt (length == 0 || need(line[0]) > units || woken[line[0]])

inline take()
{
    units = units - need(me);
    out = out + need(me);
    waits[me] = false;
    assert(units + out == UNITS)
}

/* Wakes those at the head of the line whom the units suffice for. */
inline serve()
{
    atomic {
        i = 0;
        left = units;
        do
        :: i < length && need(line[i]) <= left ->
            left = left - need(line[i]);
            if
            :: !woken[line[i]] ->
                woken[line[i]] = true;
                parked[line[i]] = false;
                calls[line[i]] = true
            :: else
            fi;
            i++
        :: else -> break
        od;
        i = 0;
        left = 0
    };
#ifndef NO_CLOSED
    atomic {
        if
        :: length > 0 && first_seen[line[0]] > 0 -> closed = true
        :: length > 0 && first_seen[line[0]] < 2 -> first_seen[line[0]]++
        :: length == 0
        fi
    }
#endif
}

/* Without the latch: the system calls. */
inline make_calls()
{
    do
    :: atomic { i < N -> asleep[i] = asleep[i] && !calls[i]; calls[i] = false; i++ }
    :: atomic { i == N -> i = 0; break }
    od
}

inline leave_line()
{
    do
    :: line[i] != me -> i++
    :: else -> break
    od;
    is_first = i == 0;
    do
    :: i + 1 < length -> line[i] = line[i + 1]; i++
    :: else -> break
    od;
    length--;
    line[length] = 0;
    i = 0;
    if
#ifdef KEEP_CLOSED
    :: length == 0 -> waiting = false
#else
    :: length == 0 -> waiting = false; closed = false
#endif
    :: length > 0 && is_first -> closed = false
    :: length > 0 && !is_first
    fi;
    is_first = false;
    first_seen[me] = 0;
    waits[me] = false
}

proctype thread(byte me)
{
    bool calls[N];
    byte i, left;
    bool is_first, over, taken;

newcomer:
    if
    :: atomic { units >= need(me) && !closed -> take(); goto holder }
    :: units < need(me) || closed
    :: goto stop
    fi;
    lock_latch;
    atomic {
        if
#ifndef BLIND_QUEUE
        :: units >= need(me) && !closed -> take(); unlock_latch; goto holder
        :: units < need(me) || closed ->
#else
        :: true ->
#endif
            waiting = true;
            first_seen[me] = (length == 0 -> 1 : 0);
            line[length] = me;
            length++;
            parked[me] = true;
            waits[me] = true;
            unlock_latch
        fi
    };

sleep:
    if
    :: atomic { !parked[me] -> skip }
    :: atomic { parked[me] -> asleep[me] = true }; /* the kernel compares and sleeps in one step */
        if
        :: !asleep[me] -> goto sleep
        :: may_leave(me) -> over = true
        fi
    :: may_leave(me) -> over = true
    fi;
    lock_latch;
    atomic {
        left = need(me); /* for itself and all before it */
#ifndef NEED_ALONE
        do
        :: line[i] != me -> left = left + need(line[i]); i++
        :: else -> break
        od;
#endif
        i = 0;
        taken = units >= left;
        left = 0;
        woken[me] = false;
        asleep[me] = false;
        if
        :: taken -> take()
        :: !taken && over
        :: !taken && !over -> parked[me] = true; unlock_latch; goto sleep
        fi
    };
    atomic { leave_line() };
#ifndef NO_PASS_ON
    serve();
#endif
    atomic { over = false; unlock_latch };
    make_calls();
    if
    :: atomic { taken -> taken = false; goto holder }
    :: atomic { !taken -> goto newcomer }
    fi;

holder:
    if
#ifdef BLIND_RELEASE /* without a look at WAITING */
    :: atomic { true -> units = units + need(me); out = out - need(me); goto newcomer }
#else
    :: atomic { !waiting -> units = units + need(me); out = out - need(me); goto newcomer }
#endif
    :: waiting
    fi;
    lock_latch;
#ifdef TORN_RELEASE /* a load and a store instead of one read-modify-write */
    left = units;
    atomic { units = left + need(me); out = out - need(me); left = 0 };
#else
    atomic { units = units + need(me); out = out - need(me) };
#endif
    serve();
    unlock_latch;
    make_calls();
    goto newcomer;

stop:
    skip
}

init
{
    atomic {
        run thread(0);
        run thread(1);
        run thread(2)
    }
}

#ifdef LIVENESS
ltl served { [] ((waits[0] -> <> !waits[0]) && (waits[1] -> <> !waits[1])) }
#endif
