#include "sync/spin.h"

#include "base/atomic.h"
#include "base/bounds.h"
#include "base/clock.h"
#include "base/thread.h"

/* Half of the time that it takes to put a thread to sleep and wake it on the machine where this was
 * chosen, 35 us. Most of the waits that end within it end much sooner. There a cache line travels
 * to another core and back in 0.3 us: a thread that looks more often gets in the way of an owner
 * that is about to be done. */
static const uint64_t budget_ns = 15000;
static const uint64_t first_pause_ns = 500;
static const uint64_t longest_pause_ns = 2000;
enum { MOST_FAILURES = 6 };

/* What the thread has seen lately: failures in a row, and how many chances it still lets pass. */
static PARA__THREAD_LOCAL struct {
    unsigned char failures, let_go;
} luck;

bool para__spin_begin(para__spin *spin, uint64_t deadline_ns, bool promising)
{
    if (!para__several_cpus())
        return false;
    if (luck.let_go > 0 && !promising) {
        luck.let_go--;
        return false;
    }
    const uint64_t now_ns = para__now_ns();
    if (now_ns >= deadline_ns)
        return false;
    const uint64_t end_ns = now_ns + budget_ns;
    *spin = (para__spin){.end_ns = para__min(end_ns, deadline_ns), .pause_ns = first_pause_ns};
    return true;
}

bool para__spin_pause(para__spin *spin)
{
    const uint64_t begin_ns = para__now_ns();
    if (begin_ns >= spin->end_ns)
        return false;
    do
        para__pause();
    while (para__now_ns() - begin_ns < spin->pause_ns);
    if (spin->pause_ns < longest_pause_ns)
        spin->pause_ns *= 2;
    return true;
}

void para__spin_end(bool success)
{
    if (success) {
        luck.failures /= 2;
        return;
    }
    if (luck.failures < MOST_FAILURES)
        luck.failures++;
    luck.let_go = (unsigned char)((1u << luck.failures) - 1);
}
