/* Calls that are cancelled: before they begin, by a kernel, by another thread, too late. */
#include "../common/check.h"

#include <stdatomic.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

enum { N = 64000, CHUNK = 100 };
static const unsigned pool_sizes[] = {1, 2, 3, 8};

#include "../common/pools.h"

static para_cancel cancel;
static _Atomic size_t processed; /* elements */
static unsigned char done[N];

typedef struct plan {
    size_t cancel_at; /* elements processed when the call is cancelled; N: it is not */
    size_t fail_at;   /* the element whose chunk fails; N: none */
} plan;

static int process(const para_chunk *chunk, const void *arg)
{
    const plan *p = arg;
    memset(done + chunk->first, 1, chunk->count);
    if (atomic_fetch_add(&processed, chunk->count) + chunk->count > p->cancel_at)
        para_cancel_request(&cancel);
    return p->fail_at - chunk->first < chunk->count ? 7 : 0;
}

static int count_into(const para_chunk *chunk, void *acc, const void *arg)
{
    *(size_t *)acc += chunk->count;
    return process(chunk, arg);
}

PARA_COMBINE(add, size_t, a, b, a += b)

static void begin(void)
{
    memset(&cancel, 0, sizeof cancel);
    memset(done, 0, sizeof done);
    processed = 0;
}

static para_status map(para_pool *pool, const plan *p, size_t chunk, para_executor executor,
                       para_report *report)
{
    return para_pmap(
        pool, &(para_map){.kernel = process,
                          .arg = p,
                          .count = N,
                          .options = {.chunk = chunk, .executor = executor, .cancel = &cancel},
                          .report = report});
}

static para_status reduce(para_pool *pool, const plan *p, para_executor executor, size_t *result)
{
    return para_preduce(pool, &(para_reduce){.kernel = count_into,
                                             .combine = add,
                                             .arg = p,
                                             .count = N,
                                             .result = result,
                                             .result_bytes = sizeof *result,
                                             .options = {.executor = executor, .cancel = &cancel}});
}

static const para_executor executors[] = {PARA_EXECUTOR_AUTO, PARA_EXECUTOR_THREADS,
                                          PARA_EXECUTOR_SERIAL};

TEST(a_call_with_a_token_that_nobody_uses_is_like_any_other)
{
    for (size_t s = 0; s < COUNT_OF(pool_sizes); s++)
        for (size_t e = 0; e < COUNT_OF(executors); e++) {
            size_t result = 5;
            begin();
            OK(map(pools[s], &(plan){N, N}, 0, executors[e], NULL));
            assert_int_equal(processed, N);
            begin();
            OK(reduce(pools[s], &(plan){N, N}, executors[e], &result));
            assert_int_equal(result, N + 5);
        }
}

TEST(a_call_that_is_cancelled_beforehand_runs_nothing)
{
    for (size_t s = 0; s < COUNT_OF(pool_sizes); s++)
        for (size_t e = 0; e < COUNT_OF(executors); e++) {
            size_t result = 5;
            para_report report;
            begin();
            para_cancel_request(&cancel);
            FAILS(PARA_ERR_CANCELLED, map(pools[s], &(plan){N, N}, 0, executors[e], &report));
            assert_int_equal(report.chunks, 0);
            assert_int_equal(report.workers, 0);
            assert_int_equal(report.kernel_error, 0);
            FAILS(PARA_ERR_CANCELLED, reduce(pools[s], &(plan){N, N}, executors[e], &result));
            assert_int_equal(result, 5);
            assert_int_equal(processed, 0);
        }
}

TEST(a_kernel_cancels_its_own_call)
{
    for (size_t s = 0; s < COUNT_OF(pool_sizes); s++)
        for (size_t e = 0; e < COUNT_OF(executors); e++) {
            size_t result = 5;
            begin();
            FAILS(PARA_ERR_CANCELLED, map(pools[s], &(plan){N / 3, N}, CHUNK, executors[e], NULL));
            assert_in_range(processed, CHUNK, N - CHUNK);
            begin();
            FAILS(PARA_ERR_CANCELLED, reduce(pools[s], &(plan){N / 3, N}, executors[e], &result));
            assert_int_equal(result, 5);
        }
    begin();
    FAILS(PARA_ERR_CANCELLED, map(pools[0], &(plan){N / 2, N}, CHUNK, PARA_EXECUTOR_SERIAL, NULL));
    assert_int_equal(processed, N / 2 + CHUNK); /* nothing after the chunk that asked */
    assert_true(done[N / 2 + CHUNK - 1] && !done[N / 2 + CHUNK]);
}

TEST(a_request_that_comes_too_late_changes_nothing)
{
    begin();
    OK(map(pools[0], &(plan){N - 1, N}, CHUNK, PARA_EXECUTOR_SERIAL, NULL));
    assert_int_equal(processed, N);
}

TEST(a_failing_chunk_is_told_of_rather_than_the_request)
{
    para_report report;
    begin();
    FAILS(PARA_ERR_KERNEL,
          map(pools[0], &(plan){N / 2, N / 2}, CHUNK, PARA_EXECUTOR_SERIAL, &report));
    assert_int_equal(report.kernel_error, 7);
    assert_int_equal(report.failed_first, N / 2);
}

TEST(a_map_looks_at_the_token_many_times)
{
    para_report report;
    begin();
    OK(map(pools[0], &(plan){N, N}, 0, PARA_EXECUTOR_SERIAL, &report));
    assert_in_range(report.chunks, 32, N);
}

static _Atomic bool runs;

static int take_a_millisecond(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    runs = true;
    for (size_t i = 0; i < chunk->count; i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    return 0;
}

static void *request(void *unused)
{
    (void)unused;
    while (!runs)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    para_cancel_request(&cancel);
    return NULL;
}

/* Without the request this would take a quarter of an hour. */
TEST(another_thread_cancels_a_long_call)
{
    for (size_t s = 0; s < COUNT_OF(pool_sizes); s++) {
        pthread_t thread;
        begin();
        runs = false;
        assert_int_equal(pthread_create(&thread, NULL, request, NULL), 0);
        FAILS(PARA_ERR_CANCELLED,
              para_pmap(pools[s], &(para_map){.kernel = take_a_millisecond,
                                              .count = 8000000,
                                              .options = {.chunk = 1, .cancel = &cancel}}));
        pthread_join(thread, NULL);
    }
}

static int count_calls(const para_chunk *chunk, const void *arg)
{
    (void)chunk;
    atomic_fetch_add((_Atomic unsigned *)(uintptr_t)arg, 1);
    return 0;
}

/* A call that is over before anybody could cancel it is one chunk, or a few; one that is
 * serial because it is to be has 64 or so. */
TEST(small_calls_with_a_token_are_not_cut_up)
{
    para_pool *pool = check_pool(2);
    para_cancel token = {0};
    unsigned cut_up = 0;
    for (int round = 0; round < 1000; round++) {
        _Atomic unsigned calls = 0;
        OK(para_pmap(pool, &(para_map){.kernel = count_calls,
                                       .arg = &calls,
                                       .count = 400,
                                       .options = {.cancel = &token}}));
        cut_up += calls > 8; /* unknown at first, and looked at in batches now and then */
        calls = 0;
        OK(para_pmap(pool,
                     &(para_map){.kernel = count_calls,
                                 .arg = &calls,
                                 .count = 400,
                                 .options = {.cancel = &token, .executor = PARA_EXECUTOR_SERIAL}}));
        assert_in_range(calls, 50, 64);
    }
    assert_true(cut_up < 500);
    para_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_with_a_token_that_nobody_uses_is_like_any_other),
        cmocka_unit_test(a_call_that_is_cancelled_beforehand_runs_nothing),
        cmocka_unit_test(a_kernel_cancels_its_own_call),
        cmocka_unit_test(a_request_that_comes_too_late_changes_nothing),
        cmocka_unit_test(a_failing_chunk_is_told_of_rather_than_the_request),
        cmocka_unit_test(a_map_looks_at_the_token_many_times),
        cmocka_unit_test(another_thread_cancels_a_long_call),
        cmocka_unit_test(small_calls_with_a_token_are_not_cut_up),
    };
    return cmocka_run_group_tests(tests, make_pools, destroy_pools);
}
