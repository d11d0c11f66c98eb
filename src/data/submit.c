/* Calls as tasks: para_pmap_submit and para_preduce_submit. */
#include "base/status.h"
#include "pool/details.h"
#include "pool/tasks.h"

#include <para/task.h>

/* Who waits for a task is told why its call has failed. */
static int tell_waiters(const para_task *self, para_status status)
{
    if (status)
        para__details_keep(self, status);
    return status;
}

static int run_map_task(void *task)
{
    const para_task *const self = task;
    return tell_waiters(self, para_pmap(self->pool_, self->call_));
}

static int run_reduce_task(void *task)
{
    const para_task *const self = task;
    return tell_waiters(self, para_preduce(self->pool_, self->call_));
}

static para_status submit_call(para_pool *pool, const void *call, int (*work)(void *),
                               para_task *task, uint64_t deadline_ns)
{
    if (!task || !call)
        return para__fail(PARA_ERR_ARGUMENT, "%s", task ? "no call" : "no task");
    return para__submit(pool, task, &(para__work){.run = work, .arg = task, .call = call},
                        deadline_ns);
}

para_status para_pmap_submit_until(para_pool *pool, const para_map *call, para_task *task,
                                   uint64_t deadline_ns)
{
    return submit_call(pool, call, run_map_task, task, deadline_ns);
}

para_status para_pmap_submit(para_pool *pool, const para_map *call, para_task *task)
{
    return para_pmap_submit_until(pool, call, task, PARA_DEADLINE_NEVER);
}

para_status para_preduce_submit_until(para_pool *pool, const para_reduce *call, para_task *task,
                                      uint64_t deadline_ns)
{
    return submit_call(pool, call, run_reduce_task, task, deadline_ns);
}

para_status para_preduce_submit(para_pool *pool, const para_reduce *call, para_task *task)
{
    return para_preduce_submit_until(pool, call, task, PARA_DEADLINE_NEVER);
}
