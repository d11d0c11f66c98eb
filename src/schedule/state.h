/* A call while it is decided, run and learnt from. */
#ifndef PARA_SCHEDULE_STATE_H
#define PARA_SCHEDULE_STATE_H

#include "base/thread.h"
#include "base/trace.h"
#include "pool/inside.h"

#include <para/call.h>

typedef struct para__schedule {
    /* As `data` describes it. */
    para_pool *pool;
    const para_options *options;
    uintptr_t kernel;
    para__form form;       /* for profilers; the caller of describe may set another */
    size_t count;          /* elements */
    size_t units;          /* at most; once the call is begun: into which it is divided */
    para__split_fn *split; /* tells units by the width; NULL: they are the same for any */
    const void *split_of;
    /* As the options ask, and the executor tells. */
    bool is_automatic; /* the engine chooses whether it is shared; else it is */
    unsigned limit;    /* the most participants; 0: all workers of the pool */
    unsigned workers;  /* of the pool, as this call sees it: the usual ones, unless it asks for
                          a number */
    /* As it is decided. */
    para__site *site; /* what the pool remembers of calls like this one; NULL if it is not asked */
    para__estimate estimate;
    para__ask ask; /* where sharing was considered */
    para__plan plan;
    bool small;    /* so little that it runs alone, as one, whatever its cost is found to be */
    bool probe;    /* runs alone in growing batches; the rest is shared if that turns out to pay */
    bool timed;    /* its participants look at the clock */
    bool together; /* alone, since the thread's short calls are so, all of them */
    bool widths;   /* a trial of another width */
    bool is_recalled;      /* planned as one before it was */
    bool trial;            /* in the way that is expected to take longer */
    double dull_ns;        /* if it takes less, it is as expected and is not learnt from */
    uint64_t dull_ticks;   /* likewise of a call that is not timed, but watched; 0: it is not */
    double usual_ns;       /* of a trial: what it is expected to take the other way */
    unsigned stands_for;   /* calls like it that are not timed, and itself */
    size_t first_elements; /* of the first batch, when probing */
    double probed_ns;      /* an element's cost in the last batch of a probe */
    para__tuner tuner;     /* what was known of the site's width, */
    para__widths reach;    /* the widths that the call could have, */
    unsigned tuned_width;  /* and the width of this call for that; 0: it was not consulted */
    /* While it runs. */
    para__lane *lane; /* leased, or NULL */
    para__stay *stay; /* in the pool, if the call has entered it */
    bool is_guest;    /* the pool is the program's, which may destroy it */
    unsigned kind;    /* of the core on which the calling thread has begun to run it */
    bool holds_fp;    /* the caller's floating-point environment is held apart between kernels: */
    para__fp fp;
    uint64_t since_ns; /* when it began, if somebody asks for its time; else 0 */
    para__mark since;  /* likewise, for those who look; only if since_ns is not 0 */
    bool isolated; /* on worker processes: nothing is decided, and no kernel runs on this thread */
    struct para__desk *desk; /* where it is done then */
} para__schedule;

/* Where the thread's stack was when its outermost call began to run, of those that are planned; 0:
 * none runs. A jump may have left it, and then this is found out late. */
extern PARA__THREAD_LOCAL uintptr_t para__outermost_call;

/* Whether the calling function is a part of that call: the stack grows downwards. */
static inline bool para__is_within_call(void)
{
    return (uintptr_t)__builtin_frame_address(0) < para__outermost_call;
}

#endif
