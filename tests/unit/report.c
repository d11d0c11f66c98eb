/* What a call tells of how it ran, and what its options force. */
#include "../common/check.h"

#include <string.h>
#include <time.h>

static _Atomic unsigned violations, kernel_calls, depth_seen;
static _Atomic uint64_t participants;

typedef struct expect {
    size_t n, chunk;
    unsigned workers;
} expect;

static void note_participant(const para_chunk *chunk, unsigned workers)
{
    kernel_calls++;
    violations += chunk->worker >= workers;
    participants |= (uint64_t)1 << (chunk->worker % 64);
}

static int exact(const para_chunk *chunk, const void *arg)
{
    const expect *e = arg;
    note_participant(chunk, e->workers);
    if (e->chunk) {
        violations += chunk->first % e->chunk != 0;
        violations += chunk->count != e->chunk && chunk->first + chunk->count != e->n;
        violations += chunk->count > e->chunk;
    }
    return 0;
}

static unsigned ones(uint64_t x)
{
    return (unsigned)__builtin_popcountll(x);
}

static para_report run_map(para_pool *pool, size_t n, para_options options)
{
    const unsigned all = check_pool_workers(pool);
    const expect e = {.n = n,
                      .chunk = options.chunk,
                      .workers = options.workers && options.workers < all ? options.workers : all};
    kernel_calls = 0;
    participants = 0;
    para_report report;
    memset(&report, 0xff, sizeof report);
    OK(para_pmap(
        pool, &(para_map){
                  .kernel = exact, .arg = &e, .count = n, .options = options, .report = &report}));
    assert_int_equal(violations, 0);
    assert_int_equal(report.chunks, kernel_calls);
    assert_int_equal(report.workers, ones(participants));
    assert_int_equal(report.kernel_error, 0);
    assert_int_equal(report.failed_first, 0);
    assert_int_equal(report.failed_count, 0);
    return report;
}

TEST(chunks_are_exactly_as_asked)
{
    static const unsigned sizes[] = {1, 2, 5, 64};
    for (size_t p = 0; p < COUNT_OF(sizes); p++) {
        para_pool *pool = check_pool(sizes[p]);
        static const size_t counts[] = {1, 2, 99, 100, 101, 10007};
        for (size_t c = 0; c < COUNT_OF(counts); c++)
            for (size_t chunk = 1; chunk < 300; chunk += chunk < 5 ? 1 : 95)
                run_map(pool, counts[c],
                        (para_options){.executor = PARA_EXECUTOR_THREADS, .chunk = chunk});
        para_pool_destroy(pool);
    }
}

TEST(participants_are_those_who_ran_a_chunk)
{
    para_pool *pool = check_pool(8);
    for (unsigned limit = 1; limit <= 9; limit++)
        for (size_t n = 1; n <= 40; n++) {
            const para_report report = run_map(
                pool, n, (para_options){.executor = PARA_EXECUTOR_THREADS, .workers = limit});
            unsigned width = limit < 8 ? limit : 8;
            width = n < width ? (unsigned)n : width;
            assert_int_equal(report.width, width);
        }
    para_pool_destroy(pool);
}

static int fold(const para_chunk *chunk, void *acc, const void *arg)
{
    const expect *e = arg;
    note_participant(chunk, e->workers);
    *(uint64_t *)acc += chunk->count;
    return 0;
}

PARA_COMBINE(add, uint64_t, s, t, s += t)

TEST(participants_of_a_reduction_are_those_who_ran_a_block)
{
    para_pool *pool = check_pool(8);
    const size_t n = 1000;
    const expect e = {.n = n, .workers = 8};
    static const size_t blocks[] = {0, 1, 7, 999, 1000, 1001};
    for (int trial = 0; trial < 20; trial++)
        for (size_t b = 0; b < COUNT_OF(blocks); b++)
            for (size_t chunk = 0; chunk < 1500; chunk += 111) {
                uint64_t total = 0;
                para_report report;
                kernel_calls = 0;
                participants = 0;
                OK(para_preduce(pool, &(para_reduce){.kernel = fold,
                                                     .combine = add,
                                                     .arg = &e,
                                                     .count = n,
                                                     .result = &total,
                                                     .result_bytes = sizeof total,
                                                     .block = blocks[b],
                                                     .options = {.executor = PARA_EXECUTOR_THREADS,
                                                                 .chunk = chunk},
                                                     .report = &report}));
                const size_t block = blocks[b] ? blocks[b] : para_reduce_block(n, sizeof total);
                assert_int_equal(total, n);
                assert_int_equal(violations, 0);
                assert_int_equal(report.chunks, (n - 1) / block + 1);
                assert_int_equal(report.chunk, block < n ? block : n);
                assert_int_equal(report.chunks, kernel_calls);
                assert_int_equal(report.workers, ones(participants));
            }
    para_pool_destroy(pool);
}

TEST(reasons)
{
    const para_options threads = {.executor = PARA_EXECUTOR_THREADS};
    const para_options serial = {.executor = PARA_EXECUTOR_SERIAL};
    const para_options one = {.executor = PARA_EXECUTOR_THREADS, .workers = 1};
    const para_options whole = {.executor = PARA_EXECUTOR_THREADS, .chunk = 1000};
    para_pool *pool = check_pool(4);
    assert_int_equal(run_map(pool, 0, threads).why, PARA_WHY_EMPTY);
    assert_int_equal(run_map(pool, 1000, threads).why, PARA_WHY_ASKED);
    assert_int_equal(run_map(pool, 1000, threads).width, 4);
    assert_int_equal(run_map(pool, 1000, serial).why, PARA_WHY_ASKED);
    assert_int_equal(run_map(pool, 1000, serial).width, 1);
    assert_int_equal(run_map(pool, 1000, one).why, PARA_WHY_ASKED);
    assert_int_equal(run_map(pool, 1000, one).width, 1);
    assert_int_equal(run_map(pool, 1, threads).why, PARA_WHY_ONE_UNIT);
    assert_int_equal(run_map(pool, 1000, whole).why, PARA_WHY_ONE_UNIT);
    para_pool_destroy(pool);
    pool = check_pool(1);
    assert_int_equal(run_map(pool, 1000, threads).why, PARA_WHY_ONE_WORKER);
    para_pool_destroy(pool);
}

static int sleep_long(const para_chunk *chunk, const void *arg)
{
    (void)chunk;
    (void)arg;
    nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    return 0;
}

TEST(time_is_that_of_the_call)
{
    para_report report = {0};
    OK(para_pmap(NULL, &(para_map){.kernel = sleep_long,
                                   .count = 1,
                                   .options.executor = PARA_EXECUTOR_THREADS,
                                   .report = &report}));
    assert_true(report.time_ns >= 2000000);
}

/* Calls itself on the same pool until a call finds no lane. */
typedef struct dive {
    para_pool *pool;
    unsigned level, levels;
} dive;

static int go_deeper(const para_chunk *chunk, const void *arg)
{
    const dive *at = arg;
    if (chunk->first != 0)
        return 0;
    if (at->level == at->levels) {
        depth_seen = at->level;
        return 0;
    }
    const dive below = {.pool = at->pool, .level = at->level + 1, .levels = at->levels};
    para_report report;
    const para_status status =
        para_pmap(at->pool, &(para_map){.kernel = go_deeper,
                                        .arg = &below,
                                        .count = 2,
                                        .options = {.executor = PARA_EXECUTOR_THREADS, .chunk = 1},
                                        .report = &report});
    const bool alone = report.why == PARA_WHY_LANES_BUSY && report.width == 1;
    para_pool_info info = {.size = sizeof info};
    violations += status || para_pool_get_info(at->pool, &info);
    violations += alone != (at->level >= info.lanes);
    return 0;
}

TEST(without_a_free_lane_the_caller_runs_alone)
{
    para_pool *pool = check_pool(3);
    const dive top = {.pool = pool, .levels = 20};
    const void *none = NULL;
    assert_int_equal(go_deeper(&(para_chunk){.count = 1, .in = &none}, &top), 0);
    assert_int_equal(depth_seen, 20);
    assert_int_equal(violations, 0);
    para_pool_destroy(pool);
}

TEST(refused_calls_zero_the_report)
{
    para_report report;
    memset(&report, 0xff, sizeof report);
    const para_report zero = {0};
    FAILS(PARA_ERR_NULL_KERNEL, para_pmap(NULL, &(para_map){.count = 5, .report = &report}));
    assert_memory_equal(&report, &zero, sizeof zero);
    memset(&report, 0xff, sizeof report);
    FAILS(PARA_ERR_NULL_KERNEL, para_preduce(NULL, &(para_reduce){.count = 5, .report = &report}));
    assert_memory_equal(&report, &zero, sizeof zero);
}

static double computed[500];

static int compute(const para_chunk *chunk, const void *arg)
{
    double *y = chunk->out[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++) {
        double v = (double)(chunk->first + i);
        for (int k = 0; k < 20; k++)
            v = v * 0.999 + 1;
        y[i] = v;
    }
    return 0;
}

static para_why why_of(para_pool *pool)
{
    para_report report;
    OK(para_pmap(pool, &(para_map){.kernel = compute,
                                   .count = COUNT_OF(computed),
                                   .out = {PARA_OUT(computed)},
                                   .report = &report}));
    return report.why;
}

/* Else it would never be seen that a call is not worth sharing any more. */
TEST(a_short_call_that_is_shared_runs_alone_now_and_then)
{
    if (UNDER_QEMU)
        skip();
    para_pool *pool = check_pool(2);
    unsigned shared = 0;
    unsigned alone = 0;
    for (int k = 0; k < 5000; k++) {
        const para_why why = why_of(pool);
        shared += why == PARA_WHY_PARALLEL;
        alone += shared && why == PARA_WHY_SMALL;
    }
    para_pool_destroy(pool);
    if (shared > 1000) /* not on a machine that is too busy for that */
        assert_in_range(alone, 1, 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_short_call_that_is_shared_runs_alone_now_and_then),
        cmocka_unit_test(chunks_are_exactly_as_asked),
        cmocka_unit_test(participants_are_those_who_ran_a_chunk),
        cmocka_unit_test(participants_of_a_reduction_are_those_who_ran_a_block),
        cmocka_unit_test(reasons),
        cmocka_unit_test(time_is_that_of_the_call),
        cmocka_unit_test(without_a_free_lane_the_caller_runs_alone),
        cmocka_unit_test(refused_calls_zero_the_report),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
