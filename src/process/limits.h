/* What a worker process may use. */
#ifndef PARA_PROCESS_LIMITS_H
#define PARA_PROCESS_LIMITS_H

#include <para/process.h>

typedef enum para__limit {
    PARA__LIMITS_HOLD,
    PARA__LIMIT_CORE,
    PARA__LIMIT_MEMORY,
    PARA__LIMIT_CPU,
    PARA__LIMIT_FILES,
    PARA__LIMIT_GROWTH,
    PARA__LIMIT_CALLS, /* the sandbox */
    PARA__LIMITS
} para__limit;

/* Sets those of a worker on the calling process, for good, the sandbox not yet. What the system has
 * refused, with errno; PARA__LIMITS_HOLD: nothing. */
para__limit para__limits_set(const para_processes *processes);

/* Puts the process into the sandbox, if it is asked for. The same. */
para__limit para__limits_enclose(const para_processes *processes);

/* ---- In a worker, between calls ---------------------------------------------------------- */

/* Gives back what the heap has free: pages that a kernel had need of once. */
void para__limits_trim(void);

/* Whether the process has grown beyond what it may; what it has free is given back first. */
bool para__limits_outgrown(const para_processes *processes);

/* For people. */
const char *para__limit_text(para__limit limit);

#endif
