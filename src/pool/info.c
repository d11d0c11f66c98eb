/* What a program can do with a pool besides calls, and what it can ask; NULL is the default
 * pool. */
#include "base/bounds.h"
#include "base/cancellation.h"
#include "base/clock.h"
#include "base/info.h"
#include "base/memory.h"
#include "base/status.h"
#include "executor/lease.h"
#include "pool/binding.h"
#include "pool/default_pool.h"
#include "pool/lent.h"
#include "pool/pool.h"
#include "pool/start.h"
#include "pool/self.h"
#include "pool/size.h"
#include "pool/visit.h"
#include "pool/worker.h"

#include <para/deadline.h>

void para_pool_trim(para_pool *pool)
{
    para__stay *stay;
    pool = para__pool_if_made(pool);
    if (!pool || !para__pool_enter(pool, &stay))
        return;
    if (!para__pool_is_forked(pool))
        para__lanes_trim(&pool->lanes, 0);
    para__pool_leave(stay);
}

para_status para_pool_restart(para_pool *pool)
{
    return pool ? para__pool_restart(pool) : para__pool_resolve(&pool);
}

para_status para_pool_wait_ready_until(para_pool *pool, uint64_t deadline_ns)
{
    para__stay *stay;
    para_status status = para__pool_visit(&pool, &stay);
    if (!status)
        status = para__pool_await_ready(pool, deadline_ns);
    if (!status)
        status = para__workers_status(pool);
    para__pool_leave(stay);
    return status;
}

para_status para_pool_wait_ready(para_pool *pool)
{
    return para_pool_wait_ready_until(pool, PARA_DEADLINE_NEVER);
}

static para_status resize_inside(para_pool *pool, unsigned workers)
{
    if (pool->executor == &para__lent_threads || pool->shop)
        return para__fail(PARA_ERR_UNSUPPORTED, pool->shop ? "the pool's workers are processes"
                                                           : "the pool's threads are lent");
    if (workers == 0 || workers > pool->requested)
        return para__fail(PARA_ERR_ARGUMENT, "a size of %u: the pool was made with %u", workers,
                          pool->requested);
    if (pool->adapts && (workers < pool->least_size || workers > pool->most_size))
        return para__fail(PARA_ERR_ARGUMENT, "a size of %u: the pool keeps between %u and %u",
                          workers, pool->least_size, pool->most_size);
    if (para__pool_is_forked(pool))
        return para__pool_fail_forked();
    const para_status status = para__pool_await_ready(pool, UINT64_MAX);
    if (status)
        return status;
    const int cancel_state = para__cancellation_off();
    para__pool_set_size(pool, workers);
    para__cancellation_restore(cancel_state);
    return PARA_OK;
}

para_status para_pool_resize(para_pool *pool, unsigned workers)
{
    para__stay *stay;
    para_status status = para__pool_visit(&pool, &stay);
    if (!status)
        status = resize_inside(pool, workers);
    para__pool_leave(stay);
    return status;
}

/* Whether a worker of a pool that is ready is bound as asked: it was, and the system has not undone
 * that since. */
static bool is_pinned(const para__worker *worker)
{
    para_pool *const pool = worker->pool;
    if (pool->binding == PARA_BIND_NONE ||
        para__load_relaxed(&worker->bind_status)) /* all: see types.h */
        return false;
    if (pool->shop) {
        const para__worker_life life = para__workshop_life(pool->shop, worker->index);
        return life.process && life.bound == PARA_OK;
    }
    const para__cpus cpus = para__worker_cpus(worker);
    if (para__pool_is_forked(pool))
        return true;
    para__latch_lock(&pool->life); /* meanwhile no other thread takes this one's place */
    const para__binding_state now = para__thread_binding(pool->machine, worker->thread, &cpus);
    para__latch_unlock(&pool->life);
    return now == PARA__BOUND;
}

static para_status fill_info(para_pool *pool, para_pool_info *info)
{
    const unsigned workers = pool->executor->width(pool);
    const bool lent = pool->executor == &para__lent_threads;
    para_pool_info full = {.requested = lent ? pool->lent_most : pool->requested,
                           .workers = workers,
                           .usual = para__min(workers, pool->usual),
                           .lanes = PARA__LANES,
                           .forked = para__pool_is_forked(pool),
                           .binding = pool->binding,
                           .lent = lent,
                           .places = pool->places ? pool->places->count : 0,
                           .places_dropped = pool->places ? pool->places->dropped : 0};
    full.processes = pool->shop != NULL;
    if (pool->shop && full.forked) /* the parent's processes */
        return para__info_fill(info, &full, sizeof full);
    if (pool->shop)
        full.alive = para__workshop_alive(pool->shop, &full.deaths);
    if (!para__pool_is_ready(pool)) /* a parent's, or in worker_init: nothing is known of threads */
        return para__info_fill(info, &full, sizeof full);
    full.thread_status = pool->start_status                                   ? pool->start_status
                         : !lent && !pool->shop && pool->up < pool->requested ? PARA_ERR_THREAD
                                                                              : PARA_OK;
    for (unsigned i = 0; i < workers && workers > 1; i++) {
        const para_status bound = (para_status)para__load_relaxed(&pool->worker[i].bind_status);
        const bool was_loose = para__worker_is_loose(&pool->worker[i]); /* may change */
        full.pinned += is_pinned(&pool->worker[i]);
        full.loose += was_loose || para__worker_is_loose(&pool->worker[i]);
        full.pin_status = full.pin_status ? full.pin_status : bound;
    }
    return para__info_fill(info, &full, sizeof full);
}

para_status para_pool_get_info(para_pool *pool, para_pool_info *info)
{
    para__stay *stay;
    para_status status = para__pool_visit_ready(&pool, &stay);
    if (!status)
        status = fill_info(pool, info);
    para__pool_leave(stay);
    return status;
}

/* The CPUs that a worker is bound to, or on a described machine would be. */
static para__cpus bound_to(const para__worker *worker)
{
    return worker->pool->binding == PARA_BIND_NONE ? (para__cpus){{0}} : para__worker_cpus(worker);
}

/* Visits the pool, and finds the worker with that index. */
static para_status find_worker(para_pool *pool, unsigned index, para__stay **stay,
                               const para__worker **worker)
{
    const para_status status = para__pool_visit_ready(&pool, stay);
    if (status)
        return status;
    const unsigned workers = pool->executor->width(pool);
    if (index >= workers)
        return para__fail(PARA_ERR_ARGUMENT, "worker %u of a pool of %u", index, workers);
    *worker = &pool->worker[index];
    return PARA_OK;
}

para_status para_pool_get_worker_cpus(para_pool *pool, unsigned index, unsigned count,
                                      unsigned *cpus)
{
    para__stay *stay;
    const para__worker *worker = NULL;
    if (!cpus)
        return para__fail(PARA_ERR_ARGUMENT, "cpus is NULL");
    const para_status status = find_worker(pool, index, &stay, &worker);
    const para__cpus bound = status ? (para__cpus){{0}} : bound_to(worker);
    para__pool_leave(stay);
    if (status)
        return status;
    if (count > para__cpus_count(&bound))
        return para__fail(PARA_ERR_ARGUMENT, "%u CPUs of %u", count, para__cpus_count(&bound));
    for (unsigned cpu = 0; count > 0; cpu++)
        if (para__cpus_has(&bound, cpu)) {
            *cpus++ = cpu;
            count--;
        }
    return PARA_OK;
}

static para_status fill_worker(const para__worker *worker, para_worker_info *info)
{
    para_pool *const pool = worker->pool;
    para__worker_life life = {0};
    if (pool->shop && !para__pool_is_forked(pool))
        life = para__workshop_life(pool->shop, worker->index);
    const unsigned workers = pool->executor->width(pool);
    const para__cpus cpus = bound_to(worker);
    const para_cpu_info *cpu = &pool->machine->cpu[worker->cpu_index];
    const bool placed = pool->binding != PARA_BIND_NONE && pool->machine->info.this_system;
    const para_worker_info full = {
        .cpu = placed ? (int)cpu->os_index : -1,
        .domain = cpu->domain,
        .pinned = placed && workers > 1 && para__pool_is_ready(pool) && is_pinned(worker),
        .cpus = para__cpus_count(&cpus),
        .process = life.process,
        .deaths = life.deaths,
        .death = life.death,
        .death_number = life.number,
        .restarts = life.births ? life.births - 1 : 0,
        .beats = life.beats,
        .busy_ns = life.busy_ns,
        .memory_bytes = life.process ? para__process_memory(life.process) : 0,
    };
    return para__info_fill(info, &full, sizeof full);
}

para_status para_pool_get_worker(para_pool *pool, unsigned index, para_worker_info *info)
{
    para__stay *stay;
    const para__worker *worker = NULL;
    para_status status = find_worker(pool, index, &stay, &worker);
    if (!status)
        status = fill_worker(worker, info);
    para__pool_leave(stay);
    return status;
}
