/* para_trace_start and its like: what they refuse, and that nothing is lost by it. */
#include "../common/check.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/para-trace-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/trace.json", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

static para_trace_info get(void)
{
    para_trace_info info = {.size = sizeof info};
    OK(para_trace_get(&info));
    return info;
}

PARA_LOOP(fill, i, double *, v)
{
    v[i] = (double)i;
}

static void make_call(para_pool *pool)
{
    static double v[1000];
    OK(para_loop_with((&(para_setup){.pool = pool, .options = {.executor = PARA_EXECUTOR_THREADS}}),
                      fill, 1000, v));
    assert_true(v[999] == 999);
}

TEST(one_at_a_time)
{
    FAILS(PARA_ERR_ARGUMENT, para_trace_stop());
    OK(para_trace_start(path));
    assert_int_equal(get().is_on, 1);
    FAILS(PARA_ERR_BUSY, para_trace_start(path));
    OK(para_trace_stop());
    assert_int_equal(get().is_on, 0);
    FAILS(PARA_ERR_ARGUMENT, para_trace_stop());
}

TEST(what_is_no_file_is_refused)
{
    char fifo[80];
    snprintf(fifo, sizeof fifo, "%s/fifo", folder);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    FAILS(PARA_ERR_ARGUMENT, para_trace_start(NULL));
    FAILS(PARA_ERR_ARGUMENT, para_trace_start(""));
    FAILS(PARA_ERR_FILE, para_trace_start(folder));
    FAILS(PARA_ERR_FILE, para_trace_start(fifo));
    FAILS(PARA_ERR_FILE, para_trace_start("/nowhere/x.json"));
    assert_int_equal(unlink(fifo), 0);
    FAILS(PARA_ERR_ARGUMENT, para_trace_get(NULL));
    assert_int_equal(get().is_on, 0);
}

TEST(a_disk_that_is_full_is_told)
{
    FAILS(PARA_ERR_FILE, para_trace_start("/dev/full"));
    assert_non_null(strstr(para_status_detail(), strerror(ENOSPC)));
    assert_int_equal(get().is_on, 0);
}

TEST(a_file_that_grows_too_long_is_told)
{
    para_pool *const pool = check_pool(2);
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    const struct rlimit little = {.rlim_cur = 4096, .rlim_max = before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    OK(para_trace_start(path));
    for (int i = 0; i < 200; i++)
        make_call(pool);
    FAILS(PARA_ERR_FILE, para_trace_stop());
    assert_non_null(strstr(para_status_detail(), strerror(EFBIG)));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    OK(para_trace_start(path));
    make_call(pool);
    OK(para_trace_stop());
    para_pool_destroy(pool);
}

/* Of a thread with more events than its ring holds some may be lost: none that is not counted. */
TEST(what_is_lost_is_counted)
{
    enum { CALLS = 20000 };
    para_pool *const pool = check_pool(1);
    OK(para_trace_start(path));
    for (int i = 0; i < CALLS; i++)
        make_call(pool);
    OK(para_trace_stop());
    const para_trace_info info = get();
    assert_int_equal(info.events + info.dropped, 2 * CALLS); /* begun, and ended */
    para_pool_destroy(pool);
}

static void *call_once(void *pool)
{
    static double v[8];
    return para_loop_with(
               (&(para_setup){.pool = pool, .options = {.executor = PARA_EXECUTOR_SERIAL}}), fill,
               1, v) == PARA_OK
               ? NULL
               : pool;
}

/* Threads that come and go have each other's memory. */
TEST(threads_that_end_leave_their_memory)
{
    enum { THREADS = 1500 };
    para_pool *const pool = check_pool(1);
    OK(para_trace_start(path));
    for (int i = 0; i < THREADS; i++) {
        pthread_t thread;
        void *failed = NULL;
        assert_int_equal(pthread_create(&thread, NULL, call_once, pool), 0);
        assert_int_equal(pthread_join(thread, &failed), 0);
        assert_null(failed);
    }
    OK(para_trace_stop());
    const para_trace_info info = get();
    assert_int_equal(info.events, 2 * THREADS); /* as above */
    assert_int_equal(info.dropped, 0);
    assert_true(info.threads <= 1088);
    para_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_at_a_time),
        cmocka_unit_test(what_is_no_file_is_refused),
        cmocka_unit_test(a_disk_that_is_full_is_told),
        cmocka_unit_test(a_file_that_grows_too_long_is_told),
        cmocka_unit_test(what_is_lost_is_counted),
        cmocka_unit_test(threads_that_end_leave_their_memory),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
