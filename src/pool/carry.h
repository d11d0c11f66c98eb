/* Tasks on worker processes. Such a pool has threads for them too, carriers, which are workers like
 * those of other pools: they take tasks from the same queue, and have each run by a process. */
#ifndef PARA_POOL_CARRY_H
#define PARA_POOL_CARRY_H

#include "pool/types.h"

#include <para/dispatch.h>

/* Whether worker processes can run the task. Errors: PARA_ERR_NOT_SHARED, _ARGUMENT. */
para_status para__carry_check(para_pool *pool, const para_task *task);

/* Has a process run the task, and waits for it: as para__host.carry. */
para_status para__carry_task(para_task *task, int *result);

/* What tasks of requests run, in dispatch.c; and what a request's function has returned, if the
 * response is as long as it may be. */
int para__request_run(void *request);
int para__request_result(para_request *r, int result);

#endif
