/* Purity: whether a call's kernel keeps its contract, seen by a second run into memory of its own.
 *
 * Before the first run inputs and outputs are copied. The second run has other chunks, in another
 * order, by other participants with other numbers, and scratch with other contents. It writes into
 * shadows of the outputs: neighbouring chunks into different ones, so that a write outside a chunk
 * stands in a shadow where nobody else has written. A shadow begins with what its output cannot
 * have held, unless that is an input too. So results differ that depend on what was there before.
 *
 * A scan, filter, search or sort is made again as a whole: on another number of participants,
 * into one shadow. A filter and a search have other chunks then; a scan's blocks, and a sort's
 * parts, are a part of what is computed.
 *
 * An identity is looked at in any case: see neutral.h.
 *
 * Of a byte that neither run has changed nothing is said: a kernel may leave elements alone, and
 * the gaps within a structure. */
#ifndef PARA_DATA_PURITY_H
#define PARA_DATA_PURITY_H

#include "data/call.h"
#include "data/views.h"

#include <para/reduce.h>
#include <stdbool.h>

typedef struct para__purity para__purity;

/* How a call that is no map or reduction is made again: with these instead of its own, and without
 * report and token. */
typedef struct para__again {
    const void *call;
    para_pool *pool;
    para_options options;
    para_in in[PARA_IN_MAX];
    para_out out[PARA_OUT_MAX];
    void *result;
} para__again;

/* A call, as it is checked. All of it outlasts the check. */
typedef struct para__subject {
    para_map_fn *map;          /* one of three is not NULL */
    const para_reduce *reduce; /* its kernel, and what a map does not have */
    para_status (*again)(const para__again *with);
    const void *call; /* likewise for that; the next, too */
    uintptr_t kernel;
    void *result;
    size_t result_bytes;
    para_combine_fn *combine; /* NULL: it has no identity */
    const void *identity;
    const void *arg;
    size_t count;
    const para_in *in;
    const para_out *out;
    const para__views *views;
    size_t scratch_bytes;
    size_t most; /* elements that its kernel gets at once; 0: any number */
    const para_options *options;
    bool once; /* it may not be run a second time */
} para__subject;

/* That kernel's next call on this thread is not checked: it is para's own, or a second run; false:
 * it is. Then whether the thread's next call is of that kernel, and such a one. */
bool para__purity_skip(uintptr_t kernel);
bool para__purity_skips(uintptr_t kernel);

/* Before the first run: *purity is NULL if nothing is to be compared after it. Errors:
 * PARA_ERR_MEMORY. */
para_status para__purity_begin(para__purity **purity, const para__subject *subject)
    __attribute__((cold));

/* After it, the call's lane is released: `status` is how it ended, and `width` the participants
 * that it had. Ends the check. Returns the status, PARA_ERR_IMPURE, or why the call could not be
 * run again. */
para_status para__purity_end(para__purity *purity, para_pool *pool, unsigned width,
                             para_status status) __attribute__((cold));

#endif
