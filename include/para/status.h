/* Status codes: what every para function that can fail returns. The compiler warns where one is not
 * looked at, except of a lock's unlock, release and fini: those fail by a fault of the program
 * alone. */
#ifndef PARA_STATUS_H
#define PARA_STATUS_H

#include <para/version.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(name, value, text). The enum, the names and the texts are made from this list. */
#define PARA_STATUS_LIST(X)                                                                    \
    X(PARA_OK, 0, "success")                                                                   \
    X(PARA_ERR_ARGUMENT, -1, "an argument is not valid")                                       \
    X(PARA_ERR_NULL_KERNEL, -2, "the kernel is NULL")                                          \
    X(PARA_ERR_NULL_COMBINE, -3, "the combine function of a reduction is NULL")                \
    X(PARA_ERR_NULL_RESULT, -4, "the result of a reduction is NULL or has zero bytes")         \
    X(PARA_ERR_NULL_VIEW, -5, "a view has an element size but no memory, or there is a gap")   \
    X(PARA_ERR_ELEMENT_SIZE, -6, "a view has memory but an element size of zero")              \
    X(PARA_ERR_OVERLAP, -7, "an output overlaps another view and is not exactly in place")     \
    X(PARA_ERR_OVERFLOW, -8, "a count is negative, or count times element size is too large")  \
    X(PARA_ERR_KERNEL, -9, "the kernel returned an error; the report tells where and which")   \
    X(PARA_ERR_MEMORY, -10, "out of memory")                                                   \
    X(PARA_ERR_THREAD, -11, "a thread could not be created")                                   \
    X(PARA_ERR_ENVIRONMENT, -12, "an environment variable has a value that cannot be used")    \
    X(PARA_ERR_TOPOLOGY, -13, "the hardware topology could not be read")                       \
    X(PARA_ERR_UNSUPPORTED, -14, "not supported on this system")                               \
    X(PARA_ERR_DENIED, -15, "the operating system refused")                                    \
    X(PARA_ERR_FILE, -16, "a file could not be opened, mapped or written")                     \
    X(PARA_ERR_TIMEOUT, -17, "the deadline has passed")                                        \
    X(PARA_ERR_CANCELLED, -18, "it was cancelled")                                             \
    X(PARA_ERR_DEADLOCK, -19, "waiting for this lock could last forever")                      \
    X(PARA_ERR_NOT_OWNER, -20, "the lock is not held by the calling thread")                   \
    X(PARA_ERR_BUSY, -21, "it is still in use: held, waited for or running")                   \
    X(PARA_ERR_OWNER_DIED, -22, "the lock was acquired from a holder that has died")           \
    X(PARA_ERR_NOT_RECOVERABLE, -23, "the lock can no longer be used: nobody recovered it")    \
    X(PARA_ERR_MAXIMUM, -24, "a release would exceed the semaphore's maximum")                 \
    X(PARA_ERR_WORKER_INIT, -25, "worker_init returned an error; the detail tells which")      \
    X(PARA_ERR_FORKED, -26, "the process was forked within the call: this is the child")       \
    X(PARA_ERR_TASK, -27, "the task returned an error, which it holds")                        \
    X(PARA_ERR_DEADLINE, -28, "its deadline passed before it was done")                        \
    X(PARA_ERR_ENDING, -29, "the pool is ending: it accepts nothing more, and drops the rest") \
    X(PARA_ERR_IMPURE, -30, "a kernel is not pure: a second run of the call differs")          \
    X(PARA_ERR_NAME, -31, "nothing is registered under that name")                             \
    X(PARA_ERR_VERSION, -32, "what is registered has another version")                         \
    X(PARA_ERR_LENGTH, -33, "a request, or the room for its response, has a wrong length")     \
    X(PARA_ERR_OPEN, -34, "too many requests of that name fail: its breaker is open")          \
    X(PARA_ERR_WORKER_DIED, -35, "a kernel took the life of its worker process")               \
    X(PARA_ERR_NOT_SHARED, -36, "worker processes cannot see memory that the call needs")

typedef enum para_status {
#define PARA_STATUS_ENUM(name, value, text) name = (value),
    PARA_STATUS_LIST(PARA_STATUS_ENUM)
#undef PARA_STATUS_ENUM
} para_status;

/* The code's name, such as "PARA_ERR_OVERLAP"; "unknown status" for any other value.
 * Static storage. Any thread. */
PARA_API const char *para_status_name(para_status status);

/* One sentence for people; "unknown status" for any other value. Static storage. Any thread. */
PARA_API const char *para_status_text(para_status status);

/* What the last failure in the calling thread adds to its status, such as the name and value of a
 * malformed variable or the path of a file; "" if nothing. Owned by the thread, valid until its
 * next call of a para function that fails. */
PARA_API const char *para_status_detail(void);

#ifdef __cplusplus
}
#endif
#endif
