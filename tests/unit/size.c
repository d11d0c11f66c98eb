/* The rule by which a pool that adapts changes its size, on loads that are made up. */
#include "../common/check.h"

#include "base/bounds.h"
#include "plan/size.h"

static const double look_ns = 1e7; /* 100 looks a second */

typedef struct course {
    unsigned changes, most_changes_a_second, least, most;
    double waited; /* the sum of what was queued over looks */
} course;

/* A pool under a load that wants `wanted(second)` workers. What exceeds the size is queued. */
static course live(para__size *size, double (*wanted)(double second), double begin, double end)
{
    course c = {.least = size->workers, .most = size->workers};
    unsigned in_second = 0, last = size->workers;
    for (unsigned look = 0; begin + look * look_ns / 1e9 < end; look++) {
        const double t = begin + look * look_ns / 1e9;
        const unsigned want = (unsigned)(wanted(t) + 0.5);
        const unsigned busy = para__min(want, size->workers);
        const unsigned queued = want - busy;
        const para__size_seen seen = {.busy = busy,
                                      .queued = queued,
                                      .wait_ns = queued ? 1e6 * queued : 0,
                                      .elapsed_ns = look_ns};
        const unsigned now = para__size_look(size, seen);
        assert_in_range(now, size->least, size->most);
        if ((long)t != (long)(t - look_ns / 1e9))
            in_second = 0;
        if (now != last) {
            c.changes++;
            in_second++;
        }
        c.most_changes_a_second = para__max(c.most_changes_a_second, in_second);
        c.waited += queued;
        c.least = para__min(c.least, now);
        c.most = para__max(c.most, now);
        last = now;
    }
    return c;
}

static para__size made(unsigned workers)
{
    return (para__size){.workers = workers, .least = 1, .most = 16};
}

static double nothing(double second)
{
    (void)second;
    return 0;
}

static double all(double second)
{
    (void)second;
    return 100;
}

static double six(double second)
{
    (void)second;
    return 6;
}

TEST(idle_pools_become_small)
{
    para__size size = made(16);
    course c = live(&size, nothing, 0, 10);
    assert_true(size.workers == 1 && c.changes <= 5); /* 16, 8, 4, 2, 1 */
    c = live(&size, nothing, 10, 1000);
    assert_int_equal(c.changes, 0);
}

TEST(a_backlog_makes_it_large_at_once)
{
    para__size size = made(1);
    course c = live(&size, all, 0, 0.095); /* nine looks: two each for 2, 4, 8, 16 */
    assert_true(size.workers == 16 && c.changes == 4);
    c = live(&size, all, 0.1, 100);
    assert_int_equal(c.changes, 0);
}

/* One look that sees a queue is a burst that is over before anybody could help. */
TEST(short_bursts_change_nothing)
{
    para__size size = made(1);
    for (int i = 0; i < 1000; i++) {
        const para__size_seen burst = {
            .busy = 1, .queued = 50, .wait_ns = 1e7, .elapsed_ns = look_ns};
        const para__size_seen quiet = {.elapsed_ns = look_ns};
        (void)para__size_look(&size, i % 2 ? burst : quiet);
    }
    assert_int_equal(size.workers, 1);
}

TEST(steady_loads_come_to_rest)
{
    para__size size = made(1);
    course c = live(&size, six, 0, 10);
    assert_in_range(size.workers, 6, 8);
    assert_true(c.changes <= 5);
    c = live(&size, six, 10, 1000);
    assert_int_equal(c.changes, 0);
    size = made(16);
    (void)live(&size, six, 0, 10);
    assert_in_range(size.workers, 6, 10);
    assert_int_equal(live(&size, six, 10, 1000).changes, 0);
}

/* Half a second of work, and a gap of `gap` seconds. */
static double gap;
static double bursts(double second)
{
    const double period = 0.5 + gap;
    const double phase = second - period * (double)(long)(second / period);
    return phase < 0.5 ? 12 : 0;
}

/* With gaps of any length; those of up to a minute come to rest but for a change now and then. */
TEST(bursts_do_not_make_it_thrash)
{
    const double gaps[] = {0.05, 0.3, 0.9, 1.1, 2, 5, 10, 30, 50};
    for (size_t i = 0; i < COUNT_OF(gaps); i++) {
        para__size size = made(1);
        gap = gaps[i];
        const double periods = 100, first = 20 * (0.5 + gap), end = periods * (0.5 + gap);
        course c = live(&size, bursts, 0, first);
        assert_int_equal(c.most, 16);
        assert_in_range(c.most_changes_a_second, 1, 5);
        c = live(&size, bursts, first, end);
        if (c.changes > 0.5 * periods)
            fail_msg("%u changes in %g bursts with gaps of %g s", c.changes, periods, gap);
    }
}

/* Up and down between 0 and 12 workers in 20 seconds. */
static double saw(double second)
{
    const double phase = second / 20 - (double)(long)(second / 20);
    return 24 * (phase < 0.5 ? phase : 1 - phase);
}

TEST(it_follows_a_saw_tooth)
{
    para__size size = made(1);
    const course c = live(&size, saw, 0, 200);
    assert_true(c.most >= 12 && c.least == 1);
    assert_true(c.changes <= 10 * 12);   /* ten teeth */
    assert_true(c.waited / 20000 < 0.2); /* a look sees hardly anybody wait */
}

/* Calls queue nothing: all helpers busy for some time. One of the workers is the caller's place. */
TEST(calls_that_use_all_helpers)
{
    para__size size = {.workers = 2, .least = 2, .most = 16};
    for (int i = 0; i < 100; i++)
        (void)para__size_look(&size,
                              (para__size_seen){.busy = size.workers - 1, .elapsed_ns = look_ns});
    assert_int_equal(size.workers, 16);
}

/* Nobody has looked for long: that is not a time without load. */
TEST(gaps_between_looks)
{
    para__size size = made(16);
    for (int i = 0; i < 4; i++)
        (void)para__size_look(&size, (para__size_seen){.elapsed_ns = 1e12});
    assert_int_equal(size.workers, 16);
}

TEST(bounds)
{
    para__size size = {.workers = 3, .least = 3, .most = 3};
    assert_int_equal(live(&size, all, 0, 10).changes + live(&size, nothing, 10, 20).changes, 0);
    size = (para__size){.workers = 5, .least = 5, .most = 7};
    assert_int_equal(live(&size, all, 0, 10).most, 7);
    assert_int_equal(live(&size, nothing, 10, 20).least, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idle_pools_become_small),
        cmocka_unit_test(a_backlog_makes_it_large_at_once),
        cmocka_unit_test(short_bursts_change_nothing),
        cmocka_unit_test(steady_loads_come_to_rest),
        cmocka_unit_test(bursts_do_not_make_it_thrash),
        cmocka_unit_test(it_follows_a_saw_tooth),
        cmocka_unit_test(calls_that_use_all_helpers),
        cmocka_unit_test(gaps_between_looks),
        cmocka_unit_test(bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
