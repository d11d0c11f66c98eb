/* A participant of a call on a lane, the caller or a helper: what it knows of the call, and what it
 * does with it. The protocol is argued in lane.h. */
#ifndef PARA_ENGINE_PART_H
#define PARA_ENGINE_PART_H

#include "base/fpenv.h"
#include "engine/pool.h"

/* Tagged words: generation above, a count of tickets below. */
enum { PARA__COUNT_BITS = 20 };
#define PARA__COUNT_MASK (((uint64_t)1 << PARA__COUNT_BITS) - 1)

static inline uint64_t para__tagged(uint64_t generation, unsigned count)
{
    return generation << PARA__COUNT_BITS | count;
}

/* The post word's count is two: tickets per slice, and how many of them its owner claims first. */
enum { PARA__TICKET_BITS = 10 };
_Static_assert(PARA__SLICE_TICKETS_MAX == (1 << PARA__TICKET_BITS) - 1,
               "both have room in a post word");
_Static_assert(PARA__SLICE_TICKETS_MAX *PARA__WORKERS_MAX < 1 << PARA__COUNT_BITS,
               "so have all tickets");

/* The team word: the generation's low 28 bits, and 4, 10, 11 and 10 bits of the members. */
typedef struct para__team {
    unsigned within; /* 1 + the lane of the call whose kernel made this one; 0: none of this pool */
    unsigned first, width; /* workers [first, first + width) */
    unsigned caller;       /* the caller's seat among them */
} para__team;

enum { PARA__AGE_BITS = 28 };
_Static_assert(PARA__LANES < 16, "a lane has room in a team word");

static inline uint64_t para__team_word(uint64_t generation, para__team t)
{
    return generation << (64 - PARA__AGE_BITS) | (uint64_t)t.within << 32 |
           (uint64_t)t.first << 21 | (uint64_t)t.width << 10 | t.caller;
}

/* A word of another call may have the same age by accident, 2^28 calls apart: then a claim fails,
 * for the words that are claimed from have the whole generation. */
static inline bool para__is_of_age(uint64_t word, uint64_t generation)
{
    return word >> (64 - PARA__AGE_BITS) == (generation & (((uint64_t)1 << PARA__AGE_BITS) - 1));
}

static inline para__team para__team_of(uint64_t word)
{
    return (para__team){.within = word >> 32 & 0xf,
                        .first = word >> 21 & 0x3ff,
                        .width = word >> 10 & 0x7ff,
                        .caller = word & 0x3ff};
}

/* One participant of one call. */
typedef struct para__part {
    para_pool *pool;
    para__lane *lane;
    para__lane *waits; /* a helper's that waits meanwhile: where its own call is; else NULL */
    const para__notice *notice; /* a helper's: where the job is read, once it is frozen */
    bool begun;                 /* it has been read; the caller knows it */
    para__fp own_fp;            /* a helper's environment, before it began */
    para__run *run;
    const void *payload;
    uint64_t generation;
    /* Of it, units, lead and grain are known from begin on, like what follows. */
    para__division division;
    size_t first_unit;
    bool timed;
    para__team team;
    unsigned self, finished;
    unsigned first_claim; /* as in the plan */
    unsigned claim;       /* tickets that the next claim takes at most */
    float ticket_ticks; /* what a ticket of the last claim took, where nothing is known; 0: none */
    para__portions *portions; /* the caller's; NULL: a helper's are not kept */
    para__seat seat;
} para__part;

/* Runs n tickets of worker w's slice, which the participant has claimed. */
void para__part_run(para__part *p, unsigned w, unsigned first_ticket, unsigned n);

/* Claims from worker w's slice, and runs what it claims, until nothing is left there. */
void para__part_work_on(para__part *p, unsigned w);

/* The same with the others' slices: first those of the own group, then the rest. */
void para__part_help_others(para__part *p);

/* Tells the caller of the lane's call what a helper has finished, and wakes it if it sleeps. */
void para__part_finish(para__lane *lane, unsigned worker, const para__tally *tally, uint64_t done);

/* Wakes those whom rank r of the team is to wake: ranks 2r + 1 and 2r + 2, counted from the caller,
 * so that a large team is awake after logarithmic time. */
void para__part_wake_next(const para__part *p);

/* 1 + the lane's place in the pool; 0 if it is NULL or another pool's. */
unsigned para__lane_number(const para_pool *pool, const para__lane *lane);

/* The lane of the call whose kernel this thread runs, or NULL. */
extern PARA__THREAD_LOCAL const para__lane *para__current_lane;

/* The number of that lane; 0 if it is none of the pool's. */
unsigned para__lane_around(const para_pool *pool);

#endif
