/* Lock checking: what it refuses, and that it names both places. */
#define PARA_CHECK_LOCKS
#include "../common/waiters.h"

#include <signal.h>
#include <string.h>

/* Whether the last failure's detail names these lines of this file. */
static bool names(int a, int b)
{
    char first[40], second[40];
    snprintf(first, sizeof first, "lock_check.c:%d", a);
    snprintf(second, sizeof second, "lock_check.c:%d", b);
    return strstr(para_status_detail(), first) && strstr(para_status_detail(), second);
}

TEST(relock)
{
    para_mutex mutex = {0};
    const int first = __LINE__ + 1;
    OK(para_mutex_lock(&mutex));
    const int second = __LINE__ + 1;
    FAILS(PARA_ERR_DEADLOCK, para_mutex_lock(&mutex));
    assert_true(names(first, second));
    FAILS(PARA_ERR_DEADLOCK, para_mutex_lock_until(&mutex, 0));
    assert_false(para_mutex_try_lock(&mutex)); /* which does not wait */
    FAILS(PARA_ERR_BUSY, para_mutex_fini(&mutex));
    OK(para_mutex_unlock(&mutex));
    OK(para_mutex_lock(&mutex)); /* and once more, after it was given back */
    OK(para_mutex_unlock(&mutex));
    assert_true(para_mutex_try_lock(&mutex));
    FAILS(PARA_ERR_DEADLOCK, para_mutex_lock(&mutex));
    OK(para_mutex_unlock(&mutex));
    OK(para_mutex_fini(&mutex));
}

TEST(the_general_form)
{
    para_mutex mutex = {0};
    para_cancel cancel = {0};
    const int first = __LINE__ + 1;
    OK(para_mutex_lock_with(&mutex, 0, &cancel));
    const int second = __LINE__ + 1;
    FAILS(PARA_ERR_DEADLOCK, para_mutex_lock_with(&mutex, 0, NULL));
    assert_true(names(first, second));
    OK(para_mutex_unlock(&mutex));
    assert_int_equal(mutex.word, 0);
    OK(para_mutex_fini(&mutex));
}

static void *unlock(void *arg)
{
    const para_status status = para_mutex_unlock((para_mutex *)arg);
    return status == PARA_ERR_NOT_OWNER && names(__LINE__ - 1, __LINE__ - 1) ? NULL : arg;
}

TEST(unlock_by_a_stranger)
{
    para_mutex mutex = {0};
    FAILS(PARA_ERR_NOT_OWNER, para_mutex_unlock(&mutex)); /* held by nobody */
    OK(para_mutex_lock(&mutex));
    pthread_t thread = start(unlock, &mutex);
    void *failed = &mutex;
    pthread_join(thread, &failed);
    assert_null(failed);
    assert_false(para_mutex_try_lock(&mutex)); /* still held */
    OK(para_mutex_unlock(&mutex));
    FAILS(PARA_ERR_NOT_OWNER, para_mutex_unlock(&mutex));
    OK(para_mutex_fini(&mutex));
}

TEST(inversion_of_two)
{
    para_mutex a = {0}, b = {0};
    OK(para_mutex_lock(&a));
    const int there = __LINE__ + 1;
    OK(para_mutex_lock(&b));
    OK(para_mutex_unlock(&a)); /* in any order */
    OK(para_mutex_unlock(&b));

    const int held = __LINE__ + 1;
    OK(para_mutex_lock(&b));
    const int here = __LINE__ + 1;
    FAILS(PARA_ERR_DEADLOCK, para_mutex_lock(&a));
    assert_true(names(here, there));
    assert_true(names(held, there - 2));
    assert_true(para_mutex_try_lock(&a)); /* cannot wait: allowed */
    OK(para_mutex_unlock(&a));
    OK(para_mutex_unlock(&b));
    OK(para_mutex_lock(&a)); /* alone it may be locked */
    OK(para_mutex_lock(&b)); /* and in the old order */
    OK(para_mutex_unlock(&b));
    OK(para_mutex_unlock(&a));

    OK(para_mutex_fini(&a)); /* another mutex at that address has no history */
    OK(para_mutex_lock(&b));
    OK(para_mutex_lock(&a));
    OK(para_mutex_unlock(&a));
    OK(para_mutex_unlock(&b));
    OK(para_mutex_fini(&a));
    OK(para_mutex_fini(&b));
}

/* A lock that is refused was never waited for, and makes no order with anything that is held. */
TEST(a_refused_lock_leaves_no_orders)
{
    para_mutex x = {0}, y = {0}, z = {0};
    OK(para_mutex_lock(&z)); /* z before x */
    OK(para_mutex_lock(&x));
    OK(para_mutex_unlock(&x));
    OK(para_mutex_unlock(&z));
    for (int round = 0; round < 2; round++) {
        para_mutex *const outer = round ? &y : &x; /* x is the earlier one, then the later */
        para_mutex *const inner = round ? &x : &y;
        OK(para_mutex_lock(outer));
        assert_true(para_mutex_try_lock(inner)); /* no order of these two */
        FAILS(PARA_ERR_DEADLOCK, para_mutex_lock(&z));
        OK(para_mutex_unlock(inner));
        OK(para_mutex_unlock(outer));
        OK(para_mutex_lock(&z));
        OK(para_mutex_lock(&y)); /* not y before z */
        OK(para_mutex_unlock(&y));
        OK(para_mutex_unlock(&z));
        OK(para_mutex_fini(&y)); /* to be locked the other way round */
    }
    OK(para_mutex_fini(&x));
    OK(para_mutex_fini(&z));
}

/* ---- Blocks --------------------------------------------------------------------------- */

static int said[2]; /* a pipe */

static void end_if_said(int signal)
{
    char text[200] = "";
    (void)signal;
    const bool ended = read(said[0], text, sizeof text - 1) > 0 && strstr(text, "lock_check.c:");
    _exit(ended ? SIGABRT : 0);
}

static void listen_to_stderr(void)
{
    if (pipe(said) || dup2(said[1], STDERR_FILENO) < 0)
        _exit(3);
    signal(SIGABRT, end_if_said);
}

static int block_that_may_not_begin(void)
{
    para_mutex mutex = {0};
    listen_to_stderr();
    PARA_WITH_MUTEX(&mutex)
    {
        PARA_WITH_MUTEX(&mutex)
        {
            return 1;
        }
    }
    return 2;
}

static int block_that_does_not_hold(void)
{
    para_mutex mutex = {0};
    listen_to_stderr();
    PARA_WITH_MUTEX(&mutex)
    {
        if (para_mutex_unlock(&mutex))
            return 1;
    }
    return 2;
}

TEST(blocks_that_are_refused_end_the_program)
{
    assert_int_equal(in_child(block_that_may_not_begin), SIGABRT);
    assert_int_equal(in_child(block_that_does_not_hold), SIGABRT);
}

/* ---- Many ----------------------------------------------------------------------------- */

static para_mutex three[3];

static void *lock_two(void *arg)
{
    const uintptr_t i = (uintptr_t)arg;
    if (para_mutex_lock(&three[i]) || para_mutex_lock(&three[i + 1]))
        return &three[i];
    return para_mutex_unlock(&three[i + 1]) || para_mutex_unlock(&three[i]) ? &three[i] : NULL;
}

TEST(inversion_of_three)
{
    for (uintptr_t i = 0; i < 2; i++) { /* 0 before 1, 1 before 2, on threads of their own */
        pthread_t thread = start(lock_two, (void *)i);
        void *failed = NULL;
        pthread_join(thread, &failed);
        assert_null(failed);
    }
    const int held = __LINE__ + 1;
    OK(para_mutex_lock(&three[2]));
    const int here = __LINE__ + 1;
    FAILS(PARA_ERR_DEADLOCK, para_mutex_lock(&three[0]));
    assert_true(names(held, here));
    const char *ways = strstr(para_status_detail(), "the other way round: ");
    assert_non_null(ways);
    assert_non_null(strchr(ways, ',')); /* two steps */
    OK(para_mutex_unlock(&three[2]));
    for (size_t i = 0; i < 3; i++)
        OK(para_mutex_fini(&three[i]));
}

typedef struct other {
    para_mutex mutex;
    para_semaphore locked, tried;
} other;

static void *hold_until_tried(void *arg)
{
    other *o = arg;
    const para_status status = para_mutex_lock(&o->mutex);
    para_semaphore_release(&o->locked, 1);
    const para_status tried = para_semaphore_acquire(&o->tried);
    return status || tried || para_mutex_unlock(&o->mutex) ? arg : NULL;
}

/* However many are held, and however many orders there are, all are known. */
TEST(many)
{
    enum { MANY = 200 };
    static para_mutex mutexes[MANY];
    other o = {.locked = PARA_SEMAPHORE_INIT(0, 1), .tried = PARA_SEMAPHORE_INIT(0, 1)};
    void *failed = &o;
    for (size_t i = 0; i < MANY; i++)
        OK(para_mutex_lock(&mutexes[i]));
    const pthread_t thread = start(hold_until_tried, &o);
    OK(para_semaphore_acquire(&o.locked));
    FAILS(PARA_ERR_NOT_OWNER, para_mutex_unlock(&o.mutex)); /* what another thread holds */
    OK(para_semaphore_release(&o.tried, 1));
    pthread_join(thread, &failed);
    assert_null(failed);
    for (size_t i = 0; i < MANY; i++)
        OK(para_mutex_unlock(&mutexes[i]));
    FAILS(PARA_ERR_NOT_OWNER, para_mutex_unlock(&mutexes[0]));
    for (size_t round = 0; round < 2; round++)
        for (size_t i = MANY; i-- > 0;) /* some ten thousand orders */
            for (size_t k = i + 1; k < MANY; k++) {
                OK(para_mutex_lock(&mutexes[i]));
                OK(para_mutex_lock(&mutexes[k]));
                OK(para_mutex_unlock(&mutexes[k]));
                OK(para_mutex_unlock(&mutexes[i]));
            }
    for (size_t i = 0; i < MANY; i++)
        for (size_t k = i + 1; k < MANY; k++) {
            OK(para_mutex_lock(&mutexes[k]));
            FAILS(PARA_ERR_DEADLOCK, para_mutex_lock(&mutexes[i]));
            OK(para_mutex_unlock(&mutexes[k]));
        }
    for (size_t i = 0; i < MANY; i++)
        OK(para_mutex_fini(&mutexes[i]));
}

/* Locks that come and go, in an order that changes as they do. */
TEST(orders_of_those_that_live_on)
{
    para_mutex a = {0}, b = {0};
    for (int round = 0; round < 100; round++) {
        para_mutex between = {0};
        para_mutex *const outer = round % 2 ? &a : &b;
        para_mutex *const inner = round % 2 ? &b : &a;
        OK(para_mutex_lock(outer));
        OK(para_mutex_lock(&between));
        OK(para_mutex_unlock(outer));
        OK(para_mutex_lock(inner));
        OK(para_mutex_unlock(&between));
        FAILS(PARA_ERR_DEADLOCK, para_mutex_lock(outer)); /* as long as between lives */
        OK(para_mutex_unlock(inner));
        OK(para_mutex_fini(&between));
    }
    OK(para_mutex_fini(&a));
    OK(para_mutex_fini(&b));
}

/* Random orders of few locks, against a search in a matrix. */
TEST(exactly_those_that_make_a_circle)
{
    enum { FEW = 12, ROUNDS = 20000 };
    static para_mutex few[FEW];
    static bool leads[FEW][FEW]; /* through any number of orders, or none */
    uint64_t seed = 1;
    for (size_t round = 0; round < ROUNDS; round++) {
        const size_t i = check_below(&seed, FEW), k = check_below(&seed, FEW);
        if (round % (ROUNDS / 200) == 0) { /* begins anew */
            memset(leads, 0, sizeof leads);
            for (size_t m = 0; m < FEW; m++) {
                leads[m][m] = true;
                OK(para_mutex_fini(&few[m]));
            }
        }
        if (i == k)
            continue;
        OK(para_mutex_lock(&few[i]));
        FAILS(leads[k][i] ? PARA_ERR_DEADLOCK : PARA_OK, para_mutex_lock(&few[k]));
        if (!leads[k][i]) {
            for (size_t m = 0; m < FEW; m++)
                for (size_t n = 0; n < FEW; n++)
                    leads[m][n] |= leads[m][i] && leads[k][n];
            OK(para_mutex_unlock(&few[k]));
        }
        OK(para_mutex_unlock(&few[i]));
    }
    for (size_t m = 0; m < FEW; m++)
        OK(para_mutex_fini(&few[m]));
}

static int in_a_child(void)
{
    if (para_mutex_lock(&three[0]) != PARA_ERR_DEADLOCK) /* held by the thread that forked */
        return 1;
    if (para_mutex_lock(&three[1]) || para_mutex_unlock(&three[1]))
        return 2;
    return para_mutex_unlock(&three[0]) ? 3 : 0;
}

TEST(forked)
{
    OK(para_mutex_lock(&three[0]));
    assert_int_equal(in_child(in_a_child), 0);
    OK(para_mutex_unlock(&three[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relock),
        cmocka_unit_test(the_general_form),
        cmocka_unit_test(unlock_by_a_stranger),
        cmocka_unit_test(inversion_of_two),
        cmocka_unit_test(a_refused_lock_leaves_no_orders),
        cmocka_unit_test(blocks_that_are_refused_end_the_program),
        cmocka_unit_test(inversion_of_three),
        cmocka_unit_test(many),
        cmocka_unit_test(orders_of_those_that_live_on),
        cmocka_unit_test(exactly_those_that_make_a_circle),
        cmocka_unit_test(forked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
