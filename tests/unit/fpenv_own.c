/* para's own arithmetic is kept apart from its caller's: it raises no flag, and never traps. */
#include "../common/check.h"

#include <fenv.h>
#include <stdio.h>

PARA_MAP_KERNEL(twice, int, int, x, 2 * x)
PARA_REDUCE_KERNEL(sum, int64_t, s, int, x, s += x)
PARA_COMBINE(add, int64_t, s, t, s += t)

enum { MANY = 300000 };
static int x[MANY], y[MANY];

static int slow_twice(const para_chunk *chunk, const void *arg)
{
    for (size_t i = 0; i < chunk->count; i++) {
        const uint64_t end_ns = para_deadline_after(2000);
        while (para_deadline_after(0) < end_ns) {
        }
    }
    return twice(chunk, arg);
}

/* Small and large, alone and shared, known, unknown and found out in the middle. */
static para_status all_kinds_of_calls(para_pool *pool)
{
    static const size_t counts[] = {1, 10, 1000, 100000, MANY};
    para_status status = PARA_OK;
    for (int round = 0; round < 40; round++)
        for (size_t c = 0; c < COUNT_OF(counts) && !status; c++) {
            int64_t total = 0;
            para_report report;
            para_cancel token = {0};
            const para_options options = {.executor = (para_executor)(round % 3),
                                          .cancel = round % 4 < 2 ? NULL : &token};
            status = para_pmap(pool, &(para_map){.kernel = twice,
                                                 .count = counts[c],
                                                 .in = {PARA_IN(x)},
                                                 .out = {PARA_OUT(y)},
                                                 .options = options,
                                                 .report = &report});
            if (!status)
                status = para_preduce(pool, &(para_reduce){.kernel = sum,
                                                           .combine = add,
                                                           .count = counts[c],
                                                           .in = {PARA_IN(x)},
                                                           .result = &total,
                                                           .result_bytes = sizeof total,
                                                           .options = options,
                                                           .report = &report});
            if (!status && round % 10 == 0 && counts[c] <= 1000)
                status = para_pmap(pool, &(para_map){.kernel = slow_twice,
                                                     .count = 5 * counts[c],
                                                     .in = {PARA_IN(x)},
                                                     .out = {PARA_OUT(y)}});
        }
    return status;
}

static para_status everything(void)
{
    para_pool *pool = NULL;
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = 2;
    para_status status = para_pool_create(&pool, &config);
    if (!status)
        status = all_kinds_of_calls(pool);
    if (!status)
        status = all_kinds_of_calls(NULL);
    para_calibration_info info = {.size = sizeof info};
    if (!status)
        status = para_calibration_get(pool, &info);
    if (!status) {
        FILE *nowhere = fopen("/dev/null", "w");
        status = nowhere ? para_calibration_print(pool, nowhere) : PARA_ERR_FILE;
        if (nowhere)
            fclose(nowhere);
    }
    (void)para_reduce_block(123456, 8);
    para_pool_destroy(pool);
    return status;
}

#if defined(__GLIBC__)

/* First, when the default pool is made, its machine read and every kernel unknown. */
TEST(what_para_computes_does_not_trap)
{
    feclearexcept(FE_ALL_EXCEPT);
    (void)feenableexcept(FE_ALL_EXCEPT); /* does nothing where the processor cannot trap */
    const para_status status = everything();
    fedisableexcept(FE_ALL_EXCEPT);
    OK(status);
    assert_int_equal(fetestexcept(FE_ALL_EXCEPT), 0);
}

#endif

TEST(what_para_computes_raises_nothing)
{
    feclearexcept(FE_ALL_EXCEPT);
    OK(everything());
    assert_int_equal(fetestexcept(FE_ALL_EXCEPT), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#if defined(__GLIBC__)
        cmocka_unit_test(what_para_computes_does_not_trap),
#endif
        cmocka_unit_test(what_para_computes_raises_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
