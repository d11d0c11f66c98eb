/* What the library says: to the program's log, if there is one (para/log.h); else nobody hears it,
 * or one line on standard error says it.
 *
 * An entry is told on its thread, under a guard: one at a time, and who ends the log knows that its
 * function is not running. What is said within that function is not told, since its thread has the
 * guard. */
#ifndef PARA_BASE_LOG_H
#define PARA_BASE_LOG_H

#include "base/status.h"

#include <para/log.h>
#include <stdbool.h>

/* Says it. Keeps errno. Not a cancellation point. */
void para__log(para_log_id id, uint64_t subject, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));

/* The same for what is printed if no program listens, one line with "para: " in front: a malformed
 * variable, a file that cannot be written. A question mark stands for what would break the line. */
void para__tell(para_log_id id, const char *format, ...)
    __attribute__((format(printf, 2, 3), cold));

/* Who is told: the program's function, or the standard error while there is none. Errors: as
 * para_log_start. */
para_status para__log_open(const para_log *log);
para_status para__log_print(para_log_level least);

/* The function is not any more; if there is none, nothing is printed any more. Errors: as
 * para_log_stop. */
para_status para__log_close(void);

bool para__log_is_open(void);

/* Whether the calling thread is within the log's function. */
bool para__log_is_here(void);

/* Of entries with one id: whether one more may be told in that second. Pure. */
typedef struct para__log_rate {
    uint64_t since_ns; /* when the second began */
    uint64_t left_out;
    unsigned told; /* in it */
} para__log_rate;
bool para__log_admits(para__log_rate *rate, uint64_t now_ns, unsigned most);

#endif
