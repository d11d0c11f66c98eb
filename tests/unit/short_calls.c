/* Policy of short calls: a thread's, all of them together, and those that need no plan. */
#include "../common/policy.h"

#include <pthread.h>

/* Calls of 10 ns, which none is: so windows take longer than all of their calls alone should, and
 * that is tried. Calls that run alone by themselves count as well. While it is tried, nothing is
 * learnt. */
TEST(short_calls_are_looked_at_together)
{
    para__store_relaxed(&pool->followed.least_work_ns, 0);
    unsigned together = 0;
    unsigned timed = 0;
    for (unsigned i = 0; i < 20 * 32; i++) {
        know((para__estimate){
            .alone_ns = 0.01f, .shared_ns = 0.01f, .mean_ns = 0.01f, .alone = 9, .shared = 9});
        para__schedule s = begin((para_options){0}, COUNT);
        assert_true(!s.small && s.plan.width == 1);
        if (s.together) {
            assert_int_equal(s.plan.why, PARA_WHY_TOGETHER);
            timed += s.timed; /* in a trial none, and else one in 17 */
            together++;
        }
        end(&s, COUNT, 10);
    }
    para__store_relaxed(&pool->followed.least_work_ns, 700);
    assert_in_range(together, 64, 20 * 32); /* four windows, or all if that seemed faster */
    assert_true(timed <= together / 8);
}

/* Of a trial: its first call, which runs alone with all others, and those after it. */
static void *count_timed_in_trial(void *timed)
{
    unsigned of_trial = 0;
    for (unsigned i = 0; i < 10000 * 32 && of_trial < 8 * 32; i++) {
        know((para__estimate){
            .alone_ns = 25, .shared_ns = 45, .mean_ns = 25, .alone = 9, .shared = 9});
        const para__schedule s = begin((para_options){0}, COUNT);
        of_trial += s.together || of_trial > 0;
        *(unsigned *)timed += of_trial > 0 && s.timed;
    }
    return of_trial < 8 * 32 ? NULL : timed;
}

/* Calls of 25 us, by a thread of which nothing is known. What a trial's windows have in common is
 * what their calls are expected to take. */
TEST(nothing_is_learnt_in_a_trial_of_all_short_calls)
{
    unsigned timed = 0;
    void *seen = NULL;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, count_timed_in_trial, &timed), 0);
    assert_int_equal(pthread_join(thread, &seen), 0);
    assert_non_null(seen);
    assert_int_equal(timed, 0);
}

/* Calls of 4 us until all run alone: more in a row than a trial of that has. */
static bool turn_alone(const para__estimate *known)
{
    unsigned together = 0;
    for (unsigned i = 0; i < 300000 && together < 20 * 32; i++) {
        know(*known);
        para__schedule s = begin((para_options){0}, COUNT);
        together = s.plan.why == PARA_WHY_TOGETHER ? together + 1 : 0;
        end(&s, COUNT, 4e3);
    }
    return together == 20 * 32;
}

/* The calls until a trial of sharing comes; 0: none does. NULL: by the clock of this machine they
 * do not run alone together. */
static void *await_trial(void *calls)
{
    const para__estimate disturbed = {
        .alone_ns = 4, .shared_ns = 16, .mean_ns = 4, .alone = 9, .shared = 1};
    if (!turn_alone(&disturbed))
        return NULL;
    for (unsigned i = 1; i < 100000 && *(unsigned *)calls == 0; i++) {
        para__schedule s = begin((para_options){0}, COUNT);
        if (s.trial && s.timed && s.plan.width == 2)
            *(unsigned *)calls = i;
        end(&s, COUNT, s.plan.width == 1 ? 4e3 : 2.5e3);
    }
    return calls;
}

/* A call of 4 us whose only shared one so far was disturbed. Nothing is shared, so to decide
 * nothing is faster, and all run alone, by a thread of which nothing is known; the site is tried
 * all the same. */
TEST(what_runs_alone_with_all_others_is_tried_again)
{
    unsigned calls = 0;
    void *seen = NULL;
    pthread_t thread;
    para__store_relaxed(&pool->followed.wake_ns, 100);
    assert_int_equal(pthread_create(&thread, NULL, await_trial, &calls), 0);
    assert_int_equal(pthread_join(thread, &seen), 0);
    para__store_relaxed(&pool->followed.wake_ns, 5000);
    if (!seen)
        skip();
    assert_true(calls > 0);
    assert_true(para__site_read(site_of(0)).shared_ns < 8);
}

/* Calls of 10 ns; what a call costs is known beforehand in integers. */
TEST(brief_calls_that_run_alone_together_need_no_plan)
{
    const para__estimate e = {
        .alone_ns = 0.01f, .shared_ns = 0.01f, .mean_ns = 0.01f, .alone = 9, .shared = 9};
    para__store_relaxed(&pool->followed.least_work_ns, 0);
    unsigned brief = 0;
    unsigned watched = 0;
    for (unsigned i = 0; i < 1000 * 32 && (brief < 64 || watched == 0); i++) {
        know(e);
        para__store_relaxed(&site_of(0)->brief, para__estimate_brief(e, COUNT)); /* no order */
        para__schedule s = begin((para_options){0}, COUNT);
        if (!s.small) {
            assert_int_equal(s.dull_ticks, 0);
            end(&s, COUNT, 10);
            continue;
        }
        brief++;
        assert_int_equal(s.plan.why, PARA_WHY_TOGETHER);
        assert_int_equal(s.plan.width, 1);
        assert_false(s.timed);
        if (s.dull_ticks == 0)
            continue;
        watched++;
        para__schedule_watched(&s, s.dull_ticks - 1);
        assert_int_not_equal(para__load_relaxed(&s.site->brief), 0); /* no order */
        para__schedule_watched(&s, s.dull_ticks);
        assert_int_equal(para__load_relaxed(&s.site->brief), 0); /* likewise */
    }
    para__store_relaxed(&pool->followed.least_work_ns, 700);
    assert_true(brief >= 64);
    assert_in_range(watched, 1, brief / 8);
}

/* Small calls are watched now and then. If one is not as small as it was, the next is learnt
 * from. */
TEST(small_calls_are_watched)
{
    know((para__estimate){.alone_ns = 0.1f, .mean_ns = 0.1f, .alone = 9});
    unsigned timed = 0;
    unsigned watched = 0;
    for (unsigned i = 0; i < 17 * 17; i++) {
        para__schedule s = begin((para_options){0}, COUNT);
        assert_true(s.small && s.plan.width == 1);
        timed += s.timed;
        watched += s.dull_ticks != 0;
        end(&s, COUNT, 100);
    }
    assert_in_range(timed, 1, 3); /* the first, which is not known to be small, and every 289th */
    assert_in_range(watched, 14, 17);
    para__schedule s;
    do
        s = begin((para_options){0}, COUNT);
    while (s.dull_ticks == 0);
    para__schedule_watched(&s, s.dull_ticks - 1);
    assert_int_not_equal(para__load_relaxed(&s.site->small),
                         0); /* no order: nobody else is there */
    para__schedule_watched(&s, ticks(1e6));
    s = begin((para_options){0}, COUNT);
    assert_true(s.timed);
    const float known_ns = para__site_read(site_of(0)).alone_ns;
    end(&s, COUNT, 1e6);
    assert_true(para__site_read(site_of(0)).alone_ns > 1.5f * known_ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_calls_are_looked_at_together),
        cmocka_unit_test(nothing_is_learnt_in_a_trial_of_all_short_calls),
        cmocka_unit_test(what_runs_alone_with_all_others_is_tried_again),
        cmocka_unit_test(brief_calls_that_run_alone_together_need_no_plan),
        cmocka_unit_test(small_calls_are_watched),
    };
    return cmocka_run_group_tests(tests, make_pool, destroy_pool);
}
