/* A mutex of 4 bytes, for the threads of one process: one atomic operation to lock and one to
 * unlock when nobody else wants it. A waiter spins for some microseconds if that has helped lately,
 * then sleeps in line. A newcomer may overtake sleepers, which keeps a busy lock fast. The next
 * unlock wakes the first in line. If that thread still has no lock a millisecond later, newcomers
 * stay out, and the next unlock is for it: so every waiter gets the lock. See shared_mutex.h for
 * several processes, and guard.h for locking a block.
 *
 * With PARA_CHECK_LOCKS defined before this header is included, in all files of the program that
 * use mutexes, misuse is detected and returned, with both places in para_status_detail: a second
 * lock by the holder, locks taken in orders that can deadlock, an unlock by another thread.
 * Checking costs some 100 ns a lock. Two locks that are held together for the first time cost
 * typically some microseconds, though such a pair may have all others searched. Each pair is
 * remembered, in some 130 bytes; n locks held at once are n * n / 2 pairs. If memory runs out,
 * checking ends and one line on stderr says so. */
#ifndef PARA_MUTEX_H
#define PARA_MUTEX_H

#include <para/cancel.h>
#include <para/deadline.h>
#include <para/status.h>
#include <stddef.h>

/* Ready when zero-initialised: para_mutex mutex = {0}; The word is para's. A mutex must not be
 * copied or moved while it is in use. */
typedef struct para_mutex {
    uint32_t word;
} para_mutex;

/* The statuses of lock, unlock and fini have to be looked at where there is checking. Without it a
 * lock does not fail, and the others do so only by a fault of the program. */
#ifdef PARA_CHECK_LOCKS
#define PARA_CHECKED_ PARA_NODISCARD_
#else
#define PARA_CHECKED_
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Locks: waits until CLOCK_MONOTONIC reaches deadline_ns (PARA_DEADLINE_NEVER: without limit), or
 * cancel is requested (NULL: none). A free lock is taken whatever deadline and token say. The
 * general form of the functions below. Threads of one process, in kernels too; no signal handler.
 * Blocks; not a cancellation point of pthread_cancel, and signals do not end it. The caller
 * then sees what earlier holders did. Does not nest: a second lock by the holder waits forever. A
 * mutex whose holder's thread ends stays locked. In a child of fork() a mutex is as the forking
 * thread left it, and one that another thread held stays held.
 * Errors: PARA_ERR_TIMEOUT (at deadline_ns), the token's (PARA_ERR_CANCELLED, _DEADLINE, _ARGUMENT:
 * see para_cancel_status), and with checking _DEADLOCK: the mutex is not locked then.
 * Algorithm: src/sync/mutex.c. */
PARA_NODISCARD_ PARA_API para_status para_mutex_lock_with(para_mutex *mutex, uint64_t deadline_ns,
                                                          para_cancel *cancel);

/* Ends the use of a mutex. Needed only with checking, which otherwise takes a new mutex at the same
 * address for the old one. Does not block. The caller must come after the last unlock, by having
 * joined the thread that made it or by having locked the mutex itself since: otherwise it may see
 * an old value. NULL is allowed. Errors: PARA_ERR_BUSY: it is held or waited for. */
PARA_CHECKED_ PARA_API para_status para_mutex_fini(para_mutex *mutex);

/* The slow path of para_mutex_try_lock, if the mutex is held or somebody waits. Not to be called
 * directly. */
PARA_NODISCARD_ PARA_API bool para_mutex_try_lock_slow(para_mutex *mutex);

/* The slow path of para_mutex_unlock, after its subtraction, if that left a word other than 0. The
 * mutex may not exist any more. Not to be called directly. */
PARA_API para_status para_mutex_unlock_slow(para_mutex *mutex, uint32_t rest);

/* para_mutex_lock_with, checked; a complaint names the place. It is remembered as long as one of
 * the mutexes in its orders: file is a string of static storage, as __FILE__ is, in a module that
 * stays loaded until both have been through para_mutex_fini. */
PARA_NODISCARD_ PARA_API para_status para_mutex_lock_at(para_mutex *mutex, uint64_t deadline_ns,
                                                        para_cancel *cancel, const char *file,
                                                        int line);

/* para_mutex_try_lock, checked: it remembers that the thread holds the mutex, and the place, as
 * para_mutex_lock_at does. */
PARA_NODISCARD_ PARA_API bool para_mutex_try_lock_at(para_mutex *mutex, const char *file, int line);

/* para_mutex_unlock, checked. The place is not remembered. */
PARA_API para_status para_mutex_unlock_at(para_mutex *mutex, const char *file, int line);

static inline bool para_mutex_try_(para_mutex *mutex)
{
    uint32_t known = 0;
    return __atomic_compare_exchange_n(&mutex->word, &known, 1, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED); /* E9 */
}

static inline para_status para_mutex_give_back_(para_mutex *mutex)
{
    const uint32_t rest = __atomic_sub_fetch(&mutex->word, 1, __ATOMIC_RELEASE); /* E9 */
    return rest ? para_mutex_unlock_slow(mutex, rest) : PARA_OK;
}

PARA_CHECKED_ static inline para_status para_mutex_lock_(para_mutex *mutex, uint64_t deadline_ns,
                                                         para_cancel *cancel, const char *file,
                                                         int line)
{
#ifdef PARA_CHECK_LOCKS
    return para_mutex_lock_at(mutex, deadline_ns, cancel, file, line);
#else
    (void)file, (void)line;
    return para_mutex_try_(mutex) ? PARA_OK : para_mutex_lock_with(mutex, deadline_ns, cancel);
#endif
}

PARA_NODISCARD_ static inline bool para_mutex_try_lock_(para_mutex *mutex, const char *file,
                                                        int line)
{
#ifdef PARA_CHECK_LOCKS
    return para_mutex_try_lock_at(mutex, file, line);
#else
    (void)file, (void)line;
    return para_mutex_try_(mutex) || para_mutex_try_lock_slow(mutex);
#endif
}

PARA_CHECKED_ static inline para_status para_mutex_unlock_(para_mutex *mutex, const char *file,
                                                           int line)
{
#ifdef PARA_CHECK_LOCKS
    return para_mutex_unlock_at(mutex, file, line);
#else
    (void)file, (void)line;
    return para_mutex_give_back_(mutex);
#endif
}

/* para_mutex_lock_with, without limit. */
static inline para_status para_mutex_lock(para_mutex *mutex)
{
    return para_mutex_lock_(mutex, PARA_DEADLINE_NEVER, PARA_NULL_, "?", 0);
}

/* para_mutex_lock_with, with a deadline. */
PARA_NODISCARD_ static inline para_status para_mutex_lock_until(para_mutex *mutex,
                                                                uint64_t deadline_ns)
{
    return para_mutex_lock_(mutex, deadline_ns, PARA_NULL_, "?", 0);
}

/* para_mutex_lock_with, with a token. */
PARA_NODISCARD_ static inline para_status para_mutex_lock_cancellable(para_mutex *mutex,
                                                                      para_cancel *cancel)
{
    return para_mutex_lock_(mutex, PARA_DEADLINE_NEVER, cancel, "?", 0);
}

/* Locks if it is free; returns whether it did. Never blocks. Order as for para_mutex_lock_with. */
PARA_NODISCARD_ static inline bool para_mutex_try_lock(para_mutex *mutex)
{
    return para_mutex_try_lock_(mutex, "?", 0);
}

/* Unlocks; by the thread that locked. Wakes the first in line unless a wake-up is on its way. The
 * mutex may be destroyed by its next holder even before this has returned. The next holder sees
 * everything done before it. Errors: PARA_ERR_NOT_OWNER: nobody holds it, or, with checking,
 * another thread does. Without checking that thread's lock is lost; so may one be that is taken
 * while two threads unlock what nobody holds. */
static inline para_status para_mutex_unlock(para_mutex *mutex)
{
    return para_mutex_unlock_(mutex, "?", 0);
}

#ifdef PARA_CHECK_LOCKS /* the same, with their places */
#define para_mutex_lock(m)          para_mutex_lock_until(m, PARA_DEADLINE_NEVER)
#define para_mutex_lock_until(m, t) para_mutex_lock_(m, t, PARA_NULL_, __FILE__, __LINE__)
#define para_mutex_lock_cancellable(m, c) \
    para_mutex_lock_(m, PARA_DEADLINE_NEVER, c, __FILE__, __LINE__)
#define para_mutex_lock_with(m, t, c) para_mutex_lock_(m, t, c, __FILE__, __LINE__)
#define para_mutex_try_lock(m)        para_mutex_try_lock_(m, __FILE__, __LINE__)
#define para_mutex_unlock(m)          para_mutex_unlock_(m, __FILE__, __LINE__)
#endif

#ifdef __cplusplus
}
#endif
#endif
