#include "pool/details.h"

#include "base/fork.h"
#include "base/guard.h"
#include "base/tuning_tasks.h"

static para__guard detailing = PARA__GUARD_INIT; /* guards: */
static struct {
    struct {
        const para_task *task; /* only compared: it may be gone */
        para_status status;
        para__detail detail;
    } row[PARA__DETAILS_KEPT];
    unsigned newest;
} the_details;

void para__details_keep(const para_task *task, para_status status)
{
    para__guard_enter(&detailing);
    const unsigned k = (the_details.newest + 1) % PARA__DETAILS_KEPT;
    the_details.newest = k;
    the_details.row[k].task = task;
    the_details.row[k].status = status;
    para__detail_save(&the_details.row[k].detail);
    para__guard_leave(&detailing);
}

/* The newest first: a task's memory may be another's by now. */
bool para__details_find(const para_task *task, para_status status, para__detail *detail)
{
    bool is_found = false;
    para__guard_enter(&detailing);
    for (unsigned i = 0; i < PARA__DETAILS_KEPT && !is_found; i++) {
        const unsigned k = (the_details.newest + PARA__DETAILS_KEPT - i) % PARA__DETAILS_KEPT;
        if (the_details.row[k].task != task)
            continue;
        is_found = the_details.row[k].status == status && the_details.row[k].detail.text[0];
        if (is_found)
            *detail = the_details.row[k].detail;
        break;
    }
    para__guard_leave(&detailing);
    return is_found;
}

__attribute__((constructor(101))) static void guard_details(void)
{
    para__fork_handle(PARA__FORK_DETAILS, &detailing, NULL);
}
