/* para_pool_resize: calls and tasks follow, nothing is lost, and who is left out sleeps. */
#include "../common/check.h"

#include <dirent.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WORKERS = 4, N = 20000 };

static para_pool *pool;
static double x[N];

static int begin(void **state)
{
    (void)state;
    pool = check_pool(WORKERS);
    for (int i = 0; i < N; i++)
        x[i] = sin(i);
    return 0;
}

static int end(void **state)
{
    (void)state;
    para_pool_destroy(pool);
    return 0;
}

PARA_REDUCE_KERNEL(sum, double, s, double, v, s += v)
PARA_COMBINE(add, double, s, t, s += t)

static para_status sum_of(double *total)
{
    *total = 0;
    return para_preduce(pool, &(para_reduce){.kernel = sum,
                                             .combine = add,
                                             .count = N,
                                             .in = {PARA_IN(x)},
                                             .result = total,
                                             .result_bytes = sizeof *total,
                                             .options.executor = PARA_EXECUTOR_THREADS});
}

static _Atomic unsigned beyond; /* chunks of a participant whose number is not below the size */

static int count_beyond(const para_chunk *chunk, const void *arg)
{
    if (chunk->worker >= *(const unsigned *)arg)
        atomic_fetch_add(&beyond, 1);
    return 0;
}

static unsigned width_at(unsigned size)
{
    para_report report;
    OK(para_pmap(pool, &(para_map){.kernel = count_beyond,
                                   .arg = &size,
                                   .count = N,
                                   .options.executor = PARA_EXECUTOR_THREADS,
                                   .report = &report}));
    return report.width;
}

TEST(calls_follow)
{
    const unsigned sizes[] = {4, 1, 3, 2, 4, 2, 1, 4};
    double first = 0;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        OK(para_pool_resize(pool, sizes[i]));
        assert_int_equal(check_pool_workers(pool), sizes[i]);
        assert_int_equal(width_at(sizes[i]), sizes[i]);
        double total;
        OK(sum_of(&total));
        first = i ? first : total;
        assert_memory_equal(&total, &first, sizeof total); /* the same bits at any size */
        para_pool_info info = {.size = sizeof info};
        OK(para_pool_get_info(pool, &info));
        assert_true(info.requested == WORKERS && info.thread_status == PARA_OK);
    }
    assert_int_equal(beyond, 0);
}

TEST(bad_sizes)
{
    FAILS(PARA_ERR_ARGUMENT, para_pool_resize(pool, 0));
    FAILS(PARA_ERR_ARGUMENT, para_pool_resize(pool, WORKERS + 1));
    assert_int_equal(check_pool_workers(pool), WORKERS);
    para_pool *const one = check_pool(1);
    OK(para_pool_resize(one, 1));
    FAILS(PARA_ERR_ARGUMENT, para_pool_resize(one, 2));
    para_pool_destroy(one);
    const unsigned all = check_pool_workers(NULL);
    OK(para_pool_resize(NULL, 1));
    OK(para_pool_resize(NULL, all));
}

/* ---- Tasks ------------------------------------------------------------------------------ */

static _Atomic unsigned running, most_running, done;

static int run_task(void *arg)
{
    const unsigned now = atomic_fetch_add(&running, 1) + 1;
    unsigned most = atomic_load(&most_running);
    while (now > most && !atomic_compare_exchange_weak(&most_running, &most, now)) {
    }
    usleep(*(const unsigned *)arg);
    atomic_fetch_sub(&running, 1);
    atomic_fetch_add(&done, 1);
    return 0;
}

enum { TASKS = 40 };

static void await_done(void)
{
    while (atomic_load(&done) < TASKS) /* a wait would help */
        usleep(100);
}

static void run_tasks(unsigned size)
{
    static para_task tasks[TASKS];
    unsigned us = 500;
    para_task_group group = {0};
    OK(para_pool_resize(pool, size));
    done = most_running = 0;
    memset(tasks, 0, sizeof tasks);
    for (int i = 0; i < TASKS; i++) {
        tasks[i] = (para_task){.run = run_task, .arg = &us, .group = &group};
        OK(para_submit(pool, &tasks[i]));
    }
    await_done();
    OK(para_task_group_wait(&group));
    assert_in_range(most_running, 1, size);
}

TEST(tasks_follow)
{
    for (unsigned size = 1; size <= WORKERS; size++)
        run_tasks(size);
    run_tasks(1);
}

static para_task children[TASKS];

static int submit_and_shrink(void *arg)
{
    for (int i = 0; i < TASKS; i++) {
        children[i] = (para_task){.run = run_task, .arg = arg};
        if (para_submit(pool, &children[i]))
            return 1;
    }
    return para_pool_resize(pool, 1);
}

/* Tasks lie in the deque of a worker that is left out before it comes to them. */
TEST(what_a_worker_leaves_behind_is_run)
{
    unsigned us = 0;
    for (int round = 0; round < 50; round++) {
        OK(para_pool_resize(pool, WORKERS));
        done = 0;
        memset(children, 0, sizeof children);
        para_task parent = {.run = submit_and_shrink, .arg = &us};
        OK(para_submit(pool, &parent));
        await_done();
        OK(para_task_wait(&parent));
        for (int i = 0; i < TASKS; i++)
            OK(para_task_wait(&children[i]));
    }
}

/* ---- Under load ------------------------------------------------------------------------- */

static _Atomic bool stops;
static _Atomic unsigned wrong;

static void *call_and_submit(void *arg)
{
    double expected = 0;
    (void)arg;
    for (int round = 0; round == 0 || !atomic_load(&stops); round++) {
        double total = 0;
        unsigned us = 0;
        para_task task = {.run = run_task, .arg = &us};
        const bool failed = para_submit(pool, &task) || sum_of(&total) || para_task_wait(&task);
        atomic_fetch_add(&wrong, failed || (round && total != expected));
        expected = total;
    }
    return NULL;
}

static void *resize_at_random(void *arg)
{
    uint64_t state = (uintptr_t)arg;
    for (int i = 0; i < 2000; i++) {
        const unsigned size = 1 + (unsigned)check_below(&state, WORKERS);
        atomic_fetch_add(&wrong, para_pool_resize(pool, size) != PARA_OK);
    }
    return NULL;
}

TEST(nothing_is_lost_under_load)
{
    pthread_t callers[3], resizers[2];
    stops = false;
    for (size_t i = 0; i < COUNT_OF(callers); i++)
        assert_int_equal(pthread_create(&callers[i], NULL, call_and_submit, NULL), 0);
    for (size_t i = 0; i < COUNT_OF(resizers); i++)
        assert_int_equal(pthread_create(&resizers[i], NULL, resize_at_random, (void *)(i + 1)), 0);
    for (size_t i = 0; i < COUNT_OF(resizers); i++)
        pthread_join(resizers[i], NULL);
    stops = true;
    for (size_t i = 0; i < COUNT_OF(callers); i++)
        pthread_join(callers[i], NULL);
    assert_int_equal(wrong, 0);
    OK(para_pool_resize(pool, WORKERS));
    assert_int_equal(width_at(WORKERS), WORKERS);
}

/* ---- Sleep ------------------------------------------------------------------------------ */

/* How often the workers of the pool that have no number below `size` have left their CPUs. The
 * default pool has workers of the same names: they sleep. */
static unsigned long switches_beyond(unsigned size)
{
    unsigned long sum = 0;
    DIR *const threads = opendir("/proc/self/task");
    const struct dirent *thread;
    while (threads && (thread = readdir(threads))) {
        char path[300], line[128];
        unsigned long times = 0;
        unsigned worker = 0;
        snprintf(path, sizeof path, "/proc/self/task/%s/status", thread->d_name);
        FILE *const file = fopen(path, "r");
        while (file && fgets(line, sizeof line, file))
            if (sscanf(line, "Name:\tpara-%u", &worker) != 1)
                (void)sscanf(line, "voluntary_ctxt_switches: %lu", &times);
        if (file)
            fclose(file);
        sum += worker >= size ? times : 0;
    }
    if (threads)
        closedir(threads);
    return sum;
}

TEST(who_is_left_out_sleeps)
{
    if (UNDER_QEMU)
        skip(); /* whose threads have other names */
    run_tasks(WORKERS);
    assert_true(switches_beyond(2) > 0);
    OK(para_pool_resize(pool, 2));
    usleep(20000); /* for them to lie down */
    const unsigned long before = switches_beyond(2);
    run_tasks(2);
    for (int i = 0; i < 100; i++) {
        double total;
        OK(sum_of(&total));
        usleep(200);
    }
    assert_int_equal(switches_beyond(2), before);
    OK(para_pool_resize(pool, WORKERS));
    run_tasks(WORKERS);
}

/* The worker that stays sleeps, and a caller is in its place, when the one that is left out hands
 * over a task. Whoever comes late makes the round easier, not wrong. */
static _Atomic unsigned in_kernel, out_of_kernel;
static _Atomic bool is_smaller, has_run;

static int note_run(void *unused)
{
    (void)unused;
    has_run = true;
    return 0;
}

static void wait_for(_Atomic unsigned *count)
{
    for (unsigned i = 0; *count < 2 && i < 500; i++)
        usleep(100);
}

static int stay_longer(const para_chunk *chunk, const void *arg)
{
    const pthread_t *const caller = arg;
    (void)chunk;
    in_kernel++;
    wait_for(&in_kernel);
    while (!is_smaller)
        usleep(100);
    out_of_kernel++;
    if (pthread_equal(pthread_self(), *caller)) {
        wait_for(&out_of_kernel);
        usleep(3000); /* the other one goes to sleep */
    }
    return 0;
}

static para_task left;

static void *make_smaller(void *of)
{
    wait_for(&in_kernel);
    if (para_pool_resize(of, 1) == PARA_OK && para_submit(of, &left) == PARA_OK)
        is_smaller = true;
    return NULL;
}

TEST(who_is_left_out_wakes_one_whose_place_is_taken)
{
    para_pool *const two = check_pool(2);
    const pthread_t caller = pthread_self();
    for (int round = 0; round < 10; round++) {
        pthread_t other;
        OK(para_pool_resize(two, 2));
        usleep(3000); /* both sleep */
        in_kernel = out_of_kernel = 0;
        is_smaller = has_run = false;
        left = (para_task){.run = note_run, .is_detached = true};
        assert_int_equal(pthread_create(&other, NULL, make_smaller, two), 0);
        OK(para_pmap(two, &(para_map){.kernel = stay_longer,
                                      .arg = &caller,
                                      .count = 2,
                                      .options = {.executor = PARA_EXECUTOR_THREADS, .chunk = 1}}));
        pthread_join(other, NULL);
        while (!has_run)
            usleep(100);
    }
    para_pool_destroy(two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_follow),
        cmocka_unit_test(bad_sizes),
        cmocka_unit_test(tasks_follow),
        cmocka_unit_test(what_a_worker_leaves_behind_is_run),
        cmocka_unit_test(nothing_is_lost_under_load),
        cmocka_unit_test(who_is_left_out_sleeps),
        cmocka_unit_test(who_is_left_out_wakes_one_whose_place_is_taken),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
