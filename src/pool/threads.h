/* A call on the pool's own threads. */
#ifndef PARA_POOL_THREADS_H
#define PARA_POOL_THREADS_H

#include "pool/types.h"
#include "share/caller.h"

/* Runs the job on a leased lane as planned: para__lane_run, with neighbours of the calling thread
 * as its team. What a timed call tells of the machine is learnt. */
void para__threads_run(para_pool *pool, para__lane *lane, const para__job *job,
                       const para__plan *plan, para__outcome *outcome);

#endif
