/* PARA_LOOP, PARA_LOOP2, PARA_LOOP3 and the maps: each iteration runs once, with any range, tiles,
 * pool and options. */
#include "../common/check.h"

#include <stdlib.h>
#include <string.h>

static const unsigned pool_sizes[] = {1, 2, 3};
#include "../common/pools.h"

enum { MOST = 40000 };
static _Atomic unsigned char visits[MOST];

static void clear_visits(void)
{
    for (size_t v = 0; v < MOST; v++)
        atomic_store_explicit(&visits[v], 0, memory_order_relaxed);
}

/* Whether places [first, end) were visited once, and no others. */
static bool visited_once(size_t first, size_t end)
{
    for (size_t v = 0; v < MOST; v++)
        if (atomic_load_explicit(&visits[v], memory_order_relaxed) != (v >= first && v < end))
            return false;
    return true;
}

static void visit(size_t place)
{
    if (place < MOST)
        atomic_fetch_add_explicit(&visits[place], 1, memory_order_relaxed);
}

PARA_LOOP(one, i, size_t, factor)
{
    visit(i * factor);
}

PARA_LOOP(no_parameter, i)
{
    if (i % 2)
        return;
    visit(i);
    visit(i + 1);
}

PARA_LOOP2(two, i, j, size_t, columns)
{
    visit(j < columns ? i * columns + j : MOST);
}

PARA_LOOP3(three, i, j, k, size_t, rows, size_t, columns)
{
    visit(j < rows && k < columns ? (i * rows + j) * columns + k : MOST);
}

static const para_options ways[] = {
    {0},
    {.chunk = 1},
    {.chunk = 7, .executor = PARA_EXECUTOR_THREADS},
    {.executor = PARA_EXECUTOR_THREADS, .claim = 3},
    {.executor = PARA_EXECUTOR_SERIAL},
};

TEST(each_iteration_once)
{
    static const size_t counts[] = {0, 1, 2, 63, 64, 65, 1000, MOST};
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (size_t w = 0; w < COUNT_OF(ways); w++)
            for (size_t c = 0; c < COUNT_OF(counts); c++) {
                const para_setup setup = {.pool = pools[p], .options = ways[w]};
                clear_visits();
                OK(para_loop_with(&setup, one, counts[c], 1));
                assert_true(visited_once(0, counts[c]));
            }
    clear_visits();
    OK(para_loop(no_parameter, 100));
    assert_true(visited_once(0, 100));
}

TEST(a_range_begins_where_it_is_told)
{
    const para_setup setup = {.first = {17}};
    clear_visits();
    OK(para_loop_with(&setup, one, 1000, 1));
    assert_true(visited_once(17, 1017));
    clear_visits();
    OK(para_loop_with(&setup, two, 3, 100, 100)); /* the first index alone */
    assert_true(visited_once(1700, 2000));
}

typedef struct shape {
    size_t count[3], tile[3];
} shape;

static const shape shapes[] = {
    {{1, 1, 1}, {0}},        {{7, 11, 13}, {0}},        {{7, 11, 13}, {2, 3, 4}},
    {{3, 5, 700}, {0}},      {{3, 5, 700}, {9, 9, 9}},  {{5, 3000, 2}, {0}},
    {{20, 40, 50}, {0}},     {{2, 2, 5000}, {1, 1, 0}}, {{30, 1, 600}, {0, 0, 512}},
    {{0, 5, 5}, {0}},        {{5, 0, 5}, {1, 1, 1}},    {{5, 5, 0}, {0}},
    {{20000, 1, 2}, {0, 3}}, {{6, 6, 6}, {6, 1, 6}},
};

TEST(nested_loops_each_iteration_once)
{
    for (size_t s = 0; s < COUNT_OF(shapes); s++)
        for (size_t p = 0; p < COUNT_OF(pools); p++)
            for (size_t w = 0; w < COUNT_OF(ways); w++) {
                const size_t *n = shapes[s].count, *t = shapes[s].tile;
                const para_setup setup = {
                    .pool = pools[p], .options = ways[w], .tile = {t[0], t[1], t[2]}};
                const para_setup flat = {
                    .pool = pools[p], .options = ways[w], .tile = {t[1], t[2]}};
                clear_visits();
                OK(para_loop_with(&setup, three, n[0], n[1], n[2], n[1], n[2]));
                assert_true(visited_once(0, n[0] * n[1] * n[2]));
                clear_visits();
                OK(para_loop_with(&flat, two, n[1], n[2], n[2]));
                assert_true(visited_once(0, n[1] * n[2]));
            }
}

/* Tile by tile: with one participant the order is that of the numbers. */
static unsigned order[6][6], next;
PARA_LOOP2(number, i, j, unsigned *, n)
{
    order[i - 1][j - 1] = (*n)++;
}

TEST(tiles_are_run_one_after_the_other)
{
    static const unsigned expected[5][5] = {{0, 1, 6, 7, 12},
                                            {2, 3, 8, 9, 13},
                                            {4, 5, 10, 11, 14},
                                            {15, 16, 19, 20, 23},
                                            {17, 18, 21, 22, 24}};
    const para_setup setup = {
        .options = {.executor = PARA_EXECUTOR_SERIAL}, .first = {1, 1}, .tile = {3, 2}};
    next = 0;
    OK(para_loop_with(&setup, number, 5, 5, &next));
    for (int i = 0; i < 5; i++)
        assert_memory_equal(order[i], expected[i], sizeof expected[i]);
}

PARA_MAP_KERNEL(mapped, int, int, v, v)
PARA_SUM(summed, int, i, const int *, v)
{
    return v[i];
}

static void is_negative(int count, para_status status)
{
    char detail[64];
    snprintf(detail, sizeof detail, "the number of iterations is negative: %d", count);
    FAILS(PARA_ERR_OVERFLOW, status);
    assert_string_equal(para_status_detail(), detail);
}

TEST(a_negative_count_is_refused)
{
    int total = 0;
    para_setup setup = {.pool = pools[1]};
    const int n = -1;
    clear_visits();
    FAILS(PARA_ERR_OVERFLOW, para_loop(one, (size_t)n, 1));
    FAILS(PARA_ERR_OVERFLOW, para_loop_with(&setup, two, (size_t)n, 3, 3));
    FAILS(PARA_ERR_OVERFLOW, para_loop_with(&setup, three, 2, (size_t)n, 3, 3, 3));
    FAILS(PARA_ERR_OVERFLOW, para_loop(three, SIZE_MAX / 2, SIZE_MAX / 2, 4, 1, 1));
    assert_true(visited_once(0, 0));
    assert_string_equal(para_status_detail(), "the product of the numbers of iterations, or the "
                                              "length of a row, is too large");
    const int counts[] = {n, -3};
    for (int k = 0; k < 2; k++) {
        const size_t less = (size_t)counts[k];
        is_negative(counts[k], para_loop(one, less, 1));
        is_negative(counts[k], para_loop(two, less, 3, 3));
        is_negative(counts[k], para_loop(two, 0, less, 3));
        is_negative(counts[k], para_loop(two, less, 0, 3));
        is_negative(counts[k], para_loop(three, 0, 5, less, 3, 3));
        is_negative(counts[k], para_loop(mapped, less, NULL, NULL));
        is_negative(counts[k], para_reduce_to(&total, summed, less, NULL));
    }
    assert_int_equal(total, 0);
}

PARA_LOOP(nest, i, size_t, inner)
{
    const para_setup setup = {.first = {i * inner}};
    if (para_loop_with(&setup, one, inner, 1))
        visit(0);
}

TEST(a_loop_within_a_loop)
{
    clear_visits();
    OK(para_loop(nest, 100, 50));
    assert_true(visited_once(0, 5000));
}

TEST(options_and_report_reach_the_call)
{
    para_report report;
    para_cancel cancel = {0};
    para_setup setup = {.pool = pools[1], .options = {.chunk = 10}, .report = &report};
    clear_visits();
    OK(para_loop_with(&setup, one, 95, 1));
    assert_int_equal(report.chunk, 10);
    assert_int_equal(report.chunks, 10);
    para_cancel_request(&cancel);
    setup.options.cancel = &cancel;
    FAILS(PARA_ERR_CANCELLED, para_loop_with(&setup, one, 95, 1));
}

/* ---- Maps ------------------------------------------------------------------------------------ */

PARA_MAP_KERNEL(twice, double, int, x, 2.0 * x)
PARA_MAP_KERNEL(numbered, size_t, size_t, x, x + index)
PARA_MAP2_KERNEL(difference, long, int, x, long, y, x - y)
PARA_MAP3_KERNEL(mixed, double, double, x, float, y, int, z, x * 100 + (double)y * 10 + z)

TEST(maps_of_typed_arrays)
{
    enum { N = 5000 };
    static int x[N];
    static long y[N], d[N];
    static double t[N], m[N];
    static float f[N];
    static size_t at[N + 1];
    for (int i = 0; i < N; i++) {
        x[i] = i;
        y[i] = 3L * i;
        f[i] = (float)(i % 7);
    }
    const para_setup setup = {.pool = pools[2],
                              .options = {.executor = PARA_EXECUTOR_THREADS, .chunk = 13}};
    OK(para_loop(twice, N, t, x));
    OK(para_loop_with(&setup, numbered, N, at, at));
    OK(para_loop_with(&setup, difference, N, d, x, y));
    OK(para_loop(mixed, N, m, t, f, x));
    for (int i = 0; i < N; i++) {
        assert_true(t[i] == 2.0 * i);
        assert_int_equal(at[i], i);
        assert_int_equal(d[i], -2 * i);
        assert_true(m[i] == t[i] * 100 + (double)f[i] * 10 + i);
    }
    FAILS(PARA_ERR_OVERLAP, para_loop(numbered, N, at + 1, at));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_iteration_once),
        cmocka_unit_test(a_range_begins_where_it_is_told),
        cmocka_unit_test(nested_loops_each_iteration_once),
        cmocka_unit_test(tiles_are_run_one_after_the_other),
        cmocka_unit_test(a_negative_count_is_refused),
        cmocka_unit_test(a_loop_within_a_loop),
        cmocka_unit_test(options_and_report_reach_the_call),
        cmocka_unit_test(maps_of_typed_arrays),
    };
    return cmocka_run_group_tests(tests, make_pools, destroy_pools);
}
