/* A job: what a call asks its participants to run, what each of them reports, and how the call
 * went. */
#ifndef PARA_SHARE_JOB_H
#define PARA_SHARE_JOB_H

#include "base/atomic.h"
#include "base/bounds.h"
#include "plan/estimate.h"
#include "sync/cancel.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a participant's part of a call ended, and the call itself. Of several the greatest counts. */
typedef enum para__ending {
    PARA__ENDED_WHOLE,     /* nothing of it is left out */
    PARA__ENDED_FAILED,    /* a kernel returned an error: then chunks above that one may be */
    PARA__ENDED_CANCELLED, /* then any may be, also below one that failed */
    PARA__ENDED_FORKED     /* in a child: what others have claimed of it is not done */
} para__ending;

/* What a participant of a call has done: what each counts for itself, in memory of its own, and
 * para__tally_add adds up. */
typedef struct para__tally {
    size_t chunks, largest;            /* kernel calls, and elements in the largest */
    size_t failed_first, failed_count; /* the lowest failing chunk, if one has failed */
    uint64_t busy_ticks : 56;          /* spent in batches; 0 if the call is not timed */
    uint64_t fp_flags : 8;             /* raised by a helper's kernels */
    uint64_t came_ticks : 62; /* when a helper's first claim succeeded; of all, the first */
    uint64_t ending : 2;      /* a para__ending. A tally and its done word fill a line */
    float dearest_ticks;      /* of one unit, in the batch where these cost most */
    int error;                /* what the kernel returned for the chunk that failed */
} para__tally;

/* A participant while it runs units of a call. */
typedef struct para__runner {
    unsigned worker;            /* 0 .. width - 1 */
    para__atomic_u64 *stop;     /* first element of the lowest failing chunk known so far; 0 if
                               the call is cancelled; written by whoever fails, read by all */
    para__atomic_u64 *left_out; /* elements that the call's kernel is not called for */
    unsigned kind;              /* of the core that it is placed on, as in para_chunk */
    para__tally tally;
} para__runner;

/* How a call went: what is learnt from and reported. What each participant counts is in the tally;
 * this is what the caller alone knows. */
typedef struct para__outcome {
    para__tally tally; /* of all participants */
    size_t left_out;   /* elements that the kernel was not called for */
    unsigned workers;  /* who ran a chunk */
    unsigned sleepers; /* of the team, when the call was published; more than there are helpers if
                          one was not to be woken. This and all below, but for time_ns, only if
                          the call is timed */
    para__batches batches;             /* of the caller */
    uint64_t ticks;                    /* from begin to end of its work */
    uint64_t begun, published, joined; /* if it was shared: by the processor's ticks */
    uint64_t time_ns;                  /* from call to return, if that is asked for */
    para_status status;                /* of a call on worker processes: PARA_OK, or why not */
    unsigned deaths;                   /* of these processes */
    size_t filled;                     /* elements that were filled then */
} para__outcome;

/* Runs units [first, first + count) of the job with that payload. */
typedef void para__run(const void *payload, size_t first, size_t count, para__runner *runner);

/* Brings together what units [first, first + count) have left, by whoever runs the last of them.
 * All of them have run, none failed or was left out; others may run at the same time. */
typedef void para__fold(const void *payload, size_t first, size_t count);

/* Bytes of a job's payload: a copy of it travels to the workers. */
enum { PARA__PAYLOAD_BYTES = 384 };

/* A call, as the layer above describes it; the same from beginning to end. Which of its units are
 * shared, and how, is the plan's. */
typedef struct para__job {
    para__run *run;
    para__fold *fold;    /* NULL: there is nothing to bring together. The caller does what nobody
                            has done */
    const void *payload; /* copied when it is published */
    size_t payload_bytes;
    size_t units;
    uintptr_t written; /* where unit 0 writes */
    size_t unit_bytes; /* how much each writes there, one after the other; 0: nothing of note */

    /* Of a call on worker processes: */
    struct para__desk *desk;              /* where it is done */
    uintptr_t kernel;                     /* for those who look */
    const struct para_survival *survival; /* what is done about those that die */
    bool is_tried_once;                   /* its units do harm if they run a second time */
    const para_cancel *cancel;            /* the caller's; that of the payload stands for it */
} para__job;

/* Adds how another participant ended. Of two failing chunks the lower one remains. */
void para__tally_end(para__tally *sum, const para__tally *more) __attribute__((cold));

/* Adds another participant's tally. */
static inline void para__tally_add(para__tally *sum, const para__tally *more)
{
    sum->chunks += more->chunks;
    sum->largest = para__max(sum->largest, more->largest);
    sum->busy_ticks += more->busy_ticks;
    sum->fp_flags |= more->fp_flags;
    if (more->came_ticks && (sum->came_ticks == 0 || more->came_ticks < sum->came_ticks))
        sum->came_ticks = more->came_ticks;
    if (more->dearest_ticks > sum->dearest_ticks)
        sum->dearest_ticks = more->dearest_ticks;
    if (more->ending != PARA__ENDED_WHOLE)
        para__tally_end(sum, more);
}

/* For run functions. Whether a chunk that begins at element first can be left out, because a lower
 * one has failed. */
static inline bool para__runner_stops(const para__runner *runner, size_t first)
{
    /* Relaxed: late news only means that a chunk runs whose result nobody needs. */
    return first > para__load_relaxed(runner->stop);
}

/* Records that the kernel returned error for elements [first, first + count). */
void para__runner_fail(para__runner *runner, size_t first, size_t count, int error);

/* Records that the kernel is not called for so many elements, as the call ends early. */
void para__runner_leave_out(para__runner *runner, size_t count) __attribute__((cold));

/* Records that the call is cancelled: from now on no chunk is started. */
void para__runner_cancel(para__runner *runner);

/* Whether the call is cancelled; if so, records it. */
static inline bool para__runner_is_cancelled(para__runner *runner, const para_cancel *cancel)
{
    if (!cancel || !para__cancel_is_requested(cancel))
        return false;
    para__runner_cancel(runner);
    return true;
}

/* Records a kernel call for elements [first, first + count), and what it returned. */
static inline void para__runner_record(para__runner *runner, size_t first, size_t count, int error)
{
    runner->tally.chunks++;
    if (count > runner->tally.largest)
        runner->tally.largest = count;
    if (error)
        para__runner_fail(runner, first, count, error);
}

#endif
