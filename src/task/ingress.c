#include "task/ingress.h"

#include "base/bounds.h"
#include "base/clock.h"
#include "sync/cancel.h"
#include "task/state.h"

/* Where those wait who find no room. */
static const void *room_of(const para__ingress *in)
{
    return &in->waiting;
}

/* ---- Under the latch ------------------------------------------------------------------ */

static void append(para__ingress *in, para_task *task)
{
    para_task **const last = &in->line[task->priority].last;
    task->turn_ = in->arrived++ +
                  (uint64_t)(PARA_TASK_PRIORITIES - 1 - task->priority) * PARA_TASK_HEAD_START;
    task->next_ = NULL;
    task->prev_ = *last;
    *(*last ? &(*last)->next_ : &in->line[task->priority].first) = task;
    *last = task;
    para__store_relaxed(para__task_word(task), PARA_TASK_QUEUED | PARA__TASK_IN_LINE);
    para__swap_seq_cst(E5, &in->count, para__load_relaxed(&in->count) + 1); /* under the latch */
}

static void take_out(para__ingress *in, para_task *task)
{
    *(task->prev_ ? &task->prev_->next_ : &in->line[task->priority].first) = task->next_;
    *(task->next_ ? &task->next_->prev_ : &in->line[task->priority].last) = task->prev_;
    para__add_relaxed(para__task_word(task), -(uint32_t)PARA__TASK_IN_LINE);
    para__store_relaxed(&in->count,
                        para__load_relaxed(&in->count) - 1); /* too high for a moment: */
} /* a look in vain */

static para_task *first(const para__ingress *in)
{
    para_task *found = NULL;
    for (unsigned p = 0; p < PARA_TASK_PRIORITIES; p++) {
        para_task *task = in->line[p].first;
        if (task && (!found || task->turn_ <= found->turn_))
            found = task;
    }
    return found;
}

/* ---- Room ----------------------------------------------------------------------------- */

/* Wakes some of those who wait for room; called without the latch. */
static void tell_room(const para__ingress *in, unsigned room)
{
    const void *key = room_of(in);
    para__calls calls = {.count = 0};
    para__bucket *bucket = para__bucket_lock(key);
    para__waiter *waiter = para__queue_next(bucket, key, NULL);
    while (waiter && calls.count < para__min(room, PARA__CALLS)) {
        if (!para__load_relaxed(&waiter->woken)) /* under the bucket's latch */
            para__calls_add(&calls, waiter);
        waiter = para__queue_next(bucket, key, waiter);
    }
    para__bucket_unlock(bucket);
    para__calls_make(&calls);
}

/* Whether there was room. If not, and it begins to wait, that is counted. */
static bool try_put(para__ingress *in, para_task *task, bool begins)
{
    para__latch_lock(&in->latch);
    const bool has_room = para__load_relaxed(&in->count) < in->capacity; /* under the latch */
    if (has_room)
        append(in, task);
    else if (begins)
        in->waiting++;
    para__latch_unlock(&in->latch);
    return has_room;
}

/* Waits in line, and is counted. Who is told of room may find it taken by a newcomer, and waits on.
 * Who is told once more than it needs passes it on: it has got in or gives up. */
static para_status wait_and_put(para__ingress *in, para_task *task, uint64_t deadline_ns)
{
    para__event event = {PARA__ATOMIC(PARA__PARKED)};
    para__waiter waiter = {.key = room_of(in), .event = &event};
    para__bucket *bucket = para__bucket_lock(waiter.key);
    para__queue_append(bucket, &waiter);
    para__bucket_unlock(bucket);
    para_status status = PARA_OK;
    bool is_in = false;
    while (!(is_in = try_put(in, task, false)) && !status) {
        status = para__wait(&event, deadline_ns, NULL);
        bucket = para__bucket_lock(waiter.key);
        para__event_arm(&event);
        para__store_relaxed(&waiter.woken, false); /* under the latch */
        para__bucket_unlock(bucket);
    }
    bucket = para__bucket_lock(waiter.key);
    para__queue_remove(bucket, &waiter);
    const bool is_told = para__load_relaxed(&waiter.woken); /* under the latch */
    para__bucket_unlock(bucket);
    para__latch_lock(&in->latch);
    const bool others_wait = --in->waiting > 0;
    para__latch_unlock(&in->latch);
    if (is_told && others_wait)
        tell_room(in, 1);
    return is_in ? PARA_OK : status;
}

para_status para__ingress_put(para__ingress *in, para_task *task, uint64_t deadline_ns)
{
    if (try_put(in, task, deadline_ns != 0))
        return PARA_OK;
    return deadline_ns ? wait_and_put(in, task, deadline_ns) : PARA_ERR_TIMEOUT;
}

unsigned para__ingress_take(para__ingress *in, para_task *taken[], unsigned most, unsigned part)
{
    unsigned count = para__load_relaxed(&in->count); /* a look: right or wrong */
    if (count == 0)
        return 0;
    para__latch_lock(&in->latch);
    count = para__load_relaxed(&in->count); /* under the latch */
    const unsigned share = para__clamp(count / part, 1, most);
    unsigned n = 0;
    while (n < share && (taken[n] = first(in)))
        take_out(in, taken[n++]);
    const bool is_awaited = n && in->waiting;
    para__latch_unlock(&in->latch);
    if (is_awaited)
        tell_room(in, n);
    return n;
}

bool para__ingress_take_out(para__ingress *in, para_task *task)
{
    if (!(para__load_relaxed(para__task_word(task)) & PARA__TASK_IN_LINE)) /* a guess */
        return false;
    para__latch_lock(&in->latch);
    /* Its bit changes under the latch. */
    const bool is_there = para__load_relaxed(para__task_word(task)) & PARA__TASK_IN_LINE;
    if (is_there)
        take_out(in, task);
    const bool is_awaited = is_there && in->waiting;
    para__latch_unlock(&in->latch);
    if (is_awaited)
        tell_room(in, 1);
    return is_there;
}
