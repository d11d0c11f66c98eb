/* Calls that are left by a jump, or with their thread. That is not allowed, and the result of such
 * a call is undefined. But the pool goes on: no lane, no worker and no state of the thread is
 * lost. */
#include "../common/check.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { WORKERS = 3, N = 300, MANY = 30 };

static const para_options threads = {.executor = PARA_EXECUTOR_THREADS, .chunk = 1};
static _Thread_local sigjmp_buf home;
static _Thread_local bool leaves; /* this thread does so at the next chunk */

static _Atomic uint64_t out[N]; /* those that helpers of a call that was left may still write */

static int leave_if_asked(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    if (leaves) {
        leaves = false;
        siglongjmp(home, 1);
    }
    usleep(20);
    if (chunk->out[0])
        *(_Atomic uint64_t *)chunk->out[0] = check_mix(chunk->first);
    return 0;
}

static int fold(const para_chunk *chunk, void *acc, const void *arg)
{
    *(uint64_t *)acc += chunk->count;
    return leave_if_asked(&(para_chunk){.out = (void *const[]){NULL}}, arg);
}

PARA_COMBINE(add, uint64_t, a, b, a += b)

static para_status map(para_pool *pool, para_report *report)
{
    return para_pmap(pool, &(para_map){.kernel = leave_if_asked,
                                       .count = N,
                                       .out = {PARA_OUT(out)},
                                       .options = threads,
                                       .report = report});
}

static para_status reduce(para_pool *pool)
{
    uint64_t sum = 0;
    return para_preduce(pool, &(para_reduce){.kernel = fold,
                                             .combine = add,
                                             .count = N,
                                             .result = &sum,
                                             .result_bytes = sizeof sum,
                                             .block = 1,
                                             .options = threads});
}

static void leave_a_map(para_pool *pool)
{
    if (sigsetjmp(home, 1) == 0) {
        leaves = true;
        map(pool, NULL);
        leaves = false;
    }
}

static void leave_a_reduction(para_pool *pool)
{
    if (sigsetjmp(home, 1) == 0) {
        leaves = true;
        reduce(pool);
        leaves = false;
    }
}

/* Out of two calls at once, and out of the inner one alone. */
static para_pool *inner_pool;
static _Thread_local bool nests, catches;

static int call_and_leave(const para_chunk *chunk, const void *arg)
{
    sigjmp_buf outer;
    (void)arg;
    (void)chunk;
    if (!nests)
        return 0;
    nests = false;
    memcpy(outer, home, sizeof outer);
    leaves = true;
    if (!catches || sigsetjmp(home, 1) == 0)
        map(inner_pool, NULL);
    leaves = false;
    memcpy(home, outer, sizeof outer);
    return 0;
}

static void leave_nested(para_pool *pool)
{
    inner_pool = pool;
    nests = true;
    if (sigsetjmp(home, 1) == 0)
        DROP(
            para_pmap(pool, &(para_map){.kernel = call_and_leave, .count = N, .options = threads}));
}

static void leave_inner(para_pool *pool)
{
    catches = true;
    leave_nested(pool);
    catches = false;
}

static void deeper(para_pool *pool)
{
    volatile char room[3000];
    room[0] = 0;
    leave_a_map(pool);
    room[1] = room[0];
}

/* ---- What is still there ---------------------------------------------------------------- */

static _Atomic unsigned there, missed;

/* Counts threads, each of which waits for all others. */
static int meet(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    (void)chunk;
    there++;
    for (long i = 0; there < WORKERS && i < 20000; i++)
        usleep(100);
    missed += there < WORKERS;
    return 0;
}

/* The calling thread goes to the first or the last of its CPUs: to another worker's place. */
static void go_to(bool last)
{
    static cpu_set_t all;
    if (CPU_COUNT(&all) == 0)
        assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    int chosen = -1;
    for (int cpu = 0; cpu < CPU_SETSIZE && (last || chosen < 0); cpu++)
        if (CPU_ISSET(cpu, &all))
            chosen = cpu;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(chosen, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
}

/* Calls are shared, right, and among all; the thread is as it was. */
static void is_whole(para_pool *pool)
{
    para_report report;
    for (int i = 0; i < 3; i++) {
        for (size_t k = 0; k < N; k++)
            out[k] = 0;
        OK(map(pool, &report));
        assert_int_equal(report.why, PARA_WHY_ASKED);
        for (size_t k = 0; k < N; k++)
            assert_true(out[k] == check_mix(k));
        OK(reduce(pool));
    }
    there = 0;
    go_to(true); /* whose worker kept out of the way until now is to come */
    OK(para_pmap(pool, &(para_map){.kernel = meet, .count = WORKERS, .options = threads}));
    go_to(false);
    assert_int_equal(missed, 0);
    int state;
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
    assert_int_equal(state, PTHREAD_CANCEL_ENABLE);
}

static void (*const ways[])(para_pool *) = {leave_a_map, leave_a_reduction, leave_nested,
                                            leave_inner, deeper};

TEST(lanes_are_not_lost)
{
    go_to(false);
    for (size_t way = 0; way < COUNT_OF(ways); way++) {
        para_pool *pool = check_pool(WORKERS);
        for (int i = 0; i < MANY; i++)
            ways[way](pool);
        usleep(10000); /* helpers run out what they have claimed */
        is_whole(pool);
        ways[way](pool);
        para_pool_destroy(pool); /* with a call that was left just now */
    }
    for (int i = 0; i < MANY; i++)
        leave_a_map(NULL);
    usleep(10000);
    OK(map(NULL, NULL));
}

static void *leave_and_end(void *pool)
{
    leave_nested(pool);
    leave_a_map(pool);
    return NULL;
}

static _Thread_local bool ends;

static int end_thread(const para_chunk *chunk, const void *arg)
{
    (void)chunk;
    (void)arg;
    if (ends)
        pthread_exit(NULL);
    return 0;
}

static void *end_within(void *pool)
{
    ends = true;
    DROP(para_pmap(pool, &(para_map){.kernel = end_thread, .count = N, .options = threads}));
    return NULL;
}

TEST(nor_with_their_threads)
{
    static void *(*const bodies[])(void *) = {leave_and_end, end_within};
    for (size_t b = 0; b < COUNT_OF(bodies); b++) {
        if (bodies[b] == end_within && !THREADS_ARE_CANCELLED)
            continue;
        para_pool *pool = check_pool(WORKERS);
        for (int i = 0; i < MANY; i++) {
            pthread_t thread;
            assert_int_equal(pthread_create(&thread, NULL, bodies[b], pool), 0);
            pthread_join(thread, NULL);
        }
        usleep(10000);
        is_whole(pool);
        para_pool_destroy(pool);
    }
}

/* ---- Helpers that are still at it -------------------------------------------------------- */

static _Atomic bool hold;
static _Atomic unsigned held;

static int hold_helpers(const para_chunk *chunk, const void *arg)
{
    (void)chunk;
    if (!pthread_equal(pthread_self(), **(pthread_t *const *)arg)) {
        held++;
        while (hold)
            usleep(100);
        held--;
        return 0;
    }
    for (long i = 0; !held && i < 20000; i++)
        usleep(100);
    siglongjmp(home, 1);
}

TEST(a_lane_is_free_again_when_its_helpers_are_out)
{
    static pthread_t self;
    static pthread_t *pointer;
    para_pool *pool = check_pool(WORKERS);
    self = pthread_self();
    pointer = &self;
    hold = true;
    for (int i = 0; i < MANY; i++)
        if (sigsetjmp(home, 1) == 0)
            DROP(para_pmap(pool, &(para_map){.kernel = hold_helpers,
                                             .arg = &pointer,
                                             .count = N,
                                             .options = threads}));
    for (size_t k = 0; k < N; k++)
        out[k] = 0;
    OK(map(pool, NULL)); /* alone, if nobody is free, and right */
    for (size_t k = 0; k < N; k++)
        assert_true(out[k] == check_mix(k));
    hold = false;
    for (long i = 0; held && i < 20000; i++)
        usleep(100);
    usleep(10000);
    is_whole(pool);
    para_pool_destroy(pool);
}

/* ---- A call that the caller helps with while it waits ------------------------------------ */

static pthread_t leaver;
static _Atomic bool inner_begun, leaver_came;
static _Atomic int inner_status;

static void wait_for(const _Atomic bool *flag)
{
    for (long i = 0; !*flag && i < 2000; i++)
        usleep(100);
}

static int leave_if_leaver(const para_chunk *chunk, const void *arg)
{
    (void)chunk;
    (void)arg;
    inner_begun = true;
    if (pthread_equal(pthread_self(), leaver)) {
        leaver_came = true;
        siglongjmp(home, 1);
    }
    wait_for(&leaver_came);
    return 0;
}

/* The leaver waits at the end of its call for a worker, whose kernel makes another call. */
static int call_for_help(const para_chunk *chunk, const void *arg)
{
    (void)chunk;
    (void)arg;
    if (pthread_equal(pthread_self(), leaver))
        wait_for(&inner_begun);
    else
        inner_status = para_pmap(
            inner_pool, &(para_map){.kernel = leave_if_leaver, .count = 2, .options = threads});
    return 0;
}

/* The first test: the machine has all CPUs then. With two of them each worker has its own, and a
 * caller that waits spins and helps. */
TEST(a_call_that_its_helper_leaves_fails)
{
    leaver = pthread_self();
    for (volatile int i = 0; i < 5; i++) {
        para_pool *pool = check_pool(2);
        inner_pool = pool;
        inner_begun = leaver_came = false;
        inner_status = PARA_OK;
        if (sigsetjmp(home, 1) == 0)
            DROP(para_pmap(pool,
                           &(para_map){.kernel = call_for_help, .count = 2, .options = threads}));
        for (size_t k = 0; k < N; k++)
            out[k] = 0;
        OK(map(pool, NULL));
        for (size_t k = 0; k < N; k++)
            assert_true(out[k] == check_mix(k));
        para_pool_destroy(pool); /* waits for the inner call's caller */
        assert_true(inner_status == PARA_OK || inner_status == PARA_ERR_CANCELLED);
        if (leaver_came)
            assert_int_equal(inner_status, PARA_ERR_CANCELLED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_that_its_helper_leaves_fails),
        cmocka_unit_test(lanes_are_not_lost),
        cmocka_unit_test(nor_with_their_threads),
        cmocka_unit_test(a_lane_is_free_again_when_its_helpers_are_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
