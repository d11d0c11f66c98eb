/* Tasks that do not return: they end their thread, or leave by a jump. The first have failed, and
 * cost the pool nothing; of the second the pool's other tasks notice nothing. */
#include "../common/tasks.h"

#include <pthread.h>
#include <string.h>

enum { MANY = 12 };

static const uint64_t LONG_NS = 60000000000u;

static _Atomic unsigned ran, told, begun_workers, ended_workers;

static int end_thread(void *arg)
{
    (void)arg;
    pthread_exit(NULL);
}

static void note_end(para_task *over)
{
    fault_unless(over->result == PARA_TASK_LEFT && over->status == PARA_ERR_TASK);
    told++;
}

static int note_begin_of_worker(unsigned worker, void *arg)
{
    (void)worker;
    (void)arg;
    begun_workers++;
    return 0;
}

static void note_end_of_worker(unsigned worker, void *arg)
{
    (void)worker;
    (void)arg;
    ended_workers++;
}

static void make_pool(unsigned workers)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = workers;
    config.worker_init = note_begin_of_worker;
    config.worker_exit = note_end_of_worker;
    ran = told = begun_workers = ended_workers = 0;
    OK(para_pool_create(&pool, &config));
}

/* Somebody who does not run tasks himself. */
static para_status outcome(para_task *task)
{
    while (!para_task_is_over(task))
        usleep(100);
    return para_task_wait_until(task, para_deadline_after(LONG_NS));
}

/* More of them than the pool has threads. */
TEST(a_task_that_ends_a_worker_has_failed)
{
    para_task task[MANY], after = {.run = count_up, .arg = &ran};
    para_task_group group = {0};
    make_pool(2);
    for (unsigned i = 0; i < MANY; i++) {
        task[i] = (para_task){.run = end_thread, .group = &group, .done = note_end};
        OK(para_submit(pool, &task[i]));
    }
    for (unsigned i = 0; i < MANY; i++) {
        FAILS(PARA_ERR_TASK, outcome(&task[i]));
        assert_int_equal(task[i].result, PARA_TASK_LEFT);
        assert_non_null(strstr(para_status_detail(), "left"));
    }
    FAILS(PARA_ERR_TASK, para_task_group_wait(&group));
    assert_int_equal(told, MANY);
    OK(para_submit(pool, &after));
    OK(outcome(&after));
    assert_int_equal(ran, 1);
    OK(para_pool_destroy(pool));
    assert_in_range(begun_workers, 1 + MANY, 2 + MANY); /* the pool may end before the last one */
    assert_int_equal(ended_workers, begun_workers);
    assert_int_equal(faults, 0);
}

/* And nobody waits for them. */
TEST(detached_tasks_that_end_their_threads)
{
    static para_task task[MANY];
    para_task_group group = {0};
    make_pool(2);
    for (unsigned i = 0; i < MANY; i++) {
        task[i] = (para_task){.run = end_thread, .is_detached = true, .group = &group};
        OK(para_submit(pool, &task[i]));
    }
    OK(para_pool_shutdown(pool, PARA_SHUTDOWN_DRAIN, para_deadline_after(LONG_NS), NULL));
    FAILS(PARA_ERR_TASK, para_task_group_wait_until(&group, 0));
    OK(para_pool_destroy(pool));
}

/* A pool that ends at the same time. */
TEST(workers_that_end_with_their_pool)
{
    for (unsigned round = 0; round < 30; round++) {
        para_task task[MANY];
        make_pool(3);
        for (unsigned i = 0; i < MANY; i++) {
            task[i] = (para_task){.run = end_thread};
            OK(para_submit(pool, &task[i]));
        }
        usleep(20 * round);
        OK(para_pool_destroy(pool));
        for (unsigned i = 0; i < MANY; i++) {
            const para_status status = para_task_wait_until(&task[i], 0);
            assert_true(status == PARA_ERR_TASK || status == PARA_ERR_ENDING);
        }
        assert_int_equal(ended_workers, begun_workers);
    }
}

/* The thread that waits runs the task, and another, which waits too, sees its end. */
static void *wait_and_end(void *task)
{
    DROP(para_task_wait(task));
    fault_unless(false); /* it does not come back */
    return NULL;
}

TEST(a_task_may_end_a_thread_that_waits)
{
    pthread_t waiter;
    para_task held[2], other = {.run = count_up, .arg = &ran};
    pool = check_pool(2);
    ran = 0;
    for (unsigned round = 0; round < 12; round++) { /* more than there are seats for guests */
        para_task task = {.run = end_thread};
        begin_holding(held, COUNT_OF(held));
        OK(para_submit(pool, &task));
        assert_int_equal(pthread_create(&waiter, NULL, wait_and_end, &task), 0);
        assert_int_equal(pthread_join(waiter, NULL), 0);
        FAILS(PARA_ERR_TASK, para_task_wait_until(&task, 0));
        OK(para_submit(pool, &other)); /* whoever waits runs it */
        OK(para_task_wait(&other));
        is_open = true;
        OK(para_task_wait(&held[0]));
        OK(para_task_wait(&held[1]));
        OK(para_submit(pool, &held[0])); /* nobody waits for it any more */
        OK(para_task_wait(&held[0]));
    }
    assert_int_equal(ran, 12);
    OK(para_pool_destroy(pool));
    assert_int_equal(faults, 0);
}

/* ---- Jumps ------------------------------------------------------------------------------ */

static sigjmp_buf home;

static int jump_home(void *arg)
{
    (void)arg;
    siglongjmp(home, 1);
}

static void wait_and_jump(para_task *task)
{
    if (sigsetjmp(home, 0) == 0)
        DROP(para_task_wait(task));
}

TEST(a_task_that_jumps_away_runs_for_ever)
{
    para_task held[2], other = {.run = count_up, .arg = &ran};
    static para_task task;
    pool = check_pool(2);
    ran = 0;
    begin_holding(held, COUNT_OF(held));
    task = (para_task){.run = jump_home};
    OK(para_submit(pool, &task));
    wait_and_jump(&task);
    FAILS(PARA_ERR_TIMEOUT, para_task_wait_until(&task, para_deadline_after(1000000)));
    OK(para_submit(pool, &other));
    OK(para_task_wait(&other));
    is_open = true;
    OK(para_task_wait(&held[0]));
    OK(para_task_wait(&held[1]));
    FAILS(PARA_ERR_TIMEOUT, para_pool_shutdown(pool, PARA_SHUTDOWN_DROP, 0, NULL));
    OK(para_pool_destroy(pool));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task_that_ends_a_worker_has_failed),
        cmocka_unit_test(detached_tasks_that_end_their_threads),
        cmocka_unit_test(workers_that_end_with_their_pool),
        cmocka_unit_test(a_task_may_end_a_thread_that_waits),
        cmocka_unit_test(a_task_that_jumps_away_runs_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
