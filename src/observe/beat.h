/* What is done again and again while somebody asks for it: one thread looks after all of it, while
 * there is any. */
#ifndef PARA_OBSERVE_BEAT_H
#define PARA_OBSERVE_BEAT_H

#include "base/status.h"

#include <stdint.h>

typedef enum para__beat {
    PARA__BEAT_METRICS, /* writes the file of PARA_METRICS */
    PARA__BEAT_PAGE,    /* writes the page that `para top` reads */
    PARA__BEAT_ALARMS,  /* looks at what was counted */
    PARA__BEATS
} para__beat;

/* From now on `look` is called at once and each `every_ns`, on a thread of para's. The beat is not
 * on. Errors: PARA_ERR_THREAD. */
para_status para__beat_start(para__beat which, uint64_t every_ns, void (*look)(void));

/* It is called no more; when this returns it is not running. Not within a look. */
void para__beat_stop(para__beat which);

#endif
