/* Memory that a pool's worker processes see at the same addresses as this process: one range of
 * addresses, mapped before they are forked, which has memory where it is touched. So what is
 * allocated later is in all of them already, without descriptors being passed, and pointers within
 * it mean the same everywhere. It has no name in any file system, and ends with the last process
 * that maps it. Only the process that has made it allocates. */
#ifndef PARA_PROCESS_REGION_H
#define PARA_PROCESS_REGION_H

#include "base/atomic_types.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct para__region para__region;

/* A new region, held by the caller; NULL if there is no memory, or the system has no memfd_create:
 * *why says what. */
para__region *para__region_make(const char **why);

/* Who holds a region keeps its memory: the pool, and each of its buffers. The last release unmaps
 * it. Any thread. */
void para__region_hold(para__region *region);
void para__region_release(para__region *region);

/* Zeroed pages, aligned to a page, from two huge pages on to one of those; NULL if there are none
 * left. Any thread. */
void *para__region_alloc(para__region *region, size_t bytes);

/* Gives them back to the system. In a child of fork() nothing happens: the memory is the parent's,
 * who may go on using it. */
void para__region_free(para__region *region, void *memory);

/* Whether all of these bytes, or the place of none, lie in pages that were allocated at once. Any
 * thread. */
bool para__region_has(para__region *region, const void *memory, size_t bytes);

#endif
