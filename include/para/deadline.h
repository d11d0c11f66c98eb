/* Deadlines: points in time, on CLOCK_MONOTONIC, in nanoseconds. */
#ifndef PARA_DEADLINE_H
#define PARA_DEADLINE_H

#include <para/version.h>
#include <stdint.h>

/* A wait with this deadline does not time out. */
#define PARA_DEADLINE_NEVER UINT64_MAX

#ifdef __cplusplus
extern "C" {
#endif

/* The deadline that is ns nanoseconds from now, for any parameter or member called deadline_ns.
 * PARA_DEADLINE_NEVER if it would be beyond the clock's end. Any thread; never blocks. */
PARA_API uint64_t para_deadline_after(uint64_t ns);

#ifdef __cplusplus
}
#endif
#endif
