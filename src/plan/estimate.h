/* What is known of a site: what its elements cost, alone and shared, and how far that can be
 * trusted. Pure functions.
 *
 * A site is a kernel, or one of its loops, with the order of magnitude of its element count. A
 * kernel call over n elements costs a + b n. The price a is found from batches of different
 * length. b is kept for each way to run, since data that travels, a lock in the kernel, or memory
 * that all share can make an element dearer when its call is shared: what is shared is compared
 * with what it costs alone.
 *
 * Estimates are robust rather than exact: one call that was preempted must not spoil them, and a
 * lasting change must show within a few calls. A sample has a weight of 1/4 (EWMA). One beyond a
 * factor of 4 moves the estimate by a factor of 2 instead; of short shared calls a sample counts as
 * a factor of 2 at most. The deviation says how much calls differ. A site whose deviation is large
 * is probed at each call instead of trusted. */
#ifndef PARA_PLAN_ESTIMATE_H
#define PARA_PLAN_ESTIMATE_H

#include "base/tuning.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* How a call ran. */
typedef enum para__way { PARA__ALONE, PARA__SHARED } para__way;

typedef struct para__estimate {
    float alone_ns;    /* of one element of calls that run alone; 0 without a sample */
    float shared_ns;   /* likewise shared, summed over participants */
    float price_ns;    /* of a kernel call, however short; 0 until it is known */
    float mean_ns;     /* of one element, plain mean of the last 16 calls or so, however they ran */
    float credit_ns;   /* time that may be spent on trials: see trial.h */
    uint8_t deviation; /* of samples from the mean, mean of its absolute value; 32 = 100 % */
    uint8_t spread;    /* of the cost within one call: dearest batch to mean, 16 = equal */
    uint16_t refused : 2; /* trials in a row that were lost, at most 3 */
    uint16_t priced : 1;  /* the price is known, also if it is 0 */
    uint16_t alone : 4;   /* samples of that way, at most 15 */
    uint16_t shared : 4;  /* likewise */
    uint16_t gap : 5;     /* to spare; 0, so that equal estimates are equal words */
} para__estimate;

/* What is known after one more sample, of which one that was disturbed counts as twice or half of
 * what was known. */
double para__estimate_robust(double sample, double known);

/* One sample: so many elements took so many nanoseconds, price left out; the dearest batch cost
 * `spread` times the mean; 0: unknown, since they were run as one. */
para__estimate para__estimate_add(para__estimate estimate, para__way way, double elements,
                                  double ns, double spread);

/* The cost alone, of a call that was a trial: it says nothing about how much calls differ. Trials
 * are seldom, and what disturbs one makes it longer: a shorter one is believed at once. */
para__estimate para__estimate_try(para__estimate estimate, para__way way, double elements,
                                  double ns);

/* A call was of another kind than the site's are thought to be: it takes trust away. */
para__estimate para__estimate_distrust(para__estimate estimate);

/* The price alone. */
para__estimate para__estimate_price(para__estimate estimate, double ns);

/* Asserts that its fields are in range: times are, and are not negative. */
void para__estimate_check(const para__estimate *estimate);

static inline unsigned para__estimate_samples(para__estimate estimate)
{
    return (unsigned)estimate.alone + estimate.shared;
}

/* Whether a call may be planned on the estimate alone. */
static inline bool para__estimate_trusted(para__estimate estimate)
{
    return para__estimate_samples(estimate) >= PARA__TRUST_SAMPLES &&
           estimate.deviation < PARA__TRUST_DEVIATION;
}

/* The cost of an element that way; the other way's where only that is known. */
static inline double para__estimate_cost(para__estimate estimate, para__way way)
{
    const bool alone = way == PARA__ALONE ? estimate.alone != 0 : estimate.shared == 0;
    return alone ? estimate.alone_ns : estimate.shared_ns;
}

/* The cost of a call's dearest batch as a multiple of the mean; 0: unknown. */
static inline double para__estimate_unevenness(para__estimate estimate)
{
    return estimate.spread / 16.0;
}

/* What calls of such an estimate cost alone, for those who decide without floating point: price and
 * cost of an element, each in 2^-10 ns, in one word. 0 if the estimate is not trusted, or a call of
 * so many elements would not be short. */
uint64_t para__estimate_brief(para__estimate estimate, size_t count);

/* The ns that a call of so many elements takes by that word, which is not 0. count is at most twice
 * that of which the word was made. */
static inline uint64_t para__brief_ns(uint64_t brief, size_t count)
{
    return ((brief >> 32) + (brief & UINT32_MAX) * count) >> 10;
}

/* As words, so that each can be read and written whole. */
enum { PARA__ESTIMATE_WORDS = 3 };
_Static_assert(sizeof(para__estimate) == PARA__ESTIMATE_WORDS * sizeof(uint64_t),
               "an estimate is its words, without gaps");

/* Batches of a call that one thread runs one after the other. */
typedef struct para__batches {
    unsigned count;
    double units, ticks;             /* of all */
    double least_units, least_ticks; /* the least of each */
    /* Sums for a line through them in parts of what each took: of x = 1 / ticks, y = units / ticks,
     * and their products. */
    double x, y, xx, xy, yy;
} para__batches;

static inline void para__batches_add(para__batches *batches, double units, double ticks)
{
    if (batches->count == 0 || units < batches->least_units)
        batches->least_units = units;
    if (batches->count == 0 || ticks < batches->least_ticks)
        batches->least_ticks = ticks;
    batches->count++;
    batches->units += units;
    batches->ticks += ticks;
    const double x = 1 / (ticks + 1);
    const double y = units * x;
    batches->x += x;
    batches->y += y;
    batches->xx += x * x;
    batches->xy += x * y;
    batches->yy += y * y;
}

/* What each cost in ticks however short it was, of which `known` is known so far (0: nothing);
 * negative if they do not tell. With price a and cost b: ticks = a count + b units, and
 * least_ticks >= a + b least_units, which is taken for equal. In uneven loops some batches are
 * cheap, so that a comes out as 0; where only dear ones are short, a is less than half of these,
 * or the batches do not lie on a line, and a is not believed. in_order: they are the units from
 * the first on, as a probe runs them; else what a participant of a shared call has claimed. */
double para__batches_price(const para__batches *batches, double known, bool in_order);

/* Whether they tell price and cost of units apart: the shortest was mostly the one or the other. */
bool para__batches_are_clear(const para__batches *batches);

#endif
