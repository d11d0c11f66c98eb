/* Worker threads: who is one, who is awake, starting, waking and ending them. */
#ifndef PARA_POOL_WORKER_H
#define PARA_POOL_WORKER_H

#include "pool/types.h"
#include "share/caller.h"

/* The seat that the calling thread takes in a call: its own if it is a worker of the pool, else
 * that of the worker on its CPU, else 0. */
unsigned para__pool_seat(const para_pool *pool);

/* Whether the calling thread is one of the pool's. */
bool para__pool_is_worker(const para_pool *pool);

/* How many helpers the calling thread has that need not be woken, as far as one can tell. */
unsigned para__pool_awake(const para_pool *pool);

/* The calling thread's place in a call that so many share: its team are neighbours of that seat. */
para__position para__pool_position(const para_pool *pool, unsigned width);

/* Starts the pool's threads, and ends them. Starting returns how many run, which may be fewer than
 * pool->workers, once worker_init has returned on each. */
unsigned para__workers_start(para_pool *pool);
void para__workers_stop(para_pool *pool, unsigned count);

/* Wakes so many of those who sleep, for calls that are expected to come. */
void para__workers_wake(para_pool *pool, unsigned count);

#endif
