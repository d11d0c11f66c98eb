/* Parking: workers sleep until there is a call, a caller until its call is done.
 *
 * Abstracts src/sync/event.h; src/pool/worker.c: go_round, has_news, park; src/executor/lease.c:
 * use_lane; src/share/caller.c: publish, announce, wake_all, join, all_done;
 * src/share/participant.c: finish; src/share/visit.c: para__lane_visit, para__lane_has_news. One
 * step is one access to a word that others change.
 *
 * Left out: spinning, which only delays; what is claimed and how (a claim is one step here, and
 * right by its epoch); the tree of wake-ups, since wake_all makes up for a lost one; displaced
 * workers, whose sleep ends by itself; calls within calls. Spin's memory is in order. The caller's
 * look at PARKED may overtake the announcement of a short call, a release store, so the model has
 * both orders; and a mutation that weakens [E5] exchanges the two accesses.
 *
 * Proves, for two workers and a caller, and for a worker and two callers on a lane each:
 *   ended   every call ends: a joining caller is woken when the last ticket is finished, and no
 *           worker sleeps through a call that is announced twice. In the model such a call lasts
 *           until all workers have come, so it would not end without them. A short call ends with
 *           helpers and without. */
#ifndef WORKERS
#define WORKERS 2
#define LANES 1
#define CALLS 2 /* of each caller */
#endif
#define TICKETS 2 /* of a call */

byte call[LANES]; /* the epoch of the lane's call */
byte lanes_used;
byte seen[WORKERS * LANES];
#define seen_by(w, l) seen[(w) * LANES + (l)]

byte ticket_epoch[LANES];
byte tickets[LANES];            /* that nobody has claimed yet */
byte done[WORKERS * LANES];     /* the number finished, of the epoch beside it */
byte done_epoch[WORKERS * LANES];

/* Events: those of the workers, then those where callers join. */
bool parked[WORKERS + LANES];
bool asleep[WORKERS + LANES]; /* in the kernel, until the futex is woken */
#define joiner(l) (WORKERS + (l))

byte ended;

inline event_wait(e)
{
    do
    :: !parked[e] -> break
    :: atomic { parked[e] -> asleep[e] = true };
        !asleep[e]
    od
}

inline event_wake(e)
{
    if
    :: parked[e] ->
        if
        :: atomic { parked[e] -> parked[e] = false };
            asleep[e] = false
        :: !parked[e] /* another was faster */
        fi
    :: !parked[e]
    fi
}

/* Looks at the lanes' calls one by one: news is set if one of them is new to worker me. */
inline look_for_news()
{
    lanes = lanes_used;
    do
    :: atomic { lane < lanes && !news -> news = call[lane] != seen_by(me, lane); lane++ }
    :: atomic { else -> lane = 0; lanes = 0; break }
    od
}

inline visit()
{
    if
    :: atomic {
            call[lane] != seen_by(me, lane) ->
            epoch = call[lane];
            seen_by(me, lane) = epoch
        };
        do
        :: atomic {
                ticket_epoch[lane] == epoch && tickets[lane] > 0 ->
                tickets[lane]--;
                finished++
            };
#ifdef WAKE_BEFORE_DONE
            event_wake(joiner(lane));
#endif
            atomic {
                done[me * LANES + lane] = finished;
                done_epoch[me * LANES + lane] = epoch
            };
#if !defined WAKE_BEFORE_DONE && !defined NO_JOINER_WAKE
            event_wake(joiner(lane))
#endif
        :: atomic {
                ticket_epoch[lane] != epoch || tickets[lane] == 0 ->
                finished = 0;
                epoch = 0;
                break
            }
        od
    :: call[lane] == seen_by(me, lane)
    fi
}

proctype worker(byte me)
{
    bool news;
    byte lanes, lane, epoch, finished;
    do
    :: visit();
#if LANES > 1
        lane = 1;
        visit();
        lane = 0;
#endif
        if
        :: true /* spins on */
        :: true -> /* parks */
#ifdef LOOK_BEFORE_PARKED
            look_for_news();
#endif
            parked[me] = true;
#if !defined LOOK_BEFORE_PARKED && !defined WEAK_RECHECK
            look_for_news();
#endif
            if
            :: atomic { news -> parked[me] = false; news = false }
            :: else -> event_wait(me)
            fi
        fi
    od
}

inline all_done()
{
    total = finished;
    do
    :: atomic {
            w < WORKERS ->
            total = total +
                (done_epoch[w * LANES + me] == epoch -> done[w * LANES + me] : 0);
            w++
        }
    :: atomic { else -> is_done = (total == TICKETS); total = 0; w = 0; break }
    od
}

inline wake_workers()
{
    event_wake(0);
#if WORKERS > 1
    event_wake(1)
#endif
}

/* Lanes are looked at up to lanes_used, which only grows. */
inline use_lane()
{
    atomic {
        if
        :: lanes_used <= me -> lanes_used = me + 1
        :: else
        fi
    }
}

/* The caller on lane me. */
proctype caller(byte me)
{
    byte epoch, finished, total, w;
    bool is_done, twice;
    do
    :: epoch < CALLS ->
        if
        :: twice = true
        :: twice = false
        fi;
#ifndef LATE_LANE
        use_lane();
#endif
        epoch++;
        atomic {
            ticket_epoch[me] = epoch;
            tickets[me] = TICKETS
        };
        if
        :: twice ->
#ifdef WAKE_BEFORE_CALL
            wake_workers();
            call[me] = epoch
#else
            call[me] = epoch;
            wake_workers()
#endif
        :: !twice -> call[me] = epoch; wake_workers()
        :: !twice -> wake_workers(); call[me] = epoch
        fi;
#ifdef LATE_LANE
        use_lane();
#endif
        do
        :: atomic { tickets[me] > 0 -> tickets[me]--; finished++ }
        :: tickets[me] == 0 -> break
        od;
        if
        :: twice -> seen_by(0, me) == epoch && seen_by(WORKERS - 1, me) == epoch
        :: else
        fi;
        do
        ::
#ifdef JOIN_LOOKS_FIRST
            all_done();
            parked[joiner(me)] = true;
#else
            parked[joiner(me)] = true;
            all_done();
#endif
            if
            :: is_done -> break
            :: else -> event_wait(joiner(me))
            fi
        od;
        parked[joiner(me)] = false;
        atomic {
            is_done = false;
            finished = 0
        }
    :: else -> break
    od;
    ended++
}

init
{
    atomic {
        run worker(0);
        run caller(0);
#if WORKERS > 1
        run worker(1);
#endif
#if LANES > 1
        run caller(1)
#endif
    }
}

#ifdef LIVENESS
ltl all_ended { <> (ended == LANES) }
#endif
