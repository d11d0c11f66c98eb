/* A mutex between processes: the C library's robust one. The kernel finds the locks of a dying
 * thread through a list. Each thread has one list, and it belongs to the C library; see ADR 11. */
#include <para/shared_mutex.h>

#include "base/clock.h"
#include "base/status.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

_Static_assert(sizeof(pthread_mutex_t) <= sizeof(para_shared_mutex) &&
                   _Alignof(pthread_mutex_t) <= _Alignof(para_shared_mutex),
               "a pthread_mutex_t fits");

static pthread_mutex_t *inner(para_shared_mutex *mutex)
{
    return mutex ? (pthread_mutex_t *)(void *)mutex->opaque : NULL;
}

/* The status for an error number of a lock. */
static para_status outcome(int error)
{
    switch (error) {
    case 0:
        return PARA_OK;
    case EOWNERDEAD:
        return para__fail(PARA_ERR_OWNER_DIED, "the mutex's holder ended without unlocking it");
    case ENOTRECOVERABLE:
        return para__fail(PARA_ERR_NOT_RECOVERABLE,
                          "after a holder had died, the mutex was unlocked "
                          "before it was recovered");
    case ETIMEDOUT:
        return para__fail(PARA_ERR_TIMEOUT, NULL);
    case EBUSY:
        return para__fail(PARA_ERR_BUSY, "the mutex is held");
    case EDEADLK:
        return para__fail(PARA_ERR_DEADLOCK, "the calling thread holds the mutex already");
    case EPERM:
        return para__fail(PARA_ERR_NOT_OWNER, "the calling thread does not hold the mutex");
    case ENOMEM:
        return para__fail(PARA_ERR_MEMORY, NULL);
    case ENOTSUP:
        return para__fail(PARA_ERR_UNSUPPORTED, "the system has no robust mutexes");
    case EINVAL:
        return para__fail(PARA_ERR_ARGUMENT, "there is no mutex, or its use has ended");
    default:
        return para__fail(PARA_ERR_ARGUMENT, "the mutex: %s", strerror(error));
    }
}

para_status para_shared_mutex_init(para_shared_mutex *mutex)
{
    pthread_mutexattr_t attributes;
    int error = mutex ? pthread_mutexattr_init(&attributes) : EINVAL;
    if (error)
        return outcome(error);
    error = pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    if (!error)
        error = pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    if (!error)
        error = pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    if (!error)
        error = pthread_mutex_init(inner(mutex), &attributes);
    pthread_mutexattr_destroy(&attributes);
    return outcome(error);
}

/* pthread_mutex_clocklock with CLOCK_MONOTONIC. */
static int lock_until(pthread_mutex_t *mutex, uint64_t deadline_ns)
{
    if (!mutex)
        return EINVAL;
#ifdef __GLIBC__
    const struct timespec deadline = para__timespec(deadline_ns);
    return pthread_mutex_clocklock(mutex, CLOCK_MONOTONIC, &deadline);
#else
    /* Other C libraries know only the time of day, which may be set meanwhile: so it waits for at
     * most a second at a time. */
    for (;;) {
        const uint64_t now_ns = para__now_ns();
        const uint64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
        struct timespec until = {0};
        if (left_ns) {
            clock_gettime(CLOCK_REALTIME, &until);
            until.tv_nsec += left_ns < 1000000000u ? (long)left_ns : 1000000000;
            until.tv_sec += until.tv_nsec / 1000000000;
            until.tv_nsec %= 1000000000;
        }
        const int error = pthread_mutex_timedlock(mutex, &until);
        if (error != ETIMEDOUT || left_ns == 0)
            return error;
    }
#endif
}

/* Takes the mutex if it is free. pthread_mutex_trylock is not used: in glibc 2.36 it leaves a mutex
 * that cannot be recovered locked by the thread that tries, so that all others wait forever. */
static int try_lock(para_shared_mutex *mutex)
{
    const int error = lock_until(inner(mutex), 0);
    return error == ETIMEDOUT ? EBUSY : error;
}

para_status para_shared_mutex_fini(para_shared_mutex *mutex)
{
    if (!mutex)
        return PARA_OK;
    const int error = try_lock(mutex); /* glibc destroys a robust mutex also while it is held */
    if (error == EBUSY || error == EDEADLK)
        return outcome(EBUSY);
    if (error == 0 || error == EOWNERDEAD)
        pthread_mutex_unlock(inner(mutex));
    return outcome(pthread_mutex_destroy(inner(mutex)));
}

para_status para_shared_mutex_lock(para_shared_mutex *mutex)
{
    return outcome(mutex ? pthread_mutex_lock(inner(mutex)) : EINVAL);
}

para_status para_shared_mutex_lock_until(para_shared_mutex *mutex, uint64_t deadline_ns)
{
    return outcome(lock_until(inner(mutex), deadline_ns));
}

para_status para_shared_mutex_try_lock(para_shared_mutex *mutex)
{
    return outcome(try_lock(mutex));
}

para_status para_shared_mutex_recover(para_shared_mutex *mutex)
{
    const int error = mutex ? pthread_mutex_consistent(inner(mutex)) : EINVAL;
    return error == EINVAL
               ? para__fail(PARA_ERR_ARGUMENT, "the mutex is not held after a holder's death")
               : outcome(error);
}

para_status para_shared_mutex_unlock(para_shared_mutex *mutex)
{
    return outcome(mutex ? pthread_mutex_unlock(inner(mutex)) : EINVAL);
}
