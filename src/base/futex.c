#include "base/futex.h"

#include "base/clock.h"

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

void para__futex_wait(para__atomic_u32 *word, uint32_t expected)
{
    para__futex_wait_until(word, expected, UINT64_MAX);
}

void para__futex_wait_for(para__atomic_u32 *word, uint32_t expected, uint64_t ns)
{
    const int saved = errno;
    const struct timespec limit = para__timespec(ns);
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, &limit, NULL, 0);
    errno = saved;
}

static void wait_on(para__atomic_u32 *word, int operation, uint32_t expected, uint64_t deadline_ns)
{
    const int saved = errno;
    const struct timespec deadline = para__timespec(deadline_ns);
    syscall(SYS_futex, word, operation, expected, deadline_ns == UINT64_MAX ? NULL : &deadline,
            NULL, FUTEX_BITSET_MATCH_ANY);
    errno = saved;
}

/* Of the kernel's waits, the one with a bit set takes a point in time rather than a span. */
void para__futex_wait_until(para__atomic_u32 *word, uint32_t expected, uint64_t deadline_ns)
{
    wait_on(word, FUTEX_WAIT_BITSET_PRIVATE, expected, deadline_ns);
}

void para__futex_wait_shared(para__atomic_u32 *word, uint32_t expected, uint64_t deadline_ns)
{
    wait_on(word, FUTEX_WAIT_BITSET, expected, deadline_ns);
}

void para__futex_wake(para__atomic_u32 *word, int count)
{
    const int saved = errno;
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
    errno = saved;
}

void para__futex_wake_shared(para__atomic_u32 *word, int count)
{
    const int saved = errno;
    syscall(SYS_futex, word, FUTEX_WAKE, count, NULL, NULL, 0);
    errno = saved;
}
