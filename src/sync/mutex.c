/* The mutex. Its word has four bits and a number, and zero means free:
 *
 *   LOCKED    Set by who takes the lock [E9], cleared by its holder [E9]. Anyone may take it while
 *             LOCKED and RESERVED are clear, also past those who wait.
 *   WAITING   The queue is not empty. Set as the first waiter queues, cleared as the last one
 *             leaves, both under the latch.
 *   WAKING    The first in line has been woken, so that others need not wake it. It may nap. Set by
 *             the unlocker that wakes it; cleared by itself as it takes the lock, or, if it finds
 *             the lock held again, as it goes back to sleep until the next unlock or leaves; all
 *             under the latch.
 *   RESERVED  The first in line has waited long enough: newcomers keep off. Set by itself while it
 *             is in the queue, cleared under the latch as it takes the lock or leaves.
 *   CPU       The last holder's, plus one, if others waited as it took the lock; else 0. A hint:
 *             who runs there keeps the holder off its CPU. Cleared as WAITING is.
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
 * Who clears WAITING, WAKING and RESERVED holds the latch; so with the latch and an empty queue all
 * three are clear. (Not in a child of fork(), whose queues begin empty: a newcomer that finds the
 * queue empty, also one that only tries, takes those bits for what they are, a parent's. Until one
 * has had to queue each unlock looks there in vain.)
 *
 * No wake-up is lost. The word changes by read-modify-writes only, so of those that set and clear
 * LOCKED and WAITING each sees all before it. If the lock is free and somebody is in line, the
 * first of these has been woken, or an unlocker that saw WAITING without WAKING is on its way to
 * the latch. For the first in line goes to sleep, or comes to be first, while LOCKED is set or such
 * an unlocker on its way, and with WAKING clear. Once woken it either takes the lock, and its own
 * unlock wakes the next; or finds LOCKED set in the step that clears WAKING. One whose time is over
 * does one or the other first if it was woken, so that it never takes a wake-up with it.
 *
 * Nobody waits without bound. The first in line is woken by the next unlock. From then on newcomers
 * may overtake it for PARA__OVERTAKE_NS; then it sets RESERVED, and the lock goes from its holder
 * to it. So a waiter waits for at most that time, a nap, which may be as long again, and three
 * critical sections for each one before it in line, and those come in the order of arrival: the
 * section that it finds, one that begins just before the lock that it saw free is its own, and the
 * last one that begins before it has set RESERVED.
 *
 * An unlock is one subtraction, which is faster than a compare-and-swap. It leaves the lock free
 * before the unlocker looks for whom to wake, so from then on it knows the mutex by address only:
 * the next holder may have freed it. Only with the latch and a waiter before it does it touch the
 * word again, for that waiter's mutex exists. It may be another one than was unlocked, and then
 * somebody is woken in vain; what it is for sure is a mutex, since nothing else has such keys. An
 * unlock of what is free leaves LOCKED set, and so finds out; nobody can take the lock then until
 * it has put the word right. (Two of these at once may pass for an unlock, and take somebody's lock
 * away; they lock nobody out.)
 *
 * Rejected: to count that time from a waiter's arrival. With more threads than CPUs all have
 * starved when they come to be first, and every unlock is a hand-over to a thread that has to be
 * switched to. To hand the lock over at every unlock: likewise. To go back to sleep after a wake-up
 * that was in vain, until the next unlock: each of those then pays for a system call, some 5 us in
 * 60, where a nap costs only the one who takes it. To nap and spin wherever one is: the system
 * often wakes the first in line on the holder's CPU though another is idle, and each nap there took
 * 10 us from the middle of a section (16 threads, sections of 5 us: 1.04 of pthread's time, now
 * 0.99). To yield there instead: beside CPU hogs it is these that get the time. */
#include <para/mutex.h>

#include "base/assert.h"
#include "base/bounds.h"
#include "base/clock.h"
#include "base/status.h"
#include "base/tuning.h"
#include "sync/check.h"
#include "sync/line.h"
#include "sync/spin.h"

enum { LOCKED = 1, WAITING = 2, WAKING = 4, RESERVED = 8, CPU_SHIFT = 16 };
static const uint32_t CPU = UINT32_MAX << CPU_SHIFT;

_Static_assert(sizeof(para_mutex) == 4, "a mutex has four bytes");

static _Atomic uint32_t *word_of(para_mutex *mutex)
{
    return (_Atomic uint32_t *)&mutex->word;
}

/* This thread's CPU, as the word has it; 0 if that is not known. From 65 535 on a wrong hint. */
static uint32_t here(void)
{
    return (uint32_t)(para__current_cpu() + 1) << CPU_SHIFT;
}

/* What becomes of a free lock's word as a thread on that CPU takes the lock. */
static uint32_t taken_from(uint32_t known, uint32_t cpu)
{
    return (known & ~CPU) | LOCKED | (known & WAITING ? cpu : 0);
}

/* Whether a holder waits for the CPU on which this thread runs: a guess, either may have moved. */
static bool is_in_holders_way(_Atomic uint32_t *word)
{
    const uint32_t known = para__load_relaxed(word);
    return known & LOCKED && known & CPU && (known & CPU) == here();
}

/* As a newcomer. */
static bool take(void *mutex, uint32_t cpu)
{
    _Atomic uint32_t *const word = word_of(mutex);
    uint32_t known = para__load_relaxed(word); /* the swap orders */
    while (!(known & (LOCKED | RESERVED)))
        if (para__cas_acquire(E9, word, &known, taken_from(known, cpu)))
            return true;
    return false;
}

static bool take_or_announce(void *mutex, para__waiter *self, bool others, bool queues)
{
    _Atomic uint32_t *const word = word_of(mutex);
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

/* Under the latch, by the first in line, woken: takes the lock, or sees to it that the next unlock
 * wakes it again, and that newcomers keep off if it has starved. others: more wait. */
static bool take_or_rest(_Atomic uint32_t *word, bool others, bool starved)
{
    uint32_t known = para__load_relaxed(word); /* the swap orders */
    uint32_t next;
    do
        next = known & LOCKED ? (known & ~(uint32_t)WAKING) | (starved ? RESERVED : 0)
                              : taken_from(others ? WAITING : 0, here());
    while (!para__cas_acquire(E9, word, &known, next));
    return !(known & LOCKED);
}

/* First in line and woken, without the latch: until the lock seems free, for as long as it is worth
 * spinning, which it is not in the holder's way. Keeps newcomers off if it has starved; then it
 * comes next, and luck does not count. */
static void spin_as_first(_Atomic uint32_t *word, bool starved, uint64_t deadline_ns)
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

/* First in line and woken: spins, and naps between, until the lock seems free or it has starved. In
 * the holder's way it naps for PARA__NAP_NS more than has passed since it was woken; no longer, for
 * nobody calls it if the lock is left free meanwhile. So it may nap until twice PARA__OVERTAKE_NS
 * and PARA__NAP_NS after it was woken, with which 16 threads and sections of 5 us are half a
 * percent faster than with naps that end in time. WAKING stays set, so that no unlock pays for
 * another wake-up: a running thread takes the lock again and again, and each of them would be in
 * vain. */
static para_status stay_awake(void *mutex, para__waiter *self, uint64_t deadline_ns,
                              para_cancel *cancel)
{
    _Atomic uint32_t *const word = word_of(mutex);
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

/* Under the latch. Whoever stands in line is announced, and if the first in line has been woken,
 * others know. That does not hold while an unlock of what is free is put right. */
static void check_word(_Atomic uint32_t *word, const para__bucket *bucket, const void *key)
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
    _Atomic uint32_t *const word = word_of(mutex);
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
    /* Who is kept off does not spin: it is in the way of the one that comes next. */
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
    _Atomic uint32_t *const word = word_of(mutex); /* may be gone: see above */
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
