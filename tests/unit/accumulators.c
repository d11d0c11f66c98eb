/* Reductions with accumulators of all kinds, and floating point at its edges. */
#include "../common/check.h"
#include "../common/oracle.h"

#include <fenv.h>
#include <math.h>
#include <sched.h>
#include <time.h>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

static const unsigned pool_sizes[] = {1, 2, 4, 16};

#include "../common/pools.h"

static _Atomic unsigned violations;

enum { N = 100000 };
static float x[N];

/* ---- A struct ------------------------------------------------------------------------ */

typedef struct extrema {
    float least, most;
    size_t least_at, most_at, seen;
} extrema;

static void take(extrema *e, float v, size_t at)
{
    if (e->seen == 0 || v < e->least) {
        e->least = v;
        e->least_at = at;
    }
    if (e->seen == 0 || v > e->most) {
        e->most = v;
        e->most_at = at;
    }
}

static int find(const para_chunk *chunk, void *acc, const void *arg)
{
    const float *v = chunk->in[0];
    extrema *e = acc;
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++) {
        take(e, v[i], chunk->first + i);
        e->seen++;
    }
    return 0;
}

static void find_two(void *acc, const void *rhs, const void *arg)
{
    extrema *a = acc;
    const extrema *b = rhs;
    (void)arg;
    if (a->seen == 0) {
        *a = *b;
    } else if (b->seen) {
        take(a, b->least, b->least_at);
        take(a, b->most, b->most_at);
        a->seen += b->seen;
    }
}

TEST(least_and_most_with_their_first_places)
{
    for (size_t i = 0; i < N; i++)
        x[i] = (float)(check_mix(i) % 1000); /* many equal: the first one counts */
    extrema expected = {0};
    const void *in[] = {x};
    find(&(para_chunk){.count = N, .in = in}, &expected, NULL);
    for (size_t p = 0; p < COUNT_OF(pools); p++) {
        extrema found = {0};
        OK(para_preduce(pools[p], &(para_reduce){.kernel = find,
                                                 .combine = find_two,
                                                 .count = N,
                                                 .in = {PARA_IN(x)},
                                                 .result = &found,
                                                 .result_bytes = sizeof found,
                                                 .options.executor = PARA_EXECUTOR_THREADS}));
        assert_true(found.least == expected.least && found.least_at == expected.least_at);
        assert_true(found.most == expected.most && found.most_at == expected.most_at);
        assert_int_equal(found.seen, N);
    }
}

/* ---- An array whose size is known at run time ---------------------------------------- */

static int count(const para_chunk *chunk, void *acc, const void *arg)
{
    uint64_t *bins = acc;
    violations += (uintptr_t)acc % 16 != 0;
    for (size_t i = 0; i < chunk->count; i++)
        bins[check_mix(chunk->first + i) % *(const size_t *)arg]++;
    return 0;
}

static void add_bins(void *acc, const void *rhs, const void *arg)
{
    uint64_t *a = acc;
    const uint64_t *b = rhs;
    for (size_t i = 0; i < *(const size_t *)arg; i++)
        a[i] += b[i];
}

static void histogram(size_t bins, size_t n, size_t block)
{
    uint64_t *expected = calloc(bins, sizeof *expected);
    uint64_t *found = malloc(bins * sizeof *found);
    assert_true(expected && found);
    count(&(para_chunk){.count = n}, expected, &bins);
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (int e = 0; e <= PARA_EXECUTOR_SERIAL; e++) {
            memset(found, 0, bins * sizeof *found);
            found[0] = 17;
            OK(para_preduce(pools[p], &(para_reduce){.kernel = count,
                                                     .combine = add_bins,
                                                     .arg = &bins,
                                                     .count = n,
                                                     .block = block,
                                                     .result = found,
                                                     .result_bytes = bins * sizeof *found,
                                                     .options.executor = (para_executor)e}));
            found[0] -= 17;
            assert_memory_equal(found, expected, bins * sizeof *found);
        }
    free(expected);
    free(found);
}

TEST(histograms_of_any_size)
{
    histogram(1, N, 0);
    histogram(3, N, 1000);
    histogram(1000, N, 0);
    histogram(131072, (size_t)5 * N, 0); /* 1 MiB */
    histogram(131072, 40, 1);
    assert_int_equal(violations, 0);
}

/* ---- Types with an alignment of their own --------------------------------------------- */

typedef int64_t vector32 __attribute__((vector_size(32)));
typedef int64_t vector64 __attribute__((vector_size(64)));
typedef struct aligned32 {
    _Alignas(32) int64_t sums[11];
} aligned32; /* 96 bytes */
typedef struct aligned64 {
    _Alignas(64) int64_t sums[17];
} aligned64; /* 192 bytes */
typedef struct aligned128 {
    _Alignas(128) int64_t sums[1];
} aligned128;
typedef struct aligned16 {
    _Alignas(16) int64_t sums[6];
} aligned16;

/* Sums into each member i of an accumulator of `count` numbers i times an element's number. */
typedef struct sums_arg {
    size_t count, alignment;
} sums_arg;

static void check_place(const void *acc, const sums_arg *arg)
{
    violations += (uintptr_t)acc % arg->alignment != 0;
}

static int add_elements(const para_chunk *chunk, void *acc, const void *arg)
{
    const sums_arg *a = arg;
    check_place(acc, a);
    check_place(chunk->scratch, a);
    for (size_t i = 0; i < chunk->count; i++)
        for (size_t k = 0; k < a->count; k++)
            ((int64_t *)acc)[k] += (int64_t)(k * (chunk->first + i));
    if (chunk->first % 8 == 0)
        sched_yield();
    return 0;
}

static void add_sums(void *acc, const void *rhs, const void *arg)
{
    const sums_arg *a = arg;
    check_place(acc, a);
    check_place(rhs, a);
    for (size_t k = 0; k < a->count; k++)
        ((int64_t *)acc)[k] += ((const int64_t *)rhs)[k];
}

static void sums_of(size_t bytes, size_t alignment, size_t n, size_t block)
{
    const sums_arg arg = {bytes / sizeof(int64_t), alignment};
    _Alignas(128) int64_t found[64];
    static char zeros[sizeof found + 1];
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (int e = 0; e <= PARA_EXECUTOR_SERIAL; e++) {
            memset(found, 0, sizeof found);
            OK(para_preduce(pools[p], &(para_reduce){.kernel = add_elements,
                                                     .combine = add_sums,
                                                     .arg = &arg,
                                                     .count = n,
                                                     .block = block,
                                                     .result = found,
                                                     .result_bytes = bytes,
                                                     .identity = zeros + 1, /* is only copied */
                                                     .scratch_bytes = 1 + 31 * (n % 3),
                                                     .options.executor = (para_executor)e}));
            for (size_t k = 0; k < arg.count; k++)
                assert_int_equal(found[k], k * n * (n - 1) / 2);
        }
}

TEST(accumulators_are_aligned_as_their_type)
{
    static const struct {
        size_t bytes, alignment;
    } types[] = {
        {sizeof(vector32), _Alignof(vector32)},
        {sizeof(vector64), _Alignof(vector64)},
        {sizeof(aligned32), _Alignof(aligned32)},
        {sizeof(aligned64), _Alignof(aligned64)},
        {sizeof(aligned16), _Alignof(aligned16)},
        {2 * sizeof(vector64), _Alignof(vector64)},
        {3 * sizeof(vector32), _Alignof(vector32)},
        {sizeof(aligned128), _Alignof(aligned128)},
        {24, 16}, /* any is at a multiple of 16 */
    };
    for (size_t t = 0; t < COUNT_OF(types); t++)
        for (size_t n = 1; n <= 5000; n = 3 * n + 1)
            for (size_t block = 0; block <= 7; block += 7)
                sums_of(types[t].bytes, types[t].alignment, n, block);
    assert_int_equal(violations, 0);
}

static int add_vectors(const para_chunk *chunk, void *acc, const void *arg)
{
    vector32 *sum = acc;
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        *sum += ((const vector32 *)chunk->in[0])[i];
    return 0;
}

PARA_COMBINE(add_two_vectors, vector32, a, b, a += b)

TEST(vectors)
{
    static vector32 numbers[1000];
    for (int64_t i = 0; i < 1000; i++)
        numbers[i] = (vector32){i, 2 * i, 3 * i, -i};
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (int e = 0; e <= PARA_EXECUTOR_SERIAL; e++) {
            vector32 sum = {0};
            OK(para_preduce(pools[p], &(para_reduce){.kernel = add_vectors,
                                                     .combine = add_two_vectors,
                                                     .count = 1000,
                                                     .in = {PARA_IN(numbers)},
                                                     .result = &sum,
                                                     .result_bytes = sizeof sum,
                                                     .options.executor = (para_executor)e}));
            for (int k = 0; k < 4; k++)
                assert_int_equal(sum[k], (k < 3 ? k + 1 : -1) * 499500);
        }
}

/* ---- Scratch ------------------------------------------------------------------------- */

static int sum_by_scratch(const para_chunk *chunk, void *acc, const void *arg)
{
    const size_t length = *(const size_t *)arg / sizeof(uint64_t);
    uint64_t *mine = chunk->scratch;
    if (!mine || (uintptr_t)mine % 128 != 0) {
        violations++;
        return 0;
    }
    for (size_t i = 0; i < length; i++)
        mine[i] = chunk->first + i;
    sched_yield();
    uint64_t sum = 0;
    for (size_t i = 0; i < length; i++)
        sum += mine[i];
    violations += sum != length * chunk->first + length * (length - 1) / 2;
    *(uint64_t *)acc += sum;
    return 0;
}

PARA_COMBINE(add, uint64_t, s, t, s += t)

TEST(scratch_is_each_participants_own)
{
    static const size_t sizes[] = {8, 64, 1000, 100000};
    for (size_t s = 0; s < COUNT_OF(sizes); s++)
        for (size_t p = 0; p < COUNT_OF(pools); p++) {
            uint64_t found = 0;
            uint64_t expected = 0;
            para_reduce call = {.kernel = sum_by_scratch,
                                .combine = add,
                                .arg = &sizes[s],
                                .count = 500,
                                .block = 3,
                                .result = &found,
                                .result_bytes = sizeof found,
                                .scratch_bytes = sizes[s],
                                .options.executor = PARA_EXECUTOR_THREADS};
            OK(para_preduce(pools[p], &call));
            oracle_reduce(&call, &expected);
            assert_true(found == expected);
        }
    assert_int_equal(violations, 0);
}

TEST(too_much_memory_leaves_the_result)
{
    uint64_t result = 3;
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX / 2, SIZE_MAX / 64, (size_t)1 << 58};
    for (size_t s = 0; s < COUNT_OF(sizes); s++)
        for (size_t p = 0; p < COUNT_OF(pools); p++) {
            FAILS(
                PARA_ERR_MEMORY,
                para_preduce(pools[p], &(para_reduce){.kernel = sum_by_scratch,
                                                      .combine = add,
                                                      .arg = &sizes[s],
                                                      .count = 500,
                                                      .result = &result,
                                                      .result_bytes = sizeof result,
                                                      .scratch_bytes = sizes[s],
                                                      .options.executor = PARA_EXECUTOR_THREADS}));
            const para_status status =
                para_preduce(pools[p], &(para_reduce){.kernel = sum_by_scratch,
                                                      .combine = add,
                                                      .count = 500,
                                                      .result = &result,
                                                      .result_bytes = sizes[s] / 512});
            assert_int_equal(status, PARA_ERR_MEMORY);
            assert_int_equal(result, 3);
        }
}

/* ---- Floating point ------------------------------------------------------------------ */

PARA_REDUCE_KERNEL(sum_floats, float, s, float, v, s += v)
PARA_COMBINE(add_floats, float, s, t, s += t)

/* Takes its time, so that other threads come to take part. */
static int sum_slowly(const para_chunk *chunk, void *acc, const void *arg)
{
    nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
    return sum_floats(chunk, acc, arg);
}

static void same_bits_everywhere(const char *what)
{
    para_reduce call = {.kernel = sum_floats,
                        .combine = add_floats,
                        .count = N,
                        .in = {PARA_IN(x)},
                        .result_bytes = sizeof(float)};
    float expected = 0;
    oracle_reduce(&call, &expected);
    call.kernel = sum_slowly;
    for (size_t p = 0; p < COUNT_OF(pools); p++) {
        float found = 0;
        call.result = &found;
        call.options.executor = PARA_EXECUTOR_THREADS;
        OK(para_preduce(pools[p], &call));
        if (memcmp(&found, &expected, sizeof found) != 0)
            fail_msg("%s on %u workers: %a, expected %a", what, pool_sizes[p], (double)found,
                     (double)expected);
    }
}

TEST(not_a_number_and_infinity)
{
    for (size_t i = 0; i < N; i++)
        x[i] = (float)i;
    x[N / 2] = INFINITY;
    same_bits_everywhere("infinity");
    x[N - 3] = -INFINITY;
    same_bits_everywhere("both infinities");
    x[17] = NAN;
    same_bits_everywhere("not a number");
    for (size_t i = 0; i < N; i++)
        x[i] = -0.0f;
    same_bits_everywhere("negative zeros");
}

PARA_REDUCE_KERNEL(pass_over, float, s, float, v, if (v > s) s = v)
PARA_COMBINE(pass_over_two, float, s, t, if (t > s) s = t)
PARA_REDUCE_KERNEL(keep, float, s, float, v, if (v > s || v != v) s = v)
PARA_COMBINE(keep_two, float, s, t, if (t > s || t != t) s = t)

/* The two forms that the guide has: neither depends on where blocks begin. */
TEST(maxima_with_a_nan)
{
    static const size_t places[] = {0, 1, 63, 64, N / 2, N - 1};
    static const size_t blocks[] = {0, 1, 64, 1000, N};
    const float nothing = -INFINITY;
    for (size_t i = 0; i < N; i++)
        x[i] = -(float)(check_mix(i) % 1000000) - 1;
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        const float before = x[places[i]];
        x[places[i]] = NAN;
        float most = nothing;
        for (size_t k = 0; k < N; k++)
            most = fmaxf(most, x[k]);
        for (size_t b = 0; b < COUNT_OF(blocks); b++)
            for (size_t p = 0; p < COUNT_OF(pools); p++) {
                float found = nothing;
                para_reduce call = {.kernel = pass_over,
                                    .combine = pass_over_two,
                                    .count = N,
                                    .in = {PARA_IN(x)},
                                    .result = &found,
                                    .result_bytes = sizeof found,
                                    .identity = &nothing,
                                    .block = blocks[b],
                                    .options.executor = PARA_EXECUTOR_THREADS};
                OK(para_preduce(pools[p], &call));
                assert_true(found == most);
                call.kernel = keep;
                call.combine = keep_two;
                OK(para_preduce(pools[p], &call));
                assert_true(isnan(found));
            }
        x[places[i]] = before;
    }
}

static float plain_sum(void)
{
    float s = 0;
    const void *in[] = {x};
    sum_floats(&(para_chunk){.count = N, .in = in}, &s, NULL);
    return s;
}

TEST(workers_round_as_the_caller_does)
{
    for (size_t i = 0; i < N; i++)
        x[i] = 1.0f / (float)(3 + i % 1000);
    const float nearest = plain_sum();
    static const int modes[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO, FE_TONEAREST};
    for (size_t m = 0; m < COUNT_OF(modes); m++) {
        assert_int_equal(fesetround(modes[m]), 0);
        const float here = plain_sum();
        same_bits_everywhere("rounding");
        assert_int_equal(fegetround(), modes[m]);
        assert_true((here != nearest) == (modes[m] != FE_TONEAREST));
    }
}

#if defined(__SSE2__)
TEST(workers_flush_to_zero_as_the_caller_does)
{
    for (size_t i = 0; i < N; i++)
        x[i] = 1e-41f * (float)(1 + i % 7);
    const unsigned before = _mm_getcsr();
    const float kept = plain_sum();
    _mm_setcsr(before | 0x8040); /* flush to zero, denormals are zero */
    const float flushed = plain_sum();
    same_bits_everywhere("flush to zero");
    _mm_setcsr(before);
    same_bits_everywhere("no flush to zero");
    assert_true(kept > flushed);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(least_and_most_with_their_first_places),
        cmocka_unit_test(histograms_of_any_size),
        cmocka_unit_test(accumulators_are_aligned_as_their_type),
        cmocka_unit_test(vectors),
        cmocka_unit_test(scratch_is_each_participants_own),
        cmocka_unit_test(too_much_memory_leaves_the_result),
        cmocka_unit_test(not_a_number_and_infinity),
        cmocka_unit_test(maxima_with_a_nan),
        cmocka_unit_test(workers_round_as_the_caller_does),
#if defined(__SSE2__)
        cmocka_unit_test(workers_flush_to_zero_as_the_caller_does),
#endif
    };
    return cmocka_run_group_tests(tests, make_pools, destroy_pools);
}
