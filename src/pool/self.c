#include "pool/self.h"

#include "base/bounds.h"
#include "base/status.h"
#include "base/thread.h"

/* Which worker of which pool the calling thread is, if any. */
static PARA__THREAD_LOCAL const para__worker *this_worker;

bool para__pool_is_worker(const para_pool *pool)
{
    return this_worker && this_worker->pool == pool;
}

bool para__pool_is_in_init(const para_pool *pool)
{
    return para__pool_is_worker(pool) && !this_worker->is_up;
}

void para__worker_enter(const para__worker *self)
{
    this_worker = self;
}

/* The place of a thread that is not a worker of the pool. */
static inline unsigned outside_place(const para_pool *pool)
{
    const int cpu = para__current_cpu();
    const unsigned place =
        cpu >= 0 && (unsigned)cpu < pool->cpu_limit ? pool->worker_of_cpu[cpu] : 0;
    return place < para__pool_workers(pool) ? place : 0; /* its thread may not have been created */
}

unsigned para__pool_place(const para_pool *pool)
{
    return para__pool_is_worker(pool) ? this_worker->index : outside_place(pool);
}

void para__pool_position(const para_pool *pool, unsigned width, para__position *at)
{
    at->is_helper = para__pool_is_worker(pool);
    at->self = at->is_helper ? this_worker->index : outside_place(pool);
    const unsigned usual = para__pool_usual(pool);
    const unsigned seats = width <= usual && at->self < usual ? usual : para__pool_workers(pool);
    /* There may be fewer workers now than when the call was planned: places remain. */
    const unsigned places = para__max(para__max(seats, width), at->self + 1);
    const unsigned last = places - width; /* mostly 0: then nothing is divided */
    at->first = last ? para__min(at->self / para__max(width, 1) * width, last) : 0;
}

unsigned para__pool_awake(const para_pool *pool)
{
    /* One of the threads is the caller, or a caller has taken its place, and then it is most likely
     * parked. */
    const unsigned sleeping =
        para__load_relaxed(&pool->lanes.sleeping); /* a guess: orders nothing */
    const unsigned workers = para__pool_workers(pool);
    const unsigned others = workers - para__pool_is_worker(pool);
    const unsigned awake = others > sleeping ? others - sleeping : 0;
    return awake < workers ? awake : workers - 1;
}

/* The i-th place of a round that begins at `self`: those of the usual workers come first. */
static unsigned place_in_round(const para_pool *pool, unsigned self, unsigned i)
{
    const unsigned usual = para__pool_usual(pool);
    return i < usual ? (self + i) % usual : i;
}

void para__workers_wake(para_pool *pool, unsigned count)
{
    const unsigned self = para__pool_place(pool);
    const unsigned workers = para__pool_workers(pool);
    for (unsigned i = 0; i < workers && count; i++) {
        const unsigned place = place_in_round(pool, self, i);
        para__helper *helper = &pool->lanes.helper[place];
        if (place != self && para__event_seems_parked(&helper->event)) {
            para__helper_wake(helper);
            count--;
        }
    }
}

para__helper *para__pool_sleeper(para_pool *pool, bool displaced_too)
{
    const bool is_worker =
        para__pool_is_worker(pool); /* which may be about to park, or be left out */
    const unsigned self = para__pool_place(pool);
    const unsigned workers = para__pool_usual(pool);
    para__helper *displaced = NULL;
    for (unsigned i = 1; i <= workers; i++) {
        const unsigned place = (self + i) % workers;
        para__helper *helper = &pool->lanes.helper[place];
        if ((is_worker && place == self) || !para__event_is_parked(&helper->event) ||
            para__load_relaxed(&helper->naps)) /* see lane.h */
            continue;
        const uint32_t times = para__load_relaxed(&helper->displaced); /* a hint: see lane.h */
        if (times == 0)
            return helper;
        if (times < PARA__RESTS)
            displaced = helper;
    }
    return displaced_too ? displaced : NULL;
}

para_status para__pool_fail_forked(void)
{
    return para__fail(PARA_ERR_FORKED, "the pool's threads are in the parent process");
}
