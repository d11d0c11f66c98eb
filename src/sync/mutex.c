/* The mutex. Its word has four bits and a number, and zero means free:
 *
 *   LOCKED    Set by the thread that takes the lock [E9], and cleared by it [E9]. Any thread may
 *             take the lock while LOCKED and RESERVED are clear, also past those that wait.
 *   WAITING   The queue is not empty. Set as the first waiter queues, cleared as the last one
 *             leaves, both under the latch.
 *   WAKING    The first in line has been woken, so that others need not wake it. It may nap. Set by
 *             the unlocker that wakes it; cleared by itself as it takes the lock, or, if it finds
 *             the lock held again, as it goes back to sleep until the next unlock or leaves; all
 *             under the latch.
 *   RESERVED  The first in line has waited long enough: newcomers keep off. Set by itself while it
 *             is in the queue, cleared under the latch as it takes the lock or leaves.
 *   CPU       The last holder's, plus one, if others waited as it took the lock; else 0. A hint: a
 *             thread that runs there keeps the holder off its CPU. Cleared as WAITING is.
 *
 *     0 --lock [E9]--> LOCKED --unlock [E9]--> 0         nobody waits: one operation each
 *
 *   A waiter: queued, asleep <---------------------------------+
 *                |  unlocker: -LOCKED [E9]; +WAKING, calls     |  LOCKED: -WAKING
 *                v                                             |
 *             woken, spins and naps; +RESERVED if starved -----+
 *                |  not LOCKED: +LOCKED -WAKING -RESERVED [E9]
 *                v
 *             holder
 *
 * WAITING, WAKING and RESERVED are cleared under the latch; so if a thread has the latch and the
 * queue is empty, all three are clear. (A child of fork() is the exception, since its queues begin
 * empty. A newcomer that finds the queue empty, also one that only tries, takes those bits for the
 * parent's. Until a thread has had to queue, each unlock looks at the queue in vain.)
 *
 * No wake-up is lost. The word changes by read-modify-writes only, so each change of LOCKED and
 * WAITING sees all before it. If the lock is free and somebody is in line, then the first in line
 * has been woken, or an unlocker that saw WAITING without WAKING is on its way to the latch. The
 * reason: the first in line goes to sleep, or comes to be first, while WAKING is clear, and LOCKED
 * is set or such an unlocker is on its way. Once woken, it either takes the lock, and its own
 * unlock wakes the next; or it finds LOCKED set in the step that clears WAKING. A woken waiter
 * whose time is over does one or the other first, so that it never takes a wake-up with it.
 *
 * Nobody waits without bound. The first in line is woken by the next unlock. From then on newcomers
 * may overtake it for PARA__OVERTAKE_NS; then it sets RESERVED, and the lock goes from its holder
 * to it. The line is in the order of arrival. For each waiter before it, and for itself, a waiter
 * waits for at most that time, a nap, which may be as long again, and three critical sections: the
 * one that it finds, one that begins just before it takes a lock that it saw free, and the last one
 * that begins before it has set RESERVED.
 *
 * An unlock is one subtraction, which is faster than a compare-and-swap. The lock is free before
 * the unlocker looks for a thread to wake. From then on it knows the mutex by address only, because
 * the next holder may have freed it. It touches the word again only if it has the latch and has
 * found a waiter, whose mutex exists. That may be another mutex than the one that was unlocked, and
 * then somebody is woken in vain; it is certainly a mutex, since nothing else has such keys. An
 * unlock of a free mutex leaves LOCKED set and notices that; nobody can take the lock until it has
 * put the word right. (Two such unlocks at the same time may pass for a proper one, and take
 * another thread's lock away; they lock nobody out.)
 *
 * Rejected:
 * - To count that time from a waiter's arrival. With more threads than CPUs all have starved when
 *   they come to be first, and every unlock hands the lock to a thread that the system has to
 *   switch to.
 * - To hand the lock over at every unlock: for the same reason.
 * - To go back to sleep after a wake-up in vain, until the next unlock. Each unlock then pays for a
 *   system call, some 5 us in 60; a nap costs only the thread that takes it.
 * - To nap and spin on any CPU. The system often wakes the first in line on the holder's CPU though
 *   another is idle, and each nap there took 10 us from the middle of a section (16 threads,
 *   sections of 5 us: 1.04 of pthread's time, now 0.99).
 * - To yield there instead: CPU hogs get the time then. */
#include <para/mutex.h>

#include "base/assert.h"
#include "base/bounds.h"
#include "base/clock.h"
#include "base/status.h"
#include "base/tuning_locks.h"
#include "sync/check.h"
#include "sync/line.h"
#include "sync/spin.h"

enum { LOCKED = 1, WAITING = 2, WAKING = 4, RESERVED = 8, CPU_SHIFT = 16 };
static const uint32_t CPU = UINT32_MAX << CPU_SHIFT;

_Static_assert(sizeof(para_mutex) == 4, "a mutex has four bytes");

static para__atomic_u32 *word_of(para_mutex *mutex)
{
    return (para__atomic_u32 *)&mutex->word;
}

/* This thread's CPU, in the form of the word; 0 if it is not known. A wrong hint from CPU 65 535
 * on. */
static uint32_t here(void)
{
    return (uint32_t)(para__current_cpu() + 1) << CPU_SHIFT;
}

/* The word of a free lock after a thread on that CPU has taken it. */
static uint32_t taken_from(uint32_t known, uint32_t cpu)
{
    return (known & ~CPU) | LOCKED | (known & WAITING ? cpu : 0);
}

/* Whether a holder waits for the CPU on which this thread runs: a guess, either may have moved. */
static bool is_in_holders_way(para__atomic_u32 *word)
{
    const uint32_t known = para__load_relaxed(word);
    return known & LOCKED && known & CPU && (known & CPU) == here();
}

/* As a newcomer. */
static bool take(void *mutex, uint32_t cpu)
{
    para__atomic_u32 *const word = word_of(mutex);
    uint32_t known = para__load_relaxed(word); /* the swap orders */
    while (!(known & (LOCKED | RESERVED)))
        if (para__cas_acquire(E9, word, &known, taken_from(known, cpu)))
            return true;
    return false;
}

static bool take_or_announce(void *mutex, para__waiter *self, bool others, bool queues)
{
    para__atomic_u32 *const word = word_of(mutex);
    (void)self;
    uint32_t known = para__load_relaxed(word); /* the swap orders */
    uint32_t next;
    bool taken;
    do {
        const uint32_t valid = others ? known : known & LOCKED; /* see above on fork() */
        taken = !(valid & (LOCKED | RESERVED));
        next = taken ? taken_from(valid, here()) : valid | (queues ? WAITING : 0);
    } while (!para__cas_acquire(E9, word, &known, next));
    return taken;
}

/* Called under the latch by the first in line, which was woken. It takes the lock; or it makes sure
 * that the next unlock wakes it again and, if it has starved, that newcomers keep off. others: more
 * threads wait. */
static bool take_or_rest(para__atomic_u32 *word, bool others, bool starved)
{
    uint32_t known = para__load_relaxed(word); /* the swap orders */
    uint32_t next;
    do
        next = known & LOCKED ? (known & ~(uint32_t)WAKING) | (starved ? RESERVED : 0)
                              : taken_from(others ? WAITING : 0, here());
    while (!para__cas_acquire(E9, word, &known, next));
    return !(known & LOCKED);
}

/* For the first in line, woken, without the latch: spins until the lock seems free, as long as that
 * pays; in the holder's way it does not pay. Keeps newcomers off if it has starved: then it is
 * certain to come next, and its luck in spinning does not count. */
static void spin_as_first(para__atomic_u32 *word, bool starved, uint64_t deadline_ns)
{
    if (!(para__load_relaxed(word) & LOCKED)) /* all of this is a guess */
        return;
    if (starved)
        para__or_relaxed(word, RESERVED); /* guards nothing: it keeps others off */
    para__spin spin;
    if (is_in_holders_way(word) || !para__spin_begin(&spin, deadline_ns, starved))
        return;
    bool held;
    while ((held = (para__load_relaxed(word) & LOCKED) != 0) && para__spin_pause(&spin)) {
    }
    para__spin_end(!held);
}

/* For the first in line, woken: spins, with naps between, until the lock seems free or it has
 * starved. In the holder's way a nap is PARA__NAP_NS longer than the time since the wake-up. It is
 * no longer than that, because nobody wakes it if the lock becomes free meanwhile. So it may nap
 * until twice PARA__OVERTAKE_NS and PARA__NAP_NS after its wake-up: with 16 threads and sections of
 * 5 us this is half a percent faster than naps that end in time. WAKING stays set, so that no
 * unlock pays for another wake-up: a running thread takes the lock again and again, and each
 * wake-up would be in vain. */
static para_status stay_awake(void *mutex, para__waiter *self, uint64_t deadline_ns,
                              para_cancel *cancel)
{
    para__atomic_u32 *const word = word_of(mutex);
    self->since_ns = self->since_ns ? self->since_ns : para__now_ns();
    for (;;) {
        self->starved = para__now_ns() - self->since_ns >= PARA__OVERTAKE_NS;
        spin_as_first(word, self->starved, deadline_ns);
        if (self->starved || !(para__load_relaxed(word) & LOCKED)) /* a guess */
            return PARA_OK;
        para__event_arm(self->event);
        const uint64_t now_ns = para__now_ns();
        const uint64_t more_ns = is_in_holders_way(word) ? now_ns - self->since_ns : 0;
        const uint64_t up_ns = now_ns + PARA__NAP_NS + more_ns;
        const para_status over = para__wait(self->event, para__min(up_ns, deadline_ns), cancel);
        if (over && (over != PARA_ERR_TIMEOUT || up_ns >= deadline_ns))
            return over;
    }
}

/* Under the latch: asserts that a line that is not empty is announced, and that WAKING is set if
 * the first in line has been woken. This does not hold while an unlock of a free mutex is put
 * right. */
static void check_word(para__atomic_u32 *word, const para__bucket *bucket, const void *key)
{
    if (!PARA__ASSERTS)
        return;
    const para__waiter *const first = para__queue_next(bucket, key, NULL);
    const uint32_t known = para__load_relaxed(word); /* these bits change under the latch alone */
    PARA__ASSERT(!first || known & WAITING);
    PARA__ASSERT(!first || !para__load_relaxed(&first->woken) || known & WAKING);
}

static bool take_or_leave(void *mutex, para__bucket *bucket, para__waiter *self, bool is_over,
                          para__calls *calls)
{
    para__atomic_u32 *const word = word_of(mutex);
    check_word(word, bucket, self->key);
    const bool first = para__queue_next(bucket, self->key, NULL) == self;
    const bool others = !first || para__queue_next(bucket, self->key, self);
    const bool taken = para__load_relaxed(&self->woken) && /* under the latch */
                       take_or_rest(word, others, self->starved);
    (void)calls;
    if (taken || is_over)
        para__queue_remove(bucket, self);
    if (!taken && is_over && !others)
        para__and_relaxed(word, LOCKED); /* nobody waits: these bits guard nothing */
    else if (!taken && is_over && first)
        para__and_relaxed(word, ~(uint32_t)RESERVED); /* likewise */
    return taken;
}

static const para__lock_type mutex_type = {take, stay_awake, take_or_announce, take_or_leave};

/* In parentheses since with PARA_CHECK_LOCKS it is also a macro. */
para_status(para_mutex_lock_with)(para_mutex *mutex, uint64_t deadline_ns, para_cancel *cancel)
{
    const uint32_t cpu = here();
    if (take(mutex, cpu))
        return PARA_OK;
    para__waiter self = {.key = para__mutex_key(mutex), .need = cpu};
    /* A newcomer that is kept off does not spin: it would be in the way of the thread that comes
     * next. */
    const bool spins = !(para__load_relaxed(word_of(mutex)) & RESERVED); /* a guess */
    return para__line_wait(&mutex_type, mutex, &self, spins, deadline_ns, cancel);
}

bool para_mutex_try_lock_slow(para_mutex *mutex)
{
    if (take(mutex, here()))
        return true;
    if ((para__load_relaxed(word_of(mutex)) & (LOCKED | RESERVED)) != RESERVED) /* a guess */
        return false;
    /* For the first in line, or, in a child of fork(), for nobody. */
    para__waiter self = {.key = para__mutex_key(mutex)};
    return para__line_try(&mutex_type, mutex, &self, false);
}

para_status para_mutex_unlock_slow(para_mutex *mutex, uint32_t rest)
{
    const bool was_free = (rest & LOCKED) != 0;
    if (!was_free && (rest & (WAITING | WAKING)) != WAITING)
        return PARA_OK;
    para__atomic_u32 *const word = word_of(mutex); /* may be gone: see above */
    const void *const key = para__mutex_key(mutex);
    para__calls calls = {.count = 0};
    para__bucket *const bucket = para__bucket_lock(key);
    para__waiter *const first = para__queue_next(bucket, key, NULL);
    const bool wakes = first && !para__load_relaxed(&first->woken); /* under the latch */
    /* Neither publishes anything; a holder that acquires after them still sees the last release. */
    if (was_free)
        para__swap_relaxed(word, first ? WAITING | WAKING : 0);
    else if (wakes)
        para__or_relaxed(word, WAKING);
    if (wakes)
        para__calls_add(&calls, first);
    if (first) /* else the mutex may be gone */
        check_word(word, bucket, key);
    para__bucket_unlock(bucket);
    para__calls_make(&calls);
    return was_free ? para__fail(PARA_ERR_NOT_OWNER, "nobody holds the mutex") : PARA_OK;
}

para_status para_mutex_fini(para_mutex *mutex)
{
    if (!mutex)
        return PARA_OK;
    const void *const key = para__mutex_key(mutex);
    para__bucket *const bucket = para__bucket_lock(key);
    const bool waited = para__queue_next(bucket, key, NULL) != NULL;
    /* What the last holder did comes before the memory's next use. */
    const bool held = (para__load_acquire(E9, word_of(mutex)) & LOCKED) != 0;
    para__bucket_unlock(bucket);
    if (held || waited)
        return para__fail(PARA_ERR_BUSY,
                          waited ? "threads wait for the mutex" : "the mutex is held");
    para__check_forget(mutex);
    return PARA_OK;
}
