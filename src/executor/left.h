/* Lanes whose callers have left by a jump, or have ended their thread. That is not allowed, but
 * hosts do it: an interpreter that handles Ctrl-C by siglongjmp. The arrays of such a call may be
 * gone; the lane that it held is not lost.
 *
 * A call was left if its thread makes a later call from further up the same stack, or if its frame
 * now belongs to another function. The library checks when the thread leases a lane again or ends a
 * pool, and when the thread ends. A jump out of the few instructions between a claim and its record
 * may still cost the lane. */
#ifndef PARA_EXECUTOR_LEFT_H
#define PARA_EXECUTOR_LEFT_H

#include "base/thread.h"
#include "share/lane.h"

/* The lanes that the calling thread has leased, the latest first. */
extern PARA__THREAD_LOCAL para__lane *para__innermost_lane;

/* Abandons the lanes of the calling thread whose calls it has left by a jump, and undoes what the
 * leases have changed. Called where the thread leases a lane again, or ends a pool, at `frame` on
 * its stack. */
void para__lanes_abandon(uintptr_t frame);

/* Takes a lane that is not the innermost out of the thread's list: the calls within it were
 * left. */
void para__lanes_unlink(const para__lane *lane);

/* Makes sure that the lanes of the calling thread are abandoned when it ends; and whether that is
 * arranged already. */
void para__lanes_watch(void);
extern PARA__THREAD_LOCAL bool para__lanes_watched;

/* Frees the abandoned lanes that all helpers have left; whether there was one. What was not claimed
 * of their calls is not run. */
bool para__lanes_recover(para__lanes *lanes);

#endif
