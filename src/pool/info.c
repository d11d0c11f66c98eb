/* What a caller may do with a pool besides calls, and is told of it; NULL is the default pool. */
#include "base/info.h"
#include "base/status.h"
#include "executor/lease.h"
#include "pool/default_pool.h"
#include "pool/pool.h"

void para_pool_trim(para_pool *pool)
{
    pool = para__pool_if_made(pool);
    if (pool && !para__pool_is_forked(pool))
        para__lanes_trim(&pool->lanes, 0);
}

para_status para_pool_restart(para_pool *pool)
{
    return pool ? para__pool_restart(pool) : para__pool_resolve(&pool);
}

para_status para_pool_get_info(para_pool *pool, para_pool_info *info)
{
    const para_status status = para__pool_resolve(&pool);
    if (status)
        return status;
    para_pool_info full = {.requested = pool->requested,
                           .workers = pool->workers,
                           .lanes = PARA__LANES,
                           .thread_status =
                               pool->workers < pool->requested ? PARA_ERR_THREAD : PARA_OK,
                           .forked = para__pool_is_forked(pool),
                           .binding = pool->binding};
    for (unsigned i = 0; i < pool->workers && pool->workers > 1; i++) {
        const para_status bound = pool->worker[i].bind_status;
        full.pinned += bound == PARA_OK && pool->binding != PARA_BIND_NONE;
        full.pin_status = full.pin_status ? full.pin_status : bound;
    }
    return para__info_fill(info, &full, sizeof full);
}

para_status para_pool_get_worker(para_pool *pool, unsigned index, para_worker_info *info)
{
    const para_status status = para__pool_resolve(&pool);
    if (status)
        return status;
    if (index >= pool->workers)
        return para__fail(PARA_ERR_ARGUMENT, "worker %u of a pool of %u", index, pool->workers);
    const para__worker *worker = &pool->worker[index];
    const para_cpu_info *cpu = &pool->machine->cpu[worker->cpu_index];
    const bool placed = pool->binding != PARA_BIND_NONE && pool->machine->info.this_system;
    const para_worker_info full = {
        .cpu = placed ? (int)cpu->os_index : -1,
        .domain = cpu->domain,
        .pinned = placed && pool->workers > 1 && worker->bind_status == PARA_OK,
    };
    return para__info_fill(info, &full, sizeof full);
}
