#include "pool/yield.h"

#include "base/bounds.h"
#include "base/clock.h"

/* How often a worker checks whether it was off its CPU; the lag that counts as contention; and how
 * long there must have been none before the last failed try is forgotten. A time slice of the
 * system is about 3 ms; a machine's own hiccups are shorter. */
static const double look_ns = 2000000;
static const uint64_t lost_ns = 1000000;
static const double calm_ns = 20000000;

/* Yields before the worker tries to run on: 6 ms of them at first, in the end 0.1 s, which is how
 * long they go on when the others have gone. */
enum { YIELDS_LEAST = 4, YIELDS_MOST = 64 };

void para__yield_init(para__yield *yield)
{
    *yield = (para__yield){.quantum_ticks = para__ns_to_ticks(PARA__QUANTUM_NS),
                           .look_ticks = para__ns_to_ticks(look_ns)};
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
        (double)ticks * para__ns_per_tick() < (double)(ran_ns + lost_ns)) {
        yield->calm_ticks += ticks;
        if (yield->calm_ticks > para__ns_to_ticks(calm_ns))
            yield->failed = 0;
        return;
    }
    yield->calm_ticks = 0;
    yield->failed = yield->failed ? 2 * yield->failed : YIELDS_LEAST;
    yield->failed = para__min(yield->failed, YIELDS_MOST);
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
