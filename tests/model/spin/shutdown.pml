/* The life of a pool: threads begin, see perhaps a last call, and end.
 *
 * Abstracts src/pool/worker.c: run, serve, park, para__workers_start, para__workers_stop; and
 * src/pool/pool.c: para_pool_create (including threads that could not be made),
 * para_pool_destroy. One step is one access to a word that others change.
 *
 * Left out: what calls do, of which there is one at most, short and not waited for, so that its
 * helpers may come when the pool ends; the limited sleep of displaced workers. Spin's memory is in
 * order: the mutations that weaken [E5] exchange the two accesses. That what a thread writes about
 * itself is there for the creator [E4] is a matter of weak memory, which Relacy's models have.
 *
 * Proves, for up to three workers:
 *   released   nobody touches the pool's memory once it is released (assertions)
 *   destroyed  the pool is made and, in the end, all its workers have ended and it is released */
#define WORKERS 3

byte ready;
bool creator_asleep; /* in the kernel, on ready */
bool stopping;
byte post;
bool parked[WORKERS], asleep[WORKERS];

bool ended[WORKERS]; /* what pthread_join waits for */
bool released;

#define alive assert(!released)

proctype worker(byte me)
{
    byte seen;
    bool news;
    ready++;
#ifndef NO_READY_WAKE
    atomic { alive; creator_asleep = false }; /* futex wake of one: there is but one */
#endif
    do
    :: atomic { stopping -> alive; break }
    :: atomic { !stopping -> alive };
        atomic {
            if
            :: post != seen -> seen = post /* helps; a late one finds nothing to claim */
            :: else
            fi
        };
        if
        :: true /* spins on */
        :: true -> /* parks */
#ifdef LOOK_BEFORE_PARKED
            news = post != seen || stopping;
            atomic { alive; parked[me] = true };
#else
            atomic { alive; parked[me] = true };
            news = post != seen;
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
    :: w < started -> event_wake(w); w++
    :: else -> break
    od;
    w = 0
}

init
{
    byte started, w, known;
    do
    :: started < WORKERS -> run worker(started); started++
    :: break /* all of them, or no thread could be made any more */
    od;
    /* The creator waits until they all run. */
    do
    :: known = ready;
        if
        :: known >= started -> break
        :: else ->
            if
            :: atomic { ready == known -> creator_asleep = true };
                !creator_asleep
            :: ready != known
            fi
        fi
    od;
    known = 0;
    if /* a last call */
    :: post = 1; wake_all()
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
