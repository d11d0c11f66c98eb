#include "base/clock.h"

#include "base/atomic.h"

#include <para/deadline.h>

/* The tick's length in 2^-32 ns; 0: not measured yet. Written by whoever measures first; two that
 * do so at once store nearly the same value, and either will do. */
static _Atomic uint64_t tick_length;

double para__ns_per_tick(void)
{
    uint64_t length = para__load_relaxed(&tick_length); /* a value on its own: orders nothing */
    if (length == 0) {
        /* The shorter of two readings of the same span: a preemption between the two clocks can
         * only make them disagree, so the span is taken again unless both ends were read quickly.
         */
        const uint64_t span_ns = 100000;
        uint64_t best_gap = UINT64_MAX;
        double best = 1.0;
        for (int attempt = 0; attempt < 3; attempt++) {
            const uint64_t t0 = para__ticks();
            const uint64_t n0 = para__now_ns();
            const uint64_t t1 = para__ticks();
            uint64_t n1 = n0;
            uint64_t t2 = t1;
            uint64_t t3 = t1;
            while (n1 - n0 < span_ns) {
                t2 = para__ticks();
                n1 = para__now_ns();
                t3 = para__ticks();
            }
            const uint64_t gap = (t1 - t0) + (t3 - t2);
            if (gap < best_gap && t2 > t0) {
                best_gap = gap;
                best = (double)(n1 - n0) / ((double)(t2 + t3 - t0 - t1) / 2);
            }
            if ((double)gap * best < (double)span_ns * 0.005)
                break;
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
