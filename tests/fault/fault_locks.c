/* Lock checking without memory: it ends, says so once, and locks still work. */
#define PARA_CHECK_LOCKS
#include "faults.h"

#include "../common/waiters.h"

#include <errno.h>
#include <string.h>

enum { ENDED = 1, GOES_ON = 2 };

static para_mutex a, b;
static long nth; /* request for memory fails, and all after it */

/* What the child does, whose memory ends. Its process, since what has ended stays so. */
static int lock_both_ways(void)
{
    pthread_cancel(
        pthread_self()); /* no lock is a cancellation point, not even the one that says it */
    if (para_mutex_unlock(&a) != PARA_ERR_NOT_OWNER) /* memory for this thread's details */
        return 9;
    fault_arm(FAULT_MEMORY, nth, ENOMEM, true);
    if (para_mutex_lock(&a) || para_mutex_lock(&b) || para_mutex_unlock(&b) ||
        para_mutex_unlock(&a))
        return 10;
    if (para_mutex_lock(&b))
        return 11;
    const para_status status = para_mutex_lock(&a);
    if (status && status != PARA_ERR_DEADLOCK)
        return 12;
    if (!status && para_mutex_unlock(&a))
        return 13;
    if (para_mutex_unlock(&b) || a.word || b.word)
        return 14;
    const bool failed = fault_count() > 0;
    fault_arm(FAULT_ANY, 0, 0, false);
    if (failed == (status == PARA_ERR_DEADLOCK))
        return 15;
    if (para_mutex_fini(&a) || para_mutex_fini(&b))
        return 16;
    a.word = 1;                                                  /* as if another thread held it */
    if (failed == (para_mutex_unlock(&a) == PARA_ERR_NOT_OWNER)) /* nothing is checked any more */
        return 17;
    return failed ? ENDED : GOES_ON;
}

TEST(checking_ends_aloud)
{
    const char *const says = "para: no memory is left to check locks with";
    FILE *said = tmpfile();
    assert_non_null(said);
    const int terminal = dup(STDERR_FILENO);
    int outcome = ENDED;
    for (nth = 1; outcome == ENDED; nth++) {
        char text[400] = "";
        assert_int_equal(ftruncate(fileno(said), 0), 0);
        rewind(said);
        dup2(fileno(said), STDERR_FILENO);
        outcome = in_child(lock_both_ways);
        dup2(terminal, STDERR_FILENO);
        rewind(said);
        const size_t length = fread(text, 1, sizeof text - 1, said);
        assert_in_range(outcome, ENDED, GOES_ON);
        assert_int_equal(length == 0, outcome == GOES_ON);
        if (outcome == ENDED) {
            assert_ptr_equal(strstr(text, says), text);
            assert_int_equal(strcspn(text, "\n"), length - 1); /* one line */
        }
    }
    assert_true(nth > 5); /* holds, locks, orders and their tables */
    fclose(said);
    close(terminal);
}

/* stderr is closed, so that writing there fails. */
static int lock_and_look_at_errno(void)
{
    close(STDERR_FILENO);
    errno = 0;
    fault_arm(FAULT_MEMORY, 1, ENOMEM, true);
    const para_status status = para_mutex_lock(&a);
    const int left = errno;
    const bool failed = fault_count() > 0;
    fault_arm(FAULT_ANY, 0, 0, false);
    return status || !failed ? 1 : left ? 2 : 0;
}

TEST(checking_that_ends_keeps_errno)
{
    assert_int_equal(in_child(lock_and_look_at_errno), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(checking_ends_aloud),
                                       cmocka_unit_test(checking_that_ends_keeps_errno)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
