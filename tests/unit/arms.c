/* Arms: threads whose short calls take less time shared, or alone, all of them together. */
#include "../common/check.h"

#include "plan/arms.h"

/* A program: what a window's call takes in each arm, beside what it takes alone; and how much of
 * the time is disturbed. */
typedef struct program {
    double shared_ns, alone_ns;
    unsigned sites;     /* that it calls in turn */
    unsigned disturbed; /* one of so many calls takes ten times as long; 0: none */
} program;

typedef struct outcome {
    double ns, best_ns; /* in all; in the better arm alone */
    unsigned alone;     /* of the last thousand calls */
} outcome;

static outcome run(para__arms *arms, program p, unsigned calls)
{
    static uint64_t now = 1000;
    static uint64_t random = 5;
    outcome o = {0};
    for (unsigned i = 0; i < calls; i++) {
        const uint32_t site = 64 * (i % p.sites + 1);
        if (arms->since == 0 || para__arms_is_full(arms, site))
            para__arms_next_window(arms, site, now);
        para__arms_add(arms, site, p.alone_ns);
        const bool alone = para__arms_now(arms) == PARA__ALL_ALONE;
        double ns = alone ? p.alone_ns : p.shared_ns;
        if (p.disturbed && check_below(&random, p.disturbed) == 0)
            ns *= 10;
        o.ns += ns;
        o.best_ns += p.alone_ns < p.shared_ns ? p.alone_ns : p.shared_ns;
        o.alone += alone && i >= calls - 1000;
        now += (uint64_t)ns;
    }
    return o;
}

TEST(a_program_that_is_faster_shared_stays_shared)
{
    para__arms arms = {0};
    const outcome early = run(&arms, (program){9500, 10000, 3, 0}, 2000);
    assert_true(early.ns < 1.02 * early.best_ns);
    const outcome o = run(&arms, (program){9500, 10000, 3, 0}, 100000);
    assert_true(o.ns < 1.01 * o.best_ns);
    assert_true(o.alone < 100);
    arms = (para__arms){0}; /* with many workers a trial would cost a lot */
    const outcome wide = run(&arms, (program){500, 10000, 3, 0}, 100000);
    assert_true(wide.ns == wide.best_ns);
}

TEST(a_program_that_is_faster_alone_runs_alone)
{
    for (unsigned sites = 1; sites <= 7; sites++) {
        para__arms arms = {0};
        const outcome o = run(&arms, (program){13000, 10000, sites, 0}, 100000);
        assert_true(o.ns < 1.03 * o.best_ns);
        assert_true(o.alone > 900);
    }
}

TEST(what_changes_is_found_out)
{
    para__arms arms = {0};
    (void)run(&arms, (program){13000, 10000, 3, 0}, 100000);
    assert_true(run(&arms, (program){6000, 10000, 3, 0}, 30000).alone < 100);
    assert_true(run(&arms, (program){13000, 10000, 3, 0}, 30000).alone > 900);
}

/* Neither arm is better: it does not matter which, but one must not cost more than the other. */
TEST(disturbed_calls_do_not_decide)
{
    para__arms arms = {0};
    const outcome shared = run(&arms, (program){6000, 10000, 3, 100}, 200000);
    assert_true(shared.ns < 1.2 * shared.best_ns);
    arms = (para__arms){0};
    const outcome alone = run(&arms, (program){14000, 10000, 3, 100}, 200000);
    assert_true(alone.ns < 1.2 * alone.best_ns);
}

/* Between the calls the thread is mostly elsewhere: then there is nothing to gain. */
TEST(a_thread_that_calls_seldom_does_not_try)
{
    para__arms arms = {0};
    assert_int_equal(run(&arms, (program){100000, 10000, 3, 0}, 100000).alone, 0);
}

/* After a long part in which sharing was better by far, and trials had become rare. */
TEST(a_new_part_of_the_program_is_tried_soon)
{
    para__arms arms = {0};
    (void)run(&arms, (program){5000, 10000, 1, 0}, 100000);
    const outcome o = run(&arms, (program){13000, 10000, 5, 0}, 4000);
    assert_true(o.alone > 900);
    assert_true(run(&arms, (program){5000, 10000, 1, 0}, 4000).alone < 200);
}

/* Sites that do not come again end a window too. */
TEST(sites_that_never_come_again)
{
    para__arms arms = {0};
    const outcome o = run(&arms, (program){13000, 10000, 100000, 0}, 100000);
    assert_true(o.alone > 900);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_that_is_faster_shared_stays_shared),
        cmocka_unit_test(a_program_that_is_faster_alone_runs_alone),
        cmocka_unit_test(what_changes_is_found_out),
        cmocka_unit_test(disturbed_calls_do_not_decide),
        cmocka_unit_test(a_thread_that_calls_seldom_does_not_try),
        cmocka_unit_test(a_new_part_of_the_program_is_tried_soon),
        cmocka_unit_test(sites_that_never_come_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
