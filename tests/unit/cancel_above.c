/* Tokens with a parent or a deadline: in calls, tasks and waits. */
#include "../common/waiters.h"
#include "task/state.h"

#include <stdatomic.h>

enum { N = 6400, CHUNK = 100 };
static const unsigned pool_sizes[] = {1, 2, 3};

#include "../common/pools.h"

static const para_executor executors[] = {PARA_EXECUTOR_AUTO, PARA_EXECUTOR_THREADS,
                                          PARA_EXECUTOR_SERIAL};

TEST(a_request_goes_down_and_not_up)
{
    para_cancel root = {0};
    para_cancel left = {.parent = &root}, right = {.parent = &root};
    para_cancel leaf = {.parent = &left};
    OK(para_cancel_status(&leaf));
    para_cancel_request(&left);
    para_cancel_request(&left);
    FAILS(PARA_ERR_CANCELLED, para_cancel_status(&leaf));
    assert_true(para_cancel_requested(&leaf) && para_cancel_requested(&left));
    assert_false(para_cancel_requested(&root) || para_cancel_requested(&right));
    para_cancel_request(&root);
    assert_true(para_cancel_requested(&right));
}

TEST(a_deadline_goes_down_and_not_up)
{
    para_cancel root = {.deadline_ns = PARA_DEADLINE_NEVER};
    para_cancel past = {.parent = &root, .deadline_ns = 1};
    para_cancel leaf = {.parent = &past, .deadline_ns = from_now(3600000000000)};
    OK(para_cancel_status(&root));
    FAILS(PARA_ERR_DEADLINE, para_cancel_status(&past));
    FAILS(PARA_ERR_DEADLINE, para_cancel_status(&leaf));
    assert_true(para_cancel_requested(&leaf));
    assert_false(para_cancel_requested(&root));
    para_cancel_request(&root); /* a request counts before a deadline */
    FAILS(PARA_ERR_CANCELLED, para_cancel_status(&leaf));
}

static int count_up(const para_chunk *chunk, const void *arg)
{
    atomic_fetch_add((_Atomic size_t *)(uintptr_t)arg, chunk->count);
    return 0;
}

static para_status map(para_pool *pool, para_map_fn *kernel, const void *arg, para_cancel *cancel,
                       para_executor executor, para_report *report)
{
    return para_pmap(
        pool, &(para_map){.kernel = kernel,
                          .arg = arg,
                          .count = N,
                          .options = {.chunk = CHUNK, .executor = executor, .cancel = cancel},
                          .report = report});
}

TEST(as_many_above_each_other_as_documented)
{
    para_cancel chain[PARA_CANCEL_DEPTH + 1] = {{0}};
    para_mutex mutex = {0};
    _Atomic size_t ran = 0;
    para_report report = {.chunks = 5};
    for (size_t i = 1; i < COUNT_OF(chain); i++)
        chain[i].parent = &chain[i - 1];
    para_cancel *const last = &chain[PARA_CANCEL_DEPTH - 1], *const beyond = last + 1;
    OK(para_mutex_lock(&mutex));
    OK(para_cancel_status(last));
    FAILS(PARA_ERR_ARGUMENT, para_cancel_status(beyond));
    FAILS(PARA_ERR_ARGUMENT, para_mutex_lock_cancellable(&mutex, beyond));
    FAILS(PARA_ERR_ARGUMENT,
          map(pools[0], count_up, (void *)&ran, beyond, PARA_EXECUTOR_AUTO, &report));
    assert_int_equal(ran, 0);
    assert_int_equal(report.chunks, 0);
    chain[0].parent = last; /* a circle */
    FAILS(PARA_ERR_ARGUMENT, para_cancel_status(&chain[3]));
    FAILS(PARA_ERR_ARGUMENT, para_mutex_lock_cancellable(&mutex, &chain[3]));
    assert_int_equal(waiters(&chain[3]), 0);
    OK(para_mutex_unlock(&mutex));
}

/* ---- Calls ---------------------------------------------------------------------------- */

TEST(a_call_ends_as_its_token_says)
{
    for (size_t s = 0; s < COUNT_OF(pool_sizes); s++)
        for (size_t e = 0; e < COUNT_OF(executors); e++) {
            _Atomic size_t ran = 0;
            para_cancel root = {0}, past = {.parent = &root, .deadline_ns = 1};
            para_cancel token = {.parent = &root, .deadline_ns = from_now(3600000000000)};
            OK(map(pools[s], count_up, (void *)&ran, &token, executors[e], NULL));
            assert_int_equal(ran, N);
            FAILS(PARA_ERR_DEADLINE,
                  map(pools[s], count_up, (void *)&ran, &past, executors[e], NULL));
            para_cancel_request(&root);
            FAILS(PARA_ERR_CANCELLED,
                  map(pools[s], count_up, (void *)&ran, &token, executors[e], NULL));
            assert_int_equal(ran, N);
        }
}

typedef struct late {
    _Atomic size_t ran;
    para_cancel token;
} late;

/* Each chunk lasts until the deadline has passed. */
static int outlast(const para_chunk *chunk, const void *arg)
{
    late *l = (late *)(uintptr_t)arg;
    while (!para_cancel_requested(&l->token))
        sched_yield();
    l->ran += chunk->count;
    return 0;
}

TEST(a_deadline_that_passes_stops_further_chunks)
{
    for (size_t s = 0; s < COUNT_OF(pool_sizes); s++)
        for (size_t e = 0; e < COUNT_OF(executors); e++) {
            late l = {.ran = 0, .token = {.deadline_ns = from_now(1000000)}};
            para_report report;
            FAILS(PARA_ERR_DEADLINE, map(pools[s], outlast, &l, &l.token, executors[e], &report));
            assert_in_range(l.ran, 0, pool_sizes[s] * CHUNK); /* one each, if any */
            assert_int_equal(report.chunks * CHUNK, l.ran);
            assert_int_equal(report.done, l.ran);
        }
}

/* ---- How much was done ---------------------------------------------------------------- */

typedef struct limited {
    para_cancel token;
    _Atomic size_t seen;
    size_t stop_at; /* elements seen when the call is cancelled; N: it is not */
    bool fails;     /* it fails instead */
} limited;

static int see(const para_chunk *chunk, const void *arg)
{
    limited *l = (limited *)(uintptr_t)arg;
    const bool stops = atomic_fetch_add(&l->seen, chunk->count) + chunk->count > l->stop_at;
    if (stops && !l->fails)
        para_cancel_request(&l->token);
    return stops && l->fails;
}

static int see_sum(const para_chunk *chunk, void *sum, const void *arg)
{
    *(size_t *)sum += chunk->count;
    return see(chunk, arg);
}

static int see_scan(const para_chunk *chunk, void *sum, void *total, const void *arg)
{
    if (sum)
        *(size_t *)sum += chunk->count;
    (void)total;
    return sum ? see(chunk, arg) : 0;
}

static int see_found(const para_chunk *chunk, size_t *found, const void *arg)
{
    (void)found;
    return see(chunk, arg);
}

static int see_filter(const para_chunk *chunk, uint16_t *stay, size_t *kept, const void *arg)
{
    for (size_t i = 0; i < chunk->count; i++)
        stay[(*kept)++] = (uint16_t)i;
    return see(chunk, arg);
}

PARA_COMBINE(add, size_t, a, b, a += b)

enum { MANY = 1000003 };

static para_status call_of_kind(para_pool *pool, unsigned kind, limited *l, para_options options,
                                para_report *report)
{
    size_t result = 0;
    switch (kind) {
    case 0:
    case 1:
        if (kind == 0)
            options.chunk = 1000;
        return para_pmap(
            pool,
            &(para_map){
                .kernel = see, .arg = l, .count = MANY, .options = options, .report = report});
    case 2:
        return para_preduce(pool, &(para_reduce){.kernel = see_sum,
                                                 .combine = add,
                                                 .arg = l,
                                                 .count = MANY,
                                                 .result = &result,
                                                 .result_bytes = sizeof result,
                                                 .options = options,
                                                 .report = report});
    case 3:
        return para_pfind(pool, &(para_find){.kernel = see_found,
                                             .arg = l,
                                             .count = MANY,
                                             .found = &result,
                                             .options = options,
                                             .report = report});
    case 4:
        return para_pfilter(pool, &(para_filter){.kernel = see_filter,
                                                 .arg = l,
                                                 .count = MANY,
                                                 .kept = &result,
                                                 .options = options,
                                                 .report = report});
    default:
        return para_pscan(pool, &(para_scan){.kernel = see_scan,
                                             .combine = add,
                                             .arg = l,
                                             .count = MANY,
                                             .result = &result,
                                             .result_bytes = sizeof result,
                                             .options = options,
                                             .report = report});
    }
}

TEST(the_report_tells_how_many_elements_are_done)
{
    for (unsigned kind = 0; kind < 6; kind++)
        for (size_t s = 0; s < COUNT_OF(pool_sizes); s++)
            for (size_t e = 0; e < COUNT_OF(executors); e++)
                for (unsigned way = 0; way < 3; way++) {
                    limited l = {.stop_at = way ? MANY / 3 : MANY, .fails = way == 2};
                    const para_options options = {.executor = executors[e], .cancel = &l.token};
                    para_report report;
                    const para_status status = call_of_kind(pools[s], kind, &l, options, &report);
                    if (status)
                        assert_int_equal(status, way == 1 ? PARA_ERR_CANCELLED : PARA_ERR_KERNEL);
                    else /* not stopped, or in the last chunk */
                        assert_true(way < 2 && l.seen == MANY);
                    assert_int_equal(report.done, l.seen);
                }
}

/* ---- para_cancelled ------------------------------------------------------------------- */

typedef struct long_kernel {
    para_cancel token;
    size_t asks; /* the element whose chunk requests */
    int returned;
    _Atomic size_t whole; /* elements of chunks that were not told to stop */
} long_kernel;

static int last_long(const para_chunk *chunk, const void *arg)
{
    long_kernel *k = (long_kernel *)(uintptr_t)arg;
    if (k->asks - chunk->first < chunk->count) {
        para_cancel_request(&k->token);
    }
    if (para_cancelled(chunk))
        return k->returned;
    k->whole += chunk->count;
    return 0;
}

TEST(a_kernel_that_is_told_ends_its_call_even_in_the_last_chunk)
{
    for (size_t s = 0; s < COUNT_OF(pool_sizes); s++)
        for (size_t e = 0; e < COUNT_OF(executors); e++)
            for (int returned = 0; returned < 2; returned++)
                for (size_t asks = 0; asks < 2; asks++) {
                    long_kernel k = {.asks = asks ? N - 1 : 0, .returned = returned};
                    para_report report;
                    FAILS(PARA_ERR_CANCELLED,
                          map(pools[s], last_long, &k, &k.token, executors[e], &report));
                    assert_int_equal(report.done, k.whole);
                    assert_int_equal(report.kernel_error, 0);
                }
}

static int ask_without_token(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    return para_cancelled(chunk);
}

TEST(without_a_token_nobody_is_told)
{
    for (size_t s = 0; s < COUNT_OF(pool_sizes); s++)
        for (size_t e = 0; e < COUNT_OF(executors); e++) {
            OK(map(pools[s], ask_without_token, NULL, NULL, executors[e], NULL));
            OK(para_pmap(pools[s], &(para_map){.kernel = ask_without_token,
                                               .count = N,
                                               .options = {.executor = executors[e]}}));
        }
    assert_false(para_cancelled(&(para_chunk){.count = 1}));
}

/* ---- Tasks ---------------------------------------------------------------------------- */

static int count_task(void *arg)
{
    ++*(_Atomic size_t *)arg;
    return 0;
}

TEST(a_task_ends_as_its_token_says)
{
    for (size_t s = 0; s < COUNT_OF(pool_sizes); s++) {
        _Atomic size_t ran = 0;
        para_cancel root = {0}, other = {0};
        para_cancel token = {.parent = &root}, past = {.parent = &other, .deadline_ns = 1};
        para_cancel self = {.parent = &self};
        para_task kept = {.run = count_task, .arg = (void *)&ran, .cancel = &token};
        OK(para_submit(pools[s], &kept));
        OK(para_task_wait(&kept));
        para_cancel_request(&root);
        const struct {
            para_cancel *token;
            para_status status;
            para_task_state state;
        } cases[] = {{&token, PARA_ERR_CANCELLED, PARA_TASK_CANCELLED},
                     {&past, PARA_ERR_DEADLINE, PARA_TASK_DROPPED},
                     {&self, PARA_ERR_ARGUMENT, PARA_TASK_CANCELLED}};
        for (size_t c = 0; c < COUNT_OF(cases); c++) {
            para_task task = {.run = count_task, .arg = (void *)&ran, .cancel = cases[c].token};
            OK(para_submit(pools[s], &task));
            assert_int_equal(para_task_wait(&task), cases[c].status);
            assert_int_equal(task.status, cases[c].status);
            assert_int_equal(para__task_state_of(task.word_), cases[c].state);
        }
        assert_int_equal(ran, 1);
    }
}

/* ---- Waits ---------------------------------------------------------------------------- */

static para_mutex mutex;
static para_semaphore semaphore = PARA_SEMAPHORE_INIT(0, 1);

typedef struct ask {
    para_cancel *token;
    uint64_t deadline_ns;
    bool of_semaphore;
    _Atomic int status; /* 1: it waits */
} ask;

static void *wait_as_asked(void *arg)
{
    ask *a = arg;
    a->status = a->of_semaphore
                    ? para_semaphore_acquire_with(&semaphore, 1, a->deadline_ns, a->token)
                    : para_mutex_lock_with(&mutex, a->deadline_ns, a->token);
    return NULL;
}

TEST(a_request_wakes_those_who_sleep_below_and_no_others)
{
    para_cancel root = {0}, left = {.parent = &root}, right = {.parent = &root};
    para_cancel leaf = {.parent = &left};
    ask asks[] = {{&leaf, UINT64_MAX, false, 1}, {&leaf, UINT64_MAX, true, 1},
                  {&left, UINT64_MAX, false, 1}, {&right, UINT64_MAX, false, 1},
                  {&right, UINT64_MAX, true, 1}, {&root, UINT64_MAX, true, 1}};
    pthread_t threads[COUNT_OF(asks)];
    OK(para_mutex_lock(&mutex));
    for (size_t i = 0; i < COUNT_OF(asks); i++)
        threads[i] = start(wait_as_asked, &asks[i]);
    await_waiters(&mutex, 3);
    await_waiters(&semaphore, 3);
    assert_int_equal(waiters(&root), 6);
    assert_int_equal(waiters(&left), 3);
    assert_int_equal(waiters(&leaf), 2);
    para_cancel_request(&left);
    for (size_t i = 0; i < 3; i++) {
        join(threads[i]);
        assert_int_equal(asks[i].status, PARA_ERR_CANCELLED);
    }
    assert_int_equal(waiters(&root), 3);
    for (size_t i = 3; i < COUNT_OF(asks); i++)
        assert_int_equal(asks[i].status, 1);
    para_cancel_request(&root);
    for (size_t i = 3; i < COUNT_OF(asks); i++) {
        join(threads[i]);
        assert_int_equal(asks[i].status, PARA_ERR_CANCELLED);
    }
    assert_int_equal(waiters(&root) + waiters(&left) + waiters(&right) + waiters(&leaf), 0);
    OK(para_mutex_unlock(&mutex));
}

static void *request(void *token)
{
    para_cancel_request(token);
    return NULL;
}

TEST(no_request_from_above_is_lost)
{
    OK(para_mutex_lock(&mutex));
    for (unsigned i = 0; i < 500; i++) {
        para_cancel root = {0}, middle = {.parent = &root}, leaf = {.parent = &middle};
        ask asks[] = {{&leaf, UINT64_MAX, false, 1}, {&middle, UINT64_MAX, true, 1}};
        pthread_t threads[COUNT_OF(asks)];
        for (size_t k = 0; k < COUNT_OF(asks); k++)
            threads[k] = start(wait_as_asked, &asks[k]);
        for (unsigned k = 0; k < i % 8; k++)
            sched_yield();
        pthread_t other = start(request, i % 2 ? &leaf : &root); /* two at once */
        para_cancel_request(i % 3 ? &root : &middle);
        join(other);
        for (size_t k = 0; k < COUNT_OF(asks); k++) {
            join(threads[k]);
            assert_int_equal(asks[k].status, PARA_ERR_CANCELLED);
        }
    }
    OK(para_mutex_unlock(&mutex));
}

TEST(the_earlier_deadline_ends_a_wait)
{
    OK(para_mutex_lock(&mutex));
    for (unsigned i = 0; i < 4; i++) {
        const uint64_t soon = i < 2 ? 1 : from_now(2000000), far = from_now(3600000000000);
        para_cancel root = {.deadline_ns = soon}, token = {.parent = &root};
        para_cancel patient = {.deadline_ns = far};
        ask by_token = {&token, far, i % 2, 1}, own = {&patient, soon, i % 2, 1};
        pthread_t threads[] = {start(wait_as_asked, &by_token), start(wait_as_asked, &own)};
        join(threads[0]);
        join(threads[1]);
        assert_int_equal(by_token.status, PARA_ERR_DEADLINE);
        assert_int_equal(own.status, PARA_ERR_TIMEOUT);
        assert_true(para__now_ns() >= soon);
        assert_int_equal(waiters(&root) + waiters(&token) + waiters(&mutex), 0);
    }
    OK(para_mutex_unlock(&mutex));
    para_cancel past = {.deadline_ns = 1};
    OK(para_mutex_lock_cancellable(&mutex, &past)); /* it is free */
    OK(para_mutex_unlock(&mutex));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_goes_down_and_not_up),
        cmocka_unit_test(a_deadline_goes_down_and_not_up),
        cmocka_unit_test(as_many_above_each_other_as_documented),
        cmocka_unit_test(a_call_ends_as_its_token_says),
        cmocka_unit_test(a_deadline_that_passes_stops_further_chunks),
        cmocka_unit_test(the_report_tells_how_many_elements_are_done),
        cmocka_unit_test(a_kernel_that_is_told_ends_its_call_even_in_the_last_chunk),
        cmocka_unit_test(without_a_token_nobody_is_told),
        cmocka_unit_test(a_task_ends_as_its_token_says),
        cmocka_unit_test(a_request_wakes_those_who_sleep_below_and_no_others),
        cmocka_unit_test(no_request_from_above_is_lost),
        cmocka_unit_test(the_earlier_deadline_ends_a_wait),
    };
    return cmocka_run_group_tests(tests, make_pools, destroy_pools);
}
