/* A mutex, a semaphore and a cancel token for models. */
#ifndef MODEL_LOCKS_H
#define MODEL_LOCKS_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Before the threads of a model start. */
void locks_make(bool spins, uint32_t units, uint32_t most, bool fair);

/* Whether it is locked; UINT64_MAX: without limit. */
bool locks_lock(uint64_t deadline_ns, bool cancellable);
bool locks_try_lock(void);
void locks_unlock(void);
bool locks_end(void); /* whether it was not held; its memory is not to be touched after that */

bool locks_acquire(uint32_t count, uint64_t deadline_ns, bool cancellable);
bool locks_try_acquire(void);
bool locks_release(uint32_t count);

void locks_cancel(void);
bool locks_cancelled(void);

/* At the end: whether nobody holds anything, and nobody waits. */
bool locks_are_free(void);
unsigned locks_wakes(void); /* waiters that were marked woken, so far */

#ifdef __cplusplus
}
#endif

#endif
