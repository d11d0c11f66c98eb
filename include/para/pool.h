/* Pools: persistent, pinned worker threads with a life cycle. */
#ifndef PARA_POOL_H
#define PARA_POOL_H

#include <para/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct para_pool para_pool;

/* Where workers are bound to. */
typedef enum para_binding {
    PARA_BIND_AUTO = 0, /* PARA_PROC_BIND, else PARA_BIND_CORE if the pool has a worker for every
                           core, else PARA_BIND_NONE: other processes would choose the same cores */
    PARA_BIND_CORE,     /* each worker to one core */
    PARA_BIND_DOMAIN,   /* each worker to all cores of its NUMA node or shared L3 */
    PARA_BIND_NONE      /* not at all: each may run wherever the process may */
} para_binding;

/* How threads wait: workers for calls, and a caller for its helpers. */
typedef enum para_wait_policy {
    PARA_WAIT_AUTO =
        0, /* PARA_WAIT_POLICY, else OMP_WAIT_POLICY if that is `passive`, else _ACTIVE */
    PARA_WAIT_ACTIVE, /* they spin for a while, as long as that pays for itself, then sleep */
    PARA_WAIT_PASSIVE /* they sleep at once: no CPU time is spent on waiting, and each call costs
                           wake-ups. For low rates of calls, and CPUs that others need */
} para_wait_policy;

/* Whether para_pool_create waits for the pool's threads. */
typedef enum para_start {
    PARA_START_AUTO = 0,   /* _WAIT if there is a worker_init, whose failure is one of
                              para_pool_create, or a worker_exit, and with PARA_DISPLAY_ENV; else
                              _BACKGROUND */
    PARA_START_BACKGROUND, /* no: they come up while the caller works, and help when they are up */
    PARA_START_WAIT        /* yes: for all of them, with worker_init, and for costs measured */
} para_start;

/* para_pool_config config = PARA_POOL_CONFIG_INIT; config.workers = 4; */
typedef struct para_pool_config {
    size_t size;      /* sizeof(para_pool_config) */
    unsigned workers; /* threads in all, a call's own thread among them; 0: PARA_NUM_WORKERS, else
                         the first number of OMP_NUM_THREADS if it can be read, else the CPU
                         budget. At most 1024 */
    para_binding binding;

    /* Bytes of each worker's stack; 0: PARA_STACKSIZE, else OMP_STACKSIZE, else what `ulimit -s`
     * grants, at least 8 MiB and 256 MiB if it is unlimited (under `ulimit -v` a 64th of that
     * limit); of the last two a part, where the system refuses the whole, but not less than 8 MiB.
     * At least 64 KiB are taken, or the system's least. The thread that calls keeps its own
     * stack. */
    size_t stack_bytes;

    /* Run on each of the pool's own threads: worker_init when it begins, worker_exit when it ends;
     * either may be NULL. For what a library keeps for each thread, such as uselocale(). worker:
     * the index of para_pool_get_worker. A pool of one worker has no threads, and the thread that
     * calls is never asked. Several threads may be in worker_init at once. If worker_init returns
     * other than 0, there is no pool: para_pool_create returns PARA_ERR_WORKER_INIT, after the
     * others' worker_exit. With PARA_START_BACKGROUND the pool is there already: its threads end,
     * calls run on their caller alone, and para_pool_wait_ready returns PARA_ERR_WORKER_INIT.
     * worker_exit runs for each thread whose worker_init has returned 0, by the end of
     * para_pool_create or para_pool_destroy. In both, calls on another pool are allowed. Neither
     * ends its thread nor leaves by a jump or an exception. */
    int (*worker_init)(unsigned worker, void *worker_arg);
    void (*worker_exit)(unsigned worker, void *worker_arg);
    void *worker_arg;

    para_wait_policy wait_policy;
    para_start start;
} para_pool_config;
#define PARA_POOL_CONFIG_INIT                                                               \
    {                                                                                       \
        sizeof(para_pool_config), 0, PARA_BIND_AUTO, 0, PARA_NULL_, PARA_NULL_, PARA_NULL_, \
            PARA_WAIT_AUTO, PARA_START_AUTO                                                 \
    }

/* What a pool is. */
typedef struct para_pool_info {
    size_t size;            /* set to sizeof(para_pool_info) by the caller */
    unsigned requested;     /* threads that were asked for, the caller among them */
    unsigned workers;       /* threads that a call can run on, the caller among them */
    unsigned lanes;         /* calls that can be shared at once; further ones run on their caller */
    unsigned pinned;        /* workers that are bound as asked */
    para_status pin_status; /* PARA_OK, or why workers are not bound, or may not run on all CPUs
                               of the process: _UNSUPPORTED or _DENIED */
    para_status thread_status; /* PARA_OK; PARA_ERR_THREAD: the system refused some of them, or
                                  their stacks would have left too little address space; or
                                  PARA_ERR_WORKER_INIT: there are none, since one's failed */
    bool forked;               /* in a child process: calls run serially until para_pool_restart */
    para_binding binding;      /* where its workers are to be bound; never PARA_BIND_AUTO */
} para_pool_info;

/* What a worker is. */
typedef struct para_worker_info {
    size_t size;     /* set to sizeof(para_worker_info) by the caller */
    int cpu;         /* the operating system's number of the CPU it is placed on, -1 if on none */
    unsigned domain; /* index of its NUMA node or shared L3 */
    bool pinned;     /* bound there */
} para_worker_info;

#ifdef __cplusplus
extern "C" {
#endif

/* Makes a pool. config NULL: all automatic. On success *pool is the caller's, to be given to
 * para_pool_destroy; on failure it is untouched and nothing is left behind.
 * A pool works with those threads that could be created and those bindings that were permitted;
 * para_pool_get_info tells. Each worker is placed on its own core as long as there are cores. The
 * thread that calls the pool works too, in the place of the worker on its core, and is never bound.
 * Returns before the threads run, unless config.start says otherwise. Calls need
 * not wait for them: a call runs with those that are up, and the others join it when they are.
 * Any thread. Not a cancellation point of pthread_cancel.
 * Errors: PARA_ERR_ARGUMENT (config), _ENVIRONMENT (a variable, named by para_status_detail),
 * _MEMORY, _TOPOLOGY, _WORKER_INIT. */
PARA_API para_status para_pool_create(para_pool **pool, const para_pool_config *config);

/* Waits until all threads of the pool are up and its costs are measured; nothing else needs that,
 * but a program that measures, or wants to know whether all is well before it begins. Some threads
 * may have been refused (para_pool_get_info). pool NULL: the default pool. Any thread; not a
 * cancellation point.
 * Errors: PARA_ERR_WORKER_INIT: a worker_init failed, and calls run on their caller alone; _BUSY:
 * in a worker_init of the pool; _FORKED: in a child of fork(), if the pool was not ready then; for
 * NULL those of para_pool_create. */
PARA_API para_status para_pool_wait_ready(para_pool *pool);

/* Likewise, until a point in time (para/deadline.h; 0: does not wait). Also PARA_ERR_TIMEOUT. */
PARA_API para_status para_pool_wait_ready_until(para_pool *pool, uint64_t deadline_ns);

/* Ends the threads and frees the pool, also while it starts. NULL is allowed. The caller sees to it
 * that no call is running or made on it. Must not be called from within a kernel of the same pool,
 * unless it ends the process: the kernel calls exit(), and a static destructor comes here. If the
 * kernel's call is shared, nothing happens then. In a child of fork() only memory is freed. Not a
 * cancellation point. */
PARA_API void para_pool_destroy(para_pool *pool);

/* Gives back the memory that calls have left with the pool for calls to come: partial results and
 * scratch. What calls in flight use stays. Without being asked, a pool keeps what recent calls
 * needed, so that calls that are repeated allocate nothing; from 1 MiB on, what none has needed for
 * a second is given back by the next call, of whatever kind. NULL: the default pool, if it was
 * made. Any thread, also while calls run. Does nothing in a child of fork(). */
PARA_API void para_pool_trim(para_pool *pool);

/* In a child process: starts the threads of a pool that was made before the fork, as
 * para_pool_create did, worker_init included; what is known of kernels stays. In the process that
 * made the pool it does nothing. On failure the pool goes on to run calls serially. The caller sees
 * to it that no call runs on the pool meanwhile. Not a cancellation point. pool NULL: the default
 * pool, which needs no restart.
 * Errors: PARA_ERR_BUSY: within a kernel of the pool, unless its call runs alone and has no memory
 * of the pool's (scratch, partial results); _WORKER_INIT; for NULL those of para_pool_create. */
PARA_API para_status para_pool_restart(para_pool *pool);

/* The pool that calls with pool NULL use: made on first use as by para_pool_create(&p, NULL),
 * shared by all threads, never destroyed before the process ends; in a child of fork(), made anew.
 * NULL if it cannot be made; the next call tries again. Not to be destroyed. Any thread. */
PARA_API para_pool *para_default_pool(void);

/* Fills *info, whose size the caller has set. pool NULL: the default pool. Any thread. Waits until
 * the pool is ready, but for a pool that was starting when the process forked, and in worker_init:
 * there nothing is known of threads yet.
 * Errors: PARA_ERR_ARGUMENT; what para_pool_create returns. */
PARA_API para_status para_pool_get_info(para_pool *pool, para_pool_info *info);

/* Fills *info for worker index, 0 .. workers - 1 of the pool info. Otherwise as para_pool_get_info.
 */
PARA_API para_status para_pool_get_worker(para_pool *pool, unsigned index, para_worker_info *info);

#ifdef __cplusplus
}
#endif
#endif
