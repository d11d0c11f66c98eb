/* Scans: against the loop that their contract names, to the bit, everywhere. */
#include "../common/check.h"

#include <stdlib.h>
#include <string.h>

static const unsigned pool_sizes[] = {1, 2, 3, 4, 5, 6, 7, 8};

#include "../common/pools.h"

enum { N = 40000 };
static double x[N + 1], y[N + 1], expected[N + 1];
static const para_executor executors[] = {PARA_EXECUTOR_AUTO, PARA_EXECUTOR_THREADS,
                                          PARA_EXECUTOR_SERIAL};

PARA_SCAN_KERNEL(inclusive, double, acc, double, v, acc += v)
PARA_SCAN_EXCLUSIVE_KERNEL(exclusive, double, acc, double, v, acc += v)
PARA_COMBINE(add, double, s, t, s += t)

static int fill(void **state)
{
    uint64_t seed = 5;
    for (size_t i = 0; i < N; i++) /* sums in another order have other bits */
        x[i] = (double)check_random(&seed) / 3e9 - (double)(i % 7) / 3;
    return make_pools(state);
}

static double scan_blocks(size_t n, size_t block, bool is_inclusive, double total)
{
    for (size_t first = 0; first < n; first += block) {
        double sum = 0, t = total;
        for (size_t i = first; i < n && i - first < block; i++) {
            if (!is_inclusive)
                expected[i] = t;
            sum += x[i];
            t += x[i];
            if (is_inclusive)
                expected[i] = t;
        }
        total += sum;
    }
    return total;
}

static void check_scan(para_pool *pool, size_t n, size_t block, bool is_inclusive,
                       para_options options, double *in, double *out)
{
    double total = 0.1;
    const size_t length = block ? block : n ? para_reduce_block(n, sizeof total) : 1;
    const double last = scan_blocks(n, length, is_inclusive, total);
    memset(y, 0xee, sizeof y);
    if (in == out)
        memcpy(y, x, n * sizeof *x);
    OK(para_pscan(pool, &(para_scan){.kernel = is_inclusive ? inclusive : exclusive,
                                     .combine = add,
                                     .count = n,
                                     .in = {PARA_IN(in)},
                                     .out = {PARA_OUT(out)},
                                     .result = &total,
                                     .result_bytes = sizeof total,
                                     .block = block,
                                     .options = options}));
    assert_memory_equal(out, expected, n * sizeof *out);
    assert_memory_equal(&total, &last, sizeof last);
    assert_true(((unsigned char *)(y + n))[0] == 0xee);
}

TEST(the_bits_are_those_of_the_loop_whoever_runs_it)
{
    static const size_t counts[] = {0, 1, 2, 7, 8, 9, 63, 64, 65, 127, 128, 1000, 4096, 9999, N};
    static const size_t blocks[] = {0, 1, 3, 64, 1000, SIZE_MAX};
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (size_t c = 0; c < COUNT_OF(counts); c++)
            for (size_t b = 0; b < COUNT_OF(blocks); b++)
                for (size_t e = 0; e < COUNT_OF(executors); e++) {
                    const para_options options = {.executor = executors[e], .claim = (c + b) % 2};
                    check_scan(pools[p], counts[c], blocks[b], (c + e) % 2, options, x, y);
                }
}

TEST(in_place)
{
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (size_t e = 0; e < COUNT_OF(executors); e++)
            check_scan(pools[p], N, 0, e % 2, (para_options){.executor = executors[e]}, y, y);
}

TEST(as_often_as_one_likes)
{
    for (int i = 0; i < 300; i++)
        check_scan(pools[1], N - (size_t)i, 0, i % 2, (para_options){0}, x, y);
}

/* ---- Operations that are not sums -------------------------------------------------------- */

/* Matrices of two by two: not commutative. */
typedef struct matrix {
    uint64_t a, b, c, d;
} matrix;

static matrix times(matrix l, matrix r)
{
    return (matrix){l.a * r.a + l.b * r.c, l.a * r.b + l.b * r.d, l.c * r.a + l.d * r.c,
                    l.c * r.b + l.d * r.d};
}

PARA_SCAN_KERNEL(products, matrix, acc, matrix, m, acc = times(acc, m))
PARA_COMBINE(multiply, matrix, l, r, l = times(l, r))

TEST(order_is_kept)
{
    enum { M = 5000 };
    static const matrix unit = {1, 0, 0, 1};
    static matrix in[M], out[M];
    uint64_t seed = 3;
    for (size_t i = 0; i < M; i++)
        in[i] = (matrix){check_random(&seed), check_random(&seed), check_random(&seed), i};
    for (size_t p = 0; p < COUNT_OF(pools); p++) {
        matrix total = {1, 2, 3, 4}, known = total;
        OK(para_pscan(pools[p], &(para_scan){.kernel = products,
                                             .combine = multiply,
                                             .count = M,
                                             .in = {PARA_IN(in)},
                                             .out = {PARA_OUT(out)},
                                             .result = &total,
                                             .result_bytes = sizeof total,
                                             .identity = &unit,
                                             .options.executor = PARA_EXECUTOR_THREADS}));
        for (size_t i = 0; i < M; i++) {
            known = times(known, in[i]);
            assert_memory_equal(&known, &out[i], sizeof known);
        }
        assert_memory_equal(&known, &total, sizeof known);
    }
}

/* ---- Failure ----------------------------------------------------------------------------- */

typedef struct fault {
    size_t at;         /* the element whose block fails; N: none */
    bool when_storing; /* only where elements are stored */
    size_t cancel_at;
} fault;

static para_cancel cancel;
static _Atomic size_t calls;

static int failing(const para_chunk *chunk, void *sum, void *total, const void *arg)
{
    const fault *f = arg;
    calls++;
    if (f->cancel_at - chunk->first < chunk->count)
        para_cancel_request(&cancel);
    const int error = inclusive(chunk, sum, total, NULL);
    return f->at - chunk->first < chunk->count && (total || !f->when_storing) ? 7 : error;
}

static para_status scan_with(para_pool *pool, const fault *f, para_executor executor,
                             double *result, para_report *report)
{
    return para_pscan(pool, &(para_scan){.kernel = failing,
                                         .combine = add,
                                         .arg = f,
                                         .count = N,
                                         .in = {PARA_IN(x)},
                                         .out = {PARA_OUT(y)},
                                         .result = result,
                                         .result_bytes = sizeof *result,
                                         .block = 100,
                                         .options = {.executor = executor, .cancel = &cancel},
                                         .report = report});
}

TEST(the_lowest_failing_block_is_told_and_the_result_untouched)
{
    static const size_t places[] = {0, 99, 100, N / 2, N - 1};
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (size_t i = 0; i < COUNT_OF(places); i++)
            for (size_t e = 0; e < COUNT_OF(executors); e++)
                for (int when = 0; when < 2; when++) {
                    const fault f = {places[i], when, N};
                    double result = 5;
                    para_report report;
                    FAILS(PARA_ERR_KERNEL, scan_with(pools[p], &f, executors[e], &result, &report));
                    assert_true(result == 5);
                    assert_int_equal(report.kernel_error, 7);
                    assert_int_equal(report.failed_first, places[i] / 100 * 100);
                    assert_int_equal(report.failed_count, 100);
                }
}

TEST(a_call_is_cancelled_before_or_meanwhile)
{
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (size_t e = 0; e < COUNT_OF(executors); e++) {
            double result = 5;
            const fault f = {N, false, N / 4};
            FAILS(PARA_ERR_CANCELLED, scan_with(pools[p], &f, executors[e], &result, NULL));
            assert_true(result == 5);
            calls = 0;
            FAILS(PARA_ERR_CANCELLED, scan_with(pools[p], &f, executors[e], &result, NULL));
            assert_int_equal(calls, 0);
            memset(&cancel, 0, sizeof cancel);
        }
}

TEST(what_cannot_be_run_is_refused)
{
    double total = 5;
    const para_scan good = {.kernel = inclusive,
                            .combine = add,
                            .count = N,
                            .in = {PARA_IN(x)},
                            .out = {PARA_OUT(y)},
                            .result = &total,
                            .result_bytes = sizeof total};
    FAILS(PARA_ERR_ARGUMENT, para_pscan(NULL, NULL));
    para_scan bad = good;
    bad.kernel = NULL;
    FAILS(PARA_ERR_NULL_KERNEL, para_pscan(NULL, &bad));
    bad = good;
    bad.combine = NULL;
    FAILS(PARA_ERR_NULL_COMBINE, para_pscan(NULL, &bad));
    bad = good;
    bad.result = NULL;
    FAILS(PARA_ERR_NULL_RESULT, para_pscan(NULL, &bad));
    bad = good;
    bad.result_bytes = 0;
    FAILS(PARA_ERR_NULL_RESULT, para_pscan(NULL, &bad));
    bad = good;
    bad.result_bytes = SIZE_MAX / 8;
    FAILS(PARA_ERR_OVERFLOW, para_pscan(NULL, &bad));
    bad = good;
    bad.out[0].data = x + 1;
    FAILS(PARA_ERR_OVERLAP, para_pscan(NULL, &bad));
    bad = good;
    bad.in[0].data = NULL;
    FAILS(PARA_ERR_NULL_VIEW, para_pscan(NULL, &bad));
    bad = good;
    bad.count = SIZE_MAX / 4;
    FAILS(PARA_ERR_OVERFLOW, para_pscan(NULL, &bad));
    bad = good;
    bad.reserved[0] = 1;
    FAILS(PARA_ERR_ARGUMENT, para_pscan(NULL, &bad));
    assert_true(total == 5);
}

/* ---- Within kernels, and large accumulators ----------------------------------------------- */

static _Atomic size_t wrong;

static int scan_within(const para_chunk *chunk, const void *arg)
{
    double in[500], out[500], total = 0, sum = 0;
    for (size_t i = 0; i < COUNT_OF(in); i++)
        in[i] = (double)(chunk->first + i);
    wrong += para_pscan(*(para_pool *const *)arg,
                        &(para_scan){.kernel = inclusive,
                                     .combine = add,
                                     .count = COUNT_OF(in),
                                     .in = {PARA_IN(in)},
                                     .out = {PARA_OUT(out)},
                                     .result = &total,
                                     .result_bytes = sizeof total,
                                     .options.executor = PARA_EXECUTOR_THREADS}) != PARA_OK;
    for (size_t i = 0; i < COUNT_OF(in); i++)
        wrong += out[i] != (sum += in[i]);
    wrong += total != sum;
    return 0;
}

TEST(nested)
{
    for (size_t p = 0; p < COUNT_OF(pools); p++) {
        OK(para_pmap(pools[p],
                     &(para_map){.kernel = scan_within,
                                 .arg = &pools[p],
                                 .count = 50,
                                 .options = {.executor = PARA_EXECUTOR_THREADS, .chunk = 1}}));
        assert_int_equal(wrong, 0);
    }
}

enum { WIDE = 5000 };

static int count_wide(const para_chunk *chunk, void *sum, void *total, const void *arg)
{
    uint64_t *out = chunk->out[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++) {
        const size_t bin = (chunk->first + i) % WIDE;
        if (sum)
            ((uint64_t *)sum)[bin]++;
        if (total)
            out[i] = ++((uint64_t *)total)[bin];
    }
    return 0;
}

static void add_wide(void *acc, const void *rhs, const void *arg)
{
    (void)arg;
    for (size_t i = 0; i < WIDE; i++)
        ((uint64_t *)acc)[i] += ((const uint64_t *)rhs)[i];
}

TEST(accumulators_of_any_size)
{
    static uint64_t bins[WIDE], out[N];
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (size_t e = 0; e < COUNT_OF(executors); e++) {
            memset(bins, 0, sizeof bins);
            OK(para_pscan(pools[p], &(para_scan){.kernel = count_wide,
                                                 .combine = add_wide,
                                                 .count = N,
                                                 .out = {PARA_OUT(out)},
                                                 .result = bins,
                                                 .result_bytes = sizeof bins,
                                                 .options.executor = executors[e]}));
            for (size_t i = 0; i < N; i++)
                assert_int_equal(out[i], i / WIDE + 1);
            assert_int_equal(bins[0], N / WIDE);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bits_are_those_of_the_loop_whoever_runs_it),
        cmocka_unit_test(in_place),
        cmocka_unit_test(as_often_as_one_likes),
        cmocka_unit_test(order_is_kept),
        cmocka_unit_test(the_lowest_failing_block_is_told_and_the_result_untouched),
        cmocka_unit_test(a_call_is_cancelled_before_or_meanwhile),
        cmocka_unit_test(what_cannot_be_run_is_refused),
        cmocka_unit_test(nested),
        cmocka_unit_test(accumulators_of_any_size),
    };
    return cmocka_run_group_tests(tests, fill, destroy_pools);
}
