/* A pool under everything at once, for as long as it is told: eight threads submit tasks of all
 * kinds and make calls, while another makes pools and ends them with tasks in their queues.
 *   test_stress_soak [SECONDS]      30 by default; PARA_TEST_SEED as for test_stress_calls
 * At the end every task that was accepted is over in one way, once; and memory, descriptors
 * and threads are as many as they were at first. Ends with 1 if anything does not add up. */
#include "holdings.h"
#include "soak.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

enum {
    SUBMITTERS = 8,
    WORKERS = 4,
    CAPACITY = 64, /* so that the queue is often full */
    BATCH = 32,
    DEPTH = 4, /* of recursion: 30 tasks */
    WARM_NS = 2000000000,
    GROWTH_BYTES = 4 << 20 /* a leak of 4 bytes a task would be more */
};

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { KEEPS_FREED_MEMORY = 1 };
#else
enum { KEEPS_FREED_MEMORY = 0 };
#endif

/* ---- Batches -------------------------------------------------------------------------- */

typedef enum ending { EACH, ALL, ANY, GROUP, DESCRIPTORS, ENDINGS } ending;

/* Tasks that are submitted together, and how they are waited for. */
typedef struct batch {
    job *jobs[BATCH];
    size_t accepted;
    ending ending;
    para_task_group group;
    para_cancel above, cancel;
    bool is_requested;
} batch;

static void make_of_some_kind(job *j, batch *b, uint64_t *seed)
{
    j->steps = (unsigned)check_below(seed, check_below(seed, 8) ? 20 : 2000);
    j->task.priority = (unsigned)check_below(seed, PARA_TASK_PRIORITIES);
    j->fails = check_below(seed, 8) == 0;
    j->depth = check_below(seed, 16) ? 0 : DEPTH;
    j->task.group = b->ending == GROUP ? &b->group : NULL;
    if (check_below(seed, 8) == 0)
        j->task.deadline_ns = now_ns() + check_below(seed, 200000);
    else if (check_below(seed, 64) == 0)
        j->task.deadline_ns = 1;
    j->is_doomed = j->task.deadline_ns == 1;
    if (check_below(seed, 4) == 0) {
        j->task.cancel = &b->cancel;
        j->is_doomed |= b->is_requested;
    }
    j->is_call = check_below(seed, 16) == 0;
    if (j->is_call)
        j->call = (para_map){.kernel = mix_all,
                             .arg = &j->steps,
                             .count = ELEMENTS,
                             .out = {PARA_OUT(j->out)},
                             .options.executor = PARA_EXECUTOR_THREADS};
}

/* Until there is room, for a moment, or at once or not at all. */
static bool submit_in_some_way(job *j, uint64_t *seed)
{
    const uint64_t way = check_below(seed, 4);
    return submit(j, way > 1   ? PARA_DEADLINE_NEVER
                     : way > 0 ? now_ns() + check_below(seed, 50000)
                               : 0);
}

static void wait_by_descriptor(job *j)
{
    int fd = -1;
    must(para_task_fd(&j->task, &fd) == PARA_OK, "a task has no descriptor");
    must(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, -1) == 1, "poll has failed");
    check_over(j, para_task_wait(&j->task));
    close(fd);
}

static void wait_for_any(batch *b)
{
    while (b->accepted) {
        para_task *tasks[BATCH];
        size_t which = 0;
        for (size_t i = 0; i < b->accepted; i++)
            tasks[i] = &b->jobs[i]->task;
        const para_status status = para_wait_any(tasks, b->accepted, PARA_DEADLINE_NEVER, &which);
        check_over(b->jobs[which], status);
        b->jobs[which] = b->jobs[--b->accepted];
    }
}

static void wait_for_all(const batch *b)
{
    para_task *tasks[BATCH];
    para_status first = PARA_OK;
    for (size_t i = 0; i < b->accepted; i++)
        tasks[i] = &b->jobs[i]->task;
    const para_status status = para_wait_all(tasks, b->accepted, PARA_DEADLINE_NEVER);
    for (size_t i = 0; i < b->accepted; i++) {
        check_over(b->jobs[i], b->jobs[i]->task.status);
        first = first ? first : b->jobs[i]->task.status;
    }
    must(status == first, "a wait for all has returned another status than the first");
}

static void wait_for_group(batch *b)
{
    const para_status status = para_task_group_wait(&b->group);
    bool is_one_of_them = false;
    for (size_t i = 0; i < b->accepted; i++) {
        check_over(b->jobs[i], b->jobs[i]->task.status);
        is_one_of_them |= b->jobs[i]->task.status == status;
    }
    must(status == PARA_OK || is_one_of_them, "a group has the status of none of its tasks");
}

static void wait_in_some_way(batch *b)
{
    switch (b->ending) {
    case ALL:
        wait_for_all(b);
        break;
    case ANY:
        wait_for_any(b);
        break;
    case GROUP:
        wait_for_group(b);
        break;
    case DESCRIPTORS:
        for (size_t i = 0; i < b->accepted; i++)
            wait_by_descriptor(b->jobs[i]);
        break;
    default:
        for (size_t i = b->accepted; i-- > 0;) {
            while (para_task_wait_until(&b->jobs[i]->task, now_ns() + 20000) == PARA_ERR_TIMEOUT)
                continue;
            check_over(b->jobs[i], para_task_wait(&b->jobs[i]->task));
        }
    }
}

static void run_batch(para_pool *pool, job room[BATCH], uint64_t *seed)
{
    const size_t n = 1 + check_below(seed, BATCH);
    batch b = {.ending = (ending)check_below(seed, ENDINGS), .cancel = {.parent = &b.above}};
    if (check_below(seed, 4) == 0)
        b.cancel.deadline_ns = now_ns() + check_below(seed, 100000);
    for (size_t i = 0; i < n; i++) {
        job *const j = &room[b.accepted];
        make_job(j, pool);
        make_of_some_kind(j, &b, seed);
        b.jobs[b.accepted] = j;
        b.accepted += submit_in_some_way(j, seed);
        if (check_below(seed, 64) == 0) {
            para_cancel_request(check_below(seed, 2) ? &b.cancel : &b.above);
            b.is_requested = true;
        }
    }
    wait_in_some_way(&b);
}

/* A task that nobody waits for, and whose end frees it. */
static void detach(para_pool *pool, uint64_t *seed)
{
    job *const j = malloc(sizeof *j);
    must(j != NULL, "no memory");
    if (!j)
        return;
    make_job(j, pool);
    j->task.is_detached = j->frees_itself = true;
    j->depth = check_below(seed, 8) ? 0 : DEPTH;
    if (!submit_in_some_way(j, seed))
        free(j);
}

static para_pool *make_pool(unsigned workers)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    para_pool *pool = NULL;
    config.workers = workers;
    config.task_capacity = CAPACITY;
    must(para_pool_create(&pool, &config) == PARA_OK, "no pool");
    return pool;
}

/* ---- Threads -------------------------------------------------------------------------- */

typedef struct submitter {
    pthread_t thread;
    para_pool *pool;
    uint64_t seed;
} submitter;

static void *submit_all(void *arg)
{
    submitter *self = arg;
    static _Thread_local job room[BATCH];
    while (!atomic_load(&enough)) {
        const uint64_t what = check_below(&self->seed, 16);
        if (what == 0)
            call(self->pool, &self->seed);
        else if (what < 4)
            detach(self->pool, &self->seed);
        else
            run_batch(self->pool, room, &self->seed);
    }
    return NULL;
}

/* A pool that ends with tasks in its queue, or is drained before, until a deadline. */
static void end_a_pool(para_pool *shared, uint64_t *seed)
{
    static job room[CAPACITY];
    para_pool *pool = make_pool(2 + (unsigned)check_below(seed, 3));
    const size_t n = check_below(seed, CAPACITY);
    (void)shared;
    if (!pool)
        return;
    for (size_t i = 0; i < n; i++) {
        make_job(&room[i], pool);
        room[i].steps = 2000;
        must(submit(&room[i], PARA_DEADLINE_NEVER), "a pool of its own takes no task");
    }
    if (check_below(seed, 2)) {
        para_pool_left left;
        const uint64_t deadline_ns = para_deadline_after(check_below(seed, 2000000));
        const para_status status =
            para_pool_shutdown(pool, PARA_SHUTDOWN_DRAIN, deadline_ns, &left);
        must(status == (left.queued + left.running ? PARA_ERR_TIMEOUT : PARA_OK), "what is left");
        make_job(&room[n], pool);
        must(para_submit(pool, &room[n].task) == PARA_ERR_ENDING, "a task comes after the end");
    }
    para_pool_destroy(pool);
    for (size_t i = 0; i < n; i++)
        check_over(&room[i], room[i].task.status);
    count_one(POOLS);
}

static void resize(para_pool *shared, uint64_t *seed)
{
    must(para_pool_resize(shared, 1 + (unsigned)check_below(seed, WORKERS)) == PARA_OK, "no size");
    count_one(SIZES);
}

/* What is done meanwhile to a pool, in turns: to the shared one, or to another. */
static void (*const operations[])(para_pool *shared, uint64_t *seed) = {end_a_pool, resize};

static void *operate(void *arg)
{
    submitter *self = arg;
    for (unsigned turn = 0; !atomic_load(&enough); turn++) {
        operations[turn % COUNT_OF(operations)](self->pool, &self->seed);
        poll(NULL, 0, 20); /* ms */
    }
    return NULL;
}

/* ---- The end -------------------------------------------------------------------------- */

static void sleep_until(uint64_t ns)
{
    while (now_ns() < ns)
        poll(NULL, 0, 10);
}

static uint64_t read_count(count which)
{
    return atomic_load(&counts[which]);
}

static void report(double seconds)
{
    const uint64_t over =
        read_count(COMPLETED) + read_count(FAILED) + read_count(CANCELLED) + read_count(DROPPED);
    printf("%.0f s: %" PRIu64 " accepted = %" PRIu64 " completed + %" PRIu64 " failed + %" PRIu64
           " cancelled + %" PRIu64 " dropped\n%" PRIu64 " refused, %" PRIu64 " calls, %" PRIu64
           " pools ended, %" PRIu64 " sizes\n",
           seconds, read_count(ACCEPTED), read_count(COMPLETED), read_count(FAILED),
           read_count(CANCELLED), read_count(DROPPED), read_count(REFUSED), read_count(CALLS),
           read_count(POOLS), read_count(SIZES));
    must(read_count(ACCEPTED) == over, "tasks that were accepted have no end, or more than one");
    for (unsigned i = 0; i < COUNTS; i++)
        must(read_count((count)i) > 0, "something has not happened at all");
}

/* A task that was lost is waited for in vain. */
static void give_up(int signal)
{
    static const char text[] = "soak: a wait does not end\n";
    (void)signal;
    _exit(write(STDERR_FILENO, text, sizeof text - 1) > 0 ? 1 : 2);
}

/* What is left. A thread of the trace, or of the metrics, may have a file open for a moment, now or
 * when it was counted before. */
static holdings holdings_left(const holdings *before)
{
    holdings left = holdings_now();
    for (unsigned i = 0; i < 5000 && left.descriptors > before->descriptors; i++) {
        usleep(1000);
        left = holdings_now();
    }
    return left;
}

int main(int argc, char **argv)
{
    const double seconds = argc > 1 ? strtod(argv[1], NULL) : 30;
    uint64_t seed = stress_seed();
    signal(SIGALRM, give_up);
    alarm((unsigned)seconds + 60);
    const holdings before = holdings_now();
    para_pool *pool = make_pool(WORKERS);
    submitter all[SUBMITTERS + 1];
    if (!pool)
        return 1;
    const uint64_t begin = now_ns();
    for (unsigned i = 0; i <= SUBMITTERS; i++) {
        all[i] = (submitter){.pool = pool, .seed = check_random(&seed)};
        if (pthread_create(&all[i].thread, NULL, i < SUBMITTERS ? submit_all : operate, &all[i]))
            return 1;
    }
    const uint64_t end = begin + (uint64_t)(seconds * 1e9);
    sleep_until(begin + WARM_NS < end ? begin + WARM_NS : end);
    const holdings warm = holdings_now();
    sleep_until(end);
    const holdings late = holdings_now();
    atomic_store(&enough, true);
    for (unsigned i = 0; i <= SUBMITTERS; i++)
        pthread_join(all[i].thread, NULL);
    para_pool_destroy(pool); /* detached tasks that are left are dropped */
    report((double)(now_ns() - begin) * 1e-9);

    const holdings after = holdings_left(&before);
    printf(
        "MiB resident: %.1f, %.1f at the end; descriptors before and after: %u, %u; threads: %u, "
        "%u\n",
        (double)warm.bytes / 1048576, (double)late.bytes / 1048576, before.descriptors,
        after.descriptors, before.threads, after.threads);
    must(KEEPS_FREED_MEMORY || late.bytes < warm.bytes + GROWTH_BYTES, "memory grows");
    must(before.descriptors >= after.descriptors, "descriptors are left");
    must(before.threads == after.threads, "threads are left");
    const unsigned found = atomic_load(&violations);
    printf("%s\n", found ? "soak: something does not add up" : "soak: all adds up");
    return found ? 1 : 0;
}
