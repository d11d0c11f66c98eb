/* A pool that adapts its size to its load. The rule itself is in size.c; here it is at work. What
 * takes time is waited for: the test's limit is the only one. */
#include "../common/check.h"

#include <string.h>
#include <unistd.h>

enum { WORKERS = 4, TASKS = 64 };

static para_pool *adapting(unsigned least, unsigned most)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    para_pool *pool = NULL;
    config.workers = WORKERS;
    config.least_workers = least;
    config.most_workers = most;
    config.start = PARA_START_WAIT;
    OK(para_pool_create(&pool, &config));
    return pool;
}

static void refused(para_pool_config config)
{
    para_pool *pool = NULL;
    FAILS(PARA_ERR_ARGUMENT, para_pool_create(&pool, &config));
    assert_null(pool);
}

static unsigned width_of_one(void *self)
{
    (void)self;
    return 1;
}

static void run_here(void *self, unsigned helpers, void (*help)(void *call), void *call)
{
    (void)self;
    (void)helpers;
    help(call);
}

TEST(bounds_are_checked)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = WORKERS;
    config.most_workers = WORKERS + 1;
    refused(config);
    config.most_workers = 2;
    config.least_workers = 3;
    refused(config);
    config.most_workers = 0;
    config.least_workers = WORKERS + 1;
    refused(config);
    const para_lender lender = {.size = sizeof lender, .width = width_of_one, .run = run_here};
    config.least_workers = 1;
    config.executor = &lender;
    refused(config);
    para_pool *const pool = adapting(2, 3);
    FAILS(PARA_ERR_ARGUMENT, para_pool_resize(pool, 1));
    FAILS(PARA_ERR_ARGUMENT, para_pool_resize(pool, 4));
    OK(para_pool_resize(pool, 3));
    para_pool_destroy(pool);
    config = (para_pool_config)PARA_POOL_CONFIG_INIT;
    config.executor = &lender;
    para_pool *lent = NULL;
    OK(para_pool_create(&lent, &config));
    FAILS(PARA_ERR_UNSUPPORTED, para_pool_resize(lent, 1));
    para_pool_destroy(lent);
}

static _Atomic unsigned done;

static int nap(void *arg)
{
    (void)arg;
    usleep(2000);
    atomic_fetch_add(&done, 1);
    return 0;
}

static para_task tasks[TASKS];

/* Keeps the pool busy with tasks until it has that size. */
static void load_until(para_pool *pool, unsigned size)
{
    unsigned rounds = 0;
    while (check_pool_workers(pool) != size || rounds++ == 0) {
        done = 0;
        memset(tasks, 0, sizeof tasks);
        for (int i = 0; i < TASKS; i++) {
            tasks[i] = (para_task){.run = nap};
            OK(para_submit(pool, &tasks[i]));
        }
        while (atomic_load(&done) < TASKS)
            usleep(500);
        for (int i = 0; i < TASKS; i++)
            OK(para_task_wait(&tasks[i]));
    }
}

TEST(it_grows_and_shrinks)
{
    para_pool *const pool = adapting(1, 0);
    assert_int_equal(check_pool_workers(pool), 1);
    load_until(pool, WORKERS);
    while (check_pool_workers(pool) > 1) /* nobody submits anything: sleepers look */
        usleep(1000);
    load_until(pool, WORKERS);
    para_pool_destroy(pool);
}

TEST(it_stays_within_bounds)
{
    para_pool *const pool = adapting(2, 3);
    assert_int_equal(check_pool_workers(pool), 2);
    load_until(pool, 3);
    while (check_pool_workers(pool) > 2)
        usleep(1000);
    para_pool_destroy(pool);
}

static int spin(const para_chunk *chunk, const void *arg)
{
    volatile unsigned long n = 0;
    (void)arg;
    for (size_t i = 0; i < 20000 * chunk->count; i++)
        n++;
    return 0;
}

/* Calls make it grow while they keep helpers busy, and are all right at each size. */
TEST(calls_make_it_grow)
{
    para_pool *const pool = adapting(2, WORKERS);
    while (check_pool_workers(pool) < WORKERS)
        OK(para_pmap(
            pool,
            &(para_map){.kernel = spin, .count = 1000, .options.executor = PARA_EXECUTOR_THREADS}));
    para_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_are_checked),
        cmocka_unit_test(it_grows_and_shrinks),
        cmocka_unit_test(it_stays_within_bounds),
        cmocka_unit_test(calls_make_it_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
