/* The public functions of the log, and PARA_LOG. */
#include "base/log.h"
#include "base/variable.h"
#include "observe/alarms.h"

#include <strings.h>

para_status para_log_start(const para_log *log)
{
    return para__log_open(log);
}

para_status para_log_stop(void)
{
    return para__log_is_here() ? para__log_close() : para__alarms_stop_with(para__log_close);
}

para_status para_log_alarms(void)
{
    return para__log_is_here() ? para__fail(PARA_ERR_BUSY, "within the log's function")
                               : para__alarms_start(true);
}

__attribute__((constructor(102))) static void begin_saying(void)
{
    const char *const value = para__variable("PARA_LOG");
    unsigned level = PARA_LEVEL_NOTE;
    para_status status = PARA_OK;
    if (!value)
        return;
    while (level <= PARA_LEVEL_ALARM && strcasecmp(value, para_log_level_text(level)) != 0)
        level++;
    if (level > PARA_LEVEL_ALARM)
        para__tell(PARA_LOG_VARIABLE, "PARA_LOG=%.80s: expected note, warning or alarm; ignored",
                   value);
    else if (para__log_print(level) == PARA_OK)
        status = para__alarms_start(false);
    if (status)
        para__tell(PARA_LOG_UNCHECKED,
                   "PARA_LOG prints no alarms of tasks that wait too long and predictions that are "
                   "off: %s: %s",
                   para_status_text(status), para_status_detail());
}

__attribute__((destructor)) static void end_saying(void)
{
    (void)para__alarms_stop_with(NULL);
}
