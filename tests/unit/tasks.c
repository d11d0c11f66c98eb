/* Tasks: submitted from outside, from many threads and from kernels; their results; shared calls
 * within them and beside them. On pools of one worker and of more. */
#include "../common/tasks.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* ---- One after the other, and many ---------------------------------------------------- */

static void check_one(void)
{
    _Atomic unsigned count = 0;
    para_task task = {.run = count_up, .arg = &count};
    for (unsigned i = 1; i <= 100; i++) { /* the same memory again and again */
        OK(para_submit(pool, &task));
        OK(para_task_wait(&task));
        OK(para_task_wait(&task));
        assert_true(para_task_is_over(&task));
        assert_int_equal(count, i);
    }
    int value = -7;
    para_task failing = {.run = return_it, .arg = &value};
    OK(para_submit(pool, &failing));
    FAILS(PARA_ERR_TASK, para_task_wait(&failing));
    assert_int_equal(failing.result, -7);
    assert_int_equal(failing.status, PARA_ERR_TASK);
    assert_non_null(strstr(para_status_detail(), "-7"));
}

TEST(a_task_runs_and_its_result_is_seen)
{
    each_pool(check_one);
}

enum { MANY = 5000, SUBMITTERS = 4 };

static void *submit_many(void *arg)
{
    para_task *tasks = calloc(MANY, sizeof *tasks);
    for (unsigned i = 0; i < MANY; i++) {
        tasks[i] = (para_task){.run = count_up, .arg = arg, .priority = i % 4};
        fault_unless(para_submit(pool, &tasks[i]) == PARA_OK);
    }
    for (unsigned i = 0; i < MANY; i++)
        fault_unless(para_task_wait(&tasks[i]) == PARA_OK);
    free(tasks);
    return NULL;
}

static void check_many(void)
{
    pthread_t thread[SUBMITTERS];
    _Atomic unsigned count = 0;
    for (unsigned i = 0; i < SUBMITTERS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, submit_many, (void *)&count), 0);
    for (unsigned i = 0; i < SUBMITTERS; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(count, SUBMITTERS * MANY);
}

TEST(many_threads_submit)
{
    each_pool(check_many);
}

TEST(the_default_pool_runs_tasks)
{
    pool = NULL;
    check_many();
}

/* ---- Tasks and shared calls ----------------------------------------------------------- */

/* Within a kernel: submitted, and waited for. */
static int submit_in_kernel(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++) {
        _Atomic unsigned count = 0;
        para_task task = {.run = count_up, .arg = (void *)&count};
        fault_unless(para_submit(pool, &task) == PARA_OK);
        fault_unless(para_task_wait(&task) == PARA_OK);
        fault_unless(count == 1);
    }
    return 0;
}

static void check_kernels(void)
{
    OK(para_pmap(pool, &(para_map){.kernel = submit_in_kernel,
                                   .count = 500,
                                   .options = {.executor = PARA_EXECUTOR_THREADS, .chunk = 1}}));
}

TEST(kernels_submit_and_wait)
{
    each_pool(check_kernels);
}

enum { ITEMS = 3000 };

static int double_it(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    const double *in = chunk->in[0];
    double *out = chunk->out[0];
    for (size_t i = 0; i < chunk->count; i++)
        out[i] = 2 * in[i];
    return 0;
}

static int call_map(void *arg)
{
    double in[ITEMS], out[ITEMS];
    (void)arg;
    for (unsigned i = 0; i < ITEMS; i++)
        in[i] = i;
    const para_map map = {.kernel = double_it,
                          .count = ITEMS,
                          .in = {PARA_IN(in)},
                          .out = {PARA_OUT(out)},
                          .options = {.executor = PARA_EXECUTOR_THREADS}};
    fault_unless(para_pmap(pool, &map) == PARA_OK);
    for (unsigned i = 0; i < ITEMS; i++)
        fault_unless(out[i] == 2 * i);
    return 0;
}

static void check_calls_beside(void)
{
    enum { N = 60 };
    para_task task[N];
    para_task *all[N];
    for (unsigned i = 0; i < N; i++) {
        task[i] = (para_task){.run = call_map};
        all[i] = &task[i];
        OK(para_submit(pool, all[i]));
    }
    for (unsigned i = 0; i < 20; i++)
        (void)call_map(NULL);
    OK(para_wait_all(all, N, PARA_DEADLINE_NEVER));
}

TEST(calls_within_tasks_and_beside_them)
{
    each_pool(check_calls_beside);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task_runs_and_its_result_is_seen),
        cmocka_unit_test(many_threads_submit),
        cmocka_unit_test(the_default_pool_runs_tasks),
        cmocka_unit_test(kernels_submit_and_wait),
        cmocka_unit_test(calls_within_tasks_and_beside_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
