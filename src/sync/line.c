#include "sync/line.h"

#include "base/status.h"
#include "base/trace.h"
#include "sync/spin.h"

static bool spin_and_take(const para__lock_type *type, void *lock, uint32_t need,
                          uint64_t deadline_ns)
{
    para__spin spin;
    if (!para__spin_begin(&spin, deadline_ns, false))
        return false;
    bool taken;
    while (!(taken = type->take(lock, need)) && para__spin_pause(&spin)) {
    }
    para__spin_end(taken);
    return taken;
}

bool para__line_try(const para__lock_type *type, void *lock, para__waiter *self, bool queues)
{
    para__bucket *const bucket = para__bucket_lock(self->key);
    const bool others = para__queue_next(bucket, self->key, NULL);
    const bool taken = type->take_or_announce(lock, self, others, queues);
    if (!taken && queues)
        para__queue_append(bucket, self);
    para__bucket_unlock(bucket);
    return taken;
}

/* self stands in line. A waiter whose time is over checks once more whether its turn has come, so
 * that it never takes a wake-up with it. */
static para_status sleep_in_line(const para__lock_type *type, void *lock, para__waiter *self,
                                 uint64_t deadline_ns, para_cancel *cancel)
{
    for (;;) {
        para_status over = para__wait(self->event, deadline_ns, cancel);
        if (!over && type->stay_awake && para__load_relaxed(&self->woken)) /* only self clears it */
            over = type->stay_awake(lock, self, deadline_ns, cancel);
        para__calls calls = {.count = 0};
        para__bucket *const bucket = para__bucket_lock(self->key);
        const bool taken = type->take_or_leave(lock, bucket, self, over, &calls);
        para__store_relaxed(&self->woken, false); /* under the latch */
        if (!taken && !over)
            para__event_arm(self->event);
        para__bucket_unlock(bucket);
        para__calls_make(&calls);
        if (taken || over)
            return taken ? PARA_OK : over;
    }
}

para_status para__line_wait(const para__lock_type *type, void *lock, para__waiter *self, bool spins,
                            uint64_t deadline_ns, para_cancel *cancel)
{
    if (spins && spin_and_take(type, lock, self->need, deadline_ns))
        return PARA_OK;
    para__event event = {PARA__ATOMIC(PARA__PARKED)};
    para__token_nodes for_token;
    self->event = &event;
    para_status status = cancel ? para__cancel_enter(&for_token, cancel, &event) : PARA_OK;
    if (status)
        return para__cancel_fail(status);
    if (!para__line_try(type, lock, self, true)) {
        const para__mark since = para__trace_begin();
        status = sleep_in_line(type, lock, self, deadline_ns, cancel);
        para__trace_end(since, .kind = PARA__EVENT_LOCK);
    }
    if (cancel)
        para__cancel_leave(&for_token);
    return status ? para__cancel_fail(status) : PARA_OK;
}
