/* PARA_SUM, PARA_MIN and the others, and outputs of para_preduce: the bits and the arrays are those
 * of the serial run, with any pool and options. */
#include "../common/child.h"

#include <complex.h>
#include <math.h>
#include <signal.h>
#include <string.h>

static const unsigned pool_sizes[] = {1, 2, 3};
#include "../common/pools.h"

enum { N = 20000 };
static float x[N];
static double y[N];

PARA_SUM(sum, double, i, const float *, v)
{
    return (double)v[i];
}
PARA_SUM(dot, double, i, const float *, u, const double *, v)
{
    return (double)u[i] * v[i];
}
PARA_SUM(turned, double complex, i, const float *, v)
{
    return (double)v[i] * I;
}
PARA_SUM(count, int, i, const float *, v, float, limit)
{
    return v[i] < limit;
}
PARA_MIN(least, float, i, const float *, v)
{
    return v[i];
}
PARA_MAX(greatest, float, i, const float *, v)
{
    return v[i];
}
PARA_MINLOC(first_least, float, i, const float *, v)
{
    return v[i];
}
PARA_MAXLOC(first_greatest, double, i, const double *, v)
{
    return v[i];
}

PARA_SUM(product_sum, double, i, const double *, u, const double *, v)
{
    return u[i] * v[i];
}

static int fill(void **state)
{
    for (size_t i = 0; i < N; i++) {
        x[i] = (float)(check_mix(i) % 1000003) / 997;
        y[i] = 1.0 / (double)(i + 1);
    }
    return make_pools(state);
}

TEST(the_bits_of_the_serial_run)
{
    static const para_options ways[] = {
        {0}, {.executor = PARA_EXECUTOR_THREADS}, {.executor = PARA_EXECUTOR_THREADS, .claim = 1}};
    const para_setup serial = {.options = {.executor = PARA_EXECUTOR_SERIAL}};
    double expected = 0, got = 0;
    OK(para_reduce_with(&serial, &expected, dot, N, x, y));
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (size_t w = 0; w < COUNT_OF(ways); w++) {
            const para_setup setup = {.pool = pools[p], .options = ways[w]};
            OK(para_reduce_with(&setup, &got, dot, N, x, y));
            assert_memory_equal(&got, &expected, sizeof got);
            got = para_reduced_with(&setup, dot, N, x, y);
            assert_memory_equal(&got, &expected, sizeof got);
        }
    got = para_reduced(dot, N, x, y);
    assert_memory_equal(&got, &expected, sizeof got);
    double loop = 0;
    for (size_t i = 0; i < N; i++)
        loop += (double)x[i] * y[i];
    assert_true(fabs(got - loop) < 1e-9 * loop);
}

/* A block has the sums of every fourth product, the rest in the first of them. */
static double sum_of_block(size_t first, size_t end)
{
    double lanes[4] = {0};
    for (; end - first >= 4; first += 4)
        for (size_t k = 0; k < 4; k++)
            lanes[k] += (double)x[first + k] * y[first + k];
    for (; first < end; first++)
        lanes[0] += (double)x[first] * y[first];
    return lanes[0] + lanes[2] + (lanes[1] + lanes[3]);
}

static double sum_of_tree(size_t first, size_t blocks, size_t block, size_t n)
{
    if (blocks == 1)
        return sum_of_block(first, first + block < n ? first + block : n);
    size_t half = 1;
    while (half * 2 < blocks)
        half *= 2;
    return sum_of_tree(first, half, block, n) +
           sum_of_tree(first + half * block, blocks - half, block, n);
}

/* Short blocks, which kernel calls have many of, also where a token has them have fewer. */
TEST(floating_point_sums_are_those_of_the_tree)
{
    static const size_t counts[] = {1, 2, 7, 8, 9, 63, 64, 65, 1000, 1024, 1100, 4096, 7777, N};
    static para_cancel token;
    for (size_t c = 0; c < COUNT_OF(counts); c++)
        for (size_t block = 0; block < 40; block += 13) {
            const size_t n = counts[c], eighth = (n + 7) / 8, leaf = n / 128 / 4 * 4;
            const size_t known = block ? block : leaf >= 8 ? leaf : eighth < 8 ? eighth : 8;
            const double expected = sum_of_tree(0, (n + known - 1) / known, known, n);
            for (size_t p = 0; p < COUNT_OF(pools); p++)
                for (int k = 0; k < 4; k++) {
                    const para_setup setup = {
                        .pool = pools[p],
                        .block = block,
                        .options = {.executor = k / 2 ? PARA_EXECUTOR_THREADS : PARA_EXECUTOR_AUTO,
                                    .cancel = k % 2 ? &token : NULL}};
                    double got = -1;
                    OK(para_reduce_with(&setup, &got, dot, n, x, y));
                    assert_memory_equal(&got, &expected, sizeof got);
                }
        }
}

/* Which of two NaNs a sum is depends on the compiler, and on who adds them: there is but one. */
TEST(all_nans_are_one)
{
    static double v[64], ones[64];
    const double expected = __builtin_nan("");
    for (size_t i = 0; i < COUNT_OF(v); i++)
        v[i] = ones[i] = 1;
    v[3] = -NAN;
    v[40] = INFINITY;
    v[44] = -INFINITY;
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (int e = PARA_EXECUTOR_AUTO; e <= PARA_EXECUTOR_SERIAL; e++)
            for (size_t n = 60; n <= COUNT_OF(v); n++) {
                const para_setup setup = {
                    .pool = pools[p], .options = {.executor = (para_executor)e, .claim = n % 2}};
                double got = 0;
                OK(para_reduce_with(&setup, &got, product_sum, n, v, ones));
                assert_memory_equal(&got, &expected, sizeof got);
            }
}

/* A stated block is a kernel call where the call has a token, to be looked at in between. */
TEST(stated_blocks_are_kept_where_a_token_is)
{
    para_report report;
    static para_cancel token;
    const para_setup setup = {.block = 50,
                              .options = {.executor = PARA_EXECUTOR_SERIAL, .cancel = &token},
                              .report = &report};
    double got;
    float least_one;
    OK(para_reduce_with(&setup, &got, sum, 1000, x));
    assert_int_equal(report.chunks, 20);
    OK(para_reduce_with(&setup, &least_one, least, 1000, x));
    assert_int_equal(report.chunks, 20);
}

/* Dear iterations that are few have as many workers as there are: 128 blocks of 1024 rows. */
TEST(few_values_are_many_units)
{
    para_report report;
    para_pool *const pool = check_pool(40);
    const para_setup setup = {.pool = pool,
                              .options = {.executor = PARA_EXECUTOR_THREADS, .claim = 1},
                              .report = &report};
    double got;
    float least_one;
    OK(para_reduce_with(&setup, &got, sum, 1024, x));
    assert_int_equal(report.width, 40);
    OK(para_reduce_with(&setup, &least_one, least, 1024, x));
    assert_int_equal(report.width, 40);
    para_pool_destroy(pool);
}

TEST(extremes_and_their_places)
{
    size_t low = 0, high = 0;
    for (size_t i = 1; i < N; i++) {
        low = x[i] < x[low] ? i : low;
        high = y[i] > y[high] ? i : high;
    }
    assert_true(para_reduced(least, N, x) == x[low]);
    const first_least_at at = para_reduced(first_least, N, x);
    assert_true(at.value == x[low] && at.index == low);
    assert_int_equal(para_reduced(first_greatest, N, y).index, high);
    int below = 0;
    for (size_t i = 0; i < N; i++)
        below += x[i] < 500;
    assert_int_equal(para_reduced(count, N, x, 500), below);
    assert_true(para_reduced(greatest, N, x) >= x[0]);
}

/* Ties, infinities, NaN and ranges. In blocks of one element each, which a token keeps from being
 * merged, every element is combined. */
TEST(extremes_of_few_values)
{
    const float equal[] = {NAN, INFINITY, INFINITY, NAN};
    const double far[] = {-INFINITY, NAN, -INFINITY};
    const float nothing[] = {NAN, NAN};
    const float tie[] = {3, 1, 2, 1, 1};
    para_cancel keeps_blocks = {0};
    const para_setup setups[] = {{0},
                                 {.block = 1},
                                 {.block = 1, .options.cancel = &keeps_blocks},
                                 {.pool = pools[2], .block = 2}};
    for (size_t s = 0; s < COUNT_OF(setups); s++) {
        first_least_at low = {0, 0};
        first_greatest_at high = {0, 0};
        float value = 0;
        OK(para_reduce_with(&setups[s], &low, first_least, COUNT_OF(equal), equal));
        assert_true(low.index == 1 && low.value > 0 && isinf(low.value));
        OK(para_reduce_with(&setups[s], &high, first_greatest, COUNT_OF(far), far));
        assert_int_equal(high.index, 0);
        OK(para_reduce_with(&setups[s], &low, first_least, COUNT_OF(nothing), nothing));
        assert_true(low.index == SIZE_MAX);
        OK(para_reduce_with(&setups[s], &low, first_least, COUNT_OF(tie), tie));
        assert_true(low.index == 1 && low.value == 1);
        OK(para_reduce_with(&setups[s], &value, least, COUNT_OF(equal), equal));
        assert_true(isinf(value));
    }
    const para_setup rest = {.first = {2}};
    first_least_at low = {0, 0};
    OK(para_reduce_with(&rest, &low, first_least, 3, tie));
    assert_true(low.index == 3 && low.value == 1);
}

/* Each type's last number, where there is nothing to choose from. */
#define LAST_OF(name, type)                             \
    PARA_MIN(name##_least, type, i, const type *, v)    \
    {                                                   \
        return v[i];                                    \
    }                                                   \
    PARA_MAX(name##_greatest, type, i, const type *, v) \
    {                                                   \
        return v[i];                                    \
    }
LAST_OF(bytes, int8_t)
LAST_OF(shorts, uint16_t)
LAST_OF(words, int32_t)
LAST_OF(longs, int64_t)
LAST_OF(counts, uint64_t)
LAST_OF(reals, double)

TEST(extremes_of_nothing)
{
    assert_true(para_reduced(bytes_least, 0, NULL) == INT8_MAX);
    assert_true(para_reduced(bytes_greatest, 0, NULL) == INT8_MIN);
    assert_true(para_reduced(shorts_least, 0, NULL) == UINT16_MAX);
    assert_true(para_reduced(shorts_greatest, 0, NULL) == 0);
    assert_true(para_reduced(words_least, 0, NULL) == INT32_MAX);
    assert_true(para_reduced(words_greatest, 0, NULL) == INT32_MIN);
    assert_true(para_reduced(longs_least, 0, NULL) == INT64_MAX);
    assert_true(para_reduced(longs_greatest, 0, NULL) == INT64_MIN);
    assert_true(para_reduced(counts_least, 0, NULL) == UINT64_MAX);
    assert_true(para_reduced(counts_greatest, 0, NULL) == 0);
    assert_true(para_reduced(reals_least, 0, NULL) == INFINITY);
    assert_true(para_reduced(reals_greatest, 0, NULL) == -INFINITY);
    assert_true(para_reduced(sum, 0, NULL) == 0);
}

/* ---- Any accumulator ------------------------------------------------------------------------- */

typedef struct span {
    size_t first, end, misplaced; /* iterations [first, end), folded in their order */
} span;
static const span nothing = {0, 0, 0};

static span joined(span s, span t)
{
    if (s.end == s.first)
        return t;
    if (t.end == t.first)
        return s;
    return (span){s.first, t.end, s.misplaced + t.misplaced + (s.end != t.first)};
}
PARA_REDUCTION(in_order, span, nothing, s, t, *s = joined(*s, *t), i, size_t, one)
{
    *s = joined(*s, (span){i, i + one, 0});
}

enum { BINS = 100 };
typedef struct bins {
    unsigned in[BINS]; /* too large to be copied for each block */
} bins;
static const bins empty;
static void add_bins(bins *s, const bins *t)
{
    for (int b = 0; b < BINS; b++)
        s->in[b] += t->in[b];
}
PARA_REDUCTION(histogram, bins, empty, s, t, add_bins(s, t), i, const float *, v)
{
    s->in[(size_t)v[i] % BINS]++;
}

TEST(any_accumulator)
{
    bins expected = {{0}};
    for (size_t i = 0; i < N; i++)
        expected.in[(size_t)x[i] % BINS]++;
    for (size_t p = 0; p < COUNT_OF(pools); p++) {
        const para_setup setup = {
            .pool = pools[p], .options.executor = PARA_EXECUTOR_THREADS, .block = 17};
        span s = nothing;
        bins b = empty;
        OK(para_reduce_with(&setup, &s, in_order, N, 1));
        assert_true(s.first == 0 && s.end == N && s.misplaced == 0);
        OK(para_reduce_with(&setup, &b, histogram, N, x));
        assert_memory_equal(&b, &expected, sizeof b);
    }
}

static int span_of(const para_chunk *chunk, void *acc, const void *arg)
{
    span *s = acc;
    (void)arg;
    *s = joined(*s, (span){chunk->first, chunk->first + chunk->count, 0});
    return 0;
}

static void join_spans(void *acc, const void *rhs, const void *arg)
{
    span *s = acc;
    (void)arg;
    *s = joined(*s, *(const span *)rhs);
}

/* Merged blocks stay in order, and all are folded; the last one is shorter. */
TEST(exact_blocks_in_order)
{
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (size_t n = 1; n < 3000; n = n * 2 + 1) {
            span s = nothing;
            const para_reduce call = {.kernel = span_of,
                                      .combine = join_spans,
                                      .count = n,
                                      .result = &s,
                                      .result_bytes = sizeof s,
                                      .block = 17,
                                      .exact = 1,
                                      .options.executor = PARA_EXECUTOR_THREADS};
            OK(para_preduce(pools[p], &call));
            assert_true(s.first == 0 && s.end == n && s.misplaced == 0);
        }
}

typedef struct table {
    double below[3][2], all;
} table;
PARA_SUMS(tabulate, table, double, s, i, const float *, v)
{
    s->all += (double)v[i];
    s->below[i % 3][v[i] < 500] += 1;
}

TEST(many_sums_at_once)
{
    table expected = {{{0}}, 0};
    for (size_t i = 0; i < N; i++)
        expected.below[i % 3][x[i] < 500] += 1;
    OK(para_reduce_to(&expected.all, sum, N, x));
    const table got = para_reduced(tabulate, N, x);
    assert_memory_equal(got.below, expected.below, sizeof got.below);
    assert_true(fabs(got.all - expected.all) < 1e-9 * expected.all);
    for (size_t p = 0; p < COUNT_OF(pools); p++) {
        const para_setup setup = {.pool = pools[p], .options.executor = PARA_EXECUTOR_THREADS};
        table again = {{{0}}, 0};
        OK(para_reduce_with(&setup, &again, tabulate, N, x));
        assert_memory_equal(&again, &got, sizeof got);
    }
}

PARA_SUM_ARRAY(few_counts, short, 4, count, i, const float *, v)
{
    count[(size_t)v[i] % 4]++;
}
PARA_SUM_ARRAY(many_counts, unsigned, BINS, count, i, const float *, v)
{
    count[(size_t)v[i] % BINS]++;
}

/* How many kernel calls a reduction takes that runs alone. */
#define CALLS_ALONE(type, name, token)                                                            \
    do {                                                                                          \
        type result_;                                                                             \
        const para_setup setup_ = {                                                               \
            .options = {.executor = PARA_EXECUTOR_SERIAL, .cancel = (token)}, .report = &report}; \
        OK(para_reduce_with(&setup_, &result_, name, N, x));                                      \
    } while (0)

TEST(exact_ones_take_one_kernel_call)
{
    para_report report;
    para_cancel keeps_blocks = {0};
    CALLS_ALONE(many_counts_sums, many_counts, NULL);
    assert_int_equal(report.chunks, 1);
    CALLS_ALONE(few_counts_sums, few_counts, NULL);
    assert_int_equal(report.chunks, 1);
    CALLS_ALONE(float, least, NULL);
    assert_int_equal(report.chunks, 1);
    CALLS_ALONE(first_least_at, first_least, NULL);
    assert_int_equal(report.chunks, 1);
    const size_t block = para_reduce_block(N, sizeof(many_counts_sums));
    CALLS_ALONE(many_counts_sums, many_counts, &keeps_blocks);
    assert_int_equal(report.chunks, (N - 1) / block + 1);
    CALLS_ALONE(double, sum, NULL); /* not exact, but it folds as the tree does */
    assert_int_equal(report.chunks, 1);
    const size_t complex_block = para_reduce_block(N, sizeof(double complex));
    CALLS_ALONE(double complex, turned, NULL);
    assert_int_equal(report.chunks, (N - 1) / complex_block + 1);
    CALLS_ALONE(double, sum, &keeps_blocks);
    assert_in_range(report.chunks, (N - 1) / para_reduce_block(N, sizeof(double)) + 1, 200);
    CALLS_ALONE(table, tabulate, NULL);
    assert_int_equal(report.chunks, (N - 1) / para_reduce_block(N, sizeof(table)) + 1);
    CALLS_ALONE(bins, histogram, NULL); /* of PARA_REDUCTION nothing is known */
    assert_int_equal(report.chunks, (N - 1) / para_reduce_block(N, sizeof(bins)) + 1);
}

TEST(an_array_of_sums)
{
    few_counts_sums few = {{0}};
    many_counts_sums many = {{0}};
    for (size_t i = 0; i < N; i++) {
        few.sum[(size_t)x[i] % 4]++;
        many.sum[(size_t)x[i] % BINS]++;
    }
    for (size_t p = 0; p < COUNT_OF(pools); p++) {
        const para_setup setup = {.pool = pools[p], .options.executor = PARA_EXECUTOR_THREADS};
        few_counts_sums got_few = {{7}};
        many_counts_sums got_many = {{7}};
        OK(para_reduce_with(&setup, &got_few, few_counts, N, x));
        OK(para_reduce_with(&setup, &got_many, many_counts, N, x));
        assert_memory_equal(&got_few, &few, sizeof few);
        assert_memory_equal(&got_many, &many, sizeof many);
    }
}

static void must_count(size_t count)
{
    double result = 7;
    para_must(para_reduce_to(&result, sum, 0, x));
    para_must(para_reduce_to(&result, sum, count, x));
}

static void count_with_setup(size_t count)
{
    const para_setup setup = {.first = {1}};
    if (para_reduced_with(&setup, sum, 0, x) == 0)
        exit(para_reduced_with(&setup, sum, count, x) == 0);
}

/* Fails in a child, whose standard error is read. */
static void fails_and_says(void (*run)(size_t count), const char *what)
{
    int ends[2];
    char said[300] = "";
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        signal(SIGABRT, SIG_DFL); /* a sanitizer's handler reports */
        alarm(CHILD_SECONDS);
        run((size_t)-1);
        _exit(0);
    }
    close(ends[1]);
    assert_true(read(ends[0], said, sizeof said - 1) > 0);
    close(ends[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_non_null(strstr(said, "reductions.c:"));
    assert_non_null(strstr(said, what));
    assert_non_null(strstr(said, para_status_text(PARA_ERR_OVERFLOW)));
    const char *const end = strchr(said, '\n');
    assert_non_null(end);
    assert_true(UNDER_QEMU || end[1] == '\0'); /* the emulator adds a line of its own */
}

TEST(what_must_succeed_says_why_not)
{
    fails_and_says(must_count, "para_reduce_to(&result, sum, count, x)");
    fails_and_says(count_with_setup, ": sum: ");
}

TEST(a_failure_leaves_the_result)
{
    para_cancel cancel = {0};
    const para_setup setup = {.options.cancel = &cancel};
    double result = 7;
    para_cancel_request(&cancel);
    FAILS(PARA_ERR_CANCELLED, para_reduce_with(&setup, &result, sum, N, x));
    FAILS(PARA_ERR_OVERFLOW, para_reduce_to(&result, sum, (size_t)-1, x));
    FAILS(PARA_ERR_NULL_RESULT, para_reduce_to(NULL, sum, N, x));
    assert_true(result == 7);
}

/* ---- Outputs --------------------------------------------------------------------------------- */

PARA_SUM(halve, double, i, const float *, v, double *, half)
{
    half[i] = (double)v[i] / 2;
    return half[i];
}

/* Two outputs, one of them in place; element FAILING fails. */
enum { FAILING = N / 2 };
static int fill_and_add(const para_chunk *chunk, void *acc, const void *arg)
{
    const float *in = chunk->in[0];
    float *same = chunk->out[0];
    double *doubled = chunk->out[1];
    const bool *fails = arg;
    for (size_t i = 0; i < chunk->count; i++) {
        if (*fails && chunk->first + i == FAILING)
            return 5;
        *(double *)acc += (double)in[i];
        doubled[i] = 2 * (double)in[i];
        same[i] = in[i] + 1;
    }
    return 0;
}
PARA_COMBINE(add, double, s, t, s += t)

TEST(one_pass_fills_and_sums)
{
    static double half[N], doubled[N];
    static float z[N];
    double expected = 0;
    OK(para_reduce_to(&expected, sum, N, x));
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (int fails = 0; fails < 2; fails++) {
            const bool failing = fails;
            double total = 0;
            para_report report;
            memcpy(z, x, sizeof z);
            memset(half, 0, sizeof half);
            memset(doubled, 0, sizeof doubled);
            const para_setup setup = {.pool = pools[p], .options.executor = PARA_EXECUTOR_THREADS};
            OK(para_reduce_with(&setup, &total, halve, N, x, half));
            assert_true(total * 2 == expected);
            total = 0;
            const para_status status =
                para_preduce(pools[p], &(para_reduce){.kernel = fill_and_add,
                                                      .combine = add,
                                                      .arg = &failing,
                                                      .count = N,
                                                      .in = {PARA_IN(z)},
                                                      .out = {PARA_OUT(z), PARA_OUT(doubled)},
                                                      .result = &total,
                                                      .result_bytes = sizeof total,
                                                      .options.executor = PARA_EXECUTOR_THREADS,
                                                      .report = &report});
            FAILS(fails ? PARA_ERR_KERNEL : PARA_OK, status);
            assert_true(total == (fails ? 0 : expected));
            const size_t end = fails ? report.failed_first : N;
            assert_true(end + report.failed_count > FAILING || !fails);
            for (size_t i = 0; i < end; i++) {
                assert_true(half[i] * 2 == (double)x[i] && doubled[i] == 2 * (double)x[i]);
                assert_true(z[i] == x[i] + 1);
            }
        }
}

TEST(outputs_that_overlap)
{
    static double a[N + 1];
    const bool failing = false;
    para_reduce call = {.kernel = fill_and_add,
                        .combine = add,
                        .arg = &failing,
                        .count = N,
                        .in = {PARA_IN(x)},
                        .out = {PARA_OUT(a), PARA_OUT(a + 1)},
                        .result = &y[0],
                        .result_bytes = sizeof y[0]};
    FAILS(PARA_ERR_OVERLAP, para_preduce(NULL, &call));
    call.out[1] = PARA_OUT(y); /* the result is the first of them */
    FAILS(PARA_ERR_OVERLAP, para_preduce(NULL, &call));
    call.result = &y[N - 1];
    FAILS(PARA_ERR_OVERLAP, para_preduce(NULL, &call));
    call.count = N - 1;
    call.out[1].element_bytes = 0;
    FAILS(PARA_ERR_ELEMENT_SIZE, para_preduce(NULL, &call));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bits_of_the_serial_run),
        cmocka_unit_test(floating_point_sums_are_those_of_the_tree),
        cmocka_unit_test(all_nans_are_one),
        cmocka_unit_test(stated_blocks_are_kept_where_a_token_is),
        cmocka_unit_test(few_values_are_many_units),
        cmocka_unit_test(extremes_and_their_places),
        cmocka_unit_test(extremes_of_few_values),
        cmocka_unit_test(extremes_of_nothing),
        cmocka_unit_test(any_accumulator),
        cmocka_unit_test(many_sums_at_once),
        cmocka_unit_test(an_array_of_sums),
        cmocka_unit_test(exact_ones_take_one_kernel_call),
        cmocka_unit_test(exact_blocks_in_order),
        cmocka_unit_test(what_must_succeed_says_why_not),
        cmocka_unit_test(a_failure_leaves_the_result),
        cmocka_unit_test(one_pass_fills_and_sums),
        cmocka_unit_test(outputs_that_overlap),
    };
    return cmocka_run_group_tests(tests, fill, destroy_pools);
}
