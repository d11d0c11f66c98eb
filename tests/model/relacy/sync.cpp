// Mutex, semaphore and cancel token: src/sync, with the inline functions of the public headers.
#include "calls.h"
#include "fixture.h"
#include "locks.h"
#include "model.hpp"

namespace
{

constexpr uint64_t NEVER = UINT64_MAX;

template <typename derived, unsigned threads> struct locking : protocol<derived, threads, 0> {
    datum guarded;
    unsigned left = threads;
    gate over;

    void prepare()
    {
        prepare(false, 1, 1, false);
    }
    void prepare(bool spins, unsigned units, unsigned most, bool fair)
    {
        locks_make(spins, units, most, fair);
        guarded($) = 0;
    }
    void touch()
    {
        guarded($) += 1;
    }
    void finish()
    {
        RL_ASSERT(locks_are_free());
    }
};

// Mutual exclusion, and nobody sleeps for good; each time on one CPU or on another.
template <unsigned threads, bool spins> struct mutex : locking<mutex<threads, spins>, threads> {
    void prepare()
    {
        mutex::locking::prepare(spins, 1, 1, false);
    }
    void call(unsigned)
    {
        for (unsigned round = 0; round < 2; round++) {
            fixture_sit(rl::rand(2));
            RL_ASSERT(locks_lock(NEVER, false));
            this->touch();
            locks_unlock();
        }
    }
    void finish()
    {
        RL_ASSERT(this->guarded($) == 2 * threads);
        mutex::locking::finish();
    }
};
using mutex_of_two = mutex<2, false>;
using mutex_of_three = mutex<3, false>;
using mutex_spinning = mutex<2, true>;
MODEL(mutex_of_two, 20000);
MODEL(mutex_of_three, 20000);
MODEL(mutex_spinning, 10000);

// Time passes so fast that whoever is first in line has soon waited for too long.
struct mutex_starved : locking<mutex_starved, 3> {
    void prepare()
    {
        locking::prepare();
        model_step(600000);
    }
    void call(unsigned index)
    {
        for (unsigned round = 0; round < (index ? 4 : 1); round++) {
            fixture_sit(rl::rand(2));
            RL_ASSERT(locks_lock(NEVER, false));
            touch();
            locks_unlock();
        }
    }
};
MODEL(mutex_starved, 10000);

// A waiter that is woken as its time is over passes the wake-up on.
struct mutex_timed : locking<mutex_timed, 4> {
    void call(unsigned index)
    {
        if (locks_lock(index == 1 || index == 2 ? 1 : NEVER, false)) {
            touch();
            locks_unlock();
        }
        if (index == 0 && locks_try_lock()) {
            touch();
            locks_unlock();
        }
    }
};
MODEL(mutex_timed, 20000);

// One of the others does not let go before the waiter has returned: for that it must be cancelled,
// also if it has been woken before and found the lock taken again.
struct mutex_cancelled : locking<mutex_cancelled, 3> {
    datum reason;
    void prepare()
    {
        locking::prepare();
        reason($) = 0;
    }
    void call(unsigned index)
    {
        if (index == 0) {
            const bool locked = locks_lock(NEVER, true);
            if (locked) {
                touch();
                locks_unlock();
            } else {
                RL_ASSERT(reason($) == 1);
            }
            over.open();
        } else if (index == 2 ? locks_lock(NEVER, false) : locks_try_lock()) {
            touch();
            if (index == 2)
                over.pass();
            locks_unlock();
        }
        if (index == 1) {
            reason($) = 1;
            locks_cancel();
        }
    }
};
MODEL(mutex_cancelled, 40000);

// Whoever is last to hold it frees it, while one that let others wait may not be through with its
// unlock: the second may have served the third.
struct mutex_freed : locking<mutex_freed, 3> {
    void call(unsigned)
    {
        RL_ASSERT(locks_lock(NEVER, false));
        touch();
        const bool last = guarded($) == 3;
        locks_unlock();
        if (last)
            RL_ASSERT(locks_end());
    }
    void finish()
    {
    }
};
MODEL(mutex_freed, 40000);

// One that knows that the mutex has been locked ends its use, and has what it guarded to itself.
struct mutex_ended : locking<mutex_ended, 2> {
    sign locked;
    void call(unsigned index)
    {
        if (index == 0) {
            RL_ASSERT(locks_lock(NEVER, false));
            locked.raise();
            touch();
            locks_unlock();
        } else {
            locked.await();
            while (!locks_end()) {
            }
            touch();
        }
    }
    void finish()
    {
    }
};
MODEL(mutex_ended, 10000);

// One unit is as good as a lock.
template <unsigned threads, bool spins, bool fair>
struct semaphore : locking<semaphore<threads, spins, fair>, threads> {
    void prepare()
    {
        semaphore::locking::prepare(spins, 1, 1, fair);
    }
    void call(unsigned)
    {
        for (unsigned round = 0; round < 2; round++) {
            RL_ASSERT(locks_acquire(1, NEVER, false));
            this->touch();
            RL_ASSERT(locks_release(1));
        }
    }
    void finish()
    {
        RL_ASSERT(this->guarded($) == 2 * threads);
        semaphore::locking::finish();
    }
};
using semaphore_of_two = semaphore<2, false, false>;
using semaphore_of_three = semaphore<3, false, false>;
using semaphore_fair = semaphore<3, true, true>;
MODEL(semaphore_of_two, 20000);
MODEL(semaphore_of_three, 20000);
MODEL(semaphore_fair, 10000);

// Some want all units, some one.
struct semaphore_many : locking<semaphore_many, 3> {
    datum own[2];
    void prepare()
    {
        locking::prepare(false, 2, 2, false);
        own[0]($) = own[1]($) = 0;
    }
    void call(unsigned index)
    {
        for (unsigned round = 0; round < 2; round++) {
            const unsigned count = index == 2 ? 2 : 1;
            RL_ASSERT(locks_acquire(count, NEVER, false));
            for (unsigned i = 0; i < 2; i++)
                if (index == i || index == 2)
                    own[i]($) += 1;
            RL_ASSERT(locks_release(count));
        }
    }
};
MODEL(semaphore_many, 20000);

// Units that several threads release, one each, with what they did; an overflow changes nothing.
struct semaphore_gathers : locking<semaphore_gathers, 3> {
    datum done[2];
    void prepare()
    {
        locking::prepare(false, 0, 2, false);
    }
    void call(unsigned index)
    {
        if (index < 2) {
            done[index]($) = 1;
            RL_ASSERT(locks_release(1));
            RL_ASSERT(!locks_release(3));
        } else {
            RL_ASSERT(locks_acquire(2, NEVER, false));
            RL_ASSERT(done[0]($) == 1 && done[1]($) == 1);
            RL_ASSERT(locks_wakes() <= 1);
        }
    }
};
MODEL(semaphore_gathers, 10000);

// A release wakes no more than can proceed.
struct semaphore_exact : locking<semaphore_exact, 3> {
    void prepare()
    {
        locking::prepare(false, 0, 2, false);
    }
    void call(unsigned index)
    {
        if (index < 2) {
            RL_ASSERT(locks_acquire(1, NEVER, false));
            over.open();
        } else {
            RL_ASSERT(locks_release(1));
            over.pass();
            RL_ASSERT(locks_wakes() <= 1);
            RL_ASSERT(locks_release(1));
        }
    }
};
MODEL(semaphore_exact, 10000);

// Deadlines race releases.
struct semaphore_timed : locking<semaphore_timed, 4> {
    void call(unsigned index)
    {
        if (locks_acquire(1, index == 1 || index == 2 ? 1 : NEVER, false)) {
            touch();
            RL_ASSERT(locks_release(1));
        }
        if (index == 0 && locks_try_acquire()) {
            touch();
            RL_ASSERT(locks_release(1));
        }
    }
};
MODEL(semaphore_timed, 20000);

// As mutex_cancelled.
struct semaphore_cancelled : locking<semaphore_cancelled, 3> {
    void call(unsigned index)
    {
        if (index == 1 ? locks_try_acquire() : locks_acquire(1, NEVER, index == 0)) {
            touch();
            if (index == 2)
                over.pass();
            RL_ASSERT(locks_release(1));
        }
        if (index == 0)
            over.open();
        if (index == 1)
            locks_cancel();
    }
};
MODEL(semaphore_cancelled, 40000);

// Who sees a request sees what was done before it.
struct cancelling : locking<cancelling, 2> {
    void call(unsigned index)
    {
        if (index == 0) {
            touch();
            locks_cancel();
        } else if (locks_cancelled()) {
            touch();
        }
    }
};
MODEL(cancelling, 1000);

} // namespace
