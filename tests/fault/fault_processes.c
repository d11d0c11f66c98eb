/* Pools of worker processes with system calls that fail: in the program, in the zygote, in workers.
 */
#include "faults.h"

#include "../common/processes.h"

#include "pool/types.h"
#include "process/desk.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LENGTH = 64, SECONDS = 30 };

/* Some 300 workers die, and a sanitizer writes a page about each. */
enum { DEATHS_SECONDS = 250 };

static int fill_ones(const para_chunk *c, const void *arg)
{
    (void)arg;
    for (size_t i = 0; i < c->count; i++)
        ((double *)c->out[0])[i] = 1;
    return 0;
}

static para_status make_processes(para_pool **pool)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    para_processes processes = PARA_PROCESSES_INIT;
    processes.memory_bytes = (size_t)1 << 40;
    processes.grown_bytes = (size_t)1 << 30;
    processes.cpu_seconds = 1000;
    processes.files = 10;
    processes.sandbox = true;
    config.workers = 2;
    config.processes = &processes;
    return para_pool_create(pool, &config);
}

static para_status use_processes(para_pool *pool)
{
    para_buffer *buffer = NULL;
    para_status status = para_buffer_create(&buffer, pool, LENGTH, sizeof(double), NULL);
    if (!status)
        status =
            para_pmap(pool, &(para_map){.kernel = fill_ones,
                                        .count = LENGTH,
                                        .out = {PARA_OUT((double *)para_buffer_data(buffer))}});
    for (size_t i = 0; !status && i < LENGTH; i++)
        assert_true(((double *)para_buffer_data(buffer))[i] == 1);
    para_buffer_destroy(buffer);
    return status;
}

static void nothing_is_left(long held, unsigned descriptors)
{
    assert_int_equal(fault_held(), held);
    assert_int_equal(count_descriptors(), descriptors);
    errno = 0;
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

/* The n-th call of that kind fails, in each process by its own count. */
static void fail_one(fault_kind kind, long n, int error, bool all)
{
    const long held = fault_held();
    const unsigned descriptors = count_descriptors();
    para_pool *pool = NULL;
    alarm(SECONDS);
    fault_arm(kind, n, error, all);
    errno = 77;
    const para_status made = make_processes(&pool);
    assert_int_equal(errno, 77);
    assert_true((pool == NULL) == (made != PARA_OK));
    if (made) {
        assert_true(made == PARA_ERR_MEMORY || made == PARA_ERR_THREAD ||
                    made == PARA_ERR_UNSUPPORTED);
        assert_true(strlen(para_status_detail()) > 0);
    } else {
        const para_status used = use_processes(pool);
        assert_true(used == PARA_OK || used == PARA_ERR_MEMORY || used == PARA_ERR_WORKER_DIED);
    }
    fault_arm(FAULT_ANY, 0, 0, false);
    OK(para_pool_destroy(pool));
    nothing_is_left(held, descriptors);
    alarm(0);
}

static void fail_some(fault_kind kind, int error)
{
    for (long n = 1; n <= 10; n++)
        fail_one(kind, n, error, false);
    for (long n = 1; n <= 10; n += 3)
        fail_one(kind, n, error, true);
}

static void works_again(void)
{
    para_pool *pool = NULL;
    OK(make_processes(&pool));
    OK(use_processes(pool));
    OK(para_pool_destroy(pool));
}

TEST(processes_that_cannot_be_had)
{
    works_again(); /* what is kept for good is not to be counted, nor are details */
    FAILS(PARA_ERR_ARGUMENT, para_pool_create(NULL, NULL));
    fail_some(FAULT_PROCESS, EAGAIN);
    fail_some(FAULT_PROCESS, ENOSYS);
    works_again();
}

TEST(limits_that_are_refused)
{
    fail_some(FAULT_LIMIT, EPERM);
    works_again();
}

TEST(memory_and_files_that_cannot_be_had)
{
    fail_some(FAULT_MEMORY, ENOMEM);
    fail_some(FAULT_PAGES, ENOMEM);
    fail_some(FAULT_THREAD, EAGAIN);
    fail_some(FAULT_FILE, EMFILE);
    works_again();
}

/* Each limit that is refused has its name. */
TEST(what_is_refused_is_told)
{
    static const char *const parts[] = {"core dumps", "address space", "CPU time",
                                        "open files", "/proc",         "seccomp"};
    unsigned told = 0;
    for (long n = 1; n <= 12; n++) {
        para_pool *pool = NULL;
        fault_arm(FAULT_LIMIT, n, EPERM, false);
        const para_status status = make_processes(&pool);
        fault_arm(FAULT_ANY, 0, 0, false);
        for (size_t i = 0; status == PARA_ERR_UNSUPPORTED && i < COUNT_OF(parts); i++)
            told |= (unsigned)(strstr(para_status_detail(), parts[i]) != NULL) << i;
        OK(para_pool_destroy(pool));
    }
    assert_int_equal(told, (1u << COUNT_OF(parts)) - 1);
}

/* ---- One that takes a dead one's place --------------------------------------------------- */

static int dies_at_times(const para_chunk *c, const void *arg)
{
    _Atomic unsigned *const *times = arg;
    if (takes_one(*times))
        _exit(1);
    if (c->first == 0) /* longer than a failing pidfd_open */
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    return fill_ones(c, NULL);
}

typedef struct scene {
    para_pool *pool;
    para_buffer *buffers[2];
    double *y;
    _Atomic unsigned *times;
} scene;

static scene make_scene(void)
{
    scene s = {.pool = process_pool(1, NULL)};
    s.y = shared_array(s.pool, &s.buffers[0], (size_t)LENGTH * LENGTH);
    s.times = (_Atomic unsigned *)shared_array(s.pool, &s.buffers[1], 1);
    return s;
}

static para_status call_scene(const scene *s)
{
    return para_pmap(s->pool, &(para_map){.kernel = dies_at_times,
                                          .arg = &s->times,
                                          .arg_bytes = sizeof s->times,
                                          .count = LENGTH,
                                          .out = {PARA_OUT(s->y)}});
}

static void end_scene(scene *s)
{
    para_buffer_destroy(s->buffers[0]);
    para_buffer_destroy(s->buffers[1]);
    OK(para_pool_destroy(s->pool));
}

/* One that runs already, but of which nothing can be known, has claimed nothing. */
TEST(successor_that_cannot_be_watched)
{
    alarm(SECONDS);
    scene s = make_scene();
    for (int i = 0; i < 5; i++) {
        atomic_store(s.times, 1);
        fault_arm(FAULT_PROCESS, 1, EMFILE, false);
        OK(call_scene(&s));
        assert_int_equal(fault_count(), 1);
        fault_arm(FAULT_ANY, 0, 0, false);
    }
    end_scene(&s);
    alarm(0);
}

/* The one that the breaker lets through is refused by the system: another one is let through. */
TEST(probe_that_cannot_be_had)
{
    alarm(SECONDS);
    scene s = make_scene();
    const para_survival fills = {.on_crash = PARA_CRASH_FILLS};
    atomic_store(s.times, UINT_MAX);
    FAILS(PARA_ERR_WORKER_DIED, para_pmap(s.pool, &(para_map){.kernel = dies_at_times,
                                                              .arg = &s.times,
                                                              .arg_bytes = sizeof s.times,
                                                              .count = (size_t)LENGTH * LENGTH,
                                                              .out = {PARA_OUT(s.y)},
                                                              .options = {.survival = &fills}}));
    atomic_store(s.times, 0);
    fault_arm(FAULT_PROCESS, 1, EMFILE, false);
    para_status status;
    while ((status = call_scene(&s)) == PARA_ERR_WORKER_DIED)
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    OK(status);
    assert_int_equal(fault_count(), 1);
    fault_arm(FAULT_ANY, 0, 0, false);
    end_scene(&s);
    alarm(0);
}

/* A call that may have the first worker alone, which is dead and has no successor, fails although
 * the other worker lives. */
TEST(the_only_worker_of_a_call_cannot_be_had)
{
    alarm(SECONDS);
    para_pool *const pool = process_pool(2, NULL);
    para_buffer *buffer;
    double *const y = shared_array(pool, &buffer, LENGTH);
    para_worker_info worker = {.size = sizeof worker};
    para_map map = {.kernel = fill_ones, .count = LENGTH, .out = {PARA_OUT(y)}};
    OK(para_pmap(pool, &map));
    OK(para_pool_get_worker(pool, 0, &worker));
    fault_arm(FAULT_PROCESS, 1, EMFILE, true);
    assert_int_equal(kill(worker.process, SIGKILL), 0);
    while (fault_count() == 0)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    OK(para_pmap(pool, &map));
    map.options.workers = 1;
    FAILS(PARA_ERR_WORKER_DIED, para_pmap(pool, &map));
    fault_arm(FAULT_ANY, 0, 0, false);
    para_status status;
    while ((status = para_pmap(pool, &map)) == PARA_ERR_WORKER_DIED)
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    OK(status);
    para_buffer_destroy(buffer);
    OK(para_pool_destroy(pool));
    alarm(0);
}

/* ---- A worker that writes where it likes -------------------------------------------------- */

typedef struct shared_parts {
    para__hall *hall;
    para__board *board;
} shared_parts;

/* As a kernel may that has a pointer gone wrong; and dies of it. */
static int spoils(const para_chunk *c, const void *arg)
{
    const shared_parts *const s = arg;
    (void)c;
    for (unsigned w = 0; w < PARA__PROCESSES_MAX; w++)
        s->hall->worker[w].track = (para__track *)(uintptr_t)8;
    s->hall->tracks = (para__tracks *)(uintptr_t)8;
    para__store_relaxed(&s->board->call, UINT32_MAX | para__load_relaxed(&s->board->call));
    for (unsigned t = 0; t < PARA__BOARD_TICKETS; t++) {
        s->board->ticket[t].first = UINT64_MAX / 4;
        s->board->ticket[t].count = 1;
        const uint64_t later = (uint64_t)1000 << 32;
        para__store_relaxed(&s->board->word[t], para__load_relaxed(&s->board->word[t]) + later);
    }
    _exit(1);
}

static int stores_one(const para_chunk *c, const void *arg)
{
    (void)arg;
    for (size_t i = 0; i < c->count; i++)
        ((double *)c->out[0])[i] = 1;
    return 0;
}

static void store_ones(para_pool *pool, double *y)
{
    para_status status;
    memset(y, 0, LENGTH * sizeof *y);
    while ((status = para_pmap(
                pool, &(para_map){.kernel = stores_one, .count = LENGTH, .out = {PARA_OUT(y)}})) ==
           PARA_ERR_WORKER_DIED)
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL); /* the breaker is open */
    OK(status);
    for (size_t i = 0; i < LENGTH; i++)
        assert_true(y[i] == 1);
}

/* The program is not led astray: it fills nothing that is not the call's, and its next call is like
 * any. */
TEST(worker_that_writes_where_it_likes)
{
    alarm(DEATHS_SECONDS);
    para_pool *const pool = process_pool(1, NULL);
    para_buffer *buffer;
    double *const y = shared_array(pool, &buffer, LENGTH);
    const shared_parts parts = {pool->shop->hall, pool->shop->desk[0].post.board};
    const para_survival survival = {.attempts = 1, .on_crash = PARA_CRASH_FILLS};
    para_report report = {0};
    const para_status status = para_pmap(pool, &(para_map){.kernel = spoils,
                                                           .arg = &parts,
                                                           .arg_bytes = sizeof parts,
                                                           .count = LENGTH,
                                                           .out = {PARA_OUT(y)},
                                                           .options = {.survival = &survival},
                                                           .report = &report});
    assert_true(status == PARA_OK || status == PARA_ERR_WORKER_DIED);
    assert_true(report.deaths > 0 && report.filled <= LENGTH);
    store_ones(pool, y);
    para_buffer_destroy(buffer);
    OK(para_pool_destroy(pool));
    alarm(0);
}

/* Calls are numbered with 32 bits, and a ticket that was not used for long has an old number. */
TEST(numbers_of_calls_that_go_round)
{
    alarm(SECONDS);
    para_pool *const pool = process_pool(2, NULL);
    para_buffer *buffer;
    double *const y = shared_array(pool, &buffer, LENGTH);
    store_ones(pool, y);
    for (unsigned quarter = 1; quarter <= 5; quarter++) {
        pool->shop->desk[0].post.call.epoch = quarter * PARA__BOARD_EPOCHS - 2u;
        for (int i = 0; i < 4; i++)
            store_ones(pool, y);
    }
    para_buffer_destroy(buffer);
    OK(para_pool_destroy(pool));
    alarm(0);
}

int main(void)
{
    if (UNDER_QEMU)
        return 0; /* it keeps a note for each page of a region, far more than there is memory */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(processes_that_cannot_be_had),
        cmocka_unit_test(limits_that_are_refused),
        cmocka_unit_test(memory_and_files_that_cannot_be_had),
        cmocka_unit_test(what_is_refused_is_told),
        cmocka_unit_test(successor_that_cannot_be_watched),
        cmocka_unit_test(probe_that_cannot_be_had),
        cmocka_unit_test(the_only_worker_of_a_call_cannot_be_had),
        cmocka_unit_test(worker_that_writes_where_it_likes),
        cmocka_unit_test(numbers_of_calls_that_go_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
