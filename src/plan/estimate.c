#include "plan/estimate.h"

#include "base/assert.h"

#include <float.h>

/* Differences below this, of a whole sample, are the clock's and mean nothing. */
static const double noise_ns = 60;

/* The most that one sample counts as: an outlier costs a site its trust, the next sample that fits
 * gives it back. */
static const double most_deviation = 1.5;

/* Shorter calls than this are disturbed by much when they are disturbed. */
static const double short_call_ns = 50000;

/* Calls that the plain mean goes back to. */
enum { MEAN_CALLS = 16, SAMPLES_MOST = 15 };

/* Batches of nearly equal length do not tell a price: the shortest has at most this part of the
 * mean length. And a price that was not known shows as most of what the shortest batch took. */
static const double shorter = 0.7;
static const double dominant = 0.6;
static const double minor = 0.25;

/* Batches lie on a line if they differ from it by a third of themselves or less (root mean
 * square). Those of uneven loops differ by their own length and more. Those of a shared call come
 * in no order, the last ones from slices of others, so they have to lie closer. */
static const double most_residual = 1.0 / 8;
static const double most_residual_shared = 1.0 / 64;

static double clip(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

static uint8_t follow_spread(uint8_t spread, double sample)
{
    return (uint8_t)clip(spread + (clip(sample * 16, 16, 255) - spread) / 4 + 0.5, 16, 255);
}

static uint8_t follow_deviation(uint8_t deviation, double sample)
{
    return (uint8_t)clip(deviation + (sample * 32 - deviation) / 4 + 0.5, 0, 255);
}

/* The sample's distance from what is known, as a part of the smaller of the two; 0 if it is noise.
 */
static double deviation_of(double sample, double known, double elements)
{
    const double smaller = sample < known ? sample : known;
    const double difference = sample + known - 2 * smaller;
    if (difference * elements <= noise_ns)
        return 0;
    return clip(smaller > 0 ? difference / smaller : most_deviation, 0, most_deviation);
}

/* What is known after a sample, of which there have been so many before. Of short shared calls one
 * that is disturbed counts as twice the cost: else the site would run alone until the next
 * trial. */
static double next_cost(double sample, double known, unsigned samples, double elements,
                        bool is_shared)
{
    if (samples == 0)
        return sample;
    if (is_shared && known * elements < short_call_ns)
        return known + (clip(sample, known / 2, 2 * known) - known) / 4;
    if (deviation_of(sample, known, elements) > 0) {
        if (sample > 4 * known)
            return known > 0 ? 2 * known : sample;
        if (sample < known / 4)
            return known / 2;
    }
    return known + (sample - known) / (samples < 3 ? samples + 1 : 4);
}

void para__estimate_check(const para__estimate *e)
{
    if (!PARA__ASSERTS)
        return;
    const float times[] = {e->alone_ns, e->shared_ns, e->price_ns, e->mean_ns, e->credit_ns};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        PARA__ASSERT(times[i] >= 0 && times[i] <= FLT_MAX); /* and none is NaN */
}

static unsigned one_more(unsigned samples)
{
    return (samples < SAMPLES_MOST ? samples + 1u : SAMPLES_MOST) & 15;
}

static para__estimate set_cost(para__estimate e, para__way way, double cost)
{
    if (way == PARA__ALONE) {
        e.alone_ns = (float)cost;
        e.alone = one_more(e.alone) & 15;
    } else {
        e.shared_ns = (float)cost;
        e.shared = one_more(e.shared) & 15;
    }
    return e;
}

static para__estimate follow(para__estimate e, para__way way, double sample, double elements)
{
    const bool shared = way == PARA__SHARED;
    const double known = shared ? e.shared_ns : e.alone_ns;
    const unsigned samples = shared ? e.shared : e.alone;
    return set_cost(e, way, next_cost(sample, known, samples, elements, shared));
}

para__estimate para__estimate_try(para__estimate e, para__way way, double elements, double ns)
{
    const double sample = ns > 0 ? ns / elements : 0;
    const double known = way == PARA__SHARED ? e.shared_ns : e.alone_ns;
    return sample < known ? set_cost(e, way, sample) : follow(e, way, sample, elements);
}

para__estimate para__estimate_add(para__estimate e, para__way way, double elements, double ns,
                                  double spread)
{
    const double sample = ns > 0 ? ns / elements : 0;
    const unsigned samples = para__estimate_samples(e);
    if (samples == 0) {
        e.spread = (uint8_t)clip(spread * 16, 16, 255);
    } else {
        const double deviation = deviation_of(sample, para__estimate_cost(e, way), elements);
        e.deviation = follow_deviation(e.deviation, deviation);
        if (spread > 0)
            e.spread = follow_spread(e.spread, spread);
    }
    const unsigned weight = samples < MEAN_CALLS - 1 ? samples + 1 : MEAN_CALLS;
    e.mean_ns += (float)((sample - e.mean_ns) / weight);
    return follow(e, way, sample, elements);
}

para__estimate para__estimate_distrust(para__estimate e)
{
    e.deviation = follow_deviation(e.deviation, most_deviation);
    return e;
}

para__estimate para__estimate_price(para__estimate e, double ns)
{
    const double known = e.price_ns;
    e.priced = true;
    e.price_ns = (float)(known > 0 ? known + (clip(ns, 0, 8 * known) - known) / 2 : ns);
    return e;
}

/* The price that the batches tell, 0 if it is negative; negative if they are too much alike. */
static double raw_price(const para__batches *p)
{
    const double mean_units = p->count ? p->units / p->count : 0;
    if (p->count < 2 || p->least_units > shorter * mean_units)
        return -1;
    const double price =
        (p->least_ticks - p->least_units * p->ticks / p->units) / (1 - p->least_units / mean_units);
    return price > 0 ? price : 0;
}

/* Whether they lie on a line a + b units: the least squares of (ticks - a - b units) / ticks, in
 * which one that was disturbed counts as 1, however long it took. Two always do. */
static bool are_on_a_line(const para__batches *p, bool in_order)
{
    const double determinant = p->xx * p->yy - p->xy * p->xy;
    if (p->count < 3 || determinant <= 0)
        return in_order && p->count == 2;
    const double a = (p->x * p->yy - p->y * p->xy) / determinant;
    const double b = (p->y * p->xx - p->x * p->xy) / determinant;
    return p->count - a * p->x - b * p->y <
           (in_order ? most_residual : most_residual_shared) * (p->count - 2);
}

double para__batches_price(const para__batches *p, double known, bool in_order)
{
    const double price = raw_price(p);
    const bool dominates = price > dominant * p->least_ticks && are_on_a_line(p, in_order);
    return price == 0 || price < known || dominates ? price : -1;
}

bool para__batches_are_clear(const para__batches *p)
{
    const double price = raw_price(p);
    return price >= 0 && (price < minor * p->least_ticks || price > dominant * p->least_ticks);
}
