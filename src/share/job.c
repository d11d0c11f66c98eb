#include "share/job.h"

void para__runner_fail(para__runner *runner, size_t first, size_t count, int error)
{
    para__tally *tally = &runner->tally;
    if (tally->ending == PARA__ENDED_WHOLE ||
        (tally->ending == PARA__ENDED_FAILED && first < tally->failed_first)) {
        tally->ending = PARA__ENDED_FAILED;
        tally->error = error;
        tally->failed_first = first;
        tally->failed_count = count;
    }
    uint64_t known = para__load_relaxed(runner->stop); /* a bound on its own: orders nothing */
    while (first < known && !para__cas_relaxed(runner->stop, &known, first)) {
    }
}

void para__tally_end(para__tally *sum, const para__tally *more)
{
    if (more->ending == PARA__ENDED_FAILED &&
        (sum->ending < PARA__ENDED_FAILED || more->failed_first < sum->failed_first)) {
        sum->error = more->error;
        sum->failed_first = more->failed_first;
        sum->failed_count = more->failed_count;
    }
    if (more->ending > sum->ending)
        sum->ending = more->ending;
}

void para__runner_cancel(para__runner *runner)
{
    runner->tally.ending = PARA__ENDED_CANCELLED;
    para__store_relaxed(runner->stop, 0); /* as above */
}

void para__runner_leave_out(para__runner *runner, size_t count)
{
    para__add_relaxed(runner->left_out, count); /* read after the join */
}
