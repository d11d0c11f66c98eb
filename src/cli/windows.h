/* Mapped files that are larger than what they may take of memory: behind the work they are mapped
 * anew, piece by piece. That frees page tables, which nothing else gives back (2 MiB for each GiB),
 * and takes the pages out of the process; a page that is needed again is there again. Pieces that
 * were written are on their way to the disk by then, so that little is left to do at the end, and
 * little memory is dirty in between. */
#ifndef PARA_CLI_WINDOWS_H
#define PARA_CLI_WINDOWS_H

#include "cli/array.h"

#include <stdatomic.h>

typedef struct para__windows {
    const para__mapping *mapping; /* NULL: this one has no windows */
    size_t begin, end;            /* the elements, in bytes from the mapping's beginning */
    bool written;
    atomic_size_t *done;    /* of each window, bytes that are done with */
    atomic_size_t flushes;  /* windows that were written out */
    atomic_size_t *flushed; /* the last ones of these */
} para__windows;

/* Divides a mapped file; does nothing for an array in memory, or without memory for the books. */
void para__windows_begin(para__windows *windows, const para__array *array, bool written);

/* The work is done with so many bytes of elements, from there on. Each byte is told once. Any
 * thread. */
void para__windows_done(para__windows *windows, const void *from, size_t bytes);

void para__windows_end(para__windows *windows);

#endif
