/* Tasks need memory once for each pool, with its first task: what happens when there is none; and
 * that nothing is allocated later on. */
#include "scenario.h"

#include "../common/tasks.h"

#include <pthread.h>
#include <string.h>

static _Atomic unsigned ran;

/* ---- The first task of a pool --------------------------------------------------------- */

static para_status first_task(void)
{
    para_task_group group = {0};
    para_task task = {.run = count_up, .arg = (void *)&ran, .group = &group};
    para_status status = make_pool(2, &pool);
    if (status)
        return status;
    ran = 0;
    status = para_submit(pool, &task);
    OK(para_task_group_wait(&group));
    assert_int_equal(ran, status ? 0 : 1);
    assert_int_equal(para_task_wait(&task), status ? PARA_ERR_ARGUMENT : PARA_OK);
    para_pool_destroy(pool);
    return status;
}

SCENARIO_TEST(first_task)

TEST(a_task_without_memory_is_not_submitted)
{
    para_pool *other = NULL;
    para_task_group group = {0};
    para_task task = {.run = count_up, .arg = (void *)&ran, .group = &group};
    OK(make_pool(2, &pool));
    OK(make_pool(2, &other));
    ran = 0;
    fault_arm(FAULT_MEMORY, 1, ENOMEM, false);
    FAILS(PARA_ERR_MEMORY, para_submit(pool, &task));
    fault_arm(FAULT_ANY, 0, 0, false);
    assert_non_null(strstr(para_status_detail(), "tasks"));
    FAILS(PARA_ERR_ARGUMENT, para_task_wait(&task)); /* as if never submitted */
    OK(para_task_group_wait_until(&group, 0));
    OK(para_pmap(
        pool,
        &(para_map){.kernel = count, .count = 1000, .options.executor = PARA_EXECUTOR_THREADS}));
    OK(para_submit(other, &task)); /* the group has no pool yet */
    OK(para_task_group_wait(&group));
    task.group = NULL;
    OK(para_submit(pool, &task));
    OK(para_task_wait(&task));
    assert_int_equal(ran, 2);
    para_pool_destroy(other);
    para_pool_destroy(pool);
}

/* ---- A name --------------------------------------------------------------------------- */

static int count_request(para_request *r, void *arg)
{
    (void)r;
    return count_up(arg);
}

static para_status register_count(void)
{
    para_entry entry = PARA_ENTRY_INIT;
    entry.run = count_request;
    entry.arg = (void *)&ran;
    return para_register(pool, "count", &entry);
}

static para_status first_name(void)
{
    para_request r = {0};
    para_status status = make_pool(2, &pool);
    if (status)
        return status;
    status = register_count();
    if (status == PARA_ERR_MEMORY) {
        assert_non_null(strstr(para_status_detail(), "name"));
        FAILS(PARA_ERR_NAME, para_dispatch(pool, "count", NULL, 0, NULL, 0, &r));
    } else if (!status) {
        status = para_dispatch(pool, "count", NULL, 0, NULL, 0, &r);
        if (!status)
            status = para_task_wait(&r.task);
        OK(para_unregister(pool, "count"));
    }
    para_pool_destroy(pool);
    return status;
}

SCENARIO_TEST(first_name)

/* ---- Those after it ------------------------------------------------------------------- */

enum { WORKERS = 3, CAPACITY = 4, SUBMITTERS = 3, MANY = 300 };

static void submit_recursion(void)
{
    fib f = {.n = 15};
    para_task task = {.run = run_fib, .arg = &f};
    fault_unless(para_submit(pool, &task) == PARA_OK);
    fault_unless(para_task_wait(&task) == PARA_OK);
    fault_unless(f.value == 610);
}

/* More than the pool's queue, or a deque, has room for. */
static int submit_many(void *arg)
{
    para_task_group group = {0};
    para_task task[MANY];
    para_task *all[MANY];
    size_t which = MANY;
    (void)arg;
    for (unsigned i = 0; i < MANY; i++) {
        task[i] = (para_task){.run = count_up,
                              .arg = (void *)&ran,
                              .priority = i % PARA_TASK_PRIORITIES,
                              .group = i % 2 ? &group : NULL};
        all[i] = &task[i];
        fault_unless(para_submit(pool, all[i]) == PARA_OK);
    }
    fault_unless(para_wait_any(all, MANY, PARA_DEADLINE_NEVER, &which) == PARA_OK);
    fault_unless(para_task_group_wait(&group) == PARA_OK);
    fault_unless(para_wait_all(all, MANY, PARA_DEADLINE_NEVER) == PARA_OK);
    return 0;
}

static void submit_many_within(void)
{
    para_task task = {.run = submit_many};
    fault_unless(para_submit(pool, &task) == PARA_OK);
    fault_unless(para_task_wait(&task) == PARA_OK);
}

static _Atomic unsigned done;

static void count_done(para_task *task)
{
    (void)task;
    done++;
}

static void submit_detached(void)
{
    static para_task task[MANY];
    done = 0;
    for (unsigned i = 0; i < MANY; i++) {
        task[i] = (para_task){
            .run = count_up, .arg = (void *)&ran, .is_detached = true, .done = count_done};
        fault_unless(para_submit(pool, &task[i]) == PARA_OK);
    }
    while (done < MANY)
        sched_yield();
}

static void dispatch_many(void)
{
    static para_request request[MANY];
    for (unsigned i = 0; i < MANY; i++)
        fault_unless(para_dispatch(pool, "count", NULL, 0, NULL, 0, &request[i]) == PARA_OK);
    for (unsigned i = 0; i < MANY; i++)
        fault_unless(para_task_wait(&request[i].task) == PARA_OK);
}

static int submit_in_kernel(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        submit_many_within();
    return 0;
}

static void submit_in_call(void)
{
    const para_map map = {.kernel = submit_in_kernel,
                          .count = 10,
                          .options = {.executor = PARA_EXECUTOR_THREADS, .chunk = 1}};
    fault_unless(para_pmap(pool, &map) == PARA_OK);
}

static _Atomic bool is_begun;

static void *submit_from_outside(void *arg)
{
    while (!is_begun)
        sched_yield();
    for (unsigned i = 0; i < 10; i++)
        (void)submit_many(arg);
    return NULL;
}

/* The pool is held: its queue is full, what waits is late or cancelled. */
static void submit_to_full_queue(void)
{
    para_cancel cancel = {0};
    para_task held[WORKERS], task[CAPACITY], surplus = {.run = hold};
    begin_holding(held, WORKERS);
    for (unsigned i = 0; i < CAPACITY; i++) {
        task[i] = (para_task){.run = hold};
        if (i % 2)
            task[i].deadline_ns = 1;
        else
            task[i].cancel = &cancel;
        fault_unless(para_submit(pool, &task[i]) == PARA_OK);
    }
    fault_unless(para_submit_until(pool, &surplus, 0) == PARA_ERR_TIMEOUT);
    fault_unless(para_submit_until(pool, &surplus, para_deadline_after(1000000)) ==
                 PARA_ERR_TIMEOUT);
    fault_unless(para_task_wait_until(&held[0], para_deadline_after(1000000)) == PARA_ERR_TIMEOUT);
    para_cancel_request(&cancel);
    is_open = true;
    for (unsigned i = 0; i < CAPACITY; i++)
        fault_unless(para_task_wait(&task[i]) == (i % 2 ? PARA_ERR_DEADLINE : PARA_ERR_CANCELLED));
    for (unsigned i = 0; i < WORKERS; i++)
        fault_unless(para_task_wait(&held[i]) == PARA_OK);
}

/* From its first task on the pool could have nothing: no memory, no pages, no files. */
TEST(nothing_is_allocated_for_a_task)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    para_task first = {.run = count_up, .arg = (void *)&ran};
    pthread_t thread[SUBMITTERS];
    config.workers = WORKERS;
    config.task_capacity = CAPACITY;
    config.start = PARA_START_WAIT;
    config.binding = PARA_BIND_NONE; /* a pin that is given up allocates */
    OK(para_pool_create(&pool, &config));
    for (unsigned i = 0; i < SUBMITTERS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, submit_from_outside, NULL), 0);
    FAILS(PARA_ERR_ARGUMENT, para_submit(pool, NULL)); /* memory for this thread's details */
    OK(para_submit(pool, &first));
    OK(para_task_wait(&first));
    OK(register_count());
    fault_arm(FAULT_ANY, 1, ENOMEM, true);
    submit_to_full_queue();
    is_begun = true;
    for (unsigned i = 0; i < 10; i++) {
        submit_recursion();
        (void)submit_many(NULL);
        submit_many_within();
        submit_detached();
        dispatch_many();
        submit_in_call();
    }
    for (unsigned i = 0; i < SUBMITTERS; i++)
        pthread_join(thread[i], NULL);
    const long asked = fault_count();
    fault_arm(FAULT_ANY, 0, 0, false);
    assert_int_equal(asked, 0);
    assert_int_equal(faults, 0);
    para_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_in_first_task),
        cmocka_unit_test(faults_in_first_name),
        cmocka_unit_test(a_task_without_memory_is_not_submitted),
        cmocka_unit_test(nothing_is_allocated_for_a_task),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
