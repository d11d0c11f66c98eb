/* Functions that get a pool from the program: they resolve it, and enter it until they return. */
#ifndef PARA_POOL_VISIT_H
#define PARA_POOL_VISIT_H

#include "pool/inside.h"

#include <para/status.h>

/* Enters the pool, until para__pool_leave; NULL is the default pool, which is made if need be.
 * *stay is set in any case, and lies in the frame of the function that the program has called.
 * Errors: PARA_ERR_ENDING, those of para__pool_resolve. */
para_status para__pool_visit(para_pool **pool, para__stay **stay);

/* The same, and waits until the pool is ready. It cannot wait for a parent's pool, nor in
 * worker_init. */
para_status para__pool_visit_ready(para_pool **pool, para__stay **stay);

/* Waits until threads and costs are known, if there is anything to wait for. Errors:
 * PARA_ERR_FORKED, _BUSY (in worker_init), _TIMEOUT. */
para_status para__pool_await_ready(para_pool *pool, uint64_t deadline_ns);

#endif
