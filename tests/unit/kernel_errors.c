/* Kernels that fail: the lowest failing chunk wins, what is below it is done, the pool lives on. */
#include "../common/check.h"

#include <string.h>

enum { N = 3000 };
static const unsigned pool_sizes[] = {1, 2, 3, 8, 64};

#include "../common/pools.h"

static _Atomic unsigned violations;
static unsigned times[N]; /* how often each element was processed; one writer each */

/* Which elements fail; the error is -1 - the element's number, or 1 + it for odd ones. */
typedef struct faults {
    unsigned char bad[N];
} faults;

static int error_of(size_t i)
{
    return i % 2 ? (int)i + 1 : -1 - (int)i;
}

static int process(const para_chunk *chunk, const void *arg)
{
    const faults *f = arg;
    for (size_t i = chunk->first; i < chunk->first + chunk->count; i++) {
        if (f->bad[i])
            return error_of(i);
        times[i]++;
    }
    return 0;
}

static size_t first_bad(const faults *f)
{
    size_t i = 0;
    while (i < N && !f->bad[i])
        i++;
    return i;
}

static void check_map(para_pool *pool, const faults *f, para_options options)
{
    para_report report;
    memset(&report, 0xff, sizeof report);
    memset(times, 0, sizeof times);
    const size_t bad = first_bad(f);
    const para_status status = para_pmap(
        pool, &(para_map){
                  .kernel = process, .arg = f, .count = N, .options = options, .report = &report});
    size_t repeated = 0;
    size_t missing = 0;
    for (size_t i = 0; i < N; i++) {
        repeated += times[i] > 1;
        missing += i < bad && times[i] == 0;
    }
    assert_int_equal(repeated, 0);
    assert_int_equal(missing, 0);
    if (bad == N) {
        assert_int_equal(status, PARA_OK);
        assert_int_equal(report.kernel_error, 0);
        return;
    }
    assert_int_equal(status, PARA_ERR_KERNEL);
    assert_true(para_status_detail()[0] != '\0');
    assert_int_equal(report.kernel_error, error_of(bad));
    assert_true(report.failed_first <= bad && bad - report.failed_first < report.failed_count);
    assert_true(report.failed_first + report.failed_count <= N);
    if (options.chunk) {
        const size_t first = bad / options.chunk * options.chunk;
        assert_int_equal(report.failed_first, first);
        assert_int_equal(report.failed_count,
                         N - first < options.chunk ? N - first : options.chunk);
    }
    if (options.chunk && options.executor == PARA_EXECUTOR_SERIAL)
        assert_int_equal(report.chunks, bad / options.chunk + 1); /* none after it */
}

static const size_t chunks[] = {0, 1, 10, 64, 999, N - 1, N, SIZE_MAX};

static void check_everywhere(const faults *f)
{
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (size_t c = 0; c < COUNT_OF(chunks); c++)
            for (int e = 0; e <= PARA_EXECUTOR_SERIAL; e++)
                check_map(pools[p], f,
                          (para_options){.executor = (para_executor)e, .chunk = chunks[c]});
}

TEST(one_failing_element)
{
    static const size_t places[] = {0, 1, 9, 10, 1499, 1500, N - 2, N - 1};
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        faults f = {{0}};
        f.bad[places[i]] = 1;
        check_everywhere(&f);
    }
}

TEST(many_failing_elements)
{
    uint64_t seed = 7;
    for (int trial = 0; trial < 12; trial++) {
        faults f = {{0}};
        const size_t from = check_below(&seed, N);
        for (int i = 0; i < 1 << trial % 7; i++)
            f.bad[from + check_below(&seed, N - from)] = 1;
        check_everywhere(&f);
    }
}

TEST(all_elements_fail)
{
    faults f;
    memset(f.bad, 1, sizeof f.bad);
    check_everywhere(&f);
}

TEST(the_pool_is_usable_afterwards)
{
    faults bad = {{0}};
    const faults none = {{0}};
    bad.bad[N / 3] = 1;
    for (int i = 0; i < 50; i++)
        for (size_t p = 0; p < COUNT_OF(pools); p++) {
            const para_options threads = {.executor = PARA_EXECUTOR_THREADS};
            check_map(pools[p], &bad, threads);
            check_map(pools[p], &none, threads);
        }
}

/* ---- Reductions ---------------------------------------------------------------------- */

static int fold(const para_chunk *chunk, void *acc, const void *arg)
{
    uint64_t *sum = acc;
    const int error = process(chunk, arg);
    for (size_t i = 0; i < chunk->count; i++)
        *sum += chunk->first + i;
    return error;
}

PARA_COMBINE(add, uint64_t, s, t, s += t)

static void check_reduce(para_pool *pool, const faults *f, size_t block, para_options options)
{
    para_report report;
    memset(&report, 0xff, sizeof report);
    memset(times, 0, sizeof times);
    uint64_t result = 41;
    const size_t bad = first_bad(f);
    const para_status status = para_preduce(pool, &(para_reduce){.kernel = fold,
                                                                 .combine = add,
                                                                 .arg = f,
                                                                 .count = N,
                                                                 .result = &result,
                                                                 .result_bytes = sizeof result,
                                                                 .block = block,
                                                                 .options = options,
                                                                 .report = &report});
    size_t wrong = 0;
    for (size_t i = 0; i < N; i++)
        wrong += times[i] > 1 || (i < bad && times[i] == 0);
    assert_int_equal(wrong, 0);
    if (bad == N) {
        assert_int_equal(status, PARA_OK);
        assert_int_equal(result, 41 + (uint64_t)N * (N - 1) / 2);
        return;
    }
    const size_t length = block ? block : para_reduce_block(N, sizeof result);
    const size_t first = bad / length * length;
    assert_int_equal(status, PARA_ERR_KERNEL);
    assert_int_equal(result, 41);
    assert_int_equal(report.kernel_error, error_of(bad));
    assert_int_equal(report.failed_first, first);
    assert_int_equal(report.failed_count, N - first < length ? N - first : length);
}

TEST(reductions_leave_the_result_and_name_the_block)
{
    static const size_t blocks[] = {0, 1, 7, 64, 1000, N, SIZE_MAX};
    uint64_t seed = 9;
    for (int trial = 0; trial < 8; trial++) {
        faults f = {{0}};
        for (int i = 0; i < trial * trial; i++)
            f.bad[check_below(&seed, N)] = 1;
        for (size_t p = 0; p < COUNT_OF(pools); p++)
            for (size_t b = 0; b < COUNT_OF(blocks); b++)
                for (int e = 0; e <= PARA_EXECUTOR_SERIAL; e++)
                    for (size_t chunk = 0; chunk <= 5000; chunk += 1250)
                        check_reduce(pools[p], &f, blocks[b],
                                     (para_options){.executor = (para_executor)e, .chunk = chunk});
    }
}

/* ---- Nested -------------------------------------------------------------------------- */

static int fail_at_five(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    return chunk->first == 5 ? 1005 : 0;
}

static int outer(const para_chunk *chunk, const void *arg)
{
    para_report report;
    const para_status status =
        para_pmap(*(para_pool *const *)arg,
                  &(para_map){.kernel = fail_at_five,
                              .count = 20,
                              .options = {.executor = PARA_EXECUTOR_THREADS, .chunk = 1},
                              .report = &report});
    violations += status != PARA_ERR_KERNEL || report.kernel_error != 1005 ||
                  report.failed_first != 5 || report.failed_count != 1;
    return chunk->first == 3 ? 2003 : 0;
}

TEST(an_inner_error_is_the_inner_calls_alone)
{
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (int trial = 0; trial < 20; trial++) {
            para_report report;
            FAILS(PARA_ERR_KERNEL,
                  para_pmap(pools[p],
                            &(para_map){.kernel = outer,
                                        .arg = &pools[p],
                                        .count = 6,
                                        .options = {.executor = PARA_EXECUTOR_THREADS, .chunk = 1},
                                        .report = &report}));
            assert_int_equal(report.kernel_error, 2003);
            assert_int_equal(report.failed_first, 3);
            assert_int_equal(violations, 0);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_failing_element),
        cmocka_unit_test(many_failing_elements),
        cmocka_unit_test(all_elements_fail),
        cmocka_unit_test(the_pool_is_usable_afterwards),
        cmocka_unit_test(reductions_leave_the_result_and_name_the_block),
        cmocka_unit_test(an_inner_error_is_the_inner_calls_alone),
    };
    return cmocka_run_group_tests(tests, make_pools, destroy_pools);
}
