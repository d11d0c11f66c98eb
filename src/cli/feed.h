/* How arrays in files reach a kernel: as they lie in the file where that suits it. Elements that are
 * not aligned, or not in C order, are gathered chunk by chunk in a worker's own memory; large files
 * are let go behind the work (windows.h). The kernel is called with the same chunks either way, so
 * that results do not depend on it. */
#ifndef PARA_CLI_FEED_H
#define PARA_CLI_FEED_H

#include "cli/windows.h"

#include <para/map.h>
#include <para/reduce.h>

typedef struct para__feed {
    struct para__feed *self; /* what the call's arg points to */
    para_map_fn *map;
    para_reduce_fn *reduce;
    para_combine_fn *combine;
    const void *arg;
    unsigned count; /* inputs */
    struct para__fed {
        const para__array *array;
        size_t element_bytes; /* of the call: a number, or a row */
        bool gathers;
        size_t place; /* in a worker's own memory */
        para__windows windows;
    } in[PARA_IN_MAX];
    size_t out_bytes; /* of an element */
    para__windows out;
} para__feed;

/* Sets the views of a call, whose other members are there, on so many arrays. row: numbers in an
 * element. Where the kernel cannot have the files as they are, puts the feed in its place. */
void para__feed_map(para__feed *feed, para_map *call, const para__array *in, unsigned count,
                    size_t row, const para__array *out);
void para__feed_reduce(para__feed *feed, para_reduce *call, const para__array *in, unsigned count);

/* Once the call is over. */
void para__feed_end(para__feed *feed);

#endif
