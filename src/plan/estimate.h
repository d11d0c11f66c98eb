/* What is known of a site: the cost of an element, and how far it can be trusted. Pure functions.
 *
 * A site is a kernel together with the order of magnitude of its element count. Estimates are
 * robust rather than exact: one call that was preempted must not spoil them, and a lasting change
 * must show within a few calls. So a sample counts with a quarter, and is first clipped to a factor
 * of four around the estimate (winsorised); samples that keep being clipped move it by a factor of
 * two each. The deviation says how much samples differ; a site whose deviation is large is probed
 * at each call instead of trusted. */
#ifndef PARA_PLAN_ESTIMATE_H
#define PARA_PLAN_ESTIMATE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct para__estimate {
    float cost_ns;     /* of one element, mean */
    uint8_t deviation; /* of samples from the mean, mean of its absolute value; 32 = 100 % */
    uint8_t spread;    /* of the cost within one call: dearest portion to mean, 16 = equal */
    uint16_t samples;  /* how many there were, at most 65535; 0: nothing is known */
} para__estimate;

/* One sample: so many elements took so many nanoseconds; the dearest portion cost `spread` times
 * the mean, 0: that is not known, since they were run as one. */
para__estimate para__estimate_add(para__estimate estimate, double elements, double ns,
                                  double spread);

/* The same for the spread alone. */
para__estimate para__estimate_spread(para__estimate estimate, double spread);

/* Whether a call may be planned on the estimate alone. */
static inline bool para__estimate_trusted(para__estimate estimate)
{
    return estimate.samples >= 2 && estimate.deviation < 12;
}

/* The cost of a call's dearest portion as a multiple of the mean; 0: that is not known. */
static inline double para__estimate_unevenness(para__estimate estimate)
{
    return estimate.spread / 16.0;
}

/* As one word, so that it can be read and written whole. */
static inline uint64_t para__estimate_pack(para__estimate e)
{
    union {
        float f;
        uint32_t u;
    } cost = {.f = e.cost_ns};
    return (uint64_t)cost.u << 32 | (uint32_t)e.deviation << 24 | (uint32_t)e.spread << 16 |
           e.samples;
}

static inline para__estimate para__estimate_unpack(uint64_t word)
{
    union {
        uint32_t u;
        float f;
    } cost = {.u = (uint32_t)(word >> 32)};
    return (para__estimate){.cost_ns = cost.f,
                            .deviation = (uint8_t)(word >> 24),
                            .spread = (uint8_t)(word >> 16),
                            .samples = (uint16_t)word};
}

#endif
