/* Worker processes and their zygote are killed and stopped at random, some ten times a second,
 * while maps, loops, reductions and tasks run on them: each call has the right bits, or a status
 * that names the damage; each task ends once, and says whether it was done; and nothing is left.
 *   test_stress_chaos [SECONDS]     PARA_TEST_SEED as for test_stress_calls */
#include "stress.h"

#include "../common/processes.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

enum { LENGTH = 20000, WORKERS = 3, HEALED_MOST = 4096 };

static para_pool *pool;
static _Atomic bool enough;
static unsigned seconds = 2;

static uint64_t now_ns(void)
{
    return para_deadline_after(0);
}

/* ---- What goes wrong ----------------------------------------------------------------------- */

static int process_of(unsigned worker)
{
    para_worker_info info = {.size = sizeof info};
    return para_pool_get_worker(pool, worker, &info) ? 0 : info.process;
}

static struct {
    unsigned kills, stops, zygotes;
    unsigned healed;
    uint64_t heal_ns[HEALED_MOST]; /* from a kill until another process was there */
} chaos;

static void note_healing(unsigned worker, int process, uint64_t since_ns)
{
    const uint64_t limit = since_ns + 1000000000;
    int now;
    while (((now = process_of(worker)) == process || now == 0) && now_ns() < limit)
        usleep(50);
    if (now != process && now != 0 && chaos.healed < HEALED_MOST)
        chaos.heal_ns[chaos.healed++] = now_ns() - since_ns;
}

static void *make_chaos(void *arg)
{
    static const int fatal[] = {SIGKILL, SIGSEGV, SIGABRT, SIGTERM};
    uint64_t seed = *(const uint64_t *)arg;
    while (!enough) {
        const unsigned worker = (unsigned)check_below(&seed, WORKERS);
        const unsigned what = (unsigned)check_below(&seed, 40);
        const int process = process_of(worker);
        const int zygote = process ? parent_of(process) : 0;
        const uint64_t start = now_ns();
        usleep((useconds_t)check_below(&seed, 1000));
        if (!process || process_of(worker) != process)
            continue;
        if (what == 0 && zygote > 1 && zygote != getpid()) {
            chaos.zygotes++;
            kill(zygote, check_below(&seed, 2) ? SIGKILL : SIGSTOP);
        } else if (what < 10) {
            chaos.stops++;
            kill(process, SIGSTOP);
        } else {
            chaos.kills++;
            const uint64_t killed = now_ns();
            kill(process, fatal[check_below(&seed, COUNT_OF(fatal))]);
            note_healing(worker, process, killed);
        }
        const uint64_t spent_us = (now_ns() - start) / 1000;
        if (spent_us < 90000)
            usleep((useconds_t)(90000 - spent_us));
    }
    return NULL;
}

/* ---- What has to go right -------------------------------------------------------------------- */

static int mix_all(const para_chunk *chunk, const void *arg)
{
    const uint64_t *in = chunk->in[0];
    uint64_t *out = chunk->out[0];
    for (size_t i = 0; i < chunk->count; i++)
        out[i] = check_mix(in[i] + chunk->first + i + *(const uint64_t *)arg);
    usleep(200);
    return 0;
}

PARA_LOOP(mix_each, i, uint64_t, salt, const uint64_t *, x, uint64_t *, y)
{
    y[i] = check_mix(x[i] + i + salt);
    if (i % 1024 == 0)
        usleep(200);
}

static unsigned count_unmixed(const uint64_t *x, const uint64_t *y, uint64_t salt)
{
    unsigned wrong = 0;
    for (size_t i = 0; i < LENGTH; i++)
        wrong += y[i] != check_mix(x[i] + i + salt);
    return wrong;
}

static int sum_doubles(const para_chunk *chunk, void *acc, const void *arg)
{
    const uint64_t *in = chunk->in[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        *(double *)acc += (double)in[i] * 1e-3;
    usleep(20);
    return 0;
}

static void add_double(void *acc, const void *rhs, const void *arg)
{
    (void)arg;
    *(double *)acc += *(const double *)rhs;
}

static int by_size(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* ---- Tasks ----------------------------------------------------------------------------------- */

enum { SLOTS = 8 };

/* What a task writes, there and in memory of the pool: who it is, and what follows from that. */
typedef struct written {
    uint64_t id, mixed;
} written;

static struct {
    written *shared; /* [SLOTS] */
    uint64_t submitted, done, died, wrong, doubled, unnamed;
    _Atomic uint64_t ended;
} tasks;

static int write_twice(void *arg)
{
    written *const w = arg;
    written *const shared = (written *)(uintptr_t)w->mixed; /* on its way in */
    w->mixed = check_mix(w->id);
    usleep(100);
    shared->mixed = w->mixed;
    shared->id++;
    return (int)(w->id & 0xff);
}

static void count_end(para_task *task)
{
    (void)task;
    tasks.ended++;
}

/* Looks at a task that is over; what it was told and what it has written must be its own. */
static void look_at(para_task *task, const written *w, uint64_t id, unsigned slot)
{
    const para_status status = para_task_wait(task);
    written *const shared = &tasks.shared[slot];
    const bool died = status == PARA_ERR_WORKER_DIED;
    const bool expected = status == ((id & 0xff) != 0 ? PARA_ERR_TASK : PARA_OK);
    tasks.doubled += shared->id > 1;
    if (expected)
        tasks.wrong += w->id != id || w->mixed != check_mix(id) || shared->mixed != w->mixed ||
                       shared->id != 1 || (uint64_t)task->result != (id & 0xff);
    else
        tasks.wrong += !died || w->mixed != (uintptr_t)shared; /* it got nothing back */
    tasks.unnamed += died && (para_death_of(task->result) > PARA_DEATH_OVERRUN ||
                              !strstr(para_status_detail(), "died"));
    tasks.done += expected;
    tasks.died += died;
}

static void *submit_tasks(void *arg)
{
    static para_task task[SLOTS];
    written own[SLOTS];
    (void)arg;
    for (uint64_t round = 0; !enough; round++) {
        for (unsigned s = 0; s < SLOTS; s++) {
            own[s] = (written){round * SLOTS + s, (uintptr_t)&tasks.shared[s]};
            tasks.shared[s] = (written){0, 0};
            task[s] = (para_task){.run = write_twice,
                                  .arg = &own[s],
                                  .arg_bytes = sizeof own[s],
                                  .priority = s % PARA_TASK_PRIORITIES,
                                  .done = count_end};
            const para_status status = para_submit(pool, &task[s]);
            tasks.wrong += status != PARA_OK;
            tasks.submitted++;
        }
        for (unsigned s = 0; s < SLOTS; s++)
            look_at(&task[s], &own[s], round * SLOTS + s, s);
    }
    return NULL;
}

TEST(chaos_reigns)
{
    uint64_t seed = stress_seed();
    para_processes processes = PARA_PROCESSES_INIT;
    processes.chunk_ns = 100000000;
    const unsigned descriptors = count_descriptors();
    pool = process_pool(WORKERS, &processes);
    para_buffer *buffers[2];
    OK(para_buffer_create(&buffers[0], pool, LENGTH, sizeof(uint64_t), NULL));
    OK(para_buffer_create(&buffers[1], pool, LENGTH, sizeof(uint64_t), NULL));
    uint64_t *const x = para_buffer_data(buffers[0]), *const y = para_buffer_data(buffers[1]);
    for (size_t i = 0; i < LENGTH; i++)
        x[i] = check_random(&seed) >> 20;
    double expected = 1;
    para_reduce reduce = {.kernel = sum_doubles,
                          .combine = add_double,
                          .count = LENGTH,
                          .in = {PARA_IN(x)},
                          .result = &expected,
                          .result_bytes = sizeof expected};
    OK(para_preduce(NULL, &reduce));
    para_buffer *written_by_tasks;
    OK(para_buffer_create(&written_by_tasks, pool, SLOTS, sizeof(written), NULL));
    tasks.shared = para_buffer_data(written_by_tasks);
    pthread_t thread, submitter;
    assert_int_equal(pthread_create(&thread, NULL, make_chaos, &seed), 0);
    assert_int_equal(pthread_create(&submitter, NULL, submit_tasks, NULL), 0);
    const uint64_t end = now_ns() + (uint64_t)seconds * 1000000000;
    const para_survival repeats = {.repeats = true};
    const para_setup loop = {.pool = pool, .options = {.survival = &repeats}};
    unsigned calls = 0, failed = 0, wrong = 0, unnamed = 0;
    for (uint64_t salt = 0; now_ns() < end; salt++) {
        para_report report;
        memset(y, 0x55, LENGTH * sizeof *y);
        const para_status mapped = para_pmap(pool, &(para_map){.kernel = mix_all,
                                                               .arg = &salt,
                                                               .arg_bytes = sizeof salt,
                                                               .count = LENGTH,
                                                               .in = {PARA_IN(x)},
                                                               .out = {PARA_OUT(y)},
                                                               .report = &report});
        calls += 3;
        if (mapped == PARA_OK)
            wrong += report.done != LENGTH || count_unmixed(x, y, salt);
        else {
            failed++;
            unnamed += mapped != PARA_ERR_WORKER_DIED || !*para_status_detail();
        }
        const para_status looped = para_loop_with(&loop, mix_each, LENGTH, ~salt, x, y);
        if (looped == PARA_OK)
            wrong += count_unmixed(x, y, ~salt);
        else {
            failed++;
            unnamed += looped != PARA_ERR_WORKER_DIED || !*para_status_detail();
        }
        double sum = 1;
        reduce.result = &sum;
        const para_status reduced = para_preduce(pool, &reduce);
        if (reduced == PARA_OK)
            wrong += memcmp(&sum, &expected, sizeof sum) != 0;
        else {
            failed++;
            unnamed += reduced != PARA_ERR_WORKER_DIED || sum != 1;
        }
    }
    enough = true;
    pthread_join(thread, NULL);
    pthread_join(submitter, NULL);
    para_signals signals = {.size = sizeof signals};
    OK(para_pool_get_signals(pool, &signals));
    para_pool_info info = {.size = sizeof info};
    OK(para_pool_get_info(pool, &info));
    para_buffer_destroy(buffers[0]);
    para_buffer_destroy(buffers[1]);
    para_buffer_destroy(written_by_tasks);
    OK(para_pool_destroy(pool));
    qsort(chaos.heal_ns, chaos.healed, sizeof chaos.heal_ns[0], by_size);
    const unsigned middle = chaos.healed / 2;
    printf("%u calls, %u failed by a worker's death; %u killed, %u stopped, %u zygotes killed or "
           "stopped; %" PRIu64
           " deaths; another process after %.2f ms (median of %u), %.2f at most\n",
           calls, failed, chaos.kills, chaos.stops, chaos.zygotes, info.deaths,
           chaos.healed ? (double)chaos.heal_ns[middle] / 1e6 : 0, chaos.healed,
           chaos.healed ? (double)chaos.heal_ns[chaos.healed - 1] / 1e6 : 0);
    printf("%" PRIu64 " tasks, %" PRIu64 " of them took a worker along\n", tasks.submitted,
           tasks.died);
    assert_int_equal(tasks.wrong, 0);
    assert_int_equal(tasks.doubled, 0);
    assert_int_equal(tasks.unnamed, 0);
    assert_int_equal(tasks.ended, tasks.submitted);
    assert_int_equal(tasks.done + tasks.died, tasks.submitted);
    assert_int_equal(signals.accepted, tasks.submitted);
    assert_int_equal(signals.completed + signals.failed, tasks.submitted);
    assert_int_equal(wrong, 0);
    assert_int_equal(unnamed, 0);
    assert_int_equal(count_descriptors(), descriptors);
    errno = 0;
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(chaos_reigns)};
    if (argc > 1)
        seconds = stress_rounds(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
