/* The numbers that threads count, added up: what statistics are made of. */
#ifndef PARA_OBSERVE_NUMBERS_H
#define PARA_OBSERVE_NUMBERS_H

#include "base/status.h"
#include "base/trace.h"

#include <para/stats.h>

/* Numbers are counted from now on, for one more that asks; or for one fewer. PARA_ERR_MEMORY. */
para_status para__numbers_keep(void);
void para__numbers_rest(void);
bool para__numbers_are_kept(void);

typedef struct para__numbers {
    uint64_t count[PARA__COUNTS];
    uint64_t waits[PARA__HISTOGRAM_BUCKETS + 1], runs[PARA__HISTOGRAM_BUCKETS + 1]; /* last: sum */
    unsigned threads; /* tracks that were ever used */
} para__numbers;

/* Of all threads so far; zero if nobody has looked yet. */
void para__numbers_read(para__numbers *numbers);

/* Of the thread that has that track, or had it last; false: there is none. */
bool para__numbers_of(unsigned track, para_thread_stats *stats);

/* Of the kernels, those with most time first, at most so many rows; returns how many. All at one
 * time, so that each stands there once: their order changes. */
size_t para__numbers_of_kernels(para_kernel_stats *rows, size_t most);

uint64_t para__ns_of_ticks(uint64_t ticks);

/* From such a histogram. */
para_times para__times_of(const uint64_t histogram[PARA__HISTOGRAM_BUCKETS + 1]);

#endif
