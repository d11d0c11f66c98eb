#include "pool/visit.h"

#include "base/cancellation.h"
#include "base/status.h"
#include "pool/default_pool.h"
#include "pool/lent.h"
#include "pool/self.h"
#include "pool/start.h"

para_status para__pool_visit(para_pool **pool, para__stay **stay)
{
    const bool is_default = *pool == NULL;
    *stay = NULL;
    const para_status status = para__pool_resolve(pool);
    if (!status && !is_default && !para__pool_enter(*pool, stay))
        return para__fail(PARA_ERR_ENDING, "the pool is being destroyed");
    return status;
}

para_status para__pool_await_ready(para_pool *pool, uint64_t deadline_ns)
{
    if (para__pool_is_ready(pool))
        return PARA_OK;
    if (pool->executor == &para__lent_threads && para__pool_is_forked(pool))
        return PARA_OK; /* nothing starts */
    if (para__pool_is_forked(pool))
        return para__fail(PARA_ERR_FORKED, "the pool was still starting when the process forked");
    if (para__pool_is_in_init(pool))
        return para__fail(PARA_ERR_BUSY, "worker_init waits for its own pool");
    const int cancel_state = para__cancellation_off();
    const bool is_ready = pool->executor->wait(pool, deadline_ns);
    para__cancellation_restore(cancel_state);
    return is_ready ? PARA_OK : para__fail(PARA_ERR_TIMEOUT, NULL);
}

para_status para__pool_visit_ready(para_pool **pool, para__stay **stay)
{
    const para_status status = para__pool_visit(pool, stay);
    if (!status && !para__pool_is_forked(*pool) && !para__pool_is_in_init(*pool))
        (void)para__pool_await_ready(*pool, UINT64_MAX);
    return status;
}
