/* Pools that are used, asked, forked and ended while their threads start. A worker_init that waits
 * holds up the start, so no test depends on speed. */
#include "../common/check.h"

#include <para/deadline.h>
#include <para/dispatch.h>
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS = 3, COUNT = 1000 };

/* A door that workers wait at. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t opened = PTHREAD_COND_INITIALIZER;
static bool is_open;
static int refuses = -1;
static _Atomic int begun, ended;
static para_pool *_Atomic own;
static _Atomic int asked_within;

static int wait_at_door(unsigned worker, void *arg)
{
    (void)arg;
    atomic_fetch_add(&begun, 1);
    pthread_mutex_lock(&mutex);
    while (!is_open)
        pthread_cond_wait(&opened, &mutex);
    pthread_mutex_unlock(&mutex);
    return (int)worker == refuses ? 42 : 0;
}

static void leave(unsigned worker, void *arg)
{
    (void)worker;
    (void)arg;
    atomic_fetch_add(&ended, 1);
}

static void set_door(bool open)
{
    pthread_mutex_lock(&mutex);
    is_open = open;
    pthread_cond_broadcast(&opened);
    pthread_mutex_unlock(&mutex);
}

static para_pool *starting_pool(int refused)
{
    set_door(false);
    refuses = refused;
    atomic_store(&begun, 0);
    atomic_store(&ended, 0);
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = WORKERS;
    config.worker_init = wait_at_door;
    config.worker_exit = leave;
    config.start = PARA_START_BACKGROUND;
    para_pool *pool = NULL;
    OK(para_pool_create(&pool, &config));
    return pool;
}

static int twice(const para_chunk *chunk, const void *arg)
{
    const int *in = chunk->in[0];
    int *out = chunk->out[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        out[i] = 2 * in[i];
    return 0;
}

static void works(para_pool *pool, para_executor executor, para_report *report)
{
    static int in[COUNT], out[COUNT];
    for (int i = 0; i < COUNT; i++) {
        in[i] = i;
        out[i] = 0;
    }
    OK(para_pmap(pool, &(para_map){.kernel = twice,
                                   .count = COUNT,
                                   .in = {PARA_IN(in)},
                                   .out = {PARA_OUT(out)},
                                   .options.executor = executor,
                                   .report = report}));
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(out[i], 2 * i);
}

TEST(calls_run_while_threads_start)
{
    para_pool *pool = starting_pool(-1);
    para_report report;
    FAILS(PARA_ERR_TIMEOUT, para_pool_wait_ready_until(pool, 0));
    FAILS(PARA_ERR_TIMEOUT, para_pool_wait_ready_until(pool, para_deadline_after(1000)));
    works(pool, PARA_EXECUTOR_AUTO, &report);
    works(pool, PARA_EXECUTOR_THREADS, &report);
    assert_int_equal(report.workers, 1); /* the others could not come */
    para_buffer *buffer = NULL;
    OK(para_buffer_create(&buffer, pool, 1 << 20, 4, NULL));
    para_buffer_destroy(buffer);
    set_door(true);
    OK(para_pool_wait_ready(pool));
    OK(para_pool_wait_ready_until(pool, 0));
    assert_int_equal(atomic_load(&begun), WORKERS);
    assert_int_equal(check_pool_workers(pool), WORKERS);
    works(pool, PARA_EXECUTOR_THREADS, &report);
    para_pool_destroy(pool);
    assert_int_equal(atomic_load(&ended), WORKERS);
}

/* A unit that is run until another one has been: only a helper can do that. */
static _Atomic int arrived;

static int meet(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++) {
        atomic_fetch_add(&arrived, 1);
        set_door(true);
        while (atomic_load(&arrived) < 2)
            usleep(100);
    }
    return 0;
}

TEST(threads_join_a_call_that_runs_when_they_are_up)
{
    para_pool *pool = starting_pool(-1);
    atomic_store(&arrived, 0);
    OK(para_pmap(pool, &(para_map){.kernel = meet,
                                   .count = WORKERS,
                                   .options = {.executor = PARA_EXECUTOR_THREADS, .chunk = 1}}));
    assert_int_equal(atomic_load(&arrived), WORKERS);
    para_pool_destroy(pool);
}

TEST(a_thread_that_fails_later_leaves_a_pool_of_one)
{
    for (int refused = 0; refused < WORKERS; refused++) {
        para_pool *pool = starting_pool(refused);
        para_report report;
        works(pool, PARA_EXECUTOR_THREADS, &report);
        set_door(true);
        FAILS(PARA_ERR_WORKER_INIT, para_pool_wait_ready(pool));
        assert_non_null(strstr(para_status_detail(), "42"));
        FAILS(PARA_ERR_WORKER_INIT, para_pool_wait_ready_until(pool, 0));
        para_pool_info info = {.size = sizeof info};
        OK(para_pool_get_info(pool, &info));
        assert_int_equal(info.requested, WORKERS);
        assert_int_equal(info.workers, 1);
        assert_int_equal(info.thread_status, PARA_ERR_WORKER_INIT);
        assert_int_equal(info.pinned, 0);
        works(pool, PARA_EXECUTOR_THREADS, &report);
        assert_int_equal(report.workers, 1);
        para_pool_destroy(pool);
        assert_int_equal(atomic_load(&ended), WORKERS - 1);
    }
}

/* ---- Tasks --------------------------------------------------------------------------- */

static _Atomic int ran;

static int run_once(void *arg)
{
    (void)arg;
    atomic_fetch_add(&ran, 1);
    return 0;
}

static int answer(para_request *request, void *arg)
{
    (void)request;
    return run_once(arg);
}

TEST(a_submission_waits_for_the_start_until_its_deadline)
{
    para_pool *pool = starting_pool(-1);
    para_task task = {.run = run_once};
    para_request request = {.version = 0};
    para_entry entry = PARA_ENTRY_INIT;
    entry.run = answer;
    OK(para_register(pool, "answer", &entry));
    atomic_store(&ran, 0);
    FAILS(PARA_ERR_TIMEOUT, para_submit_until(pool, &task, 0));
    assert_non_null(strstr(para_status_detail(), "starting"));
    FAILS(PARA_ERR_TIMEOUT, para_submit_until(pool, &task, para_deadline_after(1000)));
    FAILS(PARA_ERR_TIMEOUT, para_dispatch_until(pool, "answer", NULL, 0, NULL, 0, &request, 0));
    FAILS(PARA_ERR_ARGUMENT, para_task_wait_until(&task, 0)); /* it was not submitted */
    set_door(true);
    OK(para_submit(pool, &task));
    OK(para_task_wait(&task));
    OK(para_dispatch_until(pool, "answer", NULL, 0, NULL, 0, &request, 0));
    OK(para_task_wait(&request.task));
    assert_int_equal(atomic_load(&ran), 2);
    para_pool_destroy(pool);
}

static para_pool *submits_to;

static int submit_in_kernel(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++) {
        para_task task = {.run = run_once};
        if (para_submit(submits_to, &task) || para_task_wait_until(&task, 0))
            return 1;
    }
    return 0;
}

/* It might be what the start waits for. */
TEST(a_shared_kernel_does_not_wait_for_the_start)
{
    para_pool *pool = starting_pool(-1);
    submits_to = pool;
    atomic_store(&ran, 0);
    OK(para_pmap(pool, &(para_map){.kernel = submit_in_kernel,
                                   .count = WORKERS,
                                   .options = {.executor = PARA_EXECUTOR_THREADS, .chunk = 1}}));
    assert_int_equal(atomic_load(&ran), WORKERS);
    set_door(true);
    para_pool_destroy(pool);
}

/* ---- Ends, children, hooks ------------------------------------------------------------ */

static void *open_soon(void *arg)
{
    usleep(2000);
    set_door(true);
    return arg;
}

TEST(a_pool_ends_while_it_starts)
{
    pthread_t thread;
    for (int i = 0; i < 3; i++) {
        para_pool *pool = starting_pool(-1);
        assert_int_equal(pthread_create(&thread, NULL, open_soon, NULL), 0);
        para_pool_destroy(pool);
        pthread_join(thread, NULL);
        assert_int_equal(atomic_load(&ended), atomic_load(&begun));
    }
    for (int i = 0; i < 200; i++) { /* at whatever point it is */
        para_pool_config config = PARA_POOL_CONFIG_INIT;
        config.workers = 1 + (unsigned)i % 9;
        para_pool *pool = NULL;
        OK(para_pool_create(&pool, &config));
        if (i % 3 == 0)
            works(pool, PARA_EXECUTOR_AUTO, NULL);
        para_pool_destroy(pool);
    }
}

static int ask_own_pool(unsigned worker, void *arg)
{
    (void)worker;
    (void)arg;
    while (!atomic_load(&own))
        usleep(100);
    para_pool_info info = {.size = sizeof info};
    if (para_pool_wait_ready(atomic_load(&own)) == PARA_ERR_BUSY &&
        para_pool_get_info(atomic_load(&own), &info) == PARA_OK && info.workers == WORKERS)
        atomic_fetch_add(&asked_within, 1);
    return 0;
}

TEST(a_worker_does_not_wait_for_itself)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = WORKERS;
    config.worker_init = ask_own_pool;
    config.start = PARA_START_BACKGROUND;
    para_pool *pool = NULL;
    OK(para_pool_create(&pool, &config));
    atomic_store(&own, pool);
    OK(para_pool_wait_ready(pool));
    assert_int_equal(atomic_load(&asked_within), WORKERS);
    if (CHILDREN_HAVE_THREADS) {
        const pid_t child = fork();
        if (child == 0) { /* nor the one that takes its place there */
            alarm(50);
            atomic_store(&asked_within, 0);
            const bool is_up =
                para_pool_restart(pool) == PARA_OK && atomic_load(&asked_within) == WORKERS;
            para_pool_destroy(pool);
            _exit(is_up ? 0 : 1);
        }
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
    para_pool_destroy(pool);
}

TEST(a_child_of_a_starting_pools_process_restarts_it)
{
    if (!CHILDREN_HAVE_THREADS || !FORKS_AMID_THREADS)
        skip();
    para_pool *pool = starting_pool(-1);
    const pid_t child = fork();
    if (child == 0) {
        alarm(50);
        para_pool_info info = {.size = sizeof info};
        if (para_pool_wait_ready(pool) != PARA_ERR_FORKED ||
            para_pool_get_info(pool, &info) != PARA_OK || !info.forked)
            _exit(1);
        pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER; /* a worker may have held it */
        mutex = fresh;
        is_open = true;
        if (para_pool_restart(pool) != PARA_OK || para_pool_wait_ready(pool) != PARA_OK ||
            para_pool_get_info(pool, &info) != PARA_OK || info.workers != WORKERS)
            _exit(2);
        para_pool_destroy(pool);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    set_door(true);
    OK(para_pool_wait_ready(pool));
    para_pool_destroy(pool);
}

TEST(creating_waits_where_it_is_asked_to)
{
    pthread_t thread;
    set_door(false);
    refuses = 1;
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = WORKERS;
    config.worker_init = wait_at_door;
    config.start = PARA_START_WAIT;
    para_pool *pool = NULL;
    assert_int_equal(pthread_create(&thread, NULL, open_soon, NULL), 0);
    FAILS(PARA_ERR_WORKER_INIT, para_pool_create(&pool, &config));
    assert_null(pool);
    pthread_join(thread, NULL);
    refuses = -1;
    OK(para_pool_create(&pool, &config));
    OK(para_pool_wait_ready_until(pool, 0));
    para_pool_destroy(pool);
    config.start = (para_start)3;
    FAILS(PARA_ERR_ARGUMENT, para_pool_create(&pool, &config));
}

TEST(the_default_pool_gets_ready)
{
    OK(para_pool_wait_ready(NULL));
    OK(para_pool_wait_ready_until(NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_run_while_threads_start),
        cmocka_unit_test(threads_join_a_call_that_runs_when_they_are_up),
        cmocka_unit_test(a_thread_that_fails_later_leaves_a_pool_of_one),
        cmocka_unit_test(a_submission_waits_for_the_start_until_its_deadline),
        cmocka_unit_test(a_shared_kernel_does_not_wait_for_the_start),
        cmocka_unit_test(a_pool_ends_while_it_starts),
        cmocka_unit_test(a_worker_does_not_wait_for_itself),
        cmocka_unit_test(a_child_of_a_starting_pools_process_restarts_it),
        cmocka_unit_test(creating_waits_where_it_is_asked_to),
        cmocka_unit_test(the_default_pool_gets_ready),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
