/* Memory: aligned blocks from the heap, and pages from the system. Failures leave errno as it
 * was. */
#ifndef PARA_BASE_MEMORY_H
#define PARA_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* bytes rounded up to a multiple of alignment, a power of two; SIZE_MAX if that overflows. */
static inline size_t para__round_up(size_t bytes, size_t alignment)
{
    return bytes > SIZE_MAX - (alignment - 1) ? SIZE_MAX
                                              : (bytes + alignment - 1) & ~(alignment - 1);
}

/* Zeroed memory, aligned to PARA__LINE; NULL if there is none. Freed by para__free. */
void *para__alloc(size_t bytes);
void para__free(void *memory);

/* Working memory, aligned to PARA__LINE, contents undefined and not touched: from the heap up to
 * PARA__BLOCK_SMALL bytes, else pages, which go back to the system as soon as they are freed. */
void *para__block_alloc(size_t bytes);
void para__block_free(void *block, size_t bytes);

/* A huge page of the common size. */
#define PARA__HUGE_PAGE_BYTES ((size_t)2 << 20)

/* Zeroed pages, not touched yet, on huge pages where they span several; NULL if there are none. */
void *para__pages_map(size_t bytes);
void para__pages_stay_small(void *memory, size_t bytes); /* no huge pages there */
void para__pages_unmap(void *memory, size_t bytes);

/* The same on reserved huge pages of that size; NULL if there are not enough. Filled once they are
 * placed; false: some are missing after all, and the memory must not be touched. */
void *para__huge_pages_map(size_t bytes, size_t page_bytes);
bool para__huge_pages_fill(void *memory, size_t bytes, size_t page_bytes);
void para__huge_pages_unmap(void *memory, size_t bytes, size_t page_bytes);

/* How much of a process lies in the machine's memory, bytes; 0: not known. */
size_t para__process_memory(int process);

/* The system's page size. */
size_t para__page_bytes(void);

#endif
