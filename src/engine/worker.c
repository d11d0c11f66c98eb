/* Worker threads: look for calls, help, park. */
#include "base/clock.h"
#include "base/fpenv.h"
#include "base/thread.h"
#include "engine/calibrate.h"
#include "engine/pool.h"
#include "engine/turn.h"
#include "plan/patience.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Which worker of which pool the calling thread is, if any. */
static PARA__THREAD_LOCAL const para__worker *this_worker;

bool para__pool_is_worker(const para_pool *pool)
{
    return this_worker && this_worker->pool == pool;
}

unsigned para__pool_seat(const para_pool *pool)
{
    if (para__pool_is_worker(pool))
        return this_worker->index;
    const int cpu = para__current_cpu();
    const unsigned seat = cpu >= 0 && (unsigned)cpu < pool->cpu_limit ? pool->seat_of[cpu] : 0;
    return seat < para__pool_workers(pool) ? seat : 0; /* its thread may not have been created */
}

unsigned para__pool_awake(const para_pool *pool)
{
    /* Of the threads, one is the caller, or in the place of the caller and most likely parked. */
    const unsigned sleeping = para__load_relaxed(&pool->sleeping); /* a guess: orders nothing */
    const unsigned workers = para__pool_workers(pool);
    const unsigned others = workers - para__pool_is_worker(pool);
    const unsigned awake = others > sleeping ? others - sleeping : 0;
    return awake < workers ? awake : workers - 1;
}

/* Whether some lane has a call that this worker has not looked at. */
static bool has_news(const para__worker *self)
{
    para_pool *pool = self->pool;
    const unsigned lanes = para__load_seq_cst(E5, &pool->lanes_used);
    for (unsigned i = 0; i < lanes; i++)
        if (para__lane_has_news(pool, i, self->index))
            return true;
    return false;
}

/* Sleeps until there may be news, unless there are already. One that was displaced is not told when
 * its core is free again, and looks by itself: after a millisecond, then after twice as long, and
 * so on, so that it disturbs whoever is there less and less. */
static void park(para__worker *self, bool displaced)
{
    static const uint64_t away_least_ns = 1000000;
    static const uint64_t away_most_ns = 64000000;
    para_pool *pool = self->pool;
    para__event_prepare(&self->event);
    const bool news = has_news(self);
    if (para__load_seq_cst(E5, &pool->stopping) || (news && !displaced)) {
        para__event_cancel(&self->event);
        self->away_ns = 0;
        return;
    }
    para__add_relaxed(&pool->sleeping, 1);           /* a count on its own */
    if (news || para__load_relaxed(&self->guests)) { /* a hint: see pool.h */
        self->away_ns = self->away_ns ? 2 * self->away_ns : away_least_ns;
        self->away_ns = self->away_ns < away_most_ns ? self->away_ns : away_most_ns;
        para__event_wait_for(&self->event, self->away_ns);
    } else {
        self->away_ns = 0;
        para__event_wait(&self->event);
    }
    para__add_relaxed(&pool->sleeping, -1u);
    para__event_cancel(&self->event);
}

/* Leaves its CPU to others for a while, and is not to be woken meanwhile but for the end. */
static void rest(para__worker *self)
{
    para_pool *pool = self->pool;
    para__event_prepare(&self->event);
    if (!para__load_relaxed(&pool->stopping)) { /* missed, it is seen after the rest */
        para__add_relaxed(&self->guests, 1);    /* a hint: see pool.h */
        para__add_relaxed(&pool->sleeping, 1);  /* a count on its own */
        para__event_wait_for(&self->event, PARA__REST_NS);
        para__add_relaxed(&pool->sleeping, -1u);
        para__add_relaxed(&self->guests, -1u);
    }
    para__event_cancel(&self->event);
}

/* Looks at every lane that has news. */
static para__visit go_round(para__worker *self)
{
    para_pool *pool = self->pool;
    para__visit outcome = PARA__VISIT_NOTHING;
    if (para__load_relaxed(&self->guests) || para__swap_acquire(E8, &self->acting, 1) != 0)
        return PARA__VISIT_DISPLACED;
    const unsigned lanes = para__load_relaxed(&pool->lanes_used); /* has_news did, in order */
    for (unsigned i = 0; i < lanes; i++) {
        const para__visit visit = para__lane_visit(pool, i, self->index, 0);
        outcome = visit > outcome ? visit : outcome;
    }
    para__store_release(E8, &self->acting, 0);
    return outcome;
}

/* A worker's time between calls. */
typedef struct idling {
    para__patience patience;
    uint64_t since;     /* when it found nothing to do; 0: it has just worked, or woken */
    uint64_t looked_at; /* the clock */
    bool spun;          /* before the work that it has just done */
    unsigned rounds;
} idling;

/* It finds nothing to do, after it has worked or woken. What it has done since it last looked at
 * the clock is taken for work. */
static void begin_idling(const para__worker *self, idling *idle, uint64_t now)
{
    const uint64_t spin_ticks = para__load_relaxed(&self->pool->spin_ticks); /* see pool.h */
    para__patience_earn(&idle->patience, now - idle->looked_at, spin_ticks);
    if (idle->spun)
        para__patience_earn(&idle->patience, spin_ticks / 2, spin_ticks); /* a wake-up */
    idle->spun = false;
    idle->since = now;
    idle->looked_at = now;
}

/* It has worked. If it was spinning until then, that is paid. */
static void end_idling(idling *idle)
{
    if (idle->since)
        para__patience_spend(&idle->patience, idle->looked_at - idle->since);
    idle->spun |= idle->since != 0;
    idle->since = 0;
    idle->rounds = 0;
}

/* Whether it has spun long enough. */
static bool is_out_of_patience(const para__worker *self, idling *idle, uint64_t now)
{
    if (!idle->since)
        return false;
    idle->looked_at = now;
    const uint64_t spin_ticks = para__load_relaxed(&self->pool->spin_ticks); /* see pool.h */
    return now - idle->since >= para__patience_limit(&idle->patience, spin_ticks);
}

/* Back from sleep. Who woke it expects calls. */
static void wake_up(const para__worker *self, idling *idle)
{
    const uint64_t spin_ticks = para__load_relaxed(&self->pool->spin_ticks); /* see pool.h */
    if (idle->since)
        para__patience_spend(&idle->patience, idle->looked_at - idle->since);
    if (para__patience_limit(&idle->patience, spin_ticks) < spin_ticks && !has_news(self))
        para__patience_earn(&idle->patience, spin_ticks, spin_ticks);
    *idle = (idling){.patience = idle->patience, .looked_at = para__ticks()};
}

/* Goes round the lanes until the pool ends. A worker that has helped looks again at once; one that
 * finds nothing spins for a while, in time rather than in rounds, and then parks. On a contended
 * CPU it takes turns with the others there: see turn.h. */
static void live(para__worker *self)
{
    enum { ROUNDS_A_LOOK = 16 }; /* at the clock: it costs as much as a round */
    para_pool *pool = self->pool;
    static const double first_patience_ns = 3e6; /* while the pool starts, its costs are measured */
    idling idle = {.patience.ticks = para__ns_to_ticks(first_patience_ns),
                   .looked_at = para__ticks()};
    para__turn turn;
    para__turn_init(&turn);
    while (!para__load_relaxed(&pool->stopping)) { /* looked at again, in order, before parking */
        const para__visit visit = has_news(self) ? go_round(self) : PARA__VISIT_NOTHING;
        const bool displaced = visit == PARA__VISIT_DISPLACED;
        if (visit == PARA__VISIT_WORKED && para__pool_is_forked(pool))
            return; /* a kernel has forked: this is the child, and nobody waits here for it */
        if (visit == PARA__VISIT_WORKED) {
            end_idling(&idle);
        } else if (!displaced && idle.since && ++idle.rounds % ROUNDS_A_LOOK != 0) {
            para__pause();
            continue;
        }
        const uint64_t now = para__ticks();
        if (para__turn_is_over(&turn, now))
            rest(self);
        else if (displaced || is_out_of_patience(self, &idle, now))
            park(self, displaced);
        else {
            if (visit != PARA__VISIT_WORKED && idle.since == 0)
                begin_idling(self, &idle, now);
            continue;
        }
        wake_up(self, &idle);
        para__turn_begin(&turn);
    }
}

/* ---- Starting and ending ------------------------------------------------------------- */

/* Starting:
 *
 *   creator    has the seats ready, creates worker 0's thread, goes on at once
 *   worker 0   creates the other threads, then starts like them
 *   each       binds itself, runs worker_init; is up: counts itself out of `starting` [E4]
 *   the last   sees how all of them fared [E4], measures costs, sets `ready` [E4]
 *
 * Nobody waits for anybody, so no order of events blocks, and whoever waits for the pool waits for
 * `ready` alone. Worker 0 counts those out whose threads it could not create, with itself. An end
 * that comes in between joins worker 0 first: after that all threads there will be are known.
 *
 * Worker 0 creates threads before it binds itself, since they inherit its mask, and that of the
 * creator is theirs if they are not bound. They inherit its signal mask, which the creator's has
 * decided. Rejected: a tree of threads that create each other, where one that fails leaves gaps. */

/* A swap, not a store: where both who ends the pool and who makes it ready do this, whoever sees
 * the later one sees what was done before either. */
static void tell_to_end(para_pool *pool)
{
    para__swap_seq_cst(E5, &pool->stopping, true);
    for (unsigned i = 0; i < pool->requested; i++)
        para__event_wake(&pool->worker[i].event);
}

/* All threads that there will be are up, `started` of them. A pool needs two: one of them is in the
 * place of the thread that calls. After a worker_init that failed it has none either. */
static void make_ready(para_pool *pool)
{
    for (unsigned i = 0; i < pool->started && !pool->start_status; i++)
        if (pool->worker[i].init_error) {
            pool->start_status = PARA_ERR_WORKER_INIT;
            pool->failed_worker = i;
        }
    const bool is_alone = pool->started < 2 || pool->start_status;
    para__store_relaxed(&pool->workers, is_alone ? 1 : pool->started); /* see pool.h */
    if (is_alone && pool->has_threads)
        tell_to_end(pool);
    para__costs_measure(pool);
    para__store_release(E4, &pool->ready, 1);
    para__futex_wake(&pool->ready, INT_MAX);
}

/* So many workers are up, or will never be. */
static void count_out(para_pool *pool, uint32_t count)
{
    if (para__add_release(E4, &pool->starting, -count) != count)
        return;
    (void)para__load_acquire(E4, &pool->starting); /* what the others wrote before they were up */
    make_ready(pool);
}

static void start_others(para_pool *pool)
{
    unsigned started = pool->started ? pool->started : 1;
    while (started < pool->fit && !para__load_relaxed(&pool->stopping) && /* missed, it is seen */
           para__worker_start(&pool->worker[started]) == 0)               /* by each thread */
        started++;
    pool->started = started;
}

static void name_thread(const para__worker *self)
{
    char name[16];
    snprintf(name, sizeof name, "para-%u", self->index);
    para__thread_name(name);
}

static void *run(void *arg)
{
    para__worker *self = arg;
    para_pool *pool = self->pool;
    if (self->index == 0)
        start_others(pool);
    name_thread(self);
    if (pool->binding != PARA_BIND_NONE)
        self->bind_status =
            para__bind_thread(pool->machine, self->cpu_index, pool->binding == PARA_BIND_DOMAIN);
    else if (pool->unbinds)
        self->bind_status = para__unbind_thread(pool->machine);
    this_worker = self;
    (void)para__fp_swap(PARA__FP_DEFAULT); /* not that of the thread that made the pool */
    self->init_error = pool->worker_init ? pool->worker_init(self->index, pool->worker_arg) : 0;
    self->is_up = true;
    para__add_relaxed(&pool->sleeping, -1u); /* a count on its own */
    count_out(pool, self->index ? 1 : 1 + pool->requested - pool->started);
    if (self->init_error == 0)
        live(self);
    if (para__pool_is_forked(pool))
        _exit(EXIT_FAILURE); /* the child has no other thread that could end it */
    (void)para__load_acquire(E5, &pool->stopping); /* what was done before, for worker_exit */
    if (pool->worker_exit && self->init_error == 0)
        pool->worker_exit(self->index, pool->worker_arg);
    para__process_thread_ends();
    return NULL;
}

int para__worker_start(para__worker *worker)
{
    return para__thread_start(&worker->thread, &worker->pool->stack, run, worker);
}

void para__workers_start(para_pool *pool)
{
    const unsigned seats = pool->requested;
    pool->started = 0;
    pool->start_status = PARA_OK;
    para__store_relaxed(&pool->workers, seats);  /* all: published with the pool, or by */
    para__store_relaxed(&pool->starting, seats); /* pthread_create */
    para__store_relaxed(&pool->sleeping, seats);
    pool->fit = seats > 1 ? para__threads_that_fit(&pool->stack, seats) : 0;
    pool->has_threads = pool->fit > 1;
    if (pool->has_threads && para__worker_start(&pool->worker[0]) != 0)
        pool->has_threads = false;
    if (!pool->has_threads)
        make_ready(pool);
}

bool para__workers_await(para_pool *pool, uint64_t deadline_ns)
{
    while (!para__pool_is_ready(pool)) {
        if (deadline_ns != UINT64_MAX && para__now_ns() >= deadline_ns)
            return false;
        para__futex_wait_until(&pool->ready, 0, deadline_ns);
    }
    return true;
}

bool para__pool_is_in_init(const para_pool *pool)
{
    return para__pool_is_worker(pool) && !this_worker->is_up;
}

void para__workers_stop(para_pool *pool)
{
    if (!pool->has_threads)
        return;
    tell_to_end(pool);
    pthread_join(pool->worker[0].thread, NULL);
    for (unsigned i = 1; i < pool->started; i++)
        pthread_join(pool->worker[i].thread, NULL);
}

void para__workers_wake(para_pool *pool, unsigned count)
{
    const unsigned self = para__pool_seat(pool);
    const unsigned workers = para__pool_workers(pool);
    for (unsigned i = 1; i < workers && count; i++) {
        para__worker *worker = &pool->worker[(self + i) % workers];
        if (para__event_seems_parked(&worker->event)) {
            para__worker_wake(worker);
            count--;
        }
    }
}
