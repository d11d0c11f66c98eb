/* The arrays of a call: checked once, then handed to kernels chunk by chunk. */
#ifndef PARA_DATA_VIEWS_H
#define PARA_DATA_VIEWS_H

#include <para/kernel.h>
#include <para/status.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct para__view {
    char *data;
    size_t bytes; /* from an element to the next */
} para__view;

/* A call's views, one after the other: inputs, then outputs. They are part of a job's payload, so
 * only those that exist are copied. */
typedef struct para__views {
    uint32_t in_count, out_count;
    para__view view[PARA_IN_MAX + PARA_OUT_MAX];
} para__views;

/* Bytes of a structure that ends with views, without the unused ones. */
#define PARA__USED_BYTES(type, views)                                   \
    (sizeof(type) - sizeof(para__views) + offsetof(para__views, view) + \
     ((size_t)(views).in_count + (views).out_count) * sizeof((views).view[0]))

/* Checks the views of a call of count elements. strides NULL: elements follow each other. Errors:
 * PARA_ERR_NULL_VIEW, PARA_ERR_ELEMENT_SIZE, PARA_ERR_OVERFLOW, PARA_ERR_OVERLAP. */
para_status para__views_check(const para_in *in, const para_out *out, const para_strides *strides,
                              size_t count, para__views *views);

/* Whether an output of the call has one of those bytes. */
bool para__views_write(const para__views *views, const para_out *out, size_t count,
                       const void *data, size_t bytes);

/* A chunk with its pointers. */
typedef struct para__aim {
    para_chunk chunk;
    para_stop_ stop; /* of a call with a token */
    const void *in[PARA_IN_MAX];
    void *out[PARA_OUT_MAX];
} para__aim;

/* A chunk of that participant, which points nowhere yet, in a call without a token. */
static inline void para__aim_init(para__aim *aim, void *scratch, unsigned worker, unsigned kind)
{
    aim->chunk.in = aim->in;
    aim->chunk.out = aim->out;
    aim->chunk.scratch = scratch;
    aim->chunk.worker = worker;
    aim->chunk.kind = kind;
    aim->chunk.stop_ = NULL;
}

/* Points a chunk at elements [first, first + count). */
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

#endif
