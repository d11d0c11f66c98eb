#include "base/clock.h"

#include "base/atomic.h"
#include "base/tuning.h"

#include <para/deadline.h>
#include <stdbool.h>

/* The tick's length in 2^-32 ns; 0: not measured yet. Written by whoever measures first; two that
 * do so at once store nearly the same value, and either will do. */
static para__atomic_u64 tick_length;

/* Both clocks at one point in time. A preemption between the two can only make them disagree, so
 * the ticks around the other clock are counted: the gap. */
typedef struct moment {
    uint64_t ticks, ns, gap;
} moment;

static moment read_clocks(void)
{
    const uint64_t before = para__ticks();
    const uint64_t ns = para__now_ns();
    const uint64_t after = para__ticks();
    return (moment){.ticks = before + (after - before) / 2, .ns = ns, .gap = after - before};
}

/* When the library was loaded, so that the first call has no span to wait for. */
static moment loaded;

__attribute__((constructor(101))) static void look_at_clocks(void)
{
    loaded = read_clocks(); /* whose pages the process has not touched yet: a long gap */
    loaded = read_clocks();
}

/* The tick's length in ns over a span of at least so much that begins there. *gap_ns: the gaps of
 * its two ends together if they are more than that part of the span, else 0. */
static double tick_over(moment begin, double least_ns, double part, double *gap_ns)
{
    moment end = read_clocks();
    while ((double)(end.ns - begin.ns) < least_ns)
        end = read_clocks();
    if (end.ticks <= begin.ticks)
        end.ticks = begin.ticks + 1;
    const double span = (double)(end.ns - begin.ns);
    const double length = span / (double)(end.ticks - begin.ticks);
    *gap_ns = (double)(begin.gap + end.gap) * length;
    *gap_ns = *gap_ns < span * part ? 0 : *gap_ns;
    return length;
}

double para__ns_per_tick(void)
{
    uint64_t length = para__load_relaxed(&tick_length); /* a value on its own: orders nothing */
    if (length == 0) {
        double gap_ns;
        double best_gap_ns;
        const moment begin = read_clocks();
        const bool is_recent = loaded.ns && begin.ns - loaded.ns < PARA__TICK_RECENT_NS;
        if (is_recent && begin.ns - loaded.ns < PARA__TICK_SPAN_NS) { /* measured anew later */
            const double rough =
                tick_over(loaded, PARA__TICK_FIRST_SPAN_NS, PARA__TICK_FIRST_GAP, &best_gap_ns);
            if (best_gap_ns == 0)
                return rough;
        }
        double best =
            tick_over(is_recent ? loaded : begin, PARA__TICK_SPAN_NS, PARA__TICK_GAP, &best_gap_ns);
        for (int attempt = 0; attempt < 2 && best_gap_ns > 0; attempt++) {
            const double again =
                tick_over(read_clocks(), PARA__TICK_SPAN_NS, PARA__TICK_GAP, &gap_ns);
            best = gap_ns < best_gap_ns ? again : best;
            best_gap_ns = gap_ns < best_gap_ns ? gap_ns : best_gap_ns;
        }
        length = (uint64_t)(best * 4294967296.0);
        length = length ? length : 1;
        para__store_relaxed(&tick_length, length);
    }
    return (double)length / 4294967296.0;
}

uint64_t para_deadline_after(uint64_t ns)
{
    const uint64_t now_ns = para__now_ns();
    return ns < PARA_DEADLINE_NEVER - now_ns ? now_ns + ns : PARA_DEADLINE_NEVER;
}
