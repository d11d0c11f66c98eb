/* program.c SCENARIO: what check.py takes traces of. */
#include "../common/check.h"

#include <pthread.h>
#include <setjmp.h>
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

static void note(const para_log_entry *e, void *arg)
{
    (void)arg;
    if (e->id == PARA_LOG_TASK_DROPPED) /* a busy machine may have more to tell */
        printf("told %ju\n", (uintmax_t)e->subject);
}

static void drop_task(para_pool *pool, uint64_t id)
{
    para_cancel cancel = {0};
    para_task task = {.run = count_task, .id = id, .cancel = &cancel};
    para_cancel_request(&cancel);
    para_must(para_submit(pool, &task));
    if (para_task_wait(&task) != PARA_ERR_CANCELLED)
        abort();
}

/* Is told for a time, between what PARA_LOG prints. */
static void listens(void)
{
    const para_log log = {.size = sizeof log, .entry = note};
    para_pool *const pool = check_pool(2);
    drop_task(pool, 1);
    para_must(para_log_start(&log));
    if (para_log_start(&log) != PARA_ERR_BUSY)
        abort();
    para_must(para_log_alarms());
    if (para_log_alarms() != PARA_ERR_BUSY)
        abort();
    drop_task(pool, 2);
    para_must(para_log_stop());
    para_stats stats = {.size = sizeof stats};
    para_must(para_stats_get(&stats));
    printf("alarms %d\n", stats.is_on);
    drop_task(pool, 3);
    printf("stops %d\n", para_log_stop() == PARA_OK);
    drop_task(pool, 4);
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

/* Has worked, and stays until its input ends. */
static void watched(void)
{
    char line[8];
    para_pool *const pool = check_pool(3);
    call_loops(pool, CALLS);
    submit_tasks(pool);
    if (getenv("PAGE") && para_page_start(getenv("PAGE")) != PARA_ERR_BUSY)
        abort();
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin))
        continue;
    para_must(para_pool_destroy(pool));
}

/* Dies at element 7000, the first time that a process gets there. */
static int die_once(const para_chunk *chunk, const void *arg)
{
    double *const out = chunk->out[0];
    _Atomic int *const lives = *(_Atomic int *const *)arg;
    for (size_t i = 0; i < chunk->count; i++) {
        out[i] = (double)(chunk->first + i);
        if (chunk->first + i == 7000 && (*lives)-- > 0)
            raise(SIGKILL);
    }
    return 0;
}

static void call_processes(para_pool *pool, double *v, _Atomic int *lives)
{
    const para_map map = {.kernel = die_once,
                          .arg = &lives,
                          .arg_bytes = sizeof lives,
                          .count = N,
                          .out = {{v, sizeof *v}},
                          .options = {.chunk = 1000}};
    para_must(para_pmap(pool, &map));
}

/* Worker processes: a call that nobody looks at, one in which a worker dies, one after that. */
static void processes(void)
{
    para_processes p = PARA_PROCESSES_INIT;
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    para_pool *pool;
    para_buffer *values, *count;
    config.workers = 2;
    config.processes = &p;
    if (UNDER_QEMU || para_pool_create(&pool, &config)) {
        puts("skip");
        return;
    }
    para_must(para_buffer_create(&values, pool, N, sizeof(double), NULL));
    para_must(para_buffer_create(&count, pool, 1, sizeof(int), NULL));
    double *const v = para_buffer_data(values);
    _Atomic int *const lives = para_buffer_data(count);
    call_processes(pool, v, lives);
    para_must(para_trace_start("processes.json"));
    *lives = 1;
    call_processes(pool, v, lives);
    call_processes(pool, v, lives);
    para_stats now = {.size = sizeof now};
    para_must(para_stats_get(&now));
    para_buffer_destroy(values);
    para_buffer_destroy(count);
    para_must(para_pool_destroy(pool));
    para_must(para_trace_stop());
    printf("%ju\n", (uintmax_t)now.chunks);
}

PARA_SUM(sum_all, double, i, const double *, v)
{
    return v[i];
}

PARA_SCAN_KERNEL(add_up, double, acc, double, v, acc += v)
PARA_FIND_KERNEL(is_seven, double, v, v == 7)

static void combine_sums(void *acc, const void *rhs, const void *arg)
{
    (void)arg;
    *(double *)acc += *(const double *)rhs;
}

static void call_alone(void)
{
    para_must(para_loop_with((&(para_setup){.options = {.executor = PARA_EXECUTOR_SERIAL}}),
                             alone_loop, N, x));
}

PARA_LOOP(outer_loop, i, double *, v)
{
    v[i] = 0;
    call_alone();
}

static int call_in_task(void *arg)
{
    (void)arg;
    call_alone();
    return 0;
}

/* A call of each form, one within another, and one within a task. */
static void forms(void)
{
    double total = 0;
    size_t found = 0;
    para_task task = {.run = call_in_task};
    call_loops(NULL, 1);
    para_must(para_reduce_to(&total, sum_all, N, x));
    const para_scan scan = {.kernel = add_up,
                            .combine = combine_sums,
                            .count = N,
                            .in = {{x, sizeof *x}},
                            .out = {{x, sizeof *x}},
                            .result = &total,
                            .result_bytes = sizeof total};
    para_must(para_pscan(NULL, &scan));
    const para_find find = {
        .kernel = is_seven, .count = N, .in = {{x, sizeof *x}}, .found = &found};
    para_must(para_pfind(NULL, &find));
    para_must(para_loop(outer_loop, 1, x));
    para_must(para_submit(NULL, &task));
    para_must(para_task_wait(&task));
}

static int call_often(void *arg)
{
    for (int i = 0; i < CALLS; i++) {
        para_must(para_loop_with(
            (&(para_setup){.options = {.executor = PARA_EXECUTOR_THREADS, .chunk = 100}}),
            shared_loop, 1000, (double *)arg));
        para_must(para_loop_with((&(para_setup){.options = {.executor = PARA_EXECUTOR_SERIAL}}),
                                 alone_loop, 1000, (double *)arg));
    }
    return 0;
}

/* Several threads make calls at the same time. */
static void crowd(void)
{
    static double own[9][1000];
    para_task task[8];
    for (int i = 0; i < 8; i++) {
        task[i] = (para_task){.run = call_often, .arg = own[i]};
        para_must(para_submit(NULL, &task[i]));
    }
    (void)call_often(own[8]);
    for (int i = 0; i < 8; i++)
        para_must(para_task_wait(&task[i]));
}

/* Kernels that are left by a jump, and a task that runs another while it waits. */
static _Thread_local sigjmp_buf home;

static int jump_out(const para_chunk *chunk, const void *arg)
{
    (void)chunk;
    (void)arg;
    siglongjmp(home, 1);
}

static int stay_in(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    return chunk->count == 0;
}

__attribute__((noinline)) static void call_kernel(para_map_fn *kernel)
{
    para_must(para_pmap(
        NULL,
        &(para_map){.kernel = kernel, .count = N, .options = {.executor = PARA_EXECUTOR_SERIAL}}));
}

static void *leave_call(void *arg)
{
    if (sigsetjmp(home, 1) == 0)
        call_kernel(jump_out);
    return arg;
}

static int wait_and_call(void *pool)
{
    para_task inner = {.run = count_task};
    para_must(para_submit(pool, &inner));
    para_must(para_task_wait(&inner));
    call_alone();
    return 0;
}

static void left(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, leave_call, NULL) != 0)
        abort();
    pthread_join(thread, NULL);
    (void)leave_call(NULL);
    call_kernel(stay_in);
    para_pool *const pool = check_pool(1);
    para_task task = {.run = wait_and_call, .arg = pool};
    para_must(para_submit(pool, &task));
    para_must(para_task_wait(&task));
    para_must(para_pool_destroy(pool));
}

static const struct {
    const char *name;
    void (*run)(void);
} scenarios[] = {
    {"work", work},   {"killed", killed},   {"exits", exits},         {"forks", forks},
    {"twice", twice}, {"watched", watched}, {"processes", processes}, {"forms", forms},
    {"crowd", crowd}, {"left", left},       {"listens", listens},
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
