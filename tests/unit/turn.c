/* Turns on a contended CPU, against made-up times: what a thread was told has passed, and what it
 * has run. */
#include "../common/check.h"

#include "base/clock.h"
#include "pool/turn.h"

static const uint64_t ms = 1000000;

static bool preempted = true;

/* So much has passed since the turn began, and the thread ran for the given part of it. */
static bool is_over_after(para__turn *turn, uint64_t ns, uint64_t ran_ns)
{
    turn->begun_usage = para__thread_usage();
    turn->begun_usage.cpu_ns -= ran_ns;
    turn->begun_usage.preemptions -= preempted;
    return para__turn_is_over(turn, turn->begun_ticks + para__ns_to_ticks((double)ns));
}

/* How many turns are over after half a millisecond each, until one is not. */
static unsigned count_turns(para__turn *turn)
{
    unsigned turns = 0;
    while (turns < 10000 && is_over_after(turn, ms * 6 / 10, ms * 6 / 10)) {
        turns++;
        para__turn_begin(turn);
    }
    return turns;
}

TEST(who_has_its_cpu_stays)
{
    para__turn turn;
    para__turn_init(&turn);
    for (int k = 0; k < 100; k++)
        assert_false(is_over_after(&turn, 3 * ms, 3 * ms));
    assert_false(is_over_after(&turn, 3 * ms, 3 * ms - ms / 2)); /* a hiccup of the machine */
}

TEST(who_was_off_its_cpu_takes_turns)
{
    para__turn turn;
    para__turn_init(&turn);
    assert_false(is_over_after(&turn, ms, 0)); /* too early to tell */
    assert_true(is_over_after(&turn, 5 * ms, 2 * ms));
    assert_false(is_over_after(&turn, ms * 4 / 10, 0)); /* a turn has half a millisecond */
    assert_true(is_over_after(&turn, ms * 6 / 10, 0));
    para__turn_begin(&turn);
    assert_int_equal(count_turns(&turn), 3);
}

TEST(who_slept_in_a_kernel_stays)
{
    para__turn turn;
    para__turn_init(&turn);
    preempted = false;
    assert_false(is_over_after(&turn, 50 * ms, 0));
    preempted = true;
}

TEST(tries_that_fail_become_rare)
{
    para__turn turn;
    para__turn_init(&turn);
    unsigned before = 2;
    for (int k = 0; k < 5; k++) {
        assert_true(is_over_after(&turn, 5 * ms, 2 * ms));
        const unsigned turns = count_turns(&turn);
        assert_int_equal(turns, 2 * before);
        before = turns;
    }
    assert_true(is_over_after(&turn, 5 * ms, 2 * ms));
    assert_int_equal(count_turns(&turn), 64); /* no rarer than this */
}

TEST(a_calm_while_ends_them)
{
    para__turn turn;
    para__turn_init(&turn);
    for (int k = 0; k < 4; k++) {
        assert_true(is_over_after(&turn, 5 * ms, 2 * ms));
        count_turns(&turn);
    }
    for (int k = 0; k < 10; k++)
        assert_false(is_over_after(&turn, 3 * ms, 3 * ms));
    assert_true(is_over_after(&turn, 5 * ms, 2 * ms));
    assert_int_equal(count_turns(&turn), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_has_its_cpu_stays),
        cmocka_unit_test(who_was_off_its_cpu_takes_turns),
        cmocka_unit_test(who_slept_in_a_kernel_stays),
        cmocka_unit_test(tries_that_fail_become_rare),
        cmocka_unit_test(a_calm_while_ends_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
