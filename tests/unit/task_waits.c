/* Waits for one task, for all of several and for any: a thread that waits helps, and it gives up at
 * its deadline. */
#include "../common/tasks.h"

#include <pthread.h>
#include <string.h>

/* ---- Waiting helps -------------------------------------------------------------------- */

/* Workers that wait for a task from outside which nobody has begun run it themselves. */
static para_task awaited_by_all;

static int wait_for_it(void *arg)
{
    (void)arg;
    while (!is_open)
        sched_yield();
    return para_task_wait(&awaited_by_all) ? 1 : 0;
}

TEST(workers_that_all_wait_for_a_queued_task_run_it)
{
    enum { WORKERS = 3 };
    pool = check_pool(WORKERS);
    for (unsigned round = 0; round < 50; round++) {
        _Atomic unsigned count = 0;
        para_task waiting[WORKERS + 1];
        is_open = false;
        for (unsigned i = 0; i <= WORKERS; i++) {
            waiting[i] = (para_task){.run = wait_for_it};
            OK(para_submit(pool, &waiting[i]));
        }
        awaited_by_all = (para_task){.run = count_up, .arg = (void *)&count};
        OK(para_submit(pool, &awaited_by_all));
        is_open = true;
        for (unsigned i = 0; i <= WORKERS; i++)
            OK(para_task_wait(&waiting[i]));
        OK(para_task_wait(&awaited_by_all));
        assert_int_equal(count, 1);
    }
    para_pool_destroy(pool);
}

/* As before, for a task that another task has submitted, and that lies in a deque behind others. */
typedef struct buried {
    para_task task[8], waiter[2];
    _Atomic unsigned ready, count;
} buried;

static int bury(void *arg)
{
    buried *b = arg;
    for (unsigned i = 0; i < COUNT_OF(b->task); i++) {
        b->task[i] = (para_task){.run = count_up, .arg = (void *)&b->count};
        fault_unless(para_submit(pool, &b->task[i]) == PARA_OK);
    }
    b->ready++;
    while (b->count == 0) /* this thread runs none of them */
        sched_yield();
    return 0;
}

static int dig_up(void *arg)
{
    buried *b = arg;
    while (b->ready == 0)
        sched_yield();
    return para_task_wait(&b->task[5]) ? 1 : 0;
}

TEST(a_task_in_the_middle_of_a_deque_is_found)
{
    pool = check_pool(2);
    for (unsigned round = 0; round < 50; round++) {
        buried b = {.ready = 0};
        para_task burying = {.run = bury, .arg = &b};
        para_task digging = {.run = dig_up, .arg = &b};
        OK(para_submit(pool, &burying));
        OK(para_submit(pool, &digging));
        OK(para_task_wait(&digging));
        OK(para_task_wait(&burying));
        for (unsigned i = 0; i < COUNT_OF(b.task); i++)
            OK(para_task_wait(&b.task[i]));
        assert_int_equal(b.count, COUNT_OF(b.task));
    }
    para_pool_destroy(pool);
}

/* A task waits for one of another pool, whose thread waits for a task of the first. */
static para_pool *other;
static para_task theirs, ours;

static int run_ours(void *arg)
{
    return count_up(arg);
}

static int wait_for_ours(void *arg)
{
    (void)arg;
    return para_task_wait(&ours) ? 1 : 0;
}

static int wait_for_theirs(void *arg)
{
    ours = (para_task){.run = run_ours, .arg = arg};
    theirs = (para_task){.run = wait_for_ours};
    fault_unless(para_submit(pool, &ours) == PARA_OK);
    fault_unless(para_submit(other, &theirs) == PARA_OK);
    fault_unless(para_task_wait(&theirs) == PARA_OK);
    return para_task_wait(&ours) ? 1 : 0;
}

TEST(tasks_of_two_pools_wait_for_each_others)
{
    pool = check_pool(2);
    other = check_pool(2);
    for (unsigned round = 0; round < 200; round++) {
        _Atomic unsigned count = 0;
        para_task task = {.run = wait_for_theirs, .arg = (void *)&count};
        OK(para_submit(pool, &task));
        OK(para_task_wait(&task));
        assert_int_equal(count, 1);
    }
    para_pool_destroy(other);
    para_pool_destroy(pool);
    assert_int_equal(faults, 0);
}

static _Atomic unsigned done_first;

static void wait_in_done(para_task *task)
{
    (void)task;
    fault_unless(para_task_wait(&awaited_by_all) == PARA_OK);
    fault_unless(para_task_wait(task) == PARA_ERR_DEADLOCK);
    done_first = 1;
}

static void check_waits_in_done(void)
{
    _Atomic unsigned count = 0;
    done_first = 0;
    awaited_by_all = (para_task){.run = count_up, .arg = (void *)&count};
    para_task task = {.run = count_up, .arg = (void *)&count, .done = wait_in_done};
    OK(para_submit(pool, &awaited_by_all));
    OK(para_submit(pool, &task));
    OK(para_task_wait(&task));
    assert_int_equal(done_first, 1);
    OK(para_task_wait(&awaited_by_all));
    assert_int_equal(count, 2);
}

TEST(done_may_wait_and_is_called_before_a_wait_returns)
{
    static const unsigned workers[] = {2, 3};
    for (size_t i = 0; i < COUNT_OF(workers); i++) {
        pool = check_pool(workers[i]);
        for (unsigned round = 0; round < 50; round++)
            check_waits_in_done();
        para_pool_destroy(pool);
    }
    assert_int_equal(faults, 0);
}

/* ---- One, all, any -------------------------------------------------------------------- */

TEST(a_wait_gives_up)
{
    pool = check_pool(2);
    para_task task[4];
    para_task *all[4];
    size_t which = 99;
    para_task_group group = {0};
    is_open = false;
    for (unsigned i = 0; i < 4; i++) {
        task[i] = (para_task){.run = hold, .group = &group};
        all[i] = &task[i];
        OK(para_submit(pool, all[i]));
    }
    FAILS(PARA_ERR_TIMEOUT, para_task_wait_until(&task[0], 0));
    FAILS(PARA_ERR_TIMEOUT, para_wait_all(all, 4, 0));
    FAILS(PARA_ERR_TIMEOUT, para_wait_any(all, 4, 0, &which));
    FAILS(PARA_ERR_TIMEOUT, para_task_group_wait_until(&group, 0));
    assert_int_equal(which, 99);
    is_open = true;
    OK(para_task_group_wait(&group));
    OK(para_wait_all(all, 4, 0));
    OK(para_wait_any(all, 4, 0, &which));
    assert_int_equal(which, 0);
    para_pool_destroy(pool);
}

static void check_any(void)
{
    enum { N = 100 };
    static int results[N];
    static para_task task[N];
    para_task *left[N];
    size_t n = N;
    for (unsigned i = 0; i < N; i++) {
        results[i] = i % 10 == 3;
        task[i] = (para_task){.run = return_it, .arg = &results[i]};
        left[i] = &task[i];
        OK(para_submit(pool, &task[i]));
    }
    unsigned failed = 0;
    while (n) {
        size_t which = n;
        const para_status status = para_wait_any(left, n, PARA_DEADLINE_NEVER, &which);
        assert_true(which < n);
        assert_int_equal(status, left[which]->result ? PARA_ERR_TASK : PARA_OK);
        failed += status != PARA_OK;
        left[which] = left[--n];
    }
    assert_int_equal(failed, N / 10);
    for (unsigned i = 0; i < N; i++)
        left[i] = &task[i];
    FAILS(PARA_ERR_TASK, para_wait_all(left, N, PARA_DEADLINE_NEVER));
    OK(para_wait_all(NULL, 0, 0));
}

TEST(any_and_all)
{
    each_pool(check_any);
}

TEST(any_is_over_with_the_first_that_ends)
{
    pool = check_pool(3);
    _Atomic unsigned count = 0;
    para_task task[2];
    para_task *both[2] = {&task[0], &task[1]};
    size_t which = 9;
    begin_holding(task, 1);
    task[1] = (para_task){.run = count_up, .arg = (void *)&count};
    OK(para_submit(pool, &task[1]));
    OK(para_wait_any(both, 2, PARA_DEADLINE_NEVER, &which));
    assert_int_equal(which, 1);
    assert_int_equal(count, 1);
    is_open = true;
    OK(para_wait_all(both, 2, PARA_DEADLINE_NEVER));
    para_pool_destroy(pool);
}

/* While a thread runs the first of two tasks that it waits for, main ends the other one: that is
 * over, but still waited for. The pool's threads are held, so that nobody else runs the first. */
static para_task first_of_two, second_of_two;

static void *wait_for_either(void *arg)
{
    para_task *const both[] = {&first_of_two, &second_of_two};
    size_t which = 9;
    (void)arg;
    fault_unless(para_wait_any(both, 2, PARA_DEADLINE_NEVER, &which) == PARA_OK);
    fault_unless(which == 0);
    return NULL;
}

TEST(a_task_is_not_submitted_again_while_a_thread_still_waits)
{
    enum { WORKERS = 2 };
    para_task held[WORKERS];
    _Atomic unsigned count = 0;
    pthread_t thread;
    pool = check_pool(WORKERS);
    begin_holding(held, WORKERS);
    first_of_two = (para_task){.run = hold};
    second_of_two = (para_task){.run = count_up, .arg = (void *)&count};
    OK(para_submit(pool, &first_of_two));
    OK(para_submit(pool, &second_of_two));
    assert_int_equal(pthread_create(&thread, NULL, wait_for_either, NULL), 0);
    while (begun == WORKERS)
        sched_yield();
    OK(para_task_wait(&second_of_two)); /* main runs it itself */
    FAILS(PARA_ERR_BUSY, para_submit(pool, &second_of_two));
    assert_non_null(strstr(para_status_detail(), "waits"));
    OK(para_task_wait(&second_of_two)); /* its outcome stays */
    assert_int_equal(count, 1);
    is_open = true;
    assert_int_equal(pthread_join(thread, NULL), 0);
    OK(para_submit(pool, &second_of_two));
    OK(para_task_wait(&second_of_two));
    assert_int_equal(count, 2);
    OK(para_wait_all((para_task *[]){&held[0], &held[1]}, WORKERS, PARA_DEADLINE_NEVER));
    para_pool_destroy(pool);
    assert_int_equal(faults, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workers_that_all_wait_for_a_queued_task_run_it),
        cmocka_unit_test(a_task_in_the_middle_of_a_deque_is_found),
        cmocka_unit_test(tasks_of_two_pools_wait_for_each_others),
        cmocka_unit_test(done_may_wait_and_is_called_before_a_wait_returns),
        cmocka_unit_test(a_wait_gives_up),
        cmocka_unit_test(any_and_all),
        cmocka_unit_test(any_is_over_with_the_first_that_ends),
        cmocka_unit_test(a_task_is_not_submitted_again_while_a_thread_still_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
