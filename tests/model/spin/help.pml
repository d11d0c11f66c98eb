/* Waiting helps: threads that wait for a task run deeper ones meanwhile.
 *
 * Abstracts src/pool/await.c and src/task/crew.c, for one family. Two threads, and a tree of tasks:
 *
 *     0 (depth 1) submits 1 and 2 (depth 2), which submit 3 and 4 (depth 3); each waits for its own
 *
 * A thread has a stack of what it runs, and takes any task that is queued and lies deep enough,
 * whichever deque that is in: that a deque shows its last task to its owner and its first to
 * others only narrows this down, as the order of the steps does anyway. A wait that finds nothing
 * goes on until its task is over, spinning or asleep.
 *
 * Proves:
 *   helped  every task is run once, and the depths of the tasks on a stack increase (assertions);
 *           no thread waits for ever (a deadlock is an invalid end state)
 *   ended   the first task is over in the end (under weak fairness) */
#define TASKS 5
#define THREADS 2
#define NONE TASKS

#define depth(t) (t == 0 -> 1 : (t < 3 -> 2 : 3))

mtype = { new, queued, running, over };
mtype state[TASKS] = new;
byte runs[TASKS];

/* Which task it runs, and below it: one for each depth. */
typedef stack {
    byte task[4];
    byte awaited[4]; /* what each waits for */
    byte step[4];    /* what each has done */
    byte height;
};
stack held[THREADS];

#define S held[me]
#define TOP S.task[S.height]
#define child(t, n) (t == 0 -> 1 + n : (t < 3 -> (n == 0 -> t + 2 : NONE) : NONE))
#ifdef ANY_DEPTH /* who waits takes whatever there is */
#define may_take(t) (state[t] == queued && S.height < 3)
#else
#ifdef NO_HELP
#define may_take(t) (state[t] == queued && S.height == 0)
#else
#define may_take(t) (state[t] == queued && (S.height == 0 || depth(t) > depth(TOP)))
#endif
#endif

inline take(t)
{
    assert(state[t] == queued);
    assert(S.height == 0 || depth(t) > depth(TOP));
    state[t] = running;
    runs[t]++;
    assert(runs[t] == 1);
    S.height++;
    TOP = t;
    S.step[S.height] = 0
}

proctype thread(byte me)
{
    do
    :: atomic { may_take(0) && (S.height == 0 || S.step[S.height] >= 2) -> take(0) }
    :: atomic { may_take(1) && (S.height == 0 || S.step[S.height] >= 2) -> take(1) }
    :: atomic { may_take(2) && (S.height == 0 || S.step[S.height] >= 2) -> take(2) }
    :: atomic { may_take(3) && (S.height == 0 || S.step[S.height] >= 2) -> take(3) }
    :: atomic { may_take(4) && (S.height == 0 || S.step[S.height] >= 2) -> take(4) }
    :: atomic { S.height > 0 && S.step[S.height] < 2 -> /* submits */
            if
            :: child(TOP, S.step[S.height]) != NONE -> state[child(TOP, S.step[S.height])] = queued
            :: else
            fi;
            S.step[S.height]++
        }
    :: atomic { S.height > 0 && S.step[S.height] >= 2 && S.step[S.height] < 4 &&
                (child(TOP, S.step[S.height] - 2) == NONE ||
                 state[child(TOP, S.step[S.height] - 2)] == over) ->
            S.step[S.height]++ /* has waited for it */
        }
    :: atomic { S.height > 0 && S.step[S.height] == 4 -> state[TOP] = over; S.height-- }
    :: atomic { state[0] == over && S.height == 0 -> break }
    od
}

init
{
    atomic {
        state[0] = queued;
        run thread(0);
        run thread(1)
    };
    state[0] == over;
    assert(state[1] == over && state[2] == over && state[3] == over && state[4] == over)
}

#ifdef LIVENESS
ltl ended { <> (state[0] == over) }
#endif
