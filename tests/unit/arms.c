/* Arms: threads whose short calls, all of them together, take less time shared, or alone. */
#include "../common/check.h"

#include "plan/arms.h"

enum { AWAY_US = 5000 };

/* A program: what a window's call takes in each arm, beside what it takes alone; and how much of
 * the time is disturbed. */
typedef struct program {
    double shared_ns, alone_ns;
    unsigned first;      /* a number that its sites have above those of other programs */
    unsigned sites;      /* that it calls in turn */
    unsigned disturbed;  /* one of so many calls takes ten times as long; 0: none */
    double predicted;    /* what calls alone are predicted to take, as a multiple; 0: 1 */
    double elsewhere_ns; /* between calls */
    unsigned others;     /* sites of which every other window has some, besides */
    unsigned seldom;     /* one of so many calls is of one more site; 0: none */
    unsigned away;       /* helpers are away for AWAY_US of so many us; 0: never */
    double slow;         /* they are not away then, but shared calls take so many times as long */
    double dear_ns;   /* a call of one more site in each turn: so long alone, half of it shared */
    unsigned shrinks; /* calls take 1.5 times that, less and less, down to half after so many */
} program;

typedef struct outcome {
    double ns, best_ns; /* in all; in the better arm alone */
    unsigned alone;     /* of the last thousand calls */
    unsigned trials;
} outcome;

static outcome run(para__arms *arms, program p, unsigned calls)
{
    static uint64_t now = 1000;
    static uint64_t random = 5;
    outcome o = {0};
    for (unsigned i = 0; i < calls; i++) {
        const bool is_other = p.others && i % 5 == 0 && i / 200 % 2;
        const bool is_rare = p.seldom && i % p.seldom == 0;
        const uint32_t site = 1 + p.first +
                              (is_rare    ? p.sites
                               : is_other ? p.sites + i / 5 % p.others
                                          : i % (p.sites + (p.dear_ns > 0)));
        const bool is_dear = p.dear_ns > 0 && site == 1 + p.first + p.sites;
        const double alone_ns = is_dear ? p.dear_ns : p.alone_ns;
        const double shared_ns = is_dear ? p.dear_ns / 2 : p.shared_ns;
        if (para__arms_is_full(arms, site)) {
            const bool was_trial = arms->trial;
            para__arms_next_window(arms, site, now);
            o.trials += !was_trial && arms->trial;
        }
        para__arms_add(arms, site, (uint32_t)(alone_ns * (p.predicted > 0 ? p.predicted : 1)));
        const bool alone = para__arms_now(arms) == PARA__ALL_ALONE;
        const bool is_slow = p.away && now / 1000 % p.away < AWAY_US;
        const bool is_away = is_slow && p.slow == 0;
        if (!alone && !is_away)
            para__arms_gain(arms, shared_ns < alone_ns ? alone_ns - shared_ns : 1);
        double ns = alone ? alone_ns : is_away ? 1.05 * alone_ns : shared_ns;
        if (!alone && is_slow && !is_away)
            ns *= p.slow;
        if (p.shrinks)
            ns *= 1.5 - (double)(i % p.shrinks) / p.shrinks;
        if (p.disturbed && check_below(&random, p.disturbed) == 0)
            ns *= 10;
        ns += p.elsewhere_ns;
        o.ns += ns;
        o.best_ns += (alone_ns < shared_ns ? alone_ns : shared_ns) + p.elsewhere_ns;
        o.alone += alone && i >= calls - 1000;
        now += (uint64_t)ns;
    }
    return o;
}

TEST(a_program_that_is_faster_shared_stays_shared)
{
    const program p = {.shared_ns = 9500, .alone_ns = 10000, .sites = 3};
    para__arms arms = {0};
    const outcome early = run(&arms, p, 2000);
    assert_true(early.ns < 1.02 * early.best_ns);
    const outcome o = run(&arms, p, 100000);
    assert_true(o.ns < 1.01 * o.best_ns);
    assert_true(o.alone < 200);
}

TEST(a_program_that_is_faster_alone_runs_alone)
{
    for (unsigned sites = 1; sites <= 7; sites++) {
        para__arms arms = {0};
        const program p = {.shared_ns = 13000, .alone_ns = 10000, .sites = sites};
        const outcome o = run(&arms, p, 100000);
        assert_true(o.ns < 1.03 * o.best_ns);
        assert_true(o.alone > 800);
    }
}

/* Among shared calls, calls alone look dearer than they are. */
TEST(a_prediction_that_is_too_high_does_not_decide)
{
    para__arms arms = {0};
    const program p = {.shared_ns = 13000, .alone_ns = 10000, .sites = 3, .predicted = 1.8};
    const outcome o = run(&arms, p, 100000);
    assert_true(o.ns < 1.03 * o.best_ns);
    assert_true(o.alone > 800);
}

/* With many workers a trial of all calls alone costs many windows. */
TEST(trials_cost_a_small_part_of_the_time)
{
    for (unsigned shared_ns = 5000; shared_ns > 50; shared_ns /= 2) {
        para__arms arms = {0};
        const program p = {.shared_ns = shared_ns, .alone_ns = 10000, .sites = 3};
        const outcome o = run(&arms, p, 1000000);
        assert_true(o.ns < 1.03 * o.best_ns);
    }
}

TEST(what_changes_is_found_out)
{
    para__arms arms = {0};
    const program alone = {.shared_ns = 13000, .alone_ns = 10000, .sites = 3};
    const program shared = {.shared_ns = 6000, .alone_ns = 10000, .sites = 3};
    (void)run(&arms, alone, 100000);
    assert_true(run(&arms, shared, 30000).alone < 200);
    assert_true(run(&arms, alone, 30000).alone > 800);
}

/* A site that only some windows have, and each time another one, does not begin anything anew. */
TEST(windows_may_differ)
{
    para__arms arms = {0};
    const program p = {.shared_ns = 13000, .alone_ns = 10000, .sites = 3, .others = 4};
    const outcome o = run(&arms, p, 100000);
    assert_true(o.ns < 1.03 * o.best_ns);
    assert_true(o.alone > 800);
}

TEST(disturbed_calls_do_not_decide)
{
    para__arms arms = {0};
    program p = {.shared_ns = 6000, .alone_ns = 10000, .sites = 3, .disturbed = 100};
    const outcome shared = run(&arms, p, 200000);
    assert_true(shared.ns < 1.2 * shared.best_ns);
    arms = (para__arms){0};
    p.shared_ns = 14000;
    const outcome alone = run(&arms, p, 200000);
    assert_true(alone.ns < 1.2 * alone.best_ns);
}

/* While helpers are away calls are planned in vain. */
TEST(a_trial_without_helpers_decides_nothing)
{
    for (unsigned away = 2 * AWAY_US; away < 10 * AWAY_US; away += 700) {
        para__arms arms = {0};
        const program p = {.shared_ns = 5000, .alone_ns = 10000, .sites = 1, .away = away};
        const outcome o = run(&arms, p, 200000);
        const double part = (double)AWAY_US / away; /* of the time, at this cost by the shared: */
        const double best_ns = o.best_ns / (part / (1.05 * p.alone_ns / p.shared_ns) + 1 - part);
        assert_true(o.ns < 1.03 * best_ns);
    }
}

/* A core is slow for a while, and a trial falls into that: soon after it there is another one. */
TEST(a_trial_beside_a_slow_core_does_not_decide_for_long)
{
    for (unsigned away = 8 * AWAY_US; away < 30 * AWAY_US; away += 700) {
        para__arms arms = {0};
        const program p = {
            .shared_ns = 6000, .alone_ns = 10000, .sites = 3, .away = away, .slow = 4};
        const double part = (double)AWAY_US / away; /* of the time, in which alone is better */
        const outcome o = run(&arms, p, 200000);
        const double best_ns = o.best_ns / (1 - part * (1 - 0.25));
        assert_true(o.ns < 1.1 * best_ns);
    }
}

/* Between its calls the thread is mostly elsewhere: then there is little to gain, or to lose. */
TEST(a_thread_that_calls_seldom)
{
    para__arms arms = {0};
    program p = {.shared_ns = 6000, .alone_ns = 10000, .sites = 3, .elsewhere_ns = 90000};
    const outcome shared = run(&arms, p, 100000);
    assert_true(shared.ns < 1.01 * shared.best_ns);
    p.shared_ns = 16000;
    const outcome alone = run(&arms, p, 100000);
    assert_true(alone.ns < 1.01 * alone.best_ns);
}

/* After a long part in which sharing was better by far, and trials had become rare. */
TEST(a_new_part_of_the_program_is_tried_soon)
{
    para__arms arms = {0};
    const program shared = {.shared_ns = 5000, .alone_ns = 10000, .sites = 1};
    const program alone = {.shared_ns = 13000, .alone_ns = 10000, .sites = 5};
    (void)run(&arms, shared, 100000);
    assert_true(run(&arms, alone, 4000).alone > 800);
    assert_true(run(&arms, shared, 4000).alone < 200);
}

/* A loop that is long at one time and short at another is in the windows for a while: what was
 * found without it says nothing of it. */
TEST(a_loop_that_comes_into_the_windows)
{
    for (unsigned dear_us = 30; dear_us < 100; dear_us += 4) {
        para__arms arms = {0};
        program p = {.shared_ns = 6000, .alone_ns = 3000, .sites = 2};
        assert_true(run(&arms, p, 20000).alone > 800);
        p.dear_ns = 1e3 * dear_us;
        const outcome o = run(&arms, p, 3000);
        assert_int_equal(o.alone, 0);
        p.dear_ns = 0;
        (void)run(&arms, p, 2000);
        assert_true(run(&arms, p, 4000).alone > 800);
    }
}

/* Wherever in the windows that are looked at together it begins. */
TEST(a_new_part_with_as_many_sites_is_tried_soon)
{
    for (unsigned windows = 0; windows <= 2 * PARA__ARM_WINDOWS; windows++) {
        para__arms arms = {0};
        const program alone = {.shared_ns = 13000, .alone_ns = 10000, .sites = 1};
        const program shared = {.first = 1, .shared_ns = 5000, .alone_ns = 10000, .sites = 1};
        (void)run(&arms, alone, 100000 + windows * PARA__WINDOW_CALLS);
        assert_true(run(&arms, shared, 4000).alone < 200);
    }
}

/* A loop that is called now and then, or is not always short, begins nothing anew. */
TEST(a_loop_that_is_called_seldom)
{
    for (unsigned seldom = 300; seldom <= 5000; seldom += 100) {
        para__arms arms = {0};
        const program p = {.shared_ns = 13000, .alone_ns = 10000, .sites = 3, .seldom = seldom};
        const outcome o = run(&arms, p, 100000);
        assert_in_range(o.trials, 3, 25);
        assert_true(o.alone > 800);
    }
}

/* A factorisation: its calls take less and less, and their site's cost is that of all of them. A
 * trial that comes later than what it is compared with would seem faster. */
TEST(loops_that_shrink_do_not_decide)
{
    double longer = 0; /* sum of the parts that calls take longer than they might */
    for (unsigned i = 0; i < 40; i++) {
        const unsigned shrinks = 400 + 53 * (i / 2);
        para__arms arms = {0};
        const program p = {
            .shared_ns = i % 2 ? 9000 : 11000, .alone_ns = 10000, .sites = 1, .shrinks = shrinks};
        const outcome o = run(&arms, p, 100000);
        longer += o.ns / o.best_ns - 1;
    }
    assert_true(longer < 40 * 0.01);
}

/* Where the thread is mostly elsewhere, windows take longer than their calls alone should, and the
 * first trial would seem to cost nothing. */
TEST(a_first_trial_is_paid_for)
{
    para__arms arms = {0};
    const program p = {.shared_ns = 1000, .alone_ns = 10000, .sites = 3, .elsewhere_ns = 90000};
    assert_int_equal(run(&arms, p, 20 * 32).trials, 0);
    assert_int_equal(run(&arms, p, 20 * 32).trials, 1);
}

/* Sites that do not come again end a window too. */
TEST(sites_that_never_come_again)
{
    para__arms arms = {0};
    const program p = {.shared_ns = 13000, .alone_ns = 10000, .sites = 100000};
    assert_true(run(&arms, p, 200000).alone > 800);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_that_is_faster_shared_stays_shared),
        cmocka_unit_test(a_program_that_is_faster_alone_runs_alone),
        cmocka_unit_test(a_prediction_that_is_too_high_does_not_decide),
        cmocka_unit_test(trials_cost_a_small_part_of_the_time),
        cmocka_unit_test(what_changes_is_found_out),
        cmocka_unit_test(windows_may_differ),
        cmocka_unit_test(disturbed_calls_do_not_decide),
        cmocka_unit_test(a_trial_without_helpers_decides_nothing),
        cmocka_unit_test(a_trial_beside_a_slow_core_does_not_decide_for_long),
        cmocka_unit_test(a_thread_that_calls_seldom),
        cmocka_unit_test(a_new_part_of_the_program_is_tried_soon),
        cmocka_unit_test(a_loop_that_comes_into_the_windows),
        cmocka_unit_test(a_new_part_with_as_many_sites_is_tried_soon),
        cmocka_unit_test(a_loop_that_is_called_seldom),
        cmocka_unit_test(loops_that_shrink_do_not_decide),
        cmocka_unit_test(a_first_trial_is_paid_for),
        cmocka_unit_test(sites_that_never_come_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
