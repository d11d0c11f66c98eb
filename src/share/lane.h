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
 *   count[g]   tickets of group g's slices that are finished; see "by groups"
 *   done[g]    epoch | workers; written by who counts the last ticket of group g
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
 * By groups. The caller looks at each done word of its own group of workers, and at one for each
 * other group. Where the team is one group, that is all as above. Else:
 *
 *   - What a member of the caller's group does in that group's slices is told by its done word.
 *     Everything else is counted: who has worked on a slice writes its tally, then adds the tickets
 *     to the count of the slice's group [E16], once when nothing is left there.
 *   - A ticket is claimed once, so it is counted once. One addition brings the count of a group to
 *     the tickets that the team has there, and who made it *reports*: it has acquired what all
 *     others released [E16], folds what their units have left, adds up the tallies of the group's
 *     members, sets the count back to 0, and stores done[g] [E2]. Nobody else touches these words
 *     then: no ticket is left.
 *   - The fold is in the group, so the caller combines results of groups and not of units. A tree
 *     has the same shape whoever folds it. It is left to the caller if a chunk has failed or was
 *     left out: `stop` says so to who counts the last ticket, since it was stored before another
 *     addition. It is left as well by callers that count a group's last ticket while they wait: a
 *     combine that leaves by a jump would leave a group that nobody reports for.
 *   - In the caller's group only strangers count, of other groups. The count never gets full there,
 *     since the caller's first tickets are never counted. The caller reads it beside the done
 *     words; so an addition there is news for a caller that sleeps [E5].
 *   - What a member does outside its group stands apart (strays), because its group may report, and
 *     with it the member's tally, while it still works elsewhere. A mark above the count says that
 *     strangers were there, so the caller knows from the reports whether to look for strays. It
 *     looks after all reports, and each comes after what was counted there.
 *   - Who comes late claims nothing, so it counts nothing, and nobody waits for it. The caller
 *     counts like everybody else where it steals, and may be the one who reports.
 *   - Workers that are not invited are like such that never come: their slices are there, and a
 *     group of which nobody is invited is reported by the stranger who counts its last ticket.
 *   - Counts are 0 whenever a call is published: a report sets its own to 0 before done[g], the
 *     caller that of its group after the join. done[g] has an epoch, like all other words.
 *   - A kernel that leaves by a jump leaves a debt, tickets that are claimed and not counted. It
 *     stands in a lane's `debt` if it was the caller's, else in `helped_debt`; left.c counts it.
 *     The chunks of a cancelled call are claimed and counted as if they had run. In a child of a
 *     fork counts mean nothing until the pool is restarted, which sets them to 0.
 *   - spent[g] is the last epoch of which somebody has seen all of the group's tickets claimed.
 *     That never ceases to be true of the epoch, so it needs no order: a thief passes the group by.
 *     A caller passes by what has reported.
 *   - A group sends one scout at a time to the other groups' slices. When it has claimed something,
 *     the next member goes; if nothing is left anywhere, nobody does. Else all workers of an even
 *     call would come to the one slice whose owner the system does not run: of 255 that compare and
 *     swap one word, one succeeds, and the others all try again, each at the price of a line's way.
 *     So it takes tens of microseconds until the slice is claimed to the end. scout[g] is a hint:
 *     it says who looks now, not who may. It takes the groups in the order of `raids`, the nearest
 *     first, so what is stolen moves no farther than it has to. Members wait for a scout for a
 *     moment only, then go too, since it may be off its core; and what nobody steals the caller
 *     claims.
 *
 * Why a helper never runs a stale job. Say that it has read epoch g from the call word and succeeds
 * in a claim. Every slice of the team of g is claimed to the end before its join completes (of a
 * group that has reported every ticket is even finished), and claims write g into its word, so
 * after the join no word of the team is older than g, and none with g has anything remaining; a
 * claim for g fails from then on. Hence a claim that succeeds comes before the join's end and, by
 * its unfinished tickets, keeps the join from ending: the job is frozen from the claim until done
 * is stored. What it read of the call and team words before is right as well, since they changed
 * last before g was published, and each carries its epoch in the same word.
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
 * thieves); a count of those at work in a group, whose last one reports (who begins after that
 * would have to report again, and two reports race); a count of sleepers in one place (a line that
 * all write). */
#ifndef PARA_SHARE_LANE_H
#define PARA_SHARE_LANE_H

#include "base/fpenv.h"
#include "base/process.h"
#include "base/trace.h"
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
    para__fold *fold; /* for who reports for the group; not written if there is one group */
} para__job_descriptor;

_Static_assert(offsetof(para__job_descriptor, payload) == 64,
               "a descriptor has its words in one line");

enum { PARA__RESTS = 1 << 16 }; /* in a helper's `displaced`: more than callers */

/* What belongs to one worker of a lane. */
typedef struct para__member {
    _Alignas(PARA__LINE) para__atomic_u64 ticket;
    _Alignas(PARA__LINE) para__atomic_u64 done; /* [E2] publishes tally and the call's outputs */
    para__tally tally;                          /* of epoch done; written before done */
    _Alignas(PARA__LINE) uint64_t strayed;      /* the epoch of: */
    para__tally strays;                         /* what it did in other groups' slices */
} para__member;

_Static_assert(offsetof(para__member, strayed) == (size_t)2 * PARA__LINE,
               "what a helper tells is in one line");

/* Where the scout of a group is. In this order, since an older epoch means BACK. */
typedef enum para__scout {
    PARA__SCOUT_BACK, /* with work, or none was sent: the next member may go */
    PARA__SCOUT_AWAY, /* it looks at other groups' tickets */
    PARA__SCOUT_VAIN  /* all of these are claimed */
} para__scout;

/* What belongs to one group of a lane. */
typedef struct para__group {
    _Alignas(PARA__LINE) para__atomic_u64 count; /* [E16] of its slices: tickets that are finished,
                                                    and PARA__STRAY for each lot by a stranger */
    _Alignas(PARA__LINE) para__atomic_u64 done;  /* [E2] epoch | workers: all of them are */
    para__tally tally;                           /* of its members; written before done */
    _Alignas(PARA__LINE) para__atomic_u64 spent; /* the last epoch whose tickets were seen to be all
                                                    claimed */
    _Alignas(PARA__LINE) para__atomic_u64 scout; /* epoch | a para__scout */
} para__group;

/* Tickets that a participant has claimed from one group's slices and not yet counted there. */
typedef struct para__debt {
    unsigned worker;                   /* one of the group */
    unsigned tickets;                  /* 0: none */
    unsigned of;                       /* as many as the team has there; 0: the caller's group */
    bool strays;                       /* the participant is of another group */
    const para__job_descriptor *folds; /* the job of a helper's own thread, which may fold what the
                                          group has left; or NULL */
} para__debt;

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
    unsigned claimed;               /* of the caller's group's tickets, by the caller */
    unsigned home;                  /* that group */
    struct para__lane *helped;      /* whose call it helps with while it waits; NULL: none */
    unsigned helped_worker;         /* in whose name, */
    uint64_t helped_done;           /* and the member.done that it owes there, */
    para__debt helped_debt;         /* or what else it does */
    para__debt debt;                /* of the caller */
    void *arena;                    /* memory that calls need beyond the stack */
    size_t arena_bytes;
    char
        *strips; /* the same for each participant: pages that keep their owner, strip_count times */
    size_t strip_bytes;
    unsigned strip_count;
    uint64_t needed_ticks;                   /* when a call last needed a quarter of a large one */
    _Alignas(PARA__LINE) para__event joiner; /* where the caller sleeps when a join takes long */
    para__atomic_u64 stop;                   /* UINT64_MAX; of a failing call see para__runner */
    para__atomic_u64 left_out;               /* 0; of a call that ends early see para__runner */
    para__atomic_uptr kernel; /* of a call that somebody looks at, by the lessee before it publishes
                                 it; a value on its own, like the next */
    para__atomic_u64 site;    /* its .options.site */
    para__weighing weighing;  /* of the open call, if it is weighed: frozen like its job */
    para__job_descriptor *descriptor; /* [groups of workers, at most as many as these] */
    para__member *member;             /* [helpers of its lanes] */
    para__group *group;               /* [groups of workers] */
} para__lane;

/* Calls that can be shared at the same time. A worker that spins looks at all of them, a few ns
 * each. */
enum { PARA__LANES = 8 };

/* The most workers of a pool. */
enum { PARA__WORKERS_MAX = 1024 };

/* What a worker shares with those who call it. */
typedef struct para__helper {
    unsigned group; /* that reads one job descriptor: neighbours have one number, or the next */
    unsigned group_first, group_end; /* its workers are these */
    unsigned kind;                   /* of the core that it is placed on */

    _Alignas(PARA__LINE) para__event event; /* where it parks */

    /* How often it is displaced: the callers that are none of the workers and sit on its core, so
     * that it has to stay out of their way; PARA__RESTS more while it yields (yield.h). A hint:
     * orders nothing; too high for a moment, it keeps the worker away until a later call. Counted
     * by such callers, and by the worker. */
    _Alignas(PARA__LINE) para__atomic_u32 displaced;
    para__atomic_bool naps; /* it sleeps for a short time, since it was displaced: who has tasks
                               leaves it alone. Written by the worker, read after its event [E5] */

    /* [E8] 1 while somebody helps in this worker's name: its thread, or a caller that sits in its
     * place and waits. One at a time, since member.done has one writer and scratch one user. */
    _Alignas(PARA__LINE) para__atomic_u32 acting;
    para__atomic_u64 seen[PARA__LANES]; /* the last call looked at by whoever acts, or made by the
                                           worker; an epoch each, that orders nothing */
} para__helper;

/* All that participants share. Its owner makes it of zero bytes, but for the pointers, the first
 * three words, groups, each helper's group and kind, weights if there are several kinds, and each
 * lane's stop (UINT64_MAX). */
typedef struct para__lanes {
    unsigned fork_count;         /* of the process that the helpers are in */
    uint64_t batch_ticks;        /* shorter batches say nothing of a unit's cost: the clock shows */
    para__atomic_u64 spin_ticks; /* how long a waiter spins before it sleeps; 0 where threads share
                                    CPUs. A value on its own: orders nothing */
    para__atomic_u32 used; /* [E5] lanes that were ever leased, at most: others are not looked at */
    para__atomic_u64 kept_ticks; /* when it was first seen, or last looked at, that lanes hold large
                                    memory; 0: none does. A time on its own: orders nothing */
    para__helper *helper;        /* [workers] */
    para__kinds_before *before;  /* [workers + 1]; NULL if all are of one kind */
    para__atomic_u32 weight[PARA__KINDS_MOST]; /* of a slice of that kind: values on their own, that
                                                  order nothing */
    unsigned wide;      /* in calls of that width, which is that of all workers, a worker has: */
    uint16_t *slice_of; /* [wide]; NULL, and 0: slices stand as workers do */
    unsigned groups;
    uint16_t *raids; /* [groups][groups - 1]: the first workers of the other groups, in the order in
                        which members of a group look for work there; NULL if there is one group */
    /* Helpers that are parked, or have not started. A count on its own: orders nothing. */
    _Alignas(PARA__LINE) para__atomic_u32 sleeping;
    para__lane lane[PARA__LANES];
} para__lanes;

/* Completes helpers, workers of them, whose groups are set. Returns how many groups these are. */
unsigned para__helpers_group(para__helper *helper, unsigned workers);

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

/* In a group's count, above the tickets. */
#define PARA__STRAY ((uint64_t)1 << PARA__COUNT_BITS)

/* In a group's done word: strangers have worked there. */
#define PARA__STRAYED (1u << (PARA__COUNT_BITS - 1))

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

/* How many slices of the call are those of that worker's group. */
static inline unsigned para__group_width(const para__helper *worker, para__team t)
{
    const unsigned first = para__max(worker->group_first, t.first);
    const unsigned end = para__min(worker->group_end, t.first + t.width);
    return end - first;
}

/* Which slice a worker of the team has. Those of a group are neighbours. */
static inline unsigned para__team_slice(const struct para__lanes *lanes, const para__team *t,
                                        unsigned worker)
{
    return t->width == lanes->wide ? lanes->slice_of[worker] : worker - t->first;
}

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
