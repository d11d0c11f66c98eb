/* Waiting for tasks: first runs what is awaited, or what lies below the task that waits; then spins
 * for a while; then sleeps. */
#include "base/bounds.h"
#include "base/clock.h"
#include "base/status.h"
#include "base/tuning_tasks.h"
#include "pool/details.h"
#include "pool/inside.h"
#include "pool/self.h"
#include "pool/tasks.h"
#include "sync/cancel.h"
#include "task/state.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

/* What a thread waits for: a group, or one task, or any of several. */
typedef struct awaited {
    para_task_group *group; /* else: */
    para_task *const *tasks;
    size_t count;
    size_t over; /* a task that is; count: none */
} awaited;

static bool is_over_now(awaited *a)
{
    if (a->group)
        return para__group_is_over(a->group);
    for (a->over = 0; a->over < a->count; a->over++)
        if (para__task_is_over(a->tasks[a->over]))
            return true;
    return false;
}

static para_pool *pool_of(const awaited *a)
{
    return a->group ? (para_pool *)para__load_relaxed(para__group_pool(a->group)) /* set once */
                    : a->tasks[0]->pool_;
}

/* ---- Helping -------------------------------------------------------------------------- */

/* Whether nobody has begun it: a guess, since another thread may be about to. */
static bool seems_queued(para_task *task)
{
    return para__task_state_of(para__load_relaxed(para__task_word(task))) == PARA_TASK_QUEUED;
}

/* Where a thread helps. */
typedef struct guest {
    para_pool *pool;
    para__seat *seat, *leased; /* one of them, or none */
} guest;

static void give_up_seat(void *arg)
{
    const guest *const at = arg;
    if (!at->leased)
        return;
    if (!para__deque_is_empty(&at->leased->deque))
        para__tasks_tell(at->pool); /* what is left is for others */
    para__seat_release(at->leased);
}

/* Runs the task, one of the group (if it looks for those), or what lies below the task that the
 * thread runs; false: there is nothing that could be run. */
static bool help(para_pool *pool, para_task *task, para_task_group *group)
{
    para__crew *const crew = para__crew_of(pool);
    const para__frame *const frame = para__frame_of(crew);
    if (!frame && !task && !group)
        return false;
    guest at = {.pool = pool, .seat = frame ? frame->seat : NULL};
    para__seat *const seat = at.seat ? at.seat : (at.leased = para__seat_lease(crew));
    para_task *found = NULL;
    bool has_moved = false;
    const bool is_in_line =
        task && para__load_relaxed(para__task_word(task)) & PARA__TASK_IN_LINE; /* a guess */
    if (seat && !is_in_line && (frame || task))
        found = para__crew_find(crew, seat, frame ? frame->kin + 1 : task->kin_);
    if (!found && (group || (task && seems_queued(task))))
        found = para__crew_take_out(crew, task, group, &has_moved);
    if (has_moved)
        para__tasks_tell(pool);
    pthread_cleanup_push(give_up_seat, &at);
    if (found)
        para__task_run(crew, seat, found);
    pthread_cleanup_pop(1);
    return found != NULL;
}

/* All queues are read for a group: only if the last look has found something. */
static bool help_any(const awaited *a, bool has_found)
{
    if (a->group)
        return help(pool_of(a), NULL, has_found ? a->group : NULL);
    for (size_t i = 0; i < a->count; i++)
        if (help(a->tasks[i]->pool_, a->tasks[i], NULL))
            return true;
    return false;
}

/* ---- Sleeping ------------------------------------------------------------------------- */

enum { NODES = 64 };

static void leave_line(void *waiter)
{
    para__task_await_end(waiter);
}

static void sleep_for_group(const awaited *a, uint64_t deadline_ns)
{
    para__event event = {PARA__ATOMIC(PARA__PARKED)}; /* nobody knows of it before it is in line */
    para__waiter waiter = {.event = &event};
    if (!para__group_await(a->group, &waiter))
        return;
    pthread_cleanup_push(leave_line, &waiter);
    if (!help(pool_of(a), NULL, a->group)) /* what was queued before the group was awaited */
        (void)para__wait(&event, deadline_ns, NULL);
    pthread_cleanup_pop(1);
}

static void sleep_for_tasks(const awaited *a, uint64_t deadline_ns)
{
    para__event event = {PARA__ATOMIC(PARA__PARKED)};
    para__waiter waiter[NODES];
    const size_t most = para__min(a->count, NODES);
    size_t n = 0;
    while (n < most) {
        waiter[n] = (para__waiter){.event = &event};
        if (!para__task_await(a->tasks[n], &waiter[n]))
            break;
        n++;
    }
    if (n == most) {
        const uint64_t look = a->count > NODES ? para__now_ns() + PARA__TASKS_LOOK_NS : UINT64_MAX;
        (void)para__wait(&event, para__min(deadline_ns, look), NULL);
    }
    while (n-- > 0)
        para__task_await_end(&waiter[n]);
}

/* ---- The wait ------------------------------------------------------------------------- */

/* Whether the calling thread runs that task, or one of that group. As many looks as tasks on its
 * stack: only for waits that would otherwise spin. */
static bool is_run_here(const para_task *task, const para_task_group *group)
{
    for (const para__frame *frame = para__frame_here(); frame; frame = frame->outer)
        if (group ? frame->group == group : frame->task == task)
            return true;
    return false;
}

static para_status fail_run_here(const para_task_group *group)
{
    return para__fail(PARA_ERR_DEADLOCK, "the calling thread runs %s",
                      group ? "a task of the group" : "the task");
}

/* PARA_OK: it is over. */
static para_status await_over(awaited *a, uint64_t deadline_ns)
{
    const para_pool *const pool = pool_of(a);
    const uint64_t spin_ticks = para__load_relaxed(&pool->lanes.spin_ticks); /* see lane.h */
    uint64_t since = 0;
    bool has_found = true;
    while (!is_over_now(a)) {
        if (para__pool_is_forked(pool))
            return para__pool_fail_forked();
        const bool is_late = para__has_passed(deadline_ns);
        has_found = !is_late && help_any(a, has_found);
        if (has_found) {
            since = 0;
            continue;
        }
        if (since == 0 && a->group && is_run_here(NULL, a->group))
            return fail_run_here(a->group);
        if (is_late)
            return para__fail(PARA_ERR_TIMEOUT, "%s is not over",
                              a->group ? "the group" : "the task");
        const uint64_t now = para__ticks();
        since = since ? since : now;
        if (now - since < spin_ticks) {
            para__pause();
            continue;
        }
        const para__mark slept = para__trace_begin_of(
            pool, .kind = PARA__EVENT_AWAIT,
            .a = a->group || a->count > 1 ? 0 : (uintptr_t)a->tasks[0], .b = (uintptr_t)a->group);
        if (a->group)
            sleep_for_group(a, deadline_ns);
        else
            sleep_for_tasks(a, deadline_ns);
        para__trace_end(slept, .kind = PARA__EVENT_AWAIT);
    }
    return PARA_OK;
}

/* A thread that waits, inside the pools of what it waits for. */
typedef struct pending {
    awaited what;
    para__stay *stay[PARA__STAYS + 1];
    unsigned stays;
    bool is_over; /* already: the pools may be gone */
} pending;

static bool is_over_inside(awaited *a)
{
    if (a->group)
        return para__group_is_over_inside(a->group);
    for (a->over = 0; a->over < a->count; a->over++)
        if (para__task_is_over_inside(a->tasks[a->over]))
            return true;
    return false;
}

static void begin_wait(pending *w)
{
    const size_t count = w->what.group ? 1 : w->what.count;
    for (size_t i = 0; i < count; i++) {
        const para_pool *const pool = w->what.group ? pool_of(&w->what) : w->what.tasks[i]->pool_;
        if (!w->what.group) /* a count on its own */
            para__add_relaxed(para__task_waits(w->what.tasks[i]), 1);
        para__stay **const stay = &w->stay[PARA__STAYS - w->stays]; /* downwards: see inside.h */
        para__pool_note(pool, stay);
        w->stays += *stay != NULL;
    }
    w->is_over = is_over_inside(&w->what);
}

/* Also if a task that it runs meanwhile ends its thread. */
static void end_wait(void *arg)
{
    pending *const w = arg;
    for (size_t i = 0; i < w->what.count; i++)
        para__add_relaxed(para__task_waits(w->what.tasks[i]), -1u);
    for (; w->stays > 0; w->stays--)
        para__pool_leave(w->stay[PARA__STAYS + 1 - w->stays]);
}

static para_status wait_inside(pending *w, uint64_t deadline_ns)
{
    para_status status = PARA_OK;
    begin_wait(w);
    pthread_cleanup_push(end_wait, w);
    if (!w->is_over)
        status = await_over(&w->what, deadline_ns);
    pthread_cleanup_pop(1);
    return status;
}

static para_status check_awaited(para_task *task)
{
    if (!task || para__load_relaxed(para__task_word(task)) == PARA_TASK_NEW) /* its owner's */
        return para__fail(PARA_ERR_ARGUMENT, "%s", task ? "it was not submitted" : "no task");
    if (task->is_detached)
        return para__fail(PARA_ERR_ARGUMENT, "the task is detached");
    if (para__task_is_over(task))
        return PARA_OK;
    if (task->forks_ != para__fork_count())
        return para__fail(PARA_ERR_FORKED, "it was submitted in the parent process");
    const bool may_run_here = !seems_queued(task); /* surely not, if it is queued */
    return may_run_here && is_run_here(task, NULL) ? fail_run_here(NULL) : PARA_OK;
}

/* With what its call has said, if that is known. */
static para_status fail_as_call(const para_task *task)
{
    para__detail detail = {"a call that was a task"};
    (void)para__details_find(task, task->status, &detail);
    return para__fail(task->status, "%s", detail.text);
}

static para_status outcome_of(const para_task *task)
{
    if (task->status == PARA_ERR_TASK)
        return task->result == PARA_TASK_LEFT
                   ? para__fail(PARA_ERR_TASK, "the task has left its function")
                   : para__fail(PARA_ERR_TASK, "the task returned %d", task->result);
    if (task->status == PARA_ERR_WORKER_DIED && !task->call_) {
        char how[PARA_DEATH_TEXT];
        return para__fail(PARA_ERR_WORKER_DIED, "its worker died %s",
                          para_death_text(para_death_of(task->result),
                                          para_death_number(task->result), how, sizeof how));
    }
    if (task->call_ && task->status == (para_status)task->result)
        return task->status ? fail_as_call(task) : PARA_OK;
    return task->status ? para__fail(task->status, "before the task began") : PARA_OK;
}

static para_status wait_for_any(para_task *const tasks[], size_t count, uint64_t deadline_ns,
                                size_t *which)
{
    pending w = {.what = {.tasks = tasks, .count = count}};
    const para_status status = wait_inside(&w, deadline_ns);
    *which = w.what.over;
    return status ? status : outcome_of(tasks[w.what.over]);
}

para_status para_task_wait_until(para_task *task, uint64_t deadline_ns)
{
    size_t which;
    const para_status status = check_awaited(task);
    if (status)
        return status;
    return para__task_is_over(task) ? outcome_of(task)
                                    : wait_for_any(&task, 1, deadline_ns, &which);
}

para_status para_task_wait(para_task *task)
{
    return para_task_wait_until(task, PARA_DEADLINE_NEVER);
}

bool para_task_is_over(para_task *task)
{
    return task && para__task_is_over(task);
}

para_status para_task_fd(para_task *task, int *fd)
{
    if (!fd)
        return para__fail(PARA_ERR_ARGUMENT, "nowhere to put the descriptor");
    const para_status status = check_awaited(task);
    if (status)
        return status;
    const int found = para__task_fd(task);
    if (found < 0)
        return para__fail(PARA_ERR_FILE, "a task's descriptor: %s", strerror(errno));
    *fd = found;
    return PARA_OK;
}

para_status para_wait_any(para_task *const tasks[], size_t count, uint64_t deadline_ns,
                          size_t *which)
{
    size_t found = 0;
    para_status status = PARA_OK;
    if (!tasks || count == 0)
        return para__fail(PARA_ERR_ARGUMENT, "no tasks");
    for (size_t i = 0; i < count && !status; i++)
        status = check_awaited(tasks[i]);
    if (status)
        return status;
    status = wait_for_any(tasks, count, deadline_ns, &found);
    if (which && found < count)
        *which = found;
    return status;
}

para_status para_wait_all(para_task *const tasks[], size_t count, uint64_t deadline_ns)
{
    para_status first = PARA_OK;
    if (!tasks && count)
        return para__fail(PARA_ERR_ARGUMENT, "no tasks");
    for (size_t i = 0; i < count; i++) {
        const para_status checked = check_awaited(tasks[i]);
        if (checked)
            return checked;
    }
    for (size_t i = 0; i < count; i++) {
        const para_status status = para_task_wait_until(tasks[i], deadline_ns);
        if (status && !para__task_is_over(tasks[i]))
            return status;
        first = first ? first : status;
    }
    return first;
}

para_status para_task_group_wait_until(para_task_group *group, uint64_t deadline_ns)
{
    pending w = {.what = {.group = group}};
    if (!group)
        return para__fail(PARA_ERR_ARGUMENT, "no group");
    if (!para__group_is_over(group) &&
        para__load_relaxed(para__group_forks(group)) != para__fork_count())
        return para__fail(PARA_ERR_FORKED, "its tasks were submitted in the parent process");
    if (!para__group_is_over(group)) {
        const para_status status = wait_inside(&w, deadline_ns);
        if (status)
            return status;
    }
    const para_status status = para__group_status(group);
    return status ? para__fail(status, "a task of the group") : PARA_OK;
}

para_status para_task_group_wait(para_task_group *group)
{
    return para_task_group_wait_until(group, PARA_DEADLINE_NEVER);
}
