/* PARA_REPORT: what a process prints when it ends. The program runs itself again for each scenario,
 * since the variable is read when para is loaded. */
#include "../common/child.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 1000 };
static double x[N];
static _Thread_local double y[N]; /* of the calling thread */

PARA_LOOP(twice, i, const double *, from, double *, to)
{
    to[i] = 2 * from[i];
}
enum { LOOP_LINE = __LINE__ - 4 };
PARA_SUM(total, double, i, const double *, from)
{
    return from[i];
}
PARA_MAP_KERNEL(square, double, double, v, v *v)
PARA_REDUCE_KERNEL(sum, double, s, double, v, s += v)
PARA_COMBINE(add, double, s, t, s += t)
PARA_SCAN_KERNEL(sums, double, s, double, v, s += v)
PARA_FILTER_KERNEL(positive, double, v, v > 0)
PARA_FIND_KERNEL(negative, double, v, v < 0)
PARA_COMPARE(before, double, a, b, a < b)

static int plain_kernel(const para_chunk *chunk, const void *arg)
{
    (void)chunk;
    return arg ? *(const int *)arg : 0;
}

static void map_on(para_pool *pool, para_map_fn *kernel, para_options options)
{
    CHECK(para_pmap(pool, &(para_map){.kernel = kernel,
                                      .count = N,
                                      .in = {PARA_IN(x)},
                                      .out = {PARA_OUT(y)},
                                      .options = options}) == PARA_OK);
}

static const para_options threads = {.executor = PARA_EXECUTOR_THREADS};
static const para_options serial = {.executor = PARA_EXECUTOR_SERIAL};

/* ---- Scenarios ------------------------------------------------------------------------ */

static void every_kind(void)
{
    double s = 0;
    size_t kept, found;
    for (int i = 0; i < 5; i++)
        CHECK(para_loop(twice, N, x, y) == PARA_OK);
    s += para_reduced(total, N, x);
    map_on(NULL, square, (para_options){0});
    map_on(NULL, plain_kernel, (para_options){0});
    CHECK(para_preduce(NULL, &(para_reduce){.kernel = sum,
                                            .combine = add,
                                            .count = N,
                                            .in = {PARA_IN(x)},
                                            .result = &s,
                                            .result_bytes = sizeof s}) == PARA_OK);
    CHECK(para_pscan(NULL, &(para_scan){.kernel = sums,
                                        .combine = add,
                                        .count = N,
                                        .in = {PARA_IN(x)},
                                        .out = {PARA_OUT(y)},
                                        .result = &s,
                                        .result_bytes = sizeof s}) == PARA_OK);
    CHECK(para_pfilter(NULL, &(para_filter){.kernel = positive,
                                            .count = N,
                                            .in = {PARA_IN(x)},
                                            .out = {PARA_OUT(y)},
                                            .kept = &kept}) == PARA_OK);
    CHECK(para_pfind(
              NULL,
              &(para_find){.kernel = negative, .count = N, .in = {PARA_IN(x)}, .found = &found}) ==
          PARA_OK);
    for (int i = 0; i < N; i++)
        y[i] = (i * 7919) % N;
    CHECK(para_psort(NULL, &(para_sort){.data = PARA_OUT(y), .count = N, .compare = before}) ==
          PARA_OK);
}

static void several_pools(void)
{
    para_pool *pools[2];
    for (int p = 0; p < 2; p++) {
        para_pool_config config = PARA_POOL_CONFIG_INIT;
        config.workers = 2;
        config.start = PARA_START_WAIT;
        CHECK(para_pool_create(&pools[p], &config) == PARA_OK);
        map_on(pools[p], square, threads);
        map_on(pools[p], square, serial);
        para_pool_destroy(pools[p]);
    }
    map_on(NULL, square, (para_options){.executor = PARA_EXECUTOR_SERIAL, .site = 7});
    const int error = 3;
    CHECK(para_pmap(
              NULL,
              &(para_map){.kernel = plain_kernel, .arg = &error, .count = 1, .options = serial}) ==
          PARA_ERR_KERNEL);
}

static void forking(void)
{
    map_on(NULL, square, serial);
    map_on(NULL, square, serial);
    const pid_t child = fork();
    if (child == 0) {
        map_on(NULL, square, serial);
        exit(0);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void leaving(void)
{
    map_on(NULL, square, serial);
    _exit(0);
}

static void *call_on(void *pool)
{
    for (;;)
        map_on(pool, square, threads);
    return NULL;
}

static void amid_calls(void)
{
    pthread_t thread;
    for (int i = 0; i < 3; i++)
        CHECK(pthread_create(&thread, NULL, call_on, para_default_pool()) == 0);
    usleep(20000);
}

static int end_within(const para_chunk *chunk, const void *arg)
{
    (void)chunk;
    (void)arg;
    exit(0);
}

static void within_kernel(void)
{
    map_on(NULL, square, serial);
    map_on(NULL, end_within, serial);
}

static void closed(void)
{
    map_on(NULL, square, serial);
    fclose(stderr);
}

#ifdef REPORTED_PLUGINS
/* One after the other, most likely at the same addresses. */
static void plugins(void)
{
    static const char *const paths[] = {REPORTED_PLUGINS};
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        void *const plugin = dlopen(paths[i], RTLD_NOW);
        CHECK(plugin);
        map_on(NULL, *(para_map_fn **)dlsym(plugin, "reported_kernel"), serial);
        dlclose(plugin);
    }
}
#endif

static const struct {
    const char *name;
    void (*run)(void);
} scenarios[] = {
    {"every_kind", every_kind}, {"several_pools", several_pools}, {"forking", forking},
    {"leaving", leaving},       {"amid_calls", amid_calls},       {"within_kernel", within_kernel},
    {"closed", closed},
#ifdef REPORTED_PLUGINS
    {"plugins", plugins},
#endif
};

/* ---- Tests ---------------------------------------------------------------------------- */

static char said[20000];

/* Runs the scenario with that PARA_REPORT; what it says on standard error is in `said`. */
static void run(const char *scenario, const char *value)
{
    FILE *const caught = tmpfile();
    assert_non_null(caught);
    const pid_t child = fork();
    if (child == 0) {
        alarm(CHILD_SECONDS);
        setenv("PARA_NUM_WORKERS", "2", 1);
        setenv("PARA_REPORT", value, 1);
        dup2(fileno(caught), STDERR_FILENO);
        execl("/proc/self/exe", "reported", scenario, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(status_of_child(child), 0);
    rewind(caught);
    said[fread(said, 1, sizeof said - 1, caught)] = '\0';
    fclose(caught);
}

/* The line of the kernel, from the n-th report. Its numbers. */
typedef struct row {
    unsigned long calls, serial, shared;
    double workers, ms;
    char alone[32], name[80], place[150], why[200];
} row;

static row row_of(const char *name, const char *from)
{
    row r = {0};
    char head[100];
    assert_non_null(from);
    for (const char *line = from; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (sscanf(line, "%lu %lu %lu %lf %lf %31s %79s (%149[^)])%199[^\n]", &r.calls, &r.serial,
                   &r.shared, &r.workers, &r.ms, r.alone, r.name, r.place, r.why) == 9 &&
            strcmp(r.name, name) == 0)
            return r;
    }
    snprintf(head, sizeof head, "no %s in:", name);
    fail_msg("%s %s", head, from);
    return r;
}

static unsigned reports(void)
{
    unsigned count = 0;
    for (const char *at = said; (at = strstr(at, "para: report of process ")); at++)
        count++;
    return count;
}

TEST(each_kernel_has_its_name_and_line)
{
    static const char *const names[] = {"twice",    "total",    "square", "sum",
                                        "positive", "negative", "before"};
    run("every_kind", "1");
    assert_int_equal(reports(), 1);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_non_null(strstr(row_of(names[i], said).place, "reported.c:"));
    const row r = row_of("twice", said);
    char place[40];
    snprintf(place, sizeof place, "reported.c:%d", (int)LOOP_LINE);
    assert_string_equal(r.place, place);
    assert_int_equal(r.calls, 5);
    assert_int_equal(r.serial + r.shared, 5);
    assert_true(r.ms > 0 && r.ms < 1e5);
    (void)row_of("sums", said);
    assert_null(strstr(row_of("plain_kernel", said).place, "reported.c"));
}

TEST(calls_of_all_pools_are_counted)
{
    run("several_pools", "1");
    const row r = row_of("square", strstr(said, "square") ? said : NULL);
    assert_true(r.calls == 4 || r.calls == 1); /* the site has a line of its own */
    assert_non_null(strstr(said, " site 0x7: "));
    assert_int_equal(row_of("plain_kernel", said).calls, 1);
    assert_non_null(strstr(said, "         4          2          2 "));
    assert_non_null(strstr(said, " unknown  square"));
    assert_non_null(strstr(said, "as the options asked"));
}

TEST(nothing_without_it)
{
    static const char *const off[] = {"", "0"};
    for (size_t i = 0; i < COUNT_OF(off); i++) {
        run("several_pools", off[i]);
        assert_string_equal(said, "");
    }
}

TEST(another_value_is_told_in_one_line)
{
    run("several_pools", "yes");
    assert_string_equal(said, "para: PARA_REPORT=yes: expected 1 or 0, true or false; ignored\n");
}

TEST(a_child_reports_its_own)
{
    if (!CHILDREN_HAVE_THREADS)
        skip();
    run("forking", "1");
    assert_int_equal(reports(), 2);
    assert_int_equal(row_of("square", said).calls, 1); /* the child ends first */
    assert_int_equal(row_of("square", strstr(said + 1, "para: report")).calls, 2);
}

TEST(ends_of_all_kinds)
{
    run("leaving", "1");
    assert_string_equal(said, "");
    run("amid_calls", "1");
    assert_true(row_of("square", said).calls > 0);
    run("within_kernel", "1");
    assert_int_equal(row_of("square", said).calls, 1);
    assert_null(strstr(said, "end_within"));
    run("closed", "1");
    assert_string_equal(said, "");
}

TEST(libraries_that_are_unloaded)
{
#ifdef REPORTED_PLUGINS
    run("plugins", "1");
    assert_int_equal(row_of("kernel_of_one", said).calls, 1);
    assert_int_equal(row_of("kernel_of_two", said).calls, 1);
#endif
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kernel_has_its_name_and_line),
        cmocka_unit_test(calls_of_all_pools_are_counted),
        cmocka_unit_test(nothing_without_it),
        cmocka_unit_test(another_value_is_told_in_one_line),
        cmocka_unit_test(a_child_reports_its_own),
        cmocka_unit_test(ends_of_all_kinds),
        cmocka_unit_test(libraries_that_are_unloaded),
    };
    for (size_t i = 0; argc > 1 && i < COUNT_OF(scenarios); i++)
        if (strcmp(argv[1], scenarios[i].name) == 0) {
            scenarios[i].run();
            return 0;
        }
    if (UNDER_QEMU)
        return 0; /* /proc/self/exe is the emulator */
    return argc > 1 ? 2 : cmocka_run_group_tests(tests, NULL, NULL);
}
