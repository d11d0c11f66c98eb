/* Tasks that are misused, and tasks in processes that fork or end: each a documented status, and
 * nothing hangs. */
#include "../common/tasks.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static _Atomic unsigned ran;

static int run_once(void *arg)
{
    (void)arg;
    ran++;
    return 0;
}

/* ---- Misuse --------------------------------------------------------------------------- */

TEST(what_is_no_task_is_refused)
{
    para_task nothing = {.arg = NULL};
    para_task urgent = {.run = run_once, .priority = PARA_TASK_PRIORITIES};
    para_task fresh = {.run = run_once}, detached = {.run = run_once, .is_detached = true};
    para_task *const some[] = {&fresh, NULL};
    size_t which = 7;
    pool = check_pool(2);
    ran = 0;
    FAILS(PARA_ERR_ARGUMENT, para_submit(pool, NULL));
    FAILS(PARA_ERR_ARGUMENT, para_submit(pool, &nothing));
    FAILS(PARA_ERR_ARGUMENT, para_submit(pool, &urgent));
    FAILS(PARA_ERR_ARGUMENT, para_task_wait(NULL));
    FAILS(PARA_ERR_ARGUMENT, para_task_wait(&fresh));
    FAILS(PARA_ERR_ARGUMENT, para_task_group_wait(NULL));
    FAILS(PARA_ERR_ARGUMENT, para_wait_any(some, 0, 0, &which));
    FAILS(PARA_ERR_ARGUMENT, para_wait_any(NULL, 2, 0, &which));
    FAILS(PARA_ERR_ARGUMENT, para_wait_any(some, 2, PARA_DEADLINE_NEVER, &which));
    FAILS(PARA_ERR_ARGUMENT, para_wait_all(some, 2, PARA_DEADLINE_NEVER));
    FAILS(PARA_ERR_ARGUMENT, para_wait_all(NULL, 2, PARA_DEADLINE_NEVER));
    assert_int_equal(which, 7);
    assert_int_equal(ran, 0);
    OK(para_submit(pool, &detached));
    FAILS(PARA_ERR_ARGUMENT, para_task_wait(&detached));
    while (ran == 0)
        sched_yield();
    para_pool_destroy(pool);
}

TEST(a_task_is_submitted_once)
{
    para_task task;
    pool = check_pool(2);
    begin_holding(&task, 1);
    FAILS(PARA_ERR_BUSY, para_submit(pool, &task));
    is_open = true;
    OK(para_task_wait(&task));
    task.run = run_once;
    OK(para_submit(pool, &task));
    OK(para_task_wait(&task));
    para_pool_destroy(pool);
}

TEST(a_group_has_one_pool)
{
    para_pool *other = check_pool(2);
    para_task_group group = {0};
    para_task task = {.run = run_once, .group = &group}, strange = task;
    pool = check_pool(2);
    OK(para_submit(pool, &task));
    FAILS(PARA_ERR_ARGUMENT, para_submit(other, &strange));
    OK(para_task_group_wait(&group));
    para_pool_destroy(pool);
    para_pool_destroy(other);
}

static int wait_for_oneself(void *arg)
{
    para_task *self = arg;
    faults += para_task_wait(self) != PARA_ERR_DEADLOCK;
    faults += para_task_group_wait(self->group) != PARA_ERR_DEADLOCK;
    faults += para_submit(pool, self) != PARA_ERR_BUSY;
    para_pool_destroy(pool); /* within a task of the pool: nothing happens */
    return 0;
}

TEST(a_task_that_waits_for_itself_is_told)
{
    static const unsigned workers[] = {1, 2};
    for (size_t i = 0; i < COUNT_OF(workers); i++) {
        para_task_group group = {0};
        para_task task = {.run = wait_for_oneself, .arg = &task, .group = &group};
        pool = check_pool(workers[i]);
        OK(para_submit(pool, &task));
        OK(para_task_wait(&task));
        OK(para_task_group_wait(&group));
        assert_int_equal(faults, 0);
        para_pool_destroy(pool);
    }
}

static void *wait_long(void *arg)
{
    faults += para_task_wait(arg) != PARA_OK;
    return NULL;
}

TEST(several_threads_wait_for_one_task)
{
    enum { N = 5 };
    pthread_t thread[N];
    para_task task;
    pool = check_pool(2);
    for (unsigned round = 0; round < 20; round++) {
        begin_holding(&task, 1);
        for (unsigned i = 0; i < N; i++)
            assert_int_equal(pthread_create(&thread[i], NULL, wait_long, &task), 0);
        usleep(1000);
        is_open = true;
        OK(para_task_wait(&task));
        for (unsigned i = 0; i < N; i++)
            pthread_join(thread[i], NULL);
    }
    assert_int_equal(faults, 0);
    para_pool_destroy(pool);
}

/* ---- Hooks, lent threads, no threads ------------------------------------------------- */

static para_task of_hook[3];

static int fail_in_init(unsigned worker, void *arg)
{
    (void)arg;
    return worker == 1 ? 3 : 0;
}

TEST(a_pool_whose_hook_fails_runs_tasks_at_once)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = 3;
    config.worker_init = fail_in_init;
    config.start = PARA_START_BACKGROUND;
    OK(para_pool_create(&pool, &config));
    ran = 0;
    for (unsigned i = 0; i < 3; i++) {
        of_hook[i] = (para_task){.run = run_once};
        OK(para_submit(pool, &of_hook[i]));
        OK(para_task_wait_until(&of_hook[i], 0));
    }
    assert_int_equal(ran, 3);
    para_pool_destroy(pool);
}

static unsigned width_of_two(void *self)
{
    (void)self;
    return 2;
}

static void run_on_caller(void *self, unsigned helpers, void (*help)(void *call), void *call)
{
    (void)self;
    (void)helpers;
    help(call);
}

static int submit_within(void *arg)
{
    para_task inner = {.run = run_once};
    (void)arg;
    faults += para_submit(pool, &inner) != PARA_OK;
    faults += para_task_wait(&inner) != PARA_OK;
    return 0;
}

TEST(a_pool_without_threads_runs_tasks_at_once)
{
    const para_lender lender = {.size = sizeof lender, .width = width_of_two, .run = run_on_caller};
    for (unsigned lent = 0; lent < 2; lent++) {
        para_pool_config config = PARA_POOL_CONFIG_INIT;
        para_task task = {.run = submit_within}, late = {.run = run_once, .deadline_ns = 1};
        config.workers = lent ? 0 : 1;
        config.executor = lent ? &lender : NULL;
        OK(para_pool_create(&pool, &config));
        ran = 0;
        OK(para_submit(pool, &task));
        OK(para_task_wait_until(&task, 0));
        assert_int_equal(ran, 1);
        OK(para_submit(pool, &late));
        FAILS(PARA_ERR_DEADLINE, para_task_wait(&late));
        assert_int_equal(ran, 1);
        para_pool_destroy(pool);
    }
    assert_int_equal(faults, 0);
}

/* ---- Forks ---------------------------------------------------------------------------- */

static int child_of(void (*act)(void))
{
    int status = 0;
    const pid_t child = fork();
    if (child == 0) {
        alarm(30);
        act();
        _exit(faults != 0);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static para_task running[2], queued, over;
static para_task_group in_parent;

static void act_in_child(void)
{
    para_task fresh = {.run = run_once};
    ran = 0;
    faults += para_task_wait(&running[0]) != PARA_ERR_FORKED;
    faults += para_task_wait(&queued) != PARA_ERR_FORKED;
    faults += para_task_group_wait(&in_parent) != PARA_ERR_FORKED;
    faults += para_task_wait(&over) != PARA_OK;
    faults += para_submit(pool, &fresh) != PARA_ERR_FORKED;
    if (CHILDREN_HAVE_THREADS) {
        faults += para_submit(NULL, &fresh) != PARA_OK || para_task_wait(&fresh) != PARA_OK;
        faults += para_pool_restart(pool) != PARA_OK;
        faults += para_task_wait(&running[0]) != PARA_ERR_FORKED;
        faults += para_submit(pool, &fresh) != PARA_OK || para_task_wait(&fresh) != PARA_OK;
        faults += ran != 2;
        queued.group = NULL;
        faults += para_submit(pool, &queued) != PARA_OK || para_task_wait(&queued) != PARA_OK;
        faults += ran != 3;
    }
    para_pool_destroy(pool);
}

static void destroy_in_child(void)
{
    para_pool_destroy(pool);
    faults += para_task_is_over(&queued);
}

TEST(a_child_has_none_of_its_parents_tasks)
{
    if (!FORKS_AMID_THREADS)
        skip();
    pool = check_pool(2);
    in_parent = (para_task_group){0};
    over = (para_task){.run = run_once};
    OK(para_submit(pool, &over));
    OK(para_task_wait(&over));
    begin_holding(running, COUNT_OF(running));
    ran = 0;
    queued = (para_task){.run = run_once, .group = &in_parent};
    OK(para_submit(pool, &queued));
    assert_int_equal(child_of(act_in_child), 0);
    assert_int_equal(child_of(destroy_in_child), 0);
    is_open = true;
    OK(para_task_wait(&running[0]));
    OK(para_task_wait(&running[1]));
    OK(para_task_group_wait(&in_parent));
    assert_int_equal(ran, 1);
    para_pool_destroy(pool);
}

/* ---- Threads that are cancelled ------------------------------------------------------- */

static void *wait_for(void *task)
{
    fault_unless(para_task_wait(task) == PARA_OK);
    return NULL;
}

/* It may lie in a task of somebody else, which is not to be lost. */
TEST(a_thread_that_waits_is_not_cancelled_within_a_task)
{
    pthread_t waiter;
    para_task held[2];
    para_task task = {.run = hold};
    if (!THREADS_ARE_CANCELLED)
        skip();
    pool = check_pool(2);
    begin_holding(held, COUNT_OF(held));
    OK(para_submit(pool, &task));
    assert_int_equal(pthread_create(&waiter, NULL, wait_for, &task), 0);
    while (begun < 3) /* the waiter runs the task */
        sched_yield();
    assert_int_equal(pthread_cancel(waiter), 0);
    is_open = true;
    OK(para_task_wait_until(&task, para_deadline_after(60000000000u)));
    assert_int_equal(pthread_join(waiter, NULL), 0);
    OK(para_submit(pool, &task));
    OK(para_task_wait(&task));
    OK(para_task_wait(&held[0]));
    OK(para_task_wait(&held[1]));
    para_pool_destroy(pool);
    assert_int_equal(faults, 0);
}

/* The process ends while tasks run and wait. */
static void end_with_tasks(void)
{
    static para_task task[50];
    para_pool *mine = check_pool(3);
    is_open = false;
    for (unsigned i = 0; i < COUNT_OF(task); i++) {
        task[i] = (para_task){.run = hold};
        faults += para_submit(i % 2 ? mine : NULL, &task[i]) != PARA_OK;
    }
    exit(faults != 0);
}

TEST(a_process_may_end_while_tasks_run)
{
    if (!CHILDREN_HAVE_THREADS)
        skip();
    assert_int_equal(child_of(end_with_tasks), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_may_end_while_tasks_run),
        cmocka_unit_test(a_thread_that_waits_is_not_cancelled_within_a_task),
        cmocka_unit_test(what_is_no_task_is_refused),
        cmocka_unit_test(a_task_is_submitted_once),
        cmocka_unit_test(a_group_has_one_pool),
        cmocka_unit_test(a_task_that_waits_for_itself_is_told),
        cmocka_unit_test(several_threads_wait_for_one_task),
        cmocka_unit_test(a_pool_whose_hook_fails_runs_tasks_at_once),
        cmocka_unit_test(a_pool_without_threads_runs_tasks_at_once),
        cmocka_unit_test(a_child_has_none_of_its_parents_tasks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
