/* Handlers of fork(), registered in this one place, in a fixed order. They run for fork() only;
 * base/process.h notices children that are made in other ways. */
#ifndef PARA_BASE_FORK_H
#define PARA_BASE_FORK_H

#include "base/guard.h"

/* Guards are taken in this order before a fork, and released in reverse order after it. If a guard
 * is held while another one is taken, it is listed before that one. In the child, the repairs run
 * in this order too, while all guards are held. */
typedef enum para__fork_order {
    PARA__FORK_PROCESS,      /* process.c: no guard; the others may ask whether this is a child */
    PARA__FORK_ORDERS,       /* orders.c: taken alone */
    PARA__FORK_DEFAULT_POOL, /* default_pool.c: held while the machine is read */
    PARA__FORK_MACHINE,      /* machine.c: held while hwloc takes locks of its own */
    PARA__FORK_PAGE,         /* page.c: held while statistics and timers begin */
    PARA__FORK_ALARMS,       /* alarms.c: held while the log is closed, and likewise */
    PARA__FORK_STATS,        /* observe/stats.c: held while statistics begin */
    PARA__FORK_TIMERS_LIFE,  /* timer.c: within those, or alone */
    PARA__FORK_TIMERS,       /* timer.c: likewise, and within that */
    PARA__FORK_KEEP,         /* numbers.c: held while somebody begins to look */
    PARA__FORK_TOOL,         /* kokkos.c: held while a tool is told */
    PARA__FORK_REPORT,       /* report.c: taken alone */
    PARA__FORK_WATCHDOG,     /* observe/watchdog.c: held while tracks are locked */
    PARA__FORK_TRACE,        /* observe/trace.c: held while tracks are locked */
    PARA__FORK_LOOK,         /* observe/look.c: no guard */
    PARA__FORK_TRACKS,       /* trace.c: taken by whoever tells of something */
    PARA__FORK_FILES,        /* mapped.c: taken alone */
    PARA__FORK_DETAILS,      /* details.c: taken alone */
    PARA__FORK_LOG,          /* log.c: taken by whoever says something */
    PARA__FORK_ALL
} para__fork_order;

/* Called by a constructor of priority 101, before any of a program's own. guard and in_child may be
 * NULL. */
void para__fork_handle(para__fork_order which, para__guard *guard, void (*in_child)(void));

#endif
