#include "pool/yield.h"

#include "base/bounds.h"
#include "base/clock.h"
#include "base/tuning.h"

void para__yield_init(para__yield *yield)
{
    *yield = (para__yield){.quantum_ticks = para__ns_to_ticks(PARA__QUANTUM_NS),
                           .look_ticks = para__ns_to_ticks(PARA__YIELD_LOOK_NS),
                           .recent_ns = PARA__YIELD_CALM_NS / 4};
    para__yield_restart(yield);
}

void para__yield_restart(para__yield *yield)
{
    yield->begun_ticks = para__ticks();
    yield->begun_usage = para__thread_usage();
}

/* Adds a stretch to what is known of the last ones. Whether others have used its CPU in it, and
 * for much of the time lately. */
static bool is_contended(para__yield *yield, uint64_t ticks)
{
    const para__usage now = para__thread_usage();
    const para__usage then = yield->begun_usage;
    const bool is_taken = now.preemptions - then.preemptions > now.sleeps - then.sleeps;
    const double ns = (double)ticks * para__ns_per_tick();
    const double off_ns = ns - (double)(now.cpu_ns - then.cpu_ns);
    const double lost_ns = is_taken && off_ns > 0 ? off_ns : 0;
    const double part = para__min(ns, PARA__YIELD_CALM_NS) / ns;
    if (yield->recent_ns > PARA__YIELD_CALM_NS) {
        yield->recent_ns /= 2;
        yield->lost_ns /= 2;
    }
    yield->recent_ns += part * ns;
    yield->lost_ns += part * lost_ns;
    return lost_ns >= PARA__YIELD_LOST_NS &&
           yield->lost_ns >= PARA__YIELD_LOST_PART * yield->recent_ns;
}

/* After a long stretch: was the thread off its CPU? */
static void look(para__yield *yield, uint64_t ticks)
{
    if (!is_contended(yield, ticks)) {
        yield->calm_ticks += ticks;
        if (yield->calm_ticks > para__ns_to_ticks(PARA__YIELD_CALM_NS))
            yield->failed = 0;
        return;
    }
    yield->calm_ticks = 0;
    yield->failed = yield->failed ? 2 * yield->failed : PARA__YIELDS_LEAST;
    yield->failed = para__min(yield->failed, PARA__YIELDS_MOST);
    yield->left = yield->failed;
}

bool para__yield_is_due(para__yield *yield, uint64_t now_ticks)
{
    const uint64_t ticks = now_ticks - yield->begun_ticks;
    if (yield->left) {
        if (ticks < yield->quantum_ticks)
            return false;
        yield->left--;
        return true;
    }
    if (ticks < yield->look_ticks)
        return false;
    look(yield, ticks);
    para__yield_restart(yield);
    return yield->left != 0;
}
