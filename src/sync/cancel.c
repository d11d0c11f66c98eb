/* Cancel tokens. The word has two bits, which are set and never cleared:
 *
 *   REQUESTED  set by a canceller [E12]; whoever sees it sees what was done before the request
 *   AWAITED    set by a waiter, under the latch of the token's bucket, before it appends its node
 *
 * A request is not lost. Both bits are set by read-modify-writes of one word, and one of these
 * comes first. If it is the waiter's, the canceller sees AWAITED, takes the latch after the waiter,
 * and finds its node. If it is the canceller's, the waiter sees REQUESTED and does not wait.
 *
 * A waiter stands in the queue of its token and of each one above, so the same holds of each of
 * them, and a request wakes those alone whom it ends. Hence the bound of the depth: nodes lie on
 * the waiter's stack.
 *
 * Nobody watches deadlines: who has the token compares the clock, and who waits sleeps no longer
 * than until the earliest on the way up. A request counts before a deadline. So the status of a
 * token changes from PARA_OK once, and once more at most, when a request follows a deadline. */
#include "sync/cancel.h"

#include "base/bounds.h"
#include "base/clock.h"
#include "base/status.h"

enum { REQUESTED = 1, AWAITED = 2 };

static para__atomic_u32 *token_of(para_cancel *cancel)
{
    return (para__atomic_u32 *)&cancel->word;
}

void para_cancel_request(para_cancel *cancel)
{
    if (!cancel)
        return;
    const uint32_t before = para__or_release(E12, token_of(cancel), REQUESTED);
    if (before & REQUESTED || !(before & AWAITED))
        return;
    para__queue_wake_all(cancel);
}

/* Whether this very token was requested. */
static bool token_has_request(const para_cancel *cancel)
{
    return (para__load_acquire(E12, (const para__atomic_u32 *)&cancel->word) & REQUESTED) != 0;
}

/* The token's status by requests alone, and the earliest deadline on the way up. */
static para_status look_up_token(const para_cancel *cancel, uint64_t *deadline_ns)
{
    *deadline_ns = UINT64_MAX;
    for (unsigned depth = 0; cancel; depth++, cancel = cancel->parent) {
        if (depth == PARA_CANCEL_DEPTH)
            return PARA_ERR_ARGUMENT;
        if (token_has_request(cancel))
            return PARA_ERR_CANCELLED;
        if (cancel->deadline_ns)
            *deadline_ns = para__min(*deadline_ns, cancel->deadline_ns);
    }
    return PARA_OK;
}

para_status para_cancel_status(const para_cancel *cancel)
{
    uint64_t deadline_ns;
    const para_status status = look_up_token(cancel, &deadline_ns);
    return !status && para__has_passed(deadline_ns) ? PARA_ERR_DEADLINE : status;
}

para_status para__cancel_fail(para_status status)
{
    if (status == PARA_ERR_ARGUMENT)
        return para__fail(status, "more than %d cancel tokens, one above the other, or a circle",
                          PARA_CANCEL_DEPTH);
    return para__fail(status, NULL);
}

/* False: the token was requested already, and the node is in no queue. */
static bool stand_with_token(para__waiter *waiter, para_cancel *cancel)
{
    para__bucket *const bucket = para__bucket_lock(cancel);
    para__or_relaxed(token_of(cancel), AWAITED); /* sees REQUESTED or is seen: see above */
    const bool entered = !token_has_request(cancel);
    if (entered)
        para__queue_append(bucket, waiter);
    para__bucket_unlock(bucket);
    return entered;
}

para_status para__cancel_enter(para__token_nodes *nodes, para_cancel *cancel, para__event *event)
{
    para_status status = para_cancel_status(cancel); /* the way up has room in nodes, or it fails */
    nodes->count = 0;
    for (; !status && cancel; cancel = cancel->parent) {
        para__waiter *const node = &nodes->node[nodes->count];
        *node = (para__waiter){.key = cancel, .event = event};
        if (stand_with_token(node, cancel))
            nodes->count++;
        else
            status = PARA_ERR_CANCELLED;
    }
    if (status)
        para__cancel_leave(nodes);
    return status;
}

void para__cancel_leave(para__token_nodes *nodes)
{
    while (nodes->count > 0) {
        para__waiter *const node = &nodes->node[--nodes->count];
        para__bucket *const bucket = para__bucket_lock(node->key);
        para__queue_remove(bucket, node);
        para__bucket_unlock(bucket);
    }
}

para_status para__wait(para__event *event, uint64_t deadline_ns, const para_cancel *cancel)
{
    uint64_t limit_ns;
    const para_status status = look_up_token(cancel, &limit_ns);
    if (status)
        return status;
    if (para__event_wait_until(event, para__min(deadline_ns, limit_ns)))
        return PARA_OK;
    return limit_ns < deadline_ns ? PARA_ERR_DEADLINE : PARA_ERR_TIMEOUT;
}
