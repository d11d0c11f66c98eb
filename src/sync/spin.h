/* Spinning before sleeping: for a limited time, seldom looking, and only where it has helped.
 *
 *     para__spin spin;
 *     bool got = false;
 *     if (para__spin_begin(&spin, deadline_ns, false)) {
 *         while (!(got = try()) && para__spin_pause(&spin)) {
 *         }
 *         para__spin_end(got);
 *     }
 */
#ifndef PARA_SYNC_SPIN_H
#define PARA_SYNC_SPIN_H

#include <stdbool.h>
#include <stdint.h>

typedef struct para__spin {
    uint64_t end_ns, pause_ns;
} para__spin;

/* Whether to spin, at most until the deadline. Not if the process has one CPU. Not for a while on a
 * thread that has spun in vain: it lets its next chances pass, twice as many after each failure,
 * and then tries again. promising: this thread gets the lock next, so it lets no chance pass. */
bool para__spin_begin(para__spin *spin, uint64_t deadline_ns, bool promising);

/* Lets some time pass, longer each time: a look takes the word's line away from its owner, which is
 * faster undisturbed. False: the time is over. */
bool para__spin_pause(para__spin *spin);

/* Remembers, for this thread, whether spinning was worth it. */
void para__spin_end(bool success);

#endif
