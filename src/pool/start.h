/* A pool's threads: starting them in the background, waiting for them, ending them. */
#ifndef PARA_POOL_START_H
#define PARA_POOL_START_H

#include "pool/types.h"

/* Starts the pool's threads: creates that of worker 0, which creates the others. */
void para__workers_start(para_pool *pool);

/* For a pool of processes: starts its carriers (carry.h), if they are not there and the pool is
 * open. Without any, who submits a task is its carrier. After the second function none start. */
void para__carriers_start(para_pool *pool);
void para__carriers_close(para_pool *pool);

/* Creates the thread of one worker; 0, or the error number of pthread_create. */
int para__worker_start(para__worker *worker);

/* Waits until the pool is ready; false if the deadline came first (para__now_ns; UINT64_MAX:
 * none). */
bool para__workers_await(para_pool *pool, uint64_t deadline_ns);

/* How the start of a ready pool went; sets the detail of a failure. Errors:
 * PARA_ERR_WORKER_INIT. */
para_status para__workers_status(const para_pool *pool);

/* Ends the threads, also while they start. */
void para__workers_stop(para_pool *pool);

#endif
