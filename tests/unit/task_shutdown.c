/* A pool that ends while others use it: what it still accepts, what becomes of what it has, and
 * threads that are inside when it is destroyed. */
#include "../common/tasks.h"

#include <pthread.h>
#include <string.h>

enum { WORKERS = 2, N = 20, FEW = 5 };

static const uint64_t LONG_NS = 60000000000u;

static para_task held[WORKERS], task[N];
static _Atomic unsigned ran, told;

static void note_end(para_task *over)
{
    fault_unless(over->status == PARA_OK || over->status == PARA_ERR_ENDING);
    told++;
}

/* A pool with both workers at the gate, and `count` tasks behind. */
static void make_busy(unsigned count, unsigned capacity)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = WORKERS;
    config.task_capacity = capacity;
    OK(para_pool_create(&pool, &config));
    ran = told = 0;
    begin_holding(held, WORKERS);
    for (unsigned i = 0; i < count; i++) {
        task[i] = (para_task){.run = count_up, .arg = &ran, .done = note_end};
        OK(para_submit(pool, &task[i]));
    }
}

static void settle(para_shutdown how)
{
    para_pool_left left = {.queued = 7, .running = 7};
    OK(para_pool_shutdown(pool, how, para_deadline_after(LONG_NS), &left));
    assert_int_equal(left.queued, 0);
    assert_int_equal(left.running, 0);
}

static int nothing(const para_chunk *chunk, const void *arg)
{
    (void)chunk;
    (void)arg;
    return 0;
}

static int add(const para_chunk *chunk, void *acc, const void *arg)
{
    (void)arg;
    *(uint64_t *)acc += chunk->count;
    return 0;
}

static void sum_up(void *into, const void *from, const void *arg)
{
    (void)arg;
    *(uint64_t *)into += *(const uint64_t *)from;
}

static para_status call(para_pool *of)
{
    return para_pmap(of, &(para_map){.kernel = nothing, .count = 1});
}

/* ---- Draining and dropping ------------------------------------------------------------- */

static void *submit_one(void *arg)
{
    para_task *const one = arg;
    fault_unless(para_submit(pool, one) == PARA_ERR_ENDING);
    return NULL;
}

TEST(a_pool_is_drained)
{
    para_pool_left left;
    para_task late = {.run = count_up, .arg = &ran}, waiting = late;
    pthread_t putter;
    make_busy(N, N);
    assert_int_equal(pthread_create(&putter, NULL, submit_one, &waiting), 0);
    usleep(5000); /* most likely it waits for room */
    FAILS(PARA_ERR_TIMEOUT, para_pool_shutdown(pool, PARA_SHUTDOWN_DRAIN, 0, &left));
    pthread_join(putter, NULL); /* it was told */
    assert_int_equal(left.queued, N);
    assert_int_equal(left.running, WORKERS);
    FAILS(PARA_ERR_ENDING, para_submit(pool, &late));
    FAILS(PARA_ERR_ENDING, para_submit_until(pool, &late, 0));
    FAILS(PARA_ERR_ENDING, call(pool));
    FAILS(PARA_ERR_TIMEOUT,
          para_pool_shutdown(pool, PARA_SHUTDOWN_DRAIN, para_deadline_after(1000000), &left));
    assert_int_equal(left.queued, N);
    is_open = true;
    settle(PARA_SHUTDOWN_DRAIN);
    assert_int_equal(ran, N);
    assert_int_equal(told, N);
    for (unsigned i = 0; i < N; i++)
        OK(para_task_wait_until(&task[i], 0));
    settle(PARA_SHUTDOWN_DROP);                      /* again, in any way */
    FAILS(PARA_ERR_ARGUMENT, para_task_wait(&late)); /* it was never submitted */
    OK(para_pool_destroy(pool));
    for (unsigned i = 0; i < N; i++)
        OK(para_task_wait(&task[i]));
    assert_int_equal(faults, 0);
}

TEST(what_is_not_drained_in_time_is_dropped)
{
    para_pool_left left;
    make_busy(N, 0);
    FAILS(PARA_ERR_TIMEOUT,
          para_pool_shutdown(pool, PARA_SHUTDOWN_DRAIN, para_deadline_after(1000000), NULL));
    FAILS(PARA_ERR_TIMEOUT, para_pool_shutdown(pool, PARA_SHUTDOWN_DROP, 0, &left));
    assert_int_equal(left.queued, 0);
    assert_int_equal(left.running, WORKERS);
    assert_int_equal(told, N);
    for (unsigned i = 0; i < N; i++)
        FAILS(PARA_ERR_ENDING, para_task_wait(&task[i]));
    is_open = true;
    settle(PARA_SHUTDOWN_DRAIN);
    assert_int_equal(ran, 0);
    OK(para_task_wait(&held[0]));
    OK(para_pool_destroy(pool));
    assert_int_equal(faults, 0);
}

/* Every kind of call. */
TEST(a_pool_that_is_closed_refuses_calls)
{
    static const unsigned workers[] = {1, 3};
    for (size_t i = 0; i < COUNT_OF(workers); i++) {
        uint64_t sum = 0, data[FEW] = {0};
        para_task late = {.run = count_up, .arg = &ran};
        para_task as_task = {.run = NULL};
        const para_map map = {.kernel = nothing, .count = FEW};
        const para_reduce reduce = {.kernel = add,
                                    .combine = sum_up,
                                    .count = FEW,
                                    .result = &sum,
                                    .result_bytes = sizeof sum};
        pool = check_pool(workers[i]);
        OK(call(pool));
        settle(PARA_SHUTDOWN_DRAIN); /* without a task */
        FAILS(PARA_ERR_ENDING, para_pmap(pool, &map));
        FAILS(PARA_ERR_ENDING, para_preduce(pool, &reduce));
        FAILS(PARA_ERR_ENDING, para_psort(pool, &(para_sort){.data = {data, sizeof data[0]},
                                                             .count = FEW,
                                                             .key = PARA_KEY_U64}));
        FAILS(PARA_ERR_ENDING, para_submit(pool, &late));
        FAILS(PARA_ERR_ENDING, para_pmap_submit(pool, &map, &as_task));
        FAILS(PARA_ERR_ENDING, para_preduce_submit(pool, &reduce, &as_task));
        OK(call(NULL)); /* others go on */
        OK(para_pool_destroy(pool));
    }
}

/* What belongs to a task is done, while its pool is drained. */
static int divide_and_call(void *arg)
{
    fib f = {.n = 8};
    uint64_t sum = 0;
    (void)hold(arg);
    (void)run_fib(&f);
    fault_unless(f.value == 21);
    fault_unless(para_preduce(pool, &(para_reduce){.kernel = add,
                                                   .combine = sum_up,
                                                   .count = 1000,
                                                   .result = &sum,
                                                   .result_bytes = sizeof sum}) == PARA_OK);
    fault_unless(sum == 1000);
    ran++;
    return 0;
}

TEST(tasks_of_a_pool_that_drains_go_on)
{
    para_task parent[WORKERS + 2]; /* two of them are begun later */
    pool = check_pool(WORKERS);
    is_open = false;
    ran = 0;
    for (unsigned i = 0; i < COUNT_OF(parent); i++) {
        parent[i] = (para_task){.run = divide_and_call};
        OK(para_submit(pool, &parent[i]));
    }
    FAILS(PARA_ERR_TIMEOUT, para_pool_shutdown(pool, PARA_SHUTDOWN_DRAIN, 0, NULL));
    is_open = true;
    settle(PARA_SHUTDOWN_DRAIN);
    assert_int_equal(ran, COUNT_OF(parent));
    OK(para_pool_destroy(pool));
    assert_int_equal(faults, 0);
}

static int submit_refused(void *arg)
{
    para_task more = {.run = count_up, .arg = &ran};
    (void)hold(arg);
    fault_unless(para_submit(pool, &more) == PARA_ERR_ENDING);
    fault_unless(call(pool) == PARA_OK);
    return 0;
}

TEST(tasks_of_a_pool_that_drops_submit_no_more)
{
    para_task parent = {.run = submit_refused};
    pool = check_pool(WORKERS);
    is_open = false;
    begun = ran = 0;
    OK(para_submit(pool, &parent));
    while (begun == 0)
        sched_yield();
    FAILS(PARA_ERR_TIMEOUT, para_pool_shutdown(pool, PARA_SHUTDOWN_DROP, 0, NULL));
    is_open = true;
    OK(para_task_wait(&parent));
    settle(PARA_SHUTDOWN_DROP);
    assert_int_equal(ran, 0);
    OK(para_pool_destroy(pool));
    assert_int_equal(faults, 0);
}

static int end_own_pool(void *arg)
{
    para_pool_left left = {.running = 7};
    (void)arg;
    fault_unless(para_pool_shutdown(pool, PARA_SHUTDOWN_DRAIN, PARA_DEADLINE_NEVER, &left) ==
                 PARA_ERR_BUSY);
    fault_unless(left.running == 7);
    fault_unless(para_pool_destroy(pool) == PARA_ERR_BUSY);
    fault_unless(para_pool_shutdown(pool, PARA_SHUTDOWN_DRAIN, 0, &left) == PARA_ERR_TIMEOUT);
    fault_unless(left.running == 1 && left.queued == 0);
    return 0;
}

static int destroy_own_pool(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    fault_unless(chunk->count == 0 || para_pool_destroy(pool) == PARA_ERR_BUSY);
    return 0;
}

TEST(a_pool_is_not_ended_from_within)
{
    static const unsigned workers[] = {1, 2};
    para_pool_left left = {.queued = 7};
    for (size_t i = 0; i < COUNT_OF(workers); i++) {
        para_task within = {.run = end_own_pool};
        pool = check_pool(workers[i]);
        if (workers[i] > 1) /* a call that runs alone need not be noticed */
            OK(para_pmap(pool, &(para_map){.kernel = destroy_own_pool,
                                           .count = 100,
                                           .options = {.executor = PARA_EXECUTOR_THREADS}}));
        OK(para_submit(pool, &within));
        OK(para_task_wait(&within));
        settle(PARA_SHUTDOWN_DRAIN);
        OK(para_pool_destroy(pool));
    }
    assert_int_equal(faults, 0);
    FAILS(PARA_ERR_ARGUMENT, para_pool_shutdown(NULL, PARA_SHUTDOWN_DRAIN, 0, &left));
    FAILS(PARA_ERR_ARGUMENT,
          para_pool_shutdown(para_default_pool(), PARA_SHUTDOWN_DRAIN, 0, &left));
    FAILS(PARA_ERR_ARGUMENT, para_pool_destroy(para_default_pool()));
    pool = check_pool(2);
    FAILS(PARA_ERR_ARGUMENT, para_pool_shutdown(pool, (para_shutdown)2, 0, &left));
    assert_int_equal(left.queued, 7);
    OK(call(pool));
    OK(para_pool_destroy(pool));
    OK(para_pool_destroy(NULL));
}

static void *end_it(void *how)
{
    fault_unless(para_pool_shutdown(pool, *(para_shutdown *)how, para_deadline_after(LONG_NS),
                                    NULL) == PARA_OK);
    return NULL;
}

TEST(several_threads_end_a_pool)
{
    static para_shutdown hows[] = {PARA_SHUTDOWN_DRAIN, PARA_SHUTDOWN_DROP, PARA_SHUTDOWN_DRAIN};
    pthread_t thread[COUNT_OF(hows)];
    make_busy(N, 0);
    for (size_t i = 0; i < COUNT_OF(hows); i++)
        assert_int_equal(pthread_create(&thread[i], NULL, end_it, &hows[i]), 0);
    usleep(1000);
    is_open = true;
    for (size_t i = 0; i < COUNT_OF(hows); i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(told, N);
    OK(para_pool_destroy(pool));
    assert_int_equal(faults, 0);
}

/* ---- Destroyed while others are inside -------------------------------------------------- */

static _Atomic unsigned inside;

static int linger(const para_chunk *chunk, const void *arg)
{
    (void)chunk;
    (void)arg;
    inside++;
    usleep(3000);
    return 0;
}

static void *call_long(void *alone)
{
    const para_options options = {.executor = alone ? PARA_EXECUTOR_SERIAL : PARA_EXECUTOR_THREADS,
                                  .chunk = 1};
    para_report report;
    const para_status status = para_pmap(
        pool, &(para_map){.kernel = linger, .count = FEW, .options = options, .report = &report});
    fault_unless(status == PARA_OK || status == PARA_ERR_ENDING);
    fault_unless(status || report.chunks == FEW);
    return NULL;
}

static void *wait_long(void *arg)
{
    inside++;
    const para_status status = para_task_wait(arg);
    fault_unless(status == PARA_OK || status == PARA_ERR_ENDING);
    return NULL;
}

static para_task_group group;
static para_status group_status, more_status;

static void *wait_for_group(void *arg)
{
    inside++;
    group_status = para_task_group_wait(arg);
    return NULL;
}

static void *submit_and_stay(void *arg)
{
    inside++;
    more_status = para_submit(pool, arg);
    return NULL;
}

static void *open_soon(void *arg)
{
    usleep(4000);
    is_open = true;
    return arg;
}

/* A pool of one worker destroys nothing but its memory, so nothing else waits. */
TEST(who_is_inside_when_the_pool_is_destroyed_leaves_first)
{
    for (unsigned round = 0; round < 20; round++) {
        static void *(*const acts[])(void *) = {call_long,      call_long,       wait_long,
                                                wait_for_group, submit_and_stay, open_soon};
        para_task more = {.run = count_up, .arg = &ran}, of_group = more;
        void *const args[] = {NULL, &is_open, &held[0], &group, &more, NULL};
        pthread_t thread[COUNT_OF(acts)];
        make_busy(0, 1);
        inside = 0;
        group = (para_task_group){0};
        of_group.group = &group;
        OK(para_submit(pool, &of_group));
        for (size_t i = 0; i < COUNT_OF(acts); i++)
            assert_int_equal(pthread_create(&thread[i], NULL, acts[i], args[i]), 0);
        while (inside < 5)
            sched_yield();
        usleep(round * 50);
        OK(para_pool_destroy(pool));
        for (size_t i = 0; i < COUNT_OF(acts); i++)
            pthread_join(thread[i], NULL);
        assert_int_equal(faults, 0);
        /* Waiters run what nobody has begun: the group's task may have run, and have made room. */
        assert_true(of_group.status == PARA_OK || of_group.status == PARA_ERR_ENDING);
        assert_int_equal(group_status, of_group.status);
        if (of_group.status)
            assert_int_equal(more_status, PARA_ERR_ENDING);
        if (!more_status)
            assert_true(more.status == PARA_OK || more.status == PARA_ERR_ENDING);
        else
            assert_int_equal(more_status, PARA_ERR_ENDING);
    }
}

TEST(a_call_alone_on_a_pool_without_threads_is_waited_for)
{
    for (unsigned round = 0; round < 20; round++) {
        pthread_t thread;
        pool = check_pool(1);
        inside = 0;
        assert_int_equal(pthread_create(&thread, NULL, call_long, NULL), 0);
        while (inside == 0)
            sched_yield();
        OK(para_pool_destroy(pool));
        pthread_join(thread, NULL);
        assert_int_equal(faults, 0);
    }
}

/* ---- A pool for a block ------------------------------------------------------------------ */

static para_status leave_early(para_pool **of_block)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = 2;
    PARA_WITH_POOL(of_block, &config)
    {
        task[0] = (para_task){.run = count_up, .arg = &ran};
        OK(para_submit(*of_block, &task[0]));
        OK(para_task_wait(&task[0]));
        return call(*of_block);
    }
    return PARA_ERR_ARGUMENT;
}

TEST(a_block_has_a_pool_of_its_own)
{
    para_pool *outer = NULL, *inner = NULL;
    ran = 0;
    OK(leave_early(&outer));
    assert_null(outer);
    PARA_WITH_POOL(&outer, NULL)
    PARA_WITH_POOL(&inner, NULL)
    {
        assert_ptr_not_equal(inner, outer);
        OK(call(inner));
        break;
    }
    assert_null(inner);
    assert_null(outer);
    assert_int_equal(ran, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pool_is_drained),
        cmocka_unit_test(what_is_not_drained_in_time_is_dropped),
        cmocka_unit_test(a_pool_that_is_closed_refuses_calls),
        cmocka_unit_test(tasks_of_a_pool_that_drains_go_on),
        cmocka_unit_test(tasks_of_a_pool_that_drops_submit_no_more),
        cmocka_unit_test(a_pool_is_not_ended_from_within),
        cmocka_unit_test(several_threads_end_a_pool),
        cmocka_unit_test(who_is_inside_when_the_pool_is_destroyed_leaves_first),
        cmocka_unit_test(a_call_alone_on_a_pool_without_threads_is_waited_for),
        cmocka_unit_test(a_block_has_a_pool_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
