/* Pools whose submitters take turns: PARA_TASKS_BY_TURNS. */
#include "../common/order.h"

#include <pthread.h>

enum { MOST = 3 * PARA_TASK_HEAD_START };
static para_task task[MOST];
static unsigned count;

static void begin(para_task *holder)
{
    count = 0;
    hold_pool_in_order(holder, PARA_TASKS_BY_TURNS);
}

/* Submits n tasks, which note that number times 1000, and on. */
static void submit(unsigned n, uint32_t submitter, unsigned priority, unsigned note)
{
    for (unsigned i = 0; i < n; i++) {
        task[count] = (para_task){.run = note_order,
                                  .arg = (void *)(uintptr_t)(note * 1000 + i),
                                  .priority = priority,
                                  .submitter = submitter};
        OK(para_submit(pool, &task[count++]));
    }
}

static void end(para_task *holder)
{
    run_in_order(holder, count);
    for (unsigned i = 0; i < count; i++)
        OK(para_task_wait(&task[i]));
    para_pool_destroy(pool);
}

static void expect(const unsigned expected[], unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(order[i], expected[i]);
}

TEST(submitters_take_turns)
{
    static const unsigned expected[] = {1000, 2000, 3000, 1001, 2001, 1002, 2002, 1003, 1004, 1005};
    para_task holder;
    begin(&holder);
    submit(6, 1, 0, 1);
    submit(3, 2, 0, 2);
    submit(1, 63, 0, 3);
    end(&holder);
    expect(expected, COUNT_OF(expected));
}

TEST(a_late_submitter_does_not_wait_for_the_backlog_of_another)
{
    para_task holder;
    begin(&holder);
    submit(900, 1, 0, 1);
    submit(1, 2, 0, 2);
    end(&holder);
    assert_int_equal(order[1], 2000);
}

TEST(numbers_share_turns_beyond_64)
{
    static const unsigned expected[] = {1000, 3000, 1001, 3001, 2000, 2001};
    para_task holder;
    begin(&holder);
    submit(2, 5, 0, 1);
    submit(2, 5 + 64, 0, 2);
    submit(2, 6, 0, 3);
    end(&holder);
    expect(expected, COUNT_OF(expected));
}

static void *submit_from_thread(void *arg)
{
    for (unsigned i = 0; i < 4; i++) {
        task[count] = (para_task){.run = note_order, .arg = (void *)((uintptr_t)arg * 1000 + i)};
        fault_unless(para_submit(pool, &task[count++]) == PARA_OK);
    }
    return NULL;
}

TEST(a_thread_is_a_submitter)
{
    para_task holder;
    begin(&holder);
    for (uintptr_t i = 0; i < 3; i++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, submit_from_thread, (void *)i), 0);
        pthread_join(thread, NULL);
    }
    end(&holder);
    for (unsigned i = 0; i < 12; i++)
        assert_int_equal(order[i], i % 3 * 1000 + i / 3);
    assert_int_equal(faults, 0);
}

TEST(turns_are_taken_within_a_priority)
{
    static const unsigned expected[] = {3000, 4000, 3001, 4001, 1000, 2000, 1001, 2001};
    para_task holder;
    begin(&holder);
    submit(2, 1, 0, 1);
    submit(2, 2, 0, 2);
    submit(2, 1, 2, 3);
    submit(2, 2, 2, 4);
    end(&holder);
    expect(expected, COUNT_OF(expected));
}

/* However many more urgent tasks arrive, of however many submitters, and however long its own line
 * is beside others of its priority. */
TEST(priorities_age_as_well)
{
    para_task holder;
    begin(&holder);
    submit(1, 1, 0, 1);
    submit(1, 2, 0, 2);
    for (unsigned i = 0; i < PARA_TASK_HEAD_START + 500; i++)
        submit(1, 1 + i % 10, 1, 3);
    end(&holder);
    unsigned place = 0;
    while (order[place] != 1000)
        place++;
    assert_in_range(place, PARA_TASK_HEAD_START - 1, PARA_TASK_HEAD_START + 1);
    while (order[place] != 2000)
        place++;
    assert_in_range(place, PARA_TASK_HEAD_START - 1, PARA_TASK_HEAD_START + 2);
}

/* What waiters take out of the middle of lines leaves the others in order. */
TEST(tasks_are_taken_out_of_lines)
{
    static const unsigned expected[] = {2001, 3000, 1000, 2000, 1002, 1003};
    para_task holder;
    para_task_group group = {0};
    begin(&holder);
    submit(4, 1, 0, 1);
    submit(2, 2, 0, 2);
    task[count] = (para_task){
        .run = note_order, .arg = (void *)3000, .submitter = 3, .priority = 1, .group = &group};
    OK(para_submit(pool, &task[count++]));
    OK(para_task_wait(&task[5])); /* 2001 */
    OK(para_task_group_wait(&group));
    OK(para_task_wait(&task[0]));
    OK(para_task_wait(&task[4])); /* the last of its line */
    task[1].id = 1;
    OK(para_task_wait(&task[2]));
    OK(para_task_wait(&task[3]));
    OK(para_task_wait(&task[1]));
    end(&holder);
    expect(expected, COUNT_OF(expected));
    assert_int_equal(order[6], 1001);
}

/* Lines fill and become empty again and again, and nothing is lost. */
static void *submit_in_bursts(void *arg)
{
    enum { BURST = 7 };
    uint64_t random = (uintptr_t)arg;
    for (unsigned round = 0; round < 300; round++) {
        para_task burst[BURST];
        const unsigned n = 1 + (unsigned)check_below(&random, BURST);
        for (unsigned i = 0; i < n; i++) {
            burst[i] = (para_task){.run = count_up,
                                   .arg = (void *)&begun,
                                   .priority = (unsigned)check_below(&random, 4),
                                   .submitter = (uint32_t)check_below(&random, 200)};
            fault_unless(para_submit(pool, &burst[i]) == PARA_OK);
            ran++;
        }
        for (unsigned i = 0; i < n; i++)
            fault_unless(para_task_wait(&burst[i]) == PARA_OK);
    }
    return NULL;
}

TEST(nothing_is_lost)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    pthread_t thread[4];
    config.workers = 3;
    config.task_capacity = 10;
    config.task_order = PARA_TASKS_BY_TURNS;
    OK(para_pool_create(&pool, &config));
    ran = begun = 0;
    for (uintptr_t i = 0; i < COUNT_OF(thread); i++)
        assert_int_equal(pthread_create(&thread[i], NULL, submit_in_bursts, (void *)i), 0);
    for (unsigned i = 0; i < COUNT_OF(thread); i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(begun, ran);
    assert_int_equal(faults, 0);
    para_pool_destroy(pool);
}

TEST(orders_that_there_are_not)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    para_pool *none = NULL;
    config.task_order = (para_task_order)2;
    FAILS(PARA_ERR_ARGUMENT, para_pool_create(&none, &config));
    assert_null(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(submitters_take_turns),
        cmocka_unit_test(a_late_submitter_does_not_wait_for_the_backlog_of_another),
        cmocka_unit_test(numbers_share_turns_beyond_64),
        cmocka_unit_test(a_thread_is_a_submitter),
        cmocka_unit_test(turns_are_taken_within_a_priority),
        cmocka_unit_test(priorities_age_as_well),
        cmocka_unit_test(tasks_are_taken_out_of_lines),
        cmocka_unit_test(nothing_is_lost),
        cmocka_unit_test(orders_that_there_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
