/* Sorting: against a serial stable sort, for all kinds of keys, and for functions of all kinds. */
#include "../common/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const unsigned pool_sizes[] = {1, 2, 3, 8};

#include "../common/pools.h"

enum { N = 30000 };
static const para_executor executors[] = {PARA_EXECUTOR_AUTO, PARA_EXECUTOR_THREADS,
                                          PARA_EXECUTOR_SERIAL};
static const size_t counts[] = {0, 1, 2, 7, 8, 9, 63, 64, 65, 100, 1000, 2048, 4097, N};

/* An element with a key, and the place where it stood. */
typedef struct item {
    uint64_t key;
    uint64_t place;
} item;

static item items[N], expected[N];

PARA_COMPARE(by_key, item, a, b, a.key < b.key)

static int compare_items(const void *a, const void *b)
{
    const item *p = a, *q = b;
    return p->key != q->key ? (p->key < q->key ? -1 : 1) : p->place < q->place ? -1 : 1;
}

typedef enum shape { RANDOM, FEW, SORTED, REVERSED, EQUAL, ALMOST, SHAPES } shape;

static void fill(size_t n, shape s)
{
    uint64_t seed = n + s;
    for (size_t i = 0; i < n; i++) {
        const uint64_t r = check_random(&seed);
        items[i].key = s == RANDOM     ? r
                       : s == FEW      ? r % 5
                       : s == SORTED   ? i
                       : s == REVERSED ? n - i
                       : s == EQUAL    ? 7
                                       : i + (r % 100 == 0 ? r % 1000 : 0);
        items[i].place = i;
    }
    memcpy(expected, items, n * sizeof *items);
    qsort(expected, n, sizeof *expected, compare_items);
}

TEST(the_result_is_that_of_a_stable_sort)
{
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (size_t c = 0; c < COUNT_OF(counts); c++)
            for (shape s = RANDOM; s < SHAPES; s++)
                for (int how = 0; how < 2 * (int)COUNT_OF(executors); how++) {
                    para_sort call = {.data = PARA_OUT(items),
                                      .count = counts[c],
                                      .options.executor = executors[how / 2]};
                    if (how % 2)
                        call.key = PARA_KEY_U64;
                    else
                        call.compare = by_key;
                    fill(counts[c], s);
                    OK(para_psort(pools[p], &call));
                    assert_memory_equal(items, expected, counts[c] * sizeof *items);
                }
}

/* ---- Keys --------------------------------------------------------------------------------- */

/* Whether key a of that kind is less than b; floating point as IEEE 754's total order. */
static bool is_less(para_key kind, const void *a, const void *b)
{
#define LESS(type)                 \
    do {                           \
        type x_, y_;               \
        memcpy(&x_, a, sizeof x_); \
        memcpy(&y_, b, sizeof y_); \
        return x_ < y_;            \
    } while (0)
#define TOTAL(type, integer)                                               \
    do {                                                                   \
        type x_, y_;                                                       \
        integer i_, j_;                                                    \
        memcpy(&x_, a, sizeof x_);                                         \
        memcpy(&y_, b, sizeof y_);                                         \
        memcpy(&i_, a, sizeof i_);                                         \
        memcpy(&j_, b, sizeof j_);                                         \
        if (x_ < y_ || x_ > y_)                                            \
            return x_ < y_;                                                \
        return (i_ < 0) != (j_ < 0) ? i_ < 0 : i_ < 0 ? i_ > j_ : i_ < j_; \
    } while (0)
    switch (kind) {
    case PARA_KEY_U8:
        LESS(uint8_t);
    case PARA_KEY_U16:
        LESS(uint16_t);
    case PARA_KEY_U32:
        LESS(uint32_t);
    case PARA_KEY_U64:
        LESS(uint64_t);
    case PARA_KEY_I8:
        LESS(int8_t);
    case PARA_KEY_I16:
        LESS(int16_t);
    case PARA_KEY_I32:
        LESS(int32_t);
    case PARA_KEY_I64:
        LESS(int64_t);
    case PARA_KEY_F32:
        TOTAL(float, int32_t);
    case PARA_KEY_F64:
        TOTAL(double, int64_t);
    case PARA_KEY_NONE:
        break;
    }
    return false;
}

enum { LARGE = 24, OFFSET = 3 };
static unsigned char large[N][LARGE];

static void check_order(para_key kind, size_t n, bool descending)
{
    for (size_t i = 1; i < n; i++) {
        const void *const a = large[i - 1] + OFFSET, *const b = large[i] + OFFSET;
        const bool swapped = descending ? is_less(kind, a, b) : is_less(kind, b, a);
        const bool tied = !is_less(kind, a, b) && !is_less(kind, b, a);
        uint64_t place[2];
        memcpy(&place[0], large[i - 1] + LARGE - 8, 8);
        memcpy(&place[1], large[i] + LARGE - 8, 8);
        assert_false(swapped);
        assert_false(tied && place[0] > place[1]);
    }
}

TEST(keys_of_all_kinds_within_elements_of_any_size)
{
    static const double special[] = {0.0, -0.0, INFINITY, -INFINITY, NAN, -NAN, 1e-310, -1e-310};
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (para_key kind = PARA_KEY_U8; kind <= PARA_KEY_F64; kind++)
            for (int descending = 0; descending < 2; descending++)
                for (size_t n = 50; n <= 5000; n *= 10) {
                    uint64_t seed = kind + n, sum = 0;
                    for (uint64_t i = 0; i < n; i++) {
                        const uint64_t r = check_random(&seed);
                        const double d = special[r % COUNT_OF(special)];
                        const float f = (float)d;
                        memcpy(large[i] + OFFSET, &r, 8);
                        if (i % 3 == 0 && kind == PARA_KEY_F64)
                            memcpy(large[i] + OFFSET, &d, 8);
                        if (i % 3 == 0 && kind == PARA_KEY_F32)
                            memcpy(large[i] + OFFSET, &f, 4);
                        memcpy(large[i] + LARGE - 8, &i, 8);
                    }
                    OK(para_psort(pools[p], &(para_sort){.data = {large, LARGE},
                                                         .count = n,
                                                         .key = kind,
                                                         .key_offset = OFFSET,
                                                         .descending = descending,
                                                         .options.executor = executors[n % 3]}));
                    check_order(kind, n, descending);
                    for (size_t i = 0; i < n; i++) {
                        uint64_t place;
                        memcpy(&place, large[i] + LARGE - 8, 8);
                        sum += place;
                    }
                    assert_int_equal(sum, n * (n - 1) / 2);
                }
}

TEST(plain_numbers)
{
    static float f[N];
    static double d[N];
    static int32_t i32[N];
    uint64_t seed = 1;
    for (size_t p = 0; p < COUNT_OF(pools); p++) {
        for (size_t i = 0; i < N; i++) {
            i32[i] = (int32_t)check_random(&seed);
            f[i] = (float)i32[i] / 3;
            d[i] = (double)check_random(&seed) - 9e18;
        }
        OK(para_psort(pools[p],
                      &(para_sort){.data = PARA_OUT(f), .count = N, .key = PARA_KEY_F32}));
        OK(para_psort(pools[p],
                      &(para_sort){.data = PARA_OUT(d), .count = N, .key = PARA_KEY_F64}));
        OK(para_psort(pools[p],
                      &(para_sort){.data = PARA_OUT(i32), .count = N, .key = PARA_KEY_I32}));
        for (size_t i = 1; i < N; i++)
            assert_true(f[i - 1] <= f[i] && d[i - 1] <= d[i] && i32[i - 1] <= i32[i]);
    }
}

/* ---- Functions that contradict themselves --------------------------------------------------- */

static _Atomic uint64_t random_state;

static int toss(const void *a, const void *b, const void *arg)
{
    (void)a;
    (void)b;
    (void)arg;
    return check_mix(random_state++) % 2 ? -1 : 1;
}

static int always_before(const void *a, const void *b, const void *arg)
{
    (void)a;
    (void)b;
    (void)arg;
    return -1;
}

static void check_all_are_there(size_t n)
{
    static unsigned char seen[N];
    memset(seen, 0, n);
    for (size_t i = 0; i < n; i++) {
        assert_true(items[i].place < n && !seen[items[i].place]);
        seen[items[i].place] = 1;
    }
}

TEST(no_element_is_lost_whatever_compare_returns)
{
    para_compare_fn *const functions[] = {toss, always_before};
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (size_t c = 0; c < COUNT_OF(counts); c++)
            for (size_t k = 0; k < COUNT_OF(functions); k++) {
                fill(counts[c], RANDOM);
                OK(para_psort(pools[p], &(para_sort){.data = PARA_OUT(items),
                                                     .count = counts[c],
                                                     .compare = functions[k],
                                                     .options.executor = executors[c % 3]}));
                check_all_are_there(counts[c]);
            }
}

/* ---- Cancelled, refused, nested -------------------------------------------------------------- */

static para_cancel cancel;
static _Atomic size_t compared;

static int cancel_amid(const void *a, const void *b, const void *arg)
{
    if (++compared == *(const size_t *)arg)
        para_cancel_request(&cancel);
    return by_key(a, b, NULL);
}

TEST(a_cancelled_sort_keeps_all_elements)
{
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (size_t e = 0; e < COUNT_OF(executors); e++)
            for (size_t at = 1; at < 500000; at = at * 3 + 100) {
                fill(N, RANDOM);
                memset(&cancel, 0, sizeof cancel);
                compared = 0;
                const para_status status = para_psort(
                    pools[p],
                    &(para_sort){.data = PARA_OUT(items),
                                 .count = N,
                                 .compare = cancel_amid,
                                 .arg = &at,
                                 .options = {.executor = executors[e], .cancel = &cancel}});
                assert_true(status == PARA_OK || status == PARA_ERR_CANCELLED);
                check_all_are_there(N);
                if (!status)
                    assert_memory_equal(items, expected, sizeof items);
                if (status)
                    FAILS(PARA_ERR_CANCELLED,
                          para_psort(pools[p], &(para_sort){.data = PARA_OUT(items),
                                                            .count = N,
                                                            .key = PARA_KEY_U64,
                                                            .options.cancel = &cancel}));
            }
}

TEST(what_cannot_be_run_is_refused)
{
    para_report report;
    const para_sort good = {
        .data = PARA_OUT(items), .count = N, .key = PARA_KEY_U64, .report = &report};
    fill(N, RANDOM);
    FAILS(PARA_ERR_ARGUMENT, para_psort(NULL, NULL));
    para_sort bad = good;
    bad.compare = by_key;
    FAILS(PARA_ERR_ARGUMENT, para_psort(NULL, &bad));
    bad = good;
    bad.key = PARA_KEY_NONE;
    FAILS(PARA_ERR_ARGUMENT, para_psort(NULL, &bad));
    bad = good;
    bad.key = (para_key)(PARA_KEY_F64 + 1);
    FAILS(PARA_ERR_ARGUMENT, para_psort(NULL, &bad));
    bad = good;
    bad.key_offset = 9;
    FAILS(PARA_ERR_ARGUMENT, para_psort(NULL, &bad));
    bad = good;
    bad.key_offset = SIZE_MAX;
    FAILS(PARA_ERR_ARGUMENT, para_psort(NULL, &bad));
    bad = good;
    bad.data.element_bytes = 7;
    FAILS(PARA_ERR_ARGUMENT, para_psort(NULL, &bad));
    bad = good;
    bad.data.element_bytes = 0;
    FAILS(PARA_ERR_ELEMENT_SIZE, para_psort(NULL, &bad));
    bad = good;
    bad.data.data = NULL;
    FAILS(PARA_ERR_NULL_VIEW, para_psort(NULL, &bad));
    bad = good;
    bad.count = SIZE_MAX / 16;
    FAILS(PARA_ERR_OVERFLOW, para_psort(NULL, &bad));
    bad = good;
    bad.reserved[0] = 1;
    FAILS(PARA_ERR_ARGUMENT, para_psort(NULL, &bad));
    for (size_t i = 0; i < N; i++)
        assert_int_equal(items[i].place, i);
    OK(para_psort(NULL, &good));
    assert_true(report.chunks > 0 && report.time_ns > 0 && report.workers > 0);
    OK(para_psort(NULL, &good)); /* there is nothing to do, but to look */
    assert_true(report.chunks > 0);
}

static _Atomic size_t wrong;

static int sort_within(const para_chunk *chunk, const void *arg)
{
    uint32_t own[3000];
    uint64_t seed = chunk->first;
    for (size_t i = 0; i < COUNT_OF(own); i++)
        own[i] = (uint32_t)check_random(&seed);
    wrong += para_psort(*(para_pool *const *)arg,
                        &(para_sort){.data = PARA_OUT(own),
                                     .count = COUNT_OF(own),
                                     .key = PARA_KEY_U32,
                                     .options.executor = PARA_EXECUTOR_THREADS}) != PARA_OK;
    for (size_t i = 1; i < COUNT_OF(own); i++)
        wrong += own[i - 1] > own[i];
    return 0;
}

TEST(nested)
{
    for (size_t p = 0; p < COUNT_OF(pools); p++) {
        OK(para_pmap(pools[p],
                     &(para_map){.kernel = sort_within,
                                 .arg = &pools[p],
                                 .count = 50,
                                 .options = {.executor = PARA_EXECUTOR_THREADS, .chunk = 1}}));
        assert_int_equal(wrong, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_result_is_that_of_a_stable_sort),
        cmocka_unit_test(keys_of_all_kinds_within_elements_of_any_size),
        cmocka_unit_test(plain_numbers),
        cmocka_unit_test(no_element_is_lost_whatever_compare_returns),
        cmocka_unit_test(a_cancelled_sort_keeps_all_elements),
        cmocka_unit_test(what_cannot_be_run_is_refused),
        cmocka_unit_test(nested),
    };
    return cmocka_run_group_tests(tests, make_pools, destroy_pools);
}
