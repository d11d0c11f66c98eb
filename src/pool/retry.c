/* Retries: a task, and the time of its next attempt. */
#include "base/clock.h"
#include "base/log.h"
#include "base/status.h"
#include "base/tuning_tasks.h"
#include "pool/inside.h"
#include "pool/tasks.h"
#include "sync/cancel.h"
#include "task/state.h"

#include <para/letter.h>

/* Of the next attempt: what is due, or less. */
static uint64_t pause_ns(para_retry *retry)
{
    const uint64_t most_ns =
        retry->most_ns ? retry->most_ns : (uint64_t)PARA__RETRY_MOST_MS * PARA__NS_OF_MS;
    uint64_t ns =
        retry->first_ns ? retry->first_ns : (uint64_t)PARA__RETRY_FIRST_MS * PARA__NS_OF_MS;
    for (unsigned i = 1; i < retry->made && ns < most_ns; i++)
        ns *= ns > UINT64_MAX / 2 ? 1 : 2;
    ns = ns < most_ns ? ns : most_ns;
    /* Knuth's linear congruential generator, from a place that differs between retries. */
    if (!retry->random_)
        retry->random_ = para__now_ns() ^ (uintptr_t)retry;
    retry->random_ = retry->random_ * 6364136223846793005u + 1442695040888963407u;
    return ns -
           (uint64_t)((double)(retry->random_ >> 11) * 0x1p-53 * PARA__RETRY_CHANCE * (double)ns);
}

static unsigned attempts_of(const para_retry *retry)
{
    return retry->attempts ? retry->attempts : PARA__RETRY_ATTEMPTS;
}

static para_task_state state_of_retry(para_retry *retry)
{
    return para__task_state_of(para__load_relaxed(para__task_word(&retry->task))); /* it is over */
}

static bool is_tried_again(para_retry *retry)
{
    const para_task *const task = &retry->task;
    const bool has_failed = state_of_retry(retry) == PARA_TASK_FAILED;
    return retry->made < attempts_of(retry) && (retry->again ? retry->again(task) : has_failed);
}

/* No attempt follows one that has failed: that is a dead letter now. The next call begins anew. */
static para_status give_up(para_pool *pool, para_retry *retry, para_status reason)
{
    para__stay *stay = NULL;
    if (!pool || para__pool_enter(pool, &stay)) {
        const para_letter letter = para__letter_of(&retry->task, state_of_retry(retry));
        if (retry->task.is_spared_ && pool) /* the default pool has nobody for it */
            para__letters_put(&pool->letters, &letter);
        para__pool_leave(stay);
    }
    const para_status outcome = reason ? reason : para_task_wait_until(&retry->task, 0);
    retry->task.is_spared_ = false;
    retry->is_on_ = false;
    return outcome;
}

/* Why no attempt may begin any more. */
static para_status why_stopped(const para_task *task)
{
    const para_status status = task->cancel ? para_cancel_status(task->cancel) : PARA_OK;
    if (status)
        return para__cancel_fail(status);
    if (task->deadline_ns && para__now_ns() >= task->deadline_ns)
        return para__fail(PARA_ERR_DEADLINE, "before the next attempt");
    return PARA_OK;
}

static para_status not_over_yet(uint64_t *next_ns, uint64_t at_ns)
{
    *next_ns = at_ns;
    return para__fail(PARA_ERR_TIMEOUT, "the retry is not over");
}

static para_status attempt_again(para_pool *pool, para_retry *retry, uint64_t wait_ns,
                                 uint64_t *next_ns)
{
    const uint64_t id = retry->task.id;
    retry->task.is_spared_ = retry->made + 1 < attempts_of(retry);
    const para_status status = para_submit_until(pool, &retry->task, wait_ns);
    if (!status) {
        if (++retry->made > 1)
            para__log(PARA_LOG_RETRY, id, "attempt %u of %u", retry->made, attempts_of(retry));
        retry->due_ns_ = 0;
        return not_over_yet(next_ns, PARA_DEADLINE_NEVER);
    }
    retry->task.is_spared_ = retry->made > 0;
    if (status != PARA_ERR_TIMEOUT)
        return give_up(pool, retry, status);
    retry->due_ns_ = para__now_ns() + pause_ns(retry); /* the queue is full */
    return not_over_yet(next_ns, retry->due_ns_);
}

/* wait_ns: how long to wait for room. */
static para_status step_retry(para_pool *pool, para_retry *retry, uint64_t wait_ns,
                              uint64_t *next_ns)
{
    if (!retry || retry->task.is_detached)
        return para__fail(PARA_ERR_ARGUMENT, "%s", retry ? "the task is detached" : "no retry");
    if (!retry->is_on_) {
        retry->is_on_ = true;
        retry->made = 0;
        return attempt_again(pool, retry, wait_ns, next_ns);
    }
    if (retry->made > 0 && !para_task_is_over(&retry->task))
        return not_over_yet(next_ns, PARA_DEADLINE_NEVER);
    if (!retry->due_ns_) { /* else it waits for that, or, with no attempt made, for room */
        if (retry->task.status == PARA_OK || !is_tried_again(retry)) {
            retry->task.is_spared_ &= retry->task.status != PARA_OK;
            return give_up(pool, retry, PARA_OK);
        }
        retry->due_ns_ = para__now_ns() + pause_ns(retry);
    }
    const para_status status = why_stopped(&retry->task);
    if (status)
        return give_up(pool, retry, status);
    if (para__now_ns() < retry->due_ns_)
        return not_over_yet(next_ns, retry->due_ns_);
    return attempt_again(pool, retry, wait_ns, next_ns);
}

para_status para_retry_step(para_pool *pool, para_retry *retry, uint64_t *next_ns)
{
    return next_ns ? step_retry(pool, retry, 0, next_ns)
                   : para__fail(PARA_ERR_ARGUMENT, "nowhere to put the time");
}

static void sleep_for_retry(uint64_t deadline_ns, const para_task *task)
{
    para__event event = {PARA__ATOMIC(PARA__PARKED)};
    para__token_nodes for_token;
    if (para__cancel_enter(&for_token, task->cancel, &event)) /* also with no token */
        return;
    if (task->deadline_ns && task->deadline_ns < deadline_ns)
        deadline_ns = task->deadline_ns;
    (void)para__wait(&event, deadline_ns, task->cancel);
    para__cancel_leave(&for_token);
}

para_status para_retry_wait(para_pool *pool, para_retry *retry, uint64_t deadline_ns)
{
    for (;;) {
        uint64_t next_ns = 0;
        const para_status status = step_retry(pool, retry, deadline_ns, &next_ns);
        if (next_ns == 0)
            return status;
        if (next_ns == PARA_DEADLINE_NEVER) {
            const para_status waited = para_task_wait_until(&retry->task, deadline_ns);
            if (waited && !para_task_is_over(&retry->task))
                return waited;
        } else if (para__now_ns() >= deadline_ns) {
            return status;
        } else {
            sleep_for_retry(next_ns < deadline_ns ? next_ns : deadline_ns, &retry->task);
        }
    }
}
