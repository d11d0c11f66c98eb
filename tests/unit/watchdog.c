/* Watchdogs: what is late is told once, with who is at it; so are tasks that wait in a circle. And
 * what can be asked of worker processes. */
#include "../common/child.h"
#include "../common/processes.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum { MOST = 64, FRAMES = 32 };
enum { LATE_NS = 5000000 };

/* What a watchdog has told, written by its thread alone, before `count`. */
typedef struct notes {
    para_late late[MOST];
    atomic_uint count;
    bool asks; /* for backtraces, */
    para_status status[MOST];
    void *frames[MOST][FRAMES];
    unsigned frame_count[MOST];
} notes;

static void note(const para_late *late, void *arg)
{
    notes *const n = arg;
    const unsigned i = atomic_load(&n->count);
    if (i == MOST)
        return;
    n->late[i] = *late;
    if (n->asks)
        n->status[i] = para_late_backtrace(late, n->frames[i], FRAMES, &n->frame_count[i]);
    atomic_store(&n->count, i + 1);
}

/* How many of that kind were told, with that id; waits until there is one. */
static unsigned await_note(notes *n, para_late_kind kind, uint64_t id, para_late *found)
{
    for (;;) {
        unsigned times = 0;
        for (unsigned i = 0; i < atomic_load(&n->count); i++)
            if (n->late[i].kind == kind && n->late[i].id == id) {
                *found = n->late[i];
                times++;
            }
        if (times)
            return times;
        usleep(1000);
    }
}

static unsigned count_notes(notes *n, para_late_kind kind, uint64_t id)
{
    unsigned times = 0;
    for (unsigned i = 0; i < atomic_load(&n->count); i++)
        times += n->late[i].kind == kind && n->late[i].id == id;
    return times;
}

static para_pool *thread_pool(unsigned workers)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    para_pool *pool = NULL;
    config.workers = workers;
    config.start = PARA_START_WAIT;
    OK(para_pool_create(&pool, &config));
    return pool;
}

static int wait_for_end(void *arg)
{
    atomic_int *const end = arg;
    while (!atomic_load(end))
        usleep(100);
    return 0;
}

TEST(a_task_that_takes_long)
{
    static notes n;
    para_pool *const pool = thread_pool(2);
    atomic_int end = 0;
    para_watchdog dog = {.size = sizeof dog, .late_ns = LATE_NS, .late = note, .late_arg = &n};
    para_late late;
    para_task task = {.run = wait_for_end, .arg = &end, .id = 77};
    para_task quick = {.run = wait_for_end, .arg = &end, .id = 78};
    OK(para_watchdog_begin(pool, &dog));
    FAILS(PARA_ERR_BUSY, para_watchdog_begin(pool, &dog));
    FAILS(PARA_ERR_BUSY, para_pool_destroy(pool));
    OK(para_submit(pool, &task));
    await_note(&n, PARA_LATE_TASK, 77, &late);
    assert_int_equal(late.function, (uintptr_t)wait_for_end);
    assert_int_equal(late.process, getpid());
    assert_true(late.elapsed_ns >= LATE_NS);
    assert_in_range(late.worker, 0, 1);
    usleep(30000); /* looked at again, and not told again */
    atomic_store(&end, 1);
    OK(para_task_wait(&task));
    OK(para_submit(pool, &quick));
    OK(para_task_wait(&quick));
    OK(para_watchdog_end(&dog));
    FAILS(PARA_ERR_ARGUMENT, para_watchdog_end(&dog));
    assert_int_equal(count_notes(&n, PARA_LATE_TASK, 77), 1);
    assert_int_equal(count_notes(&n, PARA_LATE_DEADLOCK, 77), 0);
    OK(para_pool_destroy(pool));
}

static void note_entry(const para_log_entry *e, void *arg)
{
    unsigned *const told = arg;
    *told += e->id == PARA_LOG_LATE && e->subject == 79 && e->level == PARA_LEVEL_ALARM &&
             strstr(e->reason, "wait_for_end") && strstr(e->reason, "worker ");
}

TEST(the_log_is_told_as_well)
{
    static notes n;
    unsigned told = 0;
    para_log log = PARA_LOG_INIT;
    para_pool *const pool = thread_pool(2);
    atomic_int end = 0;
    para_watchdog dog = {.size = sizeof dog, .late_ns = LATE_NS, .late = note, .late_arg = &n};
    para_late late;
    para_task task = {.run = wait_for_end, .arg = &end, .id = 79};
    log.entry = note_entry;
    log.arg = &told;
    OK(para_log_start(&log));
    OK(para_watchdog_begin(pool, &dog));
    OK(para_submit(pool, &task));
    await_note(&n, PARA_LATE_TASK, 79, &late); /* after the log */
    OK(para_log_stop());
    atomic_store(&end, 1);
    OK(para_task_wait(&task));
    OK(para_watchdog_end(&dog));
    OK(para_pool_destroy(pool));
    assert_int_equal(told, 1);
}

typedef struct held {
    atomic_int *end;
} held;

static int wait_in_kernel(const para_chunk *chunk, const void *arg)
{
    (void)chunk;
    return wait_for_end(((const held *)arg)->end);
}

typedef struct held_call {
    para_pool *pool;
    const para_map *map;
    para_status status;
} held_call;

static void *make_call(void *arg)
{
    held_call *const c = arg;
    c->status = para_pmap(c->pool, c->map);
    return NULL;
}

TEST(a_chunk_that_takes_long)
{
    static notes n;
    para_pool *const pool = thread_pool(2);
    atomic_int end = 0;
    const held arg = {&end};
    char out[64];
    para_watchdog dog = {.size = sizeof dog, .late_ns = LATE_NS, .late = note, .late_arg = &n};
    para_late late;
    const para_map map = {.kernel = wait_in_kernel,
                          .arg = &arg,
                          .count = sizeof out,
                          .out = {PARA_OUT(out)},
                          .options = {.executor = PARA_EXECUTOR_THREADS, .chunk = 1, .site = 1234}};
    held_call call = {.pool = pool, .map = &map};
    pthread_t thread;
    OK(para_watchdog_begin(pool, &dog));
    assert_int_equal(pthread_create(&thread, NULL, make_call, &call), 0);
    await_note(&n, PARA_LATE_CHUNK, 1234, &late);
    assert_int_equal(late.function, (uintptr_t)wait_in_kernel);
    assert_true(late.count > 0);
    atomic_store(&end, 1);
    pthread_join(thread, NULL);
    assert_int_equal(call.status, PARA_OK);
    OK(para_watchdog_end(&dog));
    OK(para_pool_destroy(pool));
}

/* ---- Deadlock ------------------------------------------------------------------------------ */

static para_task circle[2];
static atomic_int begun;

static int wait_for_other(void *arg)
{
    const size_t self = (size_t)((para_task *)arg - circle);
    atomic_fetch_add(&begun, 1);
    while (atomic_load(&begun) < 2)
        usleep(100);
    /* A wait without a deadline would last for ever. */
    const para_status status = para_task_wait_until(
        &circle[1 - self], para_deadline_after(self ? 400000000 : UINT64_MAX / 4));
    return status == PARA_ERR_TIMEOUT ? 1 : 0;
}

TEST(tasks_that_wait_in_a_circle)
{
    static notes n;
    para_pool *const pool = thread_pool(2);
    para_watchdog dog = {.size = sizeof dog, .late_ns = LATE_NS, .late = note, .late_arg = &n};
    para_late late;
    OK(para_watchdog_begin(pool, &dog));
    for (size_t i = 0; i < 2; i++) {
        circle[i] = (para_task){.run = wait_for_other, .arg = &circle[i], .id = 100 + i};
        OK(para_submit(pool, &circle[i]));
    }
    /* Not by para_task_wait, which would run one of them here. */
    while (!para_task_is_over(&circle[0]))
        usleep(1000);
    await_note(&n, PARA_LATE_DEADLOCK, 100, &late);
    await_note(&n, PARA_LATE_DEADLOCK, 101, &late);
    assert_int_equal(late.function, (uintptr_t)wait_for_other);
    FAILS(PARA_ERR_TASK, para_task_wait(&circle[1]));
    OK(para_task_wait(&circle[0]));
    OK(para_watchdog_end(&dog));
    OK(para_pool_destroy(pool));
}

static int wait_for_a_long_one(void *arg)
{
    const para_status status = para_task_wait(arg);
    return status ? 1 : 0;
}

/* One that waits for a task that only takes long is no deadlock. */
TEST(a_long_wait_is_no_deadlock)
{
    static notes n;
    para_pool *const pool = thread_pool(2);
    atomic_int end = 0;
    para_watchdog dog = {.size = sizeof dog, .late_ns = LATE_NS, .late = note, .late_arg = &n};
    para_late late;
    para_task longer = {.run = wait_for_end, .arg = &end, .id = 1};
    para_task waits = {.run = wait_for_a_long_one, .arg = &longer, .id = 2};
    OK(para_watchdog_begin(pool, &dog));
    OK(para_submit(pool, &longer));
    OK(para_submit(pool, &waits));
    await_note(&n, PARA_LATE_TASK, 1, &late);
    await_note(&n, PARA_LATE_TASK, 2, &late);
    usleep(20000);
    atomic_store(&end, 1);
    OK(para_task_wait(&waits));
    OK(para_task_wait(&longer));
    OK(para_watchdog_end(&dog));
    assert_int_equal(count_notes(&n, PARA_LATE_DEADLOCK, 2), 0);
    OK(para_pool_destroy(pool));
}

/* ---- Backtraces ---------------------------------------------------------------------------- */

static volatile unsigned spun;

__attribute__((noinline)) static int spin_until(atomic_int *end)
{
    while (!atomic_load(end))
        spun++;
    return 0;
}

/* Both have frames of their own. */
__attribute__((noinline)) static int spin_in_task(void *arg)
{
    const int result = spin_until(arg);
    spun++;
    return result;
}

/* Whether a place in these frames lies within the function, or soon behind its begin. */
static bool has_frame(notes *n, unsigned i, uintptr_t function)
{
    for (unsigned f = 0; f < n->frame_count[i]; f++) {
        const uintptr_t at = (uintptr_t)n->frames[i][f];
        if (at >= function && at < function + 4096)
            return true;
    }
    return false;
}

static void check_backtrace(para_pool *pool, atomic_int *end)
{
    static notes n;
    memset(&n, 0, sizeof n);
    n.asks = true;
    para_watchdog dog = {
        .size = sizeof dog, .late_ns = LATE_NS, .late = note, .late_arg = &n, .backtraces = true};
    para_watchdog other = dog;
    para_late late;
    para_task task = {.run = spin_in_task, .arg = end, .id = 9};
    atomic_store(end, 0);
#ifndef __GLIBC__
    FAILS(PARA_ERR_UNSUPPORTED, para_watchdog_begin(pool, &dog));
    return;
#endif
    OK(para_watchdog_begin(pool, &dog));
    FAILS(PARA_ERR_BUSY, para_watchdog_begin(pool, &other));
    OK(para_submit(pool, &task));
    await_note(&n, PARA_LATE_TASK, 9, &late);
    atomic_store(end, 1);
    OK(para_task_wait(&task));
    OK(para_watchdog_end(&dog));
    if (n.status[0] == PARA_OK)
        assert_true(has_frame(&n, 0, (uintptr_t)spin_in_task));
    else /* the machine is loaded, or a sanitizer delays signals */
        assert_int_equal(n.status[0], PARA_ERR_TIMEOUT);
    struct sigaction now;
    assert_int_equal(sigaction(SIGURG, NULL, &now), 0);
    assert_true(now.sa_handler == SIG_DFL);
}

TEST(backtraces_of_threads)
{
    static atomic_int end;
    para_pool *const pool = thread_pool(2);
    sigset_t mask;
    check_backtrace(pool, &end);
    struct sigaction own = {.sa_handler = SIG_IGN};
    assert_int_equal(sigaction(SIGURG, &own, NULL), 0);
    para_watchdog dog = {.size = sizeof dog, .late_ns = LATE_NS, .late = note, .backtraces = true};
    FAILS(PARA_ERR_BUSY, para_watchdog_begin(pool, &dog));
    own.sa_handler = SIG_DFL;
    assert_int_equal(sigaction(SIGURG, &own, NULL), 0);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &mask), 0);
    assert_false(sigismember(&mask, SIGURG));
    OK(para_pool_destroy(pool));
}

static atomic_bool looks;

/* A task looks at its pool, until that refuses it as it ends. */
static int look_until_end(void *arg)
{
    para_watchdog dog = {.size = sizeof dog, .late_ns = LATE_NS, .late = note};
    para_pool *const pool = arg;
    atomic_store(&looks, true);
    for (int i = 0; i < 100000; i++) {
        const para_status status = para_watchdog_begin(pool, &dog);
        if (status)
            return status == PARA_ERR_ENDING ? 0 : 1;
        if (para_watchdog_end(&dog))
            return 2;
    }
    return 3;
}

TEST(a_pool_that_ends_is_not_looked_at)
{
    for (int round = 0; round < 5; round++) {
        para_pool *const pool = thread_pool(2);
        para_task task = {.run = look_until_end, .arg = pool};
        atomic_store(&looks, false);
        OK(para_submit(pool, &task));
        while (!atomic_load(&looks))
            usleep(100);
        para_status status;
        while ((status = para_pool_destroy(pool)) == PARA_ERR_BUSY)
            continue;
        assert_int_equal(status, PARA_OK);
        assert_int_equal(task.result, 0);
    }
}

static para_pool *parents;
static para_watchdog parents_dog;

static void restart_in_child(void)
{
    CHECK(para_pool_restart(parents) == PARA_OK);
    CHECK(para_watchdog_end(&parents_dog) == PARA_OK);
    CHECK(para_pool_destroy(parents) == PARA_OK);
}

TEST(a_pool_that_is_restarted_is_not_looked_at)
{
    if (!CHILDREN_HAVE_THREADS)
        skip();
    parents = thread_pool(2);
    parents_dog = (para_watchdog){.size = sizeof parents_dog, .late_ns = LATE_NS, .late = note};
    OK(para_watchdog_begin(parents, &parents_dog));
    run_in_child(restart_in_child);
    OK(para_watchdog_end(&parents_dog));
    OK(para_pool_destroy(parents));
}

TEST(what_is_refused)
{
    para_pool *const pool = thread_pool(2);
    para_watchdog dog = {.size = sizeof dog, .late_ns = LATE_NS};
    para_late late = {.worker = 0};
    void *frames[1];
    unsigned count;
    FAILS(PARA_ERR_ARGUMENT, para_watchdog_begin(pool, NULL));
    FAILS(PARA_ERR_ARGUMENT, para_watchdog_begin(pool, &dog));
    dog.late = note;
    dog.late_ns = 999999;
    FAILS(PARA_ERR_ARGUMENT, para_watchdog_begin(pool, &dog));
    dog.late_ns = LATE_NS;
    dog.size--;
    FAILS(PARA_ERR_ARGUMENT, para_watchdog_begin(pool, &dog));
    FAILS(PARA_ERR_ARGUMENT, para_watchdog_end(NULL));
    FAILS(PARA_ERR_ARGUMENT, para_watchdog_end(&dog));
    FAILS(PARA_ERR_ARGUMENT, para_late_backtrace(NULL, frames, 1, &count));
    FAILS(PARA_ERR_ARGUMENT, para_late_backtrace(&late, frames, 1, &count));
    OK(para_pool_destroy(pool));
}

/* ---- Processes ----------------------------------------------------------------------------- */

TEST(processes_are_looked_at)
{
    static notes n;
    para_pool *const pool = process_pool(2, NULL);
    para_buffer *buffer;
    atomic_int *const end = (atomic_int *)shared_array(pool, &buffer, 1);
    para_watchdog dog = {.size = sizeof dog, .late_ns = LATE_NS, .late = note, .late_arg = &n};
    para_late late;
    para_task task = {.run = wait_for_end, .arg = end, .id = 31};
    OK(para_watchdog_begin(pool, &dog));
    OK(para_submit(pool, &task));
    await_note(&n, PARA_LATE_TASK, 31, &late);
    assert_int_equal(late.function, (uintptr_t)wait_for_end);
    assert_in_range(late.worker, 0, 1);
    para_worker_info info = {.size = sizeof info};
    OK(para_pool_get_worker(pool, (unsigned)late.worker, &info));
    assert_int_equal(info.process, late.process);
    assert_int_not_equal(info.process, getpid());
    assert_true(info.busy_ns >= LATE_NS);
    assert_true(info.memory_bytes > 0);
    assert_int_equal(info.restarts, 0);
    nanosleep(&(struct timespec){.tv_nsec = 5L * LATE_NS},
              NULL); /* it is looked at some twenty times */
    assert_int_equal(count_notes(&n, PARA_LATE_TASK, 31), 1);
    const uint32_t beats = info.beats;
    atomic_store(end, 1);
    OK(para_task_wait(&task));
    OK(para_pool_get_worker(pool, (unsigned)late.worker, &info));
    assert_int_equal(info.beats, beats + 1);
    kill(info.process, SIGKILL);
    while (info.restarts == 0 || info.process == 0)
        OK(para_pool_get_worker(pool, (unsigned)late.worker, &info));
    assert_int_equal(info.restarts, 1);
    assert_int_equal(info.deaths, 1);
    assert_int_equal(info.death_number, SIGKILL);
    OK(para_watchdog_end(&dog));
    para_buffer_destroy(buffer);
    OK(para_pool_destroy(pool));
}

TEST(backtraces_of_processes)
{
    para_pool *const pool = process_pool(2, NULL);
    para_buffer *buffer;
    check_backtrace(pool, (atomic_int *)shared_array(pool, &buffer, 1));
    para_buffer_destroy(buffer);
    OK(para_pool_destroy(pool));
}

int main(void)
{
    const struct CMUnitTest on_threads[] = {
        cmocka_unit_test(a_task_that_takes_long),
        cmocka_unit_test(the_log_is_told_as_well),
        cmocka_unit_test(a_chunk_that_takes_long),
        cmocka_unit_test(tasks_that_wait_in_a_circle),
        cmocka_unit_test(a_long_wait_is_no_deadlock),
        cmocka_unit_test(backtraces_of_threads),
        cmocka_unit_test(a_pool_that_is_restarted_is_not_looked_at),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(a_pool_that_ends_is_not_looked_at),
    };
    const struct CMUnitTest on_processes[] = {
        cmocka_unit_test(processes_are_looked_at),
        cmocka_unit_test(backtraces_of_processes),
    };
    int failed = cmocka_run_group_tests(on_threads, NULL, NULL);
    if (!UNDER_QEMU) /* see process_deaths.c */
        failed += cmocka_run_group_tests(on_processes, NULL, NULL);
    return failed;
}
