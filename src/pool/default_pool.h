/* The default pool: made once in a process, on first use; a child makes its own. */
#ifndef PARA_POOL_DEFAULT_POOL_H
#define PARA_POOL_DEFAULT_POOL_H

#include "pool/types.h"

typedef PARA__ATOMIC_OF(para_pool *) para__atomic_pool;

/* [E6] The default pool, once it is made; before that the novice, once there was a call (novice.h).
 * Written by default_pool.c alone. */
extern para__atomic_pool para__default_pool;

/* Makes the default pool if there is none, from what can be read of the environment. *pool is
 * untouched on failure. Errors: PARA_ERR_MEMORY, PARA_ERR_TOPOLOGY. */
para_status para__default_pool_make(para_pool **pool);

/* The same for a call that is worth it, which goes on without one if it cannot be had: false. Then
 * it is tried again more and more seldom; the first failure is told on standard error. */
bool para__default_pool_offer(para_pool **pool);

/* The default pool, made if need be, or the novice. Never NULL. */
para_pool *para__default_pool_begin(void);

/* Replaces NULL by the default pool; returns NULL if that does not exist yet. */
static inline para_pool *para__pool_if_made(para_pool *pool)
{
    return pool ? pool : para__load_acquire(E6, &para__default_pool);
}

/* Replaces NULL by the default pool, which is made if need be. Errors: as above. */
static inline para_status para__pool_resolve(para_pool **pool)
{
    if (*pool)
        return PARA_OK;
    *pool = para__pool_if_made(NULL);
    return *pool && !(*pool)->is_novice && !para__pool_is_forked(*pool)
               ? PARA_OK
               : para__default_pool_make(pool);
}

/* The pool of a call: NULL is the default pool, or the novice, which runs it alone. Cannot fail. */
static inline para_pool *para__pool_of_call(para_pool *pool)
{
    if (pool)
        return pool;
    pool = para__pool_if_made(NULL);
    return pool && !para__pool_is_forked(pool) ? pool : para__default_pool_begin();
}

#endif
