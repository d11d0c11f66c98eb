/* Worker threads: who is one, who is awake, waking them, and what they do until they end. */
#ifndef PARA_POOL_WORKER_H
#define PARA_POOL_WORKER_H

#include "pool/types.h"
#include "share/caller.h"

/* The place that the calling thread takes in a call: its own if it is a worker of the pool, else
 * that of the worker on its CPU, else 0. */
unsigned para__pool_place(const para_pool *pool);

/* Whether the calling thread is one of the pool's. */
bool para__pool_is_worker(const para_pool *pool);

/* How many helpers the calling thread has that need not be woken, as far as one can tell. */
unsigned para__pool_awake(const para_pool *pool);

/* The calling thread's place in a call that so many share: its team are neighbours of that place. */
para__position para__pool_position(const para_pool *pool, unsigned width);

/* Makes the calling thread that worker. */
void para__worker_enter(const para__worker *self);

/* Whether the calling thread runs worker_init for this pool. */
bool para__pool_is_in_init(const para_pool *pool);

/* What a worker does once it is up, until the pool ends. */
void para__worker_live(para__worker *self);

/* Wakes so many of those who sleep, for calls that are expected to come. */
void para__workers_wake(para_pool *pool, unsigned count);

#endif
