/* Each built-in kernel against its scalar oracle, on the sizes around its lanes and on values of
 * all kinds. The seed is fixed: the same values everywhere. */
#include "kernels/kernels.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const size_t sizes[] = {1, 2, 15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65, 1000, 100003};
#define SIZE_COUNT (sizeof sizes / sizeof sizes[0])
#define SIZE_MOST  100003

static const size_t type_bytes[PARA_DTYPE_COUNT] = {sizeof(float), sizeof(double)};

static uint64_t random_bits(void)
{
    static uint64_t state = 88172645463325252; /* xorshift64, Marsaglia 2003 */
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Either sign, magnitude 2^-most to 2^most. */
static double random_value(int most)
{
    const double fraction = 1 + (double)(random_bits() >> 12) * 0x1p-52;
    const int exponent = (int)(random_bits() % (2 * (uint64_t)most)) - most;
    return ldexp(random_bits() & 1 ? fraction : -fraction, exponent);
}

static double get(const void *array, para_dtype type, size_t i)
{
    return type == PARA_FLOAT32 ? (double)((const float *)array)[i] : ((const double *)array)[i];
}

static void set(void *array, para_dtype type, size_t i, double value)
{
    if (type == PARA_FLOAT32)
        ((float *)array)[i] = (float)value;
    else
        ((double *)array)[i] = value;
}

/* Equal bits, but for NaN, of which one is as good as another. */
static bool same(double a, double b)
{
    return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof a) == 0;
}

/* The distance to the next larger number of the type. */
static double ulp(double value, para_dtype type)
{
    const float single = fabsf((float)value);
    if (type == PARA_FLOAT32)
        return (double)nextafterf(single, INFINITY) - (double)single;
    return nextafter(fabs(value), INFINITY) - fabs(value);
}

static const double special[] = {0.0,    -0.0,      1.0,       -1.0,     INFINITY,  -INFINITY,
                                 NAN,    0x1p-149,  -0x1p-149, 0x1p-126, 0x1p-1074, 0x1p-1022,
                                 0x1p52, 0x1p-1000, 1e30,      0x1p127,  0x1p1023,  -0x1p1023};

/* An array that begins one element past an alignment border, as a chunk may. */
static void *make(para_dtype type, size_t count, int most, bool specials)
{
    char *memory = malloc((count + 2) * type_bytes[type]);
    assert_non_null(memory);
    char *array = memory + type_bytes[type];
    for (size_t i = 0; i < count; i++)
        set(array, type, i,
            specials && random_bits() % 4 == 0
                ? special[random_bits() % (sizeof special / sizeof *special)]
                : random_value(most));
    return array;
}

static void drop(void *array, para_dtype type)
{
    free((char *)array - type_bytes[type]);
}

/* Calls a map kernel in pieces that end at random places. */
static void map_in_pieces(para_map_fn *map, para_dtype type, const char *const in[2], char *out,
                          size_t count, const para_builtin_arg *arg)
{
    const size_t bytes = type_bytes[type];
    for (size_t first = 0, length; first < count; first += length) {
        length = 1 + (size_t)(random_bits() % (count - first));
        const void *piece_in[2] = {in[0] + first * arg->row * bytes,
                                   in[1] + first * arg->row * bytes};
        void *piece_out[1] = {out + first * bytes};
        const para_chunk chunk = {
            .first = first, .count = length, .in = piece_in, .out = piece_out};
        assert_int_equal(map(&chunk, arg), 0);
    }
}

static void check_map_value(const para_builtin *kernel, para_dtype type, double value,
                            long double expected)
{
    if (strcmp(kernel->name, "exp") != 0) {
        assert_true(same(value, (double)expected));
        return;
    }
    const double rounded = type == PARA_FLOAT32 ? (double)(float)expected : (double)expected;
    if (!isfinite(rounded) || !isfinite(value))
        assert_true(same(value, rounded));
    else
        assert_true(fabsl(value - expected) < (long double)ulp(rounded, type));
}

static void maps_agree_with_their_oracles(void **state)
{
    (void)state;
    const para_builtin_arg arg = {.a = 1.1, .row = 1};
    const para_builtin *kernel;
    for (size_t k = 0; (kernel = para_builtin_at(k)) != NULL; k++) {
        for (unsigned t = 0; t < PARA_DTYPE_COUNT && !kernel->reduces && !kernel->rows; t++) {
            const para_dtype type = (para_dtype)t;
            const int most = strcmp(kernel->name, "exp") == 0 ? 9
                             : type == PARA_FLOAT32           ? 120
                                                              : 1000;
            for (size_t s = 0; s < SIZE_COUNT; s++) {
                const size_t n = sizes[s];
                char *x = make(type, n, most, true);
                char *y = make(type, n, most, true);
                char *z = make(type, n + 1, most, false);
                set(z, type, n, 42);
                map_in_pieces(kernel->code[type].map, type, (const char *const[]){x, y}, z, n,
                              &arg);
                assert_true(get(z, type, n) == 42); /* the element after the last */
                for (size_t i = 0; i < n; i++) {
                    const void *in[2] = {x + i * type_bytes[t], y + i * type_bytes[t]};
                    check_map_value(kernel, type, get(z, type, i),
                                    kernel->code[t].oracle(in, 1, &arg));
                }
                map_in_pieces(kernel->code[type].map, type, (const char *const[]){x, y}, x, n,
                              &arg); /* in place */
                for (size_t i = 0; i < n; i++)
                    assert_true(same(get(x, type, i), get(z, type, i)));
                drop(x, type);
                drop(y, type);
                drop(z, type);
            }
        }
    }
}

/* Stores past the caches change how fast a kernel is, and not a bit; wherever its lines begin. */
static void streamed_maps_agree_with_plain_ones(void **state)
{
    (void)state;
    const para_builtin_arg arg = {.a = 1.1, .row = 1};
    const para_builtin *kernel;
    size_t tried = 0;
    for (size_t k = 0; (kernel = para_builtin_at(k)) != NULL; k++) {
        for (unsigned t = 0; t < PARA_DTYPE_COUNT && kernel->code[t].streamed; t++) {
            const para_dtype type = (para_dtype)t;
            for (size_t s = 0; s < SIZE_COUNT; s++) {
                const size_t n = sizes[s];
                char *x = make(type, n, 100, true);
                char *y = make(type, n, 100, true);
                char *z = make(type, n + 1, 100, false);
                char *expected = make(type, n + 1, 100, false);
                set(z, type, n, 42);
                map_in_pieces(kernel->code[t].map, type, (const char *const[]){x, y}, expected, n,
                              &arg);
                map_in_pieces(kernel->code[t].streamed, type, (const char *const[]){x, y}, z, n,
                              &arg);
                assert_memory_equal(z, expected, n * type_bytes[t]);
                assert_true(get(z, type, n) == 42); /* the element after the last */
                drop(x, type);
                drop(y, type);
                drop(z, type);
                drop(expected, type);
                tried++;
            }
        }
    }
    assert_int_equal(tried,
                     (size_t)3 * PARA_DTYPE_COUNT * SIZE_COUNT); /* copy, scale and axpy have one */
}

static void row_norm_is_within_its_bound(void **state)
{
    (void)state;
    static const size_t rows[] = {1, 2, 3, 15, 16, 17, 31, 64, 100, 1000};
    const para_builtin *kernel = para_builtin_find("row-norm");
    for (unsigned t = 0; t < PARA_DTYPE_COUNT; t++) {
        const para_dtype type = (para_dtype)t;
        for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
            const size_t count = 50;
            const para_builtin_arg arg = {.row = rows[r]};
            char *x = make(type, count * rows[r], 60, false);
            char *z = make(type, count, 1, false);
            map_in_pieces(kernel->code[type].map, type, (const char *const[]){x, x}, z, count,
                          &arg);
            for (size_t i = 0; i < count; i++) {
                const void *in[1] = {x + i * rows[r] * type_bytes[t]};
                const long double expected = kernel->code[t].oracle(in, rows[r], &arg);
                const size_t roundings = (rows[r] + 15) / 16 + 7;
                const double factor = (double)roundings / 2 * 0x1p-53;
                const double bound = factor * (double)expected + 0.5 * ulp((double)expected, type);
                assert_true(fabsl(get(z, type, i) - expected) <= bound);
            }
            drop(x, type);
            drop(z, type);
        }
    }
}

/* The value of a reduction made in one block. */
static double fold(const para_builtin *kernel, para_dtype type, const void *x, const void *y,
                   size_t n)
{
    const para_builtin_code *code = &kernel->code[type];
    const void *in[2] = {x, y};
    const para_chunk chunk = {.count = n, .in = in};
    double part = 0;
    double result = 0;
    memcpy(&part, code->identity, code->acc_bytes);
    memcpy(&result, code->identity, code->acc_bytes);
    assert_int_equal(code->reduce(&chunk, &part, NULL), 0);
    code->combine(&result, &part, NULL);
    return code->finish(&result, n);
}

static double sum_of_magnitudes(const para_builtin *kernel, para_dtype type, const void *x,
                                const void *y, size_t n)
{
    double total = 0;
    for (size_t i = 0; i < n; i++)
        total += fabs(get(x, type, i) * (kernel->inputs == 2 ? get(y, type, i) : 1));
    return kernel->needs_elements ? total / (double)n : total;
}

static void sums_are_within_their_bounds(void **state)
{
    (void)state;
    static const char *const names[] = {"sum", "dot", "mean"};
    for (size_t k = 0; k < 3; k++) {
        const para_builtin *kernel = para_builtin_find(names[k]);
        for (unsigned t = 0; t < PARA_DTYPE_COUNT; t++) {
            const para_dtype type = (para_dtype)t;
            for (size_t s = 0; s < SIZE_COUNT; s++) {
                const size_t n = sizes[s];
                char *x = make(type, n, 40, false);
                char *y = make(type, n, 40, false);
                for (size_t i = 0; i + 1 < n && s % 2; i += 2) /* cancellation */
                    set(x, type, i + 1, -get(x, type, i));
                const void *in[2] = {x, y};
                const long double expected = kernel->code[t].oracle(in, n, NULL);
                const size_t roundings = (n + 15) / 16 + 4 + 1;
                const double bound =
                    (double)roundings * 0x1p-53 * 1.001 * sum_of_magnitudes(kernel, type, x, y, n);
                assert_true(fabsl(fold(kernel, type, x, y, n) - expected) <= bound);
                drop(x, type);
                drop(y, type);
            }
        }
    }
}

static void a_sum_adds_in_double(void **state)
{
    (void)state;
    const float x[3] = {0x1p24F, 1.0F, -0x1p24F};
    const float largest[2] = {3.4028234e38F, 3.4028234e38F};
    assert_true(fold(para_builtin_find("sum"), PARA_FLOAT32, x, NULL, 3) == 1.0);
    assert_true(isfinite(fold(para_builtin_find("dot"), PARA_FLOAT32, largest, largest, 2)));
}

static void sums_follow_ieee_754(void **state)
{
    (void)state;
    const para_builtin *sum = para_builtin_find("sum");
    double x[40] = {0};
    x[3] = INFINITY;
    assert_true(fold(sum, PARA_FLOAT64, x, NULL, 40) == INFINITY);
    x[17] = -INFINITY;
    assert_true(isnan(fold(sum, PARA_FLOAT64, x, NULL, 40)));
    const double zeros[2] = {-0.0, -0.0};
    assert_true(same(fold(sum, PARA_FLOAT64, zeros, NULL, 2), 0.0));
}

static void extrema_agree_with_their_oracles(void **state)
{
    (void)state;
    static const char *const names[] = {"min", "max"};
    for (size_t k = 0; k < 2; k++) {
        const para_builtin *kernel = para_builtin_find(names[k]);
        for (unsigned t = 0; t < PARA_DTYPE_COUNT; t++) {
            for (size_t s = 0; s < SIZE_COUNT; s++) {
                for (int specials = 0; specials < 2; specials++) {
                    void *x = make((para_dtype)t, sizes[s], t ? 1000 : 120, specials);
                    const void *in[1] = {x};
                    const double value = fold(kernel, (para_dtype)t, x, NULL, sizes[s]);
                    assert_true(same(value, (double)kernel->code[t].oracle(in, sizes[s], NULL)));
                    drop(x, (para_dtype)t);
                }
            }
        }
    }
}

/* One odd element at every place among 70 equal ones, and the same through combine. */
static void check_odd_one(const char *name, double odd, double others, double expected)
{
    const para_builtin *kernel = para_builtin_find(name);
    for (unsigned t = 0; t < PARA_DTYPE_COUNT; t++) {
        const para_dtype type = (para_dtype)t;
        const para_builtin_code *code = &kernel->code[t];
        double memory[70];
        double a = 0;
        double b = 0;
        for (size_t place = 0; place < 70; place++) {
            for (size_t i = 0; i < 70; i++)
                set(memory, type, i, i == place ? odd : others);
            assert_true(same(fold(kernel, type, memory, NULL, 70), expected));
        }
        set(&a, type, 0, odd);
        set(&b, type, 0, others);
        code->combine(&a, &b, NULL);
        assert_true(same(code->finish(&a, 2), expected));
        set(&a, type, 0, odd);
        code->combine(&b, &a, NULL);
        assert_true(same(code->finish(&b, 2), expected));
    }
}

static void extrema_tell_zeros_apart(void **state)
{
    (void)state;
    check_odd_one("min", -0.0, 0.0, -0.0);
    check_odd_one("min", 0.0, -0.0, -0.0);
    check_odd_one("min", -0.0, 1.0, -0.0);
    check_odd_one("min", 0.0, 1.0, 0.0);
    check_odd_one("max", -0.0, 0.0, 0.0);
    check_odd_one("max", 0.0, -0.0, 0.0);
    check_odd_one("max", 0.0, -1.0, 0.0);
    check_odd_one("max", -0.0, -1.0, -0.0);
}

static void a_nan_anywhere_is_the_extremum(void **state)
{
    (void)state;
    check_odd_one("min", NAN, 1.0, NAN);
    check_odd_one("max", NAN, INFINITY, NAN);
    check_odd_one("min", 1.0, NAN, NAN);
    /* Always the same NaN, whatever its sign and payload were. */
    const double quiet = NAN;
    const uint64_t odd_bits = 0xfff8000000000123;
    double odd;
    memcpy(&odd, &odd_bits, sizeof odd);
    const double value = fold(para_builtin_find("min"), PARA_FLOAT64, &odd, NULL, 1);
    assert_memory_equal(&value, &quiet, sizeof quiet);
}

static void extrema_of_infinities_are_infinite(void **state)
{
    (void)state;
    check_odd_one("min", INFINITY, INFINITY, INFINITY);
    check_odd_one("max", -INFINITY, -INFINITY, -INFINITY);
}

static void the_table_is_complete(void **state)
{
    (void)state;
    const para_builtin *kernel;
    size_t count = 0;
    for (; (kernel = para_builtin_at(count)) != NULL; count++) {
        assert_ptr_equal(para_builtin_find(kernel->name), kernel); /* so names are unique too */
        assert_non_null(kernel->formula);
        assert_in_range(kernel->inputs, 1, PARA_IN_MAX);
        for (unsigned t = 0; t < PARA_DTYPE_COUNT; t++) {
            const para_builtin_code *code = &kernel->code[t];
            assert_non_null(code->oracle);
            assert_true(kernel->reduces
                            ? code->reduce && code->combine && code->identity && code->finish
                            : code->map != NULL);
            assert_true(code->acc_bytes <= sizeof(double));
        }
    }
    assert_int_equal(count, 12);
    assert_null(para_builtin_find("su"));
    assert_null(para_builtin_find(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_complete),
        cmocka_unit_test(maps_agree_with_their_oracles),
        cmocka_unit_test(streamed_maps_agree_with_plain_ones),
        cmocka_unit_test(row_norm_is_within_its_bound),
        cmocka_unit_test(sums_are_within_their_bounds),
        cmocka_unit_test(a_sum_adds_in_double),
        cmocka_unit_test(sums_follow_ieee_754),
        cmocka_unit_test(extrema_agree_with_their_oracles),
        cmocka_unit_test(extrema_tell_zeros_apart),
        cmocka_unit_test(a_nan_anywhere_is_the_extremum),
        cmocka_unit_test(extrema_of_infinities_are_infinite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
