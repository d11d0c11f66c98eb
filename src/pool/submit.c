/* How tasks come to a pool. A task of the pool puts its own tasks into its thread's deque; others
 * go to the ingress. A thread that the pool's progress may depend on never waits for room. */
#include "base/memory.h"
#include "base/stack.h"
#include "base/status.h"
#include "pool/carry.h"
#include "pool/self.h"
#include "pool/size.h"
#include "pool/start.h"
#include "pool/tasks.h"
#include "pool/telling.h"
#include "pool/visit.h"
#include "share/participant.h"
#include "task/state.h"

#include <pthread.h>

static para_status make_crew(para_pool *pool, para__crew **made)
{
    const unsigned seats = pool->requested + PARA__GUEST_SEATS;
    para__crew *crew = para__alloc(sizeof *crew + seats * sizeof crew->seat[0]);
    para__crew *seen = NULL;
    if (!crew)
        return para__fail(PARA_ERR_MEMORY, "a pool's tasks");
    if (pool->shop)
        para__carriers_start(pool); /* the crew brings them */
    crew->seats = seats;
    crew->workers = pool->requested;
    crew->ingress.capacity = pool->task_capacity;
    crew->ingress.takes_turns = pool->takes_turns;
    for (unsigned i = 0; i < seats; i++)
        crew->seat[i].next_victim = i;
    para__latch_lock(&pool->life); /* who closes the pool finds the crew, or is found */
    if (para__load_relaxed(&pool->intake) != PARA__INTAKE_OPEN)
        para__ingress_close(&crew->ingress);
    if (!para__cas_seq_cst(E20_E5, &pool->crew, &seen, crew)) {
        para__free(crew);
        crew = para__crew_of(pool);
    }
    para__latch_unlock(&pool->life);
    *made = crew;
    return PARA_OK;
}

para_status para__task_check(const para_pool *pool, para_task *task)
{
    if (task->priority >= PARA_TASK_PRIORITIES)
        return para__fail(PARA_ERR_ARGUMENT, "a priority of %u; the highest is %d", task->priority,
                          PARA_TASK_PRIORITIES - 1);
    const uint32_t word = para__load_relaxed(para__task_word(task)); /* its owner's */
    if (word == PARA_TASK_NEW)
        return PARA_OK;
    const bool is_parents = task->pool_ == pool && task->forks_ != para__fork_count();
    if (!is_parents && !para__task_state_is_final(word))
        return para__fail(PARA_ERR_BUSY, "the task is submitted already");
    if (!is_parents && para__load_relaxed(para__task_waits(task)))
        return para__fail(PARA_ERR_BUSY, "another thread still waits for the task");
    return PARA_OK;
}

/* A group has the pool of its first task. */
static para_status enter_group(para_pool *pool, para_task_group *group)
{
    uintptr_t known = 0;
    para__store_relaxed(para__group_forks(group), para__fork_count());
    if (!para__cas_relaxed(para__group_pool(group), &known, (uintptr_t)pool) && /* a value alone */
        known != (uintptr_t)pool)
        return para__fail(PARA_ERR_ARGUMENT, "the group's tasks are in another pool");
    para__group_enter(group);
    return PARA_OK;
}

static void count_accepted(para__crew *crew, para__seat *seat)
{
    const para__host host = para__crew_host(crew, seat);
    para__host_counts(&host, &host.counts->accepted);
}

static void stand_up(void *seat)
{
    para__seat_release(seat);
}

/* Runs the task on the calling thread; and if that has no seat yet, what the task submits. */
static void run_here(para__crew *crew, const para__frame *frame, para_task *task)
{
    para__store_relaxed(para__task_word(task), PARA_TASK_QUEUED); /* this thread's */
    para__seat *const own = frame ? frame->seat : NULL;
    para__seat *const seat = own ? own : para__seat_lease(crew);
    count_accepted(crew, seat);
    if (!seat || own) {
        para__task_run(crew, seat, task);
        return;
    }
    pthread_cleanup_push(stand_up, seat);
    do
        para__task_run(crew, seat, task);
    while ((task = para__deque_take(&seat->deque, 0)));
    pthread_cleanup_pop(1);
}

bool para__pool_needs_caller(para_pool *pool)
{
    return para__tasks_are_run_here(pool) || para__pool_is_worker(pool) ||
           para__lane_around(&pool->lanes);
}

/* A task that was refused is what it was before, for those who look at its last outcome. */
static void restore(para_task *task, const para_task *former)
{
    task->run = former->run;
    task->arg = former->arg;
    task->result = former->result;
    task->status = former->status;
    task->kin_ = former->kin_;
    task->forks_ = former->forks_;
    task->call_ = former->call_;
    task->pool_ = former->pool_;
}

/* The calling thread's task from now on is the pool's. */
static void take_task(para_pool *pool, const para__frame *frame, para_task *task,
                      const para__work *work)
{
    const para__frame *const around = para__frame_here(); /* of whichever pool */
    if (work) {
        task->run = work->run;
        task->arg = work->arg;
    }
    task->call_ = work ? work->call : NULL;
    task->pool_ = pool;
    task->forks_ = para__fork_count();
    task->kin_ = frame ? frame->kin + 1 : para__kin_of(0, 1);
    task->context_ = task->context ? *task->context
                     : around      ? around->context
                                   : (para_context){{0}, {0}, 0};
    task->result = 0;
    task->status = PARA_OK;
}

/* Into the calling thread's deque; or runs it. Afterwards it may be over, and freed, as below. */
static void queue_here(para__crew *crew, const para__frame *frame, para_task *task)
{
    para__store_relaxed(para__task_word(task), PARA_TASK_QUEUED); /* published by the deque, */
    if (para__deque_has_room(&frame->seat->deque)) {
        count_accepted(crew, frame->seat); /* as is this */
        (void)para__deque_push(&frame->seat->deque, task);
    } else {
        run_here(crew, frame, task);
    }
}

/* Into the ingress; or runs it. */
static para_status queue_outside(para_pool *pool, para__crew *crew, const para__frame *frame,
                                 para_task *task, uint64_t deadline_ns)
{
    const bool is_in_loader =
        para__in_loader(task->call_ ? (uintptr_t)task->call_ : (uintptr_t)task->run);
    const bool is_urgent = para__pool_needs_caller(pool);
    const uint64_t until_ns = is_urgent ? 0 : deadline_ns;
    const bool has_started = is_in_loader || !pool->has_threads || para__pool_is_ready(pool) ||
                             para__pool_is_in_init(pool) || para__workers_await(pool, until_ns);
    const bool has_nobody = is_in_loader || !pool->has_threads ||
                            (has_started && pool->up == 1 && !pool->shop); /* else not known */
    para_status status = PARA_ERR_TIMEOUT;
    if (!has_nobody && has_started)
        status = para__ingress_put(&crew->ingress, task, until_ns);
    if (has_nobody || (is_urgent && status)) { /* no room, not started, or closed to others */
        run_here(crew, frame, task);
        return PARA_OK;
    }
    if (!status)
        return PARA_OK;
    return para__fail(status, "%s",
                      !has_started                 ? "the pool is starting"
                      : status == PARA_ERR_TIMEOUT ? "the pool's queue is full"
                                                   : "the pool accepts no more tasks");
}

/* para__submit to a pool that the calling thread has entered. */
static para_status submit_inside(para_pool *pool, para_task *task, const para__work *work,
                                 uint64_t deadline_ns)
{
    para_status status = para__task_check(pool, task);
    if (!status)
        status = para__pool_check_open(pool, true);
    if (status)
        return status;
    if (para__pool_is_forked(pool))
        return para__pool_fail_forked();
    if (pool->shop && !work && (status = para__carry_check(pool, task)))
        return status;
    para__crew *crew = para__crew_of(pool);
    para_task_group *const group = task->group;
    if (!crew && (status = make_crew(pool, &crew)))
        return status;
    if (group && (status = enter_group(pool, group)))
        return status;
    const para__frame *const frame = para__frame_of(crew);
    const para__mark since = para__trace_begin();
    const uintptr_t function = (uintptr_t)(work ? work->run : task->run);
    const uint64_t id = task->id;
    task->queued_ = since.ticks;
    if (frame && frame->seat) {
        take_task(pool, frame, task, work);
        queue_here(crew, frame, task);
    } else {
        const para_task former = *task;
        take_task(pool, frame, task, work);
        status = queue_outside(pool, crew, frame, task, deadline_ns);
        if (status)
            restore(task, &former);
    }
    if (status) {
        if (group)
            para__group_leave(group, PARA_OK);
        return status;
    }
    para__trace_end(since, .kind = PARA__EVENT_QUEUED, .function = function, .id = id,
                    .a = para__task_flow(task, since.ticks));
    if (group)
        para__group_tell(group);
    para__tasks_tell(pool);
    if (pool->adapts)
        para__pool_look(pool);
    para__watches_tell(pool);
    return PARA_OK;
}

para_status para__submit(para_pool *pool, para_task *task, const para__work *work,
                         uint64_t deadline_ns)
{
    para__stay *stay;
    para_status status = para__pool_visit(&pool, &stay);
    if (!status)
        status = submit_inside(pool, task, work, deadline_ns);
    para__pool_leave(stay);
    return status;
}

para_status para_submit_until(para_pool *pool, para_task *task, uint64_t deadline_ns)
{
    if (!task || !task->run)
        return para__fail(PARA_ERR_ARGUMENT, "%s", task ? "the task has no function" : "no task");
    return para__submit(pool, task, NULL, deadline_ns);
}

para_status para_submit(para_pool *pool, para_task *task)
{
    return para_submit_until(pool, task, PARA_DEADLINE_NEVER);
}
