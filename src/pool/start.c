/* Starting:
 *
 *   creator    has the places ready, creates worker 0's thread, goes on at once
 *   worker 0   creates the other threads, then starts like them
 *   each       binds itself, runs worker_init; is up: counts itself out of `starting` [E4]
 *   the last   sees how all of them fared [E4], measures costs, sets `ready` [E4]
 *
 * No step waits for another, so no order of events blocks. A thread that waits for the pool waits
 * only for `ready`. Worker 0 also counts out the workers whose threads it could not create. A
 * thread that ends the pool meanwhile joins worker 0 first: after that all threads are known.
 *
 * Worker 0 creates threads before it binds itself, since they inherit its affinity mask: without
 * binding they keep that of the creator. They inherit its signal mask too, which follows from the
 * creator's. Rejected: a tree of threads that create each other; one that fails leaves gaps. */
#include "pool/start.h"

#include "base/clock.h"
#include "base/cpus.h"
#include "base/fpenv.h"
#include "base/futex.h"
#include "base/log.h"
#include "base/process.h"
#include "base/status.h"
#include "base/thread.h"
#include "base/trace.h"
#include "pool/binding.h"
#include "pool/calibrate.h"
#include "pool/self.h"
#include "pool/size.h"
#include "pool/telling.h"
#include "pool/worker.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A swap, not a store: the thread that ends the pool and the one that makes it ready may both do
 * this, and a thread that sees the later swap sees what was done before either. */
static void tell_to_end(para_pool *pool)
{
    para__swap_seq_cst(E5, &pool->stopping, true);
    for (unsigned i = 0; i < pool->requested; i++)
        para__event_wake(&pool->lanes.helper[i].event);
    para__pool_tell_left_out(pool);
}

/* Once in a process: calls on the default pool have no status that would tell. */
static void tell_lack(const para_pool *pool)
{
    static para__atomic_bool is_told;
    if (para__swap_relaxed(&is_told, true)) /* no order: it guards nothing */
        return;
    para__tell(PARA_LOG_THREAD, "PARA_NUM_WORKERS=%u: there are only %u, since %s", pool->requested,
               pool->up,
               pool->fit < pool->requested
                   ? "the address space has no room for more stacks (ulimit -v, PARA_STACKSIZE)"
                   : "the system refuses more threads (ulimit -u, pids.max)");
}

/* All threads are up, `started` of them. A pool needs two, since a caller takes the place of one. A
 * pool whose worker_init has failed counts as one without threads. */
static void make_ready(para_pool *pool)
{
    for (unsigned i = 0; i < pool->started && !pool->start_status; i++)
        if (pool->worker[i].init_error) {
            pool->start_status = PARA_ERR_WORKER_INIT;
            pool->failed_worker = i;
        }
    const bool is_alone = pool->started < 2 || pool->start_status;
    pool->up = is_alone ? 1 : pool->started;
    para__store_relaxed(&pool->workers, pool->up); /* see types.h */
    if (is_alone && pool->has_threads)
        tell_to_end(pool);
    if (pool->tells_lack && pool->up < pool->requested)
        tell_lack(pool);
    para__costs_measure(pool);
    if (pool->adapts && !is_alone)
        para__pool_begin_adapting(pool);
    para__store_release(E4, &pool->ready, 1);
    para__futex_wake(&pool->ready, INT_MAX);
    para__watches_tell(pool);
}

/* Counts out that many workers, which are up or will never be. */
static void count_out(para_pool *pool, uint32_t count)
{
    if (para__add_release(E4, &pool->starting, -count) != count)
        return;
    (void)para__load_acquire(E4, &pool->starting); /* what the others wrote before they were up */
    make_ready(pool);
}

static void tell_no_thread(unsigned worker, int error)
{
    para__log(PARA_LOG_THREAD, worker, "worker %u: %s", worker, strerror(error));
}

static void start_others(para_pool *pool)
{
    unsigned started = pool->started ? pool->started : 1;
    int error = 0;
    while (started < pool->fit && !para__load_relaxed(&pool->stopping) && /* missed, it is seen */
           (error = para__worker_start(&pool->worker[started])) == 0)     /* by each thread */
        started++;
    pool->started = started;
    if (error)
        tell_no_thread(started, error);
}

static void name_thread(const para__worker *self)
{
    char name[16];
    snprintf(name, sizeof name, PARA__WORKER_NAME "%u", self->index);
    para__thread_name(name);
}

/* Binds the worker, and brings to its node what its creator has touched of its stack: up to a huge
 * page. */
static para_status settle_worker(const para__worker *self)
{
    const para__machine *const machine = self->pool->machine;
    const para_status status = para__worker_bind(self);
    void *stack = NULL;
    size_t bytes = 0;
    if (!status && machine->info.numa_nodes > 1 && para__thread_stack(&stack, &bytes))
        (void)para__place_memory(machine, stack, bytes, machine->cpu[self->cpu_index].numa_node,
                                 true);
    return status;
}

/* Makes the calling thread that worker; what its worker_init returns stands in init_error. */
static void enter_worker(para__worker *self)
{
    para_pool *const pool = self->pool;
    name_thread(self);
    para__store_relaxed(&self->tid, gettid()); /* see types.h */
    /* Carriers are not bound: that is for their processes. */
    para_status bound = PARA_OK;
    if (!pool->shop && pool->binding != PARA_BIND_NONE)
        bound = settle_worker(self);
    else if (!pool->shop && pool->unbinds)
        bound = para__unbind_thread(pool->machine);
    para__store_relaxed(&self->bind_status, bound); /* see types.h */
    para__worker_is_new(self);
    if (bound)
        para__log(PARA_LOG_UNBOUND, self->index, "worker %u: %s", self->index,
                  para_status_text(bound));
    para__worker_enter(self);
    (void)para__fp_swap(PARA__FP_DEFAULT); /* not that of the thread that made the pool */
    self->is_up = false;                   /* in a child's restart it is the parent's */
    self->init_error = pool->worker_init ? pool->worker_init(self->index, pool->worker_arg) : 0;
    self->is_up = true;
    para__trace_instant(.kind = PARA__EVENT_UP);
}

static void *run_again(void *arg);

/* A task has ended the worker's thread: another takes its place, unless the pool ends. Then, or if
 * there is none, the thread is joined like others. */
static void succeed_worker(void *arg)
{
    para__worker *const self = arg;
    para_pool *const pool = self->pool;
    const pthread_t own = self->thread;
    int error = 0;
    if (para__pool_is_forked(pool))
        return;
    if (pool->worker_exit)
        pool->worker_exit(self->index, pool->worker_arg);
    para__latch_lock(&pool->life);
    if (!para__load_relaxed(&pool->stopping)) { /* set before who ends the pool takes the latch */
        error = para__thread_start(&self->thread, &pool->stack, run_again, self);
        if (error == 0)
            pthread_detach(own);
        else
            self->thread = own;
    }
    para__latch_unlock(&pool->life);
    if (error)
        tell_no_thread(self->index, error);
    para__process_thread_ends();
}

/* Until the pool ends. */
static void live_as_worker(para__worker *self)
{
    pthread_cleanup_push(succeed_worker, self);
    para__worker_live(self);
    pthread_cleanup_pop(0);
    para_pool *const pool = self->pool;
    if (para__pool_is_forked(pool))
        _exit(EXIT_FAILURE); /* the child has no other thread that could end it */
    (void)para__load_acquire(E5, &pool->stopping); /* what was done before, for worker_exit */
    para__trace_instant(.kind = PARA__EVENT_DOWN);
    if (pool->worker_exit)
        pool->worker_exit(self->index, pool->worker_arg);
}

static void *run_again(void *arg)
{
    para__worker *const self = arg;
    enter_worker(self);
    if (self->init_error == 0)
        live_as_worker(self);
    para__process_thread_ends();
    return NULL;
}

static void *run(void *arg)
{
    para__worker *self = arg;
    para_pool *pool = self->pool;
    if (self->index == 0)
        start_others(pool);
    enter_worker(self);
    para__add_relaxed(&pool->lanes.sleeping, -1u); /* a count on its own */
    count_out(pool, self->index ? 1 : 1 + pool->requested - pool->started);
    if (self->init_error == 0)
        live_as_worker(self);
    para__process_thread_ends();
    return NULL;
}

int para__worker_start(para__worker *worker)
{
    return para__thread_start(&worker->thread, &worker->pool->stack, run, worker);
}

void para__workers_start(para_pool *pool)
{
    const unsigned places = pool->requested;
    pool->started = 0;
    pool->start_status = PARA_OK;
    para__store_relaxed(&pool->workers, places);  /* all: published with the pool, or by */
    para__store_relaxed(&pool->starting, places); /* pthread_create */
    para__store_relaxed(&pool->lanes.sleeping, places);
    pool->fit = places > 1 ? para__threads_that_fit(&pool->stack, places) : 0;
    pool->has_threads = pool->fit > 1;
    if (pool->fit < places && places > 1)
        para__log(PARA_LOG_THREAD, pool->fit, "address space for %u of %u stacks", pool->fit,
                  places);
    const int error = pool->has_threads ? para__worker_start(&pool->worker[0]) : 0;
    if (error) {
        pool->has_threads = false;
        tell_no_thread(0, error);
    }
    if (!pool->has_threads)
        make_ready(pool);
}

void para__carriers_start(para_pool *pool)
{
    unsigned started = 0;
    pthread_mutex_lock(&pool->sizing);
    if (!pool->has_threads && para__load_relaxed(&pool->intake) < PARA__INTAKE_ENDED) { /* below */
        while (started < pool->requested &&
               para__thread_start(&pool->worker[started].thread, &pool->stack, run_again,
                                  &pool->worker[started]) == 0)
            started++;
        pool->started = started;
        pool->has_threads = started > 0;
    }
    pthread_mutex_unlock(&pool->sizing);
}

/* The pool has ended. Who starts them had the mutex before, or sees under it that this is so. */
void para__carriers_close(para_pool *pool)
{
    pthread_mutex_lock(&pool->sizing);
    pthread_mutex_unlock(&pool->sizing);
}

bool para__workers_await(para_pool *pool, uint64_t deadline_ns)
{
    while (!para__pool_is_ready(pool)) {
        if (para__has_passed(deadline_ns))
            return false;
        para__futex_wait_until(&pool->ready, 0, deadline_ns);
    }
    return true;
}

para_status para__workers_status(const para_pool *pool)
{
    if (!pool->start_status)
        return PARA_OK;
    return para__fail(pool->start_status, "worker_init returned %d for worker %u",
                      pool->worker[pool->failed_worker].init_error, pool->failed_worker);
}

/* After `stopping`: a thread whose task ends it has a successor by now, or gets none. */
static void join_worker(para_pool *pool, unsigned worker)
{
    para__latch_lock(&pool->life);
    const pthread_t thread = pool->worker[worker].thread;
    para__latch_unlock(&pool->life);
    pthread_join(thread, NULL);
}

void para__workers_stop(para_pool *pool)
{
    if (!pool->has_threads)
        return;
    tell_to_end(pool);
    join_worker(pool, 0);
    for (unsigned i = 1; i < pool->started; i++)
        join_worker(pool, i);
}
