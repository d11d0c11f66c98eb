/* program.c SCENARIO: what check.py takes traces of. */
#include "../common/check.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { N = 20000, CALLS = 20, TASKS = 300 };

static double x[N];
static _Atomic unsigned ran;

PARA_LOOP(shared_loop, i, double *, v)
{
    v[i] += 1;
}

PARA_LOOP(alone_loop, i, double *, v)
{
    v[i] -= 1;
}

static int count_task(void *arg)
{
    ran++;
    return arg != NULL;
}

static int tasks_within(void *arg)
{
    para_task inner[4] = {{0}};
    for (int i = 0; i < 4; i++) {
        inner[i] = (para_task){.run = count_task, .id = 7};
        para_must(para_submit(arg, &inner[i]));
    }
    for (int i = 0; i < 4; i++)
        para_must(para_task_wait(&inner[i]));
    return 0;
}

static void call_loops(para_pool *pool, int times)
{
    for (int i = 0; i < times; i++) {
        para_must(para_loop_with(
            (&(para_setup){.pool = pool,
                           .options = {.executor = PARA_EXECUTOR_THREADS, .chunk = 1000}}),
            shared_loop, N, x));
        para_must(para_loop_with(
            (&(para_setup){.pool = pool, .options = {.executor = PARA_EXECUTOR_SERIAL}}),
            alone_loop, N, x));
    }
}

static void submit_tasks(para_pool *pool)
{
    static para_task task[TASKS];
    para_cancel cancel = {0};
    para_cancel_request(&cancel);
    for (int i = 0; i < TASKS; i++) {
        task[i] = (para_task){.run = count_task, .id = (uint64_t)i, .arg = i % 3 ? NULL : &x};
        if (i % 10 == 1)
            task[i].cancel = &cancel;
        if (i % 10 == 2) {
            task[i].run = tasks_within;
            task[i].arg = pool;
        }
        para_must(para_submit(pool, &task[i]));
    }
    for (int i = 0; i < TASKS; i++)
        DROP(para_task_wait(&task[i]));
}

static void work(void)
{
    para_pool *const pool = check_pool(3);
    call_loops(pool, CALLS);
    submit_tasks(pool);
    para_must(para_pool_destroy(pool));
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

/* Works until the trace has something. */
static void killed(void)
{
    para_pool *const pool = check_pool(3);
    para_trace_info info = {.size = sizeof info};
    do {
        call_loops(pool, CALLS);
        pause_ms(5);
        para_must(para_trace_get(&info));
    } while (info.events < 100);
    kill(getpid(), SIGKILL);
}

static void exits(void)
{
    call_loops(NULL, CALLS);
    exit(3);
}

/* A child that takes no part, one that takes a trace of its own into the same folder. */
static void forks(void)
{
    if (!CHILDREN_HAVE_THREADS || !FORKS_AMID_THREADS) {
        puts("skip");
        return;
    }
    call_loops(NULL, CALLS);
    const pid_t child = fork();
    if (child == 0) {
        para_trace_info info = {.size = sizeof info};
        para_must(para_trace_get(&info));
        if (info.is_on)
            abort();
        call_loops(NULL, CALLS);
        para_must(para_trace_start("child.json"));
        call_loops(NULL, 1);
        para_must(para_trace_stop());
        exit(0);
    }
    int status;
    if (waitpid(child, &status, 0) != child || status != 0)
        abort();
    call_loops(NULL, 1);
}

/* Two traces one after the other: the second has its own events only. */
static void twice(void)
{
    para_trace_info info = {.size = sizeof info};
    para_must(para_trace_start("first.json"));
    call_loops(NULL, CALLS);
    para_must(para_trace_stop());
    call_loops(NULL, CALLS);
    para_must(para_trace_start("second-%p.json"));
    call_loops(NULL, 1);
    para_must(para_trace_stop());
    para_must(para_trace_get(&info));
    printf("%ju %ju\n", (uintmax_t)info.events, (uintmax_t)info.dropped);
}

static const struct {
    const char *name;
    void (*run)(void);
} scenarios[] = {
    {"work", work}, {"killed", killed}, {"exits", exits}, {"forks", forks}, {"twice", twice},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; i < COUNT_OF(scenarios) && argc == 2; i++)
        if (strcmp(argv[1], scenarios[i].name) == 0) {
            scenarios[i].run();
            return 0;
        }
    return 2;
}
