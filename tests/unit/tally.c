/* How a call ends, from what its participants tell. */
#include "../common/check.h"

#include "share/job.h"

static para__runner runner_of(para__atomic_u64 *stop)
{
    para__store_relaxed(stop, UINT64_MAX); /* nobody else is there */
    return (para__runner){.stop = stop};
}

TEST(the_lowest_failing_chunk_is_told_of)
{
    para__atomic_u64 stop;
    para__runner runner = runner_of(&stop);
    para__runner_record(&runner, 0, 10, 0);
    assert_int_equal(runner.tally.ending, PARA__ENDED_WHOLE);
    para__runner_record(&runner, 30, 10, 3);
    para__runner_record(&runner, 20, 10, 2);
    para__runner_record(&runner, 40, 10, 4);
    assert_int_equal(runner.tally.ending, PARA__ENDED_FAILED);
    assert_int_equal(runner.tally.error, 2);
    assert_int_equal(runner.tally.failed_first, 20);
    assert_int_equal(runner.tally.failed_count, 10);
    assert_true(para__runner_stops(&runner, 21) && !para__runner_stops(&runner, 20));
}

/* Chunks below the one that failed may be left out: it need not be that of the serial loop. */
TEST(a_cancelled_call_is_no_failed_one)
{
    para__atomic_u64 stop;
    para__runner runner = runner_of(&stop);
    para__runner_record(&runner, 20, 10, 2);
    para__runner_cancel(&runner);
    assert_int_equal(runner.tally.ending, PARA__ENDED_CANCELLED);
    para__runner_record(&runner, 0, 10, 1); /* was on its way */
    assert_int_equal(runner.tally.ending, PARA__ENDED_CANCELLED);
    assert_true(para__runner_stops(&runner, 1));
}

/* In whatever order they are added. */
TEST(of_several_endings_the_greatest_counts)
{
    static const para__tally parts[] = {
        {.chunks = 1, .largest = 5, .ending = PARA__ENDED_WHOLE},
        {.chunks = 2, .largest = 9, .ending = PARA__ENDED_FAILED, .error = 7, .failed_first = 70},
        {.chunks = 3, .largest = 2, .ending = PARA__ENDED_FAILED, .error = 6, .failed_first = 60},
        {.chunks = 4, .largest = 1, .ending = PARA__ENDED_CANCELLED},
        {.chunks = 0, .largest = 0, .ending = PARA__ENDED_FORKED},
    };
    for (size_t a = 0; a < COUNT_OF(parts); a++)
        for (size_t b = 0; b < COUNT_OF(parts); b++) {
            para__tally sum = parts[a];
            para__tally_add(&sum, &parts[b]);
            assert_int_equal(sum.chunks, parts[a].chunks + parts[b].chunks);
            assert_int_equal(sum.largest, para__max(parts[a].largest, parts[b].largest));
            assert_int_equal(sum.ending, a > b ? parts[a].ending : parts[b].ending);
            if (sum.ending == PARA__ENDED_FAILED)
                assert_int_equal(sum.error, a == 2 || b == 2 ? 6 : 7);
        }
}

TEST(a_helper_that_came_first_and_the_dearest_unit_are_kept)
{
    para__tally sum = {.busy_ticks = 5, .fp_flags = 1};
    para__tally_add(&sum, &(para__tally){.busy_ticks = 6, .came_ticks = 90, .dearest_ticks = 2});
    para__tally_add(&sum, &(para__tally){.fp_flags = 2, .came_ticks = 80, .dearest_ticks = 1});
    assert_int_equal(sum.busy_ticks, 11);
    assert_int_equal(sum.fp_flags, 3);
    assert_int_equal(sum.came_ticks, 80);
    assert_true(sum.dearest_ticks == 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lowest_failing_chunk_is_told_of),
        cmocka_unit_test(a_cancelled_call_is_no_failed_one),
        cmocka_unit_test(of_several_endings_the_greatest_counts),
        cmocka_unit_test(a_helper_that_came_first_and_the_dearest_unit_are_kept)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
