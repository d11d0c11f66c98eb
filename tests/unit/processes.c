/* Pools whose workers are processes: the same results as on threads, what is refused, and what is
 * left when they end. */
#include "../common/processes.h"

#include "../common/child.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { LENGTH = 100000, WORKERS = 3 };

static int axpy(const para_chunk *c, const void *arg)
{
    const double a = *(const double *)arg;
    const double *x = c->in[0], *y = c->in[1];
    double *z = c->out[0];
    for (size_t i = 0; i < c->count; i++)
        z[i] = a * x[i] + y[i];
    return 0;
}

static int fold_sum(const para_chunk *c, void *acc, const void *arg)
{
    const double *x = c->in[0];
    double *sum = acc;
    (void)arg;
    for (size_t i = 0; i < c->count; i++)
        *sum += x[i];
    return 0;
}

static void combine_sum(void *acc, const void *rhs, const void *arg)
{
    (void)arg;
    *(double *)acc += *(const double *)rhs;
}

static void fill_random(double *x, size_t count)
{
    uint64_t seed = 7;
    for (size_t i = 0; i < count; i++)
        x[i] = (double)check_below(&seed, 1000000) / 7;
}

TEST(maps_and_reductions)
{
    static const size_t counts[] = {0, 1, 2, 3, 17, 1000, LENGTH};
    static double expected[LENGTH];
    para_pool *const pool = process_pool(WORKERS, NULL);
    para_buffer *buffers[3];
    double *const x = shared_array(pool, &buffers[0], LENGTH);
    double *const y = shared_array(pool, &buffers[1], LENGTH);
    double *const z = shared_array(pool, &buffers[2], LENGTH);
    const double a = 1.75;
    fill_random(x, LENGTH);
    fill_random(y, LENGTH);
    for (size_t k = 0; k < COUNT_OF(counts); k++) {
        const size_t n = counts[k];
        para_map map = {.kernel = axpy,
                        .arg = &a,
                        .arg_bytes = sizeof a,
                        .count = n,
                        .in = {PARA_IN(x), PARA_IN(y)},
                        .out = {PARA_OUT(z)}};
        para_report report;
        map.report = &report;
        memset(z, 0, LENGTH * sizeof *z);
        OK(para_pmap(pool, &map));
        assert_int_equal(report.done, n);
        assert_int_equal(report.deaths, 0);
        if (n)
            assert_int_equal(report.why, PARA_WHY_PROCESSES);
        map.out[0].data = expected;
        memset(expected, 0, sizeof expected);
        OK(para_pmap(NULL, &map));
        assert_memory_equal(z, expected, sizeof expected);

        double sum = 3, same = 3;
        para_reduce reduce = {.kernel = fold_sum,
                              .combine = combine_sum,
                              .count = n,
                              .in = {PARA_IN(x)},
                              .result = &sum,
                              .result_bytes = sizeof sum};
        OK(para_preduce(pool, &reduce));
        reduce.result = &same;
        OK(para_preduce(NULL, &reduce));
        assert_memory_equal(&sum, &same, sizeof sum);
    }
    for (int i = 0; i < 3; i++)
        para_buffer_destroy(buffers[i]);
    OK(para_pool_destroy(pool));
}

static int fail_late(const para_chunk *c, const void *arg)
{
    const size_t bad = *(const size_t *)arg;
    return c->first <= bad && bad < c->first + c->count ? 42 : 0;
}

TEST(errors_of_kernels)
{
    para_pool *const pool = process_pool(WORKERS, NULL);
    para_buffer *buffer;
    double *const x = shared_array(pool, &buffer, LENGTH);
    const size_t bad = 54321;
    para_report report;
    para_map map = {.kernel = fail_late,
                    .arg = &bad,
                    .arg_bytes = sizeof bad,
                    .count = LENGTH,
                    .out = {PARA_OUT(x)},
                    .options = {.chunk = 10},
                    .report = &report};
    FAILS(PARA_ERR_KERNEL, para_pmap(pool, &map));
    assert_int_equal(report.kernel_error, 42);
    assert_int_equal(report.failed_first, 54320);
    assert_int_equal(report.failed_count, 10);
    assert_true(report.done >= 54330);
    para_buffer_destroy(buffer);
    OK(para_pool_destroy(pool));
}

static int copy_to_column(const para_chunk *c, const void *arg)
{
    (void)arg;
    for (size_t i = 0; i < c->count; i++)
        ((double *)c->out[0])[4 * i] = ((const double *)c->in[0])[i];
    return 0;
}

/* Memory that workers do not see is refused, or copied. */
TEST(memory_that_is_not_shared)
{
    para_pool *const pool = process_pool(WORKERS, NULL);
    para_buffer *buffer;
    double *const shared = shared_array(pool, &buffer, (size_t)2 * LENGTH);
    static double x[LENGTH], y[LENGTH], z[LENGTH];
    const double a = 3;
    fill_random(x, LENGTH);
    fill_random(y, LENGTH);
    para_map map = {.kernel = axpy,
                    .arg = &a,
                    .count = LENGTH,
                    .in = {PARA_IN(shared), PARA_IN(shared)},
                    .out = {PARA_OUT(shared + LENGTH)}};
    FAILS(PARA_ERR_NOT_SHARED, para_pmap(pool, &map));
    assert_non_null(strstr(para_status_detail(), "arg_bytes"));
    map.arg_bytes = sizeof a;
    OK(para_pmap(pool, &map));
    map.out[0] = PARA_OUT(&shared[2 * LENGTH - 1]); /* beyond the end of its buffer */
    FAILS(PARA_ERR_NOT_SHARED, para_pmap(pool, &map));
    map.out[0] = PARA_OUT(shared + LENGTH);
    map.in[0] = PARA_IN(x);
    FAILS(PARA_ERR_NOT_SHARED, para_pmap(pool, &map));
    assert_non_null(strstr(para_status_detail(), "in[0]"));
    map.in[1] = PARA_IN(y);
    map.out[0] = PARA_OUT(z);
    const para_survival copies = {.copies = true};
    map.options.survival = &copies;
    OK(para_pmap(pool, &map));
    size_t wrong = 0;
    for (size_t i = 0; i < LENGTH; i++)
        wrong += z[i] != a * x[i] + y[i];
    assert_int_equal(wrong, 0);

    /* In place, and a column of a matrix: what lies between its elements stays. */
    map.out[0] = PARA_OUT(y);
    OK(para_pmap(pool, &map));
    for (size_t i = 0; i < LENGTH; i++)
        wrong += y[i] != z[i];
    assert_int_equal(wrong, 0);
    memset(z, 0, sizeof z);
    map.kernel = copy_to_column;
    map.count = LENGTH / 4;
    map.out[0] = PARA_OUT(z + 1);
    map.strides = &(para_strides){.out = {4 * sizeof *z}};
    OK(para_pmap(pool, &map));
    for (size_t i = 0; i < LENGTH; i++)
        wrong += z[i] != (i % 4 == 1 ? x[i / 4] : 0);
    assert_int_equal(wrong, 0);
    para_buffer_destroy(buffer);
    OK(para_pool_destroy(pool));
}

TEST(what_is_refused)
{
    para_pool *const pool = process_pool(WORKERS, NULL);
    para_buffer *buffer;
    double *const x = shared_array(pool, &buffer, 16);
    const double a = 1;
    para_map map = {.kernel = axpy,
                    .arg = &a,
                    .arg_bytes = sizeof a,
                    .count = 16,
                    .in = {PARA_IN(x), PARA_IN(x)},
                    .out = {PARA_OUT(x)}};
    map.options.executor = PARA_EXECUTOR_PROCESSES;
    OK(para_pmap(pool, &map));
    FAILS(PARA_ERR_UNSUPPORTED, para_pmap(NULL, &map));
    map.options.executor = PARA_EXECUTOR_THREADS;
    FAILS(PARA_ERR_UNSUPPORTED, para_pmap(pool, &map));
    map.options.executor = PARA_EXECUTOR_SERIAL;
    FAILS(PARA_ERR_UNSUPPORTED, para_pmap(pool, &map));
    map.options.executor = PARA_EXECUTOR_AUTO;
    map.options.survival = &(para_survival){.fill = "abc", .fill_bytes = 3};
    FAILS(PARA_ERR_ARGUMENT, para_pmap(pool, &map));
    map.options.survival = &(para_survival){.on_crash = (para_on_crash)7};
    FAILS(PARA_ERR_ARGUMENT, para_pmap(pool, &map));
    FAILS(PARA_ERR_UNSUPPORTED, para_pool_resize(pool, 1));

    para_pool_info info = {.size = sizeof info};
    OK(para_pool_get_info(pool, &info));
    assert_true(info.processes);
    assert_int_equal(info.workers, WORKERS);
    para_worker_info worker = {.size = sizeof worker};
    OK(para_pool_get_worker(pool, 1, &worker));
    assert_int_equal(worker.deaths, 0);

    para_pool_config config = PARA_POOL_CONFIG_INIT;
    para_processes processes = PARA_PROCESSES_INIT;
    para_pool *other = NULL;
    config.processes = &processes;
    config.least_workers = 1;
    FAILS(PARA_ERR_ARGUMENT, para_pool_create(&other, &config));
    config.least_workers = 0;
    processes.size = 3;
    FAILS(PARA_ERR_ARGUMENT, para_pool_create(&other, &config));
    processes.size = sizeof processes;
    processes.files = 2;
    FAILS(PARA_ERR_ARGUMENT, para_pool_create(&other, &config));
    OK(para_pool_destroy(pool));
    x[0] = 5; /* a buffer outlives its pool */
    para_buffer_destroy(buffer);
}

/* Files that are mapped before and after the pool is made. */
TEST(mapped_files)
{
    char path[] = "/tmp/para-processes-XXXXXX";
    const int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(ftruncate(file, LENGTH * sizeof(double)), 0);
    close(file);
    para_buffer *buffers[3];
    OK(para_buffer_map_file(&buffers[0], path, PARA_FILE_WRITE));
    para_pool *const pool = process_pool(WORKERS, NULL);
    double *const x = shared_array(pool, &buffers[1], LENGTH);
    fill_random(x, LENGTH);
    const double a = 2;
    size_t wrong = 0;
    for (int late = 0; late < 2; late++) {
        if (late)
            OK(para_buffer_map_file(&buffers[2], path, PARA_FILE_WRITE));
        double *const y = para_buffer_data(buffers[late ? 2 : 0]);
        memset(y, 0, LENGTH * sizeof *y);
        OK(para_pmap(pool, &(para_map){.kernel = axpy,
                                       .arg = &a,
                                       .arg_bytes = sizeof a,
                                       .count = LENGTH,
                                       .in = {PARA_IN(x), PARA_IN(x)},
                                       .out = {PARA_OUT(y)}}));
        for (size_t i = 0; i < LENGTH; i++)
            wrong += y[i] != a * x[i] + x[i];
    }
    assert_int_equal(wrong, 0);
    unlink(path);
    for (int i = 0; i < 3; i++)
        para_buffer_destroy(buffers[i]);
    para_pool_info info = {.size = sizeof info};
    OK(para_pool_get_info(pool, &info));
    assert_int_equal(info.deaths, 0);
    OK(para_pool_destroy(pool));
}

/* A kernel from a library that is loaded when the workers are there already. */
TEST(kernels_loaded_later)
{
    para_pool *const pool = process_pool(WORKERS, NULL);
    para_buffer *buffers[2];
    double *const x = shared_array(pool, &buffers[0], LENGTH);
    double *const y = shared_array(pool, &buffers[1], LENGTH);
    fill_random(x, LENGTH);
    void *const plugin = dlopen(PROCESSES_PLUGIN, RTLD_NOW);
    assert_non_null(plugin);
    para_map_fn *const *const kernel = dlsym(plugin, "reported_kernel");
    assert_non_null(kernel);
    para_report report;
    OK(para_pmap(pool, &(para_map){.kernel = *kernel,
                                   .count = LENGTH,
                                   .in = {PARA_IN(x)},
                                   .out = {PARA_OUT(y)},
                                   .report = &report}));
    assert_int_equal(report.deaths, 0);
    assert_memory_equal(x, y, LENGTH * sizeof *x);
    para_buffer_destroy(buffers[0]);
    para_buffer_destroy(buffers[1]);
    OK(para_pool_destroy(pool));
    dlclose(plugin);
}

static int count_calls(const para_chunk *c, const void *arg)
{
    (void)arg;
    for (size_t i = 0; i < c->count; i++) {
        ((double *)c->out[0])[i] = 1;
        if (para_cancelled(c))
            return 1;
        usleep(1000);
    }
    return 0;
}

TEST(cancelled)
{
    para_pool *const pool = process_pool(WORKERS, NULL);
    para_buffer *buffer;
    double *const x = shared_array(pool, &buffer, LENGTH);
    para_cancel cancel = {.deadline_ns = para_deadline_after(20000000)};
    para_report report;
    FAILS(PARA_ERR_DEADLINE, para_pmap(pool, &(para_map){.kernel = count_calls,
                                                         .count = LENGTH,
                                                         .out = {PARA_OUT(x)},
                                                         .options = {.cancel = &cancel},
                                                         .report = &report}));
    assert_true(report.done < LENGTH);
    para_buffer_destroy(buffer);
    OK(para_pool_destroy(pool));
}

static int process_of(para_pool *pool, unsigned worker)
{
    para_worker_info info = {.size = sizeof info};
    return para_pool_get_worker(pool, worker, &info) ? -1 : info.process;
}

/* All that are there: the first call may have begun before the last of them was forked. */
static void await_alive(para_pool *pool)
{
    para_pool_info info = {.size = sizeof info};
    do {
        OK(para_pool_get_info(pool, &info));
        usleep(1000);
    } while (info.alive < info.workers);
}

TEST(nothing_is_left)
{
    const unsigned before = count_descriptors();
    para_pool *const pool = process_pool(WORKERS, NULL);
    int processes[WORKERS];
    await_alive(pool);
    for (unsigned w = 0; w < WORKERS; w++) {
        processes[w] = process_of(pool, w);
        assert_true(processes[w] > 0);
    }
    OK(para_pool_destroy(pool));
    assert_int_equal(count_descriptors(), before);
    errno = 0;
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* the zygote was waited for */
    assert_int_equal(errno, ECHILD);
    (void)processes;
}

/* Somebody else kills workers and the zygote: the pool has others soon. */
/* Not a group, which 0 and less stand for: it may be gone already. */
static void kill_process(int process)
{
    if (process > 0)
        kill(process, SIGKILL);
}

TEST(killed_from_outside)
{
    para_pool *const pool = process_pool(WORKERS, NULL);
    para_buffer *buffers[2];
    double *const x = shared_array(pool, &buffers[0], LENGTH);
    double *const y = shared_array(pool, &buffers[1], LENGTH);
    const double a = 2;
    fill_random(x, LENGTH);
    for (int i = 0; i < 20; i++) {
        await_alive(pool);
        const int worker = process_of(pool, (unsigned)i % WORKERS);
        if (worker > 0)
            kill_process(i % 5 == 4 ? parent_of(worker) : worker);
        memset(y, 0, LENGTH * sizeof *y);
        OK(para_pmap(pool, &(para_map){.kernel = axpy,
                                       .arg = &a,
                                       .arg_bytes = sizeof a,
                                       .count = LENGTH,
                                       .in = {PARA_IN(x), PARA_IN(x)},
                                       .out = {PARA_OUT(y)}}));
        size_t wrong = 0;
        for (size_t k = 0; k < LENGTH; k++)
            wrong += y[k] != a * x[k] + x[k];
        assert_int_equal(wrong, 0);
    }
    para_pool_info info = {.size = sizeof info};
    OK(para_pool_get_info(pool, &info));
    assert_true(info.deaths >= 10);
    para_buffer_destroy(buffers[0]);
    para_buffer_destroy(buffers[1]);
    OK(para_pool_destroy(pool));
}

/* The program dies by SIGKILL in the middle of a call: nobody survives it. This process takes its
 * orphans, so that it can wait for them. */
TEST(the_program_dies)
{
    int ready[2];
    char byte;
    if (!CHILDREN_HAVE_THREADS)
        skip();
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    const pid_t child = fork();
    if (child == 0) {
        para_pool_config config = PARA_POOL_CONFIG_INIT;
        const para_processes processes = PARA_PROCESSES_INIT;
        para_pool *pool = NULL;
        para_buffer *buffer;
        config.workers = WORKERS;
        config.processes = &processes;
        if (para_pool_create(&pool, &config) ||
            para_buffer_create(&buffer, pool, LENGTH, sizeof(double), NULL))
            _exit(1);
        if (write(ready[1], "x", 1) != 1)
            _exit(1);
        double *const x = para_buffer_data(buffer);
        (void)!para_pmap(pool,
                         &(para_map){.kernel = count_calls, .count = LENGTH, .out = {PARA_OUT(x)}});
        _exit(1);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    usleep(20000);
    kill(child, SIGKILL);
    /* The workers have no descriptor of the pipe, and all end. */
    assert_int_equal(read(ready[0], &byte, 1), 0);
    unsigned ended = 0;
    alarm(CHILD_SECONDS);
    while (waitpid(-1, NULL, 0) > 0)
        ended++;
    alarm(0);
    assert_int_equal(errno, ECHILD);
    assert_true(ended >= 2);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    close(ready[0]);
}

static para_pool *forked_pool;

static void use_in_child(void)
{
    double x[2] = {0};
    CHECK(para_pmap(forked_pool,
                    &(para_map){.kernel = count_calls, .count = 2, .out = {PARA_OUT(x)}}) ==
          PARA_ERR_FORKED);
    CHECK(para_pool_restart(forked_pool) == PARA_ERR_UNSUPPORTED);
    CHECK(para_pool_destroy(forked_pool) == PARA_OK);
}

TEST(forked)
{
    forked_pool = process_pool(WORKERS, NULL);
    para_buffer *buffer;
    double *const x = shared_array(forked_pool, &buffer, LENGTH);
    run_in_child(use_in_child);
    OK(para_pmap(forked_pool,
                 &(para_map){.kernel = count_calls, .count = 2, .out = {PARA_OUT(x)}}));
    para_buffer_destroy(buffer);
    OK(para_pool_destroy(forked_pool));
}

int main(void)
{
    if (UNDER_QEMU)
        return 0; /* it keeps a note for each page of a region, far more than there is memory */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_and_reductions),
        cmocka_unit_test(errors_of_kernels),
        cmocka_unit_test(memory_that_is_not_shared),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(mapped_files),
        cmocka_unit_test(kernels_loaded_later),
        cmocka_unit_test(cancelled),
        cmocka_unit_test(nothing_is_left),
        cmocka_unit_test(killed_from_outside),
        cmocka_unit_test(the_program_dies),
        cmocka_unit_test(forked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
