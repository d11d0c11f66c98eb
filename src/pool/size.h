/* How many of its workers a pool uses. The others sleep: to end threads, and to make them again,
 * would cost their users' worker_init each time, and could fail. */
#ifndef PARA_POOL_SIZE_H
#define PARA_POOL_SIZE_H

#include "pool/types.h"

/* A worker that is left out sleeps until it is not, or the pool ends. It is not counted among those
 * that sleep: no call and no task wakes it. */
void para__pool_sit_out(const para__worker *self);

/* The pool ends: tells those workers. */
void para__pool_tell_left_out(para_pool *pool);

/* Sets the size of a pool that is ready: that many workers, if there are so many. */
void para__pool_set_size(para_pool *pool, unsigned workers);

/* A pool that adapts is ready: it begins with its least size. */
void para__pool_begin_adapting(para_pool *pool);

/* Looks at the load of a pool that adapts, if the last look is some time ago, and changes its size
 * if need be. Whoever submits a task or finds nothing to do calls it. */
void para__pool_look(para_pool *pool);

/* Whether it could be smaller: then who sleeps looks again after a while. */
static inline bool para__pool_may_shrink(const para_pool *pool)
{
    return pool->adapts && para__pool_workers(pool) > pool->least_size;
}

#endif
