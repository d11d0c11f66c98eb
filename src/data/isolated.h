/* Calls on worker processes: what their kernels reach has to lie where workers see it, and what
 * becomes of elements whose worker has died. */
#ifndef PARA_DATA_ISOLATED_H
#define PARA_DATA_ISOLATED_H

#include "data/call.h"
#include "data/views.h"

/* A call as it was checked. Pointers that workers cannot see are replaced. */
typedef struct para__isolable {
    para__views *views;
    const para_in *in;
    const para_out *out;
    size_t count;
    const void **arg;
    size_t arg_bytes;
    const para_parameter_ *parameters; /* of a macro's call; else NULL */
    const para_cancel **cancel;
    bool once;        /* it must not run a second time */
    bool is_one;      /* no element can be given up alone: it never fills */
    const char *name; /* of the only view; NULL: in[...] and out[...] */
    /* What else is to be copied for workers; NULL: nothing. */
    const void **identity;
    size_t identity_bytes;
} para__isolable;

/* A view that was copied, and where it came from. */
typedef struct para__bounced {
    char *copy, *original;
} para__bounced;

typedef struct para__isolated {
    para__isolable of;
    size_t unit; /* elements of a unit of the job that runs; 0: each unit has all of them */
    const para_survival *survival;
    para__bounced bounced[PARA_IN_MAX + PARA_OUT_MAX];
    para_survival own; /* of a call that never fills */
    bool once;
    bool is_later;     /* its first job is over: what is lost then was done once */
    para_damage first; /* the lowest elements that were given up; of count 0: there are none */
    /* Of a reduction: takes units that were given up for nothing; NULL: there is nothing to do. */
    void (*forget)(const void *payload, size_t first_unit, size_t units);
} para__isolated;

/* Puts what the kernels of a call reach where its workers see it. After the call has run, what was
 * lost is filled or given up, the program is told, and outputs are copied back. Errors:
 * PARA_ERR_NOT_SHARED, _MEMORY, _ARGUMENT, _ENDING. */
para_status para__isolated_begin(para__isolated *isolated, para__call *call,
                                 const para__isolable *of);

/* Runs a further job of one unit, by which the call is completed. The same. */
para_status para__isolated_finish(para__call *call, para__job *job);

/* Runs a further job of a call of several phases, with all workers that it has, and adds to the
 * outcome. False: this job or one before it has not run to its end, and what is left does not run.
 * unit: elements of a unit, as above; once: it is not tried again. */
bool para__isolated_more(para__call *call, para__job *job, size_t unit, bool once,
                         para__outcome *outcome);

/* Completes the job of a call, whose units have so many elements. */
static inline void para__isolated_describe(const para__call *call, para__job *job, size_t unit)
{
    if (!call->isolated)
        return;
    call->isolated->unit = unit;
    job->desk = call->schedule.desk;
    job->survival = call->isolated->survival;
    job->is_tried_once = call->isolated->once;
    job->cancel = call->schedule.options->cancel;
}

#endif
