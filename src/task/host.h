/* Who carries out a task, as far as its end needs to know: where that is counted, and who is
 * told. */
#ifndef PARA_TASK_HOST_H
#define PARA_TASK_HOST_H

#include "base/atomic.h"
#include "task/letters.h"

#include <para/task.h>

enum { PARA__OUTCOMES = PARA_TASK_DROPPED - PARA_TASK_COMPLETED + 1 };

/* What has become of tasks. A seat's are written by who sits there; those that are shared, by
 * anybody, by read-modify-write. An end is counted after all that the task has done, its own
 * submissions among them [E22]: see para__crew_census. */
typedef struct para__counts {
    para__atomic_u64 accepted, begun;
    para__atomic_u64 over[PARA__OUTCOMES]; /* [E22] */
} para__counts;

typedef struct para__host {
    para__counts *counts;
    bool shares_counts;
    const para__letters *letters; /* NULL: nobody gets what is not done */
    void (*tell)(void *of);       /* after each count; NULL: nobody wants to know */
    /* Has the task's function run elsewhere, and says how it has ended: PARA_OK, or why it has
     * failed, with its result. NULL: it is run here. */
    para_status (*carry)(para_task *task, int *result);
    void *of;
} para__host;

static inline void para__host_tells(const para__host *host)
{
    if (host->tell)
        host->tell(host->of);
}

static inline void para__host_counts(const para__host *host, para__atomic_u64 *count)
{
    if (host->shares_counts)
        para__add_relaxed(count, 1); /* both: published by the task itself, or read too low */
    else
        para__store_relaxed(count, para__load_relaxed(count) + 1);
}

static inline void para__host_counts_over(const para__host *host, para_task_state state)
{
    para__atomic_u64 *const count = &host->counts->over[state - PARA_TASK_COMPLETED];
    if (host->shares_counts)
        para__add_release(E22, count, 1);
    else
        para__store_release(E22, count, para__load_relaxed(count) + 1); /* its own */
}

#endif
