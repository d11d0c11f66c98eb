/* Checkers of the protocol's memory, called in builds with assertions only. None may be called in a
 * child of fork() for a lane that it had from its parent: there the words say what they said. */
#ifndef PARA_SHARE_VALID_H
#define PARA_SHARE_VALID_H

#include "share/participant.h"

/* By the lessee, at the beginning and at the end of a lease: no call is open, and none has left
 * anything behind. */
void para__lane_check(const para__lane *lane);

/* By a participant that knows no more of the call than its words. */
void para__participant_check(const para__participant *p);

/* By the caller, just before it publishes: nothing of this call has been claimed or finished. */
void para__publish_check(const para__participant *p);

/* By the caller, after the join: all tickets are claimed, and each has been finished once. */
void para__join_check(const para__participant *p);

#endif
