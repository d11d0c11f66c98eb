/* Locks for the length of a block, released on every way out of it. */
#ifndef PARA_GUARD_H
#define PARA_GUARD_H

#include <para/mutex.h>
#include <para/semaphore.h>

#include <stdio.h>
#include <stdlib.h>

/* PARA_WITH_MUTEX(&mutex) { ... } runs the block with the mutex locked and unlocks it when the
 * block is left: at its end, by break or continue (which end this block, not a loop around it), by
 * return, goto or a C++ exception. longjmp does not unlock it; pthread_exit and pthread_cancel do
 * so only in code compiled with -fexceptions, as C++ is. If checking refuses the lock or the
 * unlock, the program ends as by an assertion, with the detail on stderr.
 * PARA_WITH_SEMAPHORE(&semaphore) { ... } does the same with one unit. The semaphore must be
 * initialised: with one that is only zeroed the block does not run, and without NDEBUG the program
 * ends, with place and detail on stderr.
 *
 * To the compiler both are loops that might run no round: it may ask for a return after a block
 * that returns a value, and for a value of a variable that a block sets. */
#define PARA_WITH_MUTEX(mutex)                                                             \
    PARA_WITH_(para_mutex_hold_, PARA_NAME_(para_hold_, __COUNTER__), para_mutex_release_, \
               para_mutex_hold_begin_(mutex, __FILE__, __LINE__))
#define PARA_WITH_SEMAPHORE(semaphore)                                                             \
    PARA_WITH_(para_semaphore_hold_, PARA_NAME_(para_hold_, __COUNTER__), para_semaphore_release_, \
               para_semaphore_hold_begin_(semaphore, __FILE__, __LINE__))

typedef struct para_mutex_hold_ {
    para_mutex *mutex;
    const char *file;
    int line;
    int run;
} para_mutex_hold_;

typedef struct para_semaphore_hold_ {
    para_semaphore *semaphore; /* NULL: no unit */
    size_t run;
} para_semaphore_hold_;

/* A block cannot return a status. Without checking a lock never fails, and an unlock only if the
 * mutex was unlocked within the block; that failure is dropped. */
static inline void para_expect_(para_status status)
{
#ifdef PARA_CHECK_LOCKS
    if (status == PARA_OK)
        return;
    fprintf(stderr, "para: %s\n", para_status_detail());
    abort();
#else
    (void)status;
#endif
}

static inline para_mutex_hold_ para_mutex_hold_begin_(para_mutex *mutex, const char *file, int line)
{
    const para_mutex_hold_ hold = {mutex, file, line, 1};
    para_expect_(para_mutex_lock_(mutex, PARA_DEADLINE_NEVER, PARA_NULL_, file, line));
    return hold;
}

static inline void para_mutex_release_(para_mutex_hold_ *hold)
{
    para_expect_(para_mutex_unlock_(hold->mutex, hold->file, hold->line));
}

static inline para_semaphore_hold_ para_semaphore_hold_begin_(para_semaphore *semaphore,
                                                              const char *file, int line)
{
    para_semaphore_hold_ hold = {semaphore, 1};
    if (para_semaphore_acquire(semaphore) != PARA_OK) {
#ifndef NDEBUG
        fprintf(stderr, "para: %s:%d: %s\n", file, line, para_status_detail());
        abort();
#endif
        hold.semaphore = PARA_NULL_;
        hold.run = 0;
    }
    (void)file, (void)line;
    return hold;
}

static inline void para_semaphore_release_(para_semaphore_hold_ *hold)
{
    if (hold->semaphore)
        para_semaphore_release(hold->semaphore, 1);
}

#ifdef __cplusplus
#ifdef PARA_CHECK_LOCKS
#include <system_error>
#endif

/* The same as objects: mutex_guard and semaphore_guard hold for as long as they live. para::mutex
 * is a para_mutex for std::lock_guard, std::unique_lock and std::scoped_lock. With checking, its
 * destructor ends its use, and must find it neither held nor waited for. Refusals of checking are
 * thrown as std::system_error, except in the destructors of mutex and mutex_guard, where it ends
 * the program as in PARA_WITH_MUTEX. With the standard library's guards the place that is named is
 * a line of that library; with mutex_guard it is yours.
 * The semaphore must be initialised: otherwise semaphore_guard holds nothing, and without NDEBUG
 * the program ends as in PARA_WITH_SEMAPHORE. */
namespace para
{
#ifdef PARA_CHECK_LOCKS
inline namespace para_checked_ /* files with and without checking do not share their functions */
{
#endif
inline void para_expect_locked_(para_status status)
{
#ifdef PARA_CHECK_LOCKS
    if (status != PARA_OK)
        throw std::system_error(
            std::make_error_code(status == PARA_ERR_NOT_OWNER
                                     ? std::errc::operation_not_permitted
                                     : std::errc::resource_deadlock_would_occur),
            para_status_detail());
#else
    (void)status; /* see para_expect_ */
#endif
}

class mutex
{
  public:
    mutex() = default;
    mutex(const mutex &) = delete;
    mutex &operator=(const mutex &) = delete;
#ifdef PARA_CHECK_LOCKS
    ~mutex()
    {
        para_expect_(para_mutex_fini(&mutex_));
    }
#endif
    void lock(const char *file = __builtin_FILE(), int line = __builtin_LINE())
    {
        para_expect_locked_(para_mutex_lock_(&mutex_, PARA_DEADLINE_NEVER, nullptr, file, line));
    }
    [[nodiscard]] bool try_lock(const char *file = __builtin_FILE(), int line = __builtin_LINE())
    {
        return para_mutex_try_lock_(&mutex_, file, line);
    }
    void unlock(const char *file = __builtin_FILE(), int line = __builtin_LINE())
    {
        para_expect_locked_(para_mutex_unlock_(&mutex_, file, line));
    }
    para_mutex *native_handle()
    {
        return &mutex_;
    }

  private:
    para_mutex mutex_ = {};
};

class mutex_guard
{
  public:
    [[nodiscard]] explicit mutex_guard(para_mutex &mutex, const char *file = __builtin_FILE(),
                                       int line = __builtin_LINE())
        : hold_{&mutex, file, line, 1}
    {
        para_expect_locked_(para_mutex_lock_(&mutex, PARA_DEADLINE_NEVER, nullptr, file, line));
    }
    [[nodiscard]] explicit mutex_guard(para::mutex &mutex, const char *file = __builtin_FILE(),
                                       int line = __builtin_LINE())
        : mutex_guard(*mutex.native_handle(), file, line)
    {
    }
    mutex_guard(const mutex_guard &) = delete;
    mutex_guard &operator=(const mutex_guard &) = delete;
    ~mutex_guard()
    {
        para_mutex_release_(&hold_);
    }

  private:
    para_mutex_hold_ hold_;
};

#ifdef PARA_CHECK_LOCKS
} // namespace para_checked_
#endif

class semaphore_guard
{
  public:
    [[nodiscard]] explicit semaphore_guard(para_semaphore &semaphore,
                                           const char *file = __builtin_FILE(),
                                           int line = __builtin_LINE())
        : hold_(para_semaphore_hold_begin_(&semaphore, file, line))
    {
    }
    semaphore_guard(const semaphore_guard &) = delete;
    semaphore_guard &operator=(const semaphore_guard &) = delete;
    ~semaphore_guard()
    {
        para_semaphore_release_(&hold_);
    }

  private:
    para_semaphore_hold_ hold_;
};
} // namespace para
#endif
#endif
