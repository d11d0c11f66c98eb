/* para_mutex: waits that a deadline or a cancel token ends, and what they leave behind. */
#include "mutex.h"

TEST(deadlines)
{
    para_mutex mutex = {0};
    OK(para_mutex_lock_until(&mutex, 0)); /* free: taken, although the deadline has passed */
    ask asks[] = {{.mutex = &mutex, .deadline_ns = 0},
                  {.mutex = &mutex, .deadline_ns = 1},
                  {.mutex = &mutex, .deadline_ns = from_now(0)},
                  {.mutex = &mutex, .deadline_ns = from_now(3000000)}};
    for (size_t i = 0; i < COUNT_OF(asks); i++) {
        join(start(lock_as_asked, &asks[i]));
        assert_int_equal(asks[i].status, PARA_ERR_TIMEOUT);
        assert_int_equal(asks[i].error_number, 77);
        assert_true(para__now_ns() >= asks[i].deadline_ns);
        assert_int_equal(mutex.word, LOCKED); /* nobody is said to wait */
    }
    const uint64_t far[] = {UINT64_MAX, UINT64_MAX - 1, INT64_MAX, (uint64_t)INT64_MAX + 1,
                            from_now(3600000000000)};
    for (size_t i = 0; i < COUNT_OF(far); i++) {
        ask a = {.mutex = &mutex, .deadline_ns = far[i], .status = 1};
        pthread_t thread = start(lock_as_asked, &a);
        await_waiters(&mutex, 1);
        assert_int_equal(a.status, 1);
        FAILS(PARA_ERR_BUSY, para_mutex_fini(&mutex));
        OK(para_mutex_unlock(&mutex));
        join(thread);
        assert_int_equal(a.status, PARA_OK);
        assert_int_equal(mutex.word, 0);
        OK(para_mutex_lock(&mutex));
    }
    OK(para_mutex_unlock(&mutex));
}

TEST(cancelling)
{
    para_mutex mutex = {0};
    para_cancel cancel = {0};
    OK(para_mutex_lock_cancellable(&mutex, &cancel));
    ask asks[20];
    pthread_t threads[COUNT_OF(asks)];
    for (size_t i = 0; i < COUNT_OF(asks); i++) { /* more than are woken at a time */
        asks[i] = (ask){&mutex, i % 5 ? &cancel : NULL, UINT64_MAX, 1, 0};
        threads[i] = start(lock_as_asked, &asks[i]);
    }
    await_waiters(&mutex, COUNT_OF(asks));
    para_cancel_request(&cancel);
    for (size_t i = 0; i < COUNT_OF(asks); i++)
        if (i % 5) {
            join(threads[i]);
            assert_int_equal(asks[i].status, PARA_ERR_CANCELLED);
        }
    assert_int_equal(waiters(&mutex), 4);
    join(start(lock_as_asked, &asks[1])); /* requested before it waits */
    assert_int_equal(asks[1].status, PARA_ERR_CANCELLED);
    OK(para_mutex_unlock(&mutex));
    for (size_t i = 0; i < COUNT_OF(asks); i += 5) {
        join(threads[i]);
        assert_int_equal(asks[i].status, PARA_OK);
    }
    OK(para_mutex_lock_cancellable(&mutex, &cancel)); /* free: taken, although requested */
    OK(para_mutex_unlock(&mutex));
    assert_int_equal(mutex.word, 0);
    assert_int_equal(waiters(&cancel), 0);
}

/* Whoever has been woken, and finds the lock held again, stays awake and in line: there too a
 * deadline or a token ends the wait, and leaves no bit behind. */
TEST(leaving_after_a_wake_up_in_vain)
{
    for (int by_token = 0; by_token < 2; by_token++) {
        unsigned in_vain = 0;
        for (int tries = 0; tries < 1000 && in_vain < 20; tries++) {
            para_mutex mutex = {0};
            para_cancel cancel = {0};
            ask a = {.mutex = &mutex,
                     .cancel = &cancel,
                     .deadline_ns = by_token ? UINT64_MAX : from_now(500000),
                     .status = 1};
            OK(para_mutex_lock(&mutex));
            pthread_t thread = start(lock_as_asked, &a);
            while (waiters(&mutex) == 0 && a.status == 1)
                sched_yield();
            OK(para_mutex_unlock(&mutex));
            OK(para_mutex_lock(&mutex)); /* most likely before the other is awake */
            if (by_token)
                para_cancel_request(&cancel);
            join(thread);
            assert_int_equal(mutex.word, LOCKED);
            OK(para_mutex_unlock(&mutex));
            assert_int_equal(mutex.word, 0);
            if (a.status != PARA_OK) {
                assert_int_equal(a.status, by_token ? PARA_ERR_CANCELLED : PARA_ERR_TIMEOUT);
                in_vain++;
            }
        }
        assert_true(in_vain > 0);
    }
}

/* Whoever leaves the line, from whatever place, leaves it whole. */
TEST(leaving_from_any_place)
{
    enum { WAITING = 5 };
    for (unsigned gone = 0; gone < 1u << WAITING; gone++) {
        para_mutex mutex = {0};
        OK(para_mutex_lock(&mutex));
        para_cancel cancel = {0};
        ask asks[WAITING];
        pthread_t threads[WAITING];
        for (unsigned i = 0; i < WAITING; i++) {
            asks[i] = (ask){&mutex, gone >> i & 1 ? &cancel : NULL, UINT64_MAX, 1, 0};
            threads[i] = start(lock_as_asked, &asks[i]);
            await_waiters(&mutex, i + 1);
        }
        if (gone % 3 == 0) { /* at the same time as the wake-up */
            OK(para_mutex_unlock(&mutex));
            para_cancel_request(&cancel);
        } else {
            para_cancel_request(&cancel);
            OK(para_mutex_unlock(&mutex));
        }
        for (unsigned i = 0; i < WAITING; i++) {
            join(threads[i]);
            if (!(gone >> i & 1))
                assert_int_equal(asks[i].status, PARA_OK);
        }
        assert_int_equal(mutex.word, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deadlines),
        cmocka_unit_test(cancelling),
        cmocka_unit_test(leaving_after_a_wake_up_in_vain),
        cmocka_unit_test(leaving_from_any_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
