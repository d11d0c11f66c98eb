/* Executors: calls ask the pool's table for help, so other threads than the pool's own can give
 * it. */
#include "../common/check.h"

#include "pool/types.h"
#include "share/caller.h"
#include "share/visit.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

enum { WORKERS = 3, CALLS = 50 };

static _Atomic unsigned begun, by_lent_threads, runs;
static _Atomic bool is_over;
static _Thread_local bool is_lent;

/* Three that wait for each other. */
static int rendezvous(const para_chunk *chunk, const void *arg)
{
    (void)chunk;
    (void)arg;
    by_lent_threads += is_lent;
    begun++;
    while (begun < WORKERS)
        sched_yield();
    return 0;
}

typedef struct lent_thread {
    para_pool *pool;
    unsigned worker; /* in whose name it helps */
} lent_thread;

static void *help(void *arg)
{
    const lent_thread *self = arg;
    para__lanes *lanes = &self->pool->lanes;
    para__atomic_u32 *acting = &lanes->helper[self->worker].acting;
    is_lent = true;
    while (!is_over) {
        if (para__swap_acquire(E8, acting, 1) == 0) {
            for (unsigned i = 0; i < PARA__LANES; i++)
                (void)para__lane_visit(lanes, i, self->worker, 0);
            para__store_release(E8, acting, 0);
        }
        sched_yield();
    }
    return NULL;
}

/* Threads come for the call, as a program's own might, and go after it. */
static void run_on_lent(para_pool *pool, para__lane *lane, const para__job *job,
                        const para__plan *plan, para__outcome *outcome)
{
    lent_thread helpers[WORKERS - 1];
    pthread_t threads[WORKERS - 1];
    runs++;
    is_over = false;
    for (unsigned i = 0; i < WORKERS - 1; i++) {
        helpers[i] = (lent_thread){.pool = pool, .worker = i + 1};
        if (pthread_create(&threads[i], NULL, help, &helpers[i]) != 0)
            abort();
    }
    para__lane_run(lane, &(para__position){.self = 0}, job, plan, outcome);
    is_over = true;
    for (unsigned i = 0; i < WORKERS - 1; i++)
        pthread_join(threads[i], NULL);
}

static unsigned lent_width = WORKERS;
static para__costs lent_costs;

static unsigned lent(const para_pool *pool)
{
    (void)pool;
    return lent_width;
}

static para__costs costs_of_lent(const para_pool *pool)
{
    (void)pool;
    return lent_costs;
}

static bool wait_for_none(para_pool *pool, uint64_t deadline_ns)
{
    (void)pool;
    (void)deadline_ns;
    return true;
}

static unsigned all_awake(const para_pool *pool)
{
    return para__pool_workers(pool) - 1;
}

static void wake_none(para_pool *pool, unsigned count)
{
    (void)pool;
    (void)count;
}

static const para__executor lending = {.width = lent,
                                       .awake = all_awake,
                                       .costs = costs_of_lent,
                                       .wait = wait_for_none,
                                       .wake = wake_none,
                                       .run = run_on_lent};

TEST(threads_that_a_program_lends_help)
{
    para_pool *pool = check_pool(WORKERS);
    const para__executor *own = pool->executor;
    for (unsigned w = 0; w < WORKERS; w++) /* the pool's own keep away */
        para__add_relaxed(&pool->lanes.helper[w].displaced, 1);
    pool->executor = &lending;
    for (int i = 0; i < CALLS; i++) {
        begun = 0;
        para_report report;
        OK(para_pmap(pool, &(para_map){.kernel = rendezvous,
                                       .count = WORKERS,
                                       .report = &report,
                                       .options = {.executor = PARA_EXECUTOR_THREADS}}));
        assert_int_equal(begun, WORKERS);
        assert_int_equal(report.workers, WORKERS);
    }
    assert_int_equal(runs, CALLS);
    assert_int_equal(by_lent_threads, CALLS * (WORKERS - 1));
    pool->executor = own;
    for (unsigned w = 0; w < WORKERS; w++)
        para__add_relaxed(&pool->lanes.helper[w].displaced, -1u);
    para_pool_destroy(pool);
}

static int rest(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    const struct timespec pause = {.tv_nsec = 100000};
    for (size_t i = 0; i < chunk->count; i++)
        nanosleep(&pause, NULL);
    return 0;
}

static para_report call_of_ten_ms(para_pool *pool)
{
    para_report report;
    OK(para_pmap(pool, &(para_map){.kernel = rest, .count = 100, .report = &report}));
    return report;
}

/* How wide a call is, and whether sharing pays, is the executor's to say and not the pool's. */
TEST(an_executor_says_how_wide_calls_are_and_what_they_cost)
{
    para_pool *pool = check_pool(WORKERS);
    const para__executor *own = pool->executor;
    pool->executor = &lending;
    lent_width = 1;
    assert_int_equal(call_of_ten_ms(pool).why, PARA_WHY_ONE_WORKER);
    lent_width = WORKERS;
    lent_costs = (para__costs){.round_trip_ns = 1e9, .share_ns = 1e9};
    assert_int_equal(call_of_ten_ms(pool).width, 1);
    lent_costs = (para__costs){.round_trip_ns = 100};
    lent_width = 2;
    assert_int_equal(call_of_ten_ms(pool).width, 2);
    pool->executor = own;
    lent_width = WORKERS;
    lent_costs = (para__costs){0};
    para_pool_destroy(pool);
}

static int nothing(const para_chunk *chunk, const void *arg)
{
    (void)chunk;
    (void)arg;
    return 0;
}

TEST(nobody_helps_a_pool_of_one)
{
    para_pool *pool = check_pool(1);
    assert_ptr_equal(pool->executor, &para__nobody);
    assert_int_equal(pool->executor->awake(pool), 0);
    pool->executor->wake(pool, 1);
    assert_int_equal(pool->executor->width(pool), 1);
    assert_true(pool->executor->wait(pool, 0));
    assert_true(para__costs_now(pool).round_trip_ns > 0);
    para_report report;
    OK(para_pmap(pool, &(para_map){.kernel = nothing,
                                   .count = 100,
                                   .report = &report,
                                   .options = {.executor = PARA_EXECUTOR_THREADS}}));
    assert_int_equal(report.why, PARA_WHY_ONE_WORKER);
    para_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_that_a_program_lends_help),
        cmocka_unit_test(an_executor_says_how_wide_calls_are_and_what_they_cost),
        cmocka_unit_test(nobody_helps_a_pool_of_one)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
