/* Tasks of the soak, and what is counted of them: here, in `run`, in `done` and by those who wait,
 * and not by para. */
#ifndef PARA_TESTS_SOAK_H
#define PARA_TESTS_SOAK_H

#include "stress.h"

enum { ELEMENTS = 300 };

/* ---- Counts --------------------------------------------------------------------------- */

typedef enum count {
    ACCEPTED,
    COMPLETED,
    FAILED,
    CANCELLED,
    DROPPED,
    REFUSED, /* not accepted: the queue was full */
    CALLS,
    POOLS,
    SIZES,
    COUNTS
} count;

static _Atomic uint64_t counts[COUNTS];
static _Atomic unsigned violations;
static _Atomic bool enough;

static void count_one(count which)
{
    atomic_fetch_add_explicit(&counts[which], 1, memory_order_relaxed);
}

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    if (atomic_fetch_add(&violations, 1) < 10)
        fprintf(stderr, "soak: %s\n", what);
}

static uint64_t now_ns(void)
{
    return para_deadline_after(0);
}

/* ---- Tasks ---------------------------------------------------------------------------- */

typedef struct job {
    para_task task; /* first: done gets its address */
    para_pool *pool;
    _Atomic unsigned runs, ends;
    unsigned depth; /* of tasks that it submits itself */
    unsigned steps; /* of work */
    bool fails, is_call, frees_itself;
    bool is_doomed; /* its token was requested, or its deadline had passed, when it came */
    uint64_t result;
    para_map call;
    uint64_t out[ELEMENTS];
} job;

static int run(void *arg);

static void done(para_task *task)
{
    job *j = (job *)task;
    const bool is_run = task->status == PARA_OK || task->status == PARA_ERR_TASK;
    const unsigned runs = atomic_load(&j->runs);
    must(atomic_fetch_add(&j->ends, 1) == 0, "a task has ended twice");
    must(j->is_call || runs == (is_run ? 1 : 0), "a task was run as often as its status says");
    must(!is_run || !j->is_doomed, "a task was run in spite of its token or deadline");
    switch (task->status) {
    case PARA_OK:
        count_one(COMPLETED);
        break;
    case PARA_ERR_TASK:
        count_one(FAILED);
        break;
    case PARA_ERR_CANCELLED:
        count_one(CANCELLED);
        break;
    case PARA_ERR_DEADLINE:
    case PARA_ERR_ENDING:
        count_one(DROPPED);
        break;
    default:
        must(false, para_status_text(task->status));
    }
    if (j->frees_itself)
        free(j);
}

static void make_job(job *j, para_pool *pool)
{
    j->task = (para_task){.run = run, .arg = j, .done = done};
    j->pool = pool;
    atomic_store(&j->runs, 0);
    atomic_store(&j->ends, 0);
    j->depth = j->steps = 0;
    j->fails = j->is_call = j->frees_itself = j->is_doomed = false;
    j->result = 0;
}

static bool submit(job *j, uint64_t deadline_ns)
{
    const para_status status =
        j->is_call ? para_pmap_submit_until(j->pool, &j->call, &j->task, deadline_ns)
                   : para_submit_until(j->pool, &j->task, deadline_ns);
    count_one(status ? REFUSED : ACCEPTED);
    must(!status || (status == PARA_ERR_TIMEOUT && deadline_ns != PARA_DEADLINE_NEVER),
         "a task was refused without need");
    return !status;
}

static void check_over(const job *j, para_status waited)
{
    must(atomic_load(&j->ends) == 1, "a wait has returned before the end");
    must(waited == j->task.status, "a wait has returned another status than the task's");
    for (size_t i = 0; j->is_call && j->task.status == PARA_OK && i < ELEMENTS; i++)
        must(j->out[i] == check_mix(i + j->steps), "a call that was a task has computed wrong");
}

/* A task with two below it, which wait in turn. */
static uint64_t descend(const job *parent)
{
    job below[2];
    for (unsigned i = 0; i < 2; i++) {
        make_job(&below[i], parent->pool);
        below[i].depth = parent->depth - 1;
        must(submit(&below[i], PARA_DEADLINE_NEVER), "a task of a task was refused");
    }
    uint64_t tasks = 1;
    for (unsigned i = 2; i-- > 0;) {
        check_over(&below[i], para_task_wait(&below[i].task));
        tasks += below[i].result;
    }
    return tasks;
}

static int run(void *arg)
{
    job *j = arg;
    atomic_fetch_add(&j->runs, 1);
    uint64_t x = j->steps;
    for (unsigned i = 0; i < j->steps; i++)
        x = check_mix(x);
    j->result = x;
    if (j->depth)
        j->result = descend(j);
    return j->fails ? 1 + (int)(x % 7) : 0;
}

/* ---- Calls ---------------------------------------------------------------------------- */

static int mix_all(const para_chunk *chunk, const void *arg)
{
    uint64_t *out = chunk->out[0];
    for (size_t i = 0; i < chunk->count; i++)
        out[i] = check_mix(chunk->first + i + *(const unsigned *)arg);
    return 0;
}

PARA_COMBINE(add, uint64_t, s, t, s += t)

static void call(para_pool *pool, uint64_t *seed)
{
    const unsigned salt = (unsigned)check_below(seed, 1000);
    uint64_t out[ELEMENTS];
    uint64_t expected = 0;
    uint64_t sum = 0;
    for (size_t i = 0; i < ELEMENTS; i++)
        expected += check_mix(i + salt);
    must(para_pmap(pool, &(para_map){.kernel = mix_all,
                                     .arg = &salt,
                                     .count = ELEMENTS,
                                     .out = {PARA_OUT(out)},
                                     .options.executor = PARA_EXECUTOR_THREADS}) == PARA_OK,
         "a map has failed");
    must(para_preduce(pool, &(para_reduce){.kernel = sum_all,
                                           .combine = add,
                                           .count = ELEMENTS,
                                           .in = {PARA_IN(out)},
                                           .result = &sum,
                                           .result_bytes = sizeof sum,
                                           .options.executor = PARA_EXECUTOR_THREADS}) == PARA_OK,
         "a reduction has failed");
    must(sum == expected, "a call has computed wrong");
    count_one(CALLS);
}

#endif
