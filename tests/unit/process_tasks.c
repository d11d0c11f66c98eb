/* Tasks and requests on pools whose workers are processes; and several calls at the same time. */
#include "../common/processes.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum { WORKERS = 2, TASKS = 200 };

typedef struct job {
    int number, square, process;
} job;

static int square_number(void *arg)
{
    job *const j = arg;
    j->square = j->number * j->number;
    j->process = getpid();
    return 0;
}

static void *shared_memory(para_pool *pool, para_buffer **buffer, size_t bytes)
{
    OK(para_buffer_create(buffer, pool, bytes, 1, NULL));
    return para_buffer_data(*buffer);
}

static para_signals signals_of(para_pool *pool)
{
    para_signals s = {.size = sizeof s};
    OK(para_pool_get_signals(pool, &s));
    return s;
}

TEST(tasks_run_in_workers)
{
    para_pool *const pool = process_pool(WORKERS, NULL);
    static job copied[TASKS];
    static para_task tasks[TASKS];
    para_task_group group = {0};
    unsigned wrong = 0;
    for (int i = 0; i < TASKS; i++) {
        copied[i] = (job){.number = i};
        tasks[i] = (para_task){.run = square_number,
                               .arg = &copied[i],
                               .arg_bytes = sizeof copied[i],
                               .group = &group};
        OK(para_submit(pool, &tasks[i]));
    }
    OK(para_task_group_wait(&group));
    for (int i = 0; i < TASKS; i++)
        wrong += copied[i].square != i * i || copied[i].process == getpid();
    assert_int_equal(wrong, 0);
    const para_signals now = signals_of(pool);
    assert_int_equal(now.accepted, TASKS);
    assert_int_equal(now.completed, TASKS);
    OK(para_pool_destroy(pool));
}

/* Memory of the pool is not copied; other memory is refused unless it is. */
TEST(where_an_argument_lies)
{
    para_pool *const pool = process_pool(WORKERS, NULL);
    para_buffer *buffer;
    job *const shared = shared_memory(pool, &buffer, sizeof *shared);
    job own = {.number = 5};
    para_task task = {.run = square_number, .arg = shared};
    shared->number = 7;
    OK(para_submit(pool, &task));
    OK(para_task_wait(&task));
    assert_int_equal(shared->square, 49);
    assert_int_not_equal(shared->process, getpid());
    task.arg = &own;
    FAILS(PARA_ERR_NOT_SHARED, para_submit(pool, &task));
    assert_non_null(strstr(para_status_detail(), "arg_bytes"));
    assert_int_equal(task.status, PARA_OK);
    task.arg = NULL;
    task.arg_bytes = 4;
    FAILS(PARA_ERR_ARGUMENT, para_submit(pool, &task));
    task.arg = &own;
    task.arg_bytes = SIZE_MAX / 2;
    OK(para_submit(pool, &task));
    FAILS(PARA_ERR_MEMORY, para_task_wait(&task));
    task.arg_bytes = sizeof own;
    OK(para_submit(pool, &task));
    OK(para_task_wait(&task));
    assert_int_equal(own.square, 25);
    para_buffer_destroy(buffer);
    OK(para_pool_destroy(pool));
}

static int return_seven(void *arg)
{
    (void)arg;
    return 7;
}

static int end_by(void *arg)
{
    const int how = *(int *)arg;
    *(int *)arg = 99;
    if (how < 0)
        _exit(-how);
    raise(how);
    return 0;
}

TEST(tasks_that_fail_or_die)
{
    para_pool *const pool = process_pool(WORKERS, NULL);
    static const int ways[] = {SIGKILL, SIGSEGV, SIGABRT, -3, SIGKILL};
    para_task task = {.run = return_seven};
    OK(para_submit(pool, &task));
    FAILS(PARA_ERR_TASK, para_task_wait(&task));
    assert_int_equal(task.result, 7);
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        int how = ways[i];
        char signal[16];
        para_task dying = {.run = end_by, .arg = &how, .arg_bytes = sizeof how};
        OK(para_submit(pool, &dying));
        FAILS(PARA_ERR_WORKER_DIED, para_task_wait(&dying));
        snprintf(signal, sizeof signal, how > 0 ? "signal %d" : "exit(%d)", how > 0 ? how : -how);
        assert_non_null(strstr(para_status_detail(), signal));
        assert_int_equal(para_death_of(dying.result),
                         how > 0 ? PARA_DEATH_SIGNAL : PARA_DEATH_EXIT);
        assert_int_equal(para_death_number(dying.result), how > 0 ? how : -how);
        assert_int_equal(how, ways[i]);
    }
    OK(para_submit(pool, &task));
    FAILS(PARA_ERR_TASK, para_task_wait(&task));
    const para_signals now = signals_of(pool);
    assert_int_equal(now.accepted, 2 + COUNT_OF(ways));
    assert_int_equal(now.failed, 2 + COUNT_OF(ways));
    OK(para_pool_destroy(pool));
}

/* The second attempt finds what the program has, not what the first one has left. */
static int die_once(void *arg)
{
    int *const state = arg;
    atomic_int *const tries = *(atomic_int **)(state + 2);
    state[0]++;
    if (atomic_fetch_add(tries, 1) == 0)
        raise(SIGKILL);
    return 0;
}

TEST(retries)
{
    para_pool *const pool = process_pool(WORKERS, NULL);
    para_buffer *buffer;
    struct {
        int count, unused;
        atomic_int *tries;
    } state = {.tries = shared_memory(pool, &buffer, sizeof(atomic_int))};
    para_retry retry = {.task = {.run = die_once, .arg = &state, .arg_bytes = sizeof state},
                        .first_ns = 1000};
    OK(para_retry_wait(pool, &retry, PARA_DEADLINE_NEVER));
    assert_int_equal(retry.made, 2);
    assert_int_equal(state.count, 1);
    para_buffer_destroy(buffer);
    OK(para_pool_destroy(pool));
}

static int wait_for_flag(void *arg)
{
    atomic_int *const flag = arg;
    atomic_fetch_add(&flag[1], 1);
    while (!atomic_load(&flag[0]))
        usleep(100);
    return 0;
}

static void count_done(para_task *task)
{
    atomic_fetch_add((atomic_int *)task->id, getpid() != 0);
}

/* Workers are busy: what is queued can be cancelled, is dropped when it is late, and is counted. */
TEST(what_does_not_begin)
{
    para_processes processes = PARA_PROCESSES_INIT;
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    para_pool *pool = NULL;
    para_buffer *buffer;
    config.workers = WORKERS;
    config.processes = &processes;
    config.task_capacity = 2;
    config.start = PARA_START_WAIT;
    const para_status made = para_pool_create(&pool, &config);
    if (made == PARA_ERR_UNSUPPORTED)
        skip();
    assert_int_equal(made, PARA_OK);
    atomic_int *const flag = shared_memory(pool, &buffer, 2 * sizeof *flag);
    atomic_int done = 0;
    para_task busy[WORKERS] = {{.run = NULL}};
    for (int i = 0; i < WORKERS; i++) {
        busy[i] = (para_task){.run = wait_for_flag, .arg = flag};
        OK(para_submit(pool, &busy[i]));
    }
    while (atomic_load(&flag[1]) < WORKERS)
        usleep(100);
    para_cancel cancel = {0};
    para_task cancelled = {
        .run = return_seven, .cancel = &cancel, .id = (uintptr_t)&done, .done = count_done};
    para_task late = {.run = return_seven,
                      .deadline_ns = para_deadline_after(1000000),
                      .id = (uintptr_t)&done,
                      .done = count_done};
    para_task refused = {.run = return_seven};
    OK(para_submit(pool, &cancelled));
    OK(para_submit(pool, &late));
    FAILS(PARA_ERR_TIMEOUT, para_submit_until(pool, &refused, 0));
    para_cancel_request(&cancel);
    usleep(2000);
    atomic_store(&flag[0], 1);
    FAILS(PARA_ERR_CANCELLED, para_task_wait(&cancelled));
    FAILS(PARA_ERR_DEADLINE, para_task_wait(&late));
    for (int i = 0; i < WORKERS; i++)
        OK(para_task_wait(&busy[i]));
    assert_int_equal(atomic_load(&done), 2);
    const para_signals now = signals_of(pool);
    assert_int_equal(now.accepted, WORKERS + 2);
    assert_int_equal(now.completed, WORKERS);
    assert_int_equal(now.cancelled, 1);
    assert_int_equal(now.dropped, 1);
    para_buffer_destroy(buffer);
    OK(para_pool_destroy(pool));
}

/* ---- Requests ------------------------------------------------------------------------------ */

static int reverse_bytes(para_request *r, void *arg)
{
    const char *const from = r->request;
    char *const to = r->response;
    const char salt = arg ? *(char *)arg : 0;
    if (r->request_bytes && from[0] == '!')
        raise(SIGSEGV);
    if (r->response_room < r->request_bytes) {
        r->response_bytes = r->request_bytes;
        return from[0] == '?' ? 0 : 5;
    }
    for (size_t i = 0; i < r->request_bytes; i++)
        to[i] = (char)(from[r->request_bytes - 1 - i] + salt);
    r->response_bytes = r->request_bytes;
    return 0;
}

TEST(requests_are_served_by_workers)
{
    para_pool *const pool = process_pool(WORKERS, NULL);
    para_buffer *buffer;
    char *const salt = shared_memory(pool, &buffer, 1);
    char own = 0, answer[8] = "xxxxxxx";
    para_entry entry = PARA_ENTRY_INIT;
    para_request r = {.version = 0};
    entry.run = reverse_bytes;
    entry.arg = &own;
    entry.breaker = (para_breaker){.error_percent = 50, .least_calls = 5};
    FAILS(PARA_ERR_NOT_SHARED, para_register(pool, "reverse", &entry));
    entry.arg = salt;
    OK(para_register(pool, "reverse", &entry));
    *salt = 1;
    OK(para_dispatch(pool, "reverse", "abc", 3, answer, sizeof answer, &r));
    OK(para_task_wait(&r.task));
    assert_int_equal(r.response_bytes, 3);
    assert_memory_equal(answer, "dcbxxxx", 8);
    /* Too little room: told, or a failure of its own. */
    OK(para_dispatch(pool, "reverse", "abc", 3, answer, 1, &r));
    FAILS(PARA_ERR_TASK, para_task_wait(&r.task));
    assert_int_equal(r.task.result, 5);
    assert_int_equal(r.response_bytes, 3);
    OK(para_dispatch(pool, "reverse", "?bc", 3, answer, 1, &r));
    FAILS(PARA_ERR_TASK, para_task_wait(&r.task));
    assert_int_equal(r.task.result, PARA_ERR_LENGTH);
    assert_int_equal(r.response_bytes, 0);
    /* Deaths count for the breaker. */
    for (int i = 0; i < 2; i++) {
        OK(para_dispatch(pool, "reverse", "!", 1, answer, sizeof answer, &r));
        FAILS(PARA_ERR_WORKER_DIED, para_task_wait(&r.task));
        assert_int_equal(para_death_number(r.task.result), SIGSEGV);
        assert_memory_equal(answer, "dcbxxxx", 8);
    }
    FAILS(PARA_ERR_OPEN, para_dispatch(pool, "reverse", "a", 1, answer, sizeof answer, &r));
    OK(para_unregister(pool, "reverse"));
    para_buffer_destroy(buffer);
    OK(para_pool_destroy(pool));
}

/* ---- At the same time ---------------------------------------------------------------------- */

/* Each of two calls waits for the other one. */
static int meet(const para_chunk *chunk, const void *arg)
{
    atomic_int *const met = *(atomic_int *const *)arg;
    (void)chunk;
    atomic_fetch_add(met, 1);
    while (atomic_load(met) < 2)
        usleep(100);
    return 0;
}

typedef struct meeting {
    para_pool *pool;
    atomic_int *met;
    int *out;
    para_status status;
} meeting;

static void *call_to_meet(void *arg)
{
    meeting *const m = arg;
    m->status = para_pmap(m->pool, &(para_map){.kernel = meet,
                                               .arg = &m->met,
                                               .arg_bytes = sizeof m->met,
                                               .count = 1,
                                               .out = {PARA_OUT(m->out)}});
    return NULL;
}

TEST(calls_at_the_same_time)
{
    para_pool *const pool = process_pool(WORKERS, NULL);
    para_buffer *buffer;
    int *const memory = shared_memory(pool, &buffer, 64);
    meeting one = {pool, (atomic_int *)memory, memory + 1, PARA_ERR_BUSY}, other = one;
    pthread_t thread;
    other.out = memory + 2;
    assert_int_equal(pthread_create(&thread, NULL, call_to_meet, &other), 0);
    call_to_meet(&one);
    pthread_join(thread, NULL);
    assert_int_equal(one.status, PARA_OK);
    assert_int_equal(other.status, PARA_OK);
    para_buffer_destroy(buffer);
    OK(para_pool_destroy(pool));
}

static int add_number(const para_chunk *chunk, const void *arg)
{
    for (size_t i = 0; i < chunk->count; i++)
        ((int *)chunk->out[0])[i] = (int)(chunk->first + i) + *(const int *)arg;
    return 0;
}

/* Calls that are tasks, more than there are workers. */
TEST(calls_as_tasks)
{
    enum { CALLS = 12, LENGTH = 1000 };
    para_pool *const pool = process_pool(WORKERS, NULL);
    para_buffer *buffer;
    int *const out = shared_memory(pool, &buffer, CALLS * LENGTH * sizeof *out);
    para_map maps[CALLS];
    int salts[CALLS];
    static para_task tasks[CALLS];
    unsigned wrong = 0;
    for (int c = 0; c < CALLS; c++) {
        salts[c] = 1000 * c;
        tasks[c] = (para_task){.priority = 1};
        maps[c] = (para_map){.kernel = add_number,
                             .arg = &salts[c],
                             .arg_bytes = sizeof salts[c],
                             .count = LENGTH,
                             .out = {PARA_OUT(out + c * LENGTH)}};
        OK(para_pmap_submit(pool, &maps[c], &tasks[c]));
    }
    for (int c = 0; c < CALLS; c++)
        OK(para_task_wait(&tasks[c]));
    for (int i = 0; i < CALLS * LENGTH; i++)
        wrong += out[i] != i % LENGTH + i / LENGTH * 1000;
    assert_int_equal(wrong, 0);
    para_buffer_destroy(buffer);
    OK(para_pool_destroy(pool));
}

/* What is queued when a pool ends is dropped, and its threads and processes are gone. */
TEST(a_pool_ends_with_tasks)
{
    para_pool *const pool = process_pool(WORKERS, NULL);
    static para_task tasks[TASKS];
    unsigned over = 0;
    for (int i = 0; i < TASKS; i++) {
        tasks[i] = (para_task){.run = return_seven};
        OK(para_submit(pool, &tasks[i]));
    }
    OK(para_pool_destroy(pool));
    for (int i = 0; i < TASKS; i++) {
        const para_status status = para_task_wait(&tasks[i]);
        over += status == PARA_ERR_TASK || status == PARA_ERR_ENDING;
    }
    assert_int_equal(over, TASKS);
}

int main(void)
{
    if (UNDER_QEMU)
        return 0; /* see process_deaths.c */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks_run_in_workers),   cmocka_unit_test(where_an_argument_lies),
        cmocka_unit_test(tasks_that_fail_or_die), cmocka_unit_test(retries),
        cmocka_unit_test(what_does_not_begin),    cmocka_unit_test(requests_are_served_by_workers),
        cmocka_unit_test(calls_at_the_same_time), cmocka_unit_test(calls_as_tasks),
        cmocka_unit_test(a_pool_ends_with_tasks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
