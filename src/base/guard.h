/* A mutex under which files are read and other libraries' locks are taken. Its holder is not
 * cancelled (pthread_cancel), which would leave it locked for ever. It is held around forks
 * (base/fork.h), so that a child finds what it guards whole.
 *
 * Nothing that needs the loader's lock (dlopen, dlsym) is done under it: a constructor within
 * dlopen holds that lock, and may wait for this one. */
#ifndef PARA_BASE_GUARD_H
#define PARA_BASE_GUARD_H

#include "base/cancellation.h"

#include <pthread.h>

typedef struct para__guard {
    pthread_mutex_t mutex;
    int cancel_state; /* of the holder's thread, before it entered */
} para__guard;

#define PARA__GUARD_INIT             \
    {                                \
        PTHREAD_MUTEX_INITIALIZER, 0 \
    }

static inline void para__guard_enter(para__guard *guard)
{
    const int before = para__cancellation_off();
    pthread_mutex_lock(&guard->mutex);
    guard->cancel_state = before;
}

static inline void para__guard_leave(para__guard *guard)
{
    const int before = guard->cancel_state;
    pthread_mutex_unlock(&guard->mutex);
    para__cancellation_restore(before);
}

#endif
