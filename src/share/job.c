#include "share/job.h"

#include <para/status.h>

void para__seat_fail(para__seat *seat, size_t first, size_t count, int error)
{
    para__tally *tally = &seat->tally;
    if (tally->error == 0 || first < tally->failed_first) {
        tally->error = error;
        tally->failed_first = first;
        tally->failed_count = count;
    }
    uint64_t known = para__load_relaxed(seat->stop); /* a bound on its own: orders nothing */
    while (first < known && !para__cas_relaxed(seat->stop, &known, first)) {
    }
}

void para__seat_cancel(para__seat *seat)
{
    /* Below any failure that is known: chunks before that one may be left out now. */
    seat->tally.error = PARA_ERR_CANCELLED;
    seat->tally.failed_first = 0;
    seat->tally.failed_count = 0;
    para__store_relaxed(seat->stop, 0); /* as above */
}
