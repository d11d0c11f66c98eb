/* A circuit breaker: opens when too many of the calls in a window have failed, lets some through
 * after a pause, and closes again if those succeed. Pure functions; include/para/dispatch.h draws
 * the states.
 *
 * The window is a ring of slots, each a tenth of it. Calls count in the slot in which they end.
 * Each change of state begins a new period. A call is told with the period in which it was let
 * through, and counts in no other: what began before the breaker opened says nothing of now. */
#ifndef PARA_PLAN_BREAKER_H
#define PARA_PLAN_BREAKER_H

#include <para/dispatch.h>

enum { PARA__BREAKER_SLOTS = 10 };

typedef struct para__breaker {
    para_breaker_state state;
    uint32_t period; /* 31 bits */
    uint64_t opened_ns;
    unsigned probes_begun, probes_succeeded; /* in this period */
    uint64_t newest;                         /* number of the newest slot, counted from time 0 */
    struct {
        unsigned calls, failures;
    } slot[PARA__BREAKER_SLOTS]; /* [number % SLOTS] */
} para__breaker;

/* As new, in the next period. */
para__breaker para__breaker_renew(const para__breaker *former);

/* What is left 0 there is set to what that means. */
para_breaker para__breaker_complete(para_breaker config);

/* Whether a call is let through now. */
bool para__breaker_admit(para__breaker *breaker, const para_breaker *config, uint64_t now_ns);

/* A call of that period has ended. */
void para__breaker_tell(para__breaker *breaker, const para_breaker *config, uint64_t now_ns,
                        uint32_t period, bool has_failed);

/* A call that was let through in that period has not begun. */
void para__breaker_take_back(para__breaker *breaker, uint32_t period);

/* Calls and failures in the window. */
void para__breaker_count(const para__breaker *breaker, const para_breaker *config, uint64_t now_ns,
                         unsigned *calls, unsigned *failures);

#endif
