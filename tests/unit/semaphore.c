/* para_semaphore: units counted exactly, limits, ways to give up, order of waiters, blocks,
 * fork. */
#include "../common/waiters.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static uint32_t available(const para_semaphore *s)
{
    return para_semaphore_available(s);
}

TEST(size_and_limits)
{
    assert_int_equal(sizeof(para_semaphore), 8);
    para_semaphore s = {1};
    FAILS(PARA_ERR_ARGUMENT, para_semaphore_init(&s, 0, 0, 0));
    FAILS(PARA_ERR_ARGUMENT, para_semaphore_init(&s, 3, 2, 0));
    FAILS(PARA_ERR_ARGUMENT, para_semaphore_init(&s, 0, PARA_SEMAPHORE_MOST + 1, 0));
    FAILS(PARA_ERR_ARGUMENT, para_semaphore_init(&s, 0, 1, 2));
    assert_int_equal(s.word, 1); /* untouched */
    static const uint32_t most[] = {1, 2, 1000, PARA_SEMAPHORE_MOST};
    for (size_t i = 0; i < COUNT_OF(most); i++) {
        const uint32_t m = most[i];
        para_semaphore constant = PARA_SEMAPHORE_INIT(m, m);
        OK(para_semaphore_init(&s, m, m, 0));
        assert_int_equal(s.word, constant.word);
        assert_int_equal(available(&s), m);
        FAILS(PARA_ERR_MAXIMUM, para_semaphore_release(&s, 1));
        FAILS(PARA_ERR_MAXIMUM, para_semaphore_release(&s, UINT32_MAX));
        FAILS(PARA_ERR_ARGUMENT, para_semaphore_release(&s, 0));
        FAILS(PARA_ERR_ARGUMENT, para_semaphore_acquire_many(&s, 0));
        FAILS(PARA_ERR_ARGUMENT, para_semaphore_acquire_many(&s, m + 1));
        assert_int_equal(available(&s), m);
        OK(para_semaphore_acquire_many(&s, m));
        assert_int_equal(available(&s), 0);
        assert_false(para_semaphore_try_acquire(&s));
        FAILS(PARA_ERR_MAXIMUM, para_semaphore_release(&s, m + 1));
        OK(para_semaphore_release(&s, m));
        OK(para_semaphore_acquire(&s));
        assert_int_equal(available(&s), m - 1);
        assert_int_equal(para_semaphore_try_acquire(&s), m > 1);
        OK(para_semaphore_release(&s, m > 1 ? 2 : 1));
        assert_int_equal(s.word, constant.word);
        OK(para_semaphore_fini(&s));
    }
}

TEST(initialisers)
{
    static const para_semaphore constant = PARA_SEMAPHORE_FAIR_INIT(2, 7);
    para_semaphore s;
    OK(para_semaphore_init(&s, 2, 7, PARA_SEMAPHORE_FAIR));
    assert_int_equal(s.word, constant.word);
}

TEST(deadlines_ahead)
{
    const uint64_t before_ns = para__now_ns();
    const uint64_t second_ns = para_deadline_after(1000000000);
    assert_in_range(second_ns, before_ns + 1000000000, para__now_ns() + 1000000000);
    assert_true(para_deadline_after(UINT64_MAX) == PARA_DEADLINE_NEVER);
    assert_true(para_deadline_after(UINT64_MAX - before_ns) == PARA_DEADLINE_NEVER);
    assert_true(para_deadline_after(UINT64_MAX / 2) > UINT64_MAX / 2);
}

/* ---- Waiters -------------------------------------------------------------------------- */

typedef struct ask {
    para_semaphore *semaphore;
    uint32_t count;
    para_cancel *cancel;
    uint64_t deadline_ns;
    _Atomic int status; /* 1: not yet */
    _Atomic unsigned *turn;
    unsigned came; /* in which order it was served */
} ask;

static void *acquire_as_asked(void *arg)
{
    ask *a = arg;
    const para_status status =
        para_semaphore_acquire_with(a->semaphore, a->count, a->deadline_ns, a->cancel);
    if (a->turn)
        a->came = (*a->turn)++;
    a->status = status;
    return NULL;
}

static void await_status(const ask *a, int status)
{
    while (a->status == 1)
        sched_yield();
    assert_int_equal(a->status, status);
}

TEST(deadlines_and_cancelling)
{
    para_semaphore s = PARA_SEMAPHORE_INIT(2, 5);
    para_cancel cancel = {0};
    OK(para_semaphore_acquire_until(&s, 0)); /* free: taken, although the deadline has passed */
    FAILS(PARA_ERR_TIMEOUT, para_semaphore_acquire_with(&s, 2, 0, NULL));
    FAILS(PARA_ERR_TIMEOUT, para_semaphore_acquire_with(&s, 2, from_now(3000000), &cancel));
    assert_int_equal(available(&s), 1);
    OK(para_semaphore_acquire_cancellable(&s, &cancel));
    FAILS(PARA_ERR_TIMEOUT, para_semaphore_acquire_until(&s, from_now(1000)));
    ask asks[20];
    pthread_t threads[COUNT_OF(asks)];
    for (size_t i = 0; i < COUNT_OF(asks); i++) {
        asks[i] = (ask){.semaphore = &s, .count = 1, .status = 1, .deadline_ns = UINT64_MAX - i};
        asks[i].cancel = i % 10 ? &cancel : NULL;
        threads[i] = start(acquire_as_asked, &asks[i]);
    }
    await_waiters(&s, COUNT_OF(asks));
    FAILS(PARA_ERR_BUSY, para_semaphore_fini(&s));
    para_cancel_request(&cancel);
    await_waiters(&s, 2);
    FAILS(PARA_ERR_CANCELLED, para_semaphore_acquire_cancellable(&s, &cancel));
    OK(para_semaphore_release(&s, 3));
    for (size_t i = 0; i < COUNT_OF(asks); i++) {
        join(threads[i]);
        assert_int_equal(asks[i].status, i % 10 ? PARA_ERR_CANCELLED : PARA_OK);
    }
    OK(para_semaphore_acquire_cancellable(&s, &cancel)); /* free: taken, although requested */
    assert_int_equal(available(&s), 0);
    assert_int_equal(s.word >> 48, 0); /* no flag is left behind */
    assert_int_equal(waiters(&cancel), 0);
}

/* Those are served whom the units suffice for, in the order in which they came, and no others. */
TEST(exactly_those_who_can_proceed)
{
    para_semaphore s = PARA_SEMAPHORE_INIT(0, 100);
    static const uint32_t needs[] = {2, 1, 3, 1, 1};
    ask asks[COUNT_OF(needs)];
    pthread_t threads[COUNT_OF(needs)];
    para_cancel cancel = {0};
    for (unsigned i = 0; i < COUNT_OF(needs); i++) {
        asks[i] = (ask){&s, needs[i], i == 2 ? &cancel : NULL, UINT64_MAX, 1, NULL, 0};
        threads[i] = start(acquire_as_asked, &asks[i]);
        await_waiters(&s, i + 1);
    }
    OK(para_semaphore_release(&s, 1)); /* the first needs two: nobody */
    assert_int_equal(waiters(&s), 5);
    OK(para_semaphore_release(&s, 4)); /* the first two; the third lacks one, and keeps its place */
    await_status(&asks[0], PARA_OK);
    await_status(&asks[1], PARA_OK);
    assert_int_equal(waiters(&s), 3);
    assert_int_equal(available(&s), 2);
    para_cancel_request(&cancel); /* it leaves: those behind it can proceed, without a release */
    await_status(&asks[2], PARA_ERR_CANCELLED);
    await_status(&asks[3], PARA_OK);
    await_status(&asks[4], PARA_OK);
    for (unsigned i = 0; i < COUNT_OF(needs); i++)
        join(threads[i]);
    assert_int_equal(available(&s), 0);
    assert_int_equal(s.word >> 48, 0);
}

TEST(more_than_are_woken_at_a_time)
{
    enum { MANY = 50 };
    para_semaphore s = PARA_SEMAPHORE_INIT(0, 100);
    static ask asks[MANY];
    pthread_t threads[MANY];
    for (unsigned i = 0; i < MANY; i++) {
        asks[i] = (ask){&s, 1, NULL, UINT64_MAX, 1, NULL, 0};
        threads[i] = start(acquire_as_asked, &asks[i]);
    }
    await_waiters(&s, MANY);
    OK(para_semaphore_release(&s, MANY - 1));
    await_waiters(&s, 1);
    assert_int_equal(available(&s), 0);
    OK(para_semaphore_release(&s, 2));
    for (unsigned i = 0; i < MANY; i++)
        join(threads[i]);
    assert_int_equal(available(&s), 1);
}

TEST(fair_in_order_of_arrival)
{
    enum { MANY = 10 };
    para_semaphore s;
    OK(para_semaphore_init(&s, 1, 3, PARA_SEMAPHORE_FAIR));
    OK(para_semaphore_acquire(&s)); /* nobody waits: as usual */
    _Atomic unsigned turn = 0;
    ask asks[MANY];
    pthread_t threads[MANY];
    for (unsigned i = 0; i < MANY; i++) {
        asks[i] = (ask){&s, 1 + i % 2, NULL, UINT64_MAX, 1, &turn, 0};
        threads[i] = start(acquire_as_asked, &asks[i]);
        await_waiters(&s, i + 1);
    }
    for (unsigned i = 0; i < MANY; i++) {
        if (1 + i % 2 == 2) { /* one of two units: not enough for the first, and for nobody else */
            OK(para_semaphore_release(&s, 1));
            assert_false(para_semaphore_try_acquire(&s));
            FAILS(PARA_ERR_TIMEOUT, para_semaphore_acquire_until(&s, 0));
        }
        assert_int_equal(turn, i);
        OK(para_semaphore_release(&s, 1));
        while (turn == i)
            sched_yield();
    }
    for (unsigned i = 0; i < MANY; i++) {
        join(threads[i]);
        assert_int_equal(asks[i].came, i);
    }
    assert_true(s.word >> 48 == 4); /* still fair, nothing else */
    assert_int_equal(available(&s), 0);
}

/* One that wants all units, while the others never give them back at the same time. */
TEST(who_wants_many_does_not_starve)
{
    para_semaphore s = PARA_SEMAPHORE_INIT(0, 2);
    ask all = {&s, 2, NULL, UINT64_MAX, 1, NULL, 0};
    pthread_t thread = start(acquire_as_asked, &all);
    await_waiters(&s, 1);
    unsigned held = 2; /* by this thread, which gives back one at a time, and never both */
    while (all.status == 1) {
        OK(para_semaphore_release(&s, 1));
        held--;
        if (para_semaphore_try_acquire(&s))
            held++;
        else
            break; /* newcomers are kept off */
    }
    assert_int_equal(held, 1);
    OK(para_semaphore_release(&s, 1));
    join(thread);
    assert_int_equal(all.status, PARA_OK);
    OK(para_semaphore_release(&s, 2));
    assert_true(para_semaphore_try_acquire(&s)); /* and no longer than that */
    assert_int_equal(s.word >> 48, 0);
}

/* The units that come when somebody has been first in line for long enough are not for
 * newcomers. */
TEST(overtaking_ends_a_while_after_one_queues)
{
    para_semaphore s = PARA_SEMAPHORE_INIT(1, 4);
    ask many = {&s, 3, NULL, UINT64_MAX, 1, NULL, 0};
    pthread_t thread = start(acquire_as_asked, &many);
    await_waiters(&s, 1);
    nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL); /* or more */
    assert_true(para_semaphore_try_acquire(&s));             /* it was free all the time */
    OK(para_semaphore_release(&s, 1));
    assert_false(para_semaphore_try_acquire(&s));
    FAILS(PARA_ERR_TIMEOUT, para_semaphore_acquire_until(&s, 0));
    OK(para_semaphore_release(&s, 2));
    join(thread);
    assert_int_equal(many.status, PARA_OK);
    assert_int_equal(available(&s), 0);
}

/* ---- Counts --------------------------------------------------------------------------- */

enum { THREADS = 8, ROUNDS = 5000, MOST = 5 };

typedef struct crowd {
    para_semaphore semaphore;
    _Atomic unsigned inside, violations, written;
    unsigned writes, twice; /* plain: who has all units writes, who has some may read */
} crowd;

/* Relaxed: what is ordered here is ordered by the semaphore alone, or a race detector sees it. */
static unsigned add(_Atomic unsigned *sum, unsigned change)
{
    return atomic_fetch_add_explicit(sum, change, memory_order_relaxed);
}

static void *come_and_go(void *arg)
{
    crowd *c = arg;
    uint64_t seed = check_mix((uint64_t)(uintptr_t)&seed);
    for (int i = 0; i < ROUNDS; i++) {
        const uint32_t count = 1 + (uint32_t)check_below(&seed, MOST);
        const uint64_t deadline_ns = check_below(&seed, 4) ? UINT64_MAX : from_now(5000);
        if (para_semaphore_acquire_with(&c->semaphore, count, deadline_ns, NULL) != PARA_OK)
            continue;
        add(&c->violations, add(&c->inside, count) + count > MOST);
        add(&c->violations, c->twice != 2 * c->writes);
        if (count == MOST) {
            c->writes++;
            add(&c->written, 1);
            c->twice += 2;
        }
        if (i % 50 == 0)
            sched_yield();
        add(&c->inside, 0 - count);
        for (uint32_t back = 0; back < count;) {
            const uint32_t part = 1 + (uint32_t)check_below(&seed, count - back);
            add(&c->violations, para_semaphore_release(&c->semaphore, part) != PARA_OK);
            back += part;
        }
    }
    return NULL;
}

TEST(counts_under_contention)
{
    for (uint32_t flags = 0; flags <= PARA_SEMAPHORE_FAIR; flags++) {
        crowd c = {.inside = 0};
        OK(para_semaphore_init(&c.semaphore, MOST, MOST, flags));
        pthread_t threads[THREADS];
        for (size_t i = 0; i < THREADS; i++)
            threads[i] = start(come_and_go, &c);
        for (size_t i = 0; i < THREADS; i++)
            join(threads[i]);
        assert_int_equal(c.violations, 0);
        assert_int_equal(c.writes, c.written);
        assert_int_equal(available(&c.semaphore), MOST);
        assert_int_equal(c.semaphore.word >> 48, flags ? 4 : 0);
        OK(para_semaphore_fini(&c.semaphore));
    }
}

/* ---- Blocks, fork --------------------------------------------------------------------- */

static uint32_t leave_by_return(para_semaphore *s)
{
    PARA_WITH_SEMAPHORE(s)
    {
        return available(s);
    }
    return 99;
}

TEST(blocks)
{
    para_semaphore s = PARA_SEMAPHORE_INIT(2, 2);
    int rounds = 0;
    PARA_WITH_SEMAPHORE(&s)
    {
        PARA_WITH_SEMAPHORE(&s)
        {
            rounds++;
            assert_int_equal(available(&s), 0);
            break;
        }
        assert_int_equal(available(&s), 1);
        continue;
    }
    assert_int_equal(rounds, 1);
    assert_int_equal(available(&s), 2);
    assert_int_equal(leave_by_return(&s), 1);
    assert_int_equal(available(&s), 2);
}

TEST(zeroed_is_not_initialised)
{
    para_semaphore none = {0};
    FAILS(PARA_ERR_ARGUMENT, para_semaphore_acquire(&none));
    assert_string_equal(para_status_detail(), "the semaphore was never initialised");
    FAILS(PARA_ERR_ARGUMENT, para_semaphore_acquire_many(&none, 0));
    FAILS(PARA_ERR_ARGUMENT, para_semaphore_acquire_until(&none, 0));
    FAILS(PARA_ERR_ARGUMENT, para_semaphore_release(&none, 0));
    FAILS(PARA_ERR_ARGUMENT, para_semaphore_release(&none, 1));
    assert_string_equal(para_status_detail(), "the semaphore was never initialised");
    assert_false(para_semaphore_try_acquire(&none));
}

enum { ABORTED = 77 };

static FILE *said;

static void end_aborted(int signal)
{
    (void)signal;
    _exit(ABORTED);
}

static int hold_uninitialised(void)
{
    para_semaphore none = {0};
    signal(SIGABRT, end_aborted);
    dup2(fileno(said), STDERR_FILENO);
    PARA_WITH_SEMAPHORE(&none)
    {
        return 1;
    }
    return 0;
}

TEST(blocks_need_an_initialised_one)
{
    char text[200] = "";
    said = tmpfile();
    assert_non_null(said);
    const int outcome = in_child(hold_uninitialised);
    rewind(said);
    const size_t length = fread(text, 1, sizeof text - 1, said);
    fclose(said);
#ifdef NDEBUG
    assert_int_equal(outcome, 0);
    assert_int_equal(length, 0);
#else
    assert_int_equal(outcome, ABORTED);
    assert_true(length > 0);
    assert_non_null(strstr(text, "semaphore.c:"));
    assert_non_null(strstr(text, "the semaphore was never initialised"));
#endif
}

static para_semaphore of_parent;

static int use_in_child(void)
{
    if (waiters(&of_parent) || available(&of_parent) != 1)
        return 1;
    if (para_semaphore_acquire_until(&of_parent, 0) != PARA_OK) /* nobody is before it here */
        return 2;
    if (para_semaphore_acquire_until(&of_parent, 0) != PARA_ERR_TIMEOUT)
        return 3;
    if (para_semaphore_release(&of_parent, 1) != PARA_OK ||
        para_semaphore_release(&of_parent, 10) != PARA_ERR_MAXIMUM)
        return 4;
    if (para_semaphore_acquire(&of_parent) != PARA_OK)
        return 5;
    return para_semaphore_fini(&of_parent) ? 6 : 0;
}

TEST(fork_while_waited_for)
{
    if (!FORKS_AMID_THREADS)
        skip();
    for (uint32_t flags = 0; flags <= PARA_SEMAPHORE_FAIR; flags++) {
        OK(para_semaphore_init(&of_parent, 1, 10, flags));
        ask asks[3];
        pthread_t threads[3];
        for (unsigned i = 0; i < 3; i++) {
            asks[i] = (ask){&of_parent, 2, NULL, UINT64_MAX, 1, NULL, 0};
            threads[i] = start(acquire_as_asked, &asks[i]);
        }
        await_waiters(&of_parent, 3);
        for (int i = 0; i < 5; i++)
            assert_int_equal(in_child(use_in_child), 0);
        OK(para_semaphore_release(&of_parent, 5));
        for (unsigned i = 0; i < 3; i++)
            join(threads[i]);
        OK(para_semaphore_fini(&of_parent));
    }
}

/* As a child finds it whose parent's waiters had newcomers kept off. */
static int try_in_child(void)
{
    for (uint64_t flags = 0; flags < 8; flags++) {
        para_semaphore s = PARA_SEMAPHORE_INIT(2, 2);
        s.word |= flags << 48;
        if (!para_semaphore_try_acquire(&s) || !para_semaphore_try_acquire(&s))
            return 1;
        if (para_semaphore_try_acquire(&s))
            return 2;
        s.word |= flags << 48;
        if (para_semaphore_try_acquire(&s) || available(&s) != 0)
            return 3;
        if (para_semaphore_release(&s, 1) || !para_semaphore_try_acquire(&s))
            return 4;
    }
    return 0;
}

TEST(fork_while_held_for_others)
{
    assert_int_equal(in_child(try_in_child), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(size_and_limits),
        cmocka_unit_test(initialisers),
        cmocka_unit_test(deadlines_ahead),
        cmocka_unit_test(deadlines_and_cancelling),
        cmocka_unit_test(exactly_those_who_can_proceed),
        cmocka_unit_test(more_than_are_woken_at_a_time),
        cmocka_unit_test(fair_in_order_of_arrival),
        cmocka_unit_test(who_wants_many_does_not_starve),
        cmocka_unit_test(overtaking_ends_a_while_after_one_queues),
        cmocka_unit_test(counts_under_contention),
        cmocka_unit_test(blocks),
        cmocka_unit_test(zeroed_is_not_initialised),
        cmocka_unit_test(blocks_need_an_initialised_one),
        cmocka_unit_test(fork_while_waited_for),
        cmocka_unit_test(fork_while_held_for_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
