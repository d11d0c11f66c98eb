/* Filters: against the serial loop, everywhere. */
#include "../common/check.h"

#include <string.h>

static const unsigned pool_sizes[] = {1, 2, 3, 8};

#include "../common/pools.h"

enum { N = 50000 };
static uint64_t x[N], y[N + 1], expected[N];
static const para_executor executors[] = {PARA_EXECUTOR_AUTO, PARA_EXECUTOR_THREADS,
                                          PARA_EXECUTOR_SERIAL};

/* Of 100 elements, about arg stay. */
PARA_FILTER_KERNEL(passes, uint64_t, v, v % 100 < *(const unsigned *)arg)

static int fill(void **state)
{
    uint64_t seed = 5;
    for (size_t i = 0; i < N; i++)
        x[i] = check_random(&seed);
    return make_pools(state);
}

static void check_filter(para_pool *pool, size_t n, unsigned percent, para_options options)
{
    size_t kept = 77, known = 0;
    memset(y, 0xee, sizeof y);
    for (size_t i = 0; i < n; i++)
        if (x[i] % 100 < percent)
            expected[known++] = x[i];
    OK(para_pfilter(pool, &(para_filter){.kernel = passes,
                                         .arg = &percent,
                                         .count = n,
                                         .in = {PARA_IN(x)},
                                         .out = {PARA_OUT(y)},
                                         .kept = &kept,
                                         .options = options}));
    assert_int_equal(kept, known);
    assert_memory_equal(y, expected, kept * sizeof *y);
    for (size_t i = kept; i <= N; i++)
        assert_true(y[i] == 0xeeeeeeeeeeeeeeee); /* nothing beyond is written */
}

TEST(what_stays_is_what_the_loop_keeps)
{
    static const size_t counts[] = {0, 1, 2, 63, 64, 65, 128, 1000, 1001, 4096, 4097, 9999, N};
    static const unsigned percents[] = {0, 1, 50, 99, 100};
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (size_t c = 0; c < COUNT_OF(counts); c++)
            for (size_t k = 0; k < COUNT_OF(percents); k++)
                for (size_t e = 0; e < COUNT_OF(executors); e++)
                    check_filter(pools[p], counts[c], percents[k],
                                 (para_options){.executor = executors[e], .claim = c % 2});
}

TEST(as_often_as_one_likes)
{
    for (size_t i = 0; i < 200; i++)
        check_filter(pools[1], N - i, 50, (para_options){0});
}

/* ---- Several arrays, elements of any size -------------------------------------------------- */

typedef struct odd {
    char text[13];
} odd;

static int keep_odd(const para_chunk *chunk, uint16_t *stay, size_t *kept, const void *arg)
{
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        if (((const unsigned char *)chunk->in[1])[i] % 2)
            stay[(*kept)++] = (uint16_t)i;
    return 0;
}

TEST(several_arrays_are_filtered_alike)
{
    enum { M = 9000 };
    static odd names[M], kept_names[M];
    static unsigned char age[M], kept_age[M];
    static struct {
        double x, y;
    } at[M], kept_at[M];
    uint64_t seed = 8;
    for (size_t i = 0; i < M; i++) {
        age[i] = (unsigned char)check_random(&seed);
        memset(names[i].text, (int)i, sizeof names[i].text);
        at[i].x = (double)i;
    }
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (size_t e = 0; e < COUNT_OF(executors); e++) {
            size_t kept, k = 0;
            OK(para_pfilter(
                pools[p],
                &(para_filter){.kernel = keep_odd,
                               .count = M,
                               .in = {PARA_IN(names), PARA_IN(age), PARA_IN(at), PARA_IN(x)},
                               .out = {PARA_OUT(kept_names), PARA_OUT(kept_age), PARA_OUT(kept_at)},
                               .kept = &kept,
                               .options.executor = executors[e]}));
            for (size_t i = 0; i < M; i++)
                if (age[i] % 2) {
                    assert_memory_equal(&kept_names[k], &names[i], sizeof names[i]);
                    assert_int_equal(kept_age[k], age[i]);
                    assert_true(kept_at[k].x == at[i].x);
                    k++;
                }
            assert_int_equal(kept, k);
        }
}

static int keep_thirds(const para_chunk *chunk, uint16_t *stay, size_t *kept, const void *arg)
{
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        if ((chunk->first + i) % 3 == 0)
            stay[(*kept)++] = (uint16_t)i;
    return 0;
}

TEST(without_arrays_elements_are_counted)
{
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (size_t e = 0; e < COUNT_OF(executors); e++) {
            size_t kept;
            OK(para_pfilter(pools[p], &(para_filter){.kernel = keep_thirds,
                                                     .count = (size_t)3 * N,
                                                     .kept = &kept,
                                                     .options.executor = executors[e]}));
            assert_int_equal(kept, N);
        }
}

/* ---- Kernels that store what stays --------------------------------------------------------- */

typedef struct item {
    double weight;
    uint64_t number;
} item; /* as large as elements that a kernel may store itself */

PARA_FILTER_KERNEL(heavy, item, v, v.weight > 0.5)

/* Stores every other chunk itself, and notes the others. */
static int mixes(const para_chunk *chunk, uint16_t *stay, size_t *kept, const void *arg)
{
    const uint64_t *const in = chunk->in[0];
    uint64_t *const out = chunk->first / 64 % 2 ? NULL : chunk->out[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        if (in[i] % 3) {
            if (out)
                out[*kept] = in[i];
            else
                stay[*kept] = (uint16_t)i;
            ++*kept;
        }
    if (out)
        stay[0] = PARA_FILTER_PACKED;
    return 0;
}

TEST(what_kernels_store_themselves_stays)
{
    static item items[N], stored[N];
    size_t heavy_ones = 0, others = 0;
    uint64_t seed = 11;
    for (size_t i = 0; i < N; i++) {
        items[i] = (item){(double)(check_random(&seed) % 100) / 99, i};
        heavy_ones += items[i].weight > 0.5;
        if (x[i] % 3)
            expected[others++] = x[i];
    }
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (size_t e = 0; e < COUNT_OF(executors); e++) {
            size_t kept, k = 0;
            OK(para_pfilter(pools[p], &(para_filter){.kernel = heavy,
                                                     .count = N,
                                                     .in = {PARA_IN(items)},
                                                     .out = {PARA_OUT(stored)},
                                                     .kept = &kept,
                                                     .options.executor = executors[e]}));
            assert_int_equal(kept, heavy_ones);
            for (size_t i = 0; i < N; i++)
                if (items[i].weight > 0.5)
                    assert_int_equal(stored[k++].number, i);
            OK(para_pfilter(pools[p], &(para_filter){.kernel = mixes,
                                                     .count = N,
                                                     .in = {PARA_IN(x)},
                                                     .out = {PARA_OUT(y)},
                                                     .kept = &kept,
                                                     .options.executor = executors[e]}));
            assert_int_equal(kept, others);
            assert_memory_equal(y, expected, others * sizeof *y);
        }
}

/* Counts the chunks that offer no place for elements. */
static int asks(const para_chunk *chunk, uint16_t *stay, size_t *kept, const void *arg)
{
    (void)stay;
    *kept = 0;
    return chunk->out[0] ? 0 : *(const int *)arg;
}

TEST(places_are_offered_to_one_output_of_small_elements)
{
    static odd names[N], kept_names[N];
    static struct {
        double v[3];
    } large[N], kept_large[N];
    const int error = 3;
    const struct {
        para_in in[2];
        para_out out[2];
        bool offers;
    } cases[] = {
        {{PARA_IN(x)}, {PARA_OUT(y)}, true},
        {{PARA_IN(names), PARA_IN(x)}, {PARA_OUT(kept_names)}, true},
        {{PARA_IN(large)}, {PARA_OUT(kept_large)}, false},
        {{PARA_IN(x), PARA_IN(names)}, {PARA_OUT(y), PARA_OUT(kept_names)}, false},
        {{PARA_IN(x)}, {{NULL, 0}}, false},
    };
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (size_t c = 0; c < COUNT_OF(cases); c++) {
            size_t kept;
            para_filter call = {.kernel = asks, .arg = &error, .count = N, .kept = &kept};
            memcpy(call.in, cases[c].in, sizeof cases[c].in);
            memcpy(call.out, cases[c].out, sizeof cases[c].out);
            assert_int_equal(para_pfilter(pools[p], &call),
                             cases[c].offers ? PARA_OK : PARA_ERR_KERNEL);
        }
}

/* ---- Failure ------------------------------------------------------------------------------ */

static para_cancel cancel;

static int failing(const para_chunk *chunk, uint16_t *stay, size_t *kept, const void *arg)
{
    const size_t *at = arg; /* fail, cancel */
    for (size_t i = 0; i < chunk->count; i++)
        stay[(*kept)++] = (uint16_t)i;
    if (at[1] - chunk->first < chunk->count)
        para_cancel_request(&cancel);
    return at[0] - chunk->first < chunk->count ? 9 : 0;
}

TEST(failing_and_cancelled_calls_tell_nothing_of_what_stays)
{
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (size_t e = 0; e < COUNT_OF(executors); e++)
            for (int cancels = 0; cancels < 2; cancels++) {
                const size_t at[] = {cancels ? N : N / 3, cancels ? N / 3 : N};
                size_t kept = 5;
                para_report report;
                const para_filter call = {.kernel = failing,
                                          .arg = at,
                                          .count = N,
                                          .in = {PARA_IN(x)},
                                          .out = {PARA_OUT(y)},
                                          .kept = &kept,
                                          .options = {.executor = executors[e], .cancel = &cancel},
                                          .report = &report};
                FAILS(cancels ? PARA_ERR_CANCELLED : PARA_ERR_KERNEL,
                      para_pfilter(pools[p], &call));
                assert_int_equal(kept, 5);
                assert_int_equal(report.kernel_error, cancels ? 0 : 9);
                if (!cancels)
                    assert_in_range(N / 3, report.failed_first,
                                    report.failed_first + report.failed_count - 1);
                memset(&cancel, 0, sizeof cancel);
            }
}

TEST(what_cannot_be_run_is_refused)
{
    size_t kept = 5;
    const unsigned percent = 50;
    const para_filter good = {.kernel = passes,
                              .arg = &percent,
                              .count = N,
                              .in = {PARA_IN(x)},
                              .out = {PARA_OUT(y)},
                              .kept = &kept};
    FAILS(PARA_ERR_ARGUMENT, para_pfilter(NULL, NULL));
    para_filter bad = good;
    bad.kernel = NULL;
    FAILS(PARA_ERR_NULL_KERNEL, para_pfilter(NULL, &bad));
    bad = good;
    bad.kept = NULL;
    FAILS(PARA_ERR_NULL_RESULT, para_pfilter(NULL, &bad));
    bad = good;
    bad.out[0] = (para_out)PARA_OUT(x);
    FAILS(PARA_ERR_OVERLAP, para_pfilter(NULL, &bad));
    bad = good;
    bad.out[0].data = x + 1;
    FAILS(PARA_ERR_OVERLAP, para_pfilter(NULL, &bad));
    bad = good;
    bad.out[0].element_bytes = 4;
    FAILS(PARA_ERR_ELEMENT_SIZE, para_pfilter(NULL, &bad));
    bad = good;
    bad.in[0] = (para_in){NULL, 0};
    FAILS(PARA_ERR_NULL_VIEW, para_pfilter(NULL, &bad));
    bad = good;
    bad.count = SIZE_MAX / 2;
    FAILS(PARA_ERR_OVERFLOW, para_pfilter(NULL, &bad));
    bad = good;
    bad.reserved[0] = 1;
    FAILS(PARA_ERR_ARGUMENT, para_pfilter(NULL, &bad));
    bad = good;
    bad.options.executor = (para_executor)9;
    FAILS(PARA_ERR_ARGUMENT, para_pfilter(NULL, &bad));
    assert_int_equal(kept, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stays_is_what_the_loop_keeps),
        cmocka_unit_test(as_often_as_one_likes),
        cmocka_unit_test(several_arrays_are_filtered_alike),
        cmocka_unit_test(without_arrays_elements_are_counted),
        cmocka_unit_test(what_kernels_store_themselves_stays),
        cmocka_unit_test(places_are_offered_to_one_output_of_small_elements),
        cmocka_unit_test(failing_and_cancelled_calls_tell_nothing_of_what_stays),
        cmocka_unit_test(what_cannot_be_run_is_refused),
    };
    return cmocka_run_group_tests(tests, fill, destroy_pools);
}
