#include "pool/size.h"

#include "base/bounds.h"
#include "base/clock.h"
#include "pool/tasks.h"

/* Under `sizing`. Workers that are left out from now on may be parked: they are woken once, to
 * leave the count of those that calls can wake. One that is about to park may miss that; then it is
 * counted until it wakes, and calls expect a helper too few. Workers that are back find what there
 * is to do by themselves. */
static void set_size(para_pool *pool, unsigned workers)
{
    const unsigned before = para__pool_workers(pool);
    para__store_relaxed(&pool->workers, workers); /* see types.h */
    for (unsigned i = workers; i < before; i++)
        para__event_wake(&pool->lanes.helper[i].event);
    if (workers > before)
        pthread_cond_broadcast(&pool->grown);
}

void para__pool_sit_out(const para__worker *self)
{
    para_pool *const pool = self->pool;
    pthread_mutex_lock(&pool->sizing);
    while (self->index >= para__pool_workers(pool) &&
           !para__load_relaxed(&pool->stopping)) /* set before the mutex is taken to tell it */
        pthread_cond_wait(&pool->grown, &pool->sizing);
    pthread_mutex_unlock(&pool->sizing);
}

void para__pool_tell_left_out(para_pool *pool)
{
    pthread_mutex_lock(&pool->sizing);
    pthread_cond_broadcast(&pool->grown);
    pthread_mutex_unlock(&pool->sizing);
}

/* ---- A pool that adapts ----------------------------------------------------------------- */

void para__pool_begin_adapting(para_pool *pool)
{
    const unsigned most = para__min(pool->most_size, pool->up);
    const unsigned least = para__min(pool->least_size, most);
    pthread_mutex_lock(&pool->sizing);
    pool->size = (para__size){.workers = least, .least = least, .most = most};
    para__store_relaxed(&pool->looked_at, para__ticks()); /* see types.h */
    set_size(pool, least);
    pthread_mutex_unlock(&pool->sizing);
}

/* How many workers were busy on average; or if that is more, are now: a long task has not been
 * counted yet. */
static unsigned count_busy(para_pool *pool, double elapsed_ns)
{
    uint64_t ticks = 0;
    unsigned now = 0;
    for (unsigned i = 0; i < pool->up; i++) {
        ticks += para__load_relaxed(&pool->worker[i].busy_ticks); /* both: see types.h; a hint */
        now += para__load_relaxed(&pool->lanes.helper[i].acting) != 0;
    }
    const double busy = (double)(ticks - pool->busy_ticks) * para__ns_per_tick() / elapsed_ns;
    pool->busy_ticks = ticks;
    return busy < (double)pool->up ? para__max((unsigned)(busy + 0.5), now) : pool->up;
}

/* How long tasks wait follows from how many do, and how many were taken (Little's law). */
static para__size_seen see_load(para_pool *pool, double elapsed_ns)
{
    para__crew *const crew = para__crew_of(pool);
    para__size_seen seen = {.busy = count_busy(pool, elapsed_ns), .elapsed_ns = elapsed_ns};
    if (!crew)
        return seen;
    para__latch_lock(&crew->ingress.latch);
    const uint64_t arrived = para__load_relaxed(&crew->ingress.arrived); /* under the latch */
    seen.queued = para__ingress_count(&crew->ingress);
    para__latch_unlock(&crew->ingress.latch);
    const uint64_t came = arrived - pool->arrived + pool->queued;
    const uint64_t taken = came > seen.queued ? came - seen.queued : 0;
    seen.wait_ns = elapsed_ns * seen.queued / (double)para__max(taken, 1);
    pool->arrived = arrived;
    pool->queued = seen.queued;
    return seen;
}

void para__pool_look(para_pool *pool)
{
    const uint64_t last = para__load_relaxed(&pool->looked_at); /* all: see types.h */
    const double elapsed_ns = (double)(para__ticks() - last) * para__ns_per_tick();
    if (elapsed_ns < PARA__SIZE_LOOK_NS || !para__pool_is_ready(pool) ||
        para__pool_is_forked(pool) || pthread_mutex_trylock(&pool->sizing) != 0)
        return;
    if (last == para__load_relaxed(&pool->looked_at)) {
        para__store_relaxed(&pool->looked_at, para__ticks());
        const unsigned wanted = para__size_look(&pool->size, see_load(pool, elapsed_ns));
        if (wanted != para__pool_workers(pool))
            set_size(pool, wanted);
    }
    pthread_mutex_unlock(&pool->sizing);
}

void para__pool_set_size(para_pool *pool, unsigned workers)
{
    pthread_mutex_lock(&pool->sizing);
    pool->size.workers = para__min(workers, pool->up);
    set_size(pool, pool->size.workers);
    pthread_mutex_unlock(&pool->sizing);
}
