/* Calls that need memory: reductions with large accumulators, scans, filters, sorts. */
#include "scenario.h"

enum { BINS = 20000 };

static int count_bins(const para_chunk *chunk, void *acc, const void *arg)
{
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        ((uint64_t *)acc)[(chunk->first + i) % BINS]++;
    return 0;
}

static void add_bins(void *acc, const void *rhs, const void *arg)
{
    (void)arg;
    for (size_t i = 0; i < BINS; i++)
        ((uint64_t *)acc)[i] += ((const uint64_t *)rhs)[i];
}

static para_status large_accumulators(void)
{
    static uint64_t bins[BINS];
    para_pool *pool = NULL;
    para_status status = make_pool(2, &pool);
    for (int executor = 0; executor <= PARA_EXECUTOR_SERIAL && !status; executor++) {
        for (size_t i = 0; i < BINS; i++)
            bins[i] = 5;
        status = para_preduce(pool, &(para_reduce){.kernel = count_bins,
                                                   .combine = add_bins,
                                                   .count = (size_t)10 * BINS,
                                                   .result = bins,
                                                   .result_bytes = sizeof bins,
                                                   .options.executor = (para_executor)executor});
        for (size_t i = 0; i < BINS; i++)
            assert_int_equal(bins[i], status ? 5 : 15);
    }
    para_pool_destroy(pool);
    return status;
}

/* A shared call needs more memory than one participant does alone: where that is refused, it runs
 * alone, and says so. */
enum { LARGE = 2 << 20 };
static const size_t large_count = (size_t)1 << 40;

static int count_in_large(const para_chunk *chunk, void *acc, const void *arg)
{
    (void)arg;
    ((uint64_t *)acc)[1] += chunk->count;
    return 0;
}

static void add_large(void *acc, const void *rhs, const void *arg)
{
    (void)arg;
    ((uint64_t *)acc)[1] += ((const uint64_t *)rhs)[1];
}

static int scan_in_large(const para_chunk *chunk, void *sum, void *total, const void *arg)
{
    (void)arg;
    if (sum)
        ((uint64_t *)sum)[1] += chunk->count;
    if (total)
        ((uint64_t *)total)[1] += chunk->count;
    return 0;
}

static uint64_t in_large[LARGE / sizeof(uint64_t)];

static para_status reduce_large(para_pool *pool, para_report *report)
{
    return para_preduce(pool, &(para_reduce){.kernel = count_in_large,
                                             .combine = add_large,
                                             .count = large_count,
                                             .result = in_large,
                                             .result_bytes = sizeof in_large,
                                             .options.executor = PARA_EXECUTOR_THREADS,
                                             .report = report});
}

static para_status scan_large(para_pool *pool, para_report *report)
{
    return para_pscan(pool, &(para_scan){.kernel = scan_in_large,
                                         .combine = add_large,
                                         .count = large_count,
                                         .result = in_large,
                                         .result_bytes = sizeof in_large,
                                         .options.executor = PARA_EXECUTOR_THREADS,
                                         .report = report});
}

static para_status map_large(para_pool *pool, para_report *report)
{
    return para_pmap(pool, &(para_map){.kernel = count,
                                       .count = 1000,
                                       .scratch_bytes = LARGE,
                                       .options.executor = PARA_EXECUTOR_THREADS,
                                       .report = report});
}

/* One of these calls, which does all or nothing. */
static para_status run_large(para_status (*call)(para_pool *, para_report *), para_pool *pool,
                             para_report *report)
{
    in_large[1] = 5;
    elements = 0;
    const para_status status = call(pool, report);
    const size_t done = in_large[1] - 5 + elements;
    assert_int_equal(done, status ? 0 : call == map_large ? 1000 : large_count);
    return status;
}

TEST(refused_memory_is_done_without)
{
    para_status (*const calls[])(para_pool *, para_report *) = {reduce_large, map_large,
                                                                scan_large};
    para_pool *pool = NULL;
    OK(make_pool(4, &pool));
    for (size_t c = 0; c < COUNT_OF(calls); c++) {
        para_report report;
        para_pool_trim(pool);
        OK(run_large(calls[c], pool, &report));
        assert_int_equal(report.width, 4);
        para_pool_trim(pool);
        const long before = fault_held();
        fault_arm(FAULT_PAGES, 1, ENOMEM, false);
        OK(run_large(calls[c], pool, &report));
        assert_int_equal(fault_count(), 1);
        assert_int_equal(report.why, PARA_WHY_MEMORY);
        assert_int_equal(report.width, 1);
        para_pool_trim(pool);
        assert_int_equal(fault_held(), before);
        fault_arm(FAULT_PAGES, 1, ENOMEM, true);
        FAILS(PARA_ERR_MEMORY, run_large(calls[c], pool, &report));
        fault_arm(FAULT_ANY, 0, 0, false);
        OK(run_large(calls[c], pool, &report));
        assert_int_equal(report.width, 4);
    }
    para_pool_destroy(pool);
}

PARA_SCAN_KERNEL(counts, uint64_t, acc, uint64_t, v, acc += v)
PARA_COMBINE(add_counts, uint64_t, s, t, s += t)
PARA_FILTER_KERNEL(odd, uint64_t, v, v % 2)

/* Each fails as a whole or not at all: the array is sorted, or as it was. */
static para_status algorithms(void)
{
    enum { N = 300000 };
    static uint64_t in[N], out[N];
    para_pool *pool = NULL;
    para_status status = make_pool(2, &pool);
    for (int executor = 0; executor <= PARA_EXECUTOR_SERIAL && !status; executor++) {
        const para_options options = {.executor = (para_executor)executor};
        uint64_t total = 0;
        size_t kept = 0;
        for (size_t i = 0; i < N; i++)
            in[i] = N - i;
        status = para_pscan(pool, &(para_scan){.kernel = counts,
                                               .combine = add_counts,
                                               .count = N,
                                               .in = {PARA_IN(in)},
                                               .out = {PARA_OUT(out)},
                                               .result = &total,
                                               .result_bytes = sizeof total,
                                               .options = options});
        assert_int_equal(total, status ? 0 : (uint64_t)N * (N + 1) / 2);
        if (!status)
            status = para_pfilter(pool, &(para_filter){.kernel = odd,
                                                       .count = N,
                                                       .in = {PARA_IN(in)},
                                                       .out = {PARA_OUT(out)},
                                                       .kept = &kept,
                                                       .options = options});
        if (!status) {
            assert_int_equal(kept, N / 2);
            status = para_psort(pool, &(para_sort){.data = PARA_OUT(in),
                                                   .count = N,
                                                   .key = PARA_KEY_U64,
                                                   .options = options});
            for (size_t i = 0; i < N; i++)
                assert_int_equal(in[i], status ? N - i : i + 1);
        }
    }
    para_pool_destroy(pool);
    return status;
}

SCENARIO_TEST(large_accumulators)
SCENARIO_TEST(algorithms)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_in_large_accumulators),
        cmocka_unit_test(faults_in_algorithms),
        cmocka_unit_test(refused_memory_is_done_without),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
