/* Kernels that take their worker's life: what the call returns, what is tried again, what is
 * filled, and that the pool goes on. */
#include "../common/child.h"
#include "../common/processes.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LENGTH = 4000, BAD = 1234, WORKERS = 3 };

typedef enum crime { SEGV, FPE, ABORT, KILL, EXIT, EXIT_AT_ONCE, STOP, ENDLESS, CRIMES } crime;

/* What a kernel does at one element. */
typedef struct deed {
    crime crime;
    size_t element;
    _Atomic unsigned *times; /* how often it is still done, in shared memory; NULL: always */
} deed;

static void commit_crime(crime what)
{
    volatile bool goes_on = true;
    switch (what) {
    case SEGV:
        raise(SIGSEGV);
        break;
    case FPE:
        raise(SIGFPE);
        break;
    case ABORT:
        abort();
    case KILL:
        raise(SIGKILL);
        break;
    case EXIT:
        exit(3);
    case EXIT_AT_ONCE:
        _exit(4);
    case STOP:
        raise(SIGSTOP);
        break;
    default:
        while (goes_on)
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

static void pass(const deed *d, size_t element)
{
    if (element != d->element)
        return;
    if (!d->times || takes_one(d->times))
        commit_crime(d->crime);
}

static int square(const para_chunk *c, const void *arg)
{
    const double *x = c->in[0];
    double *y = c->out[0];
    for (size_t i = 0; i < c->count; i++) {
        y[i] = x[i] * x[i];
        pass(arg, c->first + i);
    }
    return 0;
}

static int fold_sum(const para_chunk *c, void *acc, const void *arg)
{
    const double *x = c->in[0];
    for (size_t i = 0; i < c->count; i++) {
        *(double *)acc += x[i];
        pass(arg, c->first + i);
    }
    return 0;
}

static void combine_sum(void *acc, const void *rhs, const void *arg)
{
    (void)arg;
    *(double *)acc += *(const double *)rhs;
}

typedef struct world {
    para_pool *pool;
    para_buffer *buffers[3];
    double *x, *y;
    _Atomic unsigned *times;
    para_damage damage[64];
    unsigned damages;
} world;

static void note_damage(const para_damage *damage, void *of)
{
    world *const w = of;
    if (w->damages < COUNT_OF(w->damage))
        w->damage[w->damages] = *damage;
    w->damages++;
}

static world make_world_of(const para_processes *processes)
{
    world w = {0};
    w.pool = process_pool(WORKERS, processes);
    w.x = shared_array(w.pool, &w.buffers[0], LENGTH);
    w.y = shared_array(w.pool, &w.buffers[1], LENGTH);
    OK(para_buffer_create(&w.buffers[2], w.pool, 1, sizeof(unsigned), NULL));
    w.times = para_buffer_data(w.buffers[2]);
    for (size_t i = 0; i < LENGTH; i++)
        w.x[i] = (double)i + 0.5;
    return w;
}

static world make_world(uint64_t chunk_ns)
{
    para_processes processes = PARA_PROCESSES_INIT;
    processes.chunk_ns = chunk_ns;
    return make_world_of(&processes);
}

static void end_world(world *w)
{
    for (size_t i = 0; i < COUNT_OF(w->buffers); i++)
        para_buffer_destroy(w->buffers[i]);
    OK(para_pool_destroy(w->pool));
}

static para_map map_of(const world *w, const deed *d)
{
    return (para_map){.kernel = square,
                      .arg = d,
                      .arg_bytes = sizeof *d,
                      .count = LENGTH,
                      .in = {PARA_IN(w->x)},
                      .out = {PARA_OUT(w->y)}};
}

static void check_squares(const world *w, size_t but)
{
    size_t wrong = 0;
    for (size_t i = 0; i < LENGTH; i++)
        wrong += i != but && w->y[i] != w->x[i] * w->x[i];
    assert_int_equal(wrong, 0);
}

/* Of a stopped worker, and of an endless kernel, the limit of time tells. */
enum { LATE_NS = 700000000 };

static bool is_late(crime c)
{
    return c == STOP || c == ENDLESS;
}

static void check_death(const para_damage *d, crime c)
{
    static const int signals[] = {
        [SEGV] = SIGSEGV, [FPE] = SIGFPE, [ABORT] = SIGABRT, [KILL] = SIGKILL};
    if (is_late(c)) {
        assert_int_equal(d->death, PARA_DEATH_OVERRUN);
    } else if (c == EXIT || c == EXIT_AT_ONCE) {
        assert_int_equal(d->death, PARA_DEATH_EXIT);
#ifdef __GLIBC__
        assert_int_equal(d->number, c == EXIT ? 3 : 4);
#endif
    } else {
        assert_int_equal(d->death, PARA_DEATH_SIGNAL);
        assert_int_equal(d->number, signals[c]);
    }
}

TEST(each_death_fails_the_call)
{
    for (int c = 0; c < CRIMES; c++) {
        world w = make_world(is_late((crime)c) ? LATE_NS : 0);
        const deed bad = {.crime = (crime)c, .element = BAD};
        const deed good = {.crime = (crime)c, .element = LENGTH};
        const para_survival survival = {.attempts = 2, .damaged = note_damage, .damaged_arg = &w};
        para_report report;
        para_map map = map_of(&w, &bad);
        map.options.survival = &survival;
        map.report = &report;
        FAILS(PARA_ERR_WORKER_DIED, para_pmap(w.pool, &map));
        assert_true(report.failed_first <= BAD && BAD < report.failed_first + report.failed_count);
        assert_true(report.deaths >= 2);
        assert_non_null(strstr(para_status_detail(), "2 workers died"));
        assert_int_equal(w.damages, 1);
        assert_int_equal(w.damage[0].first, report.failed_first);
        assert_int_equal(w.damage[0].attempts, 2);
        check_death(&w.damage[0], (crime)c);
        map.arg = &good; /* the pool goes on */
        OK(para_pmap(w.pool, &map));
        assert_int_equal(report.done, LENGTH);
        check_squares(&w, LENGTH);
        end_world(&w);
    }
}

TEST(what_dies_once_is_tried_again)
{
    for (int c = 0; c < CRIMES; c++) {
        world w = make_world(is_late((crime)c) ? LATE_NS : 0);
        const deed bad = {.crime = (crime)c, .element = BAD, .times = w.times};
        para_report report;
        para_map map = map_of(&w, &bad);
        const para_survival survival = {.attempts = 20}; /* on a busy machine others are late too */
        map.report = &report;
        map.options.survival = &survival;
        atomic_store(w.times, 2);
        OK(para_pmap(w.pool, &map));
        assert_true(report.deaths >= 2);
        assert_int_equal(report.done, LENGTH);
        check_squares(&w, LENGTH);

        double sum = 1, same = 1;
        para_reduce reduce = {.kernel = fold_sum,
                              .combine = combine_sum,
                              .arg = &bad,
                              .arg_bytes = sizeof bad,
                              .count = LENGTH,
                              .in = {PARA_IN(w.x)},
                              .result = &sum,
                              .result_bytes = sizeof sum};
        atomic_store(w.times, 1);
        OK(para_preduce(w.pool, &reduce));
        const deed good = {.element = LENGTH};
        reduce.arg = &good;
        reduce.result = &same;
        OK(para_preduce(NULL, &reduce));
        assert_memory_equal(&sum, &same, sizeof sum);
        end_world(&w);
    }
}

TEST(what_dies_always_is_filled)
{
    world w = make_world(0);
    const double nan_like = -7;
    const deed bad = {.crime = SEGV, .element = BAD};
    const para_survival survival = {.on_crash = PARA_CRASH_FILLS,
                                    .fill = &nan_like,
                                    .fill_bytes = sizeof nan_like,
                                    .damaged = note_damage,
                                    .damaged_arg = &w};
    para_report report;
    para_map map = map_of(&w, &bad);
    map.options.survival = &survival;
    map.report = &report;
    OK(para_pmap(w.pool, &map));
    check_squares(&w, BAD);
    assert_true(w.y[BAD] == nan_like);
    assert_int_equal(report.filled, 1);
    assert_int_equal(report.done, LENGTH - 1);
    assert_int_equal(w.damages, 1);
    assert_int_equal(w.damage[0].first, BAD);
    assert_int_equal(w.damage[0].count, 1);
    assert_int_equal(w.damage[0].number, SIGSEGV);

    /* Chunks that the call asks for are filled whole. */
    map.options.chunk = 100;
    OK(para_pmap(w.pool, &map));
    assert_int_equal(report.filled, 100);
    assert_true(w.y[1200] == nan_like && w.y[1299] == nan_like && w.y[1199] != nan_like);

    /* A reduction leaves the block out. */
    double sum = 0;
    para_reduce reduce = {.kernel = fold_sum,
                          .combine = combine_sum,
                          .arg = &bad,
                          .arg_bytes = sizeof bad,
                          .count = LENGTH,
                          .block = 10,
                          .in = {PARA_IN(w.x)},
                          .result = &sum,
                          .result_bytes = sizeof sum,
                          .options = {.survival = &survival},
                          .report = &report};
    OK(para_preduce(w.pool, &reduce));
    double expected = 0;
    for (size_t i = 0; i < LENGTH; i++)
        expected += i / 10 == BAD / 10 ? 0 : w.x[i];
    assert_int_equal(report.filled, 10);
    assert_true(sum == expected); /* halves of integers: exact */
    end_world(&w);
}

TEST(calls_in_place_are_tried_once)
{
    world w = make_world(0);
    const deed bad = {.crime = SEGV, .element = BAD, .times = w.times};
    para_report report;
    para_map map = map_of(&w, &bad);
    map.report = &report;
    map.out[0] = PARA_OUT(w.x);
    atomic_store(w.times, 1);
    FAILS(PARA_ERR_WORKER_DIED, para_pmap(w.pool, &map));
    assert_int_equal(report.deaths, 1);
    map.out[0] = PARA_OUT(w.y);
    map.once = 1;
    atomic_store(w.times, 1);
    FAILS(PARA_ERR_WORKER_DIED, para_pmap(w.pool, &map));
    end_world(&w);
}

static int always_dies(const para_chunk *c, const void *arg)
{
    (void)c;
    (void)arg;
    _exit(9);
}

static void pause_a_little(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}

static unsigned count_living(para_pool *pool, unsigned workers)
{
    unsigned living = 0;
    for (unsigned i = 0; i < workers; i++) {
        para_worker_info info = {.size = sizeof info};
        OK(para_pool_get_worker(pool, i, &info));
        living += info.process != 0;
    }
    return living;
}

static void note_breaker(const para_log_entry *entry, void *of)
{
    _Atomic unsigned *const told = of;
    if (entry->id == PARA_LOG_BREAKER_OPEN || entry->id == PARA_LOG_BREAKER_CLOSED)
        atomic_fetch_add(&told[entry->id == PARA_LOG_BREAKER_CLOSED], 1);
}

/* A kernel that does nothing else opens the breaker, and the call ends; later there are all workers
 * again. Also if the first of them retires at once. */
static void loop_and_recover(uint64_t worker_chunks)
{
    _Atomic unsigned told[2] = {0, 0};
    const para_log log = {.size = sizeof log, .entry = note_breaker, .arg = told};
    para_processes processes = PARA_PROCESSES_INIT;
    processes.worker_chunks = worker_chunks;
    world w = make_world_of(&processes);
    const deed good = {.element = LENGTH};
    const para_survival survival = {.on_crash = PARA_CRASH_FILLS};
    para_map map = map_of(&w, &good);
    map.kernel = always_dies;
    map.options.survival = &survival;
    OK(para_log_start(&log));
    FAILS(PARA_ERR_WORKER_DIED, para_pmap(w.pool, &map));
    map.kernel = square;
    para_status status;
    for (int i = 0; (status = para_pmap(w.pool, &map)) == PARA_ERR_WORKER_DIED && i < 500; i++)
        pause_a_little();
    assert_int_equal(status, PARA_OK);
    check_squares(&w, LENGTH);
    for (int i = 0; count_living(w.pool, WORKERS) < WORKERS && i < 3000; i++)
        pause_a_little();
    assert_int_equal(count_living(w.pool, WORKERS), WORKERS);
    end_world(&w);
    OK(para_log_stop());
    assert_true(told[0] >= 1);
    assert_int_equal(told[1], told[0]);
}

/* A process that has orphans given to it is left with none. */
TEST(workers_leave_no_orphans)
{
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    for (int i = 0; i < 5; i++) {
        para_pool *const pool = process_pool(3, NULL);
        OK(para_pool_destroy(pool));
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
        assert_int_equal(errno, ECHILD);
    }
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
}

TEST(crash_loop)
{
    loop_and_recover(0);
    loop_and_recover(1);
}

/* Who has made a pool may lose the right to kill its processes. The last test: it cannot be undone.
 */
TEST(rights_that_are_given_up)
{
    enum { NOBODY = 65534 };
    if (geteuid() != 0)
        skip();
    world w = make_world(0);
    const deed good = {.element = LENGTH};
    para_map map = map_of(&w, &good);
    if (setuid(NOBODY) != 0) {
        end_world(&w);
        skip();
    }
    OK(para_pmap(w.pool, &map));
    check_squares(&w, LENGTH);
    end_world(&w);
}

/* A zygote that is stopped as well ends neither by a signal nor by itself. The pool is destroyed
 * all the same; the processes are left, and end when somebody continues or kills the zygote. */
static int destroy_with_stopped_zygote(int note)
{
    enum { NOBODY = 65534 };
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    const para_processes processes = PARA_PROCESSES_INIT;
    para_pool *pool = NULL;
    para_worker_info info = {.size = sizeof info};
    config.workers = 2;
    config.processes = &processes;
    EXPECT(para_pool_create(&pool, &config) == PARA_OK);
    while (info.process == 0) {
        pause_a_little();
        EXPECT(para_pool_get_worker(pool, 0, &info) == PARA_OK);
    }
    const pid_t zygote = parent_of(info.process);
    EXPECT(zygote > 1 && zygote != getpid());
    EXPECT(write(note, &zygote, sizeof zygote) == sizeof zygote);
    EXPECT(kill(zygote, SIGSTOP) == 0);
    EXPECT(setuid(NOBODY) == 0);
    para_pool_destroy(pool);
    return 0;
}

TEST(stopped_zygote_that_may_not_be_killed)
{
    int note[2];
    pid_t zygote = 0;
    if (geteuid() != 0 || !CHILDREN_HAVE_THREADS)
        skip();
    assert_int_equal(pipe(note), 0);
    const pid_t child = fork();
    if (child == 0) {
        alarm(CHILD_SECONDS);
        _exit(destroy_with_stopped_zygote(note[1]));
    }
    close(note[1]);
    const ssize_t n = read(note[0], &zygote, sizeof zygote);
    close(note[0]);
    const int status = status_of_child(child);
    if (n == sizeof zygote && zygote > 1)
        kill(zygote, SIGKILL);
    assert_int_equal(status, 0);
}

int main(void)
{
    if (UNDER_QEMU)
        return 0; /* it keeps a note for each page of a region, far more than there is memory */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_death_fails_the_call),
        cmocka_unit_test(what_dies_once_is_tried_again),
        cmocka_unit_test(what_dies_always_is_filled),
        cmocka_unit_test(calls_in_place_are_tried_once),
        cmocka_unit_test(workers_leave_no_orphans),
        cmocka_unit_test(crash_loop),
        cmocka_unit_test(stopped_zygote_that_may_not_be_killed),
        cmocka_unit_test(rights_that_are_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
