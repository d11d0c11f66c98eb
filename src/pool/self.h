/* Which worker the calling thread is, if any; its place in calls; who is awake; waking others. */
#ifndef PARA_POOL_SELF_H
#define PARA_POOL_SELF_H

#include "pool/types.h"
#include "share/caller.h"

/* The place of the calling thread in a call: its own if it is a worker of the pool, else that of
 * the worker on its CPU, else 0. */
unsigned para__pool_place(const para_pool *pool);

/* The kind of core that the calling thread is on, as in para_chunk. */
static inline unsigned para__pool_kind(const para_pool *pool)
{
    return pool->is_hybrid ? pool->lanes.helper[para__pool_place(pool)].kind : 0;
}

/* Whether the calling thread is one of the pool's. */
bool para__pool_is_worker(const para_pool *pool);

/* How many helpers of the calling thread seem to be awake. */
unsigned para__pool_awake(const para_pool *pool);

/* The calling thread's place in a call of that width, and its team: neighbours of that place. */
void para__pool_position(const para_pool *pool, unsigned width, para__position *at);

/* Makes the calling thread that worker. */
void para__worker_enter(const para__worker *self);

/* Whether the calling thread runs worker_init for this pool. */
bool para__pool_is_in_init(const para_pool *pool);

/* PARA_ERR_FORKED, of a pool of the parent process. */
para_status para__pool_fail_forked(void) __attribute__((cold));

/* Wakes up to count sleeping helpers, because calls are expected. */
void para__workers_wake(para_pool *pool, unsigned count);

/* A worker that sleeps: rather not that in the calling thread's place, which goes on itself, and
 * never itself. If all are displaced, NULL or one of them, which then looks now and then by itself;
 * but none that does so already, or rests. */
para__helper *para__pool_sleeper(para_pool *pool, bool displaced_too);

#endif
