/* The semaphore. Its word, from below: 24 bits of available units, 24 of the maximum, and
 *
 *   QUEUED  The queue is not empty. Set as a waiter queues, cleared as the last one leaves, both
 *           under the latch. Without it a release is one operation.
 *   CLOSED  Newcomers queue although there are units: somebody waits and the semaphore is FAIR, or
 *           units have come when the first in line had been first for PARA__OVERTAKE_NS. Set and
 *           cleared under the latch.
 *   FAIR    Set by init.
 *
 *     newcomer: enough, not CLOSED: -n [E11] -----------------------------------> has them
 *        | else +QUEUED, +CLOSED if FAIR                                           ^
 *        v                                                                         |
 *     queued, asleep <----------------------------------------------+              |
 *        |  a releaser's or a leaver's serve()                      |              |
 *        v                                                          |              |
 *     woken --not enough for it and for all before it in line ------+              |
 *        +----enough: -n, leaves, serve() -----------------------------------------+
 *
 * While somebody waits, every release goes through the latch: it adds units [E11], and serve()
 * wakes as many of the first in line as the units suffice for, less those that are awake already.
 * So exactly those waiters are awake that can proceed, unless a newcomer is quicker. Nobody in the
 * line overtakes, not even among those that are awake, because each leaves enough for all before
 * it.
 *
 * No wake-up is lost. The units and QUEUED are in one word, changed by read-modify-writes only: a
 * waiter sets QUEUED in the one that finds too few units, so a later release sees it, takes the
 * latch, and finds the waiter in the queue. A woken waiter that finds too few goes back to sleep
 * under the latch; the units that it was woken for have been taken by a newcomer, whose release
 * serves again. Whoever leaves the queue, served or not, serves those who remain.
 *
 * Nobody waits without bound, not even a waiter for many units where others take and return single
 * ones, so that there are never enough. The time since which the first in line has been first is
 * recorded: by itself as it queues, or by serve() as the one before it leaves. The first serve()
 * that runs PARA__OVERTAKE_NS later sets CLOSED, so that units only come in until that waiter is
 * served. While no units come nobody looks at the clock: newcomers may take those that were free
 * all the time.
 *
 * Every change of the word is a read-modify-write, so an acquire that reads one of them also comes
 * after all earlier releases (release sequences), however many releases its units came from. After
 * its compare-and-swap a releaser touches the semaphore only if somebody is queued, and a queued
 * thread cannot leave without the latch. */
#include <para/semaphore.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/status.h"
#include "base/tuning_locks.h"
#include "sync/line.h"

enum { MAXIMUM_SHIFT = 24 };
static const uint64_t QUEUED = PARA_SEMAPHORE_WAITING_;
static const uint64_t CLOSED = PARA_SEMAPHORE_CLOSED_;
static const uint64_t FAIR = PARA_SEMAPHORE_FAIR_;

_Static_assert(sizeof(para_semaphore) == 8, "a semaphore has eight bytes");

static para__atomic_u64 *units_of(para_semaphore *semaphore)
{
    return (para__atomic_u64 *)&semaphore->word;
}

static uint32_t available(uint64_t word)
{
    return para_semaphore_available_(word);
}

static uint32_t maximum(uint64_t word)
{
    return para_semaphore_available_(word >> MAXIMUM_SHIFT);
}

static para_status never_initialised(void)
{
    return para__fail(PARA_ERR_ARGUMENT, "the semaphore was never initialised");
}

para_status para_semaphore_init(para_semaphore *semaphore, uint32_t initial, uint32_t most,
                                uint32_t flags)
{
    if (!semaphore)
        return para__fail(PARA_ERR_ARGUMENT, "no semaphore");
    if (most == 0 || most > PARA_SEMAPHORE_MOST || initial > most)
        return para__fail(PARA_ERR_ARGUMENT, "a semaphore with %u of at most %u units", initial,
                          most);
    if (flags & ~PARA_SEMAPHORE_FAIR)
        return para__fail(PARA_ERR_ARGUMENT, "unknown flags %#x", flags);
    *semaphore = (para_semaphore){initial | (uint64_t)most << MAXIMUM_SHIFT |
                                  (flags & PARA_SEMAPHORE_FAIR ? FAIR : 0)};
    return PARA_OK;
}

/* As a newcomer. */
static bool take_units(void *semaphore, uint32_t count)
{
    para__atomic_u64 *const word = units_of(semaphore);
    uint64_t known = para__load_relaxed(word); /* the swap orders */
    while (available(known) >= count && !(known & CLOSED))
        if (para__cas_acquire(E11, word, &known, known - count))
            return true;
    return false;
}

/* What follows is called under the latch. */

/* If the queue is empty, bits that say otherwise are left from a parent, before fork(). */
static bool take_units_or_announce(void *semaphore, para__waiter *self, bool others, bool queues)
{
    para__atomic_u64 *const word = units_of(semaphore);
    const uint32_t count = self->need;
    uint64_t known = para__load_relaxed(word); /* the swap orders */
    uint64_t next;
    bool taken;
    do {
        const uint64_t valid = others ? known : known & ~(QUEUED | CLOSED);
        taken = available(valid) >= count && !(valid & CLOSED);
        next = taken    ? valid - count
               : queues ? valid | QUEUED | (valid & FAIR ? CLOSED : 0)
                        : valid;
    } while (!para__cas_acquire(E11, word, &known, next));
    self->since_ns = taken || others ? 0 : para__now_ns();
    return taken;
}

/* Takes units for a waiter, if enough remain for all before it. No order is needed: the units have
 * come from releases under the latch, or from releases that were over when it announced itself
 * [E11]. */
static bool take_in_turn(para__atomic_u64 *word, const para__bucket *bucket,
                         const para__waiter *self)
{
    uint64_t needed = self->need;
    for (const para__waiter *waiter = NULL;
         (waiter = para__queue_next(bucket, self->key, waiter)) != self;)
        needed += waiter->need;
    uint64_t known = para__load_relaxed(word);
    while (available(known) >= needed)
        if (para__cas_relaxed(word, &known, known - self->need))
            return true;
    return false;
}

/* Wakes the first in line, as many as the units suffice for. If more are due than can be woken at a
 * time, those that are woken serve the rest. */
static void serve(para__atomic_u64 *word, const para__bucket *bucket, const void *key,
                  para__calls *calls)
{
    para__waiter *const first = para__queue_next(bucket, key, NULL);
    if (!first)
        return;
    uint64_t units = available(para__load_relaxed(word)); /* a newcomer may be quicker */
    for (para__waiter *waiter = first;
         waiter && waiter->need <= units && calls->count < PARA__CALLS;
         waiter = para__queue_next(bucket, key, waiter)) {
        units -= waiter->need;
        if (!para__load_relaxed(&waiter->woken)) /* under the latch */
            para__calls_add(calls, waiter);
    }
    const uint64_t now_ns = para__now_ns();
    if (first->since_ns == 0) /* it has just come to be first */
        first->since_ns = now_ns;
    else if (now_ns - first->since_ns >= PARA__OVERTAKE_NS)
        para__or_relaxed(word, CLOSED); /* guards nothing: it keeps others off */
}

static void check_units(para__atomic_u64 *word, const para__bucket *bucket, const void *key)
{
    if (!PARA__ASSERTS)
        return;
    const uint64_t known = para__load_relaxed(word); /* QUEUED changes under the latch alone */
    PARA__ASSERT(known & QUEUED || !para__queue_next(bucket, key, NULL));
    PARA__ASSERT(available(known) <= maximum(known));
}

static bool take_in_turn_or_leave(void *semaphore, para__bucket *bucket, para__waiter *self,
                                  bool is_over, para__calls *calls)
{
    para__atomic_u64 *const word = units_of(semaphore);
    check_units(word, bucket, self->key);
    const bool first = para__queue_next(bucket, self->key, NULL) == self;
    const bool taken = take_in_turn(word, bucket, self);
    if (!taken && !is_over)
        return false;
    para__queue_remove(bucket, self);
    if (!para__queue_next(bucket, self->key, NULL))
        para__and_relaxed(word, ~(QUEUED | CLOSED));      /* guard nothing */
    else if (first && !(para__load_relaxed(word) & FAIR)) /* never changes */
        para__and_relaxed(word, ~CLOSED);                 /* it was for the first; guards nothing */
    serve(word, bucket, self->key, calls);
    return taken;
}

static const para__lock_type semaphore_type = {take_units, NULL, take_units_or_announce,
                                               take_in_turn_or_leave};

para_status para_semaphore_acquire_with(para_semaphore *semaphore, uint32_t count,
                                        uint64_t deadline_ns, para_cancel *cancel)
{
    const uint32_t most = maximum(para__load_relaxed(units_of(semaphore))); /* never changes */
    if (most == 0)
        return never_initialised();
    if (count == 0 || count > most)
        return para__fail(PARA_ERR_ARGUMENT, "%u units of a semaphore with at most %u", count,
                          most);
    if (take_units(semaphore, count))
        return PARA_OK;
    para__waiter self = {.key = semaphore, .need = count};
    return para__line_wait(&semaphore_type, semaphore, &self, true, deadline_ns, cancel);
}

bool para_semaphore_try_acquire_slow(para_semaphore *semaphore)
{
    if (take_units(semaphore, 1))
        return true;
    if (available(para__load_relaxed(units_of(semaphore))) == 0) /* a guess */
        return false;
    /* Closed for a waiter's sake or, in a child of fork(), for nobody's. */
    para__waiter self = {.key = semaphore, .need = 1};
    return para__line_try(&semaphore_type, semaphore, &self, false);
}

para_status para_semaphore_release_slow(para_semaphore *semaphore, uint32_t count)
{
    para__atomic_u64 *const word = units_of(semaphore);
    para__calls calls = {.count = 0};
    para__bucket *const bucket = para__bucket_lock(semaphore);
    const bool waited = para__queue_next(bucket, semaphore, NULL) != NULL;
    uint64_t known = para__load_relaxed(word); /* the swap orders */
    uint32_t room;
    bool fits;
    do {
        room = maximum(known) - available(known);
        fits = count > 0 && count <= room;
    } while (fits && !para__cas_release(E11, word, &known,
                                        (waited ? known : known & ~(QUEUED | CLOSED)) +
                                            count)); /* see fork() */
    if (fits && waited)
        serve(word, bucket, semaphore, &calls);
    check_units(word, bucket, semaphore);
    para__bucket_unlock(bucket);
    para__calls_make(&calls);
    if (fits)
        return PARA_OK;
    if (maximum(known) == 0)
        return never_initialised();
    return count == 0 ? para__fail(PARA_ERR_ARGUMENT, "no units to release")
                      : para__fail(PARA_ERR_MAXIMUM, "%u units where %u are out", count, room);
}

para_status para_semaphore_fini(para_semaphore *semaphore)
{
    if (!semaphore)
        return PARA_OK;
    para__bucket *const bucket = para__bucket_lock(semaphore);
    const bool waited = para__queue_next(bucket, semaphore, NULL) != NULL;
    para__bucket_unlock(bucket);
    return waited ? para__fail(PARA_ERR_BUSY, "threads wait for the semaphore") : PARA_OK;
}
