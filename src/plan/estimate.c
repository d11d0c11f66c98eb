#include "plan/estimate.h"

/* Differences below this, of a whole sample, are the clock's and mean nothing. */
static const double noise_ns = 60;

static double clip(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

para__estimate para__estimate_add(para__estimate e, double elements, double ns, double spread)
{
    const double sample = ns > 0 ? ns / elements : 0;
    if (e.samples == 0)
        return (para__estimate){
            .cost_ns = (float)sample, .spread = (uint8_t)clip(spread * 16, 16, 255), .samples = 1};
    const double mean = e.cost_ns;
    const double difference = sample > mean ? sample - mean : mean - sample;
    double deviation = 0;
    double next = mean;
    if (difference * elements > noise_ns) {
        const double clipped = clip(sample, mean / 4, mean * 4);
        deviation = clip(mean > 0 ? difference / mean : 4, 0, 4);
        next = clipped == sample ? mean + (sample - mean) / 4 : sample > mean ? mean * 2 : mean / 2;
        if (mean <= 0)
            next = sample;
        if (sample < mean)
            deviation = clip(sample > 0 ? difference / sample : 4, 0, 4);
    } else {
        next = mean + (sample - mean) / 4;
    }
    e.cost_ns = (float)next;
    e.deviation = (uint8_t)clip(e.deviation + (deviation * 32 - e.deviation) / 4 + 0.5, 0, 255);
    e.spread = (uint8_t)clip(e.spread + (clip(spread * 16, 16, 255) - e.spread) / 4 + 0.5, 16, 255);
    e.samples = e.samples < UINT16_MAX ? (uint16_t)(e.samples + 1) : UINT16_MAX;
    return e;
}
