/* Rows of sums whose length the call says. */
#include "../common/check.h"

#include <para/para.h>

#include <stdlib.h>
#include <string.h>

enum { N = 1003, MOST = 3000 };

PARA_SUM_ROW(columns, double, s, i, size_t, m, double *, y)
{
    y[i] = 0;
    for (size_t j = 0; j < m; j++) {
        s[j] += 1.0 / (double)(i + j + 1);
        y[i] += (double)j;
    }
}
PARA_SUM_ROW(counts, short, s, i, size_t, bins)
{
    s[i * i % bins]++;
}

/* Lengths of one, of few, of more than a block's partial results like; the same bits each time, and
 * what a body writes besides. */
TEST(a_row_has_the_sums_of_all_iterations)
{
    static const size_t lengths[] = {1, 7, 100, MOST};
    static double alone[MOST], shared[MOST], y[N];
    for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
        const size_t m = lengths[l];
        para_setup setup = {.options = {.executor = PARA_EXECUTOR_SERIAL}};
        memset(alone, 0, sizeof alone);
        memset(shared, 0, sizeof shared);
        OK(para_sum_row_with(&setup, alone, m, columns, N, m, y));
        setup.options.executor = PARA_EXECUTOR_THREADS;
        OK(para_sum_row_with(&setup, shared, m, columns, N, m, y));
        assert_memory_equal(alone, shared, m * sizeof *alone);
        for (size_t j = 0; j < m; j++) {
            double sum = 0;
            for (size_t i = 0; i < N; i++)
                sum += 1.0 / (double)(i + j + 1);
            assert_true(shared[j] > sum - 1e-9 && shared[j] < sum + 1e-9);
        }
        assert_true(y[N - 1] >= (double)m * (double)(m - 1) / 2);
    }
}

TEST(integers_are_counted_from_a_first_number_on)
{
    short count[10] = {7, 7, 7};
    short expected[10] = {7, 7, 7};
    const para_setup setup = {.first = {5}};
    for (size_t i = 5; i < 5 + N; i++)
        expected[i * i % 10]++;
    OK(para_sum_row_with(&setup, count, 10, counts, N, 10));
    assert_memory_equal(count, expected, sizeof count);
    OK(para_sum_row(count, 10, counts, 0, 10)); /* adds nothing */
    assert_memory_equal(count, expected, sizeof count);
}

TEST(bad_lengths_and_counts_leave_the_row_alone)
{
    short count[1] = {7};
    assert_int_equal(para_sum_row(count, 0, counts, N, 1), PARA_ERR_NULL_RESULT);
    assert_int_equal(para_sum_row(count, (size_t)PTRDIFF_MAX, counts, N, 1), PARA_ERR_OVERFLOW);
    assert_int_equal(para_sum_row(count, 1, counts, -1, 1), PARA_ERR_OVERFLOW);
    assert_int_equal(count[0], 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_has_the_sums_of_all_iterations),
        cmocka_unit_test(integers_are_counted_from_a_first_number_on),
        cmocka_unit_test(bad_lengths_and_counts_leave_the_row_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
