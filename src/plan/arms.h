/* Whether the short calls of a thread are better off alone, all of them together. Pure functions.
 *
 * Loops that follow each other disturb each other: what a helper has left in its cache, the next
 * loop misses. So each loop may be worth sharing by itself, and all of them together not. That does
 * not show in any call, but in the time that a thread takes for a window of calls. There are two
 * arms: calls as each is decided for itself, and all of them alone. The thread runs the arm whose
 * windows take less of the time that their calls are predicted to take alone, so that windows of
 * other calls can be compared. The other arm is tried now and then, for two windows, of which the
 * second counts: the first finds data where the other arm has left them. A trial that is lost
 * doubles the time to the next one: trials take 1/8 of the windows at first, and 1/128 in the end.
 * Only what is disturbed takes longer, so an arm's figure follows down at once and up slowly. Where
 * two windows in a row have the same calls, and others than before, a new part of the program has
 * begun, and with it everything. */
#ifndef PARA_PLAN_ARMS_H
#define PARA_PLAN_ARMS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum para__arm { PARA__EACH_FOR_ITSELF, PARA__ALL_ALONE } para__arm;

enum {
    PARA__WINDOW_CALLS = 32,    /* a window has at least so many, and */
    PARA__WINDOW_MOST = 256,    /* ends when the site of its first call comes again, or here */
    PARA__ARM_WINDOWS = 16,     /* before the first trial of the other arm, doubled for each lost */
    PARA__TRIALS_LOST_MOST = 4, /* to 256 */
    PARA__TRIAL_WINDOWS = 2     /* of which the last counts */
};

typedef struct para__arms { /* of a thread, so in few bytes */
    float ratio[2]; /* of each arm: time of a window to that of its calls alone; 0: not known */
    float alone_ns; /* of the window's calls, as predicted */
    uint32_t first; /* the site of its first call */
    uint32_t sites; /* the sum of those of all: which calls the window has, */
    uint32_t last;  /* the one before it had, */
    uint32_t kind;  /* and those have of which the ratios are known */
    uint64_t since; /* the window began at (ns); 0: none has */
    uint16_t calls; /* in it */
    uint16_t windows_left; /* until the other arm is tried */
    uint8_t trial; /* windows of a trial of the other arm, from the present one on; 0: none */
    uint8_t lost;  /* trials in a row */
    uint8_t arm;   /* para__arm: the one in use, beside trials */
} para__arms;

/* The arm of the calls to come. */
static inline para__arm para__arms_now(const para__arms *arms)
{
    return (para__arm)(arms->trial ? !arms->arm : arms->arm);
}

/* Whether a call of that site ends a window: then para__arms_next_window is to be told the time. */
static inline bool para__arms_is_full(const para__arms *arms, uint32_t site)
{
    return arms->calls >= PARA__WINDOW_CALLS &&
           (site == arms->first || arms->calls >= PARA__WINDOW_MOST);
}

/* A short call that would be shared if it were decided for itself, and takes so long alone. */
static inline void para__arms_add(para__arms *arms, uint32_t site, double alone_ns)
{
    arms->calls++;
    arms->sites += site;
    arms->alone_ns += (float)alone_ns;
}

/* A window ends, if there was one, and the next begins with a call of that site. */
void para__arms_next_window(para__arms *arms, uint32_t site, uint64_t now_ns);

#endif
