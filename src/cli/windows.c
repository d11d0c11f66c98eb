#include "cli/windows.h"

#include "base/bounds.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

/* Large against the cost of a system call; a multiple of the 2 MiB that a page table covers. */
static const size_t window_bytes = (size_t)8 << 20;

/* Windows in writeback at once: 128 MiB, about 0.1 s of a fast disk. */
enum { FLUSHES = 16 };

void para__windows_begin(para__windows *windows, const para__array *array, bool written)
{
    const para__mapping *mapping = &array->mapping;
    const size_t begin = (size_t)((const char *)array->data - mapping->begin);
    *windows = (para__windows){.begin = begin,
                               .end = begin + array->npy.count * array->npy.element_bytes,
                               .written = written};
    if (mapping->descriptor < 0)
        return;
    windows->done = calloc(mapping->bytes / window_bytes + 1 + FLUSHES, sizeof *windows->done);
    if (!windows->done)
        return;
    windows->flushed = windows->done + mapping->bytes / window_bytes + 1;
    windows->mapping = mapping;
}

/* Starts writeback of a window and waits for the one started FLUSHES windows ago. */
static void flush(para__windows *windows, size_t window)
{
    const unsigned whole =
        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
    const int file = windows->mapping->descriptor;
    (void)sync_file_range(file, (off_t)(window * window_bytes), (off_t)window_bytes,
                          SYNC_FILE_RANGE_WRITE);
    (void)para_mutex_lock(&windows->mutex);
    size_t *const turn = &windows->flushed[windows->flushes++ % FLUSHES];
    const size_t before = *turn;
    *turn = window + 1;
    (void)para_mutex_unlock(&windows->mutex);
    if (before)
        (void)sync_file_range(file, (off_t)((before - 1) * window_bytes), (off_t)window_bytes,
                              whole);
}

/* Maps the window anew, which frees its page tables. Atomic for threads that still read there. */
static void renew(para__windows *windows, size_t window)
{
    const para__mapping *mapping = windows->mapping;
    const size_t begin = window * window_bytes;
    const size_t bytes = para__min(window_bytes, mapping->bytes - begin);
    if (windows->written)
        flush(windows, window);
    (void)mmap(mapping->begin + begin, bytes, mapping->protection, mapping->flags | MAP_FIXED,
               mapping->descriptor, (off_t)begin);
}

void para__windows_done(para__windows *windows, const void *from, size_t bytes)
{
    if (!windows->mapping)
        return;
    const size_t begin = (size_t)((const char *)from - windows->mapping->begin);
    const size_t end = begin + bytes;
    for (size_t window = begin / window_bytes; window * window_bytes < end; window++) {
        const size_t first = window * window_bytes;
        const size_t last = first + window_bytes;
        const size_t all = para__min(last, windows->end) - para__max(first, windows->begin);
        const size_t now = para__min(last, end) - para__max(first, begin);
        (void)para_mutex_lock(&windows->mutex);
        const bool is_last = (windows->done[window] += now) == all;
        (void)para_mutex_unlock(&windows->mutex);
        if (is_last) /* the stores of all threads to the window precede its new mapping */
            renew(windows, window);
    }
}

void para__windows_end(para__windows *windows)
{
    free(windows->done);
    *windows = (para__windows){0};
}
