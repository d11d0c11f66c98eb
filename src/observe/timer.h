/* What is done again and again while somebody asks for it: one thread looks after all of it, while
 * there is any. */
#ifndef PARA_OBSERVE_TIMER_H
#define PARA_OBSERVE_TIMER_H

#include "base/status.h"

#include <stdint.h>

typedef enum para__timer {
    PARA__TIMER_METRICS, /* writes the file of PARA_METRICS */
    PARA__TIMER_PAGE,    /* writes the page that `para top` reads */
    PARA__TIMER_ALARMS,  /* looks at what was counted */
    PARA__TIMERS
} para__timer;

/* From now on `look` is called at once and each `every_ns`, on a thread of para's. The timer is not
 * on. Errors: PARA_ERR_THREAD. */
para_status para__timer_start(para__timer which, uint64_t every_ns, void (*look)(void));

/* It is called no more; when this returns it is not running. Not within a look. */
void para__timer_stop(para__timer which);

#endif
