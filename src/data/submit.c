/* Calls as tasks: para_pmap_submit and para_preduce_submit. */
#include "base/status.h"
#include "pool/tasks.h"

#include <para/task.h>

static int run_map_task(void *task)
{
    const para_task *const self = task;
    return para_pmap(self->pool_, self->call_);
}

static int run_reduce_task(void *task)
{
    const para_task *const self = task;
    return para_preduce(self->pool_, self->call_);
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
