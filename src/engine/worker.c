/* Worker threads: look for calls, help, park. */
#include "base/clock.h"
#include "base/thread.h"
#include "engine/pool.h"

#include <stdio.h>

/* Which worker of which pool the calling thread is, if any. */
static _Thread_local const para__worker *this_worker __attribute__((tls_model("initial-exec")));

unsigned para__pool_seat(const para_pool *pool)
{
    if (this_worker && this_worker->pool == pool)
        return this_worker->index;
    const int cpu = para__current_cpu();
    const unsigned seat = cpu >= 0 && (unsigned)cpu < pool->cpu_limit ? pool->seat_of[cpu] : 0;
    return seat < pool->workers ? seat : 0; /* that worker's thread may not have been created */
}

/* Sleeps until there may be news, unless there are already. */
static void park(para__worker *self, const uint64_t *seen)
{
    para_pool *pool = self->pool;
    para__event_prepare(&self->event);
    bool news = para__load_seq_cst(&pool->stopping);              /* [E5] */
    const unsigned lanes = para__load_seq_cst(&pool->lanes_used); /* [E5] */
    for (unsigned i = 0; i < lanes && !news; i++)
        news = para__lane_has_news(pool, &pool->lane[i], self->index, seen[i]);
    if (news) {
        para__event_cancel(&self->event);
        return;
    }
    para__add_relaxed(&pool->sleeping, 1); /* a count on its own */
    para__event_wait(&self->event);
    para__add_relaxed(&pool->sleeping, -1u);
}

/* Goes round the lanes until the pool ends. A worker that has helped looks again at once; one that
 * finds nothing spins for a while, in time rather than in rounds, and then parks. */
static void serve(para__worker *self)
{
    enum { ROUNDS_A_LOOK = 16 }; /* at the clock: it costs as much as a round */
    para_pool *pool = self->pool;
    uint64_t seen[PARA__LANES] = {0};
    uint64_t idle_since = 0; /* 0: it has just worked, or woken */
    unsigned rounds = 0;
    while (!para__load_relaxed(&pool->stopping)) { /* looked at again, in order, before parking */
        bool worked = false;
        bool displaced = false;
        const unsigned lanes = para__load_relaxed(&pool->lanes_used); /* once more before parking */
        for (unsigned i = 0; i < lanes; i++) {
            const para__visit visit = para__lane_visit(pool, &pool->lane[i], self->index, &seen[i]);
            worked |= visit == PARA__VISIT_WORKED;
            displaced |= visit == PARA__VISIT_DISPLACED;
        }
        if (worked) {
            idle_since = 0;
            rounds = 0;
            continue;
        }
        if (idle_since == 0)
            idle_since = para__ticks();
        if (displaced || (++rounds % ROUNDS_A_LOOK == 0 &&
                          para__ticks() - idle_since >= para__load_relaxed(&pool->spin_ticks))) {
            park(self, seen);
            idle_since = 0;
        } else {
            para__pause();
        }
    }
}

static void *run(void *arg)
{
    para__worker *self = arg;
    para_pool *pool = self->pool;
    if (pool->binding != PARA_BIND_NONE)
        self->bind_status =
            para__bind_thread(pool->machine, self->cpu_index, pool->binding == PARA_BIND_DOMAIN);
    this_worker = self;
    para__add_acq_rel(&pool->ready, 1); /* [E4] */
    para__futex_wake(&pool->ready, 1);
    serve(self);
    return NULL;
}

unsigned para__workers_start(para_pool *pool)
{
    unsigned started = 0;
    for (; started < pool->workers; started++) {
        para__worker *worker = &pool->worker[started];
        char name[16];
        snprintf(name, sizeof name, "para-%u", started);
        if (para__thread_start(&worker->thread, name, run, worker) != 0)
            break;
    }
    for (uint32_t ready; (ready = para__load_acquire(&pool->ready)) < started;) /* [E4] */
        para__futex_wait(&pool->ready, ready);
    return started;
}

void para__workers_stop(para_pool *pool, unsigned count)
{
    para__store_seq_cst(&pool->stopping, true); /* [E5] */
    for (unsigned i = 0; i < count; i++)
        para__event_wake(&pool->worker[i].event);
    for (unsigned i = 0; i < count; i++)
        pthread_join(pool->worker[i].thread, NULL);
}

void para__workers_rouse(para_pool *pool)
{
    const unsigned self = para__pool_seat(pool);
    for (unsigned i = 0; i < pool->workers; i++)
        if (i != self && para__event_seems_parked(&pool->worker[i].event))
            para__event_wake(&pool->worker[i].event);
}
