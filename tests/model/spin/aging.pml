/* The ingress of tasks: priorities that age.
 *
 * Abstracts src/task/ingress.c. Each section under the latch is one step (Lipton, Reduction, 1975).
 * Of a line only the first task matters, since turns grow along it; so a line holds one task, and
 * may be refilled as soon as that is taken. Turns are kept as ages, so that the model is finite
 * though arrivals have no end.
 *
 * Proves, for a task of each of three priorities, and for submitters that never stop:
 *   bounded  at most HEAD_START tasks that arrive later go before a task for each step that they
 *            are more urgent (assertion)
 *   begun    each task begins, however many more urgent ones arrive (under weak fairness)
 * Where submitters take turns, a priority's turn is that of the oldest task in front of its lines,
 * which grows in the same way.
 * Left out: tasks that a waiter takes out, which only shortens lines; room. */
#define PRIORITIES 3
#ifndef HEAD_START
#define HEAD_START 2
#endif
#define NEVER 99

/* How far from now a line's first task has arrived, in arrivals; NEVER: the line is empty. */
byte age[PRIORITIES] = NEVER;
byte passed[PRIORITIES * PRIORITIES]; /* of priority q, before the first of p, though later */
bool waits[PRIORITIES];

#define there(p) (age[p] != NEVER)
/* The turn, less what is the same for all: older is less, more urgent is less. */
#ifdef NO_AGING
#define before(p, q) (p > q)
#else
#ifdef FAR_AHEAD
#define early(p) (age[p] + p * (HEAD_START + 1))
#else
#define early(p) (age[p] + p * HEAD_START)
#endif
#define before(p, q) (early(p) > early(q) || (early(p) == early(q) && p > q))
#endif

/* A submitter of that priority. */
proctype submitter(byte me)
{
    byte i;
    do
    :: d_step {
        !there(me) ->
        i = 0;
        do
        :: i < PRIORITIES ->
            if
            :: there(i) && age[i] < 20 -> age[i]++ /* beyond that all are alike */
            :: else
            fi;
            passed[me * PRIORITIES + i] = 0;
            i++
        :: else -> break
        od;
        i = 0;
        age[me] = 0;
        waits[me] = true
    }
    od
}

proctype worker()
{
    byte i, found;
    do
    :: d_step {
        there(0) || there(1) || there(2) ->
        found = NEVER;
        i = 0;
        do
        :: i < PRIORITIES ->
            if
            :: there(i) && (found == NEVER || before(i, found)) -> found = i
            :: else
            fi;
            i++
        :: else -> break
        od;
        i = 0;
        do
        :: i < PRIORITIES ->
            if
            :: there(i) && i != found && age[found] < age[i] -> /* it has arrived later */
                passed[i * PRIORITIES + found]++;
                assert(found > i && passed[i * PRIORITIES + found] <= (found - i) * HEAD_START)
            :: else
            fi;
            i++
        :: else -> break
        od;
        age[found] = NEVER;
        waits[found] = false;
        i = 0;
        found = 0
    }
    od
}

init
{
    atomic {
        run submitter(0);
        run submitter(1);
        run submitter(2);
        run worker()
    }
}

#ifdef LIVENESS
ltl begun { [] ((waits[0] -> <> !waits[0]) && (waits[1] -> <> !waits[1])) }
#endif
