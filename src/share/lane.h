/* Lanes: one call in flight each; publish, claim, finish, join.
 *
 * This is the memory of the work-sharing protocol, and the argument for it. The steps stand in
 * caller.h (the caller's), participant.h (every participant's) and visit.h (a helper's). None of
 * these files knows a thread or a pool: an executor tells them who takes part, and in whose place.
 *
 * A caller leases a lane, writes its job, publishes it, and works on it like everybody who comes to
 * help. It returns when all tickets are done; it waits only for tickets that somebody has claimed.
 * Helpers are never waited for, so one that the operating system does not run costs nothing.
 *
 * Words, all tagged with the lane's epoch, which counts the calls published on it (44 bits: at
 * 10 calls a microsecond 20 days until a value returns, and a thread would have to sleep exactly so
 * long between a load and its compare-and-swap to mistake one call for another):
 *
 *   call[g]    epoch | tickets per slice, and how many of these an owner claims first;
 *              written by the caller, one copy for each group of at most 16 neighbours
 *   team[g]    age | around, first, width, caller, or invited for first; likewise, before the call
 *              word
 *   ticket[w]  epoch | remaining in worker w's slice; claimed from by anyone
 *   done[w]    epoch | finished; written by participant w alone
 *
 * publish  Write the job, team, own ticket; then the call word [E1]. Nothing else is reset: a
 *          ticket word of an older epoch *means* that the whole slice is there, a done word of an
 *          older one means zero. So the words that a worker writes stay in its own cache from call
 *          to call.
 * claim    v = ticket[w]; if v is of a newer epoch, or of this one with none remaining:
 *          nothing. Else compare-and-swap to (epoch | remaining - m). Success owns
 *          tickets [N - remaining, N - remaining + m) of the slice, and may now read the job.
 * finish   done[w] = epoch | finished so far [E2].
 * join     The caller claims from its own slice, then from the others', until nothing is left;
 *          then it waits until the done words of this epoch add up to all tickets [E2].
 *
 * Why a helper never runs a stale job. Say that it has read epoch g from the call word and succeeds
 * in a claim. Every slice of the team of g is claimed to the end before its join completes, and
 * claims write g into its word, so after the join no word of the team is older than g, and none
 * with g has anything remaining; a claim for g fails from then on. Hence a claim that succeeds
 * comes before the join's end and, by its unfinished tickets, keeps the join from ending: the job
 * is frozen from the claim until done is stored. What it read of the call and team words before is
 * right as well, since they changed last before g was published, and each carries its epoch in the
 * same word.
 *
 * Why a wake-up is not lost. In a call that is long against a line's way, the announcement is made
 * once more, in the single order of seq_cst operations [E5], before the caller runs anything: each
 * worker then either sees the call before it sleeps, or is seen to sleep and woken. In a short call
 * the plain release store must do, since a barrier would make the caller wait; a worker that parks
 * at that very moment misses a call that is over before it could be woken.
 *
 * While a caller waits, it helps those it waits for: with calls that kernels of its own call have
 * made, which are what keeps them (leapfrogging: Wagner and Calder, PPoPP 1993). It does so in the
 * name of the worker in whose place it sits [E8]. If it leaves by a jump then, the call that it was
 * helping with fails (executor/left.c): else that one's caller would wait for it for ever.
 *
 * Rejected: resetting ticket words at each publish (a line transfer per worker and call on the
 * critical path); one counter of finished tickets per slice (a read-modify-write, contended by
 * thieves); a count of sleepers in one place (a line that all write). */
#ifndef PARA_SHARE_LANE_H
#define PARA_SHARE_LANE_H

#include "base/fpenv.h"
#include "base/process.h"
#include "plan/divide.h"
#include "share/job.h"
#include "sync/event.h"

/* A job descriptor: what a group of workers, neighbours within a domain, reads of a lane. Its words
 * and the first bytes of the job are in one cache line, so that one transfer between cores brings a
 * small call to a worker. */
typedef struct para__job_descriptor {
    _Alignas(PARA__LINE) para__atomic_u64 call; /* [E1] publishes team, job and payload */
    para__atomic_u64 team;
    para__run *run;
    size_t first, units, head_start;
    para__fp fp_control; /* the caller's */
    bool timed;
    para__grain grain;
    _Alignas(16) unsigned char payload[PARA__PAYLOAD_BYTES];
} para__job_descriptor;

_Static_assert(offsetof(para__job_descriptor, payload) == 64,
               "a descriptor has its words in one line");

/* What belongs to one worker of a lane. */
typedef struct para__member {
    _Alignas(PARA__LINE) para__atomic_u64 ticket;
    _Alignas(PARA__LINE) para__atomic_u64 done; /* [E2] publishes tally and the call's outputs */
    para__tally tally;                          /* of epoch done; written before done */
} para__member;

_Static_assert(sizeof(para__member) == (size_t)2 * PARA__LINE,
               "what a helper tells is in one line");

/* Of a lane:
 *
 *            lease [E3]            leave by a jump [E3]               recover [E3]
 *     FREE ------------> LEASED -----------------------> ABANDONED -------------------> RECOVERING
 *       ^   release [E3]   |                                 ^   helpers are in [E3]         |
 *       |<-----------------+                                 +-------------------------------+
 *       |                                     helpers are out [E3]                           |
 *       +------------------------------------------------------------------------------------+
 */
typedef enum para__lease {
    PARA__LANE_FREE,
    PARA__LANE_LEASED,
    PARA__LANE_ABANDONED,
    PARA__LANE_RECOVERING
} para__lease;

typedef struct para__lane {
    /* [E3] hands the lane from caller to caller: a para__lease */
    _Alignas(PARA__LINE) para__atomic_u32 lease;
    bool is_open;                    /* the call of this epoch has not been joined */
    uint64_t epoch;                  /* this to needed_ticks, with is_open: the lessee's */
    struct para__lanes *lanes;       /* its pool's lanes */
    struct para__lane *outer;        /* the lane that its thread has leased before, if any */
    const struct para__lane *around; /* that of the kernel that made the call */
    uintptr_t frame;                 /* where on its thread's stack it leased the lane, */
    uintptr_t run_frame;             /* and runs the open call; 0: it does not yet */
    int cancel_state;                /* of its thread, before the lease */
    unsigned displaces;              /* 1 + the worker that its caller displaces; 0: none */
    unsigned acting_for; /* 1 + the worker in whose name it helps with nested calls; 0: none */
    unsigned first, width, tickets; /* the open call's team, and tickets of each slice */
    unsigned claimed;               /* of all, by the caller */
    struct para__lane *helped;      /* whose call it helps with while it waits; NULL: none */
    unsigned helped_worker;         /* in whose name, */
    uint64_t helped_done;           /* and the member.done that it owes there */
    void *arena;                    /* memory that calls need beyond the stack */
    size_t arena_bytes;
    char
        *strips; /* the same for each participant: pages that keep their owner, strip_count times */
    size_t strip_bytes;
    unsigned strip_count;
    uint64_t needed_ticks;                   /* when a call last needed a quarter of a large one */
    _Alignas(PARA__LINE) para__event joiner; /* where the caller sleeps when a join takes long */
    para__atomic_u64 stop;                   /* UINT64_MAX; of a failing call see para__runner */
    para__job_descriptor *descriptor;        /* [groups of workers, at most as many as these] */
    para__member *member;                    /* [helpers of its lanes] */
} para__lane;

/* Calls that can be shared at the same time. A worker that spins looks at all of them, a few ns
 * each. */
enum { PARA__LANES = 8 };

/* The most workers of a pool, and the most that share one job descriptor. */
enum { PARA__WORKERS_MAX = 1024, PARA__GROUP_MAX = 16 };

/* What a worker shares with those who call it. */
typedef struct para__helper {
    unsigned group; /* that reads one job descriptor: neighbours have one number, or the next */
    unsigned kind;  /* of the core that it is placed on, as in para_cpu_info */

    _Alignas(PARA__LINE) para__event event; /* where it parks */

    /* How often it is displaced: the callers that are none of the workers and sit on its core, so
     * that it has to stay out of their way; one more while it yields (yield.h). A hint:
     * orders nothing; too high for a moment, it keeps the worker away until a later call. Counted
     * by such callers, and by the worker. */
    _Alignas(PARA__LINE) para__atomic_u32 displaced;

    /* [E8] 1 while somebody helps in this worker's name: its thread, or a caller that sits in its
     * place and waits. One at a time, since member.done has one writer and scratch one user. */
    _Alignas(PARA__LINE) para__atomic_u32 acting;
    para__atomic_u64 seen[PARA__LANES]; /* the last call looked at by whoever acts, or made by the
                                           worker; an epoch each, that orders nothing */
} para__helper;

/* All that participants share. Its owner makes it of zero bytes, but for the pointers, the first
 * three words, each helper's group and kind, and each lane's stop (UINT64_MAX). */
typedef struct para__lanes {
    unsigned fork_count;         /* of the process that the helpers are in */
    uint64_t batch_ticks;        /* shorter batches say nothing of a unit's cost: the clock shows */
    para__atomic_u64 spin_ticks; /* how long a waiter spins before it sleeps; 0 where threads share
                                    CPUs. A value on its own: orders nothing */
    para__atomic_u32 used; /* [E5] lanes that were ever leased, at most: others are not looked at */
    para__atomic_u64 kept_ticks; /* when it was first seen, or last looked at, that lanes hold large
                                    memory; 0: none does. A time on its own: orders nothing */
    para__helper *helper;        /* [workers] */
    para__lane lane[PARA__LANES];
} para__lanes;

/* Whether the process was forked since: then the helpers are not there. */
static inline bool para__lanes_are_forked(const para__lanes *lanes)
{
    return lanes->fork_count != para__fork_count();
}

/* Wakes a helper that is parked, unless a caller is in its place. */
static inline void para__helper_wake(para__helper *helper)
{
    if (para__event_is_parked(&helper->event) &&
        !para__load_relaxed(&helper->displaced)) /* a hint: orders nothing */
        para__event_wake(&helper->event);
}

/* 1 + the lane's place among these; 0 if it is NULL or another's. */
static inline unsigned para__lane_number(const para__lanes *lanes, const para__lane *lane)
{
    const bool is_ours = lane >= lanes->lane && lane < lanes->lane + PARA__LANES;
    return is_ours ? (unsigned)(lane - lanes->lane) + 1 : 0;
}

/* ---- Words ---------------------------------------------------------------------------- */

/* Tagged words: epoch above, a count of tickets below. */
enum { PARA__COUNT_BITS = 20 };
#define PARA__COUNT_MASK (((uint64_t)1 << PARA__COUNT_BITS) - 1)

static inline uint64_t para__tagged(uint64_t epoch, unsigned count)
{
    return epoch << PARA__COUNT_BITS | count;
}

/* The call word has two counts: the tickets per slice, and how many of them the owner's first claim
 * takes. */
enum { PARA__TICKET_BITS = 10 };
_Static_assert(PARA__SLICE_TICKETS_MAX == (1 << PARA__TICKET_BITS) - 1,
               "both have room in a call word");
_Static_assert(PARA__SLICE_TICKETS_MAX *PARA__WORKERS_MAX < 1 << PARA__COUNT_BITS,
               "so have all tickets");

/* The team word: the epoch's low 28 bits, 4 of within, 1 for whether some are not invited, 10 of
 * invited then or else of first, 11 of width, and 10 of caller_place. */
typedef struct para__team {
    unsigned within; /* 1 + the lane of the call whose kernel made this one; 0: none of these */
    unsigned first, width; /* workers [first, first + width) have slices */
    unsigned invited;      /* so many of them take part, evenly spread; fewer only if first is 0 */
    unsigned caller_place; /* one of these */
} para__team;

enum { PARA__AGE_BITS = 28 };
_Static_assert(PARA__LANES < 16, "a lane has room in a team word");

static inline uint64_t para__team_word(uint64_t epoch, para__team t)
{
    const bool is_sparse = t.invited < t.width;
    return epoch << (64 - PARA__AGE_BITS) | (uint64_t)t.within << 32 | (uint64_t)is_sparse << 31 |
           (uint64_t)(is_sparse ? t.invited : t.first) << 21 | (uint64_t)t.width << 10 |
           t.caller_place;
}

/* A word of another call may have the same age by accident, 2^28 calls apart: then a claim fails,
 * for the words that are claimed from have the whole epoch. */
static inline bool para__is_of_age(uint64_t word, uint64_t epoch)
{
    return word >> (64 - PARA__AGE_BITS) == (epoch & (((uint64_t)1 << PARA__AGE_BITS) - 1));
}

static inline para__team para__team_of(uint64_t word)
{
    const bool is_sparse = word >> 31 & 1;
    const unsigned number = word >> 21 & 0x3ff;
    const unsigned width = word >> 10 & 0x7ff;
    return (para__team){.within = word >> 32 & 0xf,
                        .first = is_sparse ? 0 : number,
                        .width = width,
                        .invited = is_sparse ? number : width,
                        .caller_place = word & 0x3ff};
}

/* The rarer half of the next two functions. */
unsigned para__sparse_member(const para__team *t, unsigned rank);
unsigned para__sparse_rank(const para__team *t, unsigned worker);

/* Those who take part have the ranks 0 to invited - 1, in the order of their places. The worker of
 * that rank: */
static inline unsigned para__team_member(const para__team *t, unsigned rank)
{
    return t->invited == t->width ? t->first + rank : para__sparse_member(t, rank);
}

/* And a worker's rank; invited or more if it does not take part. */
static inline unsigned para__team_rank(const para__team *t, unsigned worker)
{
    return t->invited == t->width ? worker - t->first : para__sparse_rank(t, worker);
}

#endif
