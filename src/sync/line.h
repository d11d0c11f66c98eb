/* The slow path that locks share: spin, stand in line, and sleep, until the lock is taken or a
 * deadline or a cancel token ends the wait. A lock describes itself by functions on its word;
 * mutex.c and semaphore.c explain the words' bits. The pattern is that of nsync:
 * nsync_mu_lock_slow_ and its lock_type, in internal/mu.c. */
#ifndef PARA_SYNC_LINE_H
#define PARA_SYNC_LINE_H

#include "sync/cancel.h"
#include "sync/queue.h"

typedef struct para__lock_type {
    /* Takes the lock as a newcomer. need: the waiter's. */
    bool (*take)(void *lock, uint32_t need);

    /* NULL, or what a woken waiter does before it checks whether its turn has come. Returns
     * PARA_OK, or the reason to give up. */
    para_status (*stay_awake)(void *lock, para__waiter *self, uint64_t deadline_ns,
                              para_cancel *cancel);

    /* Under the latch: takes the lock as a newcomer; else, if self queues, announces that it will
     * stand in line. others: the line is not empty. */
    bool (*take_or_announce)(void *lock, para__waiter *self, bool others, bool queues);

    /* Under the latch: takes the lock if it is self's turn. If it does so, or if self's time is
     * over, self leaves the line. Adds the waiters that then have to be woken to calls. */
    bool (*take_or_leave)(void *lock, para__bucket *bucket, para__waiter *self, bool is_over,
                          para__calls *calls);
} para__lock_type;

/* Here and below, self has its key and need set. Takes the lock as a newcomer, also if bits of its
 * word are left from a parent, before fork(). If it cannot take the lock and queues, self stands in
 * line. */
bool para__line_try(const para__lock_type *type, void *lock, para__waiter *self, bool queues);

/* Waits until the lock is taken. spins: it spins first, if that has helped lately. */
para_status para__line_wait(const para__lock_type *type, void *lock, para__waiter *self, bool spins,
                            uint64_t deadline_ns, para_cancel *cancel);

#endif
