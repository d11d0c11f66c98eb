/* Two threads that each park and then look for the other: one of them sees it. This is all that
 * keeps wake-ups from being lost, and what an emulator's translation may get wrong. */
#include "../common/check.h"

#include "sync/event.h"

#include <pthread.h>
#include <sched.h>

enum { ROUNDS = 20000 };

static struct {
    _Alignas(64) para__event event;
    bool sees; /* the other parked, in this round */
} side[2];

static _Alignas(64) atomic_uint begun; /* the round */
static _Alignas(64) atomic_uint ended; /* by the other side */

static void await(atomic_uint *word, unsigned round)
{
    for (unsigned look = 1; atomic_load(word) != round; look++)
        if (look % 1000 == 0)
            sched_yield();
}

static void park_and_look(unsigned s)
{
    para__event_prepare(&side[s].event);
    side[s].sees = para__event_is_parked(&side[!s].event);
}

static void *other_side(void *unused)
{
    (void)unused;
    for (unsigned round = 1; round <= ROUNDS; round++) {
        await(&begun, round);
        park_and_look(1);
        atomic_store(&ended, round);
    }
    return NULL;
}

TEST(who_parks_and_looks_sees_or_is_seen)
{
    pthread_t other;
    assert_int_equal(pthread_create(&other, NULL, other_side, NULL), 0);
    unsigned missed = 0;
    for (unsigned round = 1; round <= ROUNDS; round++) {
        para__event_cancel(&side[0].event);
        para__event_cancel(&side[1].event);
        atomic_store(&begun, round);
        for (volatile unsigned i = 0; i < round % 23; i++) /* now one is first, now the other */
            continue;
        park_and_look(0);
        await(&ended, round);
        missed += !side[0].sees && !side[1].sees;
    }
    assert_int_equal(pthread_join(other, NULL), 0);
    assert_int_equal(missed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_parks_and_looks_sees_or_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
