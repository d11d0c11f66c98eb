/* The feed stands between a call and its kernel. It copies elements that are not aligned or not in
 * C order to the worker's scratch, chunk by chunk, and releases large mapped files behind the work
 * (windows.h). The kernel gets the same chunks with and without it, so results do not change. */
#ifndef PARA_CLI_FEED_H
#define PARA_CLI_FEED_H

#include "cli/windows.h"

#include <para/map.h>
#include <para/reduce.h>

typedef struct para__feed {
    struct para__feed *self; /* the call's arg points here */
    para_map_fn *map;
    para_reduce_fn *reduce;
    para_combine_fn *combine;
    const void *arg;
    unsigned count; /* inputs */
    struct para__fed {
        const para__array *array;
        size_t element_bytes; /* an element of the call: a number or a row */
        bool gathers;
        size_t place; /* offset in the scratch */
        para__windows windows;
    } in[PARA_IN_MAX];
    size_t out_bytes; /* bytes of an output element */
    para__windows out;
} para__feed;

/* Sets the input views of a call whose other members are set. row: numbers in an element. Replaces
 * the kernel by the feed if an array needs it. again: the kernel is run a second time, so that no
 * part of a file is done with; also if it runs on copies. A feed of worker processes lies where
 * they see it, and its arrays were opened before they began. */
void para__feed_map(para__feed *feed, para_map *call, const para__array *in, unsigned count,
                    size_t row, const para__array *out, bool again);
void para__feed_reduce(para__feed *feed, para_reduce *call, const para__array *in, unsigned count,
                       bool again);

/* Frees what the feed holds, after the call. */
void para__feed_end(para__feed *feed);

#endif
