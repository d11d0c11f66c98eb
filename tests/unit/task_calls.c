/* Calls as tasks: para_pmap_submit and para_preduce_submit. */
#include "../common/check.h"

#include <string.h>

enum { COUNT = 100000 };

static double in[COUNT], out[COUNT];

static int twice(const para_chunk *chunk, const void *arg)
{
    const double *x = chunk->in[0];
    double *y = chunk->out[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        y[i] = 2 * x[i];
    return 0;
}

PARA_REDUCE_KERNEL(sum, double, s, double, x, s += x)
PARA_COMBINE(add, double, s, t, s += t)

static int fail_at_500(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    return chunk->first <= 500 && 500 < chunk->first + chunk->count ? 42 : 0;
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static void each_pool(void (*check)(para_pool *pool))
{
    static const unsigned workers[] = {1, 2, 8};
    for (size_t i = 0; i < COUNT; i++)
        in[i] = (double)i;
    for (size_t i = 0; i < COUNT_OF(workers); i++) {
        para_pool *pool = check_pool(workers[i]);
        check(pool);
        para_pool_destroy(pool);
    }
}

static const para_map doubling = {
    .kernel = twice, .count = COUNT, .in = {{in, sizeof *in}}, .out = {{out, sizeof *out}}};

static void check_both(para_pool *pool)
{
    double total = 1;
    para_report report;
    para_map map = doubling;
    map.report = &report;
    const para_reduce reduce = {.kernel = sum,
                                .combine = add,
                                .count = COUNT,
                                .in = {{in, sizeof *in}},
                                .result = &total,
                                .result_bytes = sizeof total};
    para_task_group group = {0};
    para_task maps = {.group = &group, .id = 7};
    para_task sums = {.group = &group};
    for (int round = 0; round < 20; round++) {
        memset(out, 0, sizeof out);
        total = 1;
        OK(para_pmap_submit(pool, &map, &maps));
        OK(para_preduce_submit(pool, &reduce, &sums));
        OK(para_task_wait(&maps));
        OK(para_task_wait(&sums));
        OK(para_task_group_wait(&group));
        assert_true(out[1] == 2 && out[COUNT - 1] == 2.0 * (COUNT - 1));
        assert_true(total == 1 + (double)COUNT * (COUNT - 1) / 2);
        assert_int_equal(report.workers >= 1, true);
        assert_int_equal(maps.id, 7);
    }
}

TEST(calls_are_made_and_waited_for)
{
    each_pool(check_both);
}

static void check_outcomes(para_pool *pool)
{
    para_report report;
    const para_map failing = {.kernel = fail_at_500, .count = COUNT, .report = &report};
    para_task task = {0};
    para_task_group group = {0};
    OK(para_pmap_submit(pool, &failing, &task));
    FAILS(PARA_ERR_KERNEL, para_task_wait(&task));
    assert_non_null(strstr(para_status_detail(), "42"));
    assert_int_equal(task.result, PARA_ERR_KERNEL);
    assert_int_equal(report.kernel_error, 42);

    task = (para_task){.group = &group};
    OK(para_pmap_submit(pool, &(para_map){.count = 1}, &task)); /* refused as any such call is */
    FAILS(PARA_ERR_NULL_KERNEL, para_task_wait(&task));
    FAILS(PARA_ERR_NULL_KERNEL, para_task_group_wait(&group));

    para_cancel cancel = {0};
    para_cancel_request(&cancel);
    para_map map = doubling;
    map.options.cancel = &cancel;
    task = (para_task){0};
    OK(para_pmap_submit(pool, &map, &task)); /* begun, and then cancelled */
    FAILS(PARA_ERR_CANCELLED, para_task_wait(&task));
    assert_non_null(strstr(para_status_detail(), "call"));
    memset(out, 0, sizeof out);
    task = (para_task){.cancel = &cancel};
    OK(para_pmap_submit(pool, &doubling, &task)); /* not begun */
    FAILS(PARA_ERR_CANCELLED, para_task_wait(&task));
    assert_non_null(strstr(para_status_detail(), "before"));
    assert_true(out[1] == 0);

    task = (para_task){.run = nothing}; /* the same memory, no call any more */
    OK(para_submit(pool, &task));
    OK(para_task_wait(&task));
}

TEST(the_calls_outcome_is_the_tasks)
{
    each_pool(check_outcomes);
}

TEST(what_cannot_be_submitted)
{
    para_task task = {.priority = PARA_TASK_PRIORITIES};
    FAILS(PARA_ERR_ARGUMENT, para_pmap_submit(NULL, NULL, &task));
    FAILS(PARA_ERR_ARGUMENT, para_preduce_submit(NULL, NULL, &task));
    FAILS(PARA_ERR_ARGUMENT, para_pmap_submit(NULL, &doubling, NULL));
    FAILS(PARA_ERR_ARGUMENT, para_pmap_submit(NULL, &doubling, &task));
    FAILS(PARA_ERR_ARGUMENT, para_task_wait(&task));
    assert_null(task.run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_are_made_and_waited_for),
        cmocka_unit_test(the_calls_outcome_is_the_tasks),
        cmocka_unit_test(what_cannot_be_submitted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
