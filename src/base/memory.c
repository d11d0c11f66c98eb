#include "base/memory.h"

#include "base/atomic.h"
#include "base/cancellation.h"
#include "base/tuning_memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE /* since Linux 5.14 */
#define MADV_POPULATE_WRITE 23
#endif

/* From two huge pages on, memory is aligned to them and the kernel is asked to use them. */
static const size_t huge_bytes = PARA__HUGE_PAGE_BYTES;

static void *alloc_untouched(size_t bytes)
{
    const size_t rounded = para__round_up(bytes ? bytes : 1, PARA__LINE);
    if (rounded == SIZE_MAX)
        return NULL;
    const int saved = errno;
    void *memory = aligned_alloc(PARA__LINE, rounded);
    errno = saved;
    return memory;
}

void *para__alloc(size_t bytes)
{
    void *memory = alloc_untouched(bytes);
    return memory ? memset(memory, 0, bytes) : NULL;
}

void para__free(void *memory)
{
    free(memory);
}

void *para__block_alloc(size_t bytes)
{
    return bytes <= PARA__BLOCK_SMALL ? alloc_untouched(bytes) : para__pages_map(bytes);
}

void para__block_free(void *block, size_t bytes)
{
    if (bytes <= PARA__BLOCK_SMALL)
        para__free(block);
    else
        para__pages_unmap(block, bytes);
}

void *para__pages_map(size_t bytes)
{
    const size_t page = para__page_bytes();
    const size_t rounded = para__round_up(bytes, page);
    const size_t slack = rounded >= 2 * huge_bytes ? huge_bytes : 0;
    if (rounded == SIZE_MAX || rounded > SIZE_MAX - slack)
        return NULL;
    const int saved = errno;
    char *base =
        mmap(NULL, rounded + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) {
        errno = saved;
        return NULL;
    }
    if (slack == 0)
        return base;
    /* Cut off what lies before the first huge page border and after the last page asked for. */
    char *aligned = (char *)(uintptr_t)para__round_up((uintptr_t)base, huge_bytes);
    const size_t before = (size_t)(aligned - base);
    if (before)
        munmap(base, before);
    if (slack - before)
        munmap(aligned + rounded, slack - before);
    madvise(aligned, rounded, MADV_HUGEPAGE); /* advice only: without huge pages small ones serve */
    errno = saved;
    return aligned;
}

void para__pages_stay_small(void *memory, size_t bytes)
{
    const int saved = errno;
    madvise(memory, bytes, MADV_NOHUGEPAGE); /* refused, there are none */
    errno = saved;
}

void para__pages_unmap(void *memory, size_t bytes)
{
    if (memory)
        munmap(memory, para__round_up(bytes, para__page_bytes()));
}

void *para__huge_pages_map(size_t bytes, size_t page_bytes)
{
    const size_t rounded = para__round_up(bytes, page_bytes);
    const int size = __builtin_ctzll(page_bytes) << MAP_HUGE_SHIFT;
    if (rounded == SIZE_MAX)
        return NULL;
    const int saved = errno;
    void *const memory = mmap(NULL, rounded, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | size, -1, 0);
    errno = saved;
    return memory == MAP_FAILED ? NULL : memory;
}

/* What was reserved may be on nodes that the process may not use; a touch would then end it.
 * Kernels before 5.14 cannot be asked for it: then it is touched when it is used. */
bool para__huge_pages_fill(void *memory, size_t bytes, size_t page_bytes)
{
    const int saved = errno;
    const bool filled =
        madvise(memory, para__round_up(bytes, page_bytes), MADV_POPULATE_WRITE) == 0 ||
        errno == EINVAL;
    errno = saved;
    return filled;
}

void para__huge_pages_unmap(void *memory, size_t bytes, size_t page_bytes)
{
    if (memory)
        munmap(memory, para__round_up(bytes, page_bytes));
}

size_t para__process_memory(int process)
{
    char path[64];
    unsigned long all = 0, present = 0;
    const int saved = errno;
    const int cancel_state = para__cancellation_off(); /* the file would be left open */
    snprintf(path, sizeof path, "/proc/%d/statm", process);
    FILE *const file = fopen(path, "re");
    if (file && fscanf(file, "%lu %lu", &all, &present) != 2)
        present = 0;
    if (file)
        fclose(file);
    para__cancellation_restore(cancel_state);
    errno = saved;
    return (size_t)present * para__page_bytes();
}

size_t para__page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}
