/* Windows bound the memory of large mapped files. When all elements of a window are done, it is
 * mapped anew: this frees its page tables (2 MiB for each GiB), which madvise does not, and its
 * resident pages. A late reader only faults the page in again. A written window first goes to
 * writeback, which bounds dirty memory and shortens the fsync at the end. */
#ifndef PARA_CLI_WINDOWS_H
#define PARA_CLI_WINDOWS_H

#include "cli/array.h"

#include <para/mutex.h>

typedef struct para__windows {
    const para__mapping *mapping; /* NULL: no windows */
    size_t begin, end;            /* the elements, in bytes from the mapping's beginning */
    bool written;
    para_mutex mutex; /* guards what follows */
    size_t *done;     /* bytes done, of each window */
    size_t flushes;   /* windows sent to writeback */
    size_t *flushed;  /* ring of the last ones, index + 1; 0: none */
} para__windows;

/* Sets up the windows of a mapped file. Leaves an array in memory alone, and every array if there
 * is no memory for the counters. */
void para__windows_begin(para__windows *windows, const para__array *array, bool written);

/* Reports `bytes` bytes of elements as done, from `from` on. Each byte is reported once. Any
 * thread. */
void para__windows_done(para__windows *windows, const void *from, size_t bytes);

void para__windows_end(para__windows *windows);

#endif
