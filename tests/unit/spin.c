/* How a thread learns whether spinning is worth it. */
#include "../common/check.h"
#include "base/thread.h"
#include "sync/spin.h"

/* How many chances are let go before the next one is taken; 1000: it never is. */
static unsigned let_go(void)
{
    para__spin spin;
    unsigned count = 0;
    while (count < 1000 && !para__spin_begin(&spin, UINT64_MAX, false))
        count++;
    return count;
}

TEST(failures_and_successes)
{
    if (!para__several_cpus()) {
        assert_int_equal(let_go(), 1000);
        return;
    }
    assert_int_equal(let_go(), 0);
    para__spin_end(true);
    for (unsigned failures = 1; failures <= 6; failures++) {
        para__spin_end(false);
        assert_int_equal(let_go(), (1u << failures) - 1);
    }
    para__spin_end(false); /* no more than that: it is tried again now and then */
    assert_int_equal(let_go(), 63);
    para__spin_end(true);
    assert_int_equal(let_go(), 0);
    para__spin_end(false); /* one success does not make up for all failures */
    assert_int_equal(let_go(), 15);
    for (int i = 0; i < 3; i++)
        para__spin_end(true);
    para__spin_end(false);
    assert_int_equal(let_go(), 1);
    para__spin_end(true);
}

TEST(it_ends)
{
    para__spin spin;
    assert_false(para__spin_begin(&spin, 0, false)); /* a deadline that is over */
    assert_int_equal(let_go() % 1000, 0);            /* which is no failure */
    if (para__spin_begin(&spin, UINT64_MAX, false)) {
        unsigned pauses = 0;
        while (para__spin_pause(&spin))
            pauses++;
        assert_in_range(pauses, 0, 100);
        para__spin_end(true);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_and_successes),
        cmocka_unit_test(it_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
