/* A pool has no crew until its first task: programs that submit none pay one load for it. */
#include "pool/tasks.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/stack.h"
#include "base/status.h"
#include "base/tuning.h"
#include "pool/default_pool.h"
#include "pool/start.h"
#include "pool/worker.h"
#include "task/crew.h"
#include "task/state.h"

#include <para/deadline.h>

/* Where the calling thread sits, and of which pool's crew. */
static PARA__THREAD_LOCAL para__seat *this_seat;
static PARA__THREAD_LOCAL const para__crew *this_crew;

static inline para__crew *crew_of(para_pool *pool)
{
    return para__load_acquire(E20, &pool->crew);
}

static para_status make_crew(para_pool *pool, para__crew **made)
{
    const unsigned seats = pool->requested + PARA__GUEST_SEATS;
    para__crew *crew = para__alloc(sizeof *crew + seats * sizeof crew->seat[0]);
    para__crew *seen = NULL;
    if (!crew)
        return para__fail(PARA_ERR_MEMORY, "a pool's tasks");
    crew->seats = seats;
    crew->workers = pool->requested;
    crew->ingress.capacity = PARA__TASKS_QUEUED;
    for (unsigned i = 0; i < seats; i++)
        crew->seat[i].next_victim = i;
    if (!para__cas_seq_cst(E20_E5, &pool->crew, &seen, crew)) {
        para__free(crew);
        crew = crew_of(pool);
    }
    *made = crew;
    return PARA_OK;
}

/* Runs a task that was taken, on the calling thread in that seat. */
static void run_in(para__crew *crew, para__seat *seat, para_task *task)
{
    para__seat *const seat_before = this_seat;
    const para__crew *const crew_before = this_crew;
    this_seat = seat;
    this_crew = crew;
    para__seat_run(seat, task);
    this_seat = seat_before;
    this_crew = crew_before;
}

/* ---- Workers -------------------------------------------------------------------------- */

bool para__tasks_have_news(para_pool *pool, unsigned worker)
{
    (void)worker;
    para__crew *const crew = para__load_seq_cst(E20_E5, &pool->crew);
    return crew && para__crew_has_news(crew);
}

/* Called after the news. */
static void tell_workers(para_pool *pool)
{
    if (para__load_seq_cst(E5, &pool->sleeping))
        para__worker_wake(pool);
}

para__visit para__tasks_serve(para_pool *pool, unsigned worker)
{
    para__crew *const crew = crew_of(pool);
    para__helper *const self = &pool->lanes.helper[worker];
    if (!crew)
        return PARA__VISIT_NOTHING;
    if (para__load_relaxed(&self->displaced) /* a hint: see lane.h */
        || para__swap_acquire(E8, &self->acting, 1) != 0)
        return PARA__VISIT_DISPLACED;
    para__seat *const seat = &crew->seat[worker];
    para_task *const task = para__crew_find(crew, seat, 1);
    if (task && !para__deque_is_empty(&seat->deque))
        tell_workers(pool); /* who looked while several came from the ingress has seen none */
    if (task)
        run_in(crew, seat, task);
    para__store_release(E8, &self->acting, 0);
    return task ? PARA__VISIT_WORKED : PARA__VISIT_NOTHING;
}

/* ---- Submitting ----------------------------------------------------------------------- */

static para_status check(const para_task *task)
{
    if (!task || !task->run)
        return para__fail(PARA_ERR_ARGUMENT, "%s", task ? "the task has no function" : "no task");
    if (task->priority >= PARA_TASK_PRIORITIES)
        return para__fail(PARA_ERR_ARGUMENT, "a priority of %u; the highest is %d", task->priority,
                          PARA_TASK_PRIORITIES - 1);
    const uint32_t word = para__load_relaxed(para__task_word((para_task *)task)); /* its owner's */
    if (word != PARA_TASK_NEW && !para__task_state_is_final(word))
        return para__fail(PARA_ERR_BUSY, "the task is submitted already");
    return PARA_OK;
}

/* Runs the task at once, on the calling thread: there is nobody else, or no room. */
static para_status run_here(para__crew *crew, para_task *task)
{
    para__seat *const seat = crew && this_crew == crew ? this_seat : NULL;
    para__store_relaxed(para__task_word(task), PARA_TASK_QUEUED); /* this thread's */
    if (seat)
        para__seat_run(seat, task);
    else
        para__task_carry_out(task);
    return PARA_OK;
}

para_status para_submit_until(para_pool *pool, para_task *task, uint64_t deadline_ns)
{
    para_status status = check(task);
    if (!status)
        status = para__pool_resolve(&pool);
    if (status)
        return status;
    if (para__pool_is_forked(pool))
        return para__fail(PARA_ERR_FORKED, "the pool's threads are in the parent process");
    para__crew *crew = crew_of(pool);
    if (!crew && (status = make_crew(pool, &crew)))
        return status;
    task->pool_ = pool;
    task->depth_ = this_crew == crew ? this_seat->depth + 1 : 1;
    task->result = 0;
    if (!para__pool_is_ready(pool) && para__in_loader((uintptr_t)task->run))
        return run_here(crew, task);
    if (!para__pool_is_ready(pool) && !para__pool_is_in_init(pool))
        para__workers_await(pool, UINT64_MAX);
    if (para__pool_workers(pool) == 1)
        return run_here(crew, task);
    if (this_crew == crew) {
        para__store_relaxed(para__task_word(task), PARA_TASK_QUEUED); /* published by the deque */
        if (!para__deque_push(&this_seat->deque, task, task->depth_))
            return run_here(crew, task);
    } else {
        status = para__ingress_put(&crew->ingress, task, deadline_ns);
        if (status)
            return para__fail(status, "the pool's queue is full");
    }
    tell_workers(pool);
    return PARA_OK;
}

para_status para_submit(para_pool *pool, para_task *task)
{
    return para_submit_until(pool, task, PARA_DEADLINE_NEVER);
}

/* ---- Waiting -------------------------------------------------------------------------- */

static para_status outcome_of(para_task *task)
{
    switch (para__task_state_of(para__load_relaxed(para__task_word(task)))) { /* it is over */
    case PARA_TASK_COMPLETED:
        return PARA_OK;
    case PARA_TASK_FAILED:
        return para__fail(PARA_ERR_TASK, "the task returned %d", task->result);
    case PARA_TASK_CANCELLED:
        return para__fail(PARA_ERR_CANCELLED, "before the task began");
    default:
        return para__fail(PARA_ERR_DEADLINE, "before the task began");
    }
}

/* Runs what lies below the task, or the task itself; false: there is nothing that could be run. */
static bool help(para__crew *crew, para_task *task)
{
    const bool is_seated = this_crew == crew;
    para__seat *const seat = is_seated ? this_seat : para__seat_lease(crew);
    if (!seat)
        return false;
    para_task *found = is_seated                                      ? NULL
                       : para__ingress_take_out(&crew->ingress, task) ? task
                                                                      : NULL;
    if (!found)
        found = para__crew_find(crew, seat, (is_seated ? seat->depth : task->depth_) + 1);
    if (found)
        run_in(crew, seat, found);
    if (!is_seated)
        para__seat_release(seat);
    return found != NULL;
}

para_status para_task_wait_until(para_task *task, uint64_t deadline_ns)
{
    if (!task || para__load_relaxed(para__task_word(task)) == PARA_TASK_NEW) /* its owner's */
        return para__fail(PARA_ERR_ARGUMENT, "%s", task ? "it was not submitted" : "no task");
    if (para__task_is_over(task))
        return outcome_of(task);
    para_pool *const pool = task->pool_;
    para__crew *const crew = crew_of(pool);
    const uint64_t spin_ticks = para__load_relaxed(&pool->lanes.spin_ticks); /* see lane.h */
    uint64_t since = 0;
    while (!para__task_is_over(task)) {
        if (para__pool_is_forked(pool))
            return para__fail(PARA_ERR_FORKED, "the pool's threads are in the parent process");
        if (deadline_ns != PARA_DEADLINE_NEVER && para__now_ns() >= deadline_ns)
            return para__fail(PARA_ERR_TIMEOUT, "the task is not over");
        if (help(crew, task)) {
            since = 0;
            continue;
        }
        const uint64_t now = para__ticks();
        since = since ? since : now;
        if (now - since < spin_ticks)
            para__pause();
        else
            (void)para__task_sleep(task, deadline_ns);
    }
    return outcome_of(task);
}

para_status para_task_wait(para_task *task)
{
    return para_task_wait_until(task, PARA_DEADLINE_NEVER);
}

/* ---- The end -------------------------------------------------------------------------- */

void para__tasks_end(para_pool *pool)
{
    para__crew *const crew = crew_of(pool);
    if (!crew)
        return;
    para_task *task;
    while ((task = para__crew_find(crew, &crew->seat[0], 1)))
        para__task_drop(task, PARA_TASK_DROPPED);
    para__free(crew);
}
