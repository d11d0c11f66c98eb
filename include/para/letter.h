/* What a pool has not done: dead letters, and retries.
 *
 * A pool whose configuration has `dead_letter` gives it each task that has failed, was cancelled,
 * or was dropped by its deadline or by the pool's end. */
#ifndef PARA_LETTER_H
#define PARA_LETTER_H

#include <para/task.h>

/* A task that is not done, and why. */
typedef struct para_letter {
    para_task *task; /* NULL: it is detached, has begun and has no `done`, so it may be freed */
    int (*run)(void *arg); /* these three are the task's; a call's, or a request's, are para's */
    void *arg;
    uint64_t id;
    para_task_state state; /* PARA_TASK_FAILED, _CANCELLED or _DROPPED */
    para_status status; /* why: PARA_ERR_TASK, or that of a call; _CANCELLED; _DEADLINE; _ENDING */
    int result;         /* of a task that has failed: what it returned, or PARA_TASK_LEFT */
} para_letter;

/* A task that is tried again if it fails, after a time that doubles. Zero but for what is set:
 *
 *     para_retry retry = {.task = {.run = fetch, .arg = &page}, .attempts = 4};
 *     status = para_retry_wait(pool, &retry, PARA_DEADLINE_NEVER);
 *
 * Nothing is allocated, and no thread waits on its behalf: that is the caller of para_retry_wait,
 * or an event loop that calls para_retry_step. A failure that is followed by another attempt is no
 * dead letter; the last one is. The task's deadline and token are those of all attempts together.
 * */
typedef struct para_retry {
    para_task task;    /* not detached. Each attempt has its `done` and its group */
    unsigned attempts; /* at most; 0: 5 */
    uint64_t first_ns; /* before the second attempt; 0: 10 ms. Then twice as long each time, */
    uint64_t most_ns; /* but not longer than this; 0: 10 s. Of each a random part of up to a half is
                          left out, so that those that have failed together do not come back so */
    bool (*again)(const para_task *task); /* whether a failure is to be tried again; called by the
                                             thread that steps. NULL: what has failed is, what was
                                             cancelled or dropped is not */

    unsigned made; /* attempts that were submitted, so far or in all */

    /* para's. */
    uint64_t due_ns_;
    uint64_t random_;
    bool is_on_;
} para_retry;

#ifdef __cplusplus
extern "C" {
#endif

/* Submits the task, waits for it, and tries again as the retry says. Returns the outcome of the
 * last attempt, as para_task_wait does; then the retry is the caller's again, and begins anew if
 * it is given once more. Between attempts the calling thread sleeps until the time has come, the
 * token is requested (PARA_ERR_CANCELLED, or _DEADLINE) or the task's deadline has passed
 * (PARA_ERR_DEADLINE). Not within a task that has to end soon: it holds up a thread of the pool.
 * Errors: those of para_submit; PARA_ERR_ARGUMENT (retry NULL, a detached task); PARA_ERR_TIMEOUT:
 * not over at deadline_ns; the retry goes on with the next call. */
PARA_NODISCARD_ PARA_API para_status para_retry_wait(para_pool *pool, para_retry *retry,
                                                     uint64_t deadline_ns);

/* The same without waiting, for event loops: submits an attempt if one is due. PARA_ERR_TIMEOUT:
 * not over; call it again at *next_ns, which is PARA_DEADLINE_NEVER while an attempt is on its
 * way: then at the task's end (para_task_fd, `done`). */
PARA_NODISCARD_ PARA_API para_status para_retry_step(para_pool *pool, para_retry *retry,
                                                     uint64_t *next_ns);

#ifdef __cplusplus
}
#endif
#endif
