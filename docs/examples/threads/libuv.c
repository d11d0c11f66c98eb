/* libuv of docs/from-threads.md: work beside a loop with libuv's own threads and with para's, with
 * the same results. */
#include <para/para.h>
#include <stdio.h>
#include <unistd.h>
#include <uv.h>

enum { n = 20 };

static unsigned long computed[2][n];
static unsigned seen[2]; /* on the loop's thread */

static unsigned long collatz(unsigned long start)
{
    unsigned long steps = 0;
    for (unsigned long at = start; at > 1; steps++)
        at = at % 2 ? 3 * at + 1 : at / 2;
    return steps;
}

/* ---- uv_queue_work -------------------------------------------------------------------- */

static void work(uv_work_t *request)
{
    unsigned long *const at = request->data;
    *at = collatz((unsigned long)(at - computed[0]) + 27);
}

static void after_work(uv_work_t *request, int error)
{
    (void)request;
    seen[0] += error == 0;
}

static void queue_with_libuv(uv_loop_t *loop, uv_work_t *request, int i)
{
    request->data = &computed[0][i];
    uv_queue_work(loop, request, work, after_work);
}

/* ---- The same with para --------------------------------------------------------------- */

typedef struct job {
    para_task task;
    uv_poll_t poll;
    int fd;
    unsigned long *at;
} job;

static int run_job(void *arg)
{
    job *j = arg;
    *j->at = collatz((unsigned long)(j->at - computed[1]) + 27);
    return 0;
}

static void close_fd(uv_handle_t *handle)
{
    close(((job *)handle->data)->fd);
}

static void after_job(uv_poll_t *poll, int error, int events)
{
    job *j = poll->data;
    (void)events;
    seen[1] += error == 0 && para_task_wait(&j->task) == PARA_OK; /* it is over */
    uv_close((uv_handle_t *)poll, close_fd);
}

static void queue_with_para(uv_loop_t *loop, job *j)
{
    j->task = (para_task){.run = run_job, .arg = j};
    para_must(para_submit(NULL, &j->task));
    para_must(para_task_fd(&j->task, &j->fd)); /* readable when the task is over */
    uv_poll_init(loop, &j->poll, j->fd);
    j->poll.data = j;
    uv_poll_start(&j->poll, UV_READABLE, after_job);
}

/* ---- uv_async_send -------------------------------------------------------------------- */

static uv_async_t async;
static para_task task[n];
static _Atomic unsigned ended;

static void on_async(uv_async_t *handle) /* once for several sends, perhaps */
{
    if (ended < n)
        return;
    for (int i = 0; i < n; i++)
        para_must(para_task_wait(&task[i])); /* tell_loop has returned then */
    uv_close((uv_handle_t *)handle, NULL);
}

static void tell_loop(para_task *over) /* on the thread that has run it */
{
    (void)over;
    ended++;
    uv_async_send(&async);
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static void tell_by_async(uv_loop_t *loop)
{
    uv_async_init(loop, &async, on_async);
    for (int i = 0; i < n; i++) {
        task[i] = (para_task){.run = nothing, .done = tell_loop};
        para_must(para_submit(NULL, &task[i]));
    }
}

int main(void)
{
    static uv_work_t request[n];
    static job jobs[n];
    uv_loop_t loop;
    uv_loop_init(&loop);
    for (int i = 0; i < n; i++) {
        queue_with_libuv(&loop, &request[i], i);
        jobs[i].at = &computed[1][i];
        queue_with_para(&loop, &jobs[i]);
    }
    tell_by_async(&loop);
    uv_run(&loop, UV_RUN_DEFAULT);
    int failed = uv_loop_close(&loop) != 0 || seen[0] != n || seen[1] != n || ended != n;
    for (int i = 0; i < n; i++)
        failed += computed[0][i] != computed[1][i];
    printf("%u and %u results, %u told\n", seen[0], seen[1], (unsigned)ended);
    return failed;
}
