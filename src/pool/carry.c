#include "pool/carry.h"

#include "base/bounds.h"
#include "base/memory.h"
#include "base/status.h"
#include "task/names.h"

#include <string.h>

para_status para__carry_check(para_pool *pool, const para_task *task)
{
    if (!task->arg && task->arg_bytes)
        return para__fail(PARA_ERR_ARGUMENT, "arg is NULL, and arg_bytes is %zu", task->arg_bytes);
    if (!task->arg || task->arg_bytes || para__workshop_sees(pool->shop, task->arg, 1))
        return PARA_OK;
    return para__fail(PARA_ERR_NOT_SHARED, "arg is not in a buffer of the pool: set arg_bytes, so "
                                           "that it is copied, there and back");
}

/* What a worker process does of a task. */
typedef struct task_errand {
    int (*run)(void *arg); /* else: */
    int (*serve)(para_request *r, void *arg);
    para_request *request;
    void *arg;
} task_errand;

static void run_task_errand(const void *payload, size_t first, size_t count, para__runner *runner)
{
    const task_errand *const e = payload;
    const int result = e->serve ? e->serve(e->request, e->arg) : e->run(e->arg);
    para__runner_record(runner, first, count, result);
}

/* Once: para_retry tries again, from what the program has. */
static para_status have_run(para_pool *pool, para__desk *desk, const task_errand *e,
                            const para_cancel *cancel, int *result)
{
    const para__board_policy once = {.attempts = 1};
    const para__job job = {
        .run = run_task_errand, .payload = e, .payload_bytes = sizeof *e, .units = 1};
    para__outcome outcome = {0};
    para__lost lost;
    unsigned index = 0;
    const para_status status = para__desk_run(desk, &job, pool->requested, &once, cancel, &outcome);
    *result = 0;
    if (para__desk_next_lost(desk, &index, &lost)) {
        *result = (int)lost.death << 8 | (lost.number & 0xff);
        return PARA_ERR_WORKER_DIED;
    }
    if (!status && outcome.tally.ending == PARA__ENDED_FAILED)
        *result = outcome.tally.error;
    return status ? status : *result ? PARA_ERR_TASK : PARA_OK;
}

static para_status carry_plain(para_pool *pool, para__desk *desk, para_task *task, int *result)
{
    task_errand e = {.run = task->run, .arg = task->arg};
    if (task->arg_bytes) {
        e.arg = para__desk_arena(desk, 1, task->arg_bytes);
        if (!e.arg)
            return para__fail(PARA_ERR_MEMORY, "an argument of %zu bytes", task->arg_bytes);
        memcpy(e.arg, task->arg, task->arg_bytes);
    }
    const para_status status = have_run(pool, desk, &e, NULL, result);
    if (task->arg_bytes && (status == PARA_OK || status == PARA_ERR_TASK))
        memcpy(task->arg, e.arg, task->arg_bytes);
    return status;
}

/* The copy of a request has what its function may read, in one block with what it names. */
static para_status carry_request(para_pool *pool, para__desk *desk, para_request *r, int *result)
{
    const size_t head = para__round_up(sizeof *r, PARA__LINE);
    const size_t least = r->request_bytes, room = r->response_room;
    const bool is_one = r->request && r->request == r->response;
    const size_t first = is_one ? para__max(least, room) : least;
    if (first > SIZE_MAX / 4 || room > SIZE_MAX / 4)
        return para__fail(PARA_ERR_MEMORY, "a request of %zu bytes", least);
    const size_t second = head + para__round_up(first, PARA__LINE);
    char *const block = para__desk_arena(desk, 1, second + (is_one ? 0 : room));
    if (!block)
        return para__fail(PARA_ERR_MEMORY, "a request of %zu bytes", least);
    para_request *const copy = (para_request *)block;
    char *const response = is_one ? block + head : block + second;
    *copy = (para_request){.task = {.id = r->task.id, .deadline_ns = r->task.deadline_ns},
                           .version = r->version,
                           .request = r->request ? block + head : NULL,
                           .request_bytes = least,
                           .response = r->response ? response : NULL,
                           .response_room = room};
    if (r->task.cancel)
        copy->task.cancel = (para_cancel *)para__desk_token(desk);
    if (room)
        memcpy(response, r->response, room); /* what the function leaves as it was */
    if (least)
        memcpy(block + head, r->request, least);
    const para_entry *const entry = &r->named_->entry;
    const task_errand e = {.serve = entry->run, .request = copy, .arg = entry->arg};
    const para_status status = have_run(pool, desk, &e, r->task.cancel, result);
    if (status != PARA_OK && status != PARA_ERR_TASK)
        return status;
    r->response_bytes = copy->response_bytes;
    *result = para__request_result(r, *result);
    if (r->response && r->response_bytes)
        memcpy(r->response, response, para__min(r->response_bytes, room));
    return *result ? PARA_ERR_TASK : PARA_OK;
}

para_status para__carry_task(para_task *task, int *result)
{
    para_pool *const pool = task->pool_;
    para__desk *const desk = para__workshop_enter(pool->shop);
    *result = 0;
    para__desk_name(desk, &(para__work_name){true, (uintptr_t)task->run, task->id});
    const para_status status = task->run == para__request_run
                                   ? carry_request(pool, desk, (para_request *)task, result)
                                   : carry_plain(pool, desk, task, result);
    para__desk_leave(desk);
    return status;
}
