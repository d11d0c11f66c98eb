/* A participant of a call on a lane, the caller or a helper: what it knows of the call, and what it
 * does. lane.h has the argument for the protocol. */
#ifndef PARA_SHARE_PARTICIPANT_H
#define PARA_SHARE_PARTICIPANT_H

#include "base/thread.h"
#include "share/lane.h"

/* One participant of one call. */
typedef struct para__participant {
    para__lanes *lanes;
    para__lane *lane;
    para__lane *waits; /* of a helper that waits for a call of its own: that call's lane; or NULL */
    const para__job_descriptor *descriptor; /* a helper's: its job, which a claim freezes */
    bool begun;                             /* it has been read; the caller knows it */
    para__fp own_fp;                        /* a helper's environment, before it began */
    para__run *run;
    const void *payload;
    uint64_t epoch;
    /* A helper knows its units, head_start and grain, and what follows, once it has begun. */
    para__division division;
    size_t first_unit;
    bool timed;
    para__team team;
    unsigned self, finished; /* finished: in slices of the caller's group */
    unsigned first, end;     /* whose slices are those of its own group */
    bool scouts;             /* it looks at other groups' tickets, and its group waits for it */
    unsigned first_claim;    /* as in the plan */
    unsigned claim;          /* tickets that the next claim takes at most */
    float ticket_ticks; /* what a ticket of the last claim took, where nothing is known; 0: none */
    para__batches *batches; /* the caller's; NULL: a helper's are not kept */
    para__runner runner;
} para__participant;

/* Whether all slices are one group's: then nothing is counted by groups. */
static inline bool para__participant_has_one_group(const para__participant *p)
{
    return p->end - p->first == p->team.width;
}

/* Whether it is of the caller's group. */
static inline bool para__participant_is_home(const para__participant *p)
{
    return p->team.caller_place - p->first < p->end - p->first;
}

static inline bool para__participant_is_caller(const para__participant *p)
{
    return p->self == p->team.caller_place;
}

/* Runs n tickets of worker w's slice, which the participant has claimed. */
void para__participant_run(para__participant *p, unsigned w, unsigned first_ticket, unsigned n);

/* Claims from worker w's slice, and runs what it claims, until nothing is left there. The worker is
 * of the participant's own group. */
void para__participant_work_on(para__participant *p, unsigned w);

/* The same with the other participants' slices of its own group; and with those of other groups. */
void para__participant_steal_near(para__participant *p);
void para__participant_steal_far(para__participant *p);

/* Tells the caller of the lane's call what a helper has finished, and wakes it if it sleeps. */
void para__participant_finish(para__lane *lane, unsigned worker, const para__tally *tally,
                              uint64_t done);

/* The same where the debt's group is told by its last participant; tally: of what the helper has
 * done in its own group, or if it strays, in others. */
void para__participant_settle(para__lane *lane, unsigned worker, const para__tally *tally,
                              uint64_t epoch, para__debt debt);

/* Counts tickets in their group, and reports for it to the caller if they were the last. */
void para__participant_count(para__lane *lane, uint64_t epoch, para__debt debt);

/* Wakes the helpers that this rank of the team has to wake: rank r wakes ranks nr + 1 to nr + n,
 * counted from the caller, n being PARA__WAKES_EACH. So a large team is awake after logarithmic
 * time. */
void para__participant_wake_next(const para__participant *p);

/* The lane of the call whose kernel this thread runs, or NULL. */
extern PARA__THREAD_LOCAL const para__lane *para__current_lane;

/* The number of that lane; 0 if it is none of these. */
static inline unsigned para__lane_around(const para__lanes *lanes)
{
    return para__current_lane ? para__lane_number(lanes, para__current_lane) : 0;
}

#endif
