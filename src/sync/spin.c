#include "sync/spin.h"

#include "base/atomic.h"
#include "base/bounds.h"
#include "base/clock.h"
#include "base/thread.h"
#include "base/tuning_locks.h"

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
    const uint64_t end_ns = now_ns + PARA__LOCK_SPIN_NS;
    *spin = (para__spin){.end_ns = para__min(end_ns, deadline_ns), .pause_ns = PARA__LOCK_PAUSE_NS};
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
    if (spin->pause_ns < PARA__LOCK_PAUSE_MOST_NS)
        spin->pause_ns *= 2;
    return true;
}

void para__spin_end(bool success)
{
    if (success) {
        luck.failures /= 2;
        return;
    }
    if (luck.failures < PARA__SPIN_FAILURES_MOST)
        luck.failures++;
    luck.let_go = (unsigned char)((1u << luck.failures) - 1);
}
