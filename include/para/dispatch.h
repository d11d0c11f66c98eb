/* Dispatch by name: functions that a pool keeps under a name, and requests that call them as tasks.
 *
 *     static int rank(para_request *r, void *index)
 *     {
 *         const query *q = r->request;
 *         r->response_bytes = search(index, q, r->response, r->response_room);
 *         return 0;
 *     }
 *     ...
 *     para_entry entry = PARA_ENTRY_INIT;
 *     entry.run = rank;
 *     entry.arg = &index;
 *     entry.request_least = entry.request_most = sizeof(query);
 *     para_must(para_register(pool, "rank", &entry));
 *     ...
 *     para_request r = {.task = {.deadline_ns = para_deadline_after(50000000)}};
 *     status = para_dispatch(pool, "rank", &q, sizeof q, &hits, sizeof hits, &r);
 *     ...
 *     if (para_task_wait(&r.task) == PARA_OK) ...the first r.response_bytes of hits...
 *
 * A request is a task with a function that is found by its name, and has all that a task has:
 * priority, deadline, token, group, `done`, a descriptor. As a task it is the caller's memory, and
 * nothing is allocated for it. From para_dispatch until its end has been seen, the request, and the
 * bytes that it names, are para's: the caller neither changes nor frees them.
 *
 * The table is the pool's, and is freed with it. The default pool has one too; in a child of fork()
 * that pool is a new one, without names. A pool that was made before the fork keeps its names, and
 * serves them again after para_pool_restart.
 *
 * A breaker watches a name's errors. While it is open, requests are refused at once, so a service
 * that fails is left alone for a while, and its callers do not queue up behind it:
 *
 *                     too many errors
 *       CLOSED --------------------------> OPEN
 *         ^                               |    ^
 *         | all probes succeed      pause |    | a probe fails
 *         |                               v    |
 *         +----------------------------- PROBING
 *
 * Source of the circuit breaker: Nygard, "Release It!", 2007; its defaults are those of Netflix's
 * Hystrix. */
#ifndef PARA_DISPATCH_H
#define PARA_DISPATCH_H

#include <para/pool.h>
#include <para/task.h>

/* A name has 1 to PARA_NAME_BYTES - 1 bytes, none of them a blank or a control character. A pool
 * keeps at most PARA_NAMES of them, those included that are no longer registered. */
enum { PARA_NAME_BYTES = 64, PARA_NAMES = 4096 };

/* Zero but for what is set: para_request r = {.task = {.priority = 1}}; */
typedef struct para_request {
    para_task task;   /* as in para/task.h, but for run and arg, which are para's. `done` gets the
                         address of this member, which is also that of the request */
    uint32_t version; /* that the caller speaks; 0: whichever */

    /* Set by para_dispatch, for the function to read. */
    const void *request; /* request_bytes of them; NULL if there are none */
    size_t request_bytes;
    void *response; /* room for response_room bytes; NULL if there is none */
    size_t response_room;

    /* Set by the function, valid once the task is over: how many bytes of the response it has
     * written. 0 if it did not begin. If it has returned other than 0, this may be more than the
     * room, and tells what it would have needed. */
    size_t response_bytes;

    /* para's. */
    struct para_named_ *named_;
    void (*done_)(para_task *task);
    uint32_t period_;
} para_request;

/* When the requests of a name are refused. All zero: no breaker. A member that is 0 has the default
 * named beside it. */
typedef struct para_breaker {
    unsigned error_percent; /* opens when at least this share of the window's calls has failed, 1 to
                               100; 0: there is no breaker */
    unsigned least_calls;   /* but not while fewer have ended in the window; 0: 20 */
    uint64_t window_ns;     /* how far back it looks, to a tenth of that; 0: 10 s */
    uint64_t pause_ns;      /* how long it is open; 0: 5 s */
    unsigned probes;        /* requests that are let through after that; 0: 1 */
    bool (*is_failure)(int result); /* whether that result counts as a failure: what the function
                                       returned, or PARA_ERR_LENGTH (see run). Any thread; does not
                                       call para. NULL: if it is not 0 */
    uint64_t (*now_ns)(void);       /* its clock, for tests; likewise. NULL: CLOCK_MONOTONIC */
} para_breaker;

/* What a pool keeps under a name. para_entry entry = PARA_ENTRY_INIT; */
typedef struct para_entry {
    size_t size; /* sizeof(para_entry) */

    /* Called once for each request, as a task's run (para/task.h). Of the request it reads the
     * members request, request_bytes, response, response_room, version, task.id, task.deadline_ns
     * and task.cancel, and writes response_bytes; it touches no other. It does not free the
     * request, also not a detached one. What it returns is in task.result; other than 0 is a
     * failure, and a wait for the task then returns PARA_ERR_TASK. If it returns 0 with more
     * response_bytes than there is room for, that is such a failure too, with PARA_ERR_LENGTH as
     * its result and no response_bytes. */
    int (*run)(para_request *r, void *arg);
    void *arg; /* of a pool of worker processes: NULL, or in a buffer of the pool. A request and its
                  response are copied for these */

    uint32_t version;        /* 0: it has none; requests that want one are refused */
    uint32_t oldest_version; /* the first that it still understands; 0: `version` alone */
    size_t request_least;    /* bytes of a request, at least */
    size_t request_most;     /* and at most; 0: any number */
    size_t response_least;   /* bytes of room for the response, at least */
    para_breaker breaker;
} para_entry;
#define PARA_ENTRY_INIT                                            \
    {                                                              \
        sizeof(para_entry), PARA_NULL_, PARA_NULL_, 0, 0, 0, 0, 0, \
        {                                                          \
            0, 0, 0, 0, 0, PARA_NULL_, PARA_NULL_                  \
        }                                                          \
    }

typedef enum para_breaker_state {
    PARA_BREAKER_CLOSED = 0, /* requests are let through */
    PARA_BREAKER_OPEN,       /* refused, until the pause is over and a request comes after it */
    PARA_BREAKER_PROBING     /* half-open: `probes` of them are let through, the others refused */
} para_breaker_state;

/* What is known of a name. */
typedef struct para_entry_info {
    size_t size; /* set to sizeof(para_entry_info) by the caller */
    char name[PARA_NAME_BYTES];
    bool is_registered; /* false: it was; then inflight is that of now, what the breaker
                           tells is 0, and the rest is as it was registered last */
    uint32_t version;   /* these as registered */
    uint32_t oldest_version;
    size_t request_least;
    size_t request_most;
    size_t response_least;
    unsigned inflight;          /* requests that were accepted and are not over */
    para_breaker_state breaker; /* CLOSED too if there is none */
    unsigned calls;             /* ended in the breaker's window; 0 while it is not closed, and if
                                   there is none */
    unsigned failures;          /* of these */
    uint64_t probe_ns;          /* while it is open: when it will let a probe through, on its clock;
                                   else 0 */
} para_entry_info;

#ifdef __cplusplus
extern "C" {
#endif

/* Keeps a copy of the entry, and of the name, in the pool's table; NULL: the default pool's. The
 * function and arg stay valid until para_unregister has returned PARA_OK, or the pool's end; so do
 * the breaker's is_failure and now_ns, which requests and questions use. Any thread, also while
 * requests are dispatched, and within tasks.
 * Errors: PARA_ERR_ARGUMENT (a NULL, no run, a name that is none, least above most, an oldest
 * version above the version, a percentage above 100, PARA_NAMES names), _BUSY (the name is
 * registered; or it was, and requests of that time are not over), _FORKED (the pool is the parent
 * process's), _NOT_SHARED (worker processes cannot see arg), _MEMORY; for NULL _TOPOLOGY. */
PARA_NODISCARD_ PARA_API para_status para_register(para_pool *pool, const char *name,
                                                   const para_entry *entry);

/* From its beginning on the name is unknown to para_dispatch. Then it waits until no request of it
 * is queued or runs: after PARA_OK the function and arg are not used any more, and may be freed or
 * unloaded. (A request's `done` may still run.) Requests that were accepted are carried out, not
 * dropped. _until gives up at a deadline (0: does not wait) with PARA_ERR_TIMEOUT; the name is
 * unknown nevertheless, and a further call waits on, or finds nothing left (PARA_ERR_NAME). Within
 * a task or a shared kernel of the pool it does not wait, since that might last for ever:
 * PARA_ERR_BUSY if there is something to wait for, likewise. Any thread.
 * Errors: PARA_ERR_ARGUMENT (name NULL), _NAME (unknown, and nothing to wait for), _TIMEOUT, _BUSY,
 * _FORKED; for NULL as pool _MEMORY, _TOPOLOGY. */
PARA_NODISCARD_ PARA_API para_status para_unregister(para_pool *pool, const char *name);
/* Likewise, but waits until a deadline at most. */
PARA_NODISCARD_ PARA_API para_status para_unregister_until(para_pool *pool, const char *name,
                                                           uint64_t deadline_ns);

/* Submits the request r as a task that calls the function of that name. The name is looked up
 * without a lock, and not kept. Request and response may be the same memory if the function allows
 * it. While the pool starts, or its queue is full, para_dispatch waits, as para_submit does, and
 * para_dispatch_until until a deadline (0: does not wait). On failure nothing is run, and the
 * request keeps result and status of its former run. para_status_detail says what was wanted and
 * what was given. Any thread.
 * Errors: PARA_ERR_NAME (nothing is registered under the name), _VERSION, _LENGTH (the request is
 * too short or too long, or there is too little room for the response), _OPEN (the name's breaker
 * is open), _ARGUMENT (r or name NULL, bytes at NULL), and those of para_submit. */
PARA_NODISCARD_ PARA_API para_status para_dispatch(para_pool *pool, const char *name,
                                                   const void *request, size_t request_bytes,
                                                   void *response, size_t response_bytes,
                                                   para_request *r);
/* Likewise, but waits until a deadline at most. */
PARA_NODISCARD_ PARA_API para_status para_dispatch_until(para_pool *pool, const char *name,
                                                         const void *request, size_t request_bytes,
                                                         void *response, size_t response_bytes,
                                                         para_request *r, uint64_t deadline_ns);

/* Fills *info for a name that is or was registered; the caller has set its size. Any thread.
 * Errors: PARA_ERR_ARGUMENT, _NAME, _FORKED; for NULL as pool _MEMORY, _TOPOLOGY. */
PARA_NODISCARD_ PARA_API para_status para_get_entry(para_pool *pool, const char *name,
                                                    para_entry_info *info);

/* Likewise for the name with that index. Names are counted from 0 in the order in which they were
 * first registered, and keep their index as long as the pool lives:
 *     for (unsigned i = 0; !para_list_entry(pool, i, &info); i++) ...
 * Errors: as para_get_entry; PARA_ERR_NAME beyond the last one. */
PARA_NODISCARD_ PARA_API para_status para_list_entry(para_pool *pool, unsigned index,
                                                     para_entry_info *info);

#ifdef __cplusplus
}
#endif
#endif
