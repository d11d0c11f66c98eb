/* Alarms of what is counted: how long tasks wait, and how far predictions are off. */
#ifndef PARA_OBSERVE_ALARMS_H
#define PARA_OBSERVE_ALARMS_H

#include "base/status.h"

#include <stdbool.h>

/* Looks at them from now on, while the log is open. A program may ask for what PARA_LOG has asked
 * for already. Errors: PARA_ERR_ARGUMENT (it is closed), _BUSY, _MEMORY, _THREAD. Not within the
 * log's function, likewise the next. */
para_status para__alarms_start(bool by_program);

/* Looks no more, once `first` has done its part, and fails as it does; goes on if the log is open
 * still. NULL: nothing is to be done before, and nothing goes on. Nobody starts meanwhile. */
para_status para__alarms_stop_with(para_status (*first)(void));

#endif
