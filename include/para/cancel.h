/* Cancel tokens: a request to stop, seen by all who were given the token. */
#ifndef PARA_CANCEL_H
#define PARA_CANCEL_H

#include <para/version.h>
#include <stdbool.h>
#include <stdint.h>

/* Ready when zero-initialised: para_cancel cancel = {0}; The memory is the user's and must stay
 * until all who were given the token have returned; no call is needed to end its use. A requested
 * cancellation stays requested. To use a token again, make it zero when all who were given it have
 * returned. The word is para's. */
typedef struct para_cancel {
    uint32_t word;
} para_cancel;

#ifdef __cplusplus
extern "C" {
#endif

/* Requests cancellation. Threads that wait with this token are woken and return PARA_ERR_CANCELLED;
 * threads that read it see the request. A second request changes nothing. Any thread, but no signal
 * handler: it takes a latch. Does not wait for the threads that it wakes. A thread that sees the
 * request also sees everything done before it. In a child of fork() the token is another one.
 * Source: src/sync/cancel.c. */
PARA_API void para_cancel_request(para_cancel *cancel);

/* Whether cancellation was requested: one load, cheap enough for a loop. Any thread. */
static inline bool para_cancel_requested(const para_cancel *cancel)
{
    return (__atomic_load_n(&cancel->word, __ATOMIC_ACQUIRE) & 1) != 0; /* E12 */
}

#ifdef __cplusplus
}
#endif
#endif
