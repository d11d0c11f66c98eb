/* For tests of locks: threads, and a look at who stands in line. Needs the library's internals. */
#ifndef PARA_TESTS_WAITERS_H
#define PARA_TESTS_WAITERS_H

#include "child.h"
#include "sync/queue.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>

static inline unsigned in_line(const void *key)
{
    unsigned count = 0;
    para__bucket *bucket = para__bucket_lock(key);
    for (para__waiter *w = NULL; (w = para__queue_next(bucket, key, w));)
        count++;
    para__bucket_unlock(bucket);
    return count;
}

/* How many threads wait for the mutex, semaphore or token there. */
static inline unsigned waiters(const void *lock)
{
    return in_line(lock) + in_line(para__mutex_key(lock));
}

static inline void await_waiters(const void *lock, unsigned count)
{
    while (waiters(lock) != count)
        sched_yield();
}

static inline uint64_t from_now(uint64_t ns)
{
    return para__now_ns() + ns;
}

static inline pthread_t start(void *(*run)(void *), void *arg)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run, arg), 0);
    return thread;
}

static inline void join(pthread_t thread)
{
    assert_int_equal(pthread_join(thread, NULL), 0);
}

#endif
