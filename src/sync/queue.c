#include "sync/queue.h"

#include "base/bounds.h"
#include "base/process.h"

#include <stddef.h>

/* Enough that two locks that wake threads at the same time seldom share one; a power of two. */
enum { BUCKETS_LOG = 6 };
static para__bucket buckets[1 << BUCKETS_LOG];

/* In a child. The threads that waited do not exist here, and neither may the holder of a latch. */
static void empty_all(void)
{
    for (size_t i = 0; i < sizeof buckets / sizeof buckets[0]; i++) {
        para__store_relaxed(&buckets[i].latch.state, PARA__LATCH_FREE); /* one thread: no order */
        buckets[i].first = NULL;
        buckets[i].last = NULL;
    }
}

void para__bucket_check(const para__bucket *bucket)
{
    for (const para__waiter *waiter = bucket->first; waiter; waiter = waiter->next) {
        PARA__ASSERT(waiter->prev ? waiter->prev->next == waiter : bucket->first == waiter);
        PARA__ASSERT(waiter->next || bucket->last == waiter);
        PARA__ASSERT(waiter->key && waiter->event);
    }
    PARA__ASSERT(!bucket->first == !bucket->last);
}

para__bucket *para__bucket_lock(const void *key)
{
    static para__atomic_u32 emptied;
    para__after_fork(&emptied, empty_all);
    /* Multiplication by the golden ratio: Knuth, The Art of Computer Programming 3, 6.4. */
    const uint64_t mixed = (uint64_t)(uintptr_t)key * 0x9e3779b97f4a7c15u;
    para__bucket *const bucket = &buckets[mixed >> (64 - BUCKETS_LOG)];
    para__latch_lock(&bucket->latch);
    if (PARA__ASSERTS)
        para__bucket_check(bucket);
    return bucket;
}

void para__queue_append(para__bucket *bucket, para__waiter *waiter)
{
    waiter->prev = bucket->last;
    waiter->next = NULL;
    if (bucket->last)
        bucket->last->next = waiter;
    else
        bucket->first = waiter;
    bucket->last = waiter;
}

void para__queue_remove(para__bucket *bucket, para__waiter *waiter)
{
    if (waiter->prev)
        waiter->prev->next = waiter->next;
    else
        bucket->first = waiter->next;
    if (waiter->next)
        waiter->next->prev = waiter->prev;
    else
        bucket->last = waiter->prev;
}

void para__calls_add(para__calls *calls, para__waiter *waiter)
{
    para__store_relaxed(&waiter->woken, true); /* under the latch */
    if (para__event_ring(waiter->event))
        calls->event[calls->count++] = waiter->event;
}

void para__calls_make(const para__calls *calls)
{
    for (unsigned i = 0; i < calls->count; i++)
        para__futex_wake(&calls->event[i]->state, 1);
}

static unsigned wake(const void *key, unsigned most)
{
    para__calls calls = {.count = 0};
    para__bucket *const bucket = para__bucket_lock(key);
    for (para__waiter *waiter = NULL;
         calls.count < most && (waiter = para__queue_next(bucket, key, waiter));)
        if (!para__load_relaxed(&waiter->woken)) /* under the latch */
            para__calls_add(&calls, waiter);
    para__bucket_unlock(bucket);
    para__calls_make(&calls);
    return calls.count;
}

void para__queue_wake(const void *key, unsigned most)
{
    wake(key, para__min(most, PARA__CALLS));
}

void para__queue_wake_all(const void *key)
{
    while (wake(key, PARA__CALLS) == PARA__CALLS) /* as many as can be called at a time */
        continue;
}
