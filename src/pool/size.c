/* How many of its workers a pool uses. The others sleep: to end threads, and to make them again,
 * would cost their users' worker_init each time, and could fail. */
#include "base/bounds.h"
#include "base/cancellation.h"
#include "base/status.h"
#include "pool/default_pool.h"
#include "pool/lent.h"
#include "pool/self.h"

#include <para/pool.h>

/* Under `sizing`. Workers that are left out from now on may be parked: they leave the count of
 * those that calls can wake. Workers that are back find what there is to do by themselves. */
static void set_size(para_pool *pool, unsigned workers)
{
    const unsigned before = para__swap_seq_cst(E5, &pool->workers, workers);
    const unsigned end = para__max(before, workers);
    for (unsigned i = para__min(before, workers); i < end; i++)
        para__event_wake(&pool->lanes.helper[i].event);
}

para_status para_pool_resize(para_pool *pool, unsigned workers)
{
    const para_status status = para__pool_resolve(&pool);
    if (status)
        return status;
    if (pool->executor == &para__lent_threads)
        return para__fail(PARA_ERR_UNSUPPORTED, "the pool's threads are lent");
    if (workers == 0 || workers > pool->requested)
        return para__fail(PARA_ERR_ARGUMENT, "a size of %u: the pool was made with %u", workers,
                          pool->requested);
    if (para__pool_is_forked(pool))
        return para__fail(PARA_ERR_FORKED, "the pool's threads are in the parent process");
    if (para__pool_is_in_init(pool))
        return para__fail(PARA_ERR_BUSY, "in a worker_init of the pool");
    const int cancel_state = para__cancellation_off();
    pool->executor->wait(pool, UINT64_MAX);
    pthread_mutex_lock(&pool->sizing);
    set_size(pool, para__min(workers, pool->up));
    pthread_mutex_unlock(&pool->sizing);
    para__cancellation_restore(cancel_state);
    return PARA_OK;
}
