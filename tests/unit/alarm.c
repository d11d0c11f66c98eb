/* Alarms as pure functions: what was counted, against what was usual. And the rate of entries. */
#include "../common/check.h"

#include "base/log.h"
#include "base/tuning_observe.h"
#include "plan/alarm.h"

enum { US = 1000, MS = 1000 * US };

/* As many windows as are learnt from. */
static para__waits_alarm learnt(double p99_ns)
{
    para__waits_alarm a = {0};
    for (int i = 0; i < PARA__ALARM_WINDOWS; i++)
        assert_int_equal(para__alarm_waits(&a, p99_ns), PARA__CHANGE_NONE);
    return a;
}

TEST(nothing_is_high_before_it_is_known_what_is_usual)
{
    para__waits_alarm a = {0};
    for (int i = 0; i < PARA__ALARM_WINDOWS; i++)
        assert_int_equal(para__alarm_waits(&a, (i + 1) * 10.0 * MS), PARA__CHANGE_NONE);
    assert_false(a.alarm.is_raised);
}

TEST(waits_of_more_than_twice_the_usual_raise_one_alarm)
{
    para__waits_alarm a = learnt(2 * MS);
    for (int i = 1; i < PARA__ALARM_IN_A_ROW; i++)
        assert_int_equal(para__alarm_waits(&a, 5 * MS), PARA__CHANGE_NONE);
    assert_int_equal(para__alarm_waits(&a, 5 * MS), PARA__CHANGE_RAISED);
    for (int i = 0; i < 100; i++)
        assert_int_equal(para__alarm_waits(&a, 500 * MS), PARA__CHANGE_NONE);
    for (int i = 1; i < PARA__ALARM_IN_A_ROW; i++)
        assert_int_equal(para__alarm_waits(&a, 2 * MS), PARA__CHANGE_NONE);
    assert_int_equal(para__alarm_waits(&a, 2 * MS), PARA__CHANGE_OVER);
}

TEST(what_is_high_is_not_learnt_as_usual)
{
    para__waits_alarm a = learnt(2 * MS);
    for (int i = 0; i < 1000; i++)
        (void)para__alarm_waits(&a, 50 * MS);
    assert_true(a.usual_ns == 2 * MS);
}

TEST(twice_the_usual_and_short_waits_are_no_alarm)
{
    para__waits_alarm a = learnt(2 * MS);
    for (int i = 0; i < 3 * PARA__ALARM_IN_A_ROW; i++)
        assert_int_equal(para__alarm_waits(&a, 3.9 * MS), PARA__CHANGE_NONE);
    a = learnt(10 * US);
    for (int i = 0; i < 3 * PARA__ALARM_IN_A_ROW; i++)
        assert_int_equal(para__alarm_waits(&a, 900 * US), PARA__CHANGE_NONE);
}

TEST(a_burst_between_usual_windows_is_no_alarm)
{
    para__waits_alarm a = learnt(2 * MS);
    for (int i = 0; i < 100; i++)
        assert_int_equal(para__alarm_waits(&a, i % PARA__ALARM_IN_A_ROW ? 50 * MS : 2 * MS),
                         PARA__CHANGE_NONE);
}

TEST(predictions_are_off_in_both_directions)
{
    const double measured[] = {2.1, 0.4};
    for (size_t m = 0; m < COUNT_OF(measured); m++) {
        para__alarm a = {0};
        for (int i = 1; i < PARA__ALARM_LONG; i++)
            assert_int_equal(para__alarm_predicted(&a, 1, measured[m]), PARA__CHANGE_NONE);
        assert_int_equal(para__alarm_predicted(&a, 1, measured[m]), PARA__CHANGE_RAISED);
        for (int i = 1; i < PARA__ALARM_LONG; i++)
            assert_int_equal(para__alarm_predicted(&a, 1, 1.9), PARA__CHANGE_NONE);
        assert_int_equal(para__alarm_predicted(&a, 1, 0.6), PARA__CHANGE_OVER);
    }
    para__alarm a = {0};
    for (int i = 0; i < 100; i++) /* now and then */
        assert_int_equal(para__alarm_predicted(&a, 1, i % PARA__ALARM_LONG ? 5 : 1),
                         PARA__CHANGE_NONE);
}

TEST(windows_have_enough_in_them)
{
    assert_false(para__alarm_is_window(PARA__ALARM_WAITS - 1));
    assert_true(para__alarm_is_window(PARA__ALARM_WAITS));
    assert_false(para__alarm_is_sample(PARA__ALARM_CALLS - 1));
    assert_true(para__alarm_is_sample(PARA__ALARM_CALLS));
}

TEST(entries_of_a_second_are_limited_and_counted)
{
    const uint64_t second = 1000000000;
    para__log_rate rate = {0};
    uint64_t now = 5 * second;
    for (int round = 0; round < 3; round++, now += second) {
        for (unsigned i = 0; i < 3; i++)
            assert_true(para__log_admits(&rate, now + i, 3));
        assert_int_equal(rate.left_out, 2 * round);
        assert_false(para__log_admits(&rate, now + 3, 3));
        assert_false(para__log_admits(&rate, now + second - 1, 3));
    }
    assert_int_equal(rate.left_out, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_high_before_it_is_known_what_is_usual),
        cmocka_unit_test(waits_of_more_than_twice_the_usual_raise_one_alarm),
        cmocka_unit_test(what_is_high_is_not_learnt_as_usual),
        cmocka_unit_test(twice_the_usual_and_short_waits_are_no_alarm),
        cmocka_unit_test(a_burst_between_usual_windows_is_no_alarm),
        cmocka_unit_test(predictions_are_off_in_both_directions),
        cmocka_unit_test(windows_have_enough_in_them),
        cmocka_unit_test(entries_of_a_second_are_limited_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
