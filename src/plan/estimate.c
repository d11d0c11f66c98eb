#include "plan/estimate.h"

#include "base/assert.h"
#include "base/bounds.h"
#include "base/tuning.h"

#include <float.h>

/* What the fields have room for. */
enum { SAMPLES_MOST = 15 };

static double clip(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

static uint8_t follow_spread(uint8_t spread, double sample)
{
    return (uint8_t)clip(spread + (clip(sample * 16, 16, 255) - spread) / PARA__SAMPLE_WEIGHT + 0.5,
                         16, 255);
}

static uint8_t follow_deviation(uint8_t deviation, double sample)
{
    return (uint8_t)clip(deviation + (sample * 32 - deviation) / PARA__SAMPLE_WEIGHT + 0.5, 0, 255);
}

/* The sample's distance from what is known, as a part of the smaller of the two; 0 if it is noise.
 */
static double deviation_of(double sample, double known, double elements)
{
    const double smaller = sample < known ? sample : known;
    const double difference = sample + known - 2 * smaller;
    if (difference * elements <= PARA__NOISE_NS)
        return 0;
    return clip(smaller > 0 ? difference / smaller : PARA__DEVIATION_MOST, 0, PARA__DEVIATION_MOST);
}

double para__estimate_robust(double sample, double known)
{
    return known +
           (clip(sample, known / PARA__STEP, PARA__STEP * known) - known) / PARA__SAMPLE_WEIGHT;
}

/* What is known after a sample, of which there have been so many before. Of short shared calls one
 * that is disturbed counts as twice the cost: else the site would run alone until the next
 * trial. */
static double next_cost(double sample, double known, unsigned samples, double elements,
                        bool is_shared)
{
    if (samples == 0)
        return sample;
    if (is_shared && known > 0 && known * elements < PARA__LONG_NS)
        return para__estimate_robust(sample, known);
    if (deviation_of(sample, known, elements) > 0) {
        if (sample > PARA__ANOTHER_KIND * known)
            return known > 0 ? PARA__STEP * known : sample;
        if (sample < known / PARA__ANOTHER_KIND)
            return known / PARA__STEP;
    }
    return known + (sample - known) / para__min(samples + 1, PARA__SAMPLE_WEIGHT);
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

/* The cost of the way that is not in use is seldom measured, so it goes along where elements become
 * cheaper or dearer: shared, it stays in proportion to what they cost alone, but is not thought to
 * become less than that. Sharing may make them dearer for its own reasons, but alone they are not
 * that much dearer. */
static para__estimate take_along(para__estimate e, para__way way, double known)
{
    if (e.alone == 0 || e.shared == 0)
        return e;
    if (way == PARA__ALONE && known > 0) {
        const double least = para__min((double)e.shared_ns, (double)e.alone_ns);
        const double scaled = (double)e.shared_ns * ((double)e.alone_ns / known);
        e.shared_ns = (float)clip(scaled, least, FLT_MAX);
    } else if (way == PARA__SHARED && e.shared_ns > 0)
        e.alone_ns = (float)clip(e.alone_ns, 0, PARA__ANOTHER_KIND * (double)e.shared_ns);
    return e;
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
    const unsigned weight = para__min(samples + 1, PARA__MEAN_CALLS);
    e.mean_ns += (float)((sample - e.mean_ns) / weight);
    const double alone = e.alone ? e.alone_ns : 0;
    return take_along(follow(e, way, sample, elements), way, alone);
}

para__estimate para__estimate_distrust(para__estimate e)
{
    e.deviation = follow_deviation(e.deviation, PARA__DEVIATION_MOST);
    return e;
}

para__estimate para__estimate_price(para__estimate e, double ns)
{
    const double known = e.price_ns;
    const double most = PARA__PRICE_CLIP * (known > PARA__NOISE_NS ? known : PARA__NOISE_NS);
    if (e.priced || known > 0)
        e.price_ns = (float)(known + (clip(ns, 0, most) - known) / PARA__PRICE_WEIGHT);
    else
        e.price_ns = (float)ns;
    e.priced = true;
    return e;
}

uint64_t para__estimate_brief(para__estimate e, size_t count)
{
    const double cost_ns = para__estimate_cost(e, PARA__ALONE);
    const double price_ns = e.price_ns;
    if (!para__estimate_trusted(e) || cost_ns * (double)count + price_ns > 2 * PARA__BRIEF_NS)
        return 0;
    return (uint64_t)(price_ns * 1024) << 32 | ((uint64_t)(cost_ns * 1024) + 1);
}

/* The price that the batches tell, 0 if it is negative; negative if they are too much alike. */
static double raw_price(const para__batches *p)
{
    const double mean_units = p->count ? p->units / p->count : 0;
    if (p->count < 2 || p->least_units > PARA__PRICE_SHORTER * mean_units)
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
           (in_order ? PARA__RESIDUAL : PARA__RESIDUAL_SHARED) * (p->count - 2);
}

double para__batches_price(const para__batches *p, double known, bool in_order)
{
    const double price = raw_price(p);
    const bool dominates =
        price > PARA__PRICE_DOMINANT * p->least_ticks && are_on_a_line(p, in_order);
    return price == 0 || price < known || dominates ? price : -1;
}

bool para__batches_are_clear(const para__batches *p)
{
    const double price = raw_price(p);
    return price >= 0 && (price < PARA__PRICE_MINOR * p->least_ticks ||
                          price > PARA__PRICE_DOMINANT * p->least_ticks);
}
