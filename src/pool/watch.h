/* Who watches a pool's signals. */
#ifndef PARA_POOL_WATCH_H
#define PARA_POOL_WATCH_H

#include "pool/types.h"

/* Tells those who watch the pool, if any, that its signals have changed: after the change. */
void para__watches_tell_all(para_pool *pool);
static inline bool para__pool_is_watched(para_pool *pool)
{
    return para__load_relaxed(&pool->watches) != 0; /* who begins to watch looks after that */
}

static inline void para__watches_tell(para_pool *pool)
{
    if (para__pool_is_watched(pool))
        para__watches_tell_all(pool);
}

/* The pool is about to be freed: watches show zeros from now on, and are told a last time. */
void para__watches_drop(para_pool *pool);

#endif
