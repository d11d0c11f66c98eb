/* The pool has places, as for threads, but no thread that serves calls: process/workshop.h has the
 * processes. Nothing is decided for a call and nothing measured, since it cannot run elsewhere. */
#include "pool/processes.h"

#include "base/process.h"
#include "base/status.h"
#include "base/tuning_processes.h"
#include "pool/binding.h"
#include "pool/self.h"

#include <stdio.h>
#include <sys/prctl.h>

/* ---- The executor ------------------------------------------------------------------------ */

static unsigned processes_wide(const para_pool *pool)
{
    return pool->requested;
}

static void run_on_processes(para_pool *pool, para__lane *lane, const para__job *job,
                             const para__plan *plan, para__outcome *outcome)
{
    const para_survival *const s = job->survival;
    const unsigned asked = s->attempts ? s->attempts : PARA__PROCESS_ATTEMPTS;
    const para__board_policy policy = {.attempts = job->is_tried_once ? 1 : asked,
                                       .halves =
                                           s->on_crash == PARA_CRASH_FILLS && !job->is_tried_once,
                                       .goes_on = s->on_crash == PARA_CRASH_FILLS};
    (void)pool;
    (void)lane;
    outcome->status = para__desk_run(job->desk, job, plan->width, &policy, job->cancel, outcome);
}

const para__executor para__processes = {.width = processes_wide,
                                        .awake = processes_wide,
                                        .costs = para__costs_unmeasured,
                                        .wait = para__await_nobody,
                                        .wake = para__wake_nobody,
                                        .run = run_on_processes};

/* ---- The pool ----------------------------------------------------------------------------- */

para_status para__processes_check(const para_pool_config *config)
{
    const para_processes *const p = config->processes;
    if (p->size != sizeof *p)
        return para__fail(PARA_ERR_ARGUMENT,
                          "config.processes->size is %zu: use PARA_PROCESSES_INIT", p->size);
    if (config->executor || config->worker_init || config->worker_exit || config->least_workers ||
        config->most_workers)
        return para__fail(
            PARA_ERR_ARGUMENT,
            "with config.processes no kernel runs on a thread: executor, worker_init, "
            "worker_exit and sizes are not given");
    if (p->files && p->files < 3)
        return para__fail(PARA_ERR_ARGUMENT, "config.processes->files is %u: 3 at least", p->files);
    if (p->memory_bytes > SIZE_MAX / 2 || p->grown_bytes > SIZE_MAX / 2)
        return para__fail(PARA_ERR_ARGUMENT,
                          "config.processes: memory_bytes is %zu, grown_bytes %zu", p->memory_bytes,
                          p->grown_bytes);
    return para__survival_check(&p->survival);
}

/* In a worker process. */
static para_status enter_process(void *of, unsigned worker, unsigned *kind)
{
    para_pool *const pool = of;
    const para__worker *const self = &pool->worker[worker];
    char name[16];
    snprintf(name, sizeof name, "para process %u", worker % 100);
    prctl(PR_SET_NAME, name);
    *kind = pool->is_hybrid ? pool->lanes.helper[worker].kind : 0;
    return pool->binding == PARA_BIND_NONE ? PARA_OK : para__worker_bind(self);
}

para_status para__processes_start(para_pool *pool, const para_processes *processes)
{
    const para__workshop_config config = {.workers = pool->requested,
                                          .processes = *processes,
                                          .stack = pool->stack,
                                          .enter = enter_process,
                                          .of = pool};
    pool->lanes.fork_count = para__fork_count();
    pool->start_status = PARA_OK;
    const para_status status = para__workshop_make(&pool->shop, &config);
    if (status)
        return status;
    para__store_relaxed(&pool->ready, 1); /* nobody else has the pool yet */
    return PARA_OK;
}

para_status para__survival_check(const para_survival *survival)
{
    if ((unsigned)survival->on_crash > PARA_CRASH_FILLS)
        return para__fail(PARA_ERR_ARGUMENT, "survival.on_crash is %d", (int)survival->on_crash);
    if (survival->attempts > 255)
        return para__fail(PARA_ERR_ARGUMENT, "survival.attempts is %u: more than 255",
                          survival->attempts);
    if ((survival->fill == NULL) != (survival->fill_bytes == 0))
        return para__fail(PARA_ERR_ARGUMENT, "survival.fill without fill_bytes, or the reverse");
    return PARA_OK;
}

para_status para__processes_refuse(const para_pool *pool, para_executor executor)
{
    if (!pool || !pool->shop)
        return para__fail(PARA_ERR_UNSUPPORTED, "the pool has no worker processes");
    if (executor != PARA_EXECUTOR_AUTO && executor != PARA_EXECUTOR_PROCESSES)
        return para__fail(PARA_ERR_UNSUPPORTED, "a pool of processes runs no kernel on a thread");
    return para__pool_fail_forked();
}
