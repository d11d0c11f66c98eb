/* Joining by groups: the caller looks at one word for each group of helpers.
 *
 * Abstracts src/share/participant.c: work_for_group, para__participant_count, report; and
 * src/share/caller.c: others_done, add_other_groups. One step is one access to a word that others
 * change.
 *
 * Left out: the caller's neighbours, who have a done word each; parking (park.pml); spent and
 * scout, which only spare looks; order, which Relacy has: Spin's memory is in order.
 *
 * Proves, for a caller that is a group of its own, two helpers that are another, and two calls:
 *   joined  the join ends, after each ticket was run once; what it adds up is all that was done;
 *           counts are 0 when a call is published. */
#define TICKETS 2 /* of a slice; slice 0 is the caller's */
#define ALL (3 * TICKETS)
#define CALLS 2

byte call;
byte ticket_epoch[3], tickets[3];
byte ran; /* of this call */
byte count_home, count_other;
byte done_other, reported; /* the epoch, and what was done as the group tells it */
byte told[3], strays[3];   /* by helpers, of this call: in their own group, and in the caller's */

/* The participant claims from a slice until nothing is left, and counts what it has run. */
inline work_on(slice, tally)
{
    n = 0;
    do
    :: atomic {
            ticket_epoch[slice] == epoch && tickets[slice] > 0 ->
            tickets[slice]--;
            n++
        };
        ran++
    :: atomic { ticket_epoch[slice] != epoch || tickets[slice] == 0 -> break }
    od;
    if
    :: n > 0 ->
#ifdef COUNT_FIRST
        count(slice);
        tally = tally + n
#else
        tally = tally + n;
        count(slice)
#endif
    :: else
    fi
}

inline count(slice)
{
    if
    :: slice == 0 -> count_home = count_home + n
    :: else ->
#ifdef TORN_COUNT
        counted = count_other + n;
        count_other = counted;
#else
        atomic { count_other = count_other + n; counted = count_other };
#endif
        if
        :: counted == 2 * TICKETS ->
            sum = told[1];
            sum = sum + told[2];
            reported = sum;
#ifdef RESET_LATE
            done_other = epoch;
            count_other = 0
#else
            count_other = 0;
            done_other = epoch
#endif
        :: else
        fi
    fi
}

proctype helper(byte me)
{
    byte epoch, n, counted, sum;
end:
    do
    :: call != epoch ->
        epoch = call;
        work_on(me, told[me]);
        work_on(3 - me, told[me]);
#ifdef ONE_TALLY
        work_on(0, told[me])
#else
        work_on(0, strays[me])
#endif
    od
}

proctype caller()
{
    byte epoch, n, counted, sum, mine;
    do
    :: epoch < CALLS ->
        epoch++;
        assert(count_home == 0 && count_other == 0);
        atomic {
            ran = 0;
            told[1] = 0;
            told[2] = 0;
            strays[1] = 0;
            strays[2] = 0;
            mine = 1;
            ticket_epoch[0] = epoch;
            tickets[0] = TICKETS - 1;
            ticket_epoch[1] = epoch;
            tickets[1] = TICKETS;
            ticket_epoch[2] = epoch;
            tickets[2] = TICKETS
        };
        call = epoch;
        ran++;
        do
        :: atomic { tickets[0] > 0 -> tickets[0]--; mine++ };
            ran++
        :: atomic { tickets[0] == 0 -> break }
        od;
        /* What it does elsewhere is its own: told[0]. */
        told[0] = 0;
        work_on(1, told[0]);
        work_on(2, told[0]);
        done_other == epoch && mine + count_home == TICKETS;
        assert(ran == ALL);
        assert(mine + told[0] + reported + strays[1] + strays[2] == ALL);
#ifndef KEEP_COUNT
        count_home = 0
#endif
    :: else -> break
    od
}

init
{
    atomic { run caller(); run helper(1); run helper(2) }
}
