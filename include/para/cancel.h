/* Cancel tokens: a request to stop, seen by all who were given the token. */
#ifndef PARA_CANCEL_H
#define PARA_CANCEL_H

#include <para/status.h>
#include <para/version.h>
#include <stdbool.h>
#include <stdint.h>

/* The most tokens on a way from a token to the one above all others, both counted. */
enum { PARA_CANCEL_DEPTH = 16 };

/* Ready when zero-initialised: para_cancel cancel = {0}; The members may be set before anybody else
 * has the token, and stay as they are:
 *     para_cancel request = {.parent = &server, .deadline_ns = para_deadline_after(50000000)};
 * The memory is the user's and must stay until all who were given the token, or one below it, have
 * returned; no call is needed to end its use. A requested cancellation stays requested. To use a
 * token again, make it zero when all who were given it have returned. */
typedef struct para_cancel {
    uint32_t word;              /* para's */
    struct para_cancel *parent; /* a request of it, or its deadline, counts for this one too, but
                                   not the other way round; NULL: none */
    uint64_t deadline_ns;       /* from then on (para/deadline.h) the token is requested, by its
                                   deadline; 0: none */
} para_cancel;

#ifdef __cplusplus
extern "C" {
#endif

/* Requests cancellation. Threads that wait with this token, or one below it, are woken and return
 * PARA_ERR_CANCELLED; threads that read it see the request. A second request changes nothing. Any
 * thread, but no signal handler: it takes a latch. Does not wait for the threads that it wakes. A
 * thread that sees the request also sees everything done before it. In a child of fork() the token
 * is another one. NULL is allowed. Source: src/sync/cancel.c. */
PARA_API void para_cancel_request(para_cancel *cancel);

/* What calls, tasks and waits with the token return: PARA_OK: they go on. PARA_ERR_CANCELLED: it or
 * one above it was requested; this also where a deadline has passed as well. PARA_ERR_DEADLINE: its
 * deadline has passed, or that of one above it. PARA_ERR_ARGUMENT: there are more than
 * PARA_CANCEL_DEPTH tokens on the way up, or the way is a circle. Reads the clock, some 25 ns, if a
 * deadline is on the way. Any thread. */
PARA_NODISCARD_ PARA_API para_status para_cancel_status(const para_cancel *cancel);

/* Whether that is not PARA_OK. Without parent and deadline one load and two looks at members beside
 * it, cheap enough for a loop. Any thread. */
static inline bool para_cancel_requested(const para_cancel *cancel)
{
    return (__atomic_load_n(&cancel->word, __ATOMIC_ACQUIRE) & 1) != 0 || /* E12 */
           ((cancel->parent || cancel->deadline_ns) && para_cancel_status(cancel) != PARA_OK);
}

#ifdef __cplusplus
}
#endif
#endif
