/* Pools: persistent, pinned worker threads with a life cycle. */
#ifndef PARA_POOL_H
#define PARA_POOL_H

#include <para/must.h>
#include <para/process.h>
#include <para/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct para_pool para_pool;
struct para_letter;

/* Where workers are bound. */
typedef enum para_binding {
    PARA_BIND_AUTO = 0, /* PARA_PROC_BIND, else PARA_BIND_CORE if the pool has a worker for every
                           core, else PARA_BIND_NONE: other processes would choose the same cores */
    PARA_BIND_CORE,     /* each worker to one core */
    PARA_BIND_DOMAIN,   /* each worker to all cores of its NUMA node or shared L3 */
    PARA_BIND_NONE,     /* not at all: each may run wherever the process may */
    PARA_BIND_PLACES    /* each worker to a place of config.places or PARA_PLACES; in
                           para_pool_info only: giving places asks for it */
} para_binding;

/* On which of the cores or places the workers of a pool are that has fewer of them. */
typedef enum para_distribution {
    PARA_DISTRIBUTE_AUTO = 0, /* PARA_PROC_BIND, else _CLOSE */
    PARA_DISTRIBUTE_CLOSE,    /* the first ones, so that they share caches and memory */
    PARA_DISTRIBUTE_SPREAD    /* evenly on all domains or places: more of both for each */
} para_distribution;

/* How threads wait: workers for calls, and a caller for its helpers. */
typedef enum para_wait_policy {
    PARA_WAIT_AUTO =
        0, /* PARA_WAIT_POLICY, else OMP_WAIT_POLICY if that is `passive`, else _ACTIVE */
    PARA_WAIT_ACTIVE, /* they spin for a while, as long as that pays for itself, then sleep */
    PARA_WAIT_PASSIVE /* they sleep at once: no CPU time is spent on waiting, and each call costs
                         wake-ups. For low rates of calls, and for CPUs that others need */
} para_wait_policy;

/* Whether para_pool_create waits for the pool's threads. */
typedef enum para_start {
    PARA_START_AUTO = 0,   /* _WAIT if the pool has a worker_init or a worker_exit, or with
                              PARA_DISPLAY_ENV; else _BACKGROUND */
    PARA_START_BACKGROUND, /* does not wait: threads start while the caller works, and help when
                              they are up */
    PARA_START_WAIT        /* waits for all threads, for their worker_init, and until the costs of
                              sharing are measured */
} para_start;

/* In which order tasks begin that threads outside of the pool submit with one priority. */
typedef enum para_task_order {
    PARA_TASKS_BY_ARRIVAL = 0, /* first in, first out */
    PARA_TASKS_BY_TURNS        /* round robin: a task of each submitter that has some, then the next
                                  of each; first in, first out for one submitter. A submitter is a
                                  thread, or has a number (para_task.submitter). Numbers that differ
                                  by a multiple of 64 share one turn; threads are numbered from 1 on
                                  as they submit their first such task */
} para_task_order;

/* A table by which a program lends its own threads to a pool, such as those of another runtime:
 * para_openmp_lender in <para/openmp.h> has one for OpenMP. */
typedef struct para_lender {
    size_t size; /* sizeof(para_lender) */

    /* How many threads a call that the calling thread makes now can have, itself among them; 1 (or
     * 0): none but itself. Every call asks, from whatever thread calls, so it takes no long time
     * and does not call para. */
    unsigned (*width)(void *self);

    /* Calls help(call) on the calling thread and on up to `helpers` other threads, at the same
     * time. A call waits for work and not for threads: any number of them may come, none or more
     * than that, early or late, and those without work return at once. If help(call) does not run
     * on the calling thread, that thread does all that is left after run returns. `run` may return
     * before others have come or gone, but all have returned before the pool is destroyed. Called
     * from several threads at once, and from help(call) if `width` says more than 1 there. It does
     * not fail, nor leave by a jump or an exception. */
    void (*run)(void *self, unsigned helpers, void (*help)(void *call), void *call);

    void *self; /* given to both */
} para_lender;

/* para_pool_config config = PARA_POOL_CONFIG_INIT; config.workers = 4; */
typedef struct para_pool_config {
    size_t size;      /* sizeof(para_pool_config) */
    unsigned workers; /* threads of a call, the caller among them, which takes the place of one; as
                         many run tasks (para_pool_info.usual has how many, if nobody says it), but
                         in a pool of 1 none does. 0: PARA_NUM_WORKERS, else the
                         first number of OMP_NUM_THREADS if it can be read, else the CPU budget. At
                         most 1024 */
    para_binding binding;

    /* Bytes of each worker's stack; 0: PARA_STACKSIZE, else OMP_STACKSIZE, else what `ulimit -s`
     * grants, at least 8 MiB and 256 MiB if it is unlimited (under `ulimit -v` a 64th of that
     * limit). Of the last two a part is taken where the system refuses the whole, but not less than
     * 8 MiB. At least 64 KiB are taken, or the system's least. The calling thread keeps its own
     * stack. */
    size_t stack_bytes;

    /* Run on each of the pool's own threads: worker_init when it begins, worker_exit when it ends;
     * either may be NULL. For what a library keeps for each thread, such as uselocale(). worker:
     * the index of para_pool_get_worker. A pool of one worker has no threads, and neither runs on
     * the calling thread. Several threads may be in worker_init at once. If worker_init returns
     * other than 0, there is no pool: para_pool_create returns PARA_ERR_WORKER_INIT, after the
     * others' worker_exit. With PARA_START_BACKGROUND the pool exists already: its threads end,
     * calls run on their caller alone, and para_pool_wait_ready returns PARA_ERR_WORKER_INIT.
     * worker_exit runs for each thread whose worker_init has returned 0, by the end of
     * para_pool_create or para_pool_destroy. Both may make calls on another pool. Neither ends its
     * thread nor leaves by a jump or an exception. */
    int (*worker_init)(unsigned worker, void *worker_arg);
    void (*worker_exit)(unsigned worker, void *worker_arg);
    void *worker_arg;

    para_wait_policy wait_policy;
    para_start start;

    /* NULL: the pool has threads of its own. Else it has none: calls are helped by those that this
     * table lends, at most `workers` in one call, the caller among them (0: as many as `width`
     * says; PARA_NUM_WORKERS and OMP_NUM_THREADS are not read). The table is copied. binding,
     * distribution, places, stack_bytes, worker_init and worker_exit are not given then: they are
     * the lender's to say (PARA_ERR_ARGUMENT). wait_policy is how callers wait for the end of their
     * calls; with PARA_START_WAIT the costs of sharing are measured at once, on the calling thread
     * and those that it is lent. In a child of fork() calls run alone until para_pool_restart. If a
     * kernel of a shared call forks, the child ends when that kernel returns there, with
     * EXIT_FAILURE. */
    const para_lender *executor;

    /* Other than PARA_DISTRIBUTE_AUTO also pins workers, if nothing else says whether: each to a
     * core. */
    para_distribution distribution;

    /* Sets of CPUs to which workers are bound, in the grammar of PARA_PLACES: `{0:4},{4:4}`,
     * `cores(8)`, see the guide; read before para_pool_create returns. NULL: PARA_PLACES, if
     * binding is PARA_BIND_AUTO and PARA_PROC_BIND is not `false`. With places, the default of
     * `workers` is at most the number of places or of cores in them, whichever is larger; of the
     * first one of PARA_PLACES alone if PARA_PROC_BIND=primary. binding is not given then. */
    const char *places;

    /* Tasks from threads outside that wait in the pool's queue (para/task.h) at most; 0: automatic,
     * 65536. */
    unsigned task_capacity;

    para_task_order task_order;

    /* A pool that adapts: its size (para_pool_resize) follows its load, between these. It begins
     * with the least, grows within some 20 ms while tasks wait or all workers are busy, and shrinks
     * after seconds without need; under bursts that go on it comes to rest. Both 0: it does not.
     * With a least of 1 calls alone do not make it grow: 2 or more, if calls are to. Who submits
     * looks, and workers between two tasks: while all of them block, and nobody submits, it does
     * not grow. So tasks must not wait there for what is queued behind them. */
    unsigned least_workers; /* 0: 1 */
    unsigned most_workers;  /* at most `workers`, which is what 0 says */

    /* Gets each task that failed, was cancelled or was dropped (para/letter.h); NULL: nobody.
     * Called once for each, when the task has its outcome, before its `done` and before anybody's
     * wait returns, on the thread that has run or dropped it: a worker, a thread that waits for
     * tasks or submits one, or who ends the pool. Several threads may be in it at once. May make
     * calls and submit other tasks, also to this pool: while it ends, they get PARA_ERR_ENDING.
     * Must not end its thread, nor leave by a jump or an exception. The letter is valid until it
     * returns. */
    void (*dead_letter)(const struct para_letter *letter, void *dead_letter_arg);
    void *dead_letter_arg;

    /* NULL: the pool's workers are threads. Else they are processes (para/process.h): calls run on
     * them alone, not on the calling thread, with the same bits as on threads, and so do tasks
     * (para/task.h). Of calls at the same time each worker takes what is free, in turn. The table
     * is copied.
     *
     * They are forked from a child of this process that is forked before para_pool_create returns,
     * and so find all memory as it was then, apart from the pool's buffers (para_buffer_create with
     * this pool) and from mapped files (para_buffer_map_file). That fork is made by a thread of the
     * pool: handlers of pthread_atfork run, locks that other threads hold at that moment stay held
     * in workers, and stack_bytes is what kernels have. Nothing else runs in that child but the
     * pool's own code.
     * When libraries have been loaded since, the next call has it and the workers forked anew. It
     * waits for that, so its thread holds no lock that a handler of pthread_atfork takes. Workers
     * have standard output and error of this process, and no other descriptors; no signal handlers;
     * they dump no core, and end when this process does.
     *
     * worker_init, worker_exit, executor, least_workers and most_workers are not given then
     * (PARA_ERR_ARGUMENT). In a child of fork() the pool can only be destroyed (PARA_ERR_FORKED).
     * Linux 5.3 or later, else PARA_ERR_UNSUPPORTED. */
    const para_processes *processes;
} para_pool_config;
#define PARA_POOL_CONFIG_INIT                                                                 \
    {                                                                                         \
        sizeof(para_pool_config), 0, PARA_BIND_AUTO, 0, PARA_NULL_, PARA_NULL_, PARA_NULL_,   \
            PARA_WAIT_AUTO, PARA_START_AUTO, PARA_NULL_, PARA_DISTRIBUTE_AUTO, PARA_NULL_, 0, \
            PARA_TASKS_BY_ARRIVAL, 0, 0, PARA_NULL_, PARA_NULL_, PARA_NULL_                   \
    }

/* What a pool is. */
typedef struct para_pool_info {
    size_t size;               /* set to sizeof(para_pool_info) by the caller */
    unsigned requested;        /* threads asked for, the caller among them */
    unsigned workers;          /* threads that a call can run on, the caller among them, as
                                  para_pool_resize has set it */
    unsigned lanes;            /* calls that can be shared at once; others run on their caller */
    unsigned pinned;           /* workers bound as asked, as the system has it now */
    para_status pin_status;    /* PARA_OK, or why workers are not bound, or may not run on all CPUs
                               of the process: _UNSUPPORTED or _DENIED */
    para_status thread_status; /* PARA_OK; PARA_ERR_THREAD: the system refused some of them, or
                                  their stacks would leave too little address space; or
                                  PARA_ERR_WORKER_INIT: the pool has none, because one failed */
    bool forked;               /* in a child process: calls run serially until para_pool_restart */
    para_binding binding;      /* where its workers are to be bound; never PARA_BIND_AUTO */
    bool lent;                 /* its threads are the program's (config.executor): workers is what
                                  the calling thread could have now */
    unsigned places;           /* those of config.places or PARA_PLACES; 0: none are given */
    unsigned places_dropped;   /* that were given besides, without a CPU that the process may use */
    unsigned loose;            /* workers that have given up their pins, because other threads use
                                  their CPUs; they take them back when that has ended. Pins that
                                  were asked for are not given up */
    bool processes;            /* its workers are processes (config.processes) */
    unsigned alive;            /* how many of those live now */
    uint64_t deaths;           /* how many have died since it was made */
    unsigned usual;            /* workers that a call is shared among unless its loop has been found
                                  to be faster on all: one for each core, where config.workers is
                                  0 and cores have several hardware threads; else `workers` */
} para_pool_info;

/* What a worker is. */
typedef struct para_worker_info {
    size_t size;      /* set to sizeof(para_worker_info) by the caller */
    int cpu;          /* the operating system's number of the CPU it is placed on, -1 if on none */
    unsigned domain;  /* index of its NUMA node or shared L3 */
    bool pinned;      /* bound there */
    unsigned cpus;    /* how many CPUs that binding lets it run on; 0: it is not to be bound */
    int process;      /* of a worker process: its number, 0 while there is none */
    unsigned deaths;  /* how often it has died, and was replaced */
    para_death death; /* how it has died the last time, with that signal or exit status */
    int death_number;
    unsigned restarts;   /* how often it was forked anew, also after a library was loaded */
    uint32_t beats;      /* chunks and tasks that it has finished; goes on from 2^32 - 1 to 0 */
    uint64_t busy_ns;    /* how long it has been at its present one; 0: it has none */
    size_t memory_bytes; /* in the machine's memory, shared ones included; 0: not known */
} para_worker_info;

#ifdef __cplusplus
extern "C" {
#endif

/* Makes a pool. config NULL: all automatic. On success *pool is the caller's, to be given to
 * para_pool_destroy; on failure it is untouched and nothing is left behind. A pool works with the
 * threads that could be created and the bindings that were permitted; para_pool_get_info has both.
 * Each worker is placed on its own core as long as there are cores. The thread that calls the pool
 * works too, in the place of the worker on its core, and is never bound. Returns before the threads
 * run, unless config.start says otherwise. A call runs with the threads that are up, and the others
 * join it when they are. Any thread. Not a cancellation point of pthread_cancel.
 * Errors: PARA_ERR_ARGUMENT (config), _ENVIRONMENT (a variable, named by para_status_detail),
 * _MEMORY, _TOPOLOGY, _WORKER_INIT; of a pool of processes _THREAD, _UNSUPPORTED. */
PARA_NODISCARD_ PARA_API para_status para_pool_create(para_pool **pool,
                                                      const para_pool_config *config);

/* Waits until all threads of the pool are up and its costs are measured. Calls do not need this. It
 * is for a program that measures, or that wants to know of failures before it begins. The system
 * may have refused some threads (para_pool_get_info). pool NULL: the default pool. Any thread; not
 * a cancellation point.
 * Errors: PARA_ERR_WORKER_INIT: a worker_init failed, and calls run on their caller alone; _BUSY:
 * called in a worker_init of the pool; _FORKED: in a child of fork(), if the pool was not ready
 * then; for NULL _MEMORY, _TOPOLOGY. */
PARA_NODISCARD_ PARA_API para_status para_pool_wait_ready(para_pool *pool);

/* The same, until a point in time (para/deadline.h; 0: does not wait). Also PARA_ERR_TIMEOUT. */
PARA_NODISCARD_ PARA_API para_status para_pool_wait_ready_until(para_pool *pool,
                                                                uint64_t deadline_ns);

/* Sets how many threads a call can have, the caller among them, and as many as run tasks, of these
 * para_pool_info.usual at most; between 1 and the number that the pool was made with. It holds for
 * calls that begin from then on, at once. Calls and tasks that run are not disturbed, and what is
 * queued is run. Threads beyond the size sleep, and nothing but a larger size or the end of the
 * pool wakes them. Where the system has refused some threads there are as many as there can be;
 * para_pool_info.workers has the number. In a pool of size 1, one thread runs tasks. Results do not
 * depend on the size. After a restart the pool has all its threads again. Waits until the pool is
 * ready. pool NULL: the default pool. Any thread, also within kernels and tasks; several at once:
 * one of their sizes remains.
 * Errors: PARA_ERR_ARGUMENT (0, more than the pool was made with, not between its least_workers and
 * most_workers), _UNSUPPORTED: its threads are lent, or its workers processes; _FORKED; _BUSY: in a
 * worker_init of the pool; for NULL _MEMORY, _TOPOLOGY. */
PARA_NODISCARD_ PARA_API para_status para_pool_resize(para_pool *pool, unsigned workers);

/* How para_pool_shutdown deals with tasks that nobody has begun. */
typedef enum para_shutdown {
    PARA_SHUTDOWN_DRAIN = 0, /* they are run */
    PARA_SHUTDOWN_DROP       /* they are dropped: PARA_TASK_DROPPED, PARA_ERR_ENDING */
} para_shutdown;

/* What a shutdown has left. */
typedef struct para_pool_left {
    uint64_t queued;  /* tasks that nobody has begun */
    uint64_t running; /* tasks that run, or wait within their function */
} para_pool_left;

/* Closes the pool at once, then waits until none of its tasks is left, or until a deadline
 * (para/deadline.h; 0: does not wait). From then on submissions and calls from outside are refused
 * with PARA_ERR_ENDING, those among them that wait for room in para_submit. What tasks and shared
 * kernels of the pool call and submit is still accepted; with _DROP no more tasks, only calls.
 * Calls that have begun go on. A wait for a task returns its outcome as ever. *left, unless NULL,
 * is what was left in the end: 0 and 0 with PARA_OK.
 *
 * May be repeated, by several threads too: drain until a deadline, then drop. _DROP stays in force.
 * The threads stay until para_pool_destroy. Within a task or a shared kernel of the pool the
 * deadline must be 0. Any thread; not a cancellation point.
 * Errors: PARA_ERR_TIMEOUT (something is left), _ARGUMENT (how; NULL or the default pool, which
 * lasts as long as the process), _BUSY (within the pool, with a deadline), _FORKED, _ENDING (it is
 * being destroyed). */
PARA_NODISCARD_ PARA_API para_status para_pool_shutdown(para_pool *pool, para_shutdown how,
                                                        uint64_t deadline_ns, para_pool_left *left);

/* Ends the threads and frees the pool, also while it starts. NULL is allowed. The pool is closed as
 * by para_pool_shutdown with _DROP. Tasks that run are waited for, and so are threads that are
 * inside a function of the pool: calls and waits finish, submissions may get PARA_ERR_ENDING. A
 * function must not be called with the pool once this has begun: other threads are told before by
 * para_pool_shutdown. Tasks that are over can be waited for and asked as long as their memory is
 * there. In a child of fork() only memory is freed. Any thread but one of the pool's; not a
 * cancellation point. The status may be ignored where none of these can happen.
 * Errors: PARA_ERR_BUSY (called by a worker, or within a task or a shared kernel of the pool, also
 * by a static destructor if a kernel calls exit(); or a watchdog looks at the pool; nothing
 * happens), _ARGUMENT (default pool). */
PARA_API para_status para_pool_destroy(para_pool *pool);

/* Gives back the memory that the pool keeps for later calls: partial results and scratch. What
 * running calls use stays. Unasked, a pool keeps what recent calls needed, so repeated calls
 * allocate nothing; blocks of 1 MiB and more that no call has needed for a second are given back by
 * the next call, of whatever kind. NULL: the default pool, if it was made. Any thread, also while
 * calls run. Does nothing in a child of fork(). */
PARA_API void para_pool_trim(para_pool *pool);

/* In a child process: starts the threads of a pool that was made before the fork, as
 * para_pool_create did, worker_init included; what is known of kernels stays. In the process that
 * made the pool it does nothing. On failure the pool continues to run calls serially. The caller
 * makes sure that no call runs on the pool meanwhile. Not a cancellation point. pool NULL: the
 * default pool, which needs no restart.
 * Errors: PARA_ERR_BUSY: within a kernel of the pool, unless its call runs alone and has no memory
 * of the pool's (scratch, partial results); _WORKER_INIT; for NULL _MEMORY, _TOPOLOGY. */
PARA_NODISCARD_ PARA_API para_status para_pool_restart(para_pool *pool);

/* The pool that calls with pool NULL use, made as by para_pool_create(&p, NULL), but see below;
 * shared by all threads, never destroyed before the process ends; in a child of fork() made anew.
 * Made by this function, by a call that is worth it, and by whatever else needs it; calls run alone
 * before that. Must not be destroyed. Any thread.
 *
 * A call with pool NULL computes, whatever the environment says. A malformed PARA_ variable is
 * ignored, and one line on standard error says so, once. A foreign variable that cannot be read
 * (OMP_, HWLOC_) is passed over. One line says so if there are fewer workers than PARA_NUM_WORKERS
 * asks for. If the system refuses the pool its memory, or shows no CPU, one line says so, and calls
 * run on their threads alone; they try again, more and more seldom. Then this function tries too,
 * and returns NULL if it fails again, with a detail. */
PARA_API para_pool *para_default_pool(void);

/* Fills *info; the caller has set its size. pool NULL: the default pool. Any thread. Waits until
 * the pool is ready. It does not wait in a worker_init, or for a pool that was starting when the
 * process forked: then nothing is known of threads yet. Errors: PARA_ERR_ARGUMENT; for
 * NULL _MEMORY, _TOPOLOGY. */
PARA_NODISCARD_ PARA_API para_status para_pool_get_info(para_pool *pool, para_pool_info *info);

/* Fills *info for worker index, 0 .. workers - 1 of the pool info. Otherwise as para_pool_get_info.
 */
PARA_NODISCARD_ PARA_API para_status para_pool_get_worker(para_pool *pool, unsigned index,
                                                          para_worker_info *info);

/* Sets cpus[0 .. count - 1] to the first CPUs that worker index is bound to, by the operating
 * system's numbers, ascending; on a described machine to those that it would be bound to. The
 * worker's info has their number. Otherwise as para_pool_get_info. Errors also: PARA_ERR_ARGUMENT
 * for a count above that number. */
PARA_NODISCARD_ PARA_API para_status para_pool_get_worker_cpus(para_pool *pool, unsigned index,
                                                               unsigned count, unsigned *cpus);

/* How many workers a load needs at least: `rate` tasks a second, each of which takes service_time
 * seconds of a worker's time. By Little's law that keeps rate * service_time workers busy on
 * average; fewer than one more, and the queue grows without bound. So the result is the next
 * integer above that product, 1 for no load, UINT_MAX if it is beyond that. A load that comes in
 * bursts, or waits that have to stay short, need more: with u = product / workers, a queue of
 * random arrivals is u / (1 - u) tasks long for one worker. 0: a value is negative or no number.
 * Source: Little, "A Proof for the Queuing Formula L = lambda W", 1961. A pure function. */
PARA_API unsigned para_littles_law(double rate, double service_time);

/* A block with a pool of its own, which is destroyed however the block is left, other than by a
 * jump out of a function; an exception of C++ does too. Then pool is NULL. If the pool cannot be
 * made, the program ends as by para_must.
 *
 *     para_pool *pool;
 *     PARA_WITH_POOL(&pool, &config)
 *         para_must(para_pmap(pool, &call)); */
#define PARA_WITH_POOL(pool, config)                                                         \
    PARA_WITH_(para_pool_scope_, PARA_NAME_(para_scope_, __COUNTER__), para_pool_scope_end_, \
               para_pool_scope_begin_(pool, config, __FILE__, __LINE__))

typedef struct para_pool_scope_ {
    para_pool **pool;
    int run;
} para_pool_scope_;

static inline para_pool_scope_
para_pool_scope_begin_(para_pool **pool, const para_pool_config *config, const char *file, int line)
{
    const para_pool_scope_ scope = {pool, 1};
    para_must_succeed_(para_pool_create(pool, config), "PARA_WITH_POOL", file, line);
    return scope;
}

static inline void para_pool_scope_end_(para_pool_scope_ *scope)
{
    (void)para_pool_destroy(*scope->pool);
    *scope->pool = PARA_NULL_;
}

#ifdef __cplusplus
}
#endif
#endif
