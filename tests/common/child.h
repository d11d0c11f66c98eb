/* Test bodies that run in a child process. A child has no assertions: it answers by its exit
 * status, and SIGALRM ends one that hangs. */
#ifndef PARA_TESTS_CHILD_H
#define PARA_TESTS_CHILD_H

#include "check.h"

#include <sys/wait.h>
#include <unistd.h>

/* Less than a test's time limit, so that the test itself reports the hang. */
enum { CHILD_SECONDS = 50 };

/* Exit status of a body that cannot be tried here. Differs from every CHILD_LINE. */
enum { SKIPPED = 200 };

/* The line of the first failure, modulo 199. CHECK ends the child with it. EXPECT returns it, in
 * functions that the parent calls too. */
#define CHILD_LINE (__LINE__ % 199 ? __LINE__ % 199 : 1)
#define CHECK(condition)       \
    do {                       \
        if (!(condition))      \
            _exit(CHILD_LINE); \
    } while (0)
#define EXPECT(condition)      \
    do {                       \
        if (!(condition))      \
            return CHILD_LINE; \
    } while (0)

/* Waits for the child and returns its exit status. The test fails if a signal ended it. */
static inline int status_of_child(pid_t child)
{
    int status = 0;
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status))
        fail_msg("the child ended by signal %d", WTERMSIG(status));
    return WEXITSTATUS(status);
}

static inline void await_success(pid_t child)
{
    const int status = status_of_child(child);
    if (status == SKIPPED)
        skip();
    if (status != 0)
        fail_msg("the child failed at line %d (modulo 199)", status);
}

/* Runs body in a child and returns what it returned. */
static inline int in_child(int (*body)(void))
{
    const pid_t child = fork();
    if (child == 0) {
        alarm(CHILD_SECONDS);
        _exit(body());
    }
    return status_of_child(child);
}

/* Runs body in a child. The test fails, or is skipped, as the body's CHECKs say. */
static inline void run_in_child(void (*body)(void))
{
    const pid_t child = fork();
    if (child == 0) {
        alarm(CHILD_SECONDS);
        body();
        _exit(0);
    }
    await_success(child);
}

#endif
