/* Estimates: what a site's cost is taken to be after samples that are steady, disturbed, or
 * change. */
#include "../common/check.h"

#include "plan/estimate.h"

#include <math.h>

/* So many samples of calls of 1000 elements that cost cost_ns each. */
static para__estimate add(para__estimate e, int times, double cost_ns)
{
    for (int i = 0; i < times; i++)
        e = para__estimate_add(e, PARA__ALONE, 1000, 1000 * cost_ns, 1);
    return e;
}

static para__estimate known(double cost_ns)
{
    return add((para__estimate){0}, 20, cost_ns);
}

/* Whether the estimate is that cost, up to a factor. */
static bool is_within(para__estimate e, double cost_ns, double factor)
{
    return e.alone_ns <= cost_ns * factor && e.alone_ns >= cost_ns / factor;
}

TEST(the_first_sample_is_taken_as_it_is)
{
    const para__estimate e = para__estimate_add((para__estimate){0}, PARA__ALONE, 4, 200, 1);
    assert_true(e.alone_ns == 50);
    assert_int_equal(e.deviation, 0);
    assert_int_equal(e.alone, 1);
}

TEST(one_sample_is_not_trusted_and_two_alike_are)
{
    para__estimate e = {0};
    assert_false(para__estimate_trusted(e));
    e = add(e, 1, 5);
    assert_false(para__estimate_trusted(e));
    e = add(e, 1, 5);
    assert_true(para__estimate_trusted(e));
}

TEST(two_samples_that_differ_are_not_trusted)
{
    assert_false(para__estimate_trusted(add(add((para__estimate){0}, 1, 5), 1, 5000)));
    assert_false(para__estimate_trusted(add(add((para__estimate){0}, 1, 5000), 1, 5)));
}

TEST(small_differences_do_not_cost_trust)
{
    para__estimate e = known(7);
    uint64_t random = 1;
    for (int i = 0; i < 1000; i++) {
        e = add(e, 1, 7 * (0.85 + 0.3 * (double)check_below(&random, 1000) / 1000));
        assert_true(para__estimate_trusted(e));
        assert_true(is_within(e, 7, 1.15));
    }
}

TEST(a_lasting_change_shows_within_a_few_samples)
{
    static const double factors[] = {0.001, 0.1, 0.5, 1.5, 2, 10, 1000};
    for (size_t f = 0; f < COUNT_OF(factors); f++) {
        const double cost = 5 * factors[f] * 1000;
        para__estimate e = add(known(5000), 8, cost);
        assert_true(is_within(e, cost, 4));
        e = add(e, 8, cost);
        assert_true(is_within(e, cost, 1.4));
        e = add(e, 8, cost);
        assert_true(is_within(e, cost, 1.1));
        assert_true(para__estimate_trusted(e));
    }
}

TEST(after_a_great_change_the_site_is_probed_at_once)
{
    assert_false(para__estimate_trusted(add(known(5), 1, 5000)));
    assert_false(para__estimate_trusted(add(known(5000), 1, 5)));
}

TEST(one_outlier_neither_spoils_the_estimate_nor_costs_trust_for_long)
{
    static const double factors[] = {0.001, 1000, 1e6};
    for (size_t f = 0; f < COUNT_OF(factors); f++) {
        para__estimate e = add(known(50), 1, 50 * factors[f]);
        assert_true(is_within(e, 50, 2.001));
        e = add(e, 8, 50);
        assert_true(is_within(e, 50, 1.25));
        assert_true(para__estimate_trusted(e));
    }
}

TEST(costs_that_alternate_are_never_trusted)
{
    for (int first = 0; first < 2; first++) {
        para__estimate e = {0};
        for (int i = 0; i < 1000; i++) {
            e = add(e, 1, i % 2 == first ? 1 : 1000);
            assert_false(para__estimate_trusted(e));
            assert_true(e.alone_ns >= 0.5 && e.alone_ns <= 2000);
        }
    }
}

TEST(spread_is_followed)
{
    para__estimate e = add((para__estimate){0}, 1, 5);
    assert_int_equal(e.spread, 16);
    assert_true(para__estimate_unevenness(e) == 1);
    for (int i = 0; i < 8; i++)
        e = para__estimate_add(e, PARA__ALONE, 1000, 5000, 3);
    assert_in_range(e.spread, 40, 48);
    e = add(e, 20, 5);
    assert_in_range(e.spread, 16, 24);
}

TEST(a_call_that_ran_as_one_tells_nothing_of_the_spread)
{
    para__estimate e = para__estimate_add((para__estimate){0}, PARA__ALONE, 10, 1000, 4);
    const uint8_t before = e.spread;
    assert_int_equal(before, 64);
    e = para__estimate_add(e, PARA__ALONE, 10, 1000, 0);
    assert_int_equal(e.spread, before);
    assert_true(para__estimate_add(e, PARA__ALONE, 10, 1000, 1).spread < before);
}

TEST(spread_stays_in_its_range)
{
    static const double spreads[] = {-1, 0, 0.5, 1, 15.9, 16, 1e9, INFINITY};
    for (size_t s = 0; s < COUNT_OF(spreads); s++) {
        para__estimate e = {0};
        for (int i = 0; i < 50; i++) {
            e = para__estimate_add(e, PARA__ALONE, 10, 1000, spreads[s]);
            assert_in_range(e.spread, 16, 255);
        }
        assert_int_equal(para__estimate_unevenness(e) > 1.5, spreads[s] > 1);
    }
}

/* What is known alone stands for both until the other is known as well. */
TEST(each_way_to_run_has_its_own_cost)
{
    para__estimate e = known(5);
    assert_true(para__estimate_cost(e, PARA__SHARED) == para__estimate_cost(e, PARA__ALONE));
    for (int i = 0; i < 20; i++)
        e = para__estimate_add(e, PARA__SHARED, 1000, 20000, 1);
    assert_true(is_within(e, 5, 1.001));
    assert_true(para__estimate_cost(e, PARA__SHARED) > 19.9);
    assert_true(para__estimate_trusted(e)); /* the ways differ, and calls do not */
    e = para__estimate_add((para__estimate){0}, PARA__SHARED, 1000, 3000, 1);
    assert_true(para__estimate_cost(e, PARA__ALONE) == 3);
}

TEST(a_trial_tells_a_cost_and_does_not_cost_trust)
{
    para__estimate e = known(5);
    const uint8_t deviation = e.deviation;
    e = para__estimate_try(e, PARA__SHARED, 1000, 50000);
    assert_int_equal(e.deviation, deviation);
    assert_true(para__estimate_cost(e, PARA__SHARED) == 50);
    assert_true(is_within(e, 5, 1.001));
}

TEST(the_plain_mean_is_not_clipped)
{
    para__estimate e = {0};
    for (int i = 0; i < 160; i++)
        e = add(e, 1, i % 10 ? 1 : 1001);
    assert_true(e.mean_ns > 30 && e.mean_ns < 300); /* 101 */
}

/* ---- The price of a kernel call --------------------------------------------------------- */

static double price_of(double price, const double *unit_cost, const unsigned *lengths, size_t n)
{
    para__batches batches = {0};
    size_t unit = 0;
    for (size_t i = 0; i < n; i++) {
        double ticks = price;
        for (unsigned u = 0; u < lengths[i]; u++)
            ticks += unit_cost[unit++];
        para__batches_add(&batches, lengths[i], ticks);
    }
    return para__batches_price(&batches, 0, true);
}

static const unsigned halving[] = {250, 250, 250, 125, 63, 31, 16, 8, 4, 2, 1};
static const unsigned growing[] = {1, 2, 24, 216, 757};
enum { UNITS = 1000 };

TEST(a_price_is_found_from_batches_of_different_length)
{
    double even[UNITS];
    for (size_t i = 0; i < UNITS; i++)
        even[i] = 3;
    for (unsigned price = 64; price < 1000000; price *= 4) {
        assert_true(fabs(price_of(price, even, halving, COUNT_OF(halving)) - price) <= 0.01);
        assert_true(fabs(price_of(price, even, growing, COUNT_OF(growing)) - price) <= 0.01);
    }
}

/* The longer of two takes as long as the shorter, or a little less: that is the price. */
TEST(two_batches_are_enough_where_the_price_is_most)
{
    para__batches batches = {0};
    para__batches_add(&batches, 1, 10010);
    para__batches_add(&batches, 2, 9990);
    const double price = para__batches_price(&batches, 0, true);
    assert_true(price > 9000 && price < 10500);
    batches = (para__batches){0};
    para__batches_add(&batches, 1, 10000);
    para__batches_add(&batches, 2, 20000);
    assert_true(para__batches_price(&batches, 0, true) == 0);
}

TEST(a_disturbed_batch_leaves_it_unclear)
{
    para__batches batches = {0};
    assert_false(para__batches_are_clear(&batches));
    para__batches_add(&batches, 1, 15000);
    assert_false(para__batches_are_clear(&batches));
    para__batches_add(&batches, 2, 10000); /* half of it the price, or one that was disturbed? */
    assert_false(para__batches_are_clear(&batches));
    para__batches_add(&batches, 6, 10000);
    assert_true(para__batches_are_clear(&batches));
    assert_true(para__batches_price(&batches, 0, true) > 9000);
    batches = (para__batches){0};
    para__batches_add(&batches, 1, 10000);
    para__batches_add(&batches, 2, 19000);
    assert_true(para__batches_are_clear(&batches)); /* the units */
}

/* Where batches are long against the price that is known, they do not tell it anew, but for
 * less. */
TEST(a_known_price_is_corrected_downwards_by_long_batches)
{
    para__batches batches = {0};
    para__batches_add(&batches, 100, 10010);
    para__batches_add(&batches, 10, 1010);
    assert_true(para__batches_price(&batches, 0, true) < 0);
    assert_true(para__batches_price(&batches, 5, true) < 0);
    const double less = para__batches_price(&batches, 100, true);
    assert_true(less > 9.9 && less < 10.1);
}

TEST(equal_batches_do_not_tell_a_price)
{
    static const unsigned equal[] = {10, 10, 10, 9};
    double even[UNITS];
    for (size_t i = 0; i < UNITS; i++)
        even[i] = 3;
    assert_true(price_of(100, even, equal, COUNT_OF(equal)) < 0);
    assert_true(price_of(100, even, equal, 1) < 0);
    assert_true(para__batches_price(&(para__batches){0}, 0, true) < 0);
}

/* Uneven loops look dear in some short batches: not in all, and no price is made of that. */
TEST(uneven_units_are_not_taken_for_a_price)
{
    uint64_t random = 7;
    for (int shape = 0; shape < 4; shape++)
        for (int round = 0; round < 100; round++) {
            double cost[UNITS];
            for (size_t i = 0; i < UNITS; i++)
                cost[i] = shape == 0   ? (double)i + 1                               /* triangle */
                          : shape == 1 ? (check_below(&random, 100) == 0 ? 1000 : 1) /* few dear */
                          : shape == 2 ? (i >= UNITS - 10 ? 1000 : 0.1) /* at the end */
                                       : 1 + (double)check_below(&random, 1000) / 100; /* mixed */
            const double price = price_of(0, cost, halving, COUNT_OF(halving));
            assert_true(price <= 0);
        }
}

/* A participant runs its slice, the cheap half of a loop, in claims of a quarter of what is left,
 * and then short claims of the dear half: its shortest batches are its dearest. */
TEST(dear_units_that_were_taken_over_are_not_taken_for_a_price)
{
    for (int power = 0; power <= 3; power++)
        for (size_t taken = 1; taken <= UNITS / 4; taken *= 2) {
            para__batches batches = {0};
            size_t first = 0;
            size_t end = UNITS / 2;
            for (int slice = 0; slice < 2; slice++) {
                while (first < end) {
                    const size_t n = (end - first + 3) / 4;
                    double ticks = 0;
                    for (size_t i = 0; i < n; i++)
                        ticks += pow((double)(first + i + 1), power);
                    para__batches_add(&batches, (double)n, ticks);
                    first += n;
                }
                first = UNITS - taken;
                end = UNITS;
            }
            assert_true(para__batches_price(&batches, 0, true) <= 0);
        }
}

TEST(the_price_is_followed_and_one_outlier_does_not_spoil_it)
{
    para__estimate e = para__estimate_price((para__estimate){0}, 1000);
    assert_true(e.price_ns == 1000);
    e = para__estimate_price(e, 1e9);
    assert_true(e.price_ns <= 4500);
    for (int i = 0; i < 8; i++)
        e = para__estimate_price(e, 1e6); /* a lasting change shows within a few calls */
    assert_true(e.price_ns > 9e5);
    for (int i = 0; i < 30; i++)
        e = para__estimate_price(e, 0);
    assert_true(e.price_ns < 1);
    e.price_ns = 0;
    e = para__estimate_price(e, 1e4); /* one batch that was disturbed, where the price is none */
    assert_true(e.price_ns < 500);
}

TEST(no_time_at_all_is_a_cost_of_zero)
{
    static const double none[] = {0, -1, -1e9};
    for (size_t k = 0; k < COUNT_OF(none); k++) {
        para__estimate e = {0};
        for (int i = 0; i < 10; i++)
            e = para__estimate_add(e, PARA__ALONE, 1000, none[k], 1);
        assert_true(e.alone_ns == 0);
        assert_true(para__estimate_trusted(e));
        e = add(e, 30, 1000); /* and is not the end */
        assert_true(is_within(e, 1000, 1.1));
        assert_true(para__estimate_trusted(e));
        assert_true(add(e, 30, 0).alone_ns < 1);
    }
}

TEST(what_the_clock_cannot_tell_does_not_cost_trust)
{
    para__estimate e = {0};
    for (int i = 0; i < 100; i++) {
        e = para__estimate_add(e, PARA__ALONE, 1, i % 2 ? 5 : 45, 1);
        assert_true(i == 0 || para__estimate_trusted(e));
        assert_true(i < 20 || (e.alone_ns > 15 && e.alone_ns < 35));
    }
}

TEST(samples_are_counted_up_to_their_most)
{
    para__estimate e = {0};
    for (int i = 1; i <= 100; i++) {
        e = para__estimate_add(e, PARA__ALONE, 1, 100, 1);
        assert_int_equal(e.alone, i < 15 ? i : 15);
    }
    for (int i = 1; i <= 100; i++) {
        e = para__estimate_add(e, PARA__SHARED, 1, 100, 1);
        assert_int_equal(e.shared, i < 15 ? i : 15);
    }
    assert_true(e.alone_ns == 100);
}

TEST(no_samples_lead_out_of_range)
{
    uint64_t random = 20240229;
    para__estimate e = {0};
    for (int i = 0; i < 100000; i++) {
        const double elements = exp2((double)check_below(&random, 64));
        const double ns = check_below(&random, 10) ? exp2((double)check_below(&random, 64)) : 0;
        e = para__estimate_add(e, PARA__ALONE, elements, ns,
                               exp2((double)check_below(&random, 10)));
        assert_true(isfinite(e.alone_ns));
        assert_true(e.alone_ns >= 0);
        assert_in_range(e.spread, 16, 255);
    }
}

/* In integers; only what is trusted and short is told. */
/* Elements that are another kind are so in both ways, whichever is in use; what sharing makes of
 * them stays, unless it would make them much cheaper. */
TEST(the_way_that_is_not_in_use_goes_along)
{
    para__estimate e = {0};
    for (int i = 0; i < 4; i++) {
        e = para__estimate_add(e, PARA__ALONE, 100, 1e6, 1);
        e = para__estimate_add(e, PARA__SHARED, 100, 1.5e6, 1);
    }
    for (int i = 0; i < 40; i++)
        e = para__estimate_add(e, PARA__ALONE, 100, 2000, 0);
    assert_true(fabs((double)e.alone_ns - 20) < 0.1);
    assert_true(fabs((double)e.shared_ns - 30) < 0.1);
    for (int i = 0; i < 40; i++)
        e = para__estimate_add(e, PARA__ALONE, 100, 1e6, 0);
    assert_true(fabs((double)e.shared_ns / (double)e.alone_ns - 1.5) < 0.01);
    for (int i = 0; i < 200; i++) /* one that is disturbed counts little, so this takes longer */
        e = para__estimate_add(e, PARA__SHARED, 100, 2000, 1);
    assert_true(fabs((double)e.shared_ns - 20) < 0.1);
    assert_true((double)e.alone_ns < 4.1 * 20);
    for (int i = 0; i < 40; i++)
        e = para__estimate_add(e, PARA__SHARED, 100, 2e5, 1); /* a lock in the kernel */
    assert_true((double)e.alone_ns < 4.1 * 20);
}

/* A cold first sample alone is no measure: what was measured shared stays. */
TEST(a_cost_shared_does_not_follow_below_the_cost_alone)
{
    para__estimate e = para__estimate_add((para__estimate){0}, PARA__ALONE, 1000, 1e6, 1);
    e = para__estimate_add(e, PARA__SHARED, 1000, 12000, 1);
    for (int i = 0; i < 40; i++)
        e = para__estimate_add(e, PARA__ALONE, 1000, 10000, 0);
    assert_true((double)e.shared_ns >= 10 && (double)e.shared_ns <= 12);
    e = para__estimate_add(e, PARA__SHARED, 1000, 0, 0); /* its price was all */
    assert_true((double)e.alone_ns > 9);
    for (int i = 0; i < 80; i++)
        e = para__estimate_add(e, PARA__SHARED, 1000, 0, 0);
    for (int i = 0; i < 120; i++)
        e = para__estimate_add(e, PARA__SHARED, 1000, 12000, 1);
    assert_true((double)e.shared_ns > 11);
}

TEST(what_a_brief_call_costs)
{
    para__estimate e = {.alone_ns = 2.5f, .shared_ns = 9, .price_ns = 100, .alone = 9, .shared = 9};
    uint64_t brief = para__estimate_brief(e, 1000);
    assert_in_range(para__brief_ns(brief, 1000), 2598, 2602);
    assert_in_range(para__brief_ns(brief, 2000), 5098, 5103);
    assert_int_equal(para__estimate_brief(e, 1000000), 0);
    e.deviation = 64;
    assert_int_equal(para__estimate_brief(e, 1000), 0);
    e = (para__estimate){.alone = 9};
    brief = para__estimate_brief(e, 1000);
    assert_int_not_equal(brief, 0);
    assert_in_range(para__brief_ns(brief, 1000), 0, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_way_that_is_not_in_use_goes_along),
        cmocka_unit_test(a_cost_shared_does_not_follow_below_the_cost_alone),
        cmocka_unit_test(what_a_brief_call_costs),
        cmocka_unit_test(the_first_sample_is_taken_as_it_is),
        cmocka_unit_test(one_sample_is_not_trusted_and_two_alike_are),
        cmocka_unit_test(two_samples_that_differ_are_not_trusted),
        cmocka_unit_test(small_differences_do_not_cost_trust),
        cmocka_unit_test(a_lasting_change_shows_within_a_few_samples),
        cmocka_unit_test(after_a_great_change_the_site_is_probed_at_once),
        cmocka_unit_test(one_outlier_neither_spoils_the_estimate_nor_costs_trust_for_long),
        cmocka_unit_test(costs_that_alternate_are_never_trusted),
        cmocka_unit_test(spread_is_followed),
        cmocka_unit_test(a_call_that_ran_as_one_tells_nothing_of_the_spread),
        cmocka_unit_test(spread_stays_in_its_range),
        cmocka_unit_test(each_way_to_run_has_its_own_cost),
        cmocka_unit_test(a_trial_tells_a_cost_and_does_not_cost_trust),
        cmocka_unit_test(the_plain_mean_is_not_clipped),
        cmocka_unit_test(a_price_is_found_from_batches_of_different_length),
        cmocka_unit_test(two_batches_are_enough_where_the_price_is_most),
        cmocka_unit_test(a_disturbed_batch_leaves_it_unclear),
        cmocka_unit_test(a_known_price_is_corrected_downwards_by_long_batches),
        cmocka_unit_test(equal_batches_do_not_tell_a_price),
        cmocka_unit_test(uneven_units_are_not_taken_for_a_price),
        cmocka_unit_test(dear_units_that_were_taken_over_are_not_taken_for_a_price),
        cmocka_unit_test(the_price_is_followed_and_one_outlier_does_not_spoil_it),
        cmocka_unit_test(no_time_at_all_is_a_cost_of_zero),
        cmocka_unit_test(what_the_clock_cannot_tell_does_not_cost_trust),
        cmocka_unit_test(samples_are_counted_up_to_their_most),
        cmocka_unit_test(no_samples_lead_out_of_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
