#include "plan/estimate.h"

/* Differences below this, of a whole sample, are the clock's and mean nothing. */
static const double noise_ns = 60;

/* The most that one sample counts as: an outlier costs a site its trust, the next sample that fits
 * gives it back. */
static const double most_deviation = 1.5;

static double clip(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

para__estimate para__estimate_spread(para__estimate e, double spread)
{
    if (spread > 0)
        e.spread =
            (uint8_t)clip(e.spread + (clip(spread * 16, 16, 255) - e.spread) / 4 + 0.5, 16, 255);
    return e;
}

para__estimate para__estimate_add(para__estimate e, double elements, double ns, double spread)
{
    const double sample = ns > 0 ? ns / elements : 0;
    if (e.samples == 0)
        return (para__estimate){
            .cost_ns = (float)sample, .spread = (uint8_t)clip(spread * 16, 16, 255), .samples = 1};
    const double mean = e.cost_ns;
    const double smaller = sample < mean ? sample : mean;
    const double difference = sample + mean - 2 * smaller;
    double deviation = 0;
    double next = mean + (sample - mean) / 4;
    if (difference * elements > noise_ns) {
        deviation = clip(smaller > 0 ? difference / smaller : most_deviation, 0, most_deviation);
        if (sample > 4 * mean)
            next = mean > 0 ? 2 * mean : sample;
        else if (sample < mean / 4)
            next = mean / 2;
    }
    e.cost_ns = (float)next;
    e.deviation = (uint8_t)clip(e.deviation + (deviation * 32 - e.deviation) / 4 + 0.5, 0, 255);
    e = para__estimate_spread(e, spread);
    e.samples = e.samples < UINT16_MAX ? (uint16_t)(e.samples + 1) : UINT16_MAX;
    return e;
}
