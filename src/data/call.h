/* What map and reduce calls have in common: checked views, memory to work in, and the way a call
 * runs. */
#ifndef PARA_DATA_CALL_H
#define PARA_DATA_CALL_H

#include "engine/lane.h"
#include "engine/pool.h"

#include <para/call.h>
#include <para/kernel.h>

/* A call's views, one after the other: inputs, then outputs. Part of a job's payload, so only those
 * that are there are copied. */
typedef struct para__views {
    uint32_t in_count, out_count;
    struct {
        char *data;
        size_t bytes; /* of an element */
    } view[PARA_IN_MAX + PARA_OUT_MAX];
} para__views;

/* Bytes of a structure that ends with views, without those that are not used. */
#define PARA__USED_BYTES(type, views)                                   \
    (sizeof(type) - sizeof(para__views) + offsetof(para__views, view) + \
     ((size_t)(views).in_count + (views).out_count) * sizeof((views).view[0]))

/* Checks the views of a call of count elements; out NULL: it has none. Errors: PARA_ERR_NULL_VIEW,
 * _ELEMENT_SIZE, _OVERFLOW, _OVERLAP. */
para_status para__views_check(const para_in *in, const para_out *out, size_t count,
                              para__views *views);

/* Checks what a caller may set in options and what it has to leave zero. */
para_status para__options_check(const para_options *options, const size_t reserved[2]);

/* Points a chunk at elements [first, first + count). */
typedef struct para__aim {
    para_chunk chunk;
    const void *in[PARA_IN_MAX];
    void *out[PARA_OUT_MAX];
} para__aim;

static inline void para__aim_at(para__aim *aim, const para__views *views, size_t first,
                                size_t count)
{
    for (uint32_t k = 0; k < views->in_count; k++)
        aim->in[k] = views->view[k].data + first * views->view[k].bytes;
    for (uint32_t k = 0; k < views->out_count; k++) {
        const uint32_t v = views->in_count + k;
        aim->out[k] = views->view[v].data + first * views->view[v].bytes;
    }
    aim->chunk.first = first;
    aim->chunk.count = count;
}

/* A call on its way. */
typedef struct para__call {
    para_pool *pool; /* resolved */
    para__plan plan;
    bool probe; /* begins alone, in growing portions; the rest is shared if that turns out to pay */
    bool timed;
    bool unsettled; /* alone, after one that was shared: finds data where a helper has left it */
    size_t first_portion; /* elements, when probing */
    size_t count;         /* elements */
    const para_options *options;
    para__site *site; /* what the pool remembers of calls like this one; NULL if it is not asked */
    para__estimate estimate;
    para__lane *lane; /* leased, or NULL */
    void *borrowed;   /* memory of its own, where no lane's arena could be had */
    uint64_t start_ns;
    para_report *report; /* the user's, or NULL */
} para__call;

/* Decides how a call runs, of so many elements in so many units. Errors: those of the default pool.
 */
para_status para__call_begin(para__call *call, para_pool *pool, void (*kernel)(void), size_t count,
                             size_t units, const para_options *options, para_report *report);

/* Whether the call runs on its thread from beginning to end. */
static inline bool para__call_is_alone(const para__call *call)
{
    return call->plan.width == 1 && !call->probe;
}

/* The most elements of a kernel call, where nothing else says: all, but of a call that can be
 * cancelled what is expected to take a moment. */
size_t para__call_piece(const para__call *call);

/* The most participants that the call may have. */
unsigned para__call_width_most(const para__call *call);

/* Divides a planned call into other units than those it was decided with. */
void para__call_replan(para__call *call, size_t units);

/* Memory until the call ends, aligned to PARA__LINE; NULL if there is none. */
void *para__call_memory(para__call *call, size_t bytes);

/* Runs the job as decided. PARA_OK, PARA_ERR_KERNEL or _CANCELLED; fills the report. */
para_status para__call_run(para__call *call, para__job *job);

/* Gives back what the call holds. */
void para__call_end(para__call *call);

#endif
