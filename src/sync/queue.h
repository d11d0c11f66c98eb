/* Waiting in line: queues of sleeping threads, found by the address of what they wait for. So a
 * mutex needs no room for a queue, and nobody needs memory in order to wait. The idea: Pizlo,
 * "Locking in WebKit", 2016.
 *
 * A waiter's node lies on its stack. It is in the queue from append to remove, and its owner does
 * not return before it has removed it. Nodes are read and written under the latch of their key's
 * bucket [E10]. The exceptions: an event's state is an atomic of its own [E13], and the owner reads
 * .woken as a guess. Several keys may share a bucket; a key's nodes stand in the order of arrival.
 *
 * A thread may stand in several queues with a node in each and one event: a lock's, a cancel
 * token's and those of the tokens above that. It takes one bucket's latch at a time.
 *
 * A wake-up may reach a stranger, and WAKING may be set in a stranger's word. An unlocker finds the
 * queue by address after it has released the lock, and by then another lock may have that memory.
 * So every waiter treats a wake-up as a hint, and checks itself whether its turn has come. */
#ifndef PARA_SYNC_QUEUE_H
#define PARA_SYNC_QUEUE_H

#include "base/assert.h"
#include "sync/event.h"
#include "sync/latch.h"

typedef struct para__waiter {
    const void *key;                  /* address of what is waited for; see para__mutex_key */
    para__event *event;               /* of this wait; armed when the node is appended */
    struct para__waiter *prev, *next; /* in the bucket */
    uint64_t since_ns;                /* semaphore: first in line since; mutex: first woken; or 0 */
    uint32_t need;                    /* semaphore: how many units; mutex: its thread's CPU */
    para__atomic_bool woken;          /* set by a waker, cleared by its owner */
    bool starved;                     /* mutex: first in line for too long; its owner's */
} para__waiter;

typedef struct para__bucket {
    _Alignas(PARA__LINE) para__latch latch;
    para__waiter *first, *last;
} para__bucket;

/* The key of a mutex: odd, unlike all others. So a thread that finds a waiter with such a key knows
 * that a mutex exists there, though maybe another one than it unlocked. */
static inline const void *para__mutex_key(const void *mutex)
{
    return (const char *)mutex + 1;
}

/* Under the latch: asserts that its nodes are whole and linked both ways. */
void para__bucket_check(const para__bucket *bucket);

/* Finds the key's bucket and takes its latch. In a child of fork() all queues begin empty. */
para__bucket *para__bucket_lock(const void *key);

static inline void para__bucket_unlock(para__bucket *bucket)
{
    if (PARA__ASSERTS)
        para__bucket_check(bucket);
    para__latch_unlock(&bucket->latch);
}

/* Wake the key's waiters that are not woken yet, in the order of arrival: until so many (at most
 * PARA__CALLS) have needed a system call; or all. Without the latch. */
void para__queue_wake(const void *key, unsigned most);
void para__queue_wake_all(const void *key);

/* The rest is called under the latch. */

/* The key's next node after the given one, or the first if that is NULL; NULL: none. */
static inline para__waiter *para__queue_next(const para__bucket *bucket, const void *key,
                                             const para__waiter *after)
{
    para__waiter *waiter = after ? after->next : bucket->first;
    while (waiter && waiter->key != key)
        waiter = waiter->next;
    return waiter;
}

void para__queue_append(para__bucket *bucket, para__waiter *waiter);
void para__queue_remove(para__bucket *bucket, para__waiter *waiter);

/* Waiters to be woken once the latch is free. */
enum { PARA__CALLS = 16 };
typedef struct para__calls {
    unsigned count;
    para__event *event[PARA__CALLS];
} para__calls;

/* Marks a waiter woken and ends its sleep; count is below PARA__CALLS. */
void para__calls_add(para__calls *calls, para__waiter *waiter);
/* Makes the system calls that are due; without the latch. */
void para__calls_make(const para__calls *calls);

#endif
