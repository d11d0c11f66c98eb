/* What may run beside each other on one pool, all at once, from its creation on: calls, questions,
 * waits until it is ready, calibration, trimming, forks; and other pools that come and go
 * meanwhile. Each pair that docs/memory-model.md allows. */
#include "../common/child.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 400, WORKERS = 3, EACH = 2, ROUNDS = 12, FORKS = 2 };

static _Atomic bool enough;
static _Atomic unsigned violations;

static int mix(const para_chunk *chunk, const void *arg)
{
    const uint64_t *in = chunk->in[0];
    uint64_t *out = chunk->out[0];
    memset(chunk->scratch, 1, 1 << 16);
    for (size_t i = 0; i < chunk->count; i++)
        out[i] = check_mix(in[i] + *(const uint64_t *)arg);
    return 0;
}

static int sum_of(const para_chunk *chunk, void *acc, const void *arg)
{
    const uint64_t *in = chunk->in[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        *(uint64_t *)acc += in[i];
    return 0;
}

PARA_COMBINE(add, uint64_t, s, t, s += t)

/* A map and a reduction; whether both are right. */
static bool calls_are_right(para_pool *pool, uint64_t salt, para_cancel *cancel)
{
    static const uint64_t in[N] = {7};
    uint64_t out[N] = {0};
    uint64_t sum = 0;
    const para_options options = {.executor = salt % 2 ? PARA_EXECUTOR_THREADS : PARA_EXECUTOR_AUTO,
                                  .cancel = cancel};
    const para_status mapped = para_pmap(pool, &(para_map){.kernel = mix,
                                                           .arg = &salt,
                                                           .count = N,
                                                           .scratch_bytes = 1 << 16,
                                                           .in = {PARA_IN(in)},
                                                           .out = {PARA_OUT(out)},
                                                           .options = options});
    if (mapped == PARA_ERR_CANCELLED && cancel)
        return true;
    const para_status reduced = para_preduce(pool, &(para_reduce){.kernel = sum_of,
                                                                  .combine = add,
                                                                  .count = N,
                                                                  .in = {PARA_IN(out)},
                                                                  .result = &sum,
                                                                  .result_bytes = sizeof sum});
    const uint64_t expected = check_mix(7 + salt) + (N - 1) * check_mix(salt);
    return mapped == PARA_OK && reduced == PARA_OK && sum == expected;
}

static void *keep_calling(void *pool)
{
    for (uint64_t salt = 0; !enough; salt++)
        violations += !calls_are_right(pool, salt, NULL);
    return NULL;
}

/* ---- Beside them ----------------------------------------------------------------------- */

static void *request(void *token)
{
    para_cancel_request(token);
    return NULL;
}

/* Calls that another thread cancels. */
static void *keep_cancelling(void *pool)
{
    for (uint64_t salt = 0; !enough; salt++) {
        para_cancel token = {0};
        pthread_t canceller;
        if (pthread_create(&canceller, NULL, request, &token) != 0)
            break;
        violations += !calls_are_right(pool, salt, &token);
        pthread_join(canceller, NULL);
    }
    return NULL;
}

static void *keep_asking(void *pool)
{
    while (!enough) {
        const para_status soon = para_pool_wait_ready_until(pool, 0);
        violations += soon != PARA_OK && soon != PARA_ERR_TIMEOUT;
        violations += para_pool_wait_ready(pool) != PARA_OK;
        para_pool_info info = {.size = sizeof info};
        violations += para_pool_get_info(pool, &info) != PARA_OK || info.requested != WORKERS;
        para_worker_info worker = {.size = sizeof worker};
        violations += para_pool_get_worker(pool, 0, &worker) != PARA_OK;
        para_buffer *buffer = NULL;
        violations += para_buffer_create(&buffer, pool, N, sizeof(uint64_t), NULL) != PARA_OK;
        para_buffer_destroy(buffer);
    }
    return NULL;
}

static void *keep_calibrating(void *pool)
{
    FILE *nowhere = fopen("/dev/null", "we");
    violations += !nowhere;
    while (nowhere && !enough) {
        para_calibration_info info = {.size = sizeof info};
        violations += para_calibration_get(pool, &info) != PARA_OK;
        violations += para_calibration_print(pool, nowhere) != PARA_OK;
        violations += para_calibration_reset(pool) != PARA_OK;
    }
    if (nowhere)
        fclose(nowhere);
    return NULL;
}

static void *keep_trimming(void *pool)
{
    while (!enough)
        para_pool_trim(pool);
    return NULL;
}

static void *keep_making(void *unused)
{
    for (uint64_t salt = 0; !enough; salt++) {
        para_pool_config config = PARA_POOL_CONFIG_INIT;
        config.workers = 2;
        para_pool *pool = NULL;
        if (para_pool_create(&pool, &config) == PARA_OK)
            violations += !calls_are_right(pool, salt, NULL);
        para_pool_destroy(pool);
        violations += !para_default_pool();
    }
    return unused;
}

/* In a child, with a pool on which the parent's threads were in the middle of all this. */
static int use_in_child(para_pool *pool)
{
    EXPECT(calls_are_right(pool, 1, NULL));
    para_pool_trim(pool);
    EXPECT(para_calibration_reset(pool) == PARA_OK);
    EXPECT(para_pool_restart(pool) == PARA_OK);
    EXPECT(calls_are_right(pool, 2, NULL) && calls_are_right(pool, 3, NULL));
    para_pool_destroy(pool);
    return 0;
}

static int fork_and_use(para_pool *pool)
{
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        alarm(CHILD_SECONDS);
        _exit(use_in_child(pool));
    }
    return status_of_child(child);
}

static int run_round(void)
{
    static void *(*const bodies[])(void *) = {keep_calling,  keep_asking,     keep_calibrating,
                                              keep_trimming, keep_cancelling, keep_making};
    pthread_t thread[EACH * COUNT_OF(bodies)];
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = WORKERS;
    config.start = PARA_START_BACKGROUND;
    para_pool *pool = NULL;
    OK(para_pool_create(&pool, &config));
    enough = false;
    for (size_t i = 0; i < COUNT_OF(thread); i++)
        assert_int_equal(pthread_create(&thread[i], NULL, bodies[i / EACH], pool), 0);
    int wrong = 0;
    for (int i = 0; i < FORKS && FORKS_AMID_THREADS && !wrong; i++)
        wrong = fork_and_use(pool);
    for (uint64_t salt = 0; salt < 20; salt++)
        violations += !calls_are_right(pool, salt, NULL);
    enough = true;
    for (size_t i = 0; i < COUNT_OF(thread); i++)
        pthread_join(thread[i], NULL);
    para_pool_destroy(pool);
    return wrong;
}

TEST(all_that_may_run_beside_calls)
{
    for (int round = 0; round < ROUNDS; round++)
        assert_int_equal(run_round(), 0);
    assert_int_equal(violations, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_that_may_run_beside_calls)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
