#include "locks.h"

#include "sync/cancel.h"
#include "sync/check.h"

#include <para/mutex.h>
#include <para/semaphore.h>
#include <stdlib.h>

static para_mutex mutex;
static para_semaphore semaphore;
static para_cancel above;
static para_cancel cancel = {.parent = &above};
static para_semaphore made;
static bool several_cpus;
static unsigned wakes;

static void make_queue(const void *key)
{
    para__bucket *bucket = para__bucket_lock(key);
    bucket->first = bucket->last = NULL;
    para__bucket_unlock(bucket);
}

void locks_make(bool spins, uint32_t units, uint32_t most, bool fair)
{
    several_cpus = spins;
    wakes = 0;
    if (para_semaphore_init(&semaphore, units, most, fair ? PARA_SEMAPHORE_FAIR : 0))
        abort();
    made = semaphore;
    (void)para__load_relaxed((para__atomic_u32 *)&mutex.word);
    (void)para__load_relaxed((para__atomic_u64 *)&semaphore.word);
    (void)para__load_relaxed((para__atomic_u32 *)&above.word);
    (void)para__load_relaxed((para__atomic_u32 *)&cancel.word);
    make_queue(para__mutex_key(&mutex));
    make_queue(&semaphore);
    make_queue(&above);
    make_queue(&cancel);
}

bool locks_lock(uint64_t deadline_ns, bool cancellable)
{
    if (cancellable)
        return para_mutex_lock_cancellable(&mutex, &cancel) == PARA_OK;
    return para_mutex_lock_until(&mutex, deadline_ns) == PARA_OK;
}

bool locks_try_lock(void)
{
    return para_mutex_try_lock(&mutex);
}

void locks_unlock(void)
{
    (void)para_mutex_unlock(&mutex);
}

bool locks_end(void)
{
    if (para_mutex_fini(&mutex) != PARA_OK)
        return false;
    model_forget(&mutex.word);
    return true;
}

bool locks_acquire(uint32_t count, uint64_t deadline_ns, bool cancellable)
{
    if (cancellable)
        return para_semaphore_acquire_cancellable(&semaphore, &cancel) == PARA_OK;
    if (count == 1)
        return para_semaphore_acquire_until(&semaphore, deadline_ns) == PARA_OK;
    return para_semaphore_acquire_with(&semaphore, count, deadline_ns, NULL) == PARA_OK;
}

bool locks_try_acquire(void)
{
    return para_semaphore_try_acquire(&semaphore);
}

bool locks_release(uint32_t count)
{
    return para_semaphore_release(&semaphore, count) == PARA_OK;
}

void locks_cancel(void)
{
    para_cancel_request(&above);
}

bool locks_cancelled(void)
{
    return para_cancel_requested(&above);
}

bool locks_are_free(void)
{
    return para__load_relaxed((para__atomic_u32 *)&mutex.word) == 0 &&
           para__load_relaxed((para__atomic_u64 *)&semaphore.word) == made.word;
}

unsigned locks_wakes(void)
{
    return wakes;
}

/* ---- What the locks call -------------------------------------------------------------- */

void para__set_several_cpus(void)
{
}

bool para__several_cpus(void)
{
    return several_cpus;
}

void para__check_forget(const void *which)
{
    (void)which;
}

/* Queues and their nodes are plain memory, which the latch guards: who is let in by the linker in
 * between shows it to Relacy, and tells when a node's words begin. */
void __real_para__queue_append(para__bucket *bucket, para__waiter *waiter);
void __real_para__queue_remove(para__bucket *bucket, para__waiter *waiter);
void __real_para__calls_add(para__calls *calls, para__waiter *waiter);
void __wrap_para__queue_append(para__bucket *bucket, para__waiter *waiter);
void __wrap_para__queue_remove(para__bucket *bucket, para__waiter *waiter);
void __wrap_para__calls_add(para__calls *calls, para__waiter *waiter);

/* A lock's node and a token's share an event, which begins with the first of them. */
static _Thread_local unsigned queues;

void __wrap_para__queue_append(para__bucket *bucket, para__waiter *waiter)
{
    model_renew(&waiter->woken, sizeof waiter->woken);
    if (queues++ == 0)
        model_renew(&waiter->event->state, sizeof waiter->event->state);
    model_watch(bucket);
    model_watch(waiter);
    __real_para__queue_append(bucket, waiter);
}

void __wrap_para__queue_remove(para__bucket *bucket, para__waiter *waiter)
{
    queues--;
    model_watch(bucket);
    model_watch(waiter);
    __real_para__queue_remove(bucket, waiter);
}

void __wrap_para__calls_add(para__calls *calls, para__waiter *waiter)
{
    wakes++;
    model_watch(waiter);
    __real_para__calls_add(calls, waiter);
}
