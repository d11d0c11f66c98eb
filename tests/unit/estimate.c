/* Estimates: what a site's cost is taken to be after samples that are steady, disturbed, or change. */
#include "../common/check.h"

#include "plan/estimate.h"

#include <math.h>

/* So many samples of calls of 1000 elements that cost cost_ns each. */
static para__estimate add(para__estimate e, int times, double cost_ns)
{
    for (int i = 0; i < times; i++)
        e = para__estimate_add(e, 1000, 1000 * cost_ns, 1);
    return e;
}

static para__estimate known(double cost_ns)
{
    return add((para__estimate){0}, 20, cost_ns);
}

/* Whether the estimate is that cost, up to a factor. */
static bool is_within(para__estimate e, double cost_ns, double factor)
{
    return e.cost_ns <= cost_ns * factor && e.cost_ns >= cost_ns / factor;
}

TEST(the_first_sample_is_taken_as_it_is)
{
    const para__estimate e = para__estimate_add((para__estimate){0}, 4, 200, 1);
    assert_true(e.cost_ns == 50);
    assert_int_equal(e.deviation, 0);
    assert_int_equal(e.samples, 1);
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
            assert_true(e.cost_ns >= 0.5 && e.cost_ns <= 2000);
        }
    }
}

TEST(spread_is_followed)
{
    para__estimate e = add((para__estimate){0}, 1, 5);
    assert_int_equal(e.spread, 16);
    assert_true(para__estimate_unevenness(e) == 1);
    for (int i = 0; i < 8; i++)
        e = para__estimate_add(e, 1000, 5000, 3);
    assert_in_range(e.spread, 40, 48);
    e = add(e, 20, 5);
    assert_in_range(e.spread, 16, 24);
}

TEST(a_call_that_ran_as_one_tells_nothing_of_the_spread)
{
    para__estimate e = para__estimate_add((para__estimate){0}, 10, 1000, 4);
    const uint8_t before = e.spread;
    assert_int_equal(before, 64);
    e = para__estimate_add(e, 10, 1000, 0);
    assert_int_equal(e.spread, before);
    assert_true(para__estimate_spread(e, 1).spread < before);
}

TEST(spread_stays_in_its_range)
{
    static const double spreads[] = {-1, 0, 0.5, 1, 15.9, 16, 1e9, INFINITY};
    for (size_t s = 0; s < COUNT_OF(spreads); s++) {
        para__estimate e = {0};
        for (int i = 0; i < 50; i++) {
            e = para__estimate_add(e, 10, 1000, spreads[s]);
            assert_in_range(e.spread, 16, 255);
        }
        assert_int_equal(para__estimate_unevenness(e) > 1.5, spreads[s] > 1);
    }
}

TEST(packing_loses_nothing)
{
    static const float costs[] = {0, 1e-30f, 0.3f, 1, 12345.678f, 3e38f};
    static const unsigned bytes[] = {0, 1, 16, 127, 128, 255};
    static const unsigned samples[] = {0, 1, 255, 256, 65535};
    for (size_t c = 0; c < COUNT_OF(costs); c++)
        for (size_t d = 0; d < COUNT_OF(bytes); d++)
            for (size_t s = 0; s < COUNT_OF(bytes); s++)
                for (size_t n = 0; n < COUNT_OF(samples); n++) {
                    const para__estimate e = {.cost_ns = costs[c],
                                              .deviation = (uint8_t)bytes[d],
                                              .spread = (uint8_t)bytes[s],
                                              .samples = (uint16_t)samples[n]};
                    const para__estimate back = para__estimate_unpack(para__estimate_pack(e));
                    assert_true(back.cost_ns == e.cost_ns);
                    assert_int_equal(back.deviation, e.deviation);
                    assert_int_equal(back.spread, e.spread);
                    assert_int_equal(back.samples, e.samples);
                }
    assert_int_equal(para__estimate_unpack(0).samples, 0); /* an empty entry of a table */
}

TEST(no_time_at_all_is_a_cost_of_zero)
{
    static const double none[] = {0, -1, -1e9};
    for (size_t k = 0; k < COUNT_OF(none); k++) {
        para__estimate e = {0};
        for (int i = 0; i < 10; i++)
            e = para__estimate_add(e, 1000, none[k], 1);
        assert_true(e.cost_ns == 0);
        assert_true(para__estimate_trusted(e));
        e = add(e, 30, 1000); /* and is not the end */
        assert_true(is_within(e, 1000, 1.1));
        assert_true(para__estimate_trusted(e));
        assert_true(add(e, 30, 0).cost_ns < 1);
    }
}

TEST(what_the_clock_cannot_tell_does_not_cost_trust)
{
    para__estimate e = {0};
    for (int i = 0; i < 100; i++) {
        e = para__estimate_add(e, 1, i % 2 ? 5 : 45, 1);
        assert_true(i == 0 || para__estimate_trusted(e));
        assert_true(i < 20 || (e.cost_ns > 15 && e.cost_ns < 35));
    }
}

TEST(samples_are_counted_up_to_their_most)
{
    para__estimate e = {0};
    for (int i = 1; i <= 70000; i++) {
        e = para__estimate_add(e, 1, 100, 1);
        assert_int_equal(e.samples, i < UINT16_MAX ? i : UINT16_MAX);
    }
    assert_true(e.cost_ns == 100);
}

TEST(no_samples_lead_out_of_range)
{
    uint64_t random = 20240229;
    para__estimate e = {0};
    for (int i = 0; i < 100000; i++) {
        const double elements = exp2((double)check_below(&random, 64));
        const double ns = check_below(&random, 10) ? exp2((double)check_below(&random, 64)) : 0;
        e = para__estimate_add(e, elements, ns, exp2((double)check_below(&random, 10)));
        assert_true(isfinite(e.cost_ns));
        assert_true(e.cost_ns >= 0);
        assert_in_range(e.spread, 16, 255);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
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
        cmocka_unit_test(packing_loses_nothing),
        cmocka_unit_test(no_time_at_all_is_a_cost_of_zero),
        cmocka_unit_test(what_the_clock_cannot_tell_does_not_cost_trust),
        cmocka_unit_test(samples_are_counted_up_to_their_most),
        cmocka_unit_test(no_samples_lead_out_of_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
