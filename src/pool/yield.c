#include "pool/yield.h"

#include "base/bounds.h"
#include "base/clock.h"
#include "base/tuning.h"

void para__yield_init(para__yield *yield)
{
    *yield = (para__yield){.quantum_ticks = para__ns_to_ticks(PARA__QUANTUM_NS),
                           .look_ticks = para__ns_to_ticks(PARA__YIELD_LOOK_NS)};
    para__yield_restart(yield);
}

void para__yield_restart(para__yield *yield)
{
    yield->begun_ticks = para__ticks();
    yield->begun_usage = para__thread_usage();
}

/* After a long stretch: was the thread off its CPU? */
static void look(para__yield *yield, uint64_t ticks)
{
    const para__usage now = para__thread_usage();
    const uint64_t ran_ns = now.cpu_ns - yield->begun_usage.cpu_ns;
    if (now.preemptions == yield->begun_usage.preemptions ||
        (double)ticks * para__ns_per_tick() < (double)(ran_ns + PARA__YIELD_LOST_NS)) {
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
