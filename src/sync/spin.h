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

/* Whether to spin, at most until the deadline. Not where the process has one CPU; and not, for a
 * while, on a thread whose spinning was in vain: its next chances are let go, twice as many after
 * each failure, and then it tries again. promising: the lock comes to this thread next, so that no
 * chance is let go. */
bool para__spin_begin(para__spin *spin, uint64_t deadline_ns, bool promising);

/* Lets some time pass, longer each time: a look takes the word's line away from its owner, who is
 * faster undisturbed. False: the time is over. */
bool para__spin_pause(para__spin *spin);

/* Remembers for the thread whether it was worth it. */
void para__spin_end(bool success);

#endif
