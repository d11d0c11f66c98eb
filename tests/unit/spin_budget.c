/* Spin budgets: how long a worker spins, for calls that come at any rate. */
#include "../common/check.h"

#include "plan/spin_budget.h"

static const uint64_t spin = 1000;

typedef struct sums {
    uint64_t worked, spun;
    unsigned parked;
} sums;

/* A worker that helps with calls of `work` ticks, with gaps[i % n] ticks between them. */
static sums live(uint64_t work, const uint64_t *gaps, size_t n, unsigned calls)
{
    para__spin_budget budget = {.ticks = spin};
    sums s = {0};
    for (unsigned i = 0; i < calls; i++) {
        para__spin_budget_earn(&budget, work, spin);
        s.worked += work;
        const uint64_t gap = gaps[i % n];
        const uint64_t limit = para__spin_budget_limit(&budget, spin);
        assert_true(limit <= spin);
        const uint64_t spun = gap < limit ? gap : limit;
        para__spin_budget_spend(&budget, spun);
        s.spun += spun;
        if (gap < limit)
            para__spin_budget_earn(&budget, spin / 2, spin);
        else
            s.parked++;
    }
    return s;
}

TEST(calls_that_follow_each_other_quickly_find_it_awake)
{
    for (uint64_t gap = 0; gap < spin / 2; gap += 20)
        for (uint64_t work = 1; work < 10 * spin; work *= 10)
            assert_int_equal(live(work, &gap, 1, 1000).parked, 0);
}

TEST(rare_calls_do_not_make_it_spin_for_longer_than_it_works)
{
    for (uint64_t gap = spin; gap < 1000 * spin; gap *= 3)
        for (uint64_t work = 1; work < 10 * spin; work *= 3) {
            const sums s = live(work, &gap, 1, 1000);
            assert_true(s.spun <= s.worked + spin);
            assert_int_equal(s.parked, 1000);
        }
}

/* Whatever the gaps, what it spun was earned. */
TEST(bursts_pay_for_the_pauses_after_them)
{
    uint64_t random = 3;
    for (int round = 0; round < 200; round++) {
        uint64_t gaps[16];
        for (size_t i = 0; i < COUNT_OF(gaps); i++)
            gaps[i] = check_below(&random, 4) ? check_below(&random, 100) : 50 * spin;
        const sums s = live(1 + check_below(&random, 300), gaps, COUNT_OF(gaps), 1600);
        const uint64_t spared = (1600 - s.parked) * (spin / 2);
        assert_true(s.spun <= s.worked + spared + spin);
    }
}

TEST(budget_is_bounded)
{
    para__spin_budget budget = {0};
    for (int i = 0; i < 100; i++)
        para__spin_budget_earn(&budget, UINT64_MAX / 4, spin);
    assert_int_equal(budget.ticks, PARA__SPIN_BUDGET_SPINS * spin);
    para__spin_budget_earn(&budget, 5, spin / 2); /* as the limit falls, nothing is taken away */
    assert_int_equal(budget.ticks, PARA__SPIN_BUDGET_SPINS * spin);
    para__spin_budget_spend(&budget, UINT64_MAX);
    assert_int_equal(budget.ticks, 0);
    assert_int_equal(para__spin_budget_limit(&budget, spin), 0);
    assert_int_equal(para__spin_budget_limit(&budget, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_that_follow_each_other_quickly_find_it_awake),
        cmocka_unit_test(rare_calls_do_not_make_it_spin_for_longer_than_it_works),
        cmocka_unit_test(bursts_pay_for_the_pauses_after_them),
        cmocka_unit_test(budget_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
