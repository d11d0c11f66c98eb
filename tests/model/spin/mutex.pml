/* The mutex: a word of four bits, and a queue of those who sleep.
 *
 * Abstracts src/sync/mutex.c, src/sync/line.c and src/sync/queue.c (one key's nodes). A
 * compare-and-swap loop is one step, since only its last round has an effect. What happens under
 * the bucket's latch is one step too, unless it changes the mutex's word twice, since nobody else
 * sees the list meanwhile (Lipton, Reduction, 1975).
 *
 * Left out: spinning, which only delays, and the holder's CPU, which is a hint for it; the latch's
 * own waiting; other keys in the bucket; try_lock, which is a newcomer that does not queue; weak
 * memory, which Relacy's models have. Time: a waiter may have starved at any time, and certainly
 * has once it was woken in vain. A timeout or a cancellation is a waiter that leaves at any time.
 *
 * Proves, for three threads that lock as often as they like and may stop for good in between:
 *   consistent  one holder at a time, and the bits agree with the queue (assertions)
 *   served      a waiter without a timeout gets the lock, whatever the others do; one of them may
 *               lock again and again for ever: no wake-up is lost, nobody starves */
#define N 3
#define NONE N

#define LOCKED 1
#define WAITING 2  /* the queue is not empty */
#define WAKING 4   /* its head was woken: nobody else needs waking */
#define RESERVED 8 /* its head has starved: newcomers keep off */

#ifdef ALL_LEAVE
#define may_leave(who) true
#else
#define may_leave(who) (who == 2)
#endif

#ifdef IGNORE_RESERVED
#define is_free ((word & LOCKED) == 0)
#else
#define is_free ((word & (LOCKED | RESERVED)) == 0) /* for newcomers */
#endif

#ifdef NO_PASS_ON /* who leaves takes its wake-up along */
#define is_called (woken[me] && !over)
#else
#define is_called woken[me]
#endif

byte word;
bool latched; /* only where a section takes two steps */
chan queue = [N] of { byte }; /* of threads, the first comes first */
bool woken[N];  /* node.woken: under the latch only */
bool parked[N]; /* the event's word */
bool asleep[N]; /* in the kernel, until its event's futex is woken */

/* What only the properties look at. */
byte owner = NONE;
byte reserver = NONE;
byte wakers; /* between an unlock that has to wake somebody and the look for whom */
bool waits[N];

inline consistent()
{
    byte first = NONE;
    if
    :: nempty(queue) -> queue?<first>
    :: empty(queue)
    fi;
    assert(((word & LOCKED) != 0) == (owner != NONE));
    assert(((word & WAITING) != 0) == (first != NONE));
    assert(((word & WAKING) != 0) == (first != NONE && woken[first]));
    assert((word & RESERVED) == 0 || (first != NONE && reserver == first));
    assert((word & LOCKED) != 0 || first == NONE || (word & WAKING) != 0 || wakers > 0);
    first = NONE
}

inline take(bits)
{
    assert(owner == NONE);
    word = bits;
    owner = me;
    waits[me] = false
}

/* Under the latch: the first in line, woken, takes the lock. */
inline first_takes()
{
    queue??eval(me);
    take(LOCKED | (len(queue) > 0 -> WAITING : 0));
    woken[me] = false;
    over = false
}

/* Under the latch, which it gives back: without the lock. */
inline leave_queue()
{
    is_first = queue?[eval(me)];
    queue??eval(me);
    if
    :: empty(queue) -> word = word & LOCKED
#ifndef KEEP_RESERVED
    :: len(queue) > 0 && is_first -> word = word & ~RESERVED
#else
    :: len(queue) > 0 && is_first
#endif
    :: len(queue) > 0 && !is_first
    fi;
    waits[me] = false;
    woken[me] = false;
    asleep[me] = false;
    is_first = false;
    starved = false;
    over = false;
    latched = false;
    consistent()
}

inline append()
{
    word = word | WAITING;
    woken[me] = false;
    parked[me] = true;
    queue!me;
    waits[me] = true
}

inline reserve()
{
    word = word | RESERVED;
    reserver = me
}

proctype thread(byte me)
{
    byte to_wake = NONE;
    bool starved, is_first;
    bool over; /* its time is, or it was cancelled */

newcomer:
    if
    :: true
    :: goto stop
    fi;
#ifdef BLIND_QUEUE /* queues on the strength of a look before it had the latch */
    if
    :: atomic { is_free -> take(word | LOCKED); goto holder }
    :: !is_free
    fi;
    atomic { !latched -> append() };
#else
    atomic { /* newcomers without the latch and with it take the lock in the same way */
        if
        :: is_free ->
            take(word | LOCKED);
            consistent();
            goto holder
        :: !is_free && !latched ->
            append();
            consistent()
        fi
    };
#endif

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
#ifndef NO_RESERVE
    if /* before it spins */
    :: atomic { !over && woken[me] && (word & LOCKED) != 0 -> starved = true; reserve() }
    :: over || !woken[me] || !starved || (word & LOCKED) == 0
    fi;
#endif
#ifdef TORN_TAKE /* a look and a store instead of one read-modify-write */
    if
    :: atomic { !latched && woken[me] && (word & LOCKED) == 0 -> latched = true };
        atomic { first_takes(); latched = false; goto holder }
    :: !latched && (!woken[me] || (word & LOCKED) != 0)
    fi;
#endif
    atomic {
        !latched ->
        if
        :: is_called && (word & LOCKED) == 0 ->
            first_takes();
            consistent();
            goto holder
        :: else
        fi;
        if
        :: is_called -> /* in vain: the next unlock is to call again */
#ifndef KEEP_WAKING
            word = word & ~WAKING;
#endif
#if !defined NO_RESERVE && !defined RESERVE_BY_LOOK
            if
            :: starved -> reserve()
            :: else
            fi;
#endif
            woken[me] = false;
            starved = true;
            latched = over
        :: else
        fi;
        if
        :: !over ->
            parked[me] = true;
            consistent();
            goto sleep
        :: latched -> goto leave
        :: over && !latched -> leave_queue()
        fi
    };
    goto newcomer;

leave: /* the word is changed a second time */
    atomic { leave_queue() };
    goto newcomer;

holder:
    atomic { starved = false; asleep[me] = false };
    /* The critical section, and its end. */
#ifdef TORN_UNLOCK /* a load and a store instead of one read-modify-write */
    byte seen = word;
#else
#define seen word
#endif
    atomic {
        owner = NONE;
        word = seen & ~LOCKED;
#ifdef NO_WAKING /* wakes nobody, as if WAITING were not looked at */
        goto newcomer;
#endif
        if
        :: (word & (WAITING | WAKING)) == WAITING ->
            wakers++;
            consistent()
        :: else ->
            consistent();
            goto newcomer
        fi
    };
    /* From here on the mutex's memory is touched only if somebody waits for it; for another mutex
     * there, which is not modelled, it is as if that one had been unlocked. */
    atomic {
        !latched ->
        wakers--;
        if
        :: nempty(queue) -> queue?<to_wake>
        :: empty(queue)
        fi;
        if
        :: to_wake != NONE && !woken[to_wake] ->
            word = word | WAKING;
            woken[to_wake] = true;
            parked[to_wake] = false;
            consistent()
        :: else ->
            to_wake = NONE;
#ifdef WAKING_FOR_NOBODY /* without a look at the queue */
            word = word | WAKING;
#endif
            consistent();
            goto newcomer
        fi
    };
    atomic { /* the system call */
        asleep[to_wake] = false;
        to_wake = NONE
    };
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
