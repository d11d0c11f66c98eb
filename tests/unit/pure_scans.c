/* PARA_CHECK_KERNELS: scans, filters, searches and sorts; and maps of one element. */
#include "../common/pure.h"

/* ---- Scans ------------------------------------------------------------------------------ */

PARA_SCAN_KERNEL(sums, double, acc, double, v, acc += v)
PARA_COMBINE(add, double, s, t, s += t)

static int sum_workers(const para_chunk *chunk, void *sum, void *total, const void *arg)
{
    const int error = sums(chunk, sum, total, arg);
    double *out = chunk->out[0];
    if (total)
        out[0] += (double)atomic_fetch_add(&calls, 1);
    return error;
}

static int sum_too_much(const para_chunk *chunk, void *sum, void *total, const void *arg)
{
    const int error = sums(chunk, sum, total, arg);
    if (sum)
        *(double *)sum += (double)atomic_fetch_add(&calls, 1);
    return error;
}

/* Where it counts on what the output held. */
static int sum_on_top(const para_chunk *chunk, void *sum, void *total, const void *arg)
{
    double *out = chunk->out[0];
    const double was = total ? out[0] : 0;
    const int error = sums(chunk, sum, total, arg);
    if (total)
        out[0] += was;
    return error;
}

static int sum_and_change(const para_chunk *chunk, void *sum, void *total, const void *arg)
{
    const int error = sums(chunk, sum, total, arg);
    ((double *)(uintptr_t)chunk->in[0])[0] += 1;
    return error;
}

static para_status scan_on(para_pool *on, para_scan_fn *kernel, double *from, double *to)
{
    double total = 7;
    fill();
    const para_status status = para_pscan(on, &(para_scan){.kernel = kernel,
                                                           .combine = add,
                                                           .count = N,
                                                           .in = {{from, sizeof *from}},
                                                           .out = {{to, sizeof *to}},
                                                           .result = &total,
                                                           .result_bytes = sizeof total,
                                                           .block = 50});
    assert_true((total == 7) == (status != PARA_OK)); /* untouched on failure */
    return status;
}

TEST(scans)
{
    para_pool *const on[] = {pool, alone, NULL};
    for (size_t p = 0; p < COUNT_OF(on); p++) {
        OK(scan_on(on[p], sums, x, y));
        assert_true(y[N - 1] == (double)N * (N - 1) / 2 + 7);
        OK(scan_on(on[p], sums, x, x)); /* in place */
        assert_true(x[N - 1] == (double)N * (N - 1) / 2 + 7);
        IMPURE("sum_workers", scan_on(on[p], sum_workers, x, y));
        IMPURE("sum_too_much", scan_on(on[p], sum_too_much, x, y));
        IMPURE("sum_on_top", scan_on(on[p], sum_on_top, x, y));
        IMPURE("changes its input in[0]", scan_on(on[p], sum_and_change, x, y));
    }
}

/* ---- Filters ---------------------------------------------------------------------------- */

PARA_FILTER_KERNEL(odd, double, v, (long)v % 2 == 1)

/* The first of each chunk does not stay. */
static int all_but_first(const para_chunk *chunk, uint16_t *stay, size_t *kept, const void *arg)
{
    (void)arg;
    *kept = chunk->count - 1;
    for (size_t i = 1; i < chunk->count; i++)
        stay[i - 1] = (uint16_t)i;
    return 0;
}

static para_status filter_on(para_pool *on, para_filter_fn *kernel, bool fills)
{
    size_t kept = 7;
    fill();
    para_filter call = {.kernel = kernel, .count = N, .in = {PARA_IN(x)}, .kept = &kept};
    if (fills)
        call.out[0] = (para_out)PARA_OUT(y);
    const para_status status = para_pfilter(on, &call);
    assert_true((kept == 7) == (status != PARA_OK));
    return status;
}

TEST(filters)
{
    para_pool *const on[] = {pool, alone, NULL};
    for (size_t p = 0; p < COUNT_OF(on); p++)
        for (int fills = 0; fills < 2; fills++) {
            OK(filter_on(on[p], odd, fills));
            assert_true(!fills || (y[1] == 3 && y[N / 2 - 1] == N - 1 && y[N / 2] == -1));
            IMPURE("all_but_first", filter_on(on[p], all_but_first, fills));
        }
}

/* ---- Searches --------------------------------------------------------------------------- */

PARA_FIND_KERNEL(is_late, double, v, v >= 990)

static int find_last_of_chunk(const para_chunk *chunk, size_t *found, const void *arg)
{
    (void)arg;
    *found = chunk->count - 1;
    return 0;
}

static para_status find_on(para_pool *on, para_find_fn *kernel)
{
    size_t found = 7;
    fill();
    const para_status status = para_pfind(
        on, &(para_find){.kernel = kernel,
                         .count = N,
                         .in = {PARA_IN(x)},
                         .found = &found,
                         .options = {.chunk = 100,
                                     .executor = on ? PARA_EXECUTOR_AUTO : PARA_EXECUTOR_SERIAL}});
    assert_true(found == (status ? 7 : 990));
    return status;
}

TEST(searches)
{
    OK(find_on(pool, is_late));
    OK(find_on(alone, is_late));
    OK(find_on(NULL, is_late));
    IMPURE("find_last_of_chunk",
           find_on(NULL, find_last_of_chunk)); /* a probe has shorter chunks */
}

/* ---- Sorts ------------------------------------------------------------------------------ */

PARA_COMPARE(descends, double, a, b, a > b)

static int at_random(const void *a, const void *b, const void *arg)
{
    (void)a;
    (void)b;
    (void)arg;
    return calls++ * 2654435761u >> 31 ? -1 : 0;
}

static para_status sort_on(para_pool *on, para_compare_fn *compare)
{
    fill();
    return para_psort(on, &(para_sort){.data = PARA_OUT(x), .count = N, .compare = compare});
}

TEST(sorts)
{
    para_pool *const on[] = {pool, alone, NULL};
    for (size_t p = 0; p < COUNT_OF(on); p++) {
        OK(sort_on(on[p], descends));
        assert_true(x[0] == N - 1 && x[N - 1] == 0);
        IMPURE("at_random", sort_on(on[p], at_random));
    }
    fill();
    OK(para_psort(pool, &(para_sort){.data = PARA_OUT(x), .count = N, .key = PARA_KEY_F64}));
}

/* ---- One element, and none -------------------------------------------------------------- */

static int count_up(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    *(double *)chunk->out[0] = (double)atomic_fetch_add(&calls, 1);
    return 0;
}

static int add_to_output(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    *(double *)chunk->out[0] += 1;
    return 0;
}

TEST(one_element)
{
    const long behind = 0;
    size_t kept, found;
    para_pool *const on[] = {pool, alone, NULL};
    for (size_t p = 0; p < COUNT_OF(on); p++) {
        IMPURE("count_up", map_on(on[p], count_up, NULL, 1));
        IMPURE("add_to_output", map_on(on[p], add_to_output, NULL, 1));
        IMPURE("behind element 0", map_on(on[p], stray, &behind, 1));
        fill();
        OK(para_pfilter(on[p], &(para_filter){.kernel = odd,
                                              .count = 1,
                                              .in = {PARA_IN(x)},
                                              .out = {PARA_OUT(y)},
                                              .kept = &kept}));
        OK(para_pfilter(on[p], &(para_filter){.kernel = odd, .kept = &kept}));
        OK(para_pfind(on[p], &(para_find){.kernel = is_late, .found = &found}));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scans), cmocka_unit_test(filters),     cmocka_unit_test(searches),
        cmocka_unit_test(sorts), cmocka_unit_test(one_element),
    };
    return cmocka_run_group_tests(tests, begin_pure, end_pure);
}
