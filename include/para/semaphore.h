/* A semaphore of 8 bytes, for the threads of one process: a number of units, which threads acquire
 * and release, up to a maximum. One atomic operation each while nobody waits. A waiter spins for
 * some microseconds if that has helped lately, then sleeps in line. A release wakes exactly as many
 * waiters as can proceed, in the order of arrival. A newcomer may take free units although others
 * sleep, unless the semaphore is fair. But once units are released when the first in line has been
 * first for a millisecond, newcomers get none until it is served: so every waiter is, also one that
 * wants many units. */
#ifndef PARA_SEMAPHORE_H
#define PARA_SEMAPHORE_H

#include <para/cancel.h>
#include <para/deadline.h>
#include <para/status.h>
#include <stddef.h>

/* The highest maximum. */
#define PARA_SEMAPHORE_MOST 0xffffffu

/* Nobody overtakes: waiters get units in the order of arrival. */
#define PARA_SEMAPHORE_FAIR 1u

/* Initialised by PARA_SEMAPHORE_INIT, PARA_SEMAPHORE_FAIR_INIT or para_semaphore_init. The word is
 * para's. A semaphore must not be copied or moved while it is in use. */
typedef struct para_semaphore {
    uint64_t word; /* from below: 24 bits of available units, 24 of the maximum, these: */
} para_semaphore;
#define PARA_SEMAPHORE_WAITING_ (PARA_CAST_(uint64_t, 1) << 48)
#define PARA_SEMAPHORE_CLOSED_  (PARA_CAST_(uint64_t, 1) << 49)
#define PARA_SEMAPHORE_FAIR_    (PARA_CAST_(uint64_t, 1) << 50)

/* Initialisers: initial units available of at most maximum; the second makes it
 * PARA_SEMAPHORE_FAIR. maximum is 1 to PARA_SEMAPHORE_MOST, and initial at most maximum. Other
 * constants do not compile, and other values make a semaphore that does not work. */
#define PARA_SEMAPHORE_INIT(initial, maximum) PARA_SEMAPHORE_INIT_(initial, maximum, 0)
#define PARA_SEMAPHORE_FAIR_INIT(initial, maximum) \
    PARA_SEMAPHORE_INIT_(initial, maximum, PARA_SEMAPHORE_FAIR_)
#define PARA_SEMAPHORE_INIT_(initial, maximum, flags)                                   \
    {                                                                                   \
        PARA_CAST_(uint64_t, initial) | PARA_CAST_(uint64_t, maximum) << 24 | (flags) | \
            PARA_REFUSE_(PARA_SEMAPHORE_IS_WRONG_((initial), (maximum)))                \
    }

/* 0; does not compile if the constant is true. */
#define PARA_REFUSE_(wrong) (sizeof(char[(wrong) ? -1 : 1]) - 1)

/* Whether they are constants, and out of range. */
#ifdef __cplusplus
#define PARA_SEMAPHORE_IS_WRONG_(initial, maximum)                     \
    (__builtin_constant_p(initial) && __builtin_constant_p(maximum) && \
     PARA_SEMAPHORE_IS_OUT_(initial, maximum))
#else
#define PARA_SEMAPHORE_IS_WRONG_(initial, maximum) \
    PARA_SEMAPHORE_IS_OUT_(PARA_CONSTANT_(initial, 1), PARA_CONSTANT_(maximum, 0xffffff))
/* x, or something else if that is not a constant. Only with a constant does the conditional have
 * the type of its third operand, beside a null pointer constant. */
#define PARA_CONSTANT_(x, other)                                                             \
    __builtin_choose_expr(__builtin_types_compatible_p(                                      \
                              __typeof__(1 ? (void *)((uintptr_t)(x)*0) : (int *)1), int *), \
                          x, (other))
#endif
#define PARA_SEMAPHORE_IS_OUT_(initial, maximum)       \
    (PARA_CAST_(uint64_t, maximum) - 1 >= 0xffffffu || \
     PARA_CAST_(uint64_t, initial) > PARA_CAST_(uint64_t, maximum))

#ifdef __cplusplus
extern "C" {
#endif

/* Makes a semaphore in the caller's memory, with initial units available of at most maximum. flags:
 * 0 or PARA_SEMAPHORE_FAIR. Errors: PARA_ERR_ARGUMENT: NULL, initial above maximum, maximum 0 or
 * above PARA_SEMAPHORE_MOST, an unknown flag. */
PARA_NODISCARD_ PARA_API para_status para_semaphore_init(para_semaphore *semaphore,
                                                         uint32_t initial, uint32_t maximum,
                                                         uint32_t flags);

/* Ends the use of a semaphore; optional. NULL is allowed. Does not block. Errors: PARA_ERR_BUSY: a
 * thread waits. */
PARA_API para_status para_semaphore_fini(para_semaphore *semaphore);

/* Acquires count units, all at once: waits until CLOCK_MONOTONIC reaches deadline_ns
 * (PARA_DEADLINE_NEVER: without limit), or cancel is requested (NULL: none). Free units are taken
 * whatever deadline and token say. The general form of the functions below. Threads of one process,
 * in kernels too; no signal handler. Blocks; not a cancellation point of pthread_cancel, and
 * signals do not end it. Afterwards the caller sees what was done before its units were released.
 * Units have no owner: any thread may release them. In a child of fork() the semaphore is another
 * one, with the count that it had.
 * Errors: PARA_ERR_ARGUMENT: count is 0 or above the maximum, or the semaphore is zeroed and was
 * never initialised; PARA_ERR_TIMEOUT (at deadline_ns), and the token's: PARA_ERR_CANCELLED,
 * _DEADLINE, _ARGUMENT (see para_cancel_status). Algorithm: src/sync/semaphore.c. */
PARA_NODISCARD_ PARA_API para_status para_semaphore_acquire_with(para_semaphore *semaphore,
                                                                 uint32_t count,
                                                                 uint64_t deadline_ns,
                                                                 para_cancel *cancel);

/* The slow path of para_semaphore_try_acquire, when there are no units or somebody waits. Not to be
 * called directly. */
PARA_NODISCARD_ PARA_API bool para_semaphore_try_acquire_slow(para_semaphore *semaphore);

/* The slow path of para_semaphore_release, when somebody waits. Not to be called directly. */
PARA_API para_status para_semaphore_release_slow(para_semaphore *semaphore, uint32_t count);

static inline uint32_t para_semaphore_available_(uint64_t word)
{
    return PARA_CAST_(uint32_t, word & 0xffffffu);
}

static inline bool para_semaphore_try_(para_semaphore *semaphore)
{
    uint64_t word = __atomic_load_n(&semaphore->word, __ATOMIC_RELAXED);
    while (para_semaphore_available_(word) > 0 && !(word & PARA_SEMAPHORE_CLOSED_))
        if (__atomic_compare_exchange_n(&semaphore->word, &word, word - 1, true, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED)) /* E11 */
            return true;
    return false;
}

/* Acquires one unit if one is free for a newcomer; returns whether it did. Never blocks. Order as
 * for para_semaphore_acquire_with. */
PARA_NODISCARD_ static inline bool para_semaphore_try_acquire(para_semaphore *semaphore)
{
    return para_semaphore_try_(semaphore) || para_semaphore_try_acquire_slow(semaphore);
}

/* para_semaphore_acquire_with for one unit, without limit. */
PARA_NODISCARD_ static inline para_status para_semaphore_acquire(para_semaphore *semaphore)
{
    return para_semaphore_try_(semaphore)
               ? PARA_OK
               : para_semaphore_acquire_with(semaphore, 1, PARA_DEADLINE_NEVER, PARA_NULL_);
}

/* para_semaphore_acquire_with for one unit, with a deadline. */
PARA_NODISCARD_ static inline para_status para_semaphore_acquire_until(para_semaphore *semaphore,
                                                                       uint64_t deadline_ns)
{
    return para_semaphore_try_(semaphore)
               ? PARA_OK
               : para_semaphore_acquire_with(semaphore, 1, deadline_ns, PARA_NULL_);
}

/* para_semaphore_acquire_with for one unit, with a token. */
PARA_NODISCARD_ static inline para_status
para_semaphore_acquire_cancellable(para_semaphore *semaphore, para_cancel *cancel)
{
    return para_semaphore_try_(semaphore)
               ? PARA_OK
               : para_semaphore_acquire_with(semaphore, 1, PARA_DEADLINE_NEVER, cancel);
}

/* para_semaphore_acquire_with for several units, without limit. With a deadline or a token, call
 * that function itself. */
PARA_NODISCARD_ static inline para_status para_semaphore_acquire_many(para_semaphore *semaphore,
                                                                      uint32_t count)
{
    return para_semaphore_acquire_with(semaphore, count, PARA_DEADLINE_NEVER, PARA_NULL_);
}

/* Releases count units, and wakes the waiters that can proceed. Any thread; never blocks. The
 * threads that get the units may destroy the semaphore even before this has returned, unless
 * somebody else still waits for it. Errors: PARA_ERR_ARGUMENT: count is 0, or the semaphore is
 * zeroed; PARA_ERR_MAXIMUM: there would be more than the maximum. Nothing is released then. */
static inline para_status para_semaphore_release(para_semaphore *semaphore, uint32_t count)
{
    uint64_t word = __atomic_load_n(&semaphore->word, __ATOMIC_RELAXED);
    const uint32_t room = para_semaphore_available_(word >> 24) - para_semaphore_available_(word);
    if (count - 1u < room && !(word & PARA_SEMAPHORE_WAITING_) &&
        __atomic_compare_exchange_n(&semaphore->word, &word, word + count, false, __ATOMIC_RELEASE,
                                    __ATOMIC_RELAXED)) /* E11 */
        return PARA_OK;
    return para_semaphore_release_slow(semaphore, count);
}

/* The units that are free at this moment, for display: the number may be out of date at once. Any
 * thread. */
static inline uint32_t para_semaphore_available(const para_semaphore *semaphore)
{
    return para_semaphore_available_(__atomic_load_n(&semaphore->word, __ATOMIC_RELAXED));
}

#ifdef __cplusplus
}
#endif

#endif
