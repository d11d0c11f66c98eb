/* Whether a call is shared, among how many, and in what batches. Pure functions.
 *
 * The model. A caller that shares work W with p - 1 helpers, of whom helper i begins R_i after the
 * call was published (its last word's way back included), can have everybody end at the same time
 * by keeping more for itself. All of them together then do
 *     W = (T - c) + sum of (T - R_i),     so     T = (W + c + sum of R_i) / p
 * where c is what sharing costs the caller. R_i is a round trip between cores for helper i if it
 * spins, and a wake-up more if it sleeps. W is what the work costs when it is shared, which may be
 * more than alone, since data travels. A little for each helper that is joined comes on top, and
 * the price of a kernel call, which each participant pays. A call is shared if T is less than what
 * it costs alone by a margin. Helpers of the caller's domain come first; R_i of those beyond it is
 * longer by what was measured. So a small call may pay within a domain and not beyond.
 *
 * What a site costs in the way that is not in use is tried now and then: see trial.h. */
#ifndef PARA_PLAN_DECIDE_H
#define PARA_PLAN_DECIDE_H

#include "plan/divide.h"

#include <para/call.h>
#include <stdbool.h>
#include <stddef.h>

/* What sharing costs on the machine. Measured when a pool is made; some of it is followed while the
 * pool runs. */
typedef struct para__costs {
    /* R of the first helper, awake: from publishing a call until its caller knows that an empty one
     * is done. */
    double round_trip_ns;
    double per_helper_ns; /* how much later each further helper comes */
    double far_ns;        /* how much later than that one comes that is not near */
    unsigned near;        /* helpers in the caller's domain, if domains are alike; 0: far_ns is 0 */
    /* Measured, not assumed: the round trip; per_helper_ns and far_ns; what waking up costs. */
    bool has_round_trip, has_further, has_wake;
    double wake_ns;      /* how much later one comes that sleeps */
    double wake_cost_ns; /* what waking one costs its waker */
    double share_ns;     /* c: what publishing and joining cost the caller */
    double clock_ns;     /* one look at the clock */
} para__costs;

/* What is known of a call. */
typedef struct para__ask {
    size_t units;   /* that it can be divided into */
    double work_ns; /* what all of them are expected to cost when shared, price left out; 0: unknown
                      */
    double alone_ns;  /* what the call is expected to take alone; 0: work_ns and a price */
    double price_ns;  /* of a kernel call, however short */
    unsigned workers; /* threads of the pool, the caller's among them */
    unsigned awake;   /* helpers that do not sleep */
    unsigned limit;   /* threads that the call's options allow; 0: all */
    bool is_forced;   /* to be shared whatever that gains, as the call's options ask */
    size_t claim;     /* the most units of a claim, by the call's options; 0: any */
    double spread;    /* cost of the dearest batches as a multiple of the mean; 0: unknown */
    bool varies;      /* work_ns is a mean of calls that differ */
} para__ask;

/* What is to be done. */
typedef struct para__plan {
    para__range units; /* of the job: those that are shared. The others have been run before */
    unsigned width;    /* threads to invite, the caller among them; 1: runs alone. Slices */
    unsigned invited;  /* 0; or fewer threads than there are slices: see para__plan_spread */
    unsigned tickets;  /* per slice */
    unsigned first;    /* tickets in an owner's first claim; 0: not known, claims adapt */
    size_t head_start; /* units that the caller takes beyond its share */
    para__grain grain; /* where slices may begin */
    bool announces;    /* long enough to announce it twice */
    bool timed;        /* participants look at the clock */
    para_why why;
    double gain_ns; /* by which sharing is expected to be faster; negative: slower; 0: not asked */
} para__plan;

/* To run alone, for that reason. */
static inline para__plan para__plan_alone(para_why why)
{
    return (para__plan){.width = 1, .tickets = 1, .first = 1, .why = why};
}

/* Why a call cannot be shared, whatever it costs; PARA_WHY_PARALLEL: it can be. */
static inline para_why para__why_alone(unsigned limit, unsigned workers, size_t units)
{
    return limit == 1    ? PARA_WHY_ASKED
           : workers < 2 ? PARA_WHY_ONE_WORKER
           : units < 2   ? PARA_WHY_ONE_UNIT
                         : PARA_WHY_PARALLEL;
}

/* How wide a call is to be, and why. If it is to be shared, para__plan_tickets is next, since into
 * how many units a call can be divided may follow from its width. */
para__plan para__decide(const para__ask *ask, const para__costs *costs);

/* Tells into what a call can be divided for at most `width` participants, at least 2. Only who has
 * set the function knows the type of `call`. */
typedef struct para__split {
    size_t units;
    unsigned width; /* participants that there is room for; if these are fewer, */
    para_why why;   /* the reason, should the call run alone for that */
} para__split;
typedef para__split para__split_fn(const void *call, unsigned width);

/* How much later, all together, the helpers of such a team come that are beyond a domain. */
double para__far_ns(const para__costs *costs, unsigned width);

/* The work that explains, by the model, how long a call of that width took. It is more than the
 * participants' busy time if they kept each other waiting: for a lock in the kernel, for a helper
 * that came late, for the dearest unit. */
double para__work_of(const para__ask *ask, unsigned width, double elapsed_ns,
                     const para__costs *costs);

/* Whether to share a call of unknown cost from its first unit: if the caller tried a unit alone,
 * the others would wait longer than sharing in vain takes. unit_ns: the mean cost of units so
 * far. */
bool para__share_at_once(const para__ask *ask, double unit_ns, const para__costs *costs);

/* The additional gain if all helpers were awake, and the team for that. */
double para__forgone_ns(const para__ask *ask, const para__costs *costs, unsigned *width);

/* Work below this is never shared, even if all helpers are awake: for each width up to 4 the W at
 * which T is as good as running alone, and of these the least. */
double para__least_work_ns(const para__costs *costs, unsigned workers);

/* Divides the units among the plan's width. */
void para__plan_tickets(para__plan *plan, const para__ask *ask, const para__costs *costs);

/* Has the slices of a plan be those of a call on `places` threads, more than its width, of which as
 * many take part as before. So each can have a share of every domain, and the slices lie where data
 * lies that was placed for all. Claims keep their length. */
void para__plan_spread(para__plan *plan, unsigned places);

/* Makes the slices of a plan for `units` begin at page borders, if these write so much that it
 * matters: see para__grain_of_pages. */
void para__plan_pages(para__plan *plan, uintptr_t address, size_t unit_bytes, size_t units,
                      size_t page_bytes);

#endif
