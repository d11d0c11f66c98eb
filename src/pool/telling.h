/* Tells those who watch a pool's signals that these have changed.
 *
 * All watches are under the latch of one bucket, which begins anew in a child. It is taken only
 * where somebody watches. A watch that is being told stays in its list until that is over, so a
 * thread that has told goes on to the next one. */
#ifndef PARA_POOL_TELLING_H
#define PARA_POOL_TELLING_H

#include "pool/types.h"
#include "sync/queue.h"

#include <para/watch.h>

/* After the change. */
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

/* What the calling thread tells now, the innermost first: `changed` may change other pools, whose
 * watches are told within. */
typedef struct para__telling {
    const para_pool *pool;
    const para_watch *watch;
    bool again; /* the thread has changed something of that pool itself meanwhile */
    struct para__telling *outer;
} para__telling;
extern PARA__THREAD_LOCAL para__telling *para__innermost_telling;

para__bucket *para__watches_lock(void);

/* Under the latch: the first of a pool's watches. */
static inline para_watch *para__watches_of(para_pool *pool)
{
    return (para_watch *)para__load_relaxed(&pool->watches);
}

/* Under the latch, which it gives up meanwhile. */
para__bucket *para__watch_tell(para__bucket *bucket, para__telling *self, para_watch *watch);

#endif
