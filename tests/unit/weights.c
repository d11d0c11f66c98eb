/* Slices as long as kinds of cores are fast: what is learnt from a call's paces, and calls whose
 * slices have weights. */
#include "../common/check.h"

#include "base/memory.h"
#include "base/tuning.h"
#include "pool/calibrate.h"
#include "pool/place.h"

#include <stdlib.h>
#include <string.h>

enum { WORKERS = 6, FAST = 2 };

/* A pool of two fast and four slow workers: kinds 1 and 0. */
static para_pool *hybrid_pool(void)
{
    para_pool *pool = check_pool(WORKERS);
    para__kinds_before *const before = para__alloc((WORKERS + 1) * sizeof *before);
    assert_non_null(before);
    para__free(pool->lanes.before); /* of this machine */
    for (unsigned w = 0; w < WORKERS; w++) {
        pool->lanes.helper[w].kind = w < FAST;
        before[w + 1] = before[w];
        before[w + 1].of[w < FAST]++;
    }
    for (unsigned k = 0; k < PARA__KINDS_MOST; k++)
        para__store_relaxed(&pool->lanes.weight[k], PARA__WEIGHT_ONE); /* no call is in flight */
    pool->is_hybrid = true;
    pool->lanes.before = before;
    return pool;
}

static unsigned weight_of(const para_pool *pool, unsigned kind)
{
    return para__load_relaxed(&pool->lanes.weight[kind]);
}

/* A call of all workers, the caller in the place of worker 1: what a unit took each; 0: it has not
 * come. */
static void learn(para_pool *pool, const float ticks[WORKERS])
{
    static uint64_t epoch = 16;
    para__lane *const lane = &pool->lanes.lane[PARA__LANES - 1];
    lane->first = 0;
    lane->width = WORKERS;
    lane->epoch = epoch += PARA__WEIGHTS_EVERY;
    for (unsigned w = 0; w < WORKERS; w++) {
        const bool came = ticks[w] > 0 && w != 1;
        lane->member[w].tally.dearest_ticks = came || w == 1 ? ticks[w] : 5; /* of an older call */
        para__store_relaxed(&lane->member[w].done, para__tagged(came ? epoch : 1, 0));
    }
    para__weights_learn(pool, lane, 1);
}

/* The first call that tells is believed; then the weight follows. */
TEST(paces_of_even_calls_are_learnt)
{
    para_pool *pool = hybrid_pool();
    learn(pool, (const float[]){10, 10, 20, 20, 20, 20});
    assert_int_equal(weight_of(pool, 1), PARA__WEIGHT_ONE);
    assert_int_equal(weight_of(pool, 0), PARA__WEIGHT_ONE / 2);
    for (int i = 0; i < 50; i++)
        learn(pool, (const float[]){10, 11, 31, 30, 30, 32});
    assert_in_range(weight_of(pool, 0), PARA__WEIGHT_ONE / 3 - 1, PARA__WEIGHT_ONE * 3 / 8);
    for (int i = 0; i < 50; i++) /* what all wait for alike, such as memory */
        learn(pool, (const float[]){10, 10, 10, 10, 10, 10});
    assert_in_range(weight_of(pool, 0), PARA__WEIGHT_ONE * 7 / 8, PARA__WEIGHT_ONE);
    para_pool_destroy(pool);
}

/* A weight that is about right stays, so that data stays where it is. */
TEST(small_changes_move_nothing)
{
    para_pool *pool = hybrid_pool();
    learn(pool, (const float[]){10, 10, 20, 20, 20, 20});
    for (int i = 0; i < 100; i++) {
        const float slow = i % 2 ? 19.5f : 20.5f;
        learn(pool, (const float[]){10, 10, slow, slow, slow, slow});
        assert_int_equal(weight_of(pool, 0), PARA__WEIGHT_ONE / 2);
    }
    para_pool_destroy(pool);
}

TEST(other_calls_teach_nothing)
{
    static const float calls[][WORKERS] = {
        {10, 10, 0, 0, 0, 0},     /* one kind only */
        {0, 0, 20, 20, 20, 20},   /* without the fastest */
        {10, 10, 20, 50, 90, 80}, /* uneven */
        {0, 0, 0, 0, 0, 0},
    };
    para_pool *pool = hybrid_pool();
    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        learn(pool, calls[i]);
        assert_int_equal(weight_of(pool, 0), PARA__WEIGHT_ONE);
    }
    learn(pool, (const float[]){10, 10, 20, 20, 21, 900}); /* one was away */
    assert_int_equal(weight_of(pool, 0), PARA__WEIGHT_ONE / 2);
    learn(pool, (const float[]){10, 10, 9e9f, 9e9f, 9e9f, 9e9f}); /* a wild one counts little */
    assert_in_range(weight_of(pool, 0), PARA__WEIGHT_ONE / 4, PARA__WEIGHT_ONE / 2);
    para_pool_destroy(pool);
}

/* Never so little that a slice is nothing. */
TEST(weights_have_bounds)
{
    para_pool *pool = hybrid_pool();
    learn(pool, (const float[]){1, 1, 1e6f, 1e6f, 1e6f, 1e6f});
    assert_int_equal(weight_of(pool, 0), PARA__WEIGHT_ONE / 16);
    for (int i = 0; i < 100; i++)
        learn(pool, (const float[]){1e6f, 1e6f, 1, 1, 1, 1});
    assert_in_range(weight_of(pool, 0), PARA__WEIGHT_ONE, 2 * PARA__WEIGHT_ONE);
    para_pool_destroy(pool);
}

/* ---- Calls ------------------------------------------------------------------------------ */

static int square(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    const uint64_t *in = chunk->in[0];
    uint64_t *out = chunk->out[0];
    for (size_t i = 0; i < chunk->count; i++)
        out[i] = in[i] * in[i];
    return 0;
}

static int add(const para_chunk *chunk, void *accumulator, const void *arg)
{
    (void)arg;
    const uint64_t *in = chunk->in[0];
    double *sum = accumulator;
    for (size_t i = 0; i < chunk->count; i++)
        *sum += 1.0 / (double)(in[i] + 1);
    return 0;
}

static void join(void *into, const void *from, const void *arg)
{
    (void)arg;
    *(double *)into += *(const double *)from;
}

static double sum_of(para_pool *pool, const uint64_t *in, size_t count, para_executor executor)
{
    double sum = 0;
    OK(para_preduce(pool, &(para_reduce){.kernel = add,
                                         .combine = join,
                                         .count = count,
                                         .in = {{in, sizeof *in}},
                                         .result = &sum,
                                         .result_bytes = sizeof sum,
                                         .options.executor = executor}));
    return sum;
}

/* Weights that change between calls change nothing of what these compute. */
TEST(results_do_not_depend_on_weights)
{
    static const size_t counts[] = {1, 6, 47, 48, 49, 1000, 300007};
    static const unsigned weights[] = {64, 4, 37, 128, 21};
    enum { MOST = 300007 };
    uint64_t *in = malloc(MOST * sizeof *in);
    uint64_t *out = malloc(MOST * sizeof *out);
    para_pool *pool = hybrid_pool();
    assert_true(in && out);
    for (size_t i = 0; i < MOST; i++)
        in[i] = i;
    for (size_t c = 0; c < COUNT_OF(counts); c++)
        for (size_t w = 0; w < COUNT_OF(weights); w++)
            for (unsigned workers = 2; workers <= WORKERS; workers++) {
                para__store_relaxed(&pool->lanes.weight[0], weights[w]); /* a value on its own */
                memset(out, 0xff, counts[c] * sizeof *out);
                OK(para_pmap(pool, &(para_map){.kernel = square,
                                               .count = counts[c],
                                               .in = {PARA_IN(in)},
                                               .out = {PARA_OUT(out)},
                                               .options = {.executor = PARA_EXECUTOR_THREADS,
                                                           .workers = workers}}));
                for (size_t i = 0; i < counts[c]; i++)
                    if (out[i] != i * i)
                        fail_msg("element %zu of %zu is wrong", i, counts[c]);
                const double shared = sum_of(pool, in, counts[c], PARA_EXECUTOR_THREADS);
                const double alone = sum_of(pool, in, counts[c], PARA_EXECUTOR_SERIAL);
                assert_memory_equal(&shared, &alone, sizeof shared);
            }
    para_pool_destroy(pool);
    free(in);
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paces_of_even_calls_are_learnt),
        cmocka_unit_test(small_changes_move_nothing),
        cmocka_unit_test(other_calls_teach_nothing),
        cmocka_unit_test(weights_have_bounds),
        cmocka_unit_test(results_do_not_depend_on_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
