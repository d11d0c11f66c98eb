/* Ways to split a process that fork()'s handlers do not see, or see amid a kernel: a child gets
 * pools that work, and no call hangs. */
#include "../common/child.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

enum { N = 4000 };

static const para_options threads = {.executor = PARA_EXECUTOR_THREADS};

static pid_t fork_by_system_call(void)
{
    return (pid_t)syscall(SYS_clone, (long)SIGCHLD, 0L, 0L, 0L, 0L);
}

static pid_t (*const ways[])(void) = {fork, _Fork, fork_by_system_call};

/* In a child made each way. */
static void in_children(int (*body)(para_pool *), para_pool *pool)
{
    if (!CHILDREN_HAVE_THREADS)
        skip();
    for (size_t way = 0; way < COUNT_OF(ways); way++) {
        const pid_t child = ways[way]();
        if (child == 0) {
            alarm(CHILD_SECONDS);
            _exit(body(pool));
        }
        assert_int_equal(status_of_child(child), 0);
    }
}

static int mix(const para_chunk *chunk, const void *arg)
{
    uint64_t *out = chunk->out[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        out[i] = check_mix(chunk->first + i);
    return 0;
}

/* A call that is right, and ran as asked or for that reason. */
static int compute(para_pool *pool, para_why why)
{
    uint64_t out[N] = {0};
    para_report report = {0};
    EXPECT(para_pmap(pool, &(para_map){.kernel = mix,
                                       .count = N,
                                       .out = {PARA_OUT(out)},
                                       .options = threads,
                                       .report = &report}) == PARA_OK);
    for (size_t i = 0; i < N; i++)
        EXPECT(out[i] == check_mix(i));
    EXPECT(report.why == why);
    return 0;
}

/* ---- The default pool, and one of the program's own ----------------------------------- */

static int use_default(para_pool *unused)
{
    (void)unused;
    const int wrong =
        compute(NULL, check_pool_workers(NULL) > 1 ? PARA_WHY_ASKED : PARA_WHY_ONE_WORKER);
    para_pool_info info = {.size = sizeof info};
    EXPECT(!wrong && para_pool_get_info(NULL, &info) == PARA_OK && !info.forked);
    return 0;
}

TEST(the_default_pool_is_made_anew)
{
    assert_int_equal(use_default(NULL), 0);
    in_children(use_default, NULL);
    assert_int_equal(use_default(NULL), 0);
}

static int restart(para_pool *pool)
{
    para_pool_info info = {.size = sizeof info};
    EXPECT(para_pool_get_info(pool, &info) == PARA_OK && info.forked);
    int wrong = compute(pool, PARA_WHY_FORKED);
    EXPECT(!wrong && para_pool_restart(pool) == PARA_OK);
    EXPECT(para_pool_get_info(pool, &info) == PARA_OK && !info.forked && info.workers == 3);
    for (int i = 0; i < 20 && !wrong; i++)
        wrong = compute(pool, PARA_WHY_ASKED);
    EXPECT(!wrong && para_pool_restart(pool) == PARA_OK); /* once is enough */
    return compute(pool, PARA_WHY_ASKED);
}

static int restart_and_again(para_pool *pool)
{
    int wrong = restart(pool);
    for (size_t way = 0; way < COUNT_OF(ways) && !wrong; way++) {
        const pid_t child = ways[way]();
        if (child == 0)
            _exit(restart(pool));
        int status = 1;
        EXPECT(waitpid(child, &status, 0) == child && status == 0);
    }
    wrong = wrong ? wrong : compute(pool, PARA_WHY_ASKED);
    para_pool_destroy(pool);
    return wrong;
}

TEST(a_pool_is_restarted)
{
    para_pool *pool = check_pool(3);
    in_children(restart_and_again, pool); /* not used before */
    assert_int_equal(compute(pool, PARA_WHY_ASKED), 0);
    in_children(restart_and_again, pool);
    OK(para_pool_restart(pool)); /* nothing to do */
    assert_int_equal(compute(pool, PARA_WHY_ASKED), 0);
    para_pool_destroy(pool);
    OK(para_pool_restart(NULL));
}

/* Caught in the middle of calls, whose kernels must not run on in the child. */
static _Atomic bool enough;
static pid_t first_process;
static _Atomic unsigned strays;

static int mix_at_home(const para_chunk *chunk, const void *arg)
{
    strays += getpid() != first_process;
    return mix(chunk, arg);
}

static void *call_on(void *pool)
{
    uint64_t out[N];
    while (!enough)
        strays += para_pmap(pool, &(para_map){.kernel = mix_at_home,
                                              .count = N,
                                              .out = {PARA_OUT(out)},
                                              .options = {.executor = PARA_EXECUTOR_THREADS,
                                                          .chunk = 10}}) != PARA_OK;
    return NULL;
}

static int restart_amid_calls(para_pool *pool)
{
    const int wrong = restart(pool);
    return wrong ? wrong : strays != 0;
}

TEST(a_pool_is_restarted_amid_calls)
{
    if (!FORKS_AMID_THREADS)
        skip();
    para_pool *pool = check_pool(3);
    pthread_t callers[3];
    first_process = getpid();
    for (size_t i = 0; i < COUNT_OF(callers); i++)
        assert_int_equal(pthread_create(&callers[i], NULL, call_on, pool), 0);
    for (int i = 0; i < 20; i++) {
        const pid_t child = fork(); /* the C library's own locks are sound after this one alone */
        if (child == 0) {
            alarm(CHILD_SECONDS);
            _exit(restart_amid_calls(pool));
        }
        assert_int_equal(status_of_child(child), 0);
    }
    enough = true;
    for (size_t i = 0; i < COUNT_OF(callers); i++)
        pthread_join(callers[i], NULL);
    assert_int_equal(strays, 0);
    para_pool_destroy(pool);
}

TEST(a_daemon_has_pools)
{
    if (!CHILDREN_HAVE_THREADS)
        skip();
    assert_int_equal(use_default(NULL), 0);
    int pipe_ends[2];
    assert_int_equal(pipe(pipe_ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        if (daemon(1, 1) != 0)
            _exit(1);
        alarm(CHILD_SECONDS);
        const unsigned char wrong = (unsigned char)use_default(NULL);
        _exit(write(pipe_ends[1], &wrong, 1) != 1);
    }
    close(pipe_ends[1]);
    unsigned char wrong = 255;
    assert_int_equal(status_of_child(child), 0);
    assert_int_equal(read(pipe_ends[0], &wrong, 1), 1);
    assert_int_equal(wrong, 0);
    close(pipe_ends[0]);
}

/* ---- Locks ---------------------------------------------------------------------------- */

static para_semaphore semaphore = PARA_SEMAPHORE_INIT(0, 10);

static void *wait_for_unit(void *unused)
{
    DROP(para_semaphore_acquire(&semaphore));
    return unused;
}

/* A thread of the parent's stands in line, first for more than a millisecond, and is not there in
 * the child. */
static int pass_by(para_pool *unused)
{
    (void)unused;
    for (uint32_t units = 1; units < 3; units++) {
        const uint64_t deadline_ns = para_deadline_after(10000000000);
        EXPECT(para_semaphore_release(&semaphore, units) == PARA_OK);
        for (uint32_t i = 0; i < units; i++)
            EXPECT(para_semaphore_acquire_until(&semaphore, deadline_ns) == PARA_OK);
    }
    return 0;
}

TEST(nobody_waits_for_those_who_are_not_there)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, wait_for_unit, NULL), 0);
    usleep(50000); /* it most likely waits now; if not, the test has less to find */
    if (CHILDREN_HAVE_THREADS)
        in_children(pass_by, NULL);
    OK(para_semaphore_release(&semaphore, 1));
    pthread_join(thread, NULL);
}

/* ---- Within a kernel ------------------------------------------------------------------ */

/* What the processes share. */
typedef struct shared {
    _Atomic int children, strays; /* strays: chunks that were begun in a child */
    pid_t child[64];
} shared;

static shared *page;

typedef struct forking {
    pid_t (*way)(void);
    size_t at; /* the element at which it forks */
    pid_t process;
} forking;

static int fork_at(const para_chunk *chunk, const void *arg)
{
    const forking *f = arg;
    uint64_t *out = chunk->out[0];
    page->strays += getpid() != f->process;
    for (size_t i = 0; i < chunk->count; i++) {
        usleep(200);
        out[i] = check_mix(chunk->first + i);
        if (chunk->first + i == f->at) {
            const pid_t child = f->way();
            if (child > 0)
                page->child[page->children++] = child;
            else
                alarm(CHILD_SECONDS);
        }
    }
    return 0;
}

/* In the parent the call is right. In the child it returns, if it has a thread to return to: then
 * with PARA_ERR_FORKED, if it was shared; else the child ends there. */
static void fork_within(para_pool *pool, const para_options *options, size_t at)
{
    enum { FEW = 64 };
    if (!CHILDREN_HAVE_THREADS)
        skip();
    for (size_t way = 0; way < COUNT_OF(ways); way++) {
        uint64_t out[FEW] = {0};
        const pid_t parent = getpid();
        const forking f = {ways[way], at, parent};
        page->children = 0;
        page->strays = 0;
        para_report report;
        const para_status status = para_pmap(pool, &(para_map){.kernel = fork_at,
                                                               .arg = &f,
                                                               .count = FEW,
                                                               .out = {PARA_OUT(out)},
                                                               .report = &report,
                                                               .options = *options});
        if (getpid() != parent) {
            const bool is_shared = options->executor == PARA_EXECUTOR_THREADS;
            if (status != (is_shared ? PARA_ERR_FORKED : PARA_OK))
                _exit(2);
            if (is_shared && report.width != 0) /* it is zeroed by such a failure */
                _exit(4);
            if (compute(pool, PARA_WHY_FORKED) || restart(pool))
                _exit(3);
            _exit(0);
        }
        OK(status);
        for (size_t i = 0; i < FEW; i++)
            assert_true(out[i] == check_mix(i));
        assert_int_equal(page->children, 1);
        const int ended = status_of_child(page->child[0]);
        assert_in_range(ended, 0, 1); /* 1: on a thread of the pool's */
        /* The child runs on what its thread had claimed, a quarter of a slice, and claims no
         * more. */
        if (options->executor == PARA_EXECUTOR_THREADS)
            assert_in_range(page->strays, 0, FEW / 4);
        assert_int_equal(compute(pool, PARA_WHY_ASKED), 0);
    }
}

TEST(a_kernel_forks)
{
    page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(page != MAP_FAILED);
    para_pool *pool = check_pool(3);
    for (size_t at = 0; at < 64; at += 9)
        fork_within(pool, &(para_options){.executor = PARA_EXECUTOR_THREADS, .chunk = 1}, at);
    fork_within(pool, &(para_options){.executor = PARA_EXECUTOR_SERIAL}, 10);
    para_pool_destroy(pool);
    munmap(page, sizeof *page);
}

/* In a child that a kernel has made: the lane that its call holds is not given away. The call is
 * one that runs alone, with scratch; or the kernel is called by another pool's. */
typedef struct restarting {
    para_pool *pool, *other;
} restarting;

static int restart_in_child(const para_chunk *chunk, const void *arg)
{
    const restarting *r = arg;
    const pid_t child = fork();
    if (child == 0) {
        alarm(CHILD_SECONDS);
        memset(chunk->scratch, 1, 1000);
        const para_status status = para_pool_restart(r->pool);
        para_pool_destroy(r->pool); /* nothing happens */
        memset(chunk->scratch, 2, 1000);
        _exit(status == PARA_ERR_BUSY ? 0 : 1);
    }
    int status = 1;
    return waitpid(child, &status, 0) == child ? status : -1;
}

static int call_restart(const para_chunk *chunk, const void *arg)
{
    const restarting *r = arg;
    (void)chunk;
    return para_pmap(r->other, &(para_map){.kernel = restart_in_child,
                                           .arg = r,
                                           .count = 2,
                                           .scratch_bytes = 1000,
                                           .options = threads});
}

TEST(a_pool_is_not_restarted_within_its_kernels)
{
    if (!CHILDREN_HAVE_THREADS)
        skip();
    const restarting r = {check_pool(3), check_pool(2)};
    OK(para_pmap(r.pool, &(para_map){.kernel = restart_in_child,
                                     .arg = &r,
                                     .count = 2,
                                     .scratch_bytes = 1000,
                                     .options.executor = PARA_EXECUTOR_SERIAL}));
    if (FORKS_AMID_THREADS)
        OK(para_pmap(r.pool, &(para_map){.kernel = call_restart,
                                         .arg = &r,
                                         .count = 3,
                                         .scratch_bytes = 1000,
                                         .options = threads}));
    para_pool_destroy(r.pool);
    para_pool_destroy(r.other);
}

/* Caught in the middle of another thread's call, and left by jumps after the restart: nothing of
 * the other's lease is taken for this thread's. */
static _Atomic unsigned there, missed;
static _Atomic bool held;
static sigjmp_buf home;

static int hold(const para_chunk *chunk, const void *arg)
{
    (void)chunk;
    (void)arg;
    held = true;
    while (!enough)
        usleep(100);
    return 0;
}

static void *hold_call(void *pool)
{
    DROP(para_pmap(pool, &(para_map){.kernel = hold, .count = 3, .options = threads}));
    return NULL;
}

static int leave(const para_chunk *chunk, const void *arg)
{
    (void)chunk;
    (void)arg;
    siglongjmp(home, 1);
}

static int meet(const para_chunk *chunk, const void *arg)
{
    (void)chunk;
    (void)arg;
    there++;
    for (long i = 0; there < 3 && i < 20000; i++)
        usleep(100);
    missed += there < 3;
    return 0;
}

static int restart_and_leave(para_pool *pool)
{
    EXPECT(para_pool_restart(pool) == PARA_OK);
    for (volatile int i = 0; i < 10; i++)
        if (sigsetjmp(home, 1) == 0)
            DROP(para_pmap(pool, &(para_map){.kernel = leave,
                                             .count = 1,
                                             .scratch_bytes = 1000,
                                             .options.executor = PARA_EXECUTOR_SERIAL}));
    /* From each CPU, so that each worker is to come once. */
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        if (sched_setaffinity(0, sizeof one, &one) != 0)
            continue;
        there = 0;
        EXPECT(para_pmap(pool, &(para_map){.kernel = meet,
                                           .count = 3,
                                           .options = {.executor = PARA_EXECUTOR_THREADS,
                                                       .chunk = 1}}) == PARA_OK);
        EXPECT(missed == 0);
    }
    return compute(pool, PARA_WHY_ASKED);
}

TEST(a_restarted_pool_has_nothing_of_others_leases)
{
    if (!FORKS_AMID_THREADS)
        skip();
    para_pool *pool = check_pool(3);
    pthread_t caller;
    enough = false;
    held = false;
    assert_int_equal(pthread_create(&caller, NULL, hold_call, pool), 0);
    while (!held)
        usleep(100);
    const pid_t child = fork();
    if (child == 0) {
        alarm(CHILD_SECONDS);
        _exit(restart_and_leave(pool));
    }
    const int wrong = status_of_child(child);
    enough = true;
    pthread_join(caller, NULL);
    para_pool_destroy(pool);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_pool_is_made_anew),
        cmocka_unit_test(a_pool_is_restarted),
        cmocka_unit_test(a_pool_is_restarted_amid_calls),
        cmocka_unit_test(a_daemon_has_pools),
        cmocka_unit_test(nobody_waits_for_those_who_are_not_there),
        cmocka_unit_test(a_kernel_forks),
        cmocka_unit_test(a_pool_is_not_restarted_within_its_kernels),
        cmocka_unit_test(a_restarted_pool_has_nothing_of_others_leases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
