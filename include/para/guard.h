/* Locks for the length of a block: given back on every way out of it. */
#ifndef PARA_GUARD_H
#define PARA_GUARD_H

#include <para/mutex.h>
#include <para/semaphore.h>

#include <stdio.h>
#include <stdlib.h>

/* PARA_WITH_MUTEX(&mutex) { ... } runs the block with the mutex locked, and unlocks it when the
 * block is left: at its end, by break or continue (which end this block, no loop around it), by
 * return, goto, or a C++ exception; not by longjmp, and by pthread_exit and
 * pthread_cancel only in code that is compiled with -fexceptions, as C++ is. If checking refuses
 * the lock or the unlock, the program ends as by an assertion, with the detail on stderr.
 * PARA_WITH_SEMAPHORE(&semaphore) { ... }: likewise with one unit. The semaphore must be
 * initialised: with one that is zeroed and was not the block does not run, and without NDEBUG the
 * program ends, with place and detail on stderr.
 *
 * To the compiler both are loops, which might run no round: it may want a return behind a block that
 * returns a value, and a value for a variable that is set in one. */
#define PARA_WITH_MUTEX(mutex)                                                              \
    PARA__WITH(para__mutex_hold, PARA__NAME(para__hold_, __COUNTER__), para__mutex_release, \
               para__mutex_hold_begin(mutex, __FILE__, __LINE__))
#define PARA_WITH_SEMAPHORE(semaphore)                                     \
    PARA__WITH(para__semaphore_hold, PARA__NAME(para__hold_, __COUNTER__), \
               para__semaphore_release, para__semaphore_hold_begin(semaphore, __FILE__, __LINE__))

/* A loop of one round, whose variable releases when it goes out of scope. The name is made before it
 * gets here, once for all its places. */
#define PARA__WITH(type, hold, release, begin) \
    for (type hold __attribute__((cleanup(release))) = begin; hold.run; hold.run = false)
#define PARA__NAME(a, b)  PARA__NAME_(a, b)
#define PARA__NAME_(a, b) a##b

typedef struct para__mutex_hold {
    para_mutex *mutex;
    const char *file;
    int line;
    bool run;
} para__mutex_hold;

typedef struct para__semaphore_hold {
    para_semaphore *semaphore; /* NULL: no unit */
    bool run;
} para__semaphore_hold;

/* A block has nowhere to return a status. Without checking a lock never fails, and an unlock only if
 * the mutex was unlocked within the block: that is dropped. */
static inline void para__expect(para_status status)
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

static inline para__mutex_hold para__mutex_hold_begin(para_mutex *mutex, const char *file, int line)
{
    para__expect(para__mutex_lock(mutex, PARA_DEADLINE_NEVER, NULL, file, line));
    const para__mutex_hold hold = {mutex, file, line, true};
    return hold;
}

static inline void para__mutex_release(para__mutex_hold *hold)
{
    para__expect(para__mutex_unlock(hold->mutex, hold->file, hold->line));
}

static inline para__semaphore_hold para__semaphore_hold_begin(para_semaphore *semaphore,
                                                              const char *file, int line)
{
    const bool acquired = para_semaphore_acquire(semaphore) == PARA_OK;
#ifdef NDEBUG
    (void)file, (void)line;
#else
    if (!acquired) {
        fprintf(stderr, "para: %s:%d: %s\n", file, line, para_status_detail());
        abort();
    }
#endif
    const para__semaphore_hold hold = {acquired ? semaphore : NULL, acquired};
    return hold;
}

static inline void para__semaphore_release(para__semaphore_hold *hold)
{
    if (hold->semaphore)
        para_semaphore_release(hold->semaphore, 1);
}

#ifdef __cplusplus
#ifdef PARA_CHECK_LOCKS
#include <system_error>
#endif

/* The same as objects: mutex_guard and semaphore_guard hold for as long as they live. para::mutex
 * is a para_mutex that std::lock_guard, std::unique_lock and std::scoped_lock take; with checking,
 * its destructor ends its use, and must find it neither held nor waited for. What checking refuses
 * is thrown as std::system_error, but by the destructors of mutex and mutex_guard, where it ends the
 * program as in PARA_WITH_MUTEX. With the standard library's guards the place that is named is a line
 * of that library; with mutex_guard it is yours.
 * The semaphore must be initialised: else semaphore_guard holds nothing, and without NDEBUG the
 * program ends as in PARA_WITH_SEMAPHORE. */
namespace para
{
#ifdef PARA_CHECK_LOCKS
inline namespace para__checked /* files with and without checking do not share their functions */
{
#endif
inline void para__expect_locked(para_status status)
{
#ifdef PARA_CHECK_LOCKS
    if (status != PARA_OK)
        throw std::system_error(
            std::make_error_code(status == PARA_ERR_NOT_OWNER
                                     ? std::errc::operation_not_permitted
                                     : std::errc::resource_deadlock_would_occur),
            para_status_detail());
#else
    (void)status; /* see para__expect */
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
        para__expect(para_mutex_fini(&mutex_));
    }
#endif
    void lock(const char *file = __builtin_FILE(), int line = __builtin_LINE())
    {
        para__expect_locked(para__mutex_lock(&mutex_, PARA_DEADLINE_NEVER, nullptr, file, line));
    }
    bool try_lock(const char *file = __builtin_FILE(), int line = __builtin_LINE())
    {
        return para__mutex_try_lock(&mutex_, file, line);
    }
    void unlock(const char *file = __builtin_FILE(), int line = __builtin_LINE())
    {
        para__expect_locked(para__mutex_unlock(&mutex_, file, line));
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
        : hold_{&mutex, file, line, true}
    {
        para__expect_locked(para__mutex_lock(&mutex, PARA_DEADLINE_NEVER, nullptr, file, line));
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
        para__mutex_release(&hold_);
    }

  private:
    para__mutex_hold hold_;
};

#ifdef PARA_CHECK_LOCKS
} // namespace para__checked
#endif

class semaphore_guard
{
  public:
    [[nodiscard]] explicit semaphore_guard(para_semaphore &semaphore,
                                           const char *file = __builtin_FILE(),
                                           int line = __builtin_LINE())
        : hold_(para__semaphore_hold_begin(&semaphore, file, line))
    {
    }
    semaphore_guard(const semaphore_guard &) = delete;
    semaphore_guard &operator=(const semaphore_guard &) = delete;
    ~semaphore_guard()
    {
        para__semaphore_release(&hold_);
    }

  private:
    para__semaphore_hold hold_;
};
} // namespace para
#endif
#endif
