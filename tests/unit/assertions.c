/* Assertions of the library's own code: on in debug and sanitizer builds, not evaluated elsewhere. */
#include "../common/waiters.h"

#include "base/assert.h"

#include <signal.h>

/* Whether body is ended by an assertion in a child. */
static bool is_ended(void (*body)(void))
{
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        signal(SIGABRT, SIG_DFL); /* a sanitizer's handler reports */
        alarm(CHILD_SECONDS);
        body();
        _exit(0);
    }
    int status = 0;
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    assert_true(WIFSIGNALED(status) ? WTERMSIG(status) == SIGABRT : WEXITSTATUS(status) == 0);
    return WIFSIGNALED(status);
}

static int evaluated;

static void assert_false_condition(void)
{
    PARA__ASSERT(evaluated++ < 0);
}

TEST(conditions_are_evaluated_only_where_they_are_on)
{
    PARA__ASSERT(++evaluated > 0);
    assert_int_equal(evaluated, PARA__ASSERTS);
    assert_int_equal(is_ended(assert_false_condition), PARA__ASSERTS);
}

static int key;

static void break_a_line(void)
{
    para__event event = {PARA__ATOMIC(PARA__PARKED)};
    para__waiter waiter = {.key = &key, .event = &event};
    para__waiter stranger = {.key = &key, .event = &event};
    para__bucket *bucket = para__bucket_lock(&key);
    para__queue_append(bucket, &waiter);
    waiter.prev = &stranger;
    para__bucket_unlock(bucket);
}

TEST(a_broken_line_is_found)
{
    assert_int_equal(is_ended(break_a_line), PARA__ASSERTS);
}

static void lose_a_waiter(void)
{
    para_mutex mutex = {1};
    para__event event = {PARA__ATOMIC(PARA__PARKED)};
    para__waiter waiter = {.key = para__mutex_key(&mutex), .event = &event};
    para__bucket *bucket = para__bucket_lock(waiter.key);
    para__queue_append(bucket, &waiter);
    para__store_relaxed(&waiter.woken, true);
    para__bucket_unlock(bucket);
    para_mutex_unlock_slow(&mutex, 2); /* nobody has set that somebody waits */
}

TEST(a_mutex_whose_waiters_are_not_announced_is_found)
{
    assert_int_equal(is_ended(lose_a_waiter), PARA__ASSERTS);
}

static void lose_units(void)
{
    para_semaphore semaphore = PARA_SEMAPHORE_INIT(0, 1);
    para__event event = {PARA__ATOMIC(PARA__PARKED)};
    para__waiter waiter = {.key = &semaphore, .event = &event, .need = 1};
    para__bucket *bucket = para__bucket_lock(&semaphore);
    para__queue_append(bucket, &waiter);
    para__bucket_unlock(bucket);
    para_semaphore_release_slow(&semaphore, 1);
}

TEST(a_semaphore_whose_waiters_are_not_announced_is_found)
{
    assert_int_equal(is_ended(lose_units), PARA__ASSERTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_are_evaluated_only_where_they_are_on),
        cmocka_unit_test(a_broken_line_is_found),
        cmocka_unit_test(a_mutex_whose_waiters_are_not_announced_is_found),
        cmocka_unit_test(a_semaphore_whose_waiters_are_not_announced_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
