#include "task/state.h"

#include "base/clock.h"
#include "base/context.h"
#include "base/log.h"
#include "base/signal_fd.h"
#include "sync/cancel.h"

#include <errno.h>
#include <pthread.h>

/* Where those sleep who wait for the task or group: unlike the addresses of locks. */
static const void *key_of_end(const void *awaited)
{
    return (const char *)awaited + 2;
}

/* ---- Groups --------------------------------------------------------------------------- */

static para__atomic_u32 *failure_of(para_task_group *group)
{
    return (para__atomic_u32 *)&group->status_;
}

void para__group_enter(para_task_group *group)
{
    para__add_relaxed(para__group_word(group), PARA__GROUP_TASK); /* before the task is published */
}

/* The group is not touched after the subtraction. */
void para__group_leave(para_task_group *group, para_status status)
{
    const void *key = key_of_end(group);
    uint32_t none = PARA_OK;
    if (status)
        para__cas_relaxed(failure_of(group), &none, (uint32_t)status); /* published below */
    const uint32_t before =
        para__add_seq_cst(E19_E21, para__group_word(group), -(uint32_t)PARA__GROUP_TASK);
    if (before == (PARA__GROUP_TASK | PARA__GROUP_AWAITED))
        para__queue_wake_all(key);
}

para_status para__group_status(para_task_group *group)
{
    return (para_status)para__load_relaxed(failure_of(group)); /* it is over */
}

void para__group_tell(para_task_group *group)
{
    if (para__load_seq_cst(E5, para__group_word(group)) & PARA__GROUP_AWAITED)
        para__queue_wake_all(key_of_end(group));
}

/* ---- The end -------------------------------------------------------------------------- */

/* A descriptor lies in the word itself, so who ends the task and who asks for one agree: one of
 * their swaps comes first. It is told before the task is over, since after that the task and the
 * descriptor may be gone. Who finds one sees that it was made [E19]. */
static uint32_t fd_bits(uint32_t word)
{
    return word & ~(uint32_t)(PARA__TASK_FD - 1);
}

static int fd_of(uint32_t word)
{
    return (int)(word / PARA__TASK_FD) - 1;
}

/* Of a descriptor that is new; 0: there is none. */
static uint32_t make_fd(void)
{
    const int made = para__signal_fd_make();
    if (made < 0)
        return 0;
    if ((uint32_t)made < UINT32_MAX / PARA__TASK_FD)
        return ((uint32_t)made + 1) * PARA__TASK_FD;
    para__signal_fd_drop(made);
    errno = EMFILE;
    return 0;
}

int para__task_fd(para_task *task)
{
    uint32_t made = 0;
    for (;;) {
        uint32_t word = para__load_acquire(E19, para__task_word(task));
        if (fd_bits(word)) {
            if (made)
                para__signal_fd_drop(fd_of(made)); /* another thread was faster */
            return fd_of(word);
        }
        if (!made && !(made = make_fd()))
            return -1;
        if (!para__cas_release(E19, para__task_word(task), &word, word | made))
            continue;
        if (para__task_state_is_final(word))
            para__signal_fd_tell(fd_of(made));
        return fd_of(made);
    }
}

/* The swap that ends the task; whether somebody sleeps until then. */
static bool swap_state(para_task *task, para_task_state state)
{
    uint32_t told = 0;
    uint32_t word;
    do {
        word = para__load_acquire(E19, para__task_word(task));
        if (fd_bits(word) != told)
            para__signal_fd_tell(fd_of(word));
        told = fd_bits(word);
    } while (!para__cas_seq_cst(E19_E21, para__task_word(task), &word, state | told));
    return word & PARA__TASK_AWAITED;
}

void para__task_end(para_task *task, para_task_state state, para_status status,
                    const para__host *host)
{
    para_task_group *const group = task->group;
    task->status = status;
    if (state > PARA_TASK_FAILED) {
        para__log(PARA_LOG_TASK_DROPPED, task->id, "%s", para_status_text(status));
        /* What is called now may wait for it: not as if it were queued. */
        para__add_relaxed(para__task_word(task), PARA_TASK_RUNNING - PARA_TASK_QUEUED);
        para__trace_instant(.kind = PARA__EVENT_DROPPED, .detail = state,
                            .function = (uintptr_t)task->run, .id = task->id,
                            .a = para__task_flow(task, task->queued_), .b = task->queued_);
    }
    if (host->letters && state != PARA_TASK_COMPLETED && !task->is_spared_) {
        const para_letter letter = para__letter_of(task, state);
        para__letters_put(host->letters, &letter);
    }
    if (task->is_detached) {
        para__store_relaxed(para__task_word(task), state); /* nobody waits */
        if (task->done)
            task->done(task);
        para__host_counts_over(host, state);
    } else {
        const void *key = key_of_end(task);
        if (task->done)
            task->done(task);
        para__host_counts_over(host,
                               state); /* before, so that who has waited for all counts none */
        if (swap_state(task, state))
            para__queue_wake_all(key);
    }
    if (group)
        para__group_leave(group, status);
    para__host_tells(host);
}

/* A task that runs. */
typedef struct running {
    para_task *task;
    const para__host *host;
    para_task_group *group;
    bool is_forgotten; /* it is detached, and has no `done`: run may free it */
    int result;
    para_status status;
    para_letter letter; /* if it is forgotten */
    para__mark since;   /* for those who look: when it began, and what it is */
    para__told told;
} running;

/* Called when the task has returned, or has ended its thread. */
static void end_run(void *arg)
{
    const running *const r = arg;
    const para_task_state state = r->status ? PARA_TASK_FAILED : PARA_TASK_COMPLETED;
    para__trace_end(r->since, .kind = PARA__EVENT_TASK, .detail = state,
                    .function = r->told.function, .id = r->told.id, .a = r->told.a, .b = r->told.b,
                    .is_busy = true);
    if (!r->is_forgotten) {
        r->task->result = r->result;
        para__task_end(r->task, state, r->status, r->host);
        return;
    }
    if (r->host->letters && r->status) {
        para_letter letter = r->letter;
        letter.status = r->status;
        letter.result = r->result;
        para__letters_put(r->host->letters, &letter);
    }
    para__host_counts_over(r->host, state);
    if (r->group)
        para__group_leave(r->group, r->status);
    para__host_tells(r->host);
}

static void tell_context(const para_task *task)
{
    const para_context *const c = &task->context_;
    para__trace_instant(.kind = PARA__EVENT_CONTEXT, .detail = c->flags, .id = task->id,
                        .a = para__context_word(c->trace_id),
                        .b = para__context_word(c->trace_id + 8),
                        .c = para__context_word(c->span_id));
}

void para__task_carry_out(para_task *task, const para__host *host)
{
    const para_status stop = task->cancel ? para_cancel_status(task->cancel) : PARA_OK;
    if (stop) {
        para__task_end(task, stop == PARA_ERR_DEADLINE ? PARA_TASK_DROPPED : PARA_TASK_CANCELLED,
                       stop, host);
        return;
    }
    if (task->deadline_ns && para__now_ns() >= task->deadline_ns) {
        para__task_end(task, PARA_TASK_DROPPED, PARA_ERR_DEADLINE, host);
        return;
    }
    /* QUEUED becomes RUNNING, and bits beside it stay: no order, since the task was taken. */
    para__add_relaxed(para__task_word(task), PARA_TASK_RUNNING - PARA_TASK_QUEUED);
    para__host_counts(host, &host->counts->begun);
    para__host_tells(host);
    running r; /* its letter is not always needed */
    r.task = task;
    r.host = host;
    r.group = task->group;
    r.is_forgotten = task->is_detached && !task->done;
    r.result = PARA_TASK_LEFT;
    r.status = PARA_ERR_TASK;
    const bool is_call = task->call_ != NULL;
    if (r.is_forgotten && host->letters) {
        r.letter = para__letter_of(task, PARA_TASK_FAILED);
        r.letter.task = NULL;
    }
    r.since = para__trace_begin_of(task->pool_, .kind = PARA__EVENT_TASK,
                                   .function = (uintptr_t)task->run, .id = task->id,
                                   .a = (uintptr_t)task, .b = (uintptr_t)task->group);
    para__trace_task(task->queued_, (uintptr_t)task->run);
    if (r.since.ticks && para__context_is_set(&task->context_))
        tell_context(task);
    if (r.since.ticks)
        r.told = (para__told){.function = (uintptr_t)task->run,
                              .id = task->id,
                              .a = para__task_flow(task, task->queued_),
                              .b = task->queued_};
    pthread_cleanup_push(end_run, &r);
    if (host->carry && !is_call) {
        r.status = host->carry(task, &r.result);
    } else {
        r.result = task->run(task->arg);
        r.status = is_call ? (para_status)r.result : r.result ? PARA_ERR_TASK : PARA_OK;
    }
    pthread_cleanup_pop(1);
}

/* ---- Those who sleep ------------------------------------------------------------------ */

static void stand_in_line(para__bucket *bucket, para__waiter *waiter, bool is_over)
{
    if (!is_over)
        para__queue_append(bucket, waiter);
    para__bucket_unlock(bucket);
}

bool para__task_await(para_task *task, para__waiter *waiter)
{
    waiter->key = key_of_end(task);
    para__bucket *const bucket = para__bucket_lock(waiter->key);
    uint32_t word = para__load_relaxed(para__task_word(task)); /* the last look is in order */
    /* A failed swap reads the word anew. Whoever ends the task later sees that it is awaited. */
    while (!para__task_state_is_final(word) && !(word & PARA__TASK_AWAITED) &&
           !para__cas_relaxed(para__task_word(task), &word, word | PARA__TASK_AWAITED))
        continue;
    const bool is_over = para__task_state_is_final(word);
    stand_in_line(bucket, waiter, is_over);
    return !is_over;
}

bool para__group_await(para_task_group *group, para__waiter *waiter)
{
    waiter->key = key_of_end(group);
    para__bucket *const bucket = para__bucket_lock(waiter->key);
    uint32_t word = para__load_relaxed(para__group_word(group)); /* as above */
    /* Even if the bit is set: what is queued later sees it, what was queued before is seen [E5]. */
    while (word >= PARA__GROUP_TASK &&
           !para__cas_seq_cst(E5, para__group_word(group), &word, word | PARA__GROUP_AWAITED))
        continue;
    const bool is_over = word < PARA__GROUP_TASK;
    stand_in_line(bucket, waiter, is_over);
    return !is_over;
}

void para__task_await_end(para__waiter *waiter)
{
    para__bucket *const bucket = para__bucket_lock(waiter->key);
    para__queue_remove(bucket, waiter);
    para__bucket_unlock(bucket);
}
