/* How a pool ends: it accepts less and less, what it has is run or dropped, those inside leave. */
#ifndef PARA_POOL_ENDING_H
#define PARA_POOL_ENDING_H

#include "pool/types.h"

/* The pool accepts no more than that from now on. */
void para__pool_close(para_pool *pool, para__intake intake);

/* Whether the calling thread is one of the pool's, or within a task or a kernel of it. Kernels show
 * by their lanes: one that runs alone may have none. */
bool para__pool_is_within(const para_pool *pool);

/* Waits until no other thread is inside the pool, which is closed, and drops what those inside may
 * still have queued. */
void para__pool_await_guests(para_pool *pool);

#endif
