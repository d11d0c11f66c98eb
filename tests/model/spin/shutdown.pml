/* The life of a pool: threads begin, perhaps see a last call, and end, perhaps while they begin.
 *
 * Abstracts src/pool/start.c: run, start_others (including threads that could not be made),
 * count_out, para__workers_start, para__workers_await, para__workers_stop; src/pool/worker.c:
 * para__worker_live, park; and src/pool/pool.c: para_pool_create, para_pool_destroy. One step is
 * one access to a word that others change.
 *
 * Left out: what calls do. There is at most one; it is short and nobody waits for it, so that its
 * helpers may come when the pool ends. Also the limited sleep of displaced workers. Spin's memory
 * is in order: the mutations that weaken [E5] exchange the two accesses. Relacy's models have weak
 * memory, and with it the edge [E4]: whoever finds the pool ready sees what its threads wrote while
 * they started.
 *
 * Proves, for up to three workers:
 *   released   nobody touches the pool's memory once it is released (assertions)
 *   destroyed  the pool is made and, in the end, all its workers have ended and it is released */
#define WORKERS 3

byte starting = WORKERS;
byte started; /* written by worker 0 */
bool ready;
bool creator_asleep; /* in the kernel, on ready */
bool stopping;
byte call;
bool parked[WORKERS], asleep[WORKERS];

bool ended[WORKERS]; /* what pthread_join waits for */
bool released;

#define alive assert(!released)

proctype worker(byte me)
{
    byte seen;
    bool news;
    byte made, given_up;
    if
    :: me == 0 ->
        made = 1;
        do
        :: made < WORKERS && !stopping -> alive; run worker(made); made++
        :: break /* all of them, no thread could be made any more, or it is the end */
        od;
        started = made;
        given_up = WORKERS - made;
        made = 0
    :: else
    fi;
#ifdef NO_GIVING_UP
    given_up = 0;
#endif
    atomic { alive; starting = starting - 1 - given_up; news = starting == 0; given_up = 0 };
    if
    :: news ->
        ready = true;
#ifndef NO_READY_WAKE
        atomic { alive; creator_asleep = false }; /* futex wake of all: there is but one */
#endif
        news = false
    :: else
    fi;
    do
    :: atomic { stopping -> alive; break }
    :: atomic { !stopping -> alive };
        atomic {
            if
            :: call != seen -> seen = call /* helps; a late one finds nothing to claim */
            :: else
            fi
        };
        if
        :: true /* spins on */
        :: true -> /* parks */
#ifdef LOOK_BEFORE_PARKED
            news = call != seen || stopping;
            atomic { alive; parked[me] = true };
#else
            atomic { alive; parked[me] = true };
            news = call != seen;
#ifndef WEAK_RECHECK
            news = news || stopping;
#endif
#endif
            if
            :: news
            :: !news ->
                do
                :: atomic { !parked[me] -> alive; break }
                :: atomic { parked[me] -> alive; asleep[me] = true };
                    !asleep[me]
                od
            fi;
            atomic { alive; parked[me] = false; news = false }
        fi
    od;
    ended[me] = true
}

inline event_wake(e)
{
    if
    :: parked[e] ->
        if
        :: atomic { parked[e] -> parked[e] = false };
            asleep[e] = false
        :: !parked[e]
        fi
    :: !parked[e]
    fi
}

inline wake_all()
{
    w = 0;
    do
    :: w < WORKERS -> event_wake(w); w++
    :: else -> break
    od;
    w = 0
}

init
{
    byte w;
    run worker(0);
    /* The creator goes on at once, or waits until the pool is ready. */
    if
    :: true
    :: true ->
        do
        :: ready -> break
        :: atomic { !ready -> creator_asleep = true };
            !creator_asleep
        od
    fi;
    if /* a last call */
    :: call = 1; wake_all()
    :: true
    fi;
#ifdef WAKE_BEFORE_STOPPING
    wake_all();
    stopping = true;
#else
    stopping = true;
#ifndef NO_WAKE
    wake_all();
#endif
#endif
#ifndef NO_JOIN
    ended[0];
    w = 1;
    do
    :: w < started -> ended[w] -> w++
    :: else -> break
    od;
#endif
    released = true
}

#ifdef LIVENESS
ltl destroyed { <> released }
#endif
