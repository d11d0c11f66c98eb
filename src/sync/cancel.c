/* Cancel tokens. The word has two bits, which are set and never cleared:
 *
 *   REQUESTED  set by a canceller [E12]; whoever sees it sees what was done before the request
 *   AWAITED    set by a waiter, under the latch of the token's bucket, before it appends its node
 *
 * A request is not lost. Both bits are set by read-modify-writes of one word, and one of these
 * comes first. If it is the waiter's, the canceller sees AWAITED, takes the latch after the waiter,
 * and finds its node. If it is the canceller's, the waiter sees REQUESTED and does not wait. */
#include "sync/cancel.h"

enum { REQUESTED = 1, AWAITED = 2 };

_Static_assert(sizeof(para_cancel) == 4, "a token has four bytes");

static para__atomic_u32 *token_of(para_cancel *cancel)
{
    return (para__atomic_u32 *)&cancel->word;
}

void para_cancel_request(para_cancel *cancel)
{
    const uint32_t before = para__or_release(E12, token_of(cancel), REQUESTED);
    if (before & REQUESTED || !(before & AWAITED))
        return;
    para__queue_wake_all(cancel);
}

bool para__cancel_enter(para__waiter *waiter, para_cancel *cancel)
{
    para__bucket *const bucket = para__bucket_lock(cancel);
    para__or_relaxed(token_of(cancel), AWAITED); /* sees REQUESTED or is seen: see above */
    const bool entered = !para__cancel_is_requested(cancel);
    if (entered)
        para__queue_append(bucket, waiter);
    para__bucket_unlock(bucket);
    return entered;
}

void para__cancel_leave(para__waiter *waiter)
{
    para__bucket *const bucket = para__bucket_lock(waiter->key);
    para__queue_remove(bucket, waiter);
    para__bucket_unlock(bucket);
}

para_status para__wait(para__event *event, uint64_t deadline_ns, para_cancel *cancel)
{
    if (cancel && para__cancel_is_requested(cancel))
        return PARA_ERR_CANCELLED;
    return para__event_wait_until(event, deadline_ns) ? PARA_OK : PARA_ERR_TIMEOUT;
}
