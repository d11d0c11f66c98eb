/* A pool has no crew until its first task: programs that submit none pay one load for it. */
#include "pool/tasks.h"

#include "base/cancellation.h"
#include "base/context.h"
#include "base/memory.h"
#include "base/stack.h"
#include "pool/carry.h"
#include "pool/self.h"
#include "pool/telling.h"
#include "task/state.h"

#include <pthread.h>

PARA__THREAD_LOCAL const para__frame *para__innermost_frame;

const para__frame *para__frame_here(void)
{
    const uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    const uintptr_t frame = (uintptr_t)para__innermost_frame;
    if (frame && frame < here && para__on_own_stack(frame, here))
        para__innermost_frame = NULL; /* what lies around it cannot be found any more */
    return para__innermost_frame;
}

const para__frame *para__frame_of(const para__crew *crew)
{
    const para__frame *frame = para__frame_here();
    while (frame && frame->crew != crew)
        frame = frame->outer;
    return frame;
}

bool para_context_here(para_context *context)
{
    const para__frame *const frame = para__frame_here();
    const bool is_set = frame && para__context_is_set(&frame->context);
    if (is_set && context)
        *context = frame->context;
    return is_set;
}

static void enter_frame(para__frame *frame, const para__crew *crew, para__seat *seat,
                        const para_task *task)
{
    frame->task = task;
    frame->group = task->group;
    frame->crew = crew;
    frame->seat = seat;
    frame->kin = task->kin_;
    frame->context = task->context_;
    frame->outer = para__innermost_frame;
    /* A thread that is cancelled while it waits would take the task along. */
    frame->cancel_state = para__cancellation_off();
    para__innermost_frame = frame;
}

static void leave_frame(void *arg)
{
    const para__frame *const frame = arg;
    para__innermost_frame = frame->outer;
    para__cancellation_restore(frame->cancel_state);
}

static void tell_watches(void *pool)
{
    para__watches_tell_all(pool);
}

/* In place: copies of what was just written are slow to read. */
static void make_host(para__host *host, para_pool *pool, para__crew *crew, para__seat *seat)
{
    host->counts = seat ? &seat->counts : &crew->counts;
    host->shares_counts = !seat;
    host->letters = pool->letters.put ? &pool->letters : NULL;
    host->tell = para__pool_is_watched(pool) ? tell_watches : NULL;
    host->carry = pool->shop ? para__carry_task : NULL;
    host->of = pool;
}

void para__task_run(para__crew *crew, para__seat *seat, para_task *task)
{
    para__host host;
    para__frame frame;
    make_host(&host, task->pool_, crew, seat);
    enter_frame(&frame, crew, seat, task);
    pthread_cleanup_push(leave_frame, &frame); /* also if the task ends its thread */
    para__task_carry_out(task, &host);
    pthread_cleanup_pop(1);
}

bool para__tasks_are_run_here(const para_pool *pool)
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

bool para__tasks_have_old(para_pool *pool, unsigned worker)
{
    para__crew *const crew = para__crew_of(pool);
    return crew && para__crew_has_old(crew, &pool->worker[worker].seen); /* its deque among all */
}

/* Wakes a worker as the lookout, unless all are awake or another one is. */
static void send_lookout(para_pool *pool, para__crew *crew, bool displaced_too)
{
    para__lookout *const lookout = &crew->ingress.lookout;
    para__helper *sleeper;
    do {
        sleeper = para__pool_sleeper(pool, displaced_too);
        if (!sleeper || !para__crew_has_news(crew) || !para__lookout_appoint(lookout) ||
            para__event_wake_with(&sleeper->event, PARA__WORD))
            return;
    } while (para__lookout_end(lookout)); /* woken meanwhile, for something else */
}

static void tell_one(para_pool *pool, bool displaced_too)
{
    para__crew *const crew = para__crew_of(pool);
    if (crew && !para__lookout_is_kept(&crew->ingress.lookout) &&
        para__load_seq_cst(E5, &pool->lanes.sleeping))
        send_lookout(pool, crew, displaced_too);
}

void para__tasks_tell(para_pool *pool)
{
    tell_one(pool, true);
}

void para__tasks_pass_on(para_pool *pool)
{
    tell_one(pool, false);
}

void para__worker_look_out(para__worker *self)
{
    para__crew *const crew = self->looks_out ? NULL : para__crew_of(self->pool);
    if (crew)
        para__lookout_begin(&crew->ingress.lookout);
    self->looks_out |= crew != NULL;
}

bool para__worker_look_away(para__worker *self)
{
    const bool looked_out = self->looks_out;
    self->looks_out = false;
    return looked_out && para__lookout_end(&para__crew_of(self->pool)->ingress.lookout);
}

void para__worker_turn_away(para__worker *self)
{
    if (para__worker_look_away(self) && para__crew_has_news(para__crew_of(self->pool)))
        para__tasks_tell(self->pool);
}

static void stop_acting(void *self)
{
    para__store_release(E8, &((para__helper *)self)->acting, 0);
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
    if (task && pool->worker[worker].looks_out)
        para__worker_turn_away(&pool->worker[worker]);
    else if (task && !para__deque_is_empty(&seat->deque))
        para__tasks_tell(pool); /* who looked while several came from the ingress has seen none */
    pthread_cleanup_push(stop_acting, self);
    if (task)
        para__task_run(crew, seat, task);
    pthread_cleanup_pop(1);
    return task ? PARA__VISIT_WORKED : PARA__VISIT_NOTHING;
}

/* ---- The end -------------------------------------------------------------------------- */

void para__tasks_close(para_pool *pool)
{
    para__crew *const crew = para__crew_of(pool);
    if (crew)
        para__ingress_close(&crew->ingress);
}

/* A task's `done` may call para. */
static void drop_task(para__crew *crew, para_task *task)
{
    para__host host;
    para__frame frame;
    make_host(&host, task->pool_, crew, NULL);
    enter_frame(&frame, crew, NULL, task);
    para__task_end(task, PARA_TASK_DROPPED, PARA_ERR_ENDING, &host);
    leave_frame(&frame);
}

void para__tasks_drop(para_pool *pool)
{
    para__crew *const crew = para__crew_of(pool);
    para_task *task;
    while (crew && (task = para__crew_take_any(crew)))
        drop_task(crew, task);
}

para__census para__tasks_census(para_pool *pool)
{
    para__crew *const crew = para__crew_of(pool);
    return crew ? para__crew_census(crew) : (para__census){0};
}

void para__tasks_free(para_pool *pool)
{
    para__free(para__crew_of(pool));
    para__store_relaxed(&pool->crew, NULL); /* nobody else uses the pool */
}
