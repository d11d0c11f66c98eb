/* Lanes whose callers have left by a jump, or have ended their thread. That is not allowed, but
 * hosts do it: an interpreter that takes Ctrl-C by siglongjmp. What the call was to work on may be
 * gone; what the engine holds for it is not lost.
 *
 * A call was left if a later one of its thread is made from further up the same stack, or if
 * another function's frame is where it ran. That is asked where the thread leases a lane again or
 * ends a pool, and when the thread ends. A jump out of the engine's own few instructions between a
 * claim and its note may still cost the lane. */
#ifndef PARA_EXECUTOR_LEFT_H
#define PARA_EXECUTOR_LEFT_H

#include "base/thread.h"
#include "share/lane.h"

/* The lanes that the calling thread has leased, the latest first. */
extern PARA__THREAD_LOCAL para__lane *para__innermost_lane;

/* Abandons those lanes of the calling thread whose calls it has left by a jump: what the lease has
 * changed is put back. Called where it leases again, or ends a pool, at `frame` on its stack. */
void para__lanes_abandon(uintptr_t frame);

/* Takes a lane out of the thread's list that is not the innermost: those within were left. */
void para__lanes_unlink(const para__lane *lane);

/* Has the lanes of the calling thread abandoned when it ends; whether it is to be. */
void para__lanes_watch(void);
extern PARA__THREAD_LOCAL bool para__lanes_watched;

/* Makes free those abandoned lanes that all helpers have left; whether there was one.
 * What is not claimed of their calls is not run any more. */
bool para__lanes_recover(para__lanes *lanes);

#endif
