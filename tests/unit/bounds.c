/* Minimum, maximum, and the nearest value within bounds, for every type that they take. */
#include "../common/check.h"

#include "base/bounds.h"

TEST(signed_numbers)
{
    assert_int_equal(para__min(-1, 2), -1);
    assert_int_equal(para__max(-1, 2), 2);
    assert_int_equal(para__clamp(-7, -3, 5), -3);
    assert_int_equal(para__max((ptrdiff_t)-1, 0), 0);
}

TEST(wide_numbers)
{
    const uint64_t high = UINT64_C(1) << 40;
    assert_true(para__min(high, 3u) == 3);
    assert_true(para__max(high, 3u) == high);
    assert_true(para__clamp(high, 1, high - 1) == high - 1);
    assert_true(para__max(SIZE_MAX, (size_t)0) == SIZE_MAX);
}

TEST(fractions)
{
    assert_true(para__min(0.5, 1) == 0.5);
    assert_true(para__max(0.5, 1) == 1);
    assert_true(para__clamp(2.5, 0.5, 1.5) == 1.5);
}

TEST(arguments_are_evaluated_once)
{
    int n = 0;
    assert_int_equal(para__min(n++, 5), 0);
    assert_int_equal(para__clamp(n++, 0, 5), 1);
    assert_int_equal(n, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signed_numbers),
        cmocka_unit_test(wide_numbers),
        cmocka_unit_test(fractions),
        cmocka_unit_test(arguments_are_evaluated_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
