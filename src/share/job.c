#include "share/job.h"

#include <para/status.h>

void para__runner_fail(para__runner *runner, size_t first, size_t count, int error)
{
    para__tally *tally = &runner->tally;
    if (tally->error == 0 || first < tally->failed_first) {
        tally->error = error;
        tally->failed_first = first;
        tally->failed_count = count;
    }
    uint64_t known = para__load_relaxed(runner->stop); /* a bound on its own: orders nothing */
    while (first < known && !para__cas_relaxed(runner->stop, &known, first)) {
    }
}

void para__runner_cancel(para__runner *runner)
{
    /* Below any failure that is known: chunks before that one may be left out now. */
    runner->tally.error = PARA_ERR_CANCELLED;
    runner->tally.failed_first = 0;
    runner->tally.failed_count = 0;
    para__store_relaxed(runner->stop, 0); /* as above */
}
