#include "task/state.h"

#include "base/clock.h"
#include "sync/cancel.h"
#include "sync/queue.h"

/* Where those sleep who wait for the task: unlike the addresses of locks. */
static const void *key_of(const void *task)
{
    return (const char *)task + 2;
}

static void wake_sleepers(const void *key)
{
    bool all = false;
    while (!all) {
        para__calls calls = {.count = 0};
        para__bucket *bucket = para__bucket_lock(key);
        para__waiter *waiter = para__queue_next(bucket, key, NULL);
        while (waiter && calls.count < PARA__CALLS) {
            if (!para__load_relaxed(&waiter->woken)) /* under the latch */
                para__calls_add(&calls, waiter);
            waiter = para__queue_next(bucket, key, waiter);
        }
        all = !waiter;
        para__bucket_unlock(bucket);
        para__calls_make(&calls);
    }
}

/* Nothing of the task is touched after this, unless it is detached and has no `done`. */
static void end(para_task *task, para_task_state state)
{
    const void *key = key_of(task);
    if (task->is_detached) {
        if (task->done)
            task->done(task);
        return;
    }
    if (task->done)
        task->done(task);
    if (para__swap_release(E19, para__task_word(task), state) & PARA__TASK_AWAITED)
        wake_sleepers(key);
}

void para__task_drop(para_task *task, para_task_state state)
{
    end(task, state);
}

void para__task_carry_out(para_task *task)
{
    if (task->cancel && para__cancel_is_requested(task->cancel)) {
        end(task, PARA_TASK_CANCELLED);
        return;
    }
    if (task->deadline_ns && para__now_ns() >= task->deadline_ns) {
        end(task, PARA_TASK_DROPPED);
        return;
    }
    /* QUEUED becomes RUNNING, and bits beside it stay: no order, since the task was taken. */
    para__add_relaxed(para__task_word(task), PARA_TASK_RUNNING - PARA_TASK_QUEUED);
    const bool is_forgotten = task->is_detached && !task->done;
    const int result = task->run(task->arg);
    if (is_forgotten)
        return; /* its memory may be gone */
    task->result = result;
    end(task, result ? PARA_TASK_FAILED : PARA_TASK_COMPLETED);
}

bool para__task_sleep(para_task *task, uint64_t deadline_ns)
{
    para__event event = {PARA__ATOMIC(PARA__PARKED)}; /* nobody knows of it before the append */
    para__waiter waiter = {.key = key_of(task), .event = &event};
    para__bucket *bucket = para__bucket_lock(waiter.key);
    uint32_t word = para__load_relaxed(para__task_word(task)); /* the last look is in order */
    /* A failed swap reads the word anew. Whoever ends the task later sees that it is awaited. */
    while (!para__task_state_is_final(word) && !(word & PARA__TASK_AWAITED) &&
           !para__cas_relaxed(para__task_word(task), &word, word | PARA__TASK_AWAITED))
        continue;
    if (para__task_state_is_final(word)) {
        para__bucket_unlock(bucket);
        return para__task_is_over(task);
    }
    para__queue_append(bucket, &waiter);
    para__bucket_unlock(bucket);
    (void)para__wait(&event, deadline_ns, NULL);
    bucket = para__bucket_lock(waiter.key);
    para__queue_remove(bucket, &waiter);
    para__bucket_unlock(bucket);
    return para__task_is_over(task);
}
