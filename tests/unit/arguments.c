/* Calls that are refused: each fault has its status, nothing runs and nothing is written. */
#include "../common/check.h"

#include <errno.h>
#include <string.h>

enum { N = 64 };
static double x[2 * N], y[2 * N], z[2 * N];
static _Atomic unsigned kernel_calls;

static int touch_all(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    (void)chunk;
    kernel_calls++;
    return 0;
}

static int fold_none(const para_chunk *chunk, void *acc, const void *arg)
{
    (void)chunk;
    (void)acc;
    (void)arg;
    kernel_calls++;
    return 0;
}

static void combine_none(void *acc, const void *rhs, const void *arg)
{
    (void)acc;
    (void)rhs;
    (void)arg;
    kernel_calls++;
}

static const para_map good = {.kernel = touch_all,
                              .count = N,
                              .in = {{x, sizeof *x}, {y, sizeof *y}},
                              .out = {{z, sizeof *z}}};

static void expect(para_map call, para_status status)
{
    for (int serial = 0; serial < 2; serial++) {
        para_report report;
        memset(&report, 0xff, sizeof report);
        if (serial)
            call.options.executor =
                call.options.executor ? call.options.executor : PARA_EXECUTOR_SERIAL;
        call.report = &report;
        kernel_calls = 0;
        errno = 77;
        assert_int_equal(para_pmap(NULL, &call), status);
        assert_int_equal(errno, 77);
        assert_true((kernel_calls == 0) == (status != PARA_OK || call.count == 0));
        if (status)
            assert_memory_equal(&report, &(para_report){0}, sizeof report);
    }
}

TEST(the_good_call_is_good)
{
    expect(good, PARA_OK);
}

TEST(no_call)
{
    FAILS(PARA_ERR_ARGUMENT, para_pmap(NULL, NULL));
    FAILS(PARA_ERR_ARGUMENT, para_preduce(NULL, NULL));
}

TEST(no_kernel)
{
    para_map call = good;
    call.kernel = NULL;
    expect(call, PARA_ERR_NULL_KERNEL);
    call.count = 0;
    expect(call, PARA_ERR_NULL_KERNEL);
}

TEST(null_views)
{
    para_map call = good;
    call.in[1].data = NULL;
    expect(call, PARA_ERR_NULL_VIEW);
    call.count = 0; /* an array of no elements needs no memory */
    expect(call, PARA_OK);
    call = good;
    call.out[0].data = NULL;
    expect(call, PARA_ERR_NULL_VIEW);
}

TEST(gaps_between_views)
{
    para_map call = good;
    call.in[0] = (para_in){0};
    expect(call, PARA_ERR_NULL_VIEW);
    call = good;
    call.in[PARA_IN_MAX - 1] = good.in[0];
    expect(call, PARA_ERR_NULL_VIEW);
    call = good;
    call.out[2] = (para_out){y + N, sizeof *y};
    expect(call, PARA_ERR_NULL_VIEW);
}

TEST(zero_element_sizes)
{
    para_map call = good;
    call.in[0].element_bytes = 0;
    expect(call, PARA_ERR_ELEMENT_SIZE);
    call = good;
    call.out[0].element_bytes = 0;
    expect(call, PARA_ERR_ELEMENT_SIZE);
    call.count = 0;
    expect(call, PARA_ERR_ELEMENT_SIZE);
}

TEST(overlaps)
{
    para_map call = good;
    call.out[0] = (para_out){x, sizeof *x}; /* exactly in place */
    expect(call, PARA_OK);
    call.in[1] = call.in[0];
    expect(call, PARA_OK);

    for (int shift = -(N - 1); shift < N; shift++) { /* overlapping by at least one element */
        call = good;
        double *from = shift < 0 ? x + N : x;
        call.in[0].data = from;
        call.out[0].data = from + shift;
        expect(call, shift == 0 ? PARA_OK : PARA_ERR_OVERLAP);
    }
    call = good;
    call.out[0].data = (char *)x + 1; /* by a byte */
    expect(call, PARA_ERR_OVERLAP);
    call = good;
    call.out[0] = (para_out){x, sizeof *x / 2}; /* same place, other element size */
    expect(call, PARA_ERR_OVERLAP);
    call.out[0] = (para_out){x, sizeof *x * 2};
    expect(call, PARA_ERR_OVERLAP);
    call = good;
    call.out[0].data = x + N; /* right behind */
    expect(call, PARA_OK);
    call.out[0].data = x;
    call.in[0].data = x + N;
    expect(call, PARA_OK);
    call.count = N + 1;
    expect(call, PARA_ERR_OVERLAP);
    call.count = 0;
    expect(call, PARA_OK);
    call = good;
    call.in[1].data = call.in[0].data; /* inputs may overlap as they like */
    call.in[2] = (para_in){x + 1, sizeof *x};
    expect(call, PARA_OK);
}

TEST(overlapping_outputs)
{
    para_map call = good;
    call.out[1] = call.out[0];
    expect(call, PARA_ERR_OVERLAP);
    call.out[1].data = z + N - 1;
    expect(call, PARA_ERR_OVERLAP);
    call.out[1].data = z + N;
    expect(call, PARA_OK);
    call.in[0] = (para_in){z, sizeof *z}; /* in place with the one, apart from the other */
    expect(call, PARA_OK);
    call.out[2] = (para_out){z, sizeof *z};
    expect(call, PARA_ERR_OVERLAP);
}

TEST(overflows)
{
    para_map call = good;
    call.count = SIZE_MAX;
    expect(call, PARA_ERR_OVERFLOW);
    call.count = SIZE_MAX / sizeof *x + 1;
    expect(call, PARA_ERR_OVERFLOW);
    call.count = SIZE_MAX / sizeof *x; /* the product fits, but not from there */
    expect(call, PARA_ERR_OVERFLOW);
    call = good;
    call.in[0].element_bytes = SIZE_MAX / 2;
    expect(call, PARA_ERR_OVERFLOW);
    call.in[0].element_bytes = SIZE_MAX;
    expect(call, PARA_ERR_OVERFLOW);
    call = good;
    call.out[0].element_bytes = SIZE_MAX;
    call.count = 1;
    expect(call, PARA_ERR_OVERFLOW);
}

TEST(options)
{
    static const int executors[] = {-1, 99, 1 << 30};
    for (size_t i = 0; i < COUNT_OF(executors); i++) {
        para_map call = good;
        call.options.executor = (para_executor)executors[i];
        expect(call, PARA_ERR_ARGUMENT);
        call.count = 0;
        expect(call, PARA_ERR_ARGUMENT);
    }
}

static void refuse_reduce(para_reduce call, para_status status)
{
    const para_reduce before = call;
    para_report report;
    memset(&report, 0xff, sizeof report);
    memset(y, 0x55, sizeof y);
    call.report = &report;
    kernel_calls = 0;
    errno = 77;
    assert_int_equal(para_preduce(NULL, &call), status);
    assert_int_equal(errno, 77);
    assert_int_equal(kernel_calls, 0);
    assert_memory_equal(&report, &(para_report){0}, sizeof report);
    for (size_t i = 0; i < sizeof y; i++)
        assert_int_equal(((unsigned char *)y)[i], 0x55);
    assert_ptr_equal(before.result, call.result);
}

TEST(reductions)
{
    const para_reduce fine = {.kernel = fold_none,
                              .combine = combine_none,
                              .count = N,
                              .in = {{x, sizeof *x}},
                              .result = y,
                              .result_bytes = sizeof *y};
    para_reduce call = fine;
    call.kernel = NULL;
    refuse_reduce(call, PARA_ERR_NULL_KERNEL);
    call = fine;
    call.combine = NULL;
    refuse_reduce(call, PARA_ERR_NULL_COMBINE);
    call = fine;
    call.result = NULL;
    refuse_reduce(call, PARA_ERR_NULL_RESULT);
    call = fine;
    call.result_bytes = 0;
    refuse_reduce(call, PARA_ERR_NULL_RESULT);
    call.count = 0;
    refuse_reduce(call, PARA_ERR_NULL_RESULT);
    call = fine;
    call.result_bytes = SIZE_MAX;
    refuse_reduce(call, PARA_ERR_OVERFLOW);
    call = fine;
    call.in[0].element_bytes = 0;
    refuse_reduce(call, PARA_ERR_ELEMENT_SIZE);
    call = fine;
    call.in[0].data = NULL;
    refuse_reduce(call, PARA_ERR_NULL_VIEW);
    call = fine;
    call.in[2] = call.in[0];
    refuse_reduce(call, PARA_ERR_NULL_VIEW);
    call = fine;
    call.count = SIZE_MAX / 4;
    refuse_reduce(call, PARA_ERR_OVERFLOW);
    call = fine;
    call.options.executor = (para_executor)99;
    refuse_reduce(call, PARA_ERR_ARGUMENT);
    call = fine;
    call.count = 0; /* succeeds, calls nothing, leaves the result */
    refuse_reduce(call, PARA_OK);
}

TEST(details_name_the_view)
{
    para_map call = good;
    call.in[1].data = NULL;
    expect(call, PARA_ERR_NULL_VIEW);
    assert_non_null(strstr(para_status_detail(), "in[1]"));
    call = good;
    call.out[1] = call.out[0];
    expect(call, PARA_ERR_OVERLAP);
    assert_non_null(strstr(para_status_detail(), "out[0]"));
    assert_non_null(strstr(para_status_detail(), "out[1]"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_good_call_is_good),
        cmocka_unit_test(no_call),
        cmocka_unit_test(no_kernel),
        cmocka_unit_test(null_views),
        cmocka_unit_test(gaps_between_views),
        cmocka_unit_test(zero_element_sizes),
        cmocka_unit_test(overlaps),
        cmocka_unit_test(overlapping_outputs),
        cmocka_unit_test(overflows),
        cmocka_unit_test(options),
        cmocka_unit_test(reductions),
        cmocka_unit_test(details_name_the_view),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
