/* A process of small calls: nothing is read of the machine and no thread is created until there is
 * a call, or a question, that needs a pool. Each test is a process of its own. */
#include "../common/check.h"
#include "../common/child.h"

#include <dirent.h>
#include <errno.h>
#include <fenv.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SMALL = 100 };

static unsigned count_threads(void)
{
    unsigned count = 0;
    DIR *const threads = opendir("/proc/self/task");
    CHECK(threads);
    for (const struct dirent *thread; (thread = readdir(threads)) != NULL;)
        count += *thread->d_name != '.';
    closedir(threads);
    return count;
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

static para_report small_call(size_t scratch_bytes)
{
    int in[SMALL], out[SMALL];
    para_report report;
    for (int i = 0; i < SMALL; i++)
        in[i] = i;
    CHECK(para_pmap(NULL, &(para_map){.kernel = twice,
                                      .count = SMALL,
                                      .in = {PARA_IN(in)},
                                      .out = {PARA_OUT(out)},
                                      .scratch_bytes = scratch_bytes,
                                      .report = &report}) == PARA_OK);
    for (int i = 0; i < SMALL; i++)
        CHECK(out[i] == 2 * i);
    return report;
}

PARA_REDUCE_KERNEL(sum, int, s, int, v, s += v)
PARA_COMBINE(add, int, s, t, s += t)

static para_status small_sum(void)
{
    int in[SMALL], total = 0;
    for (int i = 0; i < SMALL; i++)
        in[i] = i;
    const para_status status = para_preduce(NULL, &(para_reduce){.kernel = sum,
                                                                 .combine = add,
                                                                 .count = SMALL,
                                                                 .in = {PARA_IN(in)},
                                                                 .result = &total,
                                                                 .result_bytes = sizeof total});
    CHECK(status || total == SMALL * (SMALL - 1) / 2);
    return status;
}

/* Elements that take so long, each: a millisecond is worth any pool. */
static int take_time(const para_chunk *chunk, const void *arg)
{
    const long ns = *(const long *)arg;
    for (size_t i = 0; i < chunk->count; i++) {
        struct timespec begin, now;
        clock_gettime(CLOCK_MONOTONIC, &begin);
        do
            clock_gettime(CLOCK_MONOTONIC, &now);
        while ((now.tv_sec - begin.tv_sec) * 1000000000 + now.tv_nsec - begin.tv_nsec < ns);
        ++*(_Atomic char *)((char *)chunk->out[0] + i);
    }
    return 0;
}

static para_report long_call(long ns, size_t count, para_executor executor)
{
    char out[4096] = {0};
    para_report report;
    CHECK(count <= sizeof out);
    CHECK(para_pmap(NULL, &(para_map){.kernel = take_time,
                                      .arg = &ns,
                                      .count = count,
                                      .out = {PARA_OUT(out)},
                                      .options.executor = executor,
                                      .report = &report}) == PARA_OK);
    for (size_t i = 0; i < count; i++)
        CHECK(out[i] == 1);
    return report;
}

static void with_workers(void)
{
    setenv("PARA_NUM_WORKERS", "3", 1);
}

/* Whether a thread was created. */
static int small_calls_body(void)
{
    const unsigned before = count_threads();
    with_workers();
    feclearexcept(FE_ALL_EXCEPT);
    errno = 77;
    for (int i = 0; i < 50; i++) {
        (void)small_call(i % 7 == 0 ? 1000 : 0);
        CHECK(small_sum() == PARA_OK);
    }
    CHECK(errno == 77 && !fetestexcept(FE_ALL_EXCEPT));
    para_pool_trim(NULL);
    return count_threads() != before;
}

/* A call that the system interrupts looks long. So one child of many will do. */
TEST(small_calls_create_no_thread)
{
    if (UNDER_QEMU)
        skip(); /* calls are not small there */
    int created = 1;
    for (int i = 0; i < 50 && created == 1; i++)
        created = in_child(small_calls_body);
    assert_int_equal(created, 0);
}

/* On a slow machine the small call has it made already, and its workers may not be up yet. */
static void long_call_body(void)
{
    with_workers();
    (void)small_call(0);
    unsigned width = 0;
    for (int i = 0; i < 100 && width <= 1; i++)
        width = long_call(200000, 100, PARA_EXECUTOR_AUTO).width;
    CHECK(width > 1);
    CHECK(para_pool_wait_ready(NULL) == PARA_OK);
    CHECK(check_pool_workers(NULL) == 3 && count_threads() > 3);
}

TEST(a_long_call_has_the_pool_made)
{
    run_in_child(long_call_body);
}

/* The novice plans for all CPUs, and the pool has one worker: what is left runs here. */
static void one_worker_body(void)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    CHECK(sched_setaffinity(0, sizeof one, &one) == 0);
    unsetenv("PARA_NUM_WORKERS");
    unsetenv("OMP_NUM_THREADS");
    for (int i = 0; i < 4; i++) {
        const para_report report = long_call(20000, 2000, PARA_EXECUTOR_AUTO);
        CHECK(report.workers == 1 && report.width == 1);
    }
    CHECK(check_pool_workers(NULL) == 1);
}

TEST(the_pool_that_is_made_may_have_one_worker)
{
    if (UNDER_QEMU || !CHILDREN_HAVE_THREADS)
        skip(); /* their own thread has all CPUs: it looks as if main alone was bound */
    run_in_child(one_worker_body);
}

static void asked_body(void)
{
    with_workers();
    (void)small_call(0);
    const para_report report = long_call(100, 100, PARA_EXECUTOR_THREADS);
    CHECK(report.why == PARA_WHY_ASKED && report.width == 3);
    CHECK(para_pool_wait_ready(NULL) == PARA_OK);
}

TEST(so_has_one_that_asks_for_threads)
{
    run_in_child(asked_body);
}

/* No single one is worth a pool, all of them are. */
static void many_calls_body(void)
{
    const unsigned before = count_threads();
    with_workers();
    int calls = 0;
    while (count_threads() == before && calls < 1000) {
        (void)long_call(1000, 200, PARA_EXECUTOR_AUTO);
        calls++;
        usleep(1000);
    }
    CHECK(calls < 1000);
}

TEST(many_calls_have_it_made_together)
{
    run_in_child(many_calls_body);
}

static void question_body(void)
{
    with_workers();
    (void)small_call(0);
    para_pool_info info = {.size = sizeof info};
    CHECK(para_pool_get_info(NULL, &info) == PARA_OK);
    CHECK(info.requested == 3 && info.workers == 3 && info.binding != PARA_BIND_AUTO);
    para_pool *const pool = para_default_pool();
    CHECK(pool && para_default_pool() == pool);
    CHECK(check_pool_workers(pool) == 3);
    (void)small_call(0);
}

TEST(a_question_is_answered_by_the_pool)
{
    run_in_child(question_body);
}

static void knowledge_body(void)
{
    with_workers();
    for (int i = 0; i < 20; i++)
        (void)small_call(0);
    para_calibration_info info = {.size = sizeof info};
    CHECK(para_calibration_get(NULL, &info) == PARA_OK);
    CHECK(info.sites == 1 && info.wake_ns < 500000);
}

TEST(the_pool_knows_what_was_learnt_before)
{
    run_in_child(knowledge_body);
}

/* Standard error, until it is read. */
static FILE *caught;

static void catch_stderr(void)
{
    caught = tmpfile();
    CHECK(caught && dup2(fileno(caught), STDERR_FILENO) == STDERR_FILENO);
}

/* How many lines it has, of which each begins with "para: NAME=". */
static unsigned lines_caught(const char *name)
{
    char line[600], begin[100];
    unsigned lines = 0;
    snprintf(begin, sizeof begin, "para: %s=", name);
    rewind(caught);
    for (; fgets(line, sizeof line, caught); lines++)
        CHECK(strncmp(line, begin, strlen(begin)) == 0 && strstr(line, "expected"));
    return lines;
}

static const char *const malformed[][2] = {
    {"PARA_NUM_WORKERS", "many"}, {"PARA_NUM_WORKERS", "1025"}, {"PARA_NUM_WORKERS", "2\n3"},
    {"PARA_PROC_BIND", "here"},   {"PARA_STACKSIZE", "big"},    {"PARA_WAIT_POLICY", "perhaps"},
    {"PARA_DISPLAY_ENV", "yes"},
};
static const char *const *variable;

/* Calls, questions and pools of the program's own, which stay strict. */
static void compute_with(unsigned lines, const char *name)
{
    CHECK(para_pmap(NULL, NULL) == PARA_ERR_ARGUMENT); /* its detail stays */
    CHECK(small_sum() == PARA_OK);
    (void)small_call(0);
    (void)long_call(200000, 100, PARA_EXECUTOR_THREADS);
    CHECK(strcmp(para_status_detail(), "there is no call") == 0);
    CHECK(para_pool_wait_ready(NULL) == PARA_OK && para_default_pool());
    CHECK(lines_caught(name) == lines);
}

static void malformed_body(void)
{
    catch_stderr();
    setenv(variable[0], variable[1], 1);
    compute_with(1, variable[0]);
    para_pool *own = NULL;
    CHECK(para_pool_create(&own, NULL) == PARA_ERR_ENVIRONMENT && !own);
    CHECK(strstr(para_status_detail(), variable[0]));
    CHECK(lines_caught(variable[0]) == 1);
}

TEST(a_malformed_variable_is_told_once_and_calls_compute)
{
    for (size_t i = 0; i < COUNT_OF(malformed); i++) {
        variable = malformed[i];
        run_in_child(malformed_body);
    }
}

/* Then it is as if it was not set: OpenMP's counts. */
static void instead_body(void)
{
    catch_stderr();
    setenv("PARA_NUM_WORKERS", "many", 1);
    setenv("OMP_NUM_THREADS", "5", 1);
    (void)small_call(0);
    para_pool_info info = {.size = sizeof info};
    CHECK(para_pool_get_info(NULL, &info) == PARA_OK && info.requested == 5);
    CHECK(lines_caught("PARA_NUM_WORKERS") == 1);
}

TEST(a_malformed_variable_is_as_if_not_set)
{
    run_in_child(instead_body);
}

static const char *const foreign[][2] = {
    {"OMP_NUM_THREADS", "all"},       {"OMP_STACKSIZE", "big"},
    {"OMP_WAIT_POLICY", "perhaps"},   {"OMP_PROC_BIND", "here"},
    {"OMP_PLACES", "{nowhere"},       {"GOMP_CPU_AFFINITY", "x-y"},
    {"HWLOC_SYNTHETIC", "none such"}, {"HWLOC_XMLFILE", "/nonexistent"},
};

static void foreign_body(void)
{
    catch_stderr();
    setenv(variable[0], variable[1], 1);
    compute_with(0, "");
}

TEST(a_foreign_variable_is_passed_over)
{
    for (size_t i = 0; i < COUNT_OF(foreign); i++) {
        variable = foreign[i];
        run_in_child(foreign_body);
    }
}

/* A description counts if it can be read. Of one that cannot, a pool of the program's own and a
 * question about the machine are told. */
static void described_body(void)
{
    setenv("HWLOC_SYNTHETIC", "none such", 1);
    (void)small_call(0);
    para_pool *own = NULL;
    para_topology_info machine = {.size = sizeof machine};
    CHECK(para_pool_create(&own, NULL) == PARA_ERR_TOPOLOGY);
    CHECK(para_topology_get_info(&machine) == PARA_ERR_TOPOLOGY);
}

static void well_described_body(void)
{
    setenv("HWLOC_SYNTHETIC", "core:4 pu:1", 1);
    (void)small_call(0);
    CHECK(check_pool_workers(NULL) == 4);
}

TEST(a_description_counts_if_it_can_be_read)
{
    run_in_child(described_body);
    run_in_child(well_described_body);
}

/* Children by fork() begin anew, with a novice. */
static void fork_body(void)
{
    with_workers();
    (void)small_call(0);
    const pid_t child = fork();
    if (child == 0) {
        alarm(20);
        (void)small_call(0);
        (void)long_call(200000, 100, PARA_EXECUTOR_AUTO);
        CHECK(para_pool_wait_ready(NULL) == PARA_OK);
        _exit(0);
    }
    int status = 0;
    CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    (void)small_call(0);
    CHECK(check_pool_workers(NULL) == 3);
}

TEST(a_child_has_its_own)
{
    if (!CHILDREN_HAVE_THREADS)
        skip();
    run_in_child(fork_body);
}

/* Calls of several threads, of which one has the pool made while the others are in theirs. */
static void *call_repeatedly(void *arg)
{
    const bool is_long = arg != NULL;
    for (int i = 0; i < 50; i++)
        if (is_long && i > 20)
            (void)long_call(20000, 100, PARA_EXECUTOR_THREADS);
        else {
            (void)small_sum();
            (void)long_call(1000, 20, PARA_EXECUTOR_AUTO);
        }
    return arg;
}

static void threads_body(void)
{
    pthread_t thread[3];
    with_workers();
    for (int i = 0; i < 3; i++)
        CHECK(pthread_create(&thread[i], NULL, call_repeatedly, i ? thread : NULL) == 0);
    for (int i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);
    CHECK(check_pool_workers(NULL) == 3);
}

TEST(threads_may_call_while_it_is_made)
{
    run_in_child(threads_body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_calls_create_no_thread),
        cmocka_unit_test(a_long_call_has_the_pool_made),
        cmocka_unit_test(the_pool_that_is_made_may_have_one_worker),
        cmocka_unit_test(so_has_one_that_asks_for_threads),
        cmocka_unit_test(many_calls_have_it_made_together),
        cmocka_unit_test(a_question_is_answered_by_the_pool),
        cmocka_unit_test(the_pool_knows_what_was_learnt_before),
        cmocka_unit_test(a_malformed_variable_is_told_once_and_calls_compute),
        cmocka_unit_test(a_malformed_variable_is_as_if_not_set),
        cmocka_unit_test(a_foreign_variable_is_passed_over),
        cmocka_unit_test(a_description_counts_if_it_can_be_read),
        cmocka_unit_test(a_child_has_its_own),
        cmocka_unit_test(threads_may_call_while_it_is_made),
    };
    unsetenv("HWLOC_SYNTHETIC");
    unsetenv("HWLOC_XMLFILE");
    unsetenv("PARA_DISPLAY_ENV");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
