/* Yielding on a contended CPU, with made-up times: the time that has passed, and the time that the
 * thread has run. */
#include "../common/check.h"

#include "base/clock.h"
#include "pool/yield.h"

static const uint64_t ms = 1000000;

static bool preempted = true;
static long slept = 0;

/* So much has passed since the quantum began, and the thread ran for the given part of it. */
static bool is_over_after(para__yield *yield, uint64_t ns, uint64_t ran_ns)
{
    yield->begun_usage = para__thread_usage();
    yield->begun_usage.cpu_ns -= ran_ns;
    yield->begun_usage.preemptions -= preempted;
    yield->begun_usage.sleeps -= slept;
    return para__yield_is_due(yield, yield->begun_ticks + para__ns_to_ticks((double)ns));
}

/* How often it yields after half a millisecond, until it runs on. */
static unsigned count_yields(para__yield *yield)
{
    unsigned yields = 0;
    while (yields < 10000 && is_over_after(yield, ms * 6 / 10, ms * 6 / 10)) {
        yields++;
        para__yield_restart(yield);
    }
    return yields;
}

TEST(who_has_its_cpu_stays)
{
    para__yield yield;
    para__yield_init(&yield);
    for (int k = 0; k < 100; k++)
        assert_false(is_over_after(&yield, 3 * ms, 3 * ms));
    assert_false(is_over_after(&yield, 3 * ms, 3 * ms - ms / 2)); /* a hiccup of the machine */
}

TEST(who_was_off_its_cpu_yields)
{
    para__yield yield;
    para__yield_init(&yield);
    assert_false(is_over_after(&yield, ms, 0)); /* too early to tell */
    assert_true(is_over_after(&yield, 5 * ms, 2 * ms));
    assert_false(is_over_after(&yield, ms * 4 / 10, 0)); /* a quantum has half a millisecond */
    assert_true(is_over_after(&yield, ms * 6 / 10, 0));
    para__yield_restart(&yield);
    assert_int_equal(count_yields(&yield), 3);
}

TEST(who_slept_in_a_kernel_stays)
{
    para__yield yield;
    para__yield_init(&yield);
    preempted = false;
    assert_false(is_over_after(&yield, 50 * ms, 0));
    preempted = true;
}

TEST(who_was_stopped_stays)
{
    para__yield yield;
    para__yield_init(&yield);
    slept = 1;
    assert_false(is_over_after(&yield, 1000 * ms, ms)); /* preempted by who has stopped it */
    slept = 0;
}

TEST(who_lost_little_of_a_long_stretch_stays)
{
    para__yield yield;
    para__yield_init(&yield);
    for (int k = 0; k < 10; k++)
        assert_false(is_over_after(&yield, 50 * ms, 42 * ms));
    assert_true(is_over_after(&yield, 50 * ms, 30 * ms));
}

/* A thread of the system's that runs for 1.5 ms in 26. */
TEST(who_is_preempted_now_and_then_stays)
{
    para__yield yield;
    para__yield_init(&yield);
    for (int k = 0; k < 100; k++) {
        assert_false(is_over_after(&yield, 2 * ms + ms / 100, ms / 2));
        for (int i = 0; i < 12; i++)
            assert_false(is_over_after(&yield, 2 * ms + ms / 100, 2 * ms));
    }
}

TEST(tries_that_fail_become_rare)
{
    para__yield yield;
    para__yield_init(&yield);
    unsigned before = 2;
    for (int k = 0; k < 5; k++) {
        assert_true(is_over_after(&yield, 5 * ms, 2 * ms));
        const unsigned yields = count_yields(&yield);
        assert_int_equal(yields, 2 * before);
        before = yields;
    }
    assert_true(is_over_after(&yield, 5 * ms, 2 * ms));
    assert_int_equal(count_yields(&yield), 64); /* no rarer than this */
}

TEST(a_calm_while_ends_them)
{
    para__yield yield;
    para__yield_init(&yield);
    for (int k = 0; k < 4; k++) {
        assert_true(is_over_after(&yield, 5 * ms, 2 * ms));
        count_yields(&yield);
    }
    for (int k = 0; k < 10; k++)
        assert_false(is_over_after(&yield, 3 * ms, 3 * ms));
    for (int k = 0; k < 3 && !is_over_after(&yield, 5 * ms, 2 * ms); k++) {
    }
    assert_int_equal(count_yields(&yield), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_has_its_cpu_stays),
        cmocka_unit_test(who_was_off_its_cpu_yields),
        cmocka_unit_test(who_slept_in_a_kernel_stays),
        cmocka_unit_test(who_was_stopped_stays),
        cmocka_unit_test(who_lost_little_of_a_long_stretch_stays),
        cmocka_unit_test(who_is_preempted_now_and_then_stays),
        cmocka_unit_test(tries_that_fail_become_rare),
        cmocka_unit_test(a_calm_while_ends_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
