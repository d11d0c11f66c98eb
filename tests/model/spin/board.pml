/* A call on worker processes: claims, what is told, and the settlement of workers that die.
 *
 * Abstracts src/process/work.c: para__board_work, claim_ticket, finish_ticket, tell_caller,
 * para__board_done; src/process/settle.c: para__board_look, para__board_join, para__board_collect,
 * para__board_settle; src/process/desk.c: the loop of para__desk_run; supervisor.c, which
 * forks a worker anew in the place of one that has died. One step is one access to a word that
 * others change, and a worker may die before each of its steps.
 *
 * Left out: spinning and futexes, which Relacy's models have; halving, which adds tickets as
 * publishing does; later calls, whose epoch none of this call's words has.
 *
 * With SPOIL nobody dies, but a kernel once writes over a ticket's word, which looks free then, and
 * the caller has workers look again, as it does now and then. Left out: that all workers end, and
 * the call begins anew.
 *
 * Proves, for two workers, of which one dies:
 *   settled  what the caller adds up has each ticket once, or not at all if it was given up
 *   ended    the call ends, whoever dies when
 * and with SPOIL that the call ends with each ticket once, or is found spoilt. */
#define WORKERS 2
#define TICKETS 2
#ifdef SPOIL
#define DEATHS 0
#else
#define DEATHS 1
#endif
#define ALL     3 /* a bit for each ticket */

mtype = { FREE, CLAIMED, DONE, SETTLED, LOST };

mtype state[TICKETS] = FREE;
byte owner[TICKETS];

byte told[WORKERS];
byte told_sum[WORKERS]; /* over tickets, each by its bit */
bool spoilt;
byte part[2 * WORKERS]; /* a bit for each ticket */
byte settled;
byte dead_part;

byte news = 1;
bool joins;
bool mutex;
bool killed[WORKERS];
bool gone[WORKERS];
bool ended;

inline look(over)
{
    over = settled;
    over = over + told[0];
    over = over + told[1]
}

proctype worker(byte me)
{
    byte seen, t, finished, mask, over, sum;
again:
    {
        seen = 0;
        do
        :: d_step { news != seen -> seen = news };
            finished = told[me];
            sum = told_sum[me];
            mask = (finished -> part[2 * me + finished % 2] : 0);
            t = 0;
            do
            :: t < TICKETS ->
                if
#ifdef CLAIM_LATE
                :: state[t] == FREE ->
                    state[t] = CLAIMED;
                    owner[t] = me;
#else
                :: atomic { state[t] == FREE -> state[t] = CLAIMED; owner[t] = me };
#endif
                    finished++;
                    sum = sum + (1 << t);
                    mask = mask | (1 << t);
#ifdef DONE_FIRST
                    state[t] = DONE;
                    part[2 * me + finished % 2] = mask;
#else
#ifdef ONE_PART
                    part[2 * me] = mask;
                    part[2 * me + 1] = mask;
#else
                    part[2 * me + finished % 2] = mask;
#endif
#ifdef SPOIL
                    atomic {
                        if
                        :: state[t] == CLAIMED && owner[t] == me -> state[t] = DONE
                        :: else -> spoilt = true; goto over_all
                        fi
                    }
#else
                    state[t] = DONE
#endif
#endif
                :: else
                fi;
                t++
            :: else -> break
            od;
            atomic { told[me] = finished; told_sum[me] = sum };
            look(over);
            if
            :: finished && over >= TICKETS -> joins = false
            :: else
            fi
        :: ended -> goto over_all
        od
    } unless { killed[me] };
    d_step { gone[me] = true; seen = 0; t = 0; finished = 0; mask = 0; over = 0; sum = 0 };
    if
    :: !killed[me] -> goto again
    :: ended
    fi;
over_all:
    skip
}

proctype supervisor()
{
    byte deaths, w, t, finished, claimed;
    do
    :: deaths < DEATHS && !ended ->
        select(w : 0 .. WORKERS - 1);
        killed[w] = true;
        gone[w] || ended;
        if
        :: gone[w]
        :: else -> break /* it had ended */
        fi;
        atomic { !mutex -> mutex = true };
        atomic { /* what a dead worker had changes for nobody else */
            finished = 0;
            claimed = TICKETS;
            t = 0;
            do
            :: t < TICKETS ->
                if
                :: owner[t] == w && state[t] == CLAIMED -> claimed = t
                :: owner[t] == w && state[t] == DONE -> state[t] = SETTLED; finished++
                :: else
                fi;
                t++
            :: else -> break
            od
        };
#ifdef BY_TOLD
        finished = told[w];
#endif
        if
        :: finished ->
            assert((dead_part & part[2 * w + finished % 2]) == 0);
            dead_part = dead_part | part[2 * w + finished % 2]
        :: else
        fi;
        told[w] = 0;
        settled = settled + finished;
        if
        :: claimed < TICKETS ->
            if
            :: state[claimed] = FREE /* it is tried once more */
            :: state[claimed] = LOST; settled++
            fi
        :: else
        fi;
        news++;
#ifndef NO_ROUSE
        joins = false;
#endif
        mutex = false;
        deaths++;
        d_step { gone[w] = false; killed[w] = false }
    :: else -> break
    od
}

proctype caller()
{
    byte over, all, t;
    do
    :: atomic { !mutex -> mutex = true };
        look(over);
        if
        :: over >= TICKETS -> break
        :: over < TICKETS && spoilt -> goto known
        :: else
        fi;
        mutex = false;
        joins = true;
        look(over);
        if
        :: over < TICKETS -> !joins || spoilt
        :: else
        fi
    od;
    atomic {
#ifdef SPOIL
        if
#ifdef NO_SUM
        :: told[0] + told[1] != TICKETS || spoilt -> goto known
#else
        :: told[0] + told[1] != TICKETS || told_sum[0] + told_sum[1] != ALL || spoilt ->
            goto known
#endif
        :: else
        fi;
#endif
        all = dead_part;
        t = 0;
        do
        :: t < WORKERS ->
            if
            :: told[t] ->
                assert((all & part[2 * t + told[t] % 2]) == 0);
                all = all | part[2 * t + told[t] % 2]
            :: else
            fi;
            t++
        :: else -> break
        od;
        t = 0;
        do
        :: t < TICKETS ->
            if
            :: state[t] == LOST -> assert((all & (1 << t)) == 0); all = all | (1 << t)
            :: else
            fi;
            t++
        :: else -> break
        od;
        assert(all == ALL);
    };
known:
    atomic { ended = true; mutex = false }
}

#ifdef SPOIL
proctype kernel()
{
    byte t;
    select(t : 0 .. TICKETS - 1);
    state[t] = FREE;
    news++
}
#endif

init
{
    atomic {
        run worker(0);
        run worker(1);
        run supervisor();
        run caller();
#ifdef SPOIL
        run kernel()
#endif
    }
}

#ifdef LIVENESS
ltl call_ends { <> ended }
#endif
