/* Whether all short calls of a thread together are better off alone. Pure functions.
 *
 * Loops that follow each other disturb each other: what a helper has left in its cache, the next
 * loop misses. So each loop may be worth sharing by itself, and all of them together may not. No
 * single call shows that; the time that a thread takes for a window of calls does. There are two
 * arms: each call decided for itself, and all calls alone. A window's ratio is its time
 * divided by the time that its calls are predicted to take alone. The prediction need not be right:
 * among shared calls, calls alone look up to twice as dear as they are. It is the same for both
 * arms, which is what counts.
 *
 * The other arm is tried for PARA__TURN_WINDOWS, then the one in use has as many. The first of each
 * finds data where the other arm has left them. Of the rest the least ratio counts, since what
 * disturbs a window makes it longer. It is compared with the mean of the least before the trial and
 * the least after it: loops that shrink while the program goes on would else make the later arm
 * look faster. Trials are paid from a credit, a part of the thread's time. A trial costs what the
 * other arm took longer the last time; the first one, and the first after a change, cost what the
 * plans of the window's shared calls gain: the trial that led to a change may have been disturbed.
 * Each trial that is lost halves that part, and doubles the least distance to the next trial. Where
 * 16 windows have few sites in common with the first 16 of a part of the program, or a call of
 * theirs is predicted to take twice as long, or half, another part has begun: there, each call is
 * decided for itself, and trials are as frequent as at the beginning.
 *
 * Helpers may be away for milliseconds, because others need their cores. Then no call is shared,
 * and a trial compares nothing. So where one of the last 16 windows had a shared call, a trial
 * begins after a window with one, and decides nothing if no window that counts has one.
 *
 * What calls are predicted to take must not change during a trial: nothing is learnt of them
 * then. */
#ifndef PARA_PLAN_ARMS_H
#define PARA_PLAN_ARMS_H

#include "base/tuning.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum para__arm { PARA__EACH_FOR_ITSELF, PARA__ALL_ALONE } para__arm;

/* Windows of an arm that are compared; those that it has in a trial, of which the first does not
 * count; and those of both. */
enum {
    PARA__WINDOWS_COMPARED = 3,
    PARA__TURN_WINDOWS = PARA__WINDOWS_COMPARED + 1,
    PARA__TRIAL_WINDOWS = 2 * PARA__TURN_WINDOWS
};

typedef struct para__arms {              /* of a thread, so in few bytes */
    float ratio[PARA__WINDOWS_COMPARED]; /* of the arm in use: of its last windows */
    float tried;                         /* of the other arm: the least ratio in this trial */
    float other;           /* of the other arm: that of its last trial; 0: none in this part */
    float before;          /* of the arm in use: the least ratio before this trial */
    float credit;          /* for a trial, ns */
    float alone_all_ns;    /* of the windows since the sites were looked at, */
    float part_ns;         /* and of a call when they were so first, in this arm; 0: not yet */
    uint32_t calls_all;    /* in the windows since then */
    uint32_t alone_ns;     /* of the window's calls, as predicted */
    uint32_t gain_ns;      /* of those that were shared: how much less that is predicted to take */
    uint32_t first;        /* the site of its first call */
    uint32_t sites;        /* a bit of each site of the windows since it was last looked at, */
    uint32_t part;         /* and of those that this part of the program began with */
    uint64_t since;        /* the window began at (ns); 0: none has */
    uint16_t calls;        /* in it */
    uint16_t windows_left; /* until the other arm may be tried */
    uint8_t windows;       /* since the sites were looked at */
    uint8_t next;          /* place in ratio[] of the next window */
    uint8_t trial;         /* windows of a trial, from the present one on; 0: none */
    uint8_t lost;          /* trials in a row */
    uint8_t arm;           /* para__arm: the one in use, beside trials */
    uint8_t shares;        /* windows until it is forgotten that calls were shared */
    bool has_shared;       /* were some in the windows of this trial that count? */
} para__arms;

/* The arm of the calls to come. */
static inline para__arm para__arms_now(const para__arms *arms)
{
    return (para__arm)(arms->trial > PARA__TURN_WINDOWS ? !arms->arm : arms->arm);
}

/* Whether a call of that site ends a window: then para__arms_next_window is to be told the time. */
static inline bool para__arms_is_full(const para__arms *arms, uint32_t site)
{
    return arms->since == 0 || (arms->calls >= PARA__WINDOW_CALLS &&
                                (site == arms->first || arms->calls >= PARA__WINDOW_MOST));
}

/* Adds a short call, in whatever way it runs, that would take alone_ns alone. */
static inline void para__arms_add(para__arms *arms, uint32_t site, uint32_t alone_ns)
{
    arms->calls++;
    arms->sites |= UINT32_C(1) << ((site * UINT32_C(0x9e3779b1)) >> 27);
    arms->alone_ns += alone_ns;
}

/* That call is shared, which is predicted to gain so much. */
static inline void para__arms_gain(para__arms *arms, double gain_ns)
{
    arms->gain_ns += (uint32_t)gain_ns;
}

/* Ends the window, if there is one, and begins the next with a call of that site. */
void para__arms_next_window(para__arms *arms, uint32_t site, uint64_t now_ns);

#endif
