/* How a calling thread has a lane: leased, with memory, and released. */
#ifndef PARA_EXECUTOR_LEASE_H
#define PARA_EXECUTOR_LEASE_H

#include "share/lane.h"

/* A lane for the calling thread, or NULL if all are taken. Until it is released the thread is not
 * cancelled (pthread_cancel): helpers use what lies on its stack and in its arrays. */
para__lane *para__lane_lease(para__lanes *lanes);
void para__lane_release(para__lane *lane);

/* At least so many bytes, aligned to PARA__LINE, contents undefined, until the lane is released or
 * asked again; NULL if there is no memory. It is kept for the next lessee, so that calls that are
 * repeated allocate nothing; what is large and was not needed for a while is trimmed. */
void *para__lane_arena(para__lane *lane, size_t bytes);

/* Gives back the memory of lanes that are free, if no call has needed it for so long. */
void para__lanes_trim(para__lanes *lanes, uint64_t idle_ticks);

/* The same with what no call has needed for a second, if it is time to look: to have it anew then
 * costs some 0.1 s a GiB. Called as a call begins. */
void para__lanes_trim_idle(para__lanes *lanes);
static inline void para__lanes_tidy(para__lanes *lanes)
{
    if (para__load_relaxed(&lanes->kept_ticks)) /* see lane.h */
        para__lanes_trim_idle(lanes);
}

/* Frees a lane's memory when nobody has it. */
void para__lane_drop_arena(para__lane *lane);

#endif
