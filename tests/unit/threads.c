/* Calls from many threads, from threads that end, and from kernels. */
#include "../common/check.h"

#include <pthread.h>

static _Atomic unsigned violations;
static const unsigned pool_sizes[] = {1, 2, 3, 8};
static const para_options threads = {.executor = PARA_EXECUTOR_THREADS};

static int mix_all(const para_chunk *chunk, const void *arg)
{
    uint64_t *out = chunk->out[0];
    for (size_t i = 0; i < chunk->count; i++)
        out[i] = check_mix(chunk->first + i + *(const uint64_t *)arg);
    return 0;
}

static int sum_all(const para_chunk *chunk, void *acc, const void *arg)
{
    const uint64_t *in = chunk->in[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        *(uint64_t *)acc += in[i];
    return 0;
}

PARA_COMBINE(add, uint64_t, s, t, s += t)

enum { N = 2000 };

/* A map and a reduction of it, checked; from any thread. */
static void map_and_sum(para_pool *pool, uint64_t salt)
{
    uint64_t out[N];
    uint64_t sum = 0;
    uint64_t expected = 0;
    for (size_t i = 0; i < N; i++)
        expected += check_mix(i + salt);
    violations += para_pmap(pool, &(para_map){.kernel = mix_all,
                                              .arg = &salt,
                                              .count = N,
                                              .out = {PARA_OUT(out)},
                                              .options = threads}) != PARA_OK;
    violations += para_preduce(pool, &(para_reduce){.kernel = sum_all,
                                                    .combine = add,
                                                    .count = N,
                                                    .in = {PARA_IN(out)},
                                                    .result = &sum,
                                                    .result_bytes = sizeof sum,
                                                    .options = threads}) != PARA_OK;
    violations += sum != expected;
}

typedef struct caller {
    para_pool *pool;
    uint64_t salt;
    int rounds;
    pthread_t thread;
} caller;

static void *call_often(void *arg)
{
    const caller *c = arg;
    for (int i = 0; i < c->rounds; i++)
        map_and_sum(c->pool, c->salt + (uint64_t)i);
    return NULL;
}

static void start(caller *c)
{
    assert_int_equal(pthread_create(&c->thread, NULL, call_often, c), 0);
}

TEST(many_threads_call_one_pool)
{
    for (size_t p = 0; p < COUNT_OF(pool_sizes); p++) {
        para_pool *pool = check_pool(pool_sizes[p]);
        caller callers[12]; /* more than there are lanes */
        for (size_t i = 0; i < COUNT_OF(callers); i++) {
            callers[i] = (caller){.pool = pool, .salt = i * 1000, .rounds = 60};
            start(&callers[i]);
        }
        for (size_t i = 0; i < COUNT_OF(callers); i++)
            pthread_join(callers[i].thread, NULL);
        para_pool_destroy(pool);
        assert_int_equal(violations, 0);
    }
}

TEST(many_threads_make_the_default_pool)
{
    caller callers[8];
    for (size_t i = 0; i < COUNT_OF(callers); i++) {
        callers[i] = (caller){.salt = i, .rounds = 20};
        start(&callers[i]);
    }
    for (size_t i = 0; i < COUNT_OF(callers); i++)
        pthread_join(callers[i].thread, NULL);
    assert_int_equal(violations, 0);
}

TEST(callers_come_and_go)
{
    para_pool *pool = check_pool(3);
    for (uint64_t i = 0; i < 100; i++) {
        caller c = {.pool = pool, .salt = i, .rounds = 2};
        start(&c);
        pthread_join(c.thread, NULL);
        map_and_sum(pool, i);
    }
    para_pool_destroy(pool);
    assert_int_equal(violations, 0);
}

static void *make_pool(void *place)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = 3;
    violations += para_pool_create(place, &config) != PARA_OK;
    map_and_sum(*(para_pool **)place, 5);
    return NULL;
}

TEST(a_pool_outlives_the_thread_that_made_it)
{
    for (int i = 0; i < 20; i++) {
        para_pool *pool = NULL;
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, make_pool, &pool), 0);
        pthread_join(thread, NULL);
        assert_non_null(pool);
        map_and_sum(pool, 6);
        para_pool_destroy(pool);
    }
    assert_int_equal(violations, 0);
}

static void *destroy_pool(void *pool)
{
    map_and_sum(pool, 7);
    para_pool_destroy(pool);
    return NULL;
}

TEST(another_thread_may_destroy)
{
    for (int i = 0; i < 20; i++) {
        para_pool *pool = check_pool(3);
        map_and_sum(pool, 8);
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, destroy_pool, pool), 0);
        pthread_join(thread, NULL);
    }
    assert_int_equal(violations, 0);
}

/* ---- Nesting ------------------------------------------------------------------------- */

typedef struct level {
    para_pool *const *pools; /* one for each depth */
    unsigned depth;
    uint64_t salt;
} level;

enum { FAN = 5 };

static int nest(const para_chunk *chunk, void *acc, const void *arg)
{
    const level *here = arg;
    for (size_t i = chunk->first; i < chunk->first + chunk->count; i++) {
        const uint64_t salt = here->salt * FAN + i;
        if (here->depth == 0) {
            map_and_sum(here->pools[0], salt);
            *(uint64_t *)acc += check_mix(salt);
            continue;
        }
        const level below = {.pools = here->pools, .depth = here->depth - 1, .salt = salt};
        uint64_t sum = 0;
        violations += para_preduce(here->pools[here->depth - 1],
                                   &(para_reduce){.kernel = nest,
                                                  .combine = add,
                                                  .arg = &below,
                                                  .count = FAN,
                                                  .result = &sum,
                                                  .result_bytes = sizeof sum,
                                                  .block = 1,
                                                  .options = threads}) != PARA_OK;
        *(uint64_t *)acc += sum;
    }
    return 0;
}

static void check_nested(para_pool *const pools[3])
{
    const level top = {.pools = pools, .depth = 2};
    uint64_t sum = 0;
    OK(para_preduce(pools[2], &(para_reduce){.kernel = nest,
                                             .combine = add,
                                             .arg = &top,
                                             .count = FAN,
                                             .result = &sum,
                                             .result_bytes = sizeof sum,
                                             .block = 1,
                                             .options = threads}));
    uint64_t expected = 0;
    for (unsigned i = 0; i < FAN * FAN * FAN; i++)
        expected += check_mix(i);
    assert_true(sum == expected);
    assert_int_equal(violations, 0);
}

TEST(kernels_call_the_same_pool_three_deep)
{
    for (size_t p = 0; p < COUNT_OF(pool_sizes); p++) {
        para_pool *pool = check_pool(pool_sizes[p]);
        para_pool *const pools[] = {pool, pool, pool};
        for (int i = 0; i < 5; i++)
            check_nested(pools);
        para_pool_destroy(pool);
    }
}

TEST(kernels_call_other_pools)
{
    para_pool *const pools[] = {check_pool(2), NULL, check_pool(3)};
    for (int i = 0; i < 5; i++)
        check_nested(pools);
    para_pool_destroy(pools[0]);
    para_pool_destroy(pools[2]);
}

static int make_a_pool(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = 2;
    para_pool *pool = NULL;
    if (para_pool_create(&pool, &config) != PARA_OK)
        return 1;
    map_and_sum(pool, chunk->first);
    para_pool_destroy(pool);
    return 0;
}

TEST(kernels_make_and_destroy_pools)
{
    para_pool *pool = check_pool(3);
    OK(para_pmap(pool, &(para_map){.kernel = make_a_pool,
                                   .count = 12,
                                   .options = {.executor = PARA_EXECUTOR_THREADS, .chunk = 1}}));
    para_pool_destroy(pool);
    assert_int_equal(violations, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_threads_make_the_default_pool),
        cmocka_unit_test(many_threads_call_one_pool),
        cmocka_unit_test(callers_come_and_go),
        cmocka_unit_test(a_pool_outlives_the_thread_that_made_it),
        cmocka_unit_test(another_thread_may_destroy),
        cmocka_unit_test(kernels_call_the_same_pool_three_deep),
        cmocka_unit_test(kernels_call_other_pools),
        cmocka_unit_test(kernels_make_and_destroy_pools),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
