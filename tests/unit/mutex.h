/* What the tests of the mutex share: the bits of its word, and threads that lock as they are
 * asked. */
#ifndef PARA_TESTS_MUTEX_H
#define PARA_TESTS_MUTEX_H

#include "../common/waiters.h"

#include <errno.h>

enum { LOCKED = 1, SOMEBODY_WAITS = 2 };

typedef struct ask {
    para_mutex *mutex;
    para_cancel *cancel;
    uint64_t deadline_ns;
    _Atomic int status;
    int error_number;
} ask;

static inline void *lock_as_asked(void *arg)
{
    ask *a = arg;
    errno = 77;
    a->status = para_mutex_lock_with(a->mutex, a->deadline_ns, a->cancel);
    a->error_number = errno;
    if (a->status == PARA_OK)
        para_mutex_unlock(a->mutex);
    return NULL;
}

#endif
