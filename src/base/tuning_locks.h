/* The constants of locks: how long a waiter spins, sleeps, and may be overtaken. Entries are as in
 * tuning.h. */
#ifndef PARA_BASE_TUNING_LOCKS_H
#define PARA_BASE_TUNING_LOCKS_H

#include "base/constant.h"

/* A waiter spins so long. ns. Measured: to sleep and be woken takes 35 us, and most waits that are
 * over by half of that are over much sooner. */
PARA__COUNT(PARA__LOCK_SPIN_NS, 15000) /* - */

/* A small lock inside the library's own: looks before a waiter sleeps, and pauses before each.
 * Reasoned: some 2 us, longer than a running holder takes, and much less than a sleep. */
PARA__COUNT(PARA__LATCH_LOOKS, 20) /* - */
PARA__COUNT(PARA__LATCH_PAUSES, 4) /* - */

/* The first pause between two looks, doubled up to so long. ns. Measured: a line goes to and fro in
 * 0.3 us, and who looks sooner gets in the way of the owner. */
PARA__COUNT(PARA__LOCK_PAUSE_NS, 500)       /* - */
PARA__COUNT(PARA__LOCK_PAUSE_MOST_NS, 2000) /* - */

/* Chances to spin that are let go after spinning in vain double so often. Reasoned. */
PARA__COUNT(PARA__SPIN_FAILURES_MOST, 6) /* - */

/* Newcomers may overtake the first in line for so long. ns. Reasoned: 30 hand-overs of a mutex, so
 * that it does not show in the throughput. */
PARA__COUNT(PARA__OVERTAKE_NS, 1000000) /* - */

/* A starved waiter naps so long. ns. Compared: of 30, 50, 100, 200, 300 and 1000 us, all are as
 * good for sections of 5 us one after the other; with time between them short ones are better. */
PARA__COUNT(PARA__NAP_NS, 50000) /* - */

#endif
