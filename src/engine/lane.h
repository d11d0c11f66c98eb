/* Lanes: one call in flight each; publish, claim, finish, join.
 *
 * A caller leases a lane, writes its job, publishes it, and works on it like everybody who comes to
 * help. It returns when all tickets are done; it waits only for tickets that somebody has claimed.
 * Helpers are never waited for, so one that the operating system does not run costs nothing.
 *
 * Words, all tagged with the lane's generation, which counts the calls published on it (44 bits: at
 * 10 calls a microsecond 20 days until a value returns, and a thread would have to sleep exactly so
 * long between a load and its compare-and-swap to mistake one call for another):
 *
 *   post[g]    generation | tickets per slice, and how many of these an owner claims first;
 *              written by the caller, one copy for each group of at most 16 neighbours
 *   team[g]    age | around, first, width, caller; likewise, before post
 *   ticket[w]  generation | remaining in worker w's slice; claimed from by anyone
 *   done[w]    generation | finished; written by participant w alone
 *
 * publish  Write the job, team, own ticket; then post [E1]. Nothing else is reset: a ticket word of
 *          an older generation *means* that the whole slice is there, a done word of an older one
 *          means zero. So the words that a worker writes stay in its own cache from call to call.
 * claim    v = ticket[w]; if v is of a newer generation, or of this one with none remaining:
 *          nothing. Else compare-and-swap to (generation | remaining - m). Who succeeds owns
 *          tickets [N - remaining, N - remaining + m) of the slice, and may now read the job.
 * finish   done[w] = generation | finished so far [E2].
 * join     The caller claims from its own slice, then from the others', until nothing is left;
 *          then it waits until the done words of this generation add up to all tickets [E2].
 *
 * Why a helper never runs a stale job. Say that it has read generation g from post and succeeds in
 * a claim. Every slice of the team of g is claimed to the end before its join completes, and claims
 * write g into its word, so after the join no word of the team is older than g, and none with g has
 * anything remaining; a claim for g fails from then on. Hence a claim that succeeds comes before
 * the join's end and, by its unfinished tickets, keeps the join from ending: the job is frozen from
 * the claim until done is stored. What it read of post and team before is right as well, since they
 * changed last before g was published, and each carries its generation in the same word.
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
 * helping with fails (lease.c): else that one's caller would wait for it for ever.
 *
 * Rejected: resetting ticket words at each publish (a line transfer per worker and call on the
 * critical path); one counter of finished tickets per slice (a read-modify-write, contended by
 * thieves); a count of sleepers in the pool (one line that all write). */
#ifndef PARA_ENGINE_LANE_H
#define PARA_ENGINE_LANE_H

#include "base/atomic.h"
#include "base/fpenv.h"
#include "base/thread.h"
#include "plan/decide.h"
#include "plan/divide.h"
#include "plan/estimate.h"
#include "sync/cancel.h"
#include "sync/event.h"

#include <para/call.h>
#include <stddef.h>

/* What a participant of a call has done, and whether it failed. */
typedef struct para__tally {
    size_t chunks, largest;            /* kernel calls, and elements in the largest */
    size_t failed_first, failed_count; /* the lowest failing chunk */
    uint64_t busy_ticks : 56;          /* in its portions; 0 if the call is not timed */
    uint64_t fp_flags : 8; /* raised by a helper's kernels. A tally and its done word fill a line */
    uint64_t came_ticks;   /* when a helper's first claim succeeded; of all, the first */
    float dearest_ticks;   /* of one unit, in the portion where these cost most */
    int error; /* what the kernel returned for it; 0: none failed. With a failed_count of
                            0 there is no such chunk, but this status for the call */
} para__tally;

/* A participant while it runs units of a call. */
typedef struct para__seat {
    unsigned worker;        /* 0 .. width - 1 */
    _Atomic uint64_t *stop; /* first element of the lowest failing chunk known so far; 0 if
                               the call is cancelled; written by whoever fails, read by all */
    unsigned kind;          /* of the core that it is placed on, as in para_chunk */
    para__tally tally;
} para__seat;

/* How a call went. */
typedef struct para__outcome {
    para__tally tally;       /* of all participants */
    unsigned workers;        /* who ran a chunk */
    para__portions portions; /* of the caller, if the call is timed */
    uint64_t ticks;          /* from begin to end, likewise */
} para__outcome;

/* Runs units [first, first + count) of the job with that payload. */
typedef void para__run(const void *payload, size_t first, size_t count, para__seat *seat);

/* Bytes of a job's payload: a copy of it travels to the workers. */
enum { PARA__PAYLOAD_BYTES = 384 };

struct para_pool;

/* A call, as the layer above describes it. */
typedef struct para__job {
    para__run *run;
    const void *payload; /* copied when it is published */
    size_t payload_bytes;
    size_t first, units; /* units [first, first + units) are to be run */
    uintptr_t written;   /* where unit 0 writes */
    size_t unit_bytes;   /* how much each writes there, one after the other; 0: nothing of note */
    bool timed;          /* participants look at the clock */
} para__job;

/* What a group of workers, neighbours within a domain, sees of a lane. The words and the first
 * bytes of the job stand in one line, so that one transfer between cores tells a worker of a small
 * call. */
typedef struct para__notice {
    _Alignas(PARA__LINE) _Atomic uint64_t post; /* [E1] publishes team, job and payload */
    _Atomic uint64_t team;
    para__run *run;
    size_t first, units, lead;
    para__fp fp_control; /* the caller's */
    bool timed;
    para__grain grain;
    _Alignas(16) unsigned char payload[PARA__PAYLOAD_BYTES];
} para__notice;

_Static_assert(offsetof(para__notice, payload) == 64, "a notice has its words in one line");

/* What belongs to one worker of a lane. */
typedef struct para__member {
    _Alignas(PARA__LINE) _Atomic uint64_t ticket;
    _Alignas(PARA__LINE) _Atomic uint64_t done; /* [E2] publishes tally and the call's outputs */
    para__tally tally;                          /* of generation done; written before done */
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
    _Alignas(PARA__LINE) _Atomic uint32_t leased;
    bool is_open;        /* the call of this generation has not been joined */
    uint64_t generation; /* this to arena_bytes, with is_open: the lessee's */
    struct para_pool *pool;
    struct para__lane *outer;        /* the lane that its thread has leased before, if any */
    const struct para__lane *around; /* that of the kernel that made the call */
    uintptr_t frame;                 /* where on its thread's stack it leased the lane, */
    uintptr_t run_frame;             /* and runs the open call; 0: it does not yet */
    int cancel_state;                /* of its thread, before the lease */
    unsigned guest_of;               /* 1 + the worker whose guest it is; 0: none's */
    unsigned acting_for; /* 1 + the worker in whose name it helps with nested calls; 0: none */
    unsigned first, width, tickets; /* the open call's team, and tickets of each slice */
    unsigned claimed;               /* of all, by the caller */
    struct para__lane *helped;      /* whose call it helps with while it waits; NULL: none */
    unsigned helped_worker;         /* in whose name, */
    uint64_t helped_done;           /* and the member.done that it owes there */
    void *arena;                    /* memory that calls need beyond the stack */
    size_t arena_bytes;
    uint64_t needed_ticks;                   /* when a call last needed a quarter of a large one */
    _Alignas(PARA__LINE) para__event joiner; /* where the caller sleeps when a join takes long */
    _Atomic uint64_t stop;                   /* UINT64_MAX; of a failing call see para__seat */
    para__notice *notice;                    /* [groups of workers, at most as many as these] */
    para__member *member;                    /* [workers of the pool] */
} para__lane;

/* A lane for the calling thread, or NULL if all are taken. Until it is released the thread is not
 * cancelled (pthread_cancel): helpers use what lies on its stack and in its arrays. */
para__lane *para__lane_lease(struct para_pool *pool);
void para__lane_release(para__lane *lane);

/* The lanes that the calling thread has leased, the latest first. */
extern PARA__THREAD_LOCAL para__lane *para__innermost_lane;

/* ---- lease.c: lanes whose callers have left by a jump ---- */

/* Abandons those lanes of the calling thread whose calls it has left by a jump: what the lease has
 * changed is put back. Called where it leases again, or ends a pool, at `frame` on its stack. */
void para__lanes_abandon(uintptr_t frame);

/* Takes a lane out of the thread's list that is not the innermost: those within were left. */
void para__lanes_unlink(const para__lane *lane);

/* Has the lanes of the calling thread abandoned when it ends; whether it is to be. */
void para__lanes_watch(void);
extern PARA__THREAD_LOCAL bool para__lanes_watched;

/* Makes free those abandoned lanes of the pool that all helpers have left; whether there was one.
 * What is not claimed of their calls is not run any more. */
bool para__lanes_recover(struct para_pool *pool);

/* At least so many bytes, aligned to PARA__LINE, contents undefined, until the lane is released or
 * asked again; NULL if there is no memory. It is kept for the next lessee, so that calls that are
 * repeated allocate nothing; what is large and was not needed for a while is trimmed. */
void *para__lane_arena(struct para_pool *pool, para__lane *lane, size_t bytes);

/* Gives back the memory of lanes that are free, if no call has needed it for so long. */
void para__lanes_trim(struct para_pool *pool, uint64_t idle_ticks);

/* Frees a lane's memory when nobody has it. */
void para__lane_drop_arena(para__lane *lane);

/* Runs the job on a leased lane as planned, with the calling thread as one of the participants;
 * adds what all of them did to the outcome's tally, with the floating-point flags of the helpers'
 * kernels, which are the caller's to raise, and to its portions; both may have some of the caller
 * already. Sets its workers. plan->width is at least 2. In a child, if a kernel of it has forked: a
 * tally of nothing but PARA_ERR_FORKED. */
#if defined(__clang__)
#define PARA__OWN_FRAME __attribute__((noinline))
#else
#define PARA__OWN_FRAME __attribute__((noinline, noclone))
#endif
PARA__OWN_FRAME /* lease.c tells by its frame whether it runs */
    void
    para__lane_run(struct para_pool *pool, para__lane *lane, const para__job *job,
                   const para__plan *plan, para__outcome *outcome);

/* Has an empty job run by the caller's nearest helpers, width - 1 of them, and returns the ticks
 * until the caller knows of its end; UINT64_MAX if they did not come within limit_ticks. */
uint64_t para__lane_ping(struct para_pool *pool, unsigned width, uint64_t limit_ticks);

/* Somebody who acts for a worker looks at a lane: takes part if there is a call there that was not
 * looked at in the worker's name, and to which the worker is invited; if within is not 0, only in a
 * call made by a kernel of the call on lane within - 1. Of several outcomes the largest counts. */
typedef enum para__visit {
    PARA__VISIT_NOTHING,   /* no call that it could help with */
    PARA__VISIT_DISPLACED, /* the caller sits on this worker's core: out of its way */
    PARA__VISIT_WORKED     /* it was invited, and helped or came too late */
} para__visit;
para__visit para__lane_visit(struct para_pool *pool, unsigned lane, unsigned worker,
                             unsigned within);

/* Whether there is such a call, as part of the parking protocol [E5]. */
bool para__lane_has_news(struct para_pool *pool, unsigned lane, unsigned worker);

/* For run functions: whether a chunk that begins at element first is not to be started, since a
 * lower one has failed; and to record that [first, first + count) was run, with what the kernel
 * returned. */
static inline bool para__seat_stops(const para__seat *seat, size_t first)
{
    /* Relaxed: late news only means that a chunk runs whose result nobody needs. */
    return first > para__load_relaxed(seat->stop);
}
void para__seat_fail(para__seat *seat, size_t first, size_t count, int error);

/* Likewise, whether no chunk is to be started since the call is cancelled; and records that. */
void para__seat_cancel(para__seat *seat);
static inline bool para__seat_is_cancelled(para__seat *seat, const para_cancel *cancel)
{
    if (!cancel || !para__cancel_is_requested(cancel))
        return false;
    para__seat_cancel(seat);
    return true;
}
static inline void para__seat_record(para__seat *seat, size_t first, size_t count, int error)
{
    seat->tally.chunks++;
    if (count > seat->tally.largest)
        seat->tally.largest = count;
    if (error)
        para__seat_fail(seat, first, count, error);
}

#endif
