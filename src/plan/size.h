/* How many workers a pool uses that adapts to its load: a rule about what looks at it see. Pure
 * functions.
 *
 * It grows fast. A look sees pressure if tasks wait for long, if one waits for each worker, or for
 * some looks on end if all workers are busy. Two such looks in a row double the size.
 *
 * It shrinks slowly: only after a window without pressure, half of the way to what the busiest look
 * of that window needed and a quarter more. So bursts that come within a window keep their size.
 * Growing again after it has shrunk shows that the window was too short for this load: it doubles,
 * up to a bound. Many windows in which there was work, and the size was right, halve it again. So
 * bursts with gaps up to a minute come to rest, but for a try now and then. */
#ifndef PARA_PLAN_SIZE_H
#define PARA_PLAN_SIZE_H

#include <stdbool.h>
#include <stdint.h>

/* What a look sees. */
typedef struct para__size_seen {
    unsigned busy;     /* workers that run something */
    unsigned queued;   /* tasks that wait */
    double wait_ns;    /* how long tasks wait */
    double elapsed_ns; /* since the last look */
} para__size_seen;

typedef struct para__size {
    unsigned workers, least, most; /* least <= workers <= most */
    unsigned pressed, full;        /* looks in a row that saw pressure; that saw all workers busy */
    unsigned peak;                 /* workers that were needed in this window */
    unsigned doubled;              /* how often the window's length was doubled */
    unsigned right;  /* windows in a row in which the size was right, since that changed */
    bool has_shrunk; /* since it has grown */
    double calm_ns;  /* how long the window lasts already */
} para__size;

/* Takes in a look. Returns how many workers there are to be. */
unsigned para__size_look(para__size *size, para__size_seen seen);

#endif
