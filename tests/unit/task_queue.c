/* The queue of tasks from outside: its order, its bound, and tasks that do not begin because their
 * deadline has passed, their token was requested, or the pool ended. */
#include "../common/order.h"

#include <pthread.h>
#include <string.h>

/* A pool with all its workers held at the gate. */
static void hold_pool(unsigned capacity)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = WORKERS;
    config.task_capacity = capacity;
    OK(para_pool_create(&pool, &config));
    ran = 0;
    begin_holding(holding, WORKERS);
}

/* Opens the gate; returns when the task that was submitted last is over too. */
static void let_go(para_task *last)
{
    is_open = true;
    OK(para_task_wait(&holding[0]));
    OK(para_task_wait(&holding[1]));
    OK(para_task_wait(last));
}

TEST(first_in_first_out_within_a_priority)
{
    enum { N = 100 };
    para_task holder, task[N];
    hold_pool_in_order(&holder, PARA_TASKS_BY_ARRIVAL);
    for (unsigned i = 0; i < N; i++) {
        task[i] = (para_task){
            .run = note_order, .arg = (void *)(uintptr_t)i, .priority = i % PARA_TASK_PRIORITIES};
        OK(para_submit(pool, &task[i]));
    }
    run_in_order(&holder, N);
    for (unsigned i = 0; i < N; i++) {
        OK(para_task_wait(&task[i]));
        const unsigned priority = PARA_TASK_PRIORITIES - 1 - i / (N / PARA_TASK_PRIORITIES);
        const unsigned expected =
            priority + PARA_TASK_PRIORITIES * (i % (N / PARA_TASK_PRIORITIES));
        assert_int_equal(order[i], expected);
    }
    para_pool_destroy(pool);
}

TEST(priorities_age)
{
    enum { N = PARA_TASK_HEAD_START + 500 };
    static para_task task[N + 1];
    para_task holder;
    hold_pool_in_order(&holder, PARA_TASKS_BY_ARRIVAL);
    task[0] = (para_task){.run = note_order, .arg = (void *)(uintptr_t)N};
    OK(para_submit(pool, &task[0]));
    for (unsigned i = 1; i <= N; i++) {
        task[i] = (para_task){.run = note_order, .priority = 1};
        OK(para_submit(pool, &task[i]));
    }
    run_in_order(&holder, N + 1);
    unsigned place = 0;
    while (order[place] != N)
        place++;
    assert_in_range(place, PARA_TASK_HEAD_START - 1, PARA_TASK_HEAD_START);
    for (unsigned i = 0; i <= N; i++)
        OK(para_task_wait(&task[i]));
    para_pool_destroy(pool);
}

/* ---- A full queue --------------------------------------------------------------------- */

typedef struct putter {
    para_task task;
    para_status status;
} putter;

static void *put(void *arg)
{
    putter *p = arg;
    p->status = para_submit(pool, &p->task);
    return NULL;
}

TEST(a_task_that_is_refused_keeps_its_last_outcome)
{
    static int value = 7;
    hold_pool(1);
    para_task task = {.run = return_it, .arg = &value};
    para_task filler = {.run = note_order};
    OK(para_submit(pool, &task));
    FAILS(PARA_ERR_TASK, para_task_wait(&task));
    OK(para_submit(pool, &filler));
    FAILS(PARA_ERR_TIMEOUT, para_submit_until(pool, &task, 0));
    FAILS(PARA_ERR_TASK, para_task_wait(&task));
    assert_int_equal(task.result, 7);
    FAILS(PARA_ERR_TIMEOUT, para_pmap_submit_until(pool, &(para_map){.count = 1}, &task, 0));
    assert_ptr_equal(task.run, return_it);
    FAILS(PARA_ERR_TASK, para_task_wait(&task));
    let_go(&filler);
    OK(para_submit(pool, &task));
    FAILS(PARA_ERR_TASK, para_task_wait(&task));
    para_pool_destroy(pool);
}

TEST(a_full_queue_refuses_gives_up_or_waits)
{
    enum { CAPACITY = 3, PUTTERS = 4 };
    hold_pool(CAPACITY);
    para_task task[CAPACITY + 1];
    putter putters[PUTTERS];
    pthread_t thread[PUTTERS];
    for (unsigned i = 0; i <= CAPACITY; i++) {
        task[i] = (para_task){.run = note_order, .arg = NULL};
        if (i < CAPACITY)
            OK(para_submit_until(pool, &task[i], 0));
    }
    FAILS(PARA_ERR_TIMEOUT, para_submit_until(pool, &task[CAPACITY], 0));
    assert_non_null(strstr(para_status_detail(), "full"));
    FAILS(PARA_ERR_TIMEOUT, para_submit_until(pool, &task[CAPACITY], para_deadline_after(2000000)));
    FAILS(PARA_ERR_ARGUMENT, para_task_wait(&task[CAPACITY])); /* as if never submitted */
    for (unsigned i = 0; i < PUTTERS; i++) {
        putters[i] = (putter){.task = {.run = note_order, .arg = NULL}};
        assert_int_equal(pthread_create(&thread[i], NULL, put, &putters[i]), 0);
    }
    usleep(20000); /* most likely they wait for room */
    let_go(&task[0]);
    for (unsigned i = 0; i < PUTTERS; i++) {
        pthread_join(thread[i], NULL);
        OK(putters[i].status);
        OK(para_task_wait(&putters[i].task));
    }
    for (unsigned i = 0; i < CAPACITY; i++)
        OK(para_task_wait(&task[i]));
    assert_int_equal(ran, CAPACITY + PUTTERS);
    para_pool_destroy(pool);
}

/* Tasks submit more than there is room for, and do not wait. */
static int submit_many(void *arg)
{
    enum { N = 600 }; /* more than a deque has room for */
    para_task task[N];
    (void)arg;
    for (unsigned i = 0; i < N; i++) {
        task[i] = (para_task){.run = note_order};
        faults += para_submit(pool, &task[i]) != PARA_OK;
    }
    for (unsigned i = 0; i < N; i++)
        faults += para_task_wait(&task[i]) != PARA_OK;
    return 0;
}

TEST(tasks_do_not_wait_for_room)
{
    hold_pool(1);
    para_task task = {.run = submit_many};
    OK(para_submit_until(pool, &task, 0));
    let_go(&task);
    assert_int_equal(ran, 600);
    assert_int_equal(faults, 0);
    para_pool_destroy(pool);
}

/* ---- Tasks that do not begin ---------------------------------------------------------- */

static _Atomic unsigned done_count;
static para_status done_status;

static void note_done(para_task *task)
{
    done_status = task->status;
    done_count++;
}

TEST(what_is_late_or_cancelled_does_not_begin)
{
    para_cancel cancel = {0};
    hold_pool(0);
    para_task late = {.run = note_order, .deadline_ns = para_deadline_after(1000000)};
    para_task cancelled = {.run = note_order, .cancel = &cancel};
    para_task detached = {
        .run = note_order, .cancel = &cancel, .is_detached = true, .done = note_done};
    para_task early = {.run = note_order, .deadline_ns = para_deadline_after(UINT64_MAX / 4)};
    done_count = 0;
    OK(para_submit(pool, &late));
    OK(para_submit(pool, &cancelled));
    OK(para_submit(pool, &detached));
    OK(para_submit(pool, &early));
    usleep(2000);
    para_cancel_request(&cancel);
    let_go(&early);
    FAILS(PARA_ERR_DEADLINE, para_task_wait(&late));
    FAILS(PARA_ERR_CANCELLED, para_task_wait(&cancelled));
    while (done_count == 0)
        sched_yield();
    assert_int_equal(done_status, PARA_ERR_CANCELLED);
    assert_int_equal(ran, 1);
    para_pool_destroy(pool);
}

static void *open_soon(void *arg)
{
    (void)arg;
    usleep(20000);
    is_open = true;
    return NULL;
}

TEST(a_pool_that_ends_drops_what_has_not_begun)
{
    enum { N = 20 };
    hold_pool(0);
    para_task task[N];
    para_task_group group = {0};
    pthread_t thread;
    done_count = 0;
    for (unsigned i = 0; i < N; i++) {
        task[i] = (para_task){.run = note_order, .group = &group, .done = note_done};
        OK(para_submit(pool, &task[i]));
    }
    assert_int_equal(pthread_create(&thread, NULL, open_soon, NULL), 0);
    para_pool_destroy(pool); /* waits for those that run */
    pthread_join(thread, NULL);
    for (unsigned i = 0; i < WORKERS; i++)
        OK(para_task_wait(&holding[i]));
    unsigned dropped = 0;
    for (unsigned i = 0; i < N; i++) {
        const para_status status = para_task_wait(&task[i]);
        assert_true(status == PARA_OK || status == PARA_ERR_ENDING);
        dropped += status != PARA_OK;
    }
    assert_int_equal(done_count, N); /* nothing is lost in silence */
    assert_int_equal(ran, N - dropped);
    if (dropped)
        FAILS(PARA_ERR_ENDING, para_task_group_wait(&group));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_in_first_out_within_a_priority),
        cmocka_unit_test(priorities_age),
        cmocka_unit_test(a_task_that_is_refused_keeps_its_last_outcome),
        cmocka_unit_test(a_full_queue_refuses_gives_up_or_waits),
        cmocka_unit_test(tasks_do_not_wait_for_room),
        cmocka_unit_test(what_is_late_or_cancelled_does_not_begin),
        cmocka_unit_test(a_pool_that_ends_drops_what_has_not_begun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
