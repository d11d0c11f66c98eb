/* What all calls have in common: options, memory to work in, and the way a call runs. */
#ifndef PARA_DATA_CALL_H
#define PARA_DATA_CALL_H

#include "base/memory.h"
#include "base/status.h"
#include "pool/processes.h"
#include "schedule/schedule.h"

#include <para/call.h>
#include <stddef.h>

/* Checks the members of options that a caller may set, and the word of the call that must be zero.
 */
static inline para_status para__options_check(const para_options *options, size_t reserved)
{
    if ((unsigned)options->executor > PARA_EXECUTOR_PROCESSES)
        return para__fail(PARA_ERR_ARGUMENT, "unknown executor %d", (int)options->executor);
    if (reserved)
        return para__fail(PARA_ERR_ARGUMENT, "a reserved field is not zero");
    return PARA_OK;
}

/* Whether the pool still accepts calls of the calling thread, and has who runs them. */
static inline para_status para__call_check_pool(para_pool *pool, const para_options *options)
{
    return para__processes_fit(pool, options->executor)
               ? para__pool_check_open(pool, false)
               : para__processes_refuse(pool, options->executor);
}

/* Whatever becomes of the call, it has a report. */
static inline void para__call_clear(para_report *report)
{
    if (report)
        *report = (para_report){0};
}

/* Where there is no structure that describes one. */
para_status para__call_missing(void) __attribute__((cold));

/* A call in progress. */
typedef struct para__call {
    para__schedule schedule;
    void *borrowed; /* memory of its own, where no lane's arena could be had */
    size_t borrowed_bytes;
    para_report *report;             /* the user's, or NULL */
    struct para__isolated *isolated; /* of a call on worker processes: see isolated.h; else NULL */

    /* Of such a call, after it has run: what is done about elements that were lost; then its part
     * of the report. */
    para_status (*settle)(struct para__call *call, const para__job *job, para__outcome *outcome);
    void (*tell)(const struct para__call *call, const para__outcome *outcome);
} para__call;

/* Begins a call that is described. */
static inline void para__call_begin(para__call *call, para_pool *pool, para_report *report)
{
    call->borrowed = NULL;
    call->borrowed_bytes = 0;
    call->report = report;
    call->isolated = NULL;
    para__schedule_open(&call->schedule, pool, report != NULL);
}

/* Whether the call needs nothing but its kernel: it runs alone, to its end, and nobody looks at the
 * clock. */
static inline bool para__call_is_plain(const para__call *call)
{
    const para__schedule *s = &call->schedule;
    return s->plan.width == 1 && !s->timed && !s->dull_ticks && !s->since_ns &&
           !s->options->cancel && !s->isolated;
}

/* Memory until the call ends, aligned to PARA__LINE; NULL if there is none. */
void *para__call_memory(para__call *call, size_t bytes);

/* Such memory for each of `count` participants, of *bytes each; sets *bytes to the distance from
 * one to the next. On a machine with several nodes, where it is pages, each participant's stay its
 * own. */
char *para__call_strips(para__call *call, unsigned count, size_t *bytes);

/* Whether strips are other memory than that of para__call_memory, which is then valid as well. */
bool para__call_has_strips(para__call *call, size_t bytes);

/* Runs the job as decided, and fills the report. PARA_OK, PARA_ERR_KERNEL, _CANCELLED,
 * _DEADLINE, _FORKED, _WORKER_DIED, or _ARGUMENT for a token with too many above it. */
para_status para__call_run(para__call *call, const para__job *job);

/* The same, and further phases: see para__schedule_run_phases. */
para_status para__call_run_phases(para__call *call, const para__job *job, para__rest *later,
                                  void *state);

/* The call does not run, for that reason, which it returns. */
static inline para_status para__call_give_up(para__call *call, para_status reason)
{
    para__schedule_release_fp(&call->schedule, 0);
    return reason;
}

/* The call whose phases run. */
static inline para__call *para__call_of(para__schedule *schedule)
{
    return (para__call *)(void *)((char *)schedule - offsetof(para__call, schedule));
}

/* PARA_ERR_KERNEL, with what a kernel returned for elements [first, first + count) as its
 * detail. */
para_status para__call_fail(int error, size_t first, size_t count) __attribute__((cold));

/* Releases what the call holds. */
static inline void para__call_end(para__call *call)
{
    para__schedule_close(&call->schedule);
    if (call->borrowed)
        para__block_free(call->borrowed, call->borrowed_bytes);
}

#endif
