/* Memory that calls need beside their arrays: how much they need; that it is kept for repeated
 * calls; and that it is given back. Measured by the pages that the process has. */
#include "../common/check.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const unsigned pool_sizes[] = {1, 2, 16};

#include "../common/pools.h"

enum { MIB = 1 << 20 };

static _Atomic unsigned violations;

static size_t resident_bytes(void)
{
    unsigned long all = 0;
    unsigned long resident = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    assert_non_null(statm);
    assert_int_equal(fscanf(statm, "%lu %lu", &all, &resident), 2);
    fclose(statm);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

/* ---- Kept, and given back ------------------------------------------------------------- */

static const size_t scratch_bytes = (size_t)24 * MIB;
static char *_Atomic first_scratch;

static int touch_scratch(const para_chunk *chunk, const void *arg)
{
    if (chunk->worker == *(const unsigned *)arg)
        first_scratch = chunk->scratch;
    memset(chunk->scratch, 1, scratch_bytes);
    return 0;
}

/* One that nobody shares needs as much for its one participant. */
static void large_call(para_pool *pool)
{
    static const unsigned first = 0;
    first_scratch = NULL;
    while (!first_scratch) /* else another participant has taken all */
        OK(para_pmap(pool,
                     &(para_map){.kernel = touch_scratch,
                                 .arg = &first,
                                 .count = 4,
                                 .scratch_bytes = scratch_bytes,
                                 .options = {.executor = PARA_EXECUTOR_THREADS, .chunk = 1}}));
}

static int do_nothing(const para_chunk *chunk, const void *arg)
{
    (void)chunk;
    (void)arg;
    return 0;
}

static int count_elements(const para_chunk *chunk, void *acc, const void *arg)
{
    (void)arg;
    *(uint64_t *)acc += chunk->count;
    return 0;
}

PARA_COMBINE(add_counts, uint64_t, s, t, s += t)

static void small_calls(para_pool *pool, para_executor executor)
{
    uint64_t total = 0;
    OK(para_pmap(pool,
                 &(para_map){.kernel = do_nothing, .count = 10, .options.executor = executor}));
    OK(para_preduce(pool, &(para_reduce){.kernel = count_elements,
                                         .combine = add_counts,
                                         .count = 10,
                                         .result = &total,
                                         .result_bytes = sizeof total,
                                         .options.executor = executor}));
    assert_int_equal(total, 10);
}

TEST(repeated_calls_use_the_same_memory)
{
    for (size_t p = 0; p < COUNT_OF(pools); p++) {
        large_call(pools[p]);
        const char *first = first_scratch;
        for (int i = 0; i < 3; i++) {
            small_calls(pools[p], PARA_EXECUTOR_THREADS);
            large_call(pools[p]);
            assert_ptr_equal(first_scratch, first);
        }
        para_pool_trim(pools[p]);
    }
}

TEST(a_pool_is_trimmed)
{
    para_pool_trim(NULL); /* there is no default pool */
    for (size_t p = 0; p < COUNT_OF(pools); p++) {
        const size_t before = resident_bytes();
        large_call(pools[p]);
        assert_true(resident_bytes() >= before + scratch_bytes);
        para_pool_trim(pools[p]);
        assert_true(resident_bytes() < before + scratch_bytes / 2);
        para_pool_trim(pools[p]);
        large_call(pools[p]);
        para_pool_trim(pools[p]);
    }
}

/* Calls that need no such memory, whoever runs them, give it back after a while. */
TEST(later_calls_give_it_back)
{
    const size_t before = resident_bytes();
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        large_call(pools[p]);
    assert_true(resident_bytes() >= before + COUNT_OF(pools) * scratch_bytes);
    const uint64_t deadline_ns = para_deadline_after((uint64_t)30 * 1000000000);
    while (resident_bytes() >= before + scratch_bytes / 2) {
        assert_true(para_deadline_after(0) < deadline_ns);
        for (size_t p = 0; p < COUNT_OF(pools); p++)
            small_calls(pools[p], p % 2 ? PARA_EXECUTOR_AUTO : PARA_EXECUTOR_SERIAL);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

static int call_within(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    static const unsigned nobody = -1u;
    violations += para_pmap(pools[2], &(para_map){.kernel = touch_scratch,
                                                  .arg = &nobody,
                                                  .count = chunk->count,
                                                  .scratch_bytes = scratch_bytes}) != PARA_OK;
    para_pool_trim(pools[2]); /* what is in use stays */
    return 0;
}

TEST(memory_of_calls_within_calls)
{
    const size_t before = resident_bytes();
    OK(para_pmap(pools[2],
                 &(para_map){.kernel = call_within,
                             .count = 6,
                             .options = {.executor = PARA_EXECUTOR_THREADS, .chunk = 1}}));
    assert_int_equal(violations, 0);
    para_pool_trim(pools[2]);
    assert_true(resident_bytes() < before + scratch_bytes / 2);
}

static _Atomic bool stopping;

static int fill_scratch(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    uint64_t *mine = chunk->scratch;
    const uint64_t mark = check_mix(chunk->first);
    for (size_t i = 0; i < (size_t)2 * MIB / sizeof mark; i += 512)
        mine[i] = mark + i;
    sched_yield();
    for (size_t i = 0; i < (size_t)2 * MIB / sizeof mark; i += 512)
        violations += mine[i] != mark + i;
    return 0;
}

static void *keep_calling(void *pool)
{
    while (!stopping)
        violations += para_pmap(pool, &(para_map){.kernel = fill_scratch,
                                                  .count = 6,
                                                  .scratch_bytes = (size_t)2 * MIB,
                                                  .options = {.executor = PARA_EXECUTOR_THREADS,
                                                              .chunk = 1}}) != PARA_OK;
    return NULL;
}

TEST(trimming_while_calls_run)
{
    enum { THREADS = 3 };
    pthread_t thread[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, keep_calling, pools[1]), 0);
    for (int i = 0; i < 300; i++) {
        para_pool_trim(pools[1]);
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    }
    stopping = true;
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(violations, 0);
}

/* ---- Partial results ------------------------------------------------------------------ */

typedef struct table {
    size_t bytes, numbers;
} table;

/* Touches all of the accumulator, in a way that tells what was folded and in what order. */
static int fold(const para_chunk *chunk, void *acc, const void *arg)
{
    const table *t = arg;
    uint64_t *a = acc;
    const uint64_t what = check_mix(chunk->first * 31 + chunk->count);
    for (size_t i = 0; i < t->numbers; i += 512)
        a[i] = 3 * a[i] + what + i;
    return 0;
}

static void fold_two(void *acc, const void *rhs, const void *arg)
{
    const table *t = arg;
    uint64_t *a = acc;
    const uint64_t *b = rhs;
    for (size_t i = 0; i < t->numbers; i += 512)
        a[i] = check_mix(5 * check_mix(a[i]) + b[i]);
}

/* How much more the process has after the call, whose memory is kept, and what it computed. */
static size_t growth(para_pool *pool, const table *t, size_t count, size_t block,
                     para_executor executor, uint64_t *result)
{
    para_pool_trim(pool);
    memset(result, 0, t->bytes);
    const size_t before = resident_bytes();
    OK(para_preduce(pool, &(para_reduce){.kernel = fold,
                                         .combine = fold_two,
                                         .arg = t,
                                         .count = count,
                                         .block = block,
                                         .result = result,
                                         .result_bytes = t->bytes,
                                         .options.executor = executor}));
    const size_t after = resident_bytes();
    para_pool_trim(pool);
    return after > before ? after - before : 0;
}

static void bounded(size_t bytes, size_t count, size_t block, size_t bound)
{
    const table t = {bytes, bytes / sizeof(uint64_t)};
    uint64_t *expected = malloc(bytes);
    uint64_t *found = malloc(bytes);
    assert_true(expected && found);
    const size_t slack = (size_t)8 * MIB; /* huge pages, stacks of the pool's threads */
    (void)growth(pools[0], &t, count, block, PARA_EXECUTOR_SERIAL, expected);
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (int e = 0; e <= PARA_EXECUTOR_SERIAL; e++) {
            const size_t grown = growth(pools[p], &t, count, block, (para_executor)e, found);
            if (CHILDREN_HAVE_THREADS && grown > bound + slack) /* else memory has shadows */
                fail_msg("%zu blocks of %zu MiB on %u workers: %zu MiB", block ? count / block : 0,
                         bytes / MIB, pool_sizes[p], grown / MIB);
            assert_memory_equal(found, expected, bytes);
        }
    free(expected);
    free(found);
}

TEST(partial_results_are_bounded)
{
    const size_t huge = (size_t)1 << 40;
    bounded((size_t)40 * MIB, huge, 0, (size_t)160 * MIB);
    bounded((size_t)40 * MIB, (size_t)30 * MIB, 0, (size_t)80 * MIB);
    bounded((size_t)40 * MIB, (size_t)20 * MIB, 0, (size_t)40 * MIB);
    bounded((size_t)8 * MIB, huge, 0, (size_t)64 * MIB);
    bounded(MIB, huge, 0, (size_t)64 * MIB);
    /* Blocks as a caller wants them. */
    bounded((size_t)40 * MIB, 60, 1, (size_t)256 * MIB + (size_t)40 * MIB);
    bounded((size_t)2 * MIB, 300, 1, (size_t)256 * MIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(repeated_calls_use_the_same_memory),
        cmocka_unit_test(a_pool_is_trimmed),
        cmocka_unit_test(later_calls_give_it_back),
        cmocka_unit_test(memory_of_calls_within_calls),
        cmocka_unit_test(trimming_while_calls_run),
        cmocka_unit_test(partial_results_are_bounded),
    };
    return cmocka_run_group_tests(tests, make_pools, destroy_pools);
}
