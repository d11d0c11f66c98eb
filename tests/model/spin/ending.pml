/* A pool with tasks ends: it is drained until a deadline, then perhaps dropped, then destroyed,
 * while other threads submit and wait for room.
 *
 * Abstracts src/pool/ending.c, src/pool/inside.c, src/pool/submit.c, para__crew_census of
 * src/task/crew.c, and the queue of src/task/ingress.c, with room for one task. One step is one
 * access to a word that others change; what happens under the ingress's latch is one step.
 *
 * Left out: how workers sleep (park.pml, shutdown.pml), who waits for a task, calls, and weak
 * memory [E21], [E22], which Relacy's models have.
 *
 * Proves, for three submitters from outside and a worker one of whose tasks submits another:
 *   settled   a shutdown that says that nothing is left is right, and nothing comes after it;
 *             nobody touches the pool once it is freed; what was accepted is over, once
 *             (assertions)
 *   ended     the pool is freed, and every submitter returns */
#define SUBMITTERS 3
#define CAPACITY   1
#define CHILDREN   1

#define OPEN     0
#define DRAINING 1
#define DROPPING 2
#define ENDED    3

byte intake;
bool closed; /* the queue */
byte queued, deque, running;
byte accepted, over, children;
bool waits[SUBMITTERS];  /* in line for room, until told */
bool inside[SUBMITTERS]; /* what each thread has noted */
byte returned;
bool stopping, worker_ended, settled, freed;

#define alive assert(!freed)

inline tell_one()
{
    if
    :: waits[0] -> waits[0] = false
    :: !waits[0] && waits[1] -> waits[1] = false
    :: !waits[0] && !waits[1] -> waits[2] = false
    fi
}

proctype submitter(byte me)
{
#ifdef LOOK_BEFORE_NOTE
    if
    :: intake == ENDED -> goto leave
    :: intake != ENDED
    fi;
    inside[me] = true;
#else
    inside[me] = true;
    if
    :: intake == ENDED -> goto leave
    :: intake != ENDED
    fi;
#endif
    if
    :: atomic { intake != OPEN -> alive; goto leave }
    :: atomic { intake == OPEN -> alive }
    fi;
    do
    :: atomic { !closed && queued < CAPACITY -> alive; queued++; accepted++; assert(!settled) };
        atomic { alive }; /* tells a worker */
        break
    :: atomic { closed -> alive }; break
    :: atomic { !closed && queued >= CAPACITY -> alive; waits[me] = true };
        if
        :: atomic { closed || queued < CAPACITY -> alive; waits[me] = false }
        :: atomic { !closed && queued >= CAPACITY -> alive };
            !waits[me] /* sleeps */
        fi
    od;
leave:
    inside[me] = false;
    returned++
}

proctype worker()
{
    do
    :: atomic { stopping -> alive; break }
    ::
        if
        :: atomic { !stopping && deque > 0 -> alive; deque--; running++ }
        :: atomic { !stopping && deque == 0 && queued > 0 -> alive; queued--; running++; tell_one()
           }
        :: atomic { stopping -> alive; break }
        fi;
#ifdef OVER_FIRST
        over++;
#endif
        if /* the task submits another */
        :: children < CHILDREN ->
            if
            :: atomic { intake <= DRAINING -> alive };
#ifdef PUSH_FIRST
                atomic { deque++; assert(!settled) };
                atomic { accepted++; children++ }
#else
                atomic { accepted++; children++; assert(!settled) };
                atomic { alive; deque++ }
#endif
            :: atomic { intake > DRAINING -> alive }
            fi
        :: true
        fi;
#ifdef OVER_FIRST
        atomic { alive; running-- }
#else
        atomic { alive; running--; over++ }
#endif
    od;
    worker_ended = true
}

inline close_pool(now)
{
    if
    :: intake < now -> intake = now
    :: intake >= now
    fi;
    closed = true;
#ifndef NO_TELL
    waits[0] = false;
    waits[1] = false;
    waits[2] = false
#endif
}

inline drop_all()
{
    do
    :: atomic { queued > 0 -> queued--; over++; tell_one() }
    :: atomic { deque > 0 -> deque--; over++ }
    :: atomic { queued == 0 && deque == 0 -> break }
    od
}

/* Until nothing is left, or the deadline comes. */
inline settle()
{
    do
    ::
        if
        :: intake >= DROPPING -> drop_all()
        :: intake < DROPPING
        fi;
#ifdef ACCEPTED_FIRST
        is_accepted = accepted;
        is_over = over;
#else
        is_over = over;
        is_accepted = accepted;
#endif
        if
        :: is_accepted == is_over ->
            settled = true;
            assert(queued + deque + running == 0);
            break
        :: is_accepted != is_over
        fi
    :: true -> break
    od
}

init
{
    byte is_accepted, is_over;
    atomic {
        run worker();
        run submitter(0);
        run submitter(1);
        run submitter(2)
    };
    if
    :: true -> close_pool(DRAINING); settle()
    :: true
    fi;
    if
    :: true -> close_pool(DROPPING); settle()
    :: true
    fi;
    close_pool(ENDED);
    stopping = true;
    worker_ended;
#ifndef NO_LAST_DROP
    drop_all();
#endif
#ifndef NO_GUESTS
    !inside[0];
    !inside[1];
    !inside[2];
#endif
#ifndef NO_LAST_DROP
    drop_all();
#endif
    assert(accepted == over);
    freed = true
}

#ifdef LIVENESS
ltl ended { <> (freed && returned == SUBMITTERS) }
#endif
