/* Statistics: what they count, and that it adds up. */
#include "../common/check.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { N = 4000, CALLS = 30, TASKS = 200 };

static double x[N];
static _Atomic unsigned ran;

PARA_LOOP(shared_loop, i, double *, v)
{
    v[i] += 1;
}

PARA_LOOP(alone_loop, i, double *, v)
{
    v[i] -= 1;
}

static int count_task(void *arg)
{
    ran++;
    return arg != NULL;
}

static para_stats get(void)
{
    para_stats now = {.size = sizeof now};
    OK(para_stats_get(&now));
    return now;
}

static void call_loop(para_pool *pool, bool shared)
{
    const para_setup setup = {
        .pool = pool,
        .options = {.executor = shared ? PARA_EXECUTOR_THREADS : PARA_EXECUTOR_SERIAL,
                    .chunk = 100}};
    if (shared)
        OK(para_loop_with(&setup, shared_loop, N, x));
    else
        OK(para_loop_with(&setup, alone_loop, N, x));
}

static para_kernel_stats kernel_of(const char *name)
{
    para_kernel_stats k = {.size = sizeof k};
    const unsigned kernels = get().kernels;
    for (unsigned i = 0; i < kernels; i++) {
        OK(para_stats_get_kernel(i, &k));
        if (strcmp(k.name, name) == 0)
            return k;
    }
    fail_msg("no kernel %s of %u", name, kernels);
    return k;
}

static void submit_tasks(para_pool *pool)
{
    static para_task task[TASKS];
    para_cancel cancel = {0};
    para_cancel_request(&cancel);
    for (int i = 0; i < TASKS; i++) {
        task[i] = (para_task){.run = count_task, .cancel = i % 4 ? NULL : &cancel};
        OK(para_submit(pool, &task[i]));
    }
    for (int i = 0; i < TASKS; i++)
        assert_int_equal(para_task_wait(&task[i]), i % 4 ? PARA_OK : PARA_ERR_CANCELLED);
}

/* Sums over threads are those of all, while no thread has passed its track on. */
static void check_threads(const para_stats *all)
{
    uint64_t chunks = 0, busy_ns = 0, claims = 0;
    for (unsigned t = 0; t < all->threads; t++) {
        para_thread_stats s = {.size = sizeof s};
        OK(para_stats_get_thread(t, &s));
        chunks += s.chunks;
        busy_ns += s.busy_ns;
        claims += s.claims;
        assert_true(s.tid > 0 && s.name[0]);
    }
    assert_int_equal(chunks, all->chunks);
    assert_int_equal(claims, all->claims);
    assert_true(busy_ns <= all->busy_ns + all->threads);
}

TEST(what_is_done_is_counted)
{
    FAILS(PARA_ERR_ARGUMENT, para_stats_stop());
    OK(para_stats_start());
    FAILS(PARA_ERR_BUSY, para_stats_start());
    para_pool *const pool = check_pool(3);
    for (int i = 0; i < CALLS; i++) {
        call_loop(pool, true);
        call_loop(pool, false);
    }
    submit_tasks(pool);
    OK(para_pool_destroy(pool));
    const para_stats all = get();
    assert_int_equal(all.is_on, 1);
    assert_int_equal(all.calls, 2 * CALLS);
    assert_int_equal(all.chunks, 2 * CALLS * (N / 100));
    assert_true(all.claims >= CALLS && all.stolen <= all.claims);
    assert_int_equal(all.submitted, TASKS);
    assert_int_equal(all.begun, ran);
    assert_int_equal(all.dropped, TASKS / 4);
    assert_int_equal(all.begun + all.dropped, TASKS);
    assert_int_equal(all.waits.count, ran);
    assert_int_equal(all.runs.count, ran);
    assert_true(all.runs.p50_ns <= all.runs.p95_ns && all.runs.p95_ns <= all.runs.p99_ns);
    assert_true(all.busy_ns > 0 && all.homeless == 0);
    check_threads(&all);
}

TEST(each_kernel_has_its_own)
{
    const para_kernel_stats shared = kernel_of("shared_loop");
    const para_kernel_stats alone = kernel_of("alone_loop");
    assert_int_equal(shared.calls, CALLS);
    assert_int_equal(shared.shared, CALLS);
    assert_int_equal(alone.calls, CALLS);
    assert_int_equal(alone.shared, 0);
    assert_int_equal(alone.elements, CALLS * N);
    assert_true(shared.time_ns > 0);
    assert_non_null(strstr(shared.place, "stats.c:"));
}

TEST(nothing_is_counted_afterwards)
{
    para_pool *const pool = check_pool(2);
    OK(para_stats_stop());
    const para_stats before = get();
    call_loop(pool, true);
    call_loop(pool, false);
    const para_stats after = get();
    assert_int_equal(after.is_on, 0);
    assert_int_equal(after.calls, before.calls);
    assert_int_equal(after.chunks, before.chunks);
    assert_int_equal(kernel_of("shared_loop").calls, CALLS);
    OK(para_stats_start());
    call_loop(pool, false);
    assert_int_equal(get().calls, before.calls + 1);
    OK(para_pool_destroy(pool));
}

static void *call_once(void *pool)
{
    static double v[8];
    const para_setup setup = {.pool = pool, .options = {.executor = PARA_EXECUTOR_SERIAL}};
    return para_loop_with(&setup, alone_loop, 1, v) == PARA_OK ? NULL : pool;
}

TEST(threads_that_have_ended_are_in_the_sum)
{
    enum { THREADS = 1200 };
    para_pool *const pool = check_pool(1);
    const uint64_t before = get().calls;
    for (int i = 0; i < THREADS; i++) {
        pthread_t thread;
        void *failed = NULL;
        assert_int_equal(pthread_create(&thread, NULL, call_once, pool), 0);
        assert_int_equal(pthread_join(thread, &failed), 0);
        assert_null(failed);
    }
    const para_stats all = get();
    assert_int_equal(all.calls, before + THREADS);
    assert_true(all.threads < 20);
    OK(para_pool_destroy(pool));
}

TEST(what_is_no_struct_is_refused)
{
    para_stats s = {.size = 3};
    para_thread_stats t = {.size = sizeof t};
    para_kernel_stats k = {.size = sizeof k};
    FAILS(PARA_ERR_ARGUMENT, para_stats_get(NULL));
    FAILS(PARA_ERR_ARGUMENT, para_stats_get(&s));
    FAILS(PARA_ERR_ARGUMENT, para_stats_get_thread(5000, &t));
    FAILS(PARA_ERR_ARGUMENT, para_stats_get_thread(0, NULL));
    FAILS(PARA_ERR_ARGUMENT, para_stats_get_kernel(5000, &k));
    FAILS(PARA_ERR_ARGUMENT, para_stats_print(NULL));
    FAILS(PARA_ERR_ARGUMENT, para_stats_write_prometheus(NULL));
    FAILS(PARA_ERR_FILE, para_stats_write_prometheus("/nowhere/x.prom"));
    FAILS(PARA_ERR_FILE, para_stats_write_prometheus("/dev/null"));
}

TEST(people_can_read_it)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *const stream = open_memstream(&text, &bytes);
    assert_non_null(stream);
    OK(para_stats_print(stream));
    fclose(stream);
    assert_non_null(strstr(text, " calls, "));
    assert_non_null(strstr(text, "shared_loop (stats.c:"));
    assert_non_null(strstr(text, "tasks waited"));
    free(text);
    FILE *const full = fopen("/dev/full", "w");
    FAILS(PARA_ERR_FILE, para_stats_print(full));
    fclose(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_done_is_counted),
        cmocka_unit_test(each_kernel_has_its_own),
        cmocka_unit_test(nothing_is_counted_afterwards),
        cmocka_unit_test(threads_that_have_ended_are_in_the_sum),
        cmocka_unit_test(what_is_no_struct_is_refused),
        cmocka_unit_test(people_can_read_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
