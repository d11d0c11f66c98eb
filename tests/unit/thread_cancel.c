/* pthread_cancel: a thread is not cancelled within a call that is shared, nor while it makes or
 * ends a pool, and keeps its state. */
#include "../common/check.h"

#include <pthread.h>
#include <stdlib.h>

enum { N = 1000, LANES = 8 };

typedef struct calls {
    para_pool *pool;
    int state; /* cancelability, before the calls */
    para_status status[3];
    para_why why;
    int state_between, state_after;
    unsigned returned; /* calls that have */
    int done[N];
} calls;

static int look_for_cancellation(const para_chunk *chunk, const void *arg)
{
    int *done = chunk->out[0];
    (void)arg;
    pthread_testcancel();
    for (size_t i = 0; i < chunk->count; i++)
        done[i] = 1;
    return 0;
}

static int count_one(const para_chunk *chunk, void *acc, const void *arg)
{
    (void)arg;
    pthread_testcancel();
    *(size_t *)acc += chunk->count;
    return 0;
}

PARA_COMBINE(add, size_t, a, b, a += b)

static para_status map(calls *c, para_report *report)
{
    return para_pmap(c->pool, &(para_map){.kernel = look_for_cancellation,
                                          .count = N,
                                          .out = {PARA_OUT(c->done)},
                                          .options = {.executor = PARA_EXECUTOR_THREADS},
                                          .report = report});
}

static int call_again(const para_chunk *chunk, const void *arg)
{
    calls *c = *(calls *const *)arg;
    (void)chunk;
    return map(c, NULL);
}

/* A cancellation is pending from the beginning, and takes place at the first chance. */
static void *call_cancelled(void *arg)
{
    calls *c = arg;
    size_t count = 0;
    para_report report;
    pthread_setcancelstate(c->state, NULL);
    pthread_cancel(pthread_self());
    c->status[0] = map(c, &report);
    c->returned++;
    c->why = report.why;
    pthread_setcancelstate(c->state, &c->state_between);
    c->status[1] =
        para_preduce(c->pool, &(para_reduce){.kernel = count_one,
                                             .combine = add,
                                             .count = N,
                                             .result = &count,
                                             .result_bytes = sizeof count,
                                             .options = {.executor = PARA_EXECUTOR_THREADS}});
    c->returned++;
    c->status[2] = para_pmap(c->pool, &(para_map){.kernel = call_again,
                                                  .arg = &c,
                                                  .count = 1,
                                                  .options = {.executor = PARA_EXECUTOR_SERIAL}});
    c->returned++;
    pthread_setcancelstate(c->state, &c->state_after);
    pthread_testcancel();
    return NULL;
}

TEST(a_shared_call_is_no_cancellation_point)
{
    static const int states[] = {PTHREAD_CANCEL_ENABLE, PTHREAD_CANCEL_DISABLE};
    if (!THREADS_ARE_CANCELLED)
        skip();
    para_pool *pool = check_pool(3);
    for (unsigned i = 0; i < 2 * LANES + 2; i++) { /* more than there are lanes */
        calls c = {.pool = pool, .state = states[i % 2]};
        pthread_t thread;
        void *result = NULL;
        assert_int_equal(pthread_create(&thread, NULL, call_cancelled, &c), 0);
        assert_int_equal(pthread_join(thread, &result), 0);
        assert_int_equal(c.returned, 3);
        for (size_t k = 0; k < COUNT_OF(c.status); k++)
            OK(c.status[k]);
        for (size_t k = 0; k < N; k++)
            assert_int_equal(c.done[k], 1);
        assert_int_equal(c.why, PARA_WHY_ASKED);
        assert_int_equal(c.state_between, c.state);
        assert_int_equal(c.state_after, c.state);
        assert_true((result == PTHREAD_CANCELED) == (c.state == PTHREAD_CANCEL_ENABLE));
    }
    para_pool_destroy(pool);
}

static int nothing(const para_chunk *chunk, const void *arg)
{
    (void)chunk, (void)arg;
    return 0;
}

static void *call_first(void *returned)
{
    pthread_cancel(pthread_self());
    const para_status status = para_pmap(NULL, &(para_map){.kernel = nothing, .count = 1});
    *(bool *)returned = status == PARA_OK;
    return NULL;
}

/* It reads files, which are cancellation points, under locks that all later calls need. */
TEST(nor_is_making_the_default_pool)
{
    pthread_t thread;
    bool returned = false;
    if (!THREADS_ARE_CANCELLED)
        skip();
    assert_int_equal(pthread_create(&thread, NULL, call_first, &returned), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(returned);
}

typedef struct life {
    para_status created;
    bool destroyed;
    int state_between, state_after;
} life;

static void *make_and_end(void *arg)
{
    life *l = arg;
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = 3;
    para_pool *pool = NULL;
    pthread_cancel(pthread_self());
    l->created = para_pool_create(&pool, &config);
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &l->state_between);
    para_pool_destroy(pool);
    l->destroyed = true;
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &l->state_after);
    pthread_testcancel();
    return NULL;
}

/* To print is a cancellation point, and so is to wait for a thread's end. */
TEST(nor_is_making_or_ending_a_pool)
{
    pthread_t thread;
    void *result = NULL;
    life l = {.created = PARA_ERR_ARGUMENT, .state_between = -1, .state_after = -1};
    if (!THREADS_ARE_CANCELLED)
        skip();
    setenv("PARA_DISPLAY_ENV", "true", 1);
    assert_int_equal(pthread_create(&thread, NULL, make_and_end, &l), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    unsetenv("PARA_DISPLAY_ENV");
    OK(l.created);
    assert_true(l.destroyed);
    assert_int_equal(l.state_between, PTHREAD_CANCEL_ENABLE);
    assert_int_equal(l.state_after, PTHREAD_CANCEL_ENABLE);
    assert_ptr_equal(result, PTHREAD_CANCELED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nor_is_making_the_default_pool),
        cmocka_unit_test(nor_is_making_or_ending_a_pool),
        cmocka_unit_test(a_shared_call_is_no_cancellation_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
