/* Alarms of what is counted: how long tasks wait, and how far predictions are off. */
#ifndef PARA_OBSERVE_ALARMS_H
#define PARA_OBSERVE_ALARMS_H

#include "base/status.h"

/* Looks at them from now on, or no more. Errors: PARA_ERR_BUSY, _MEMORY, _THREAD. */
para_status para__alarms_start(void);
void para__alarms_stop(void);

#endif
