/* A mutex for several processes, which tells its next holder that a holder has died. It lies in
 * memory that they share, such as a file that each has mapped by para_buffer_map_file for writing,
 * or memory from mmap with MAP_SHARED. A buffer from para_buffer_create is not shared: after fork()
 * each process has its own copy, and a mutex there excludes nobody. Within one process para_mutex
 * is smaller and faster. */
#ifndef PARA_SHARED_MUTEX_H
#define PARA_SHARED_MUTEX_H

#include <para/deadline.h>
#include <para/status.h>
#include <stdint.h>

/* Lies in the shared memory; all processes must use the same C library and word size. */
typedef struct para_shared_mutex {
    uint64_t opaque[8];
} para_shared_mutex;

#ifdef __cplusplus
extern "C" {
#endif

/* Makes a mutex in shared memory; once, by one process, before any other uses it. A mutex that is
 * only zeroed locks and unlocks too, but tells nobody that its holder died, and between processes
 * it may wait forever; nothing detects that. Errors: PARA_ERR_MEMORY, _UNSUPPORTED, _ARGUMENT:
 * NULL. */
PARA_NODISCARD_ PARA_API para_status para_shared_mutex_init(para_shared_mutex *mutex);

/* Ends its use; optional. No process may use it any more. NULL is allowed. Errors: PARA_ERR_BUSY:
 * it is held. */
PARA_API para_status para_shared_mutex_fini(para_shared_mutex *mutex);

/* Locks. Threads of any process that shares the memory; no signal handler. Blocks; not a
 * cancellation point of pthread_cancel, and signals do not end it. There is no cancel token,
 * because a process cannot wake another one's waiters through memory that the other owns. What
 * earlier holders did, in any process, is visible after it. Does not nest. A child of fork() holds
 * nothing that its parent holds. A process must not unmap the memory while it holds the mutex.
 * Errors: PARA_ERR_OWNER_DIED: the holder ended without unlocking. The mutex IS locked; repair what
 * it guards and call para_shared_mutex_recover before the unlock. PARA_ERR_NOT_RECOVERABLE: a
 * thread that was told so unlocked it without that; not locked, now or ever. PARA_ERR_DEADLOCK: the
 * calling thread holds it already. PARA_ERR_ARGUMENT: there is no mutex, or its use has ended; not
 * all such memory is recognised. */
PARA_NODISCARD_ PARA_API para_status para_shared_mutex_lock(para_shared_mutex *mutex);

/* The same, until CLOCK_MONOTONIC reaches deadline_ns. A free lock is taken whatever the deadline
 * says. Errors: the same, and PARA_ERR_TIMEOUT. */
PARA_NODISCARD_ PARA_API para_status para_shared_mutex_lock_until(para_shared_mutex *mutex,
                                                                  uint64_t deadline_ns);

/* The same, without waiting. Never blocks. Errors: the same, and PARA_ERR_BUSY: it is held. */
PARA_NODISCARD_ PARA_API para_status para_shared_mutex_try_lock(para_shared_mutex *mutex);

/* Called by the holder after PARA_ERR_OWNER_DIED: what the mutex guards is in order again. Errors:
 * PARA_ERR_ARGUMENT: there is no mutex, or nobody holds it after such a death. */
PARA_NODISCARD_ PARA_API para_status para_shared_mutex_recover(para_shared_mutex *mutex);

/* Unlocks; by the thread that locked. Errors: PARA_ERR_NOT_OWNER; PARA_ERR_ARGUMENT as above. */
PARA_API para_status para_shared_mutex_unlock(para_shared_mutex *mutex);

#ifdef __cplusplus
}
#endif
#endif
