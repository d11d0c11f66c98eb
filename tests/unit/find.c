/* Finding: the first one, whoever sees it, and no more than is needed. */
#include "../common/check.h"

#include <string.h>

static const unsigned pool_sizes[] = {1, 2, 3, 8};

#include "../common/pools.h"

enum { N = 60000 };
static unsigned char x[N];
static const para_executor executors[] = {PARA_EXECUTOR_AUTO, PARA_EXECUTOR_THREADS,
                                          PARA_EXECUTOR_SERIAL};
static _Atomic size_t looked_at;
static para_cancel cancel;

enum { PLAIN, SOUGHT, FAILS_HERE, CANCELS };

PARA_FIND_KERNEL(sought, unsigned char, v, v == SOUGHT)

static int look(const para_chunk *chunk, size_t *found, const void *arg)
{
    const unsigned char *in = chunk->in[0];
    (void)arg;
    looked_at += chunk->count;
    for (size_t i = 0; i < chunk->count; i++) {
        if (in[i] == SOUGHT) {
            *found = i;
            return 0;
        }
        if (in[i] == CANCELS)
            para_cancel_request(&cancel);
        if (in[i] == FAILS_HERE)
            return 3;
    }
    return 0;
}

static para_status find_in(para_pool *pool, size_t n, para_find_fn *kernel, para_options options,
                           size_t *found, para_report *report)
{
    return para_pfind(pool, &(para_find){.kernel = kernel,
                                         .count = n,
                                         .in = {PARA_IN(x)},
                                         .found = found,
                                         .options = options,
                                         .report = report});
}

TEST(the_first_of_all_is_found)
{
    static const size_t counts[] = {0, 1, 2, 100, 4095, 4096, 4097, 20000, N};
    uint64_t seed = 3;
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (size_t c = 0; c < COUNT_OF(counts); c++)
            for (size_t e = 0; e < COUNT_OF(executors); e++)
                for (unsigned trial = 0; trial < 12; trial++) {
                    const size_t n = counts[c];
                    size_t first = n, found = 77;
                    memset(x, PLAIN, sizeof x);
                    for (unsigned i = 0; i < trial && n; i++) {
                        const size_t at = trial == 1   ? 0
                                          : trial == 2 ? n - 1
                                                       : check_below(&seed, n);
                        x[at] = SOUGHT;
                        first = at < first ? at : first;
                    }
                    const para_options options = {.executor = executors[e],
                                                  .chunk = (size_t)(trial % 3) * 50};
                    OK(find_in(pools[p], n, trial % 2 ? sought : look, options, &found, NULL));
                    assert_int_equal(found, first);
                }
}

TEST(it_stops_early)
{
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (size_t e = 0; e < COUNT_OF(executors); e++) {
            size_t found = 77;
            para_report report;
            memset(x, SOUGHT, sizeof x);
            looked_at = 0;
            OK(find_in(pools[p], N, look, (para_options){.executor = executors[e], .chunk = 100},
                       &found, &report));
            assert_int_equal(found, 0);
            if (pool_sizes[p] == 1 || executors[e] == PARA_EXECUTOR_SERIAL)
                assert_int_equal(looked_at, 100); /* others go on until they see that it is found */
            assert_int_equal(report.kernel_error, 0);
            assert_int_equal(report.failed_count, 0);
        }
}

TEST(a_failure_counts_only_before_what_is_sought)
{
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (size_t e = 0; e < COUNT_OF(executors); e++)
            for (int before = 0; before < 2; before++) {
                size_t found = 77;
                para_report report;
                memset(x, PLAIN, sizeof x);
                x[N / 2] = SOUGHT;
                x[before ? N / 2 - 1 : N / 2 + 1] = FAILS_HERE;
                x[N - 1] = FAILS_HERE;
                const para_status status = find_in(
                    pools[p], N, look, (para_options){.executor = executors[e]}, &found, &report);
                assert_int_equal(status, before ? PARA_ERR_KERNEL : PARA_OK);
                assert_int_equal(found, before ? 77 : N / 2);
                assert_int_equal(report.kernel_error, before ? 3 : 0);
            }
}

TEST(cancelled_calls_find_nothing)
{
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (size_t e = 0; e < COUNT_OF(executors); e++) {
            size_t found = 77;
            const para_options options = {
                .executor = executors[e], .chunk = 100, .cancel = &cancel};
            memset(x, CANCELS, sizeof x); /* each participant runs one chunk, so some are left */
            FAILS(PARA_ERR_CANCELLED, find_in(pools[p], N, look, options, &found, NULL));
            looked_at = 0;
            FAILS(PARA_ERR_CANCELLED, find_in(pools[p], N, look, options, &found, NULL));
            assert_int_equal(looked_at, 0);
            assert_int_equal(found, 77);
            memset(&cancel, 0, sizeof cancel);
        }
}

TEST(as_often_as_one_likes)
{
    memset(x, PLAIN, sizeof x);
    for (size_t i = 0; i < 1000; i++) {
        size_t found = 77;
        x[i * 59] = SOUGHT;
        OK(find_in(pools[1], N, sought, (para_options){0}, &found, NULL));
        assert_int_equal(found, i * 59);
        x[i * 59] = PLAIN;
        OK(find_in(pools[1], N, sought, (para_options){0}, &found, NULL));
        assert_int_equal(found, N);
    }
}

TEST(what_cannot_be_run_is_refused)
{
    size_t found = 77;
    FAILS(PARA_ERR_ARGUMENT, para_pfind(NULL, NULL));
    FAILS(PARA_ERR_NULL_KERNEL, find_in(NULL, N, NULL, (para_options){0}, &found, NULL));
    FAILS(PARA_ERR_NULL_RESULT, find_in(NULL, N, look, (para_options){0}, NULL, NULL));
    FAILS(PARA_ERR_NULL_VIEW,
          para_pfind(NULL,
                     &(para_find){.kernel = look, .count = N, .in = {{NULL, 1}}, .found = &found}));
    FAILS(PARA_ERR_ARGUMENT,
          para_pfind(NULL, &(para_find){.kernel = look, .reserved = {1}, .found = &found}));
    assert_int_equal(found, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_of_all_is_found),
        cmocka_unit_test(it_stops_early),
        cmocka_unit_test(a_failure_counts_only_before_what_is_sought),
        cmocka_unit_test(cancelled_calls_find_nothing),
        cmocka_unit_test(as_often_as_one_likes),
        cmocka_unit_test(what_cannot_be_run_is_refused),
    };
    return cmocka_run_group_tests(tests, make_pools, destroy_pools);
}
