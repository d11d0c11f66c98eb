#include "pool/details.h"

#include "base/fork.h"
#include "base/guard.h"
#include "base/tuning.h"

static para__guard detailing = PARA__GUARD_INIT; /* guards: */
static struct {
    const para_task *task; /* only compared: it may be gone */
    para_status status;
    para__detail detail;
} kept[PARA__DETAILS_KEPT];
static unsigned next;

void para__details_keep(const para_task *task, para_status status)
{
    para__guard_enter(&detailing);
    next = (next + 1) % PARA__DETAILS_KEPT;
    kept[next].task = task;
    kept[next].status = status;
    para__detail_save(&kept[next].detail);
    para__guard_leave(&detailing);
}

/* The newest first: a task's memory may be another's by now. */
bool para__details_find(const para_task *task, para_status status, para__detail *detail)
{
    bool is_found = false;
    para__guard_enter(&detailing);
    for (unsigned i = 0; i < PARA__DETAILS_KEPT && !is_found; i++) {
        const unsigned k = (next + PARA__DETAILS_KEPT - i) % PARA__DETAILS_KEPT;
        if (kept[k].task != task)
            continue;
        is_found = kept[k].status == status && kept[k].detail.text[0];
        if (is_found)
            *detail = kept[k].detail;
        break;
    }
    para__guard_leave(&detailing);
    return is_found;
}

__attribute__((constructor(101))) static void guard_details(void)
{
    para__fork_handle(PARA__FORK_DETAILS, &detailing, NULL);
}
