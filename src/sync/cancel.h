/* Waits that a token or a deadline may end. A waiter's node is in the queue of its lock; further
 * nodes with the same event are in the queues of its token and of the tokens above that. */
#ifndef PARA_SYNC_CANCEL_H
#define PARA_SYNC_CANCEL_H

#include "sync/queue.h"

#include <para/cancel.h>
#include <para/status.h>

/* para_cancel_requested, for the library's own use: see base/atomic.h on ThreadSanitizer. */
static inline bool para__cancel_is_requested(const para_cancel *cancel)
{
    const bool is_requested = para_cancel_requested(cancel);
    para__tsan_acquire(&cancel->word);
    return is_requested;
}

/* A waiter's nodes in the queues of its token and of those above. */
typedef struct para__token_nodes {
    unsigned count;
    para__waiter node[PARA_CANCEL_DEPTH];
} para__token_nodes;

/* para__fail with what a token's status, not PARA_OK, has to tell. */
para_status para__cancel_fail(para_status status);

/* Puts nodes of that event, which is armed, into the queues of the token and of those above. Not
 * PARA_OK, the token's status: it is requested already, and no node is in a queue. */
para_status para__cancel_enter(para__token_nodes *nodes, para_cancel *cancel, para__event *event);
void para__cancel_leave(para__token_nodes *nodes);

/* Sleeps until the event, which the caller has armed, is rung. PARA_OK if it was rung, else the
 * reason to give up: PARA_ERR_TIMEOUT at deadline_ns, or the token's status. Whatever it returns,
 * the caller checks whether its turn has come before it gives up. */
para_status para__wait(para__event *event, uint64_t deadline_ns, const para_cancel *cancel);

#endif
