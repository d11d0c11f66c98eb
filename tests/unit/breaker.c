/* A breaker's states, at times that the test says; and Little's law. */
#include "../common/check.h"

#include "plan/breaker.h"

#include <limits.h>
#include <math.h>

static para__breaker b;
static para_breaker config;
static uint64_t now;

/* Opens at 50 of 100, of 4 calls and more within 1000 ns; for 500 ns; two probes. */
static void begin(void)
{
    b = (para__breaker){0};
    now = 1000000;
    config = para__breaker_complete((para_breaker){
        .error_percent = 50, .least_calls = 4, .window_ns = 1000, .pause_ns = 500, .probes = 2});
}

static bool admit(uint32_t *period)
{
    const bool is_admitted = para__breaker_admit(&b, &config, now);
    *period = b.period;
    return is_admitted;
}

static void tell(uint32_t period, bool has_failed)
{
    para__breaker_tell(&b, &config, now, period, has_failed);
}

static void calls(unsigned count, bool has_failed)
{
    uint32_t period;
    while (count-- > 0) {
        assert_true(admit(&period));
        tell(period, has_failed);
    }
}

static unsigned in_window(unsigned *failures)
{
    unsigned count;
    para__breaker_count(&b, &config, now, &count, failures);
    return count;
}

TEST(opens_at_the_rate_but_not_with_few_calls)
{
    uint32_t period;
    begin();
    calls(3, true);
    assert_int_equal(b.state, PARA_BREAKER_CLOSED);
    calls(1, false);
    assert_int_equal(b.state, PARA_BREAKER_CLOSED); /* it opens with a failure only */
    calls(1, true);
    assert_int_equal(b.state, PARA_BREAKER_OPEN);
    assert_false(admit(&period));
    begin();
    calls(5, false);
    calls(4, true);
    assert_int_equal(b.state, PARA_BREAKER_CLOSED); /* 4 of 9 */
    calls(1, true);
    assert_int_equal(b.state, PARA_BREAKER_OPEN); /* 5 of 10 */
}

TEST(what_is_older_than_the_window_does_not_count)
{
    unsigned failures;
    begin();
    calls(3, true);
    now += 900;
    assert_int_equal(in_window(&failures), 3);
    assert_int_equal(failures, 3);
    now += 100;
    assert_int_equal(in_window(&failures), 0);
    calls(3, true);
    assert_int_equal(b.state, PARA_BREAKER_CLOSED);
    now += 1000000000000;
    calls(3, true);
    assert_int_equal(b.state, PARA_BREAKER_CLOSED);
    now += 300;
    assert_int_equal(in_window(&failures), 3);
    calls(1, true);
    assert_int_equal(b.state, PARA_BREAKER_OPEN);
}

TEST(slots_leave_the_window_one_by_one)
{
    unsigned failures;
    begin();
    config.error_percent = 100;
    for (unsigned i = 0; i < 10; i++) {
        calls(1, false);
        now += 100;
        assert_int_equal(in_window(&failures), i < 9 ? i + 1 : 9);
    }
    for (unsigned i = 9; i-- > 0;) {
        now += 100;
        assert_int_equal(in_window(&failures), i);
    }
}

static void open(void)
{
    begin();
    calls(4, true);
    assert_int_equal(b.state, PARA_BREAKER_OPEN);
}

TEST(stays_open_for_the_pause)
{
    uint32_t period;
    open();
    now += 499;
    assert_false(admit(&period));
    now += 1;
    assert_true(admit(&period));
    assert_int_equal(b.state, PARA_BREAKER_PROBING);
}

TEST(closes_when_all_probes_have_succeeded)
{
    uint32_t first, second, third;
    unsigned failures;
    open();
    now += 500;
    assert_true(admit(&first));
    assert_true(admit(&second));
    assert_false(admit(&third));
    tell(second, false);
    assert_int_equal(b.state, PARA_BREAKER_PROBING);
    assert_false(admit(&third));
    tell(first, false);
    assert_int_equal(b.state, PARA_BREAKER_CLOSED);
    assert_int_equal(in_window(&failures), 0);
    calls(3, true);
    assert_int_equal(b.state, PARA_BREAKER_CLOSED); /* former failures are forgotten */
    calls(1, true);
    assert_int_equal(b.state, PARA_BREAKER_OPEN);
}

TEST(opens_again_when_a_probe_fails)
{
    uint32_t first, second, third;
    open();
    now += 600;
    assert_true(admit(&first));
    assert_true(admit(&second));
    tell(first, true);
    assert_int_equal(b.state, PARA_BREAKER_OPEN);
    now += 499;
    assert_false(admit(&third)); /* the pause begins anew */
    tell(second, false);         /* of a former period */
    assert_int_equal(b.state, PARA_BREAKER_OPEN);
    now += 1;
    assert_true(admit(&third));
    tell(second, true);
    assert_int_equal(b.state, PARA_BREAKER_PROBING);
}

TEST(what_began_before_it_opened_counts_no_more)
{
    uint32_t late, probe, other;
    begin();
    assert_true(admit(&late));
    calls(4, true);
    assert_int_equal(b.state, PARA_BREAKER_OPEN);
    tell(late, false);
    now += 500;
    assert_true(admit(&probe));
    assert_true(admit(&other));
    tell(late, false);
    tell(late, false);
    assert_int_equal(b.state, PARA_BREAKER_PROBING);
    tell(late, true);
    assert_int_equal(b.state, PARA_BREAKER_PROBING);
}

TEST(a_probe_that_did_not_begin_makes_room_for_another)
{
    uint32_t first, second, third;
    open();
    now += 500;
    assert_true(admit(&first));
    assert_true(admit(&second));
    assert_false(admit(&third));
    para__breaker_take_back(&b, first);
    assert_true(admit(&third));
    para__breaker_take_back(&b, third - 1); /* of a former period */
    assert_false(admit(&third));
}

TEST(a_clock_that_steps_back_opens_nothing_and_forgets_nothing)
{
    uint32_t period;
    unsigned failures;
    open();
    now -= 100000;
    assert_false(admit(&period));
    begin();
    calls(2, true);
    now -= 100000;
    calls(1, false);
    assert_int_equal(in_window(&failures), 3);
}

TEST(defaults_are_those_of_the_header)
{
    const para_breaker all = para__breaker_complete((para_breaker){.error_percent = 7});
    assert_int_equal(all.error_percent, 7);
    assert_int_equal(all.least_calls, 20);
    assert_int_equal(all.window_ns, 10000000000);
    assert_int_equal(all.pause_ns, 5000000000);
    assert_int_equal(all.probes, 1);
}

TEST(windows_may_be_tiny_or_endless)
{
    static const uint64_t windows[] = {1, 9, 10, UINT64_MAX};
    for (size_t i = 0; i < COUNT_OF(windows); i++) {
        uint32_t period;
        begin();
        config.window_ns = windows[i];
        config.pause_ns = UINT64_MAX;
        calls(4, true);
        assert_int_equal(b.state, PARA_BREAKER_OPEN);
        now = UINT64_MAX;
        assert_false(admit(&period));
    }
}

TEST(periods_wrap)
{
    uint32_t period;
    begin();
    b.period = UINT32_MAX >> 1;
    calls(4, true);
    assert_int_equal(b.state, PARA_BREAKER_OPEN);
    assert_int_equal(b.period, 0);
    now += 500;
    assert_true(admit(&period));
}

/* ---- Little's law --------------------------------------------------------------------- */

TEST(littles_law)
{
    assert_int_equal(para_littles_law(0, 1), 1);
    assert_int_equal(para_littles_law(1, 0), 1);
    assert_int_equal(para_littles_law(1000, 0.0005), 1); /* half of one is busy */
    assert_int_equal(para_littles_law(1000, 0.0015), 2);
    assert_int_equal(para_littles_law(1000, 0.002), 3); /* two would be busy for ever */
    assert_int_equal(para_littles_law(50, 0.25), 13);
    assert_int_equal(para_littles_law(1e9, 1e9), UINT_MAX);
    assert_int_equal(para_littles_law((double)INFINITY, 1), UINT_MAX);
}

TEST(no_load_is_no_workers)
{
    assert_int_equal(para_littles_law(-1, 1), 0);
    assert_int_equal(para_littles_law(1, -1), 0);
    assert_int_equal(para_littles_law(-1, -1), 0);
    assert_int_equal(para_littles_law((double)NAN, 1), 0);
    assert_int_equal(para_littles_law(1, (double)NAN), 0);
    assert_int_equal(para_littles_law(0, (double)INFINITY), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_at_the_rate_but_not_with_few_calls),
        cmocka_unit_test(what_is_older_than_the_window_does_not_count),
        cmocka_unit_test(slots_leave_the_window_one_by_one),
        cmocka_unit_test(stays_open_for_the_pause),
        cmocka_unit_test(closes_when_all_probes_have_succeeded),
        cmocka_unit_test(opens_again_when_a_probe_fails),
        cmocka_unit_test(what_began_before_it_opened_counts_no_more),
        cmocka_unit_test(a_probe_that_did_not_begin_makes_room_for_another),
        cmocka_unit_test(a_clock_that_steps_back_opens_nothing_and_forgets_nothing),
        cmocka_unit_test(defaults_are_those_of_the_header),
        cmocka_unit_test(windows_may_be_tiny_or_endless),
        cmocka_unit_test(periods_wrap),
        cmocka_unit_test(littles_law),
        cmocka_unit_test(no_load_is_no_workers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
