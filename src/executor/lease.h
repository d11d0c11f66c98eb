/* Leasing a lane to a calling thread, with memory for its call. */
#ifndef PARA_EXECUTOR_LEASE_H
#define PARA_EXECUTOR_LEASE_H

#include "share/lane.h"

/* Leases a lane to the calling thread; NULL if all are taken. Until the lane is released the thread
 * is not cancelled (pthread_cancel), because helpers use its stack and its arrays. */
para__lane *para__lane_lease(para__lanes *lanes);
void para__lane_release(para__lane *lane);

/* At least that many bytes, aligned to PARA__LINE, contents undefined; NULL if there is no memory.
 * They are valid until the lane is released or the next call of this function. The lane keeps them
 * for its next lessee, so that repeated calls allocate nothing; large memory that was not needed
 * for a while is trimmed. */
void *para__lane_arena(para__lane *lane, size_t bytes);

/* At least `count` strips of at least *bytes each, a participant's own; sets *bytes to the distance
 * from one to the next. Else as above. The distance only grows, and no page, nor huge page, has two
 * strips: so pages stay on the node of the participant that touched them, although calls need
 * different amounts. */
char *para__lane_strips(para__lane *lane, unsigned count, size_t *bytes);

/* Gives back the memory of free lanes, if no call has needed it for idle_ticks. */
void para__lanes_trim(para__lanes *lanes, uint64_t idle_ticks);

/* The same with memory that no call has needed for a second, if it is time to look. To allocate it
 * anew costs about 0.1 s for a GiB. Called when a call begins. */
void para__lanes_trim_idle(para__lanes *lanes);
static inline void para__lanes_tidy(para__lanes *lanes)
{
    if (para__load_relaxed(&lanes->kept_ticks)) /* see lane.h */
        para__lanes_trim_idle(lanes);
}

/* Frees the memory of a lane that nobody leases. */
void para__lane_drop_arena(para__lane *lane);

#endif
