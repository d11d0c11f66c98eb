/* A pool has no crew until its first task: programs that submit none pay one load for it. */
#include "pool/tasks.h"

#include "base/cancellation.h"
#include "base/memory.h"
#include "pool/self.h"
#include "task/state.h"

PARA__THREAD_LOCAL const para__frame *para__innermost_frame;

const para__frame *para__frame_of(const para__crew *crew)
{
    const para__frame *frame = para__innermost_frame;
    while (frame && frame->crew != crew)
        frame = frame->outer;
    return frame;
}

void para__task_run(const para__crew *crew, para__seat *seat, para_task *task)
{
    const para__frame frame = {.task = task,
                               .group = task->group,
                               .crew = crew,
                               .seat = seat,
                               .family = task->family_,
                               .depth = task->depth_,
                               .outer = para__innermost_frame};
    const int cancel_state = para__cancellation_off(); /* a thread that waits would take it along */
    para__innermost_frame = &frame;
    para__task_carry_out(task);
    para__innermost_frame = frame.outer;
    para__cancellation_restore(cancel_state);
}

bool para__tasks_are_run_here(para_pool *pool)
{
    para__crew *const crew = para__crew_of(pool);
    return crew && para__frame_of(crew);
}

/* ---- Workers -------------------------------------------------------------------------- */

bool para__tasks_have_news(para_pool *pool, unsigned worker)
{
    para__crew *const crew = para__load_seq_cst(E20_E5, &pool->crew);
    return crew && (!para__deque_is_empty(&crew->seat[worker].deque) || para__crew_has_news(crew));
}

void para__tasks_tell(para_pool *pool)
{
    if (para__load_seq_cst(E5, &pool->lanes.sleeping))
        para__worker_wake(pool);
}

para__visit para__tasks_serve(para_pool *pool, unsigned worker)
{
    para__crew *const crew = para__crew_of(pool);
    para__helper *const self = &pool->lanes.helper[worker];
    if (!crew)
        return PARA__VISIT_NOTHING;
    if (para__load_relaxed(&self->displaced) /* a hint: see lane.h */
        || para__swap_acquire(E8, &self->acting, 1) != 0)
        return PARA__VISIT_DISPLACED;
    para__seat *const seat = &crew->seat[worker];
    para_task *const task = para__crew_find(crew, seat, 0);
    if (task && !para__deque_is_empty(&seat->deque))
        para__tasks_tell(pool); /* who looked while several came from the ingress has seen none */
    if (task)
        para__task_run(crew, seat, task);
    para__store_release(E8, &self->acting, 0);
    return task ? PARA__VISIT_WORKED : PARA__VISIT_NOTHING;
}

/* ---- The end -------------------------------------------------------------------------- */

void para__tasks_end(para_pool *pool)
{
    para__crew *const crew = para__crew_of(pool);
    if (crew)
        para__crew_end(crew);
}

void para__tasks_free(para_pool *pool)
{
    para__free(para__crew_of(pool));
    para__store_relaxed(&pool->crew, NULL); /* nobody else uses the pool */
}
