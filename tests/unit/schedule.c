/* Policy: how the knowledge of a site decides its calls, and what their outcomes teach. Outcomes
 * and the machine's costs are made up, so that no clock decides. */
#include "../common/policy.h"

#include "share/participant.h"

#include <pthread.h>
#include <unistd.h>

/* Until all workers sleep, whom a test before may have woken; how many these are. */
static unsigned await_sleepers(void)
{
    while (para__load_relaxed(&pool->lanes.sleeping) < 2) /* all: a count on its own */
        usleep(1000);
    return para__load_relaxed(&pool->lanes.sleeping);
}

TEST(an_unknown_call_is_probed)
{
    para__site_forget(site_of(0));
    const para__schedule s = begin((para_options){0}, COUNT);
    assert_true(s.probe && s.timed);
    assert_int_equal(s.plan.width, 1);
    assert_int_equal(s.first_elements, 0); /* one unit */
}

/* Two jobs a call, of a site whose jobs differ: to try one alone would leave one. */
TEST(dear_units_of_unknown_cost_are_shared_from_the_first_one)
{
    static const size_t units[] = {2, 3, 8, 32};
    for (size_t u = 0; u < COUNT_OF(units); u++) {
        const double unit_ns = 1e6;
        const double element_ns = unit_ns * (double)units[u] / COUNT;
        know((para__estimate){.alone_ns = (float)element_ns,
                              .mean_ns = (float)element_ns,
                              .alone = 9,
                              .deviation = 64});
        const para__schedule s = begin((para_options){0}, units[u]);
        assert_false(s.probe);
        assert_int_equal(s.plan.width, 2);
        assert_int_equal(s.plan.first, 0); /* claims find out */
        assert_true(s.plan.announces);
    }
}

/* The first call of a site has few units: to try one alone may cost as much as all of them
 * shared. */
TEST(few_units_are_shared_in_a_first_call)
{
    static const size_t units[] = {2, 3, 8};
    for (size_t u = 0; u < COUNT_OF(units); u++) {
        para__site_forget(site_of(0));
        const para__schedule s = begin((para_options){0}, units[u]);
        assert_false(s.probe);
        assert_int_equal(s.plan.width, 2);
        assert_int_equal(s.plan.first, 0); /* claims find out */
    }
}

TEST(cheap_units_of_unknown_cost_are_probed)
{
    know((para__estimate){.alone_ns = 50, .mean_ns = 50, .alone = 9, .deviation = 64});
    assert_true(begin((para_options){0}, COUNT).probe);
}

/* The first batch of a probe is long against the price of a kernel call. */
TEST(a_probe_does_not_pay_the_price_often)
{
    know((para__estimate){
        .alone_ns = 100, .mean_ns = 100, .price_ns = 1000, .alone = 9, .deviation = 64});
    const para__schedule s = begin((para_options){0}, COUNT);
    assert_true(s.probe);
    assert_in_range(s.first_elements, 40, COUNT - 1);
    know((para__estimate){
        .alone_ns = 1, .mean_ns = 1, .price_ns = 100000, .alone = 9, .deviation = 64});
    assert_false(begin((para_options){0}, COUNT).probe); /* as one */
}

TEST(what_is_dearer_shared_than_alone_runs_alone)
{
    know((para__estimate){.alone_ns = 1000, .shared_ns = 2500, .alone = 9, .shared = 9});
    const para__schedule s = begin((para_options){0}, COUNT);
    assert_int_equal(s.plan.width, 1);
    assert_int_equal(s.plan.why, PARA_WHY_SMALL);
    assert_int_equal(begin((para_options){.executor = PARA_EXECUTOR_THREADS}, COUNT).plan.width, 2);
}

/* What was always shared is tried alone before long, and stays there if that was right. */
TEST(what_is_shared_is_compared_and_goes_back)
{
    know((para__estimate){.shared_ns = 5000, .mean_ns = 5000, .shared = 9, .spread = 16});
    unsigned alone = 0;
    unsigned calls = 0;
    for (; alone < 3 && calls < 100; calls++) {
        para__schedule s = begin((para_options){0}, COUNT);
        alone = s.plan.width == 1 ? alone + 1 : 0;
        end(&s, COUNT, s.plan.width == 1 ? 1e6 : 2.5e6);
    }
    assert_int_equal(alone, 3);
    assert_true(calls < 20);
}

/* Trials cost a bounded part of the time: 1/64 at first, less with each that was in vain. */
TEST(trials_are_paid_from_a_credit)
{
    know((para__estimate){
        .alone_ns = 1000, .shared_ns = 1000, .mean_ns = 1000, .alone = 9, .shared = 9});
    unsigned trials = 0;
    for (unsigned i = 0; i < 6400; i++) {
        para__schedule s = begin((para_options){0}, COUNT);
        trials += s.trial;
        assert_int_equal(s.trial, s.plan.width == 1);
        end(&s, COUNT, s.plan.width == 1 ? 1e6 : 5e5);
    }
    assert_in_range(trials, 5, 6400 / 64);

    know((para__estimate){
        .alone_ns = 1000, .shared_ns = 5000, .mean_ns = 1000, .alone = 9, .shared = 9});
    trials = 0;
    for (unsigned i = 0; i < 6400; i++) {
        para__schedule s = begin((para_options){0}, COUNT);
        trials += s.trial;
        assert_int_equal(s.trial, s.plan.width == 2);
        end(&s, COUNT, s.plan.width == 1 ? 1e6 : 2.5e6);
    }
    assert_in_range(trials, 2, 6400 / 64);
}

/* A lock that is gone: sharing pays again, and is found out. */
TEST(what_was_dearer_is_tried_again)
{
    know((para__estimate){
        .alone_ns = 1000, .shared_ns = 5000, .mean_ns = 1000, .alone = 9, .shared = 9});
    unsigned shared = 0;
    for (unsigned i = 0; i < 2000; i++) {
        para__schedule s = begin((para_options){0}, COUNT);
        shared += i >= 1000 && s.plan.width == 2;
        end(&s, COUNT, s.plan.width == 1 ? 1e6 : 5e5);
    }
    assert_true(shared > 950);
}

/* Calls of 25 us, of which some shared ones were disturbed, so that the site went back to running
 * alone. The first trial that is not disturbed shows what sharing costs. */
TEST(one_good_trial_makes_up_for_disturbed_calls)
{
    know((para__estimate){
        .alone_ns = 25, .shared_ns = 60, .mean_ns = 25, .alone = 9, .shared = 9, .refused = 1});
    unsigned trials = 0;
    unsigned shared = 0;
    for (unsigned i = 0; i < 20000; i++) {
        para__schedule s = begin((para_options){0}, COUNT);
        const bool was_shared = s.plan.width == 2;
        trials += was_shared && s.trial && s.timed;
        shared += i >= 16000 && (was_shared || s.together); /* decided for itself */
        end(&s, COUNT, !was_shared ? 25e3 : trials < 2 ? 50e3 : 13e3);
    }
    assert_in_range(trials, 2, 20);
    assert_true(shared > 3800);
}

/* At its disturbed cost the call is long, and yet it is too short to be shared with a helper that
 * has to be woken first: the trial waits for one. */
TEST(a_trial_waits_until_a_helper_is_awake)
{
    para__store_relaxed(&pool->followed.wake_ns, 50000); /* nobody else is there */
    para__store_relaxed(&pool->lanes.spin_ticks, ticks(1e9));
    know((para__estimate){.alone_ns = 25,
                          .shared_ns = 100,
                          .mean_ns = 25,
                          .credit_ns = 1e9f,
                          .alone = 9,
                          .shared = 9});
    unsigned trials = 0;
    for (unsigned i = 0; i < 100000 && trials == 0; i++) {
        para__schedule s = begin((para_options){0}, COUNT);
        trials += s.trial;
        end(&s, COUNT, s.plan.width == 1 ? 25e3 : 13e3);
        usleep(i % 100 == 0); /* lets it come, at any speed of the machine */
        if (para__site_read(site_of(0)).credit_ns == 0)
            know((para__estimate){.alone_ns = 25,
                                  .shared_ns = 100,
                                  .mean_ns = 25,
                                  .credit_ns = 1e9f,
                                  .alone = 9,
                                  .shared = 9});
    }
    para__store_relaxed(&pool->followed.wake_ns, 5000);
    para__store_relaxed(&pool->lanes.spin_ticks, 0);
    assert_true(trials > 0);
}

/* A shared trial to which nobody came would say that sharing costs nothing. */
TEST(a_trial_without_help_teaches_nothing)
{
    know((para__estimate){
        .alone_ns = 1000, .shared_ns = 5000, .mean_ns = 1000, .alone = 9, .shared = 9});
    unsigned trials = 0;
    for (unsigned i = 0; i < 2000; i++) {
        para__schedule s = begin((para_options){0}, COUNT);
        trials += s.trial;
        const unsigned width = s.plan.width;
        para__outcome outcome = {.workers = 1, .ticks = ticks(1e6)};
        outcome.tally.busy_ticks = ticks(1e6);
        outcome.tally.chunks = width;
        para__batches_add(&outcome.batches, (double)COUNT / width, (double)ticks(1e6 / width));
        if (s.timed)
            para__schedule_learn(&s, &outcome, COUNT);
    }
    assert_true(para__site_read(site_of(0)).shared_ns >= 4900); /* the clock rounds */
    assert_in_range(trials, 2, 2000 / 16);
}

/* A first unit that was slow looked like a price, so that slices have one ticket, and their times
 * tell no price. */
TEST(a_trial_that_is_given_up_corrects_the_price)
{
    know((para__estimate){.shared_ns = 1000,
                          .mean_ns = 1000,
                          .price_ns = 50000,
                          .priced = 1,
                          .shared = 9,
                          .spread = 16});
    para__schedule s = begin((para_options){0}, COUNT);
    for (unsigned i = 0; i < 100 && !s.trial; i++) {
        end(&s, COUNT, 5e5);
        s = begin((para_options){0}, COUNT);
    }
    assert_true(s.trial && s.probe);
    s.plan.width = 2;
    para__outcome outcome = {.workers = 2, .ticks = ticks(6e5)};
    for (unsigned units = 10; units <= 80; units *= 2)
        para__batches_add(&outcome.batches, units, (double)ticks(1e3 * units));
    para__schedule_learn(&s, &outcome, COUNT);
    assert_true(para__site_read(site_of(0)).price_ns <= 25000);
}

TEST(options_are_what_is_asked_for)
{
    know((para__estimate){.alone_ns = 1e6, .shared_ns = 1e6, .alone = 9, .shared = 9});
    const para__schedule serial = begin((para_options){.executor = PARA_EXECUTOR_SERIAL}, COUNT);
    assert_int_equal(serial.plan.width, 1);
    assert_int_equal(serial.plan.why, PARA_WHY_ASKED);
    const para__schedule one = begin((para_options){.workers = 1}, COUNT);
    assert_int_equal(one.plan.why, PARA_WHY_ASKED);
    const para__schedule threads = begin((para_options){.executor = PARA_EXECUTOR_THREADS}, COUNT);
    assert_int_equal(threads.plan.width, 2);
    assert_int_equal(threads.plan.why, PARA_WHY_ASKED);
}

/* Of a call whose units follow from its width. */
typedef struct dividing {
    para__split answer;
    unsigned asked, times;
} dividing;

static para__split answer(const void *call, unsigned width)
{
    dividing *d = (dividing *)(uintptr_t)call;
    d->asked = width;
    d->times++;
    return d->answer;
}

static para__schedule begin_dividing(const dividing *d, para_options options)
{
    static para_options kept;
    kept = options;
    para__schedule s = {.pool = pool};
    para__schedule_describe(&s, kernel, COUNT, COUNT, &kept);
    s.split = answer;
    s.split_of = d;
    if (!para__schedule_begin_small(&s)) {
        para__schedule_begin(&s);
        para__schedule_settle(&s);
    }
    return s;
}

TEST(units_are_asked_for_once_by_the_width)
{
    const para_options threads = {.executor = PARA_EXECUTOR_THREADS};
    const para__estimate dear = {.alone_ns = 1e6, .shared_ns = 1e6, .alone = 9, .shared = 9};
    dividing d = {.answer = {.units = 10, .width = 2}};
    know(dear);
    para__schedule s = begin_dividing(&d, threads);
    assert_int_equal(d.times, 1);
    assert_int_equal(d.asked, 2);
    assert_int_equal(s.plan.width, 2);
    assert_int_equal(s.plan.units.count, 10);
    assert_int_equal(para__schedule_units(&s), 10);

    /* A call that is probed may be shared by all. */
    para__site_forget(site_of(0));
    d = (dividing){.answer = {.units = 12, .width = 2}};
    s = begin_dividing(&d, (para_options){0});
    assert_true(s.probe);
    assert_int_equal(d.asked, 2);
    assert_int_equal(para__schedule_units(&s), 12);

    /* One that runs alone is not divided. */
    d = (dividing){0};
    s = begin_dividing(&d, (para_options){.executor = PARA_EXECUTOR_SERIAL});
    assert_int_equal(d.times, 0);
    assert_int_equal(para__schedule_units(&s), 1);
}

static void *begin_and_end(void *arg)
{
    para__schedule *const s = arg;
    const dividing d = {.answer = {.units = 12, .width = 2}};
    *s = begin_dividing(&d, (para_options){0});
    s->timed = true;
    s->dull_ns = 0;
    s->stands_for = 1;
    end(s, para__schedule_units(s), 6 * COUNT);
    return NULL;
}

/* Also a call that is divided for its workers adds to what calls forgo while these sleep, although
 * it ran as one unit. On a thread of its own: this one's calls so far decide whether its short ones
 * all run alone, and then nothing is forgone. */
TEST(what_a_divided_call_forgoes_is_counted)
{
    pthread_t thread;
    para__schedule s;
    (void)await_sleepers();
    know((para__estimate){.alone_ns = 6, .mean_ns = 6, .alone = 9});
    para__store_relaxed(&pool->followed.forgone_ns, 0); /* nobody else is there */
    assert_int_equal(pthread_create(&thread, NULL, begin_and_end, &s), 0);
    pthread_join(thread, NULL);
    assert_int_equal(s.plan.width, 1);
    const uint64_t forgone_ns = para__load_relaxed(&pool->followed.forgone_ns);
    assert_in_range(forgone_ns, 1000, 3 * COUNT); /* at most half of the work */
}

TEST(a_call_without_room_for_two_runs_alone)
{
    dividing d = {.answer = {.units = 1, .width = 1, .why = PARA_WHY_MEMORY}};
    know((para__estimate){.alone_ns = 1e6, .shared_ns = 1e6, .alone = 9, .shared = 9});
    para__schedule s = begin_dividing(&d, (para_options){.executor = PARA_EXECUTOR_THREADS});
    assert_int_equal(s.plan.width, 1);
    assert_int_equal(s.plan.why, PARA_WHY_MEMORY);
    d.answer = (para__split){.units = 1, .width = 2};
    s = begin_dividing(&d, (para_options){.executor = PARA_EXECUTOR_THREADS});
    assert_int_equal(s.plan.why, PARA_WHY_ONE_UNIT);
}

TEST(loops_of_one_kernel_are_told_apart)
{
    assert_ptr_equal(site_of(1), site_of(1));
    assert_ptr_not_equal(site_of(1), site_of(2));
    assert_ptr_not_equal(site_of(0), site_of(1));
    para__site_forget(site_of(1));
    know((para__estimate){.alone_ns = 1e6f, .mean_ns = 1e6f, .alone = 9});
    assert_int_equal(begin((para_options){0}, COUNT).plan.width, 2);
    const para__schedule other = begin((para_options){.site = 1}, COUNT);
    assert_true(other.probe); /* not known */
    assert_ptr_equal(other.site, site_of(1));
}

typedef struct parts {
    para__plan outer, inner; /* of a call, and of one like it within a shared call */
} parts;

static void *begin_parts(void *arg)
{
    parts *const p = arg;
    p->outer = begin((para_options){0}, COUNT).plan;
    para__current_lane = &pool->lanes.lane[0];
    p->inner = begin((para_options){0}, COUNT).plan;
    para__current_lane = NULL;
    return NULL;
}

/* Within a shared call helpers are awake, and busy: a short call is not offered to them. On a
 * thread of its own: this one's calls so far decide whether its short ones all run alone. */
TEST(a_short_part_of_a_shared_call_runs_alone)
{
    const unsigned sleeping = await_sleepers();
    para__add_relaxed(&pool->lanes.sleeping, -sleeping);
    static const double ns[] = {0.8 * PARA__LONG_WITHIN_NS, 20 * PARA__LONG_WITHIN_NS};
    for (size_t i = 0; i < COUNT_OF(ns); i++) {
        pthread_t thread;
        parts p;
        know((para__estimate){.alone_ns = (float)(ns[i] / COUNT), .alone = 9, .spread = 16});
        assert_int_equal(pthread_create(&thread, NULL, begin_parts, &p), 0);
        pthread_join(thread, NULL);
        assert_int_equal(p.outer.width, 2);
        assert_int_equal(p.inner.width, 1 + i);
        assert_int_equal(p.inner.why, i ? PARA_WHY_PARALLEL : PARA_WHY_SMALL);
    }
    para__add_relaxed(&pool->lanes.sleeping, sleeping);
}

static void check_alike(const para__schedule *a, const para__schedule *b)
{
    assert_int_equal(a->plan.units.count, b->plan.units.count);
    assert_int_equal(a->plan.width, b->plan.width);
    assert_int_equal(a->plan.tickets, b->plan.tickets);
    assert_int_equal(a->plan.first, b->plan.first);
    assert_int_equal(a->plan.head_start, b->plan.head_start);
    assert_int_equal(a->plan.announces, b->plan.announces);
}

typedef struct calls {
    para__schedule first, asleep, recalled, timed, otherwise;
} calls;

static void *begin_calls(void *arg)
{
    calls *const c = arg;
    const unsigned sleeping = await_sleepers();
    para__estimate e = {.alone_ns = 2, .shared_ns = 2, .alone = 9, .shared = 9, .spread = 16};
    know(e);
    para__add_relaxed(&pool->lanes.sleeping, -sleeping);
    c->first = begin((para_options){0}, COUNT);
    para__add_relaxed(&pool->lanes.sleeping, sleeping);
    c->asleep = begin((para_options){0}, COUNT);
    para__add_relaxed(&pool->lanes.sleeping, -sleeping);
    para__store_relaxed(&pool->followed.share_ns, 1000000); /* nobody else is there */
    c->recalled = begin((para_options){0}, COUNT);
    e.alone_ns = 2.1f;
    know(e);
    c->otherwise = begin((para_options){0}, COUNT);
    e.alone_ns = 2;
    know(e);
    do
        c->timed = begin((para_options){0}, COUNT);
    while (!c->timed.timed);
    para__store_relaxed(&pool->followed.share_ns, 150);
    para__add_relaxed(&pool->lanes.sleeping, sleeping);
    return NULL;
}

/* Until a timed call: then with what sharing costs by now. Not if other helpers are awake, or other
 * costs known. On a thread of its own, as above. */
TEST(a_short_call_is_shared_as_the_one_before)
{
    pthread_t thread;
    calls c;
    assert_int_equal(pthread_create(&thread, NULL, begin_calls, &c), 0);
    pthread_join(thread, NULL);
    assert_int_equal(c.first.plan.width, 2);
    assert_true(c.recalled.is_recalled);
    check_alike(&c.recalled, &c.first);
    assert_false(c.asleep.is_recalled || c.timed.is_recalled || c.otherwise.is_recalled);
    assert_int_equal(c.asleep.plan.width, 1);
    assert_int_equal(c.otherwise.plan.width, 1);
}

typedef struct divided {
    para__schedule first, roomy, as_before, again;
} divided;

/* The same call four times: with room for few units, for more twice, for as few as at first. */
static void *begin_divided(void *arg)
{
    divided *const c = arg;
    dividing few = {.answer = {.units = 300, .width = 2}};
    dividing more = {.answer = {.units = 900, .width = 2}};
    const unsigned sleeping = await_sleepers();
    know((para__estimate){.alone_ns = 2, .shared_ns = 2, .alone = 9, .shared = 9, .spread = 16});
    para__add_relaxed(&pool->lanes.sleeping, -sleeping);
    c->first = begin_dividing(&few, (para_options){0});
    c->roomy = begin_dividing(&more, (para_options){0});
    c->as_before = begin_dividing(&more, (para_options){0});
    c->again = begin_dividing(&few, (para_options){0});
    para__add_relaxed(&pool->lanes.sleeping, sleeping);
    return NULL;
}

/* A reduction of larger accumulators, or of longer chunks, has fewer units at the same count. On a
 * thread of its own, as above. */
TEST(a_call_that_is_divided_otherwise_is_planned_for_its_units)
{
    pthread_t thread;
    divided c;
    assert_int_equal(pthread_create(&thread, NULL, begin_divided, &c), 0);
    pthread_join(thread, NULL);
    assert_false(c.first.is_recalled);
    assert_true(c.roomy.is_recalled && c.as_before.is_recalled && c.again.is_recalled);
    assert_int_equal(c.roomy.plan.units.count, 900);
    assert_true(c.roomy.plan.head_start > c.first.plan.head_start);
    check_alike(&c.as_before, &c.roomy);
    assert_int_equal(c.first.plan.units.count, 300);
    check_alike(&c.again, &c.first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_call_is_probed),
        cmocka_unit_test(dear_units_of_unknown_cost_are_shared_from_the_first_one),
        cmocka_unit_test(few_units_are_shared_in_a_first_call),
        cmocka_unit_test(cheap_units_of_unknown_cost_are_probed),
        cmocka_unit_test(a_probe_does_not_pay_the_price_often),
        cmocka_unit_test(what_is_dearer_shared_than_alone_runs_alone),
        cmocka_unit_test(what_is_shared_is_compared_and_goes_back),
        cmocka_unit_test(trials_are_paid_from_a_credit),
        cmocka_unit_test(what_was_dearer_is_tried_again),
        cmocka_unit_test(one_good_trial_makes_up_for_disturbed_calls),
        cmocka_unit_test(a_trial_waits_until_a_helper_is_awake),
        cmocka_unit_test(a_trial_without_help_teaches_nothing),
        cmocka_unit_test(a_trial_that_is_given_up_corrects_the_price),
        cmocka_unit_test(options_are_what_is_asked_for),
        cmocka_unit_test(units_are_asked_for_once_by_the_width),
        cmocka_unit_test(what_a_divided_call_forgoes_is_counted),
        cmocka_unit_test(a_call_without_room_for_two_runs_alone),
        cmocka_unit_test(loops_of_one_kernel_are_told_apart),
        cmocka_unit_test(a_short_part_of_a_shared_call_runs_alone),
        cmocka_unit_test(a_short_call_is_shared_as_the_one_before),
        cmocka_unit_test(a_call_that_is_divided_otherwise_is_planned_for_its_units),
    };
    return cmocka_run_group_tests(tests, make_pool, destroy_pool);
}
