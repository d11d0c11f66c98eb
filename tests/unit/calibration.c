/* Calibration: what is known can be shown, forgotten and put back, and calls decide by it. */
#include "calibration.h"

#include <pthread.h>
#include <time.h>

/* ---- Shown --------------------------------------------------------------------------- */

TEST(costs_are_told)
{
    para_pool *pool = taught_pool();
    para_calibration_info info = {.size = sizeof info};
    OK(para_calibration_get(pool, &info));
    assert_true(info.round_trip_ns > 0 && info.round_trip_ns < 1e9);
    assert_true(info.per_helper_ns >= 0 && info.wake_ns >= 0 && info.wake_cost_ns >= 0);
    assert_true(info.clock_ns >= 0 && info.clock_ns < 1e6);
    assert_true(info.spin_ns >= 0 && info.least_ns > info.round_trip_ns);
    assert_int_equal(info.sites, 9);
    para_pool_destroy(pool);
}

/* Threads that share CPUs are not measured. */
TEST(costs_that_are_assumed_are_called_so)
{
    para_topology_info machine = {.size = sizeof machine};
    para_calibration_info info = {.size = sizeof info};
    OK(para_topology_get_info(&machine));
    para_pool *pool = check_pool(machine.cpus + 1);
    OK(para_calibration_get(pool, &info));
    assert_false(info.round_trip_measured || info.per_helper_measured || info.wake_measured);
    para_pool_destroy(pool);
    for (int i = 0; i < 50 && machine.cpus > 1; i++) { /* other programs may disturb it */
        pool = check_pool(2);
        OK(para_calibration_get(pool, &info));
        para_pool_destroy(pool);
        if (info.round_trip_measured && info.per_helper_measured && info.wake_measured)
            return;
    }
    if (machine.cpus > 1)
        fail_msg("50 pools, and none was measured");
}

/* ---- With a lender's threads --------------------------------------------------------- */

enum { LENT = 3, LENDER_TAKES_NS = 2000 };

typedef struct lent_call {
    void (*help)(void *call);
    void *call;
} lent_call;

static long long now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void *help_with(void *arg)
{
    const lent_call *c = arg;
    c->help(c->call);
    return NULL;
}

static unsigned width_of_lender(void *self)
{
    (void)self;
    return LENT;
}

static void lend_slowly(void *self, unsigned helpers, void (*help)(void *), void *call)
{
    lent_call c = {help, call};
    pthread_t thread[LENT];
    const long long start = now_ns();
    (void)self;
    while (now_ns() - start < LENDER_TAKES_NS) {
    }
    for (unsigned i = 0; i < helpers; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, help_with, &c), 0);
    help(call);
    for (unsigned i = 0; i < helpers; i++)
        pthread_join(thread[i], NULL);
}

/* Until a lender has called `help`, and after that, all of the team wait. */
TEST(what_a_lender_takes_counts_for_each_thread)
{
    const para_lender table = {sizeof table, width_of_lender, lend_slowly, NULL};
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    para_pool *pool = NULL;
    config.executor = &table;
    OK(para_pool_create(&pool, &config));
    OK(para_pool_wait_ready(pool));
    para_calibration_info info = {.size = sizeof info};
    OK(para_calibration_get(pool, &info));
    assert_true(info.share_ns >= LENT * LENDER_TAKES_NS);
    assert_false(info.per_helper_measured || info.wake_measured); /* nobody knows who sleeps */
    para_pool_destroy(pool);
}

TEST(an_info_of_an_older_caller_is_filled_as_far_as_it_goes)
{
    para_pool *pool = taught_pool();
    para_calibration_info info;
    memset(&info, 0xff, sizeof info);
    info.size = offsetof(para_calibration_info, per_helper_ns);
    OK(para_calibration_get(pool, &info));
    assert_true(info.round_trip_ns > 0);
    assert_int_equal(info.sites, UINT_MAX);
    para_pool_destroy(pool);
}

TEST(an_info_without_a_size_is_refused)
{
    para_calibration_info info = {0};
    FAILS(PARA_ERR_ARGUMENT, para_calibration_get(NULL, &info));
    info.size = sizeof info.size;
    FAILS(PARA_ERR_ARGUMENT, para_calibration_get(NULL, &info));
    info.size = sizeof info + 1;
    FAILS(PARA_ERR_ARGUMENT, para_calibration_get(NULL, &info));
    assert_true(info.round_trip_ns == 0 && info.sites == 0);
}

TEST(null_arguments_are_refused)
{
    para_pool *pool = check_pool(2);
    FAILS(PARA_ERR_ARGUMENT, para_calibration_get(pool, NULL));
    FAILS(PARA_ERR_ARGUMENT, para_calibration_print(pool, NULL));
    FAILS(PARA_ERR_ARGUMENT, para_calibration_save(pool, NULL));
    FAILS(PARA_ERR_ARGUMENT, para_calibration_load(pool, NULL));
    para_pool_destroy(pool);
}

TEST(no_pool_means_the_default_pool)
{
    para_calibration_info info = {.size = sizeof info};
    OK(para_calibration_get(NULL, &info));
    OK(para_calibration_save(NULL, in_root("default")));
    OK(para_calibration_reset(NULL));
    OK(para_calibration_load(NULL, in_root("default")));
    assert_int_equal(empty_root(), 1);
}

TEST(each_site_is_a_line_and_names_its_program)
{
    para_pool *pool = taught_pool();
    char *lines[LINES_MOST];
    char *text = printed(pool);
    assert_memory_equal(text, "# para calibration 3\n", 21);
    assert_int_equal(text[strlen(text) - 1], '\n');
    const unsigned count = site_lines(text, lines);
    assert_int_equal(count, site_count(pool));
    for (unsigned i = 0; i < count; i++)
        assert_string_equal(strrchr(lines[i], ' ') + 1, program_invocation_short_name);
    free(text);
    para_pool_destroy(pool);
}

TEST(a_stream_that_fails_is_told)
{
    para_pool *pool = taught_pool();
    FILE *full = fopen("/dev/full", "w");
    if (full) {
        FAILS(PARA_ERR_FILE, para_calibration_print(pool, full));
        fclose(full);
    }
    para_pool_destroy(pool);
}

/* ---- Forgotten, saved and loaded ----------------------------------------------------- */

TEST(reset_forgets_all_kernels)
{
    para_pool *pool = taught_pool();
    para_pool *other = taught_pool();
    OK(para_calibration_reset(pool));
    assert_int_equal(site_count(pool), 0);
    assert_int_equal(site_count(other), 9); /* pools are independent */
    assert_int_not_equal(map(pool, square, MOST), PARA_WHY_PARALLEL);
    assert_int_equal(site_count(pool), 1);
    para_pool_destroy(other);
    para_pool_destroy(pool);
}

TEST(what_was_saved_is_found_again_after_a_reset)
{
    para_pool *pool = taught_pool();
    char *before[LINES_MOST], *after[LINES_MOST];
    char *first = printed(pool);
    const unsigned count = site_lines(first, before);
    OK(para_calibration_save(pool, in_root("saved")));
    OK(para_calibration_reset(pool));
    OK(para_calibration_load(pool, in_root("saved")));
    char *second = printed(pool);
    assert_int_equal(site_lines(second, after), count);
    for (unsigned i = 0; i < count; i++)
        assert_string_equal(after[i], before[i]);
    free(first);
    free(second);
    para_pool_destroy(pool);
    assert_int_equal(empty_root(), 1);
}

TEST(calls_decide_by_what_was_loaded)
{
    para_pool *pool = taught_pool();
    write_costs(pool, "dear", DEAR);
    write_costs(pool, "cheap", CHEAP);
    para_pool_destroy(pool);
    pool = check_pool(WORKERS); /* which has never seen these kernels */
    OK(para_calibration_load(pool, in_root("dear")));
    assert_int_equal(map(pool, square, MOST), PARA_WHY_PARALLEL);
    OK(para_calibration_load(pool, in_root("cheap")));
    assert_int_equal(map(pool, triple, MOST), PARA_WHY_SMALL);
    OK(para_calibration_load(pool, in_root("dear")));
    para_report report;
    OK(para_pmap(pool, &(para_map){.kernel = triple,
                                   .count = MOST,
                                   .in = {PARA_IN(x)},
                                   .out = {PARA_OUT(y)},
                                   .options = {.executor = PARA_EXECUTOR_SERIAL},
                                   .report = &report}));
    assert_int_equal(report.why, PARA_WHY_ASKED); /* options win */
    para_pool_destroy(pool);
    empty_root();
}

/* ---- While calls run ----------------------------------------------------------------- */

static _Atomic bool stop;
static _Atomic unsigned violations, calls;

static void *call_on(void *data)
{
    static const size_t counts[] = {1, 100, 3000, 50000};
    double *const in = calloc(50000, sizeof *in), *const out = calloc(50000, sizeof *out);
    violations += !in || !out;
    for (size_t i = 0; in && out && !stop; i++) {
        const size_t n = counts[i % COUNT_OF(counts)];
        in[n - 1] = (double)i;
        violations += para_pmap(data, &(para_map){.kernel = i % 3 ? square : triple,
                                                  .count = n,
                                                  .in = {PARA_IN(in)},
                                                  .out = {PARA_OUT(out)}}) != PARA_OK;
        violations += out[n - 1] != (i % 3 ? (double)i * (double)i : 3 * (double)i);
        calls++;
    }
    free(in);
    free(out);
    return NULL;
}

TEST(calls_run_while_knowledge_changes)
{
    enum { CALLERS = 3 };
    pthread_t caller[CALLERS];
    para_pool *pool = taught_pool();
    write_costs(pool, "dear", DEAR);
    write_costs(pool, "cheap", CHEAP);
    for (int i = 0; i < CALLERS; i++)
        assert_int_equal(pthread_create(&caller[i], NULL, call_on, pool), 0);
    for (int i = 0; i < 200 || calls < 200; i++) {
        OK(para_calibration_reset(pool));
        OK(para_calibration_load(pool, in_root(i % 2 ? "dear" : "cheap")));
        assert_in_range(site_count(pool), 0, 512);
        free(printed(pool));
        if (i % 10 == 0)
            OK(para_calibration_save(pool, in_root("saved")));
    }
    stop = true;
    for (int i = 0; i < CALLERS; i++)
        pthread_join(caller[i], NULL);
    assert_int_equal(violations, 0);
    para_pool_destroy(pool);
    assert_int_equal(empty_root(), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(costs_are_told),
        cmocka_unit_test(costs_that_are_assumed_are_called_so),
        cmocka_unit_test(what_a_lender_takes_counts_for_each_thread),
        cmocka_unit_test(an_info_of_an_older_caller_is_filled_as_far_as_it_goes),
        cmocka_unit_test(an_info_without_a_size_is_refused),
        cmocka_unit_test(null_arguments_are_refused),
        cmocka_unit_test(no_pool_means_the_default_pool),
        cmocka_unit_test(each_site_is_a_line_and_names_its_program),
        cmocka_unit_test(a_stream_that_fails_is_told),
        cmocka_unit_test(reset_forgets_all_kernels),
        cmocka_unit_test(what_was_saved_is_found_again_after_a_reset),
        cmocka_unit_test(calls_decide_by_what_was_loaded),
        cmocka_unit_test(calls_run_while_knowledge_changes),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
