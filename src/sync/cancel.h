/* Waits that a token or a deadline may end. A waiter's node is in the queue of its lock; a second
 * node with the same event is in the queue of its token. */
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

/* Puts a node into its token's queue. The node's key is the token, and its event is armed. False:
 * the token was requested already, and the node is in no queue. */
bool para__cancel_enter(para__waiter *waiter, para_cancel *cancel);
void para__cancel_leave(para__waiter *waiter);

/* Sleeps until the event, which the caller has armed, is rung. PARA_OK if it was rung, else the
 * reason to give up. Whatever it returns, the caller checks whether its turn has come before it
 * gives up. */
para_status para__wait(para__event *event, uint64_t deadline_ns, para_cancel *cancel);

#endif
