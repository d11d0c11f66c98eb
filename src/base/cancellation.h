/* Stretches in which a thread is not cancelled. */
#ifndef PARA_BASE_CANCELLATION_H
#define PARA_BASE_CANCELLATION_H

#include <pthread.h>

/* The calling thread is not cancelled (pthread_cancel) between these two functions. The second gets
 * what the first has returned. Pairs may be nested. */
static inline int para__cancellation_off(void)
{
    int before;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    return before;
}

static inline void para__cancellation_restore(int before)
{
    pthread_setcancelstate(before, NULL);
}

#endif
