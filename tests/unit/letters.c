/* Dead letters: each task that is not done reaches the pool's callback once, before anybody else
 * knows. And retries, whose last failure does. */
#include "../common/tasks.h"

#include <para/letter.h>
#include <pthread.h>

enum { WORKERS = 2, N = 24 };

static _Atomic unsigned ran, got, by_state[PARA_TASK_DROPPED + 1];
static _Atomic uint64_t ids;
static para_letter last; /* under its lock: several threads write letters at once */
static pthread_mutex_t last_lock = PTHREAD_MUTEX_INITIALIZER;

static void note(const para_letter *letter, void *arg)
{
    fault_unless(arg == &ran);
    fault_unless(!letter->task || letter->task->status == letter->status);
    ids += letter->id;
    by_state[letter->state]++;
    pthread_mutex_lock(&last_lock);
    last = *letter;
    pthread_mutex_unlock(&last_lock);
    got++;
}

/* Before anybody else knows. */
static void note_first(const para_letter *letter, void *arg)
{
    fault_unless(!letter->task || !para_task_is_over(letter->task));
    note(letter, arg);
}

static void make_pool(unsigned workers, void (*dead_letter)(const para_letter *, void *))
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = workers;
    config.dead_letter = dead_letter;
    config.dead_letter_arg = &ran;
    OK(para_pool_create(&pool, &config));
    ran = got = 0;
    ids = 0;
    for (unsigned i = 0; i <= PARA_TASK_DROPPED; i++)
        by_state[i] = 0;
}

static int refuse(void *arg)
{
    (void)arg;
    return 7;
}

static void told_after(para_task *task)
{
    fault_unless(got > 0);
    fault_unless(task->status != PARA_OK);
}

TEST(what_fails_is_cancelled_or_late_is_a_letter)
{
    para_cancel cancel = {0};
    para_task held[WORKERS], task[N];
    make_pool(WORKERS, note_first);
    begin_holding(held, WORKERS);
    for (unsigned i = 0; i < N; i++) {
        task[i] = (para_task){.run = i % 4 ? count_up : refuse, .arg = &ran, .id = i};
        task[i].cancel = i % 4 == 1 ? &cancel : NULL;
        task[i].deadline_ns = i % 4 == 2 ? 1 : 0;
        task[i].done = i % 4 != 3 ? told_after : NULL;
        OK(para_submit(pool, &task[i]));
    }
    para_cancel_request(&cancel);
    is_open = true;
    for (unsigned i = 0; i < N; i++)
        DROP(para_task_wait(&task[i]));
    assert_int_equal(got, N - N / 4); /* at once, since it comes before the wait returns */
    assert_int_equal(by_state[PARA_TASK_FAILED], N / 4);
    assert_int_equal(by_state[PARA_TASK_CANCELLED], N / 4);
    assert_int_equal(by_state[PARA_TASK_DROPPED], N / 4);
    OK(para_task_wait(&held[0]));
    OK(para_task_wait(&held[1]));
    OK(para_pool_destroy(pool));
    assert_int_equal(got, N - N / 4);
    assert_int_equal(faults, 0);
}

TEST(what_a_pool_drops_is_a_letter)
{
    para_task held[WORKERS], task[N];
    make_pool(WORKERS, note_first);
    begin_holding(held, WORKERS);
    for (unsigned i = 0; i < N; i++) {
        task[i] = (para_task){.run = count_up, .arg = &ran, .id = i};
        OK(para_submit(pool, &task[i]));
    }
    FAILS(PARA_ERR_TIMEOUT, para_pool_shutdown(pool, PARA_SHUTDOWN_DROP, 0, NULL));
    assert_int_equal(got, N);
    assert_int_equal(ids, N * (N - 1) / 2);
    assert_int_equal(last.status, PARA_ERR_ENDING);
    assert_int_equal(last.state, PARA_TASK_DROPPED);
    is_open = true;
    OK(para_pool_destroy(pool));
    assert_int_equal(faults, 0);
}

static int end_thread(void *arg)
{
    (void)arg;
    pthread_exit(NULL);
}

/* Their memory may be gone when they have run. */
TEST(detached_tasks_are_letters_without_a_task)
{
    static para_task task[3];
    para_task_group group = {0};
    make_pool(WORKERS, note_first);
    task[0] = (para_task){.run = refuse, .is_detached = true, .group = &group, .id = 1};
    task[1] = (para_task){.run = end_thread, .is_detached = true, .group = &group, .id = 1};
    task[2] = (para_task){.run = count_up, .arg = &ran, .is_detached = true, .group = &group};
    OK(para_submit(pool, &task[0]));
    FAILS(PARA_ERR_TASK, para_task_group_wait(&group));
    assert_null(last.task);
    assert_true(last.run == refuse);
    assert_int_equal(last.result, 7);
    assert_int_equal(last.id, 1);
    OK(para_submit(pool, &task[1]));
    while (got < 2) /* who waits for it would run it, perhaps */
        sched_yield();
    assert_int_equal(last.result, PARA_TASK_LEFT);
    OK(para_submit(pool, &task[2]));
    FAILS(PARA_ERR_TASK, para_task_group_wait(&group)); /* its first failure stays */
    assert_int_equal(ran, 1);
    assert_int_equal(got, 2);
    OK(para_pool_destroy(pool));
    assert_int_equal(faults, 0);
}

/* A callback that uses the pool. */
static para_task again[N];

static void call_back(const para_letter *letter, void *arg)
{
    const unsigned i = got++;
    (void)arg;
    fault_unless(para_task_wait(letter->task) == PARA_ERR_DEADLOCK);
    fault_unless(para_submit(pool, letter->task) == PARA_ERR_BUSY);
    fault_unless(para_pool_destroy(pool) == PARA_ERR_BUSY);
    again[i] = (para_task){.run = count_up, .arg = &ran};
    const para_status status = para_submit(pool, &again[i]);
    fault_unless(status == (letter->status == PARA_ERR_ENDING ? PARA_ERR_ENDING : PARA_OK));
    fault_unless(status || para_task_wait(&again[i]) == PARA_OK);
}

TEST(who_gets_a_letter_may_use_the_pool)
{
    static const unsigned workers[] = {1, 2};
    for (size_t i = 0; i < COUNT_OF(workers); i++) {
        para_task task[4], held[WORKERS];
        make_pool(workers[i], call_back);
        for (unsigned k = 0; k < 4; k++) {
            task[k] = (para_task){.run = refuse};
            OK(para_submit(pool, &task[k]));
        }
        for (unsigned k = 0; k < 4; k++)
            FAILS(PARA_ERR_TASK, para_task_wait(&task[k]));
        assert_int_equal(got, 4);
        assert_int_equal(ran, 4);
        if (workers[i] > 1) {
            begin_holding(held, WORKERS);
            task[0].run = count_up;
            OK(para_submit(pool, &task[0]));
            FAILS(PARA_ERR_TIMEOUT, para_pool_shutdown(pool, PARA_SHUTDOWN_DROP, 0, NULL));
            FAILS(PARA_ERR_ENDING, para_task_wait(&task[0]));
            assert_int_equal(got, 5);
            is_open = true;
        }
        OK(para_pool_destroy(pool));
        assert_int_equal(faults, 0);
    }
}

/* ---- Retries ---------------------------------------------------------------------------- */

static _Atomic unsigned fails_left;

static int fail_at_first(void *arg)
{
    (void)arg;
    ran++;
    if (fails_left == 0)
        return 0;
    fails_left--;
    return 7;
}

TEST(a_task_is_tried_again)
{
    static const unsigned workers[] = {1, 2};
    for (size_t i = 0; i < COUNT_OF(workers); i++) {
        para_retry retry = {.task = {.run = fail_at_first}, .attempts = 4, .first_ns = 1000};
        make_pool(workers[i], note);
        fails_left = 3;
        OK(para_retry_wait(pool, &retry, PARA_DEADLINE_NEVER));
        assert_int_equal(retry.made, 4);
        assert_int_equal(ran, 4);
        assert_int_equal(got, 0); /* it was done after all */
        fails_left = 9;
        FAILS(PARA_ERR_TASK, para_retry_wait(pool, &retry, PARA_DEADLINE_NEVER));
        assert_int_equal(retry.made, 4);
        assert_int_equal(retry.task.result, 7);
        assert_int_equal(got, 1);
        assert_int_equal(last.state, PARA_TASK_FAILED);
        OK(para_pool_destroy(pool));
        assert_int_equal(faults, 0);
    }
}

static bool never(const para_task *task)
{
    fault_unless(task->result == 7);
    return false;
}

TEST(a_retry_ends_when_it_is_told)
{
    para_cancel cancel = {0};
    para_retry picky = {.task = {.run = fail_at_first}, .again = never};
    para_retry late = {
        .task = {.run = fail_at_first}, .first_ns = UINT64_MAX, .most_ns = UINT64_MAX};
    para_retry cancelled = late, slow = late;
    make_pool(WORKERS, note);
    fails_left = 99;
    FAILS(PARA_ERR_TASK, para_retry_wait(pool, &picky, PARA_DEADLINE_NEVER));
    assert_int_equal(picky.made, 1);
    assert_int_equal(got, 1);
    late.task.deadline_ns = para_deadline_after(5000000);
    FAILS(PARA_ERR_DEADLINE, para_retry_wait(pool, &late, PARA_DEADLINE_NEVER));
    assert_int_equal(got, 2);
    cancelled.task.cancel = &cancel;
    uint64_t next_ns = 0;
    FAILS(PARA_ERR_TIMEOUT, para_retry_step(pool, &cancelled, &next_ns));
    assert_true(next_ns == PARA_DEADLINE_NEVER); /* it is on its way */
    DROP(para_task_wait(&cancelled.task));
    FAILS(PARA_ERR_TIMEOUT, para_retry_step(pool, &cancelled, &next_ns));
    assert_true(next_ns > para_deadline_after(1000000000));
    assert_int_equal(got, 2);
    para_cancel_request(&cancel);
    FAILS(PARA_ERR_CANCELLED, para_retry_step(pool, &cancelled, &next_ns));
    assert_int_equal(got, 3);
    FAILS(PARA_ERR_TIMEOUT, para_retry_wait(pool, &slow, para_deadline_after(2000000)));
    OK(para_pool_shutdown(pool, PARA_SHUTDOWN_DRAIN, PARA_DEADLINE_NEVER, NULL));
    para_retry refused = {.task = {.run = fail_at_first}};
    FAILS(PARA_ERR_ENDING, para_retry_wait(pool, &refused, PARA_DEADLINE_NEVER));
    refused.task.is_detached = true;
    FAILS(PARA_ERR_ARGUMENT, para_retry_wait(pool, &refused, PARA_DEADLINE_NEVER));
    FAILS(PARA_ERR_ARGUMENT, para_retry_wait(pool, NULL, PARA_DEADLINE_NEVER));
    FAILS(PARA_ERR_ARGUMENT, para_retry_step(pool, &slow, NULL));
    FAILS(PARA_ERR_ARGUMENT, para_retry_step(pool, NULL, &next_ns));
    assert_int_equal(got, 3);
    OK(para_pool_destroy(pool));
    assert_int_equal(faults, 0);
}

static void *request(void *cancel)
{
    while (ran == 0)
        usleep(100);
    usleep(2000); /* so that the retry sleeps, as a rule */
    para_cancel_request(cancel);
    return NULL;
}

TEST(a_request_ends_the_pause_before_an_attempt)
{
    pthread_t thread;
    para_cancel above = {0}, cancel = {.parent = &above};
    para_retry retry = {.task = {.run = fail_at_first, .cancel = &cancel},
                        .first_ns = UINT64_MAX,
                        .most_ns = UINT64_MAX};
    make_pool(WORKERS, note);
    fails_left = 99;
    alarm(100);
    assert_int_equal(pthread_create(&thread, NULL, request, &above), 0);
    FAILS(PARA_ERR_CANCELLED, para_retry_wait(pool, &retry, PARA_DEADLINE_NEVER));
    assert_int_equal(retry.made, 1);
    assert_int_equal(got, 1);
    pthread_join(thread, NULL);
    alarm(0);
    OK(para_pool_destroy(pool));
    assert_int_equal(faults, 0);
}

/* An attempt for which there is no room is none. */
TEST(a_retry_waits_for_room)
{
    para_task held[WORKERS], filler = {.run = count_up, .arg = &ran};
    para_retry retry = {.task = {.run = fail_at_first}, .first_ns = 1000};
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    uint64_t next_ns = 0;
    config.workers = WORKERS;
    config.task_capacity = 1;
    OK(para_pool_create(&pool, &config));
    ran = 0;
    fails_left = 1;
    begin_holding(held, WORKERS);
    OK(para_submit(pool, &filler));
    FAILS(PARA_ERR_TIMEOUT, para_retry_step(pool, &retry, &next_ns));
    assert_true(next_ns != PARA_DEADLINE_NEVER);
    assert_int_equal(retry.made, 0);
    para_cancel cancel = {0};
    para_retry cancelled = {.task = {.run = fail_at_first, .cancel = &cancel},
                            .first_ns = UINT64_MAX,
                            .most_ns = UINT64_MAX};
    FAILS(PARA_ERR_TIMEOUT, para_retry_step(pool, &cancelled, &next_ns));
    para_cancel_request(&cancel);
    FAILS(PARA_ERR_CANCELLED, para_retry_step(pool, &cancelled, &next_ns));
    is_open = true;
    OK(para_retry_wait(pool, &retry, PARA_DEADLINE_NEVER));
    assert_int_equal(retry.made, 2);
    OK(para_task_wait(&filler));
    OK(para_pool_destroy(pool));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fails_is_cancelled_or_late_is_a_letter),
        cmocka_unit_test(what_a_pool_drops_is_a_letter),
        cmocka_unit_test(detached_tasks_are_letters_without_a_task),
        cmocka_unit_test(who_gets_a_letter_may_use_the_pool),
        cmocka_unit_test(a_task_is_tried_again),
        cmocka_unit_test(a_retry_ends_when_it_is_told),
        cmocka_unit_test(a_request_ends_the_pause_before_an_attempt),
        cmocka_unit_test(a_retry_waits_for_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
