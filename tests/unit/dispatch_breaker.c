/* A name's breaker, on a clock of the test's. */
#include "../common/tasks.h"

#include <string.h>

static _Atomic uint64_t now;
static _Atomic unsigned ran;

static uint64_t clock_of_test(void)
{
    return now;
}

/* Returns what the request says. */
static int answer(para_request *r, void *arg)
{
    (void)arg;
    ran++;
    return *(const int *)r->request;
}

static bool is_failure(int result)
{
    return result < 0; /* positive results are the callers' faults */
}

static void serve(unsigned workers, unsigned probes)
{
    para_entry entry = PARA_ENTRY_INIT;
    entry.run = answer;
    entry.breaker = (para_breaker){.error_percent = 50,
                                   .least_calls = 4,
                                   .window_ns = 1000,
                                   .pause_ns = 500,
                                   .probes = probes,
                                   .is_failure = is_failure,
                                   .now_ns = clock_of_test};
    pool = check_pool(workers);
    now = 1000000;
    ran = 0;
    OK(para_register(pool, "answer", &entry));
}

/* Waits for it too. */
static para_status ask(int result)
{
    para_request r = {0};
    const para_status status = para_dispatch(pool, "answer", &result, sizeof result, NULL, 0, &r);
    if (status)
        return status;
    fault_unless(para_task_wait(&r.task) == (result ? PARA_ERR_TASK : PARA_OK));
    fault_unless(r.task.result == result);
    return PARA_OK;
}

static para_entry_info info(void)
{
    para_entry_info found = {.size = sizeof found};
    OK(para_get_entry(pool, "answer", &found));
    return found;
}

static void check_states(void)
{
    para_pool_destroy(pool);
    serve(2, 1);
    for (int i = 0; i < 3; i++)
        OK(ask(-1));
    assert_int_equal(info().breaker, PARA_BREAKER_CLOSED);
    assert_int_equal(info().calls, 3);
    assert_int_equal(info().failures, 3);
    assert_int_equal(info().probe_ns, 0);
    OK(ask(-1));
    assert_int_equal(info().breaker, PARA_BREAKER_OPEN);
    assert_int_equal(info().probe_ns, now + 500);
    assert_int_equal(ran, 4);
    FAILS(PARA_ERR_OPEN, ask(0));
    assert_non_null(strstr(para_status_detail(), "'answer'"));
    assert_int_equal(ran, 4);
    assert_int_equal(info().inflight, 0);
    now += 500;
    assert_int_equal(info().breaker, PARA_BREAKER_OPEN); /* until somebody asks */
    OK(ask(-1));
    FAILS(PARA_ERR_OPEN, ask(0));
    now += 500;
    OK(ask(0));
    assert_int_equal(info().breaker, PARA_BREAKER_CLOSED);
    for (int i = 0; i < 10; i++)
        OK(ask(0));
    assert_int_equal(info().calls, 10);
    assert_int_equal(info().failures, 0);
}

TEST(opens_probes_and_closes)
{
    each_pool(check_states);
}

TEST(results_that_are_no_failures_open_nothing)
{
    serve(2, 1);
    for (int i = 0; i < 20; i++)
        OK(ask(1));
    assert_int_equal(info().breaker, PARA_BREAKER_CLOSED);
    assert_int_equal(info().calls, 20);
    assert_int_equal(info().failures, 0);
    para_pool_destroy(pool);
}

TEST(refusals_of_other_kinds_do_not_count)
{
    int zero = 0;
    para_request r = {.version = 3};
    serve(2, 1);
    for (int i = 0; i < 20; i++)
        FAILS(PARA_ERR_VERSION, para_dispatch(pool, "answer", &zero, sizeof zero, NULL, 0, &r));
    assert_int_equal(info().calls, 0);
    para_pool_destroy(pool);
}

/* A probe that was refused by a full queue, cancelled or late makes room for the next. */
TEST(probes_that_do_not_begin_are_taken_back)
{
    int zero = 0;
    para_cancel cancel = {0};
    para_task held[2];
    para_request late = {.task.deadline_ns = 1}, cancelled = {.task.cancel = &cancel}, probe = {0};
    serve(2, 1);
    for (int i = 0; i < 4; i++)
        OK(ask(-1));
    now += 500;
    OK(para_dispatch(pool, "answer", &zero, sizeof zero, NULL, 0, &late));
    FAILS(PARA_ERR_DEADLINE, para_task_wait(&late.task));
    assert_int_equal(info().breaker, PARA_BREAKER_PROBING);
    begin_holding(held, 2);
    OK(para_dispatch(pool, "answer", &zero, sizeof zero, NULL, 0, &cancelled));
    FAILS(PARA_ERR_OPEN, para_dispatch(pool, "answer", &zero, sizeof zero, NULL, 0, &probe));
    assert_non_null(strstr(para_status_detail(), "probes"));
    para_cancel_request(&cancel);
    is_open = true;
    FAILS(PARA_ERR_CANCELLED, para_task_wait(&cancelled.task));
    probe.task.priority = PARA_TASK_PRIORITIES;
    FAILS(PARA_ERR_ARGUMENT, para_dispatch(pool, "answer", &zero, sizeof zero, NULL, 0, &probe));
    assert_int_equal(ran, 4);
    OK(ask(0));
    assert_int_equal(info().breaker, PARA_BREAKER_CLOSED);
    for (unsigned i = 0; i < 2; i++)
        OK(para_task_wait(&held[i]));
    para_pool_destroy(pool);
}

TEST(a_name_that_is_registered_anew_begins_closed)
{
    para_entry entry = PARA_ENTRY_INIT;
    serve(2, 1);
    for (int i = 0; i < 4; i++)
        OK(ask(-1));
    FAILS(PARA_ERR_OPEN, ask(0));
    OK(para_unregister(pool, "answer"));
    FAILS(PARA_ERR_NAME, ask(0));
    assert_false(info().is_registered);
    entry.run = answer; /* without a breaker */
    OK(para_register(pool, "answer", &entry));
    for (int i = 0; i < 40; i++)
        OK(ask(-1));
    OK(ask(0));
    assert_int_equal(info().calls, 0);
    para_pool_destroy(pool);
    assert_int_equal(faults, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_probes_and_closes),
        cmocka_unit_test(results_that_are_no_failures_open_nothing),
        cmocka_unit_test(refusals_of_other_kinds_do_not_count),
        cmocka_unit_test(probes_that_do_not_begin_are_taken_back),
        cmocka_unit_test(a_name_that_is_registered_anew_begins_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
