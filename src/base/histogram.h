/* A histogram of times in fixed memory: log-linear, so that each bucket is an eighth as wide as
 * its times are long. Times are ticks. One thread counts; others read at any time, each count on
 * its own. */
#ifndef PARA_BASE_HISTOGRAM_H
#define PARA_BASE_HISTOGRAM_H

#include "base/atomic.h"

enum {
    PARA__HISTOGRAM_PARTS = 8, /* of each doubling */
    PARA__HISTOGRAM_BUCKETS = 48 * PARA__HISTOGRAM_PARTS
};

typedef struct para__histogram {
    para__atomic_u64 count[PARA__HISTOGRAM_BUCKETS]; /* each a value on its own: orders nothing */
    para__atomic_u64 sum;                            /* of all times; likewise */
} para__histogram;

/* The bucket of a time. Times below 8 have one each; the last bucket has all that are too long. */
static inline unsigned para__histogram_bucket(uint64_t time)
{
    if (time < PARA__HISTOGRAM_PARTS)
        return (unsigned)time;
    const unsigned shift = 60 - (unsigned)__builtin_clzll(time); /* leaves four bits */
    const unsigned bucket =
        (shift + 1) * PARA__HISTOGRAM_PARTS + (unsigned)(time >> shift) - PARA__HISTOGRAM_PARTS;
    return bucket < PARA__HISTOGRAM_BUCKETS ? bucket : PARA__HISTOGRAM_BUCKETS - 1;
}

/* Where the bucket after that one begins. */
static inline uint64_t para__histogram_end(unsigned bucket)
{
    const unsigned next = bucket + 1;
    if (next < 2 * PARA__HISTOGRAM_PARTS)
        return next;
    return (uint64_t)(PARA__HISTOGRAM_PARTS + next % PARA__HISTOGRAM_PARTS)
           << (next / PARA__HISTOGRAM_PARTS - 1);
}

static inline void para__histogram_count(para__histogram *of, uint64_t time)
{
    para__atomic_u64 *const count = &of->count[para__histogram_bucket(time)];
    para__store_relaxed(count, para__load_relaxed(count) + 1); /* all: its thread's own */
    para__store_relaxed(&of->sum, para__load_relaxed(&of->sum) + time);
}

#endif
