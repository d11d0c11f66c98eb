/* Sums: sum, dot, mean. Added up in double for both element types, in a fixed number of lanes. */
#include "kernels/families.h"
#include "kernels/simd.h"

#include <math.h>

static void add(void *acc, const void *rhs, const void *arg)
{
    (void)arg;
    *(double *)acc += *(const double *)rhs;
}

static double finish_sum(const void *acc, size_t count)
{
    (void)count;
    return *(const double *)acc;
}

static double finish_mean(const void *acc, size_t count)
{
    return *(const double *)acc / (double)count;
}

static const double zero = 0.0;

/* Neumaier's sum: next to exact in long double, and independent of how the kernel adds. */
static void add_exactly(long double *sum, long double *lost, long double term)
{
    const long double total = *sum + term;
    const bool sum_is_larger = fabsl(*sum) >= fabsl(term);
    const long double larger = sum_is_larger ? *sum : term;
    const long double smaller = sum_is_larger ? term : *sum;
    if (isfinite(total)) /* infinities and NaN lose nothing */
        *lost += (larger - total) + smaller;
    *sum = total;
}

#define SUM(name, T, inputs, term, oracle_term)                           \
    static int name(const para_chunk *chunk, void *acc, const void *arg)  \
    {                                                                     \
        (void)arg;                                                        \
        const T *x = chunk->in[0];                                        \
        const T *y = chunk->in[(inputs)-1];                               \
        const size_t n = chunk->count;                                    \
        (void)y;                                                          \
        PARA__SIMD_SUM(total, i, n, term);                                \
        *(double *)acc += total;                                          \
        return 0;                                                         \
    }                                                                     \
    static long double name##_oracle(const void *const *in, size_t count, \
                                     const para_builtin_arg *arg)         \
    {                                                                     \
        (void)arg;                                                        \
        const T *x = in[0];                                               \
        const T *y = in[(inputs)-1];                                      \
        long double sum = 0;                                              \
        long double lost = 0;                                             \
        (void)y;                                                          \
        for (size_t i = 0; i < count; i++)                                \
            add_exactly(&sum, &lost, oracle_term);                        \
        return sum + lost;                                                \
    }
#define MEAN_ORACLE(name)                                                      \
    static long double name##_mean_oracle(const void *const *in, size_t count, \
                                          const para_builtin_arg *arg)         \
    {                                                                          \
        return name##_oracle(in, count, arg) / (long double)count;             \
    }

SUM(sum_f32, float, 1, (double)x[i], x[i])
SUM(sum_f64, double, 1, x[i], x[i])
SUM(dot_f32, float, 2, (double)x[i] * (double)y[i], (long double)x[i] * y[i])
SUM(dot_f64, double, 2, x[i] * y[i], (long double)x[i] * y[i])
MEAN_ORACLE(sum_f32)
MEAN_ORACLE(sum_f64)

#define CODE(kernel, last, expected)                                                      \
    {                                                                                     \
        .reduce = kernel, .combine = add, .acc_bytes = sizeof(double), .identity = &zero, \
        .finish = last, .oracle = expected                                                \
    }

const para_builtin para__sum = {
    .name = "sum",
    .formula = "sum of x",
    .inputs = 1,
    .reduces = true,
    .code = {CODE(sum_f32, finish_sum, sum_f32_oracle), CODE(sum_f64, finish_sum, sum_f64_oracle)}};
const para_builtin para__dot = {
    .name = "dot",
    .formula = "sum of x * y",
    .inputs = 2,
    .reduces = true,
    .code = {CODE(dot_f32, finish_sum, dot_f32_oracle), CODE(dot_f64, finish_sum, dot_f64_oracle)}};
const para_builtin para__mean = {.name = "mean",
                                 .formula = "sum of x / number of elements",
                                 .inputs = 1,
                                 .reduces = true,
                                 .needs_elements = true,
                                 .code = {CODE(sum_f32, finish_mean, sum_f32_mean_oracle),
                                          CODE(sum_f64, finish_mean, sum_f64_mean_oracle)}};

/* Error: with u = 2^-53, b elements in a block (para_reduce_block) and m blocks, the sum is off by
 * at most k * u / (1 - k * u) times the sum of |x|, where k = ceil(b / 16) + 4 + ceil(log2(m)); dot
 * likewise with |x * y|, and for float64 k is one larger, since a product of two float32 is exact
 * in double; mean likewise with |x| / n and k one larger. The largest finite float32 sums do not
 * overflow. The sum of no elements is 0, and a sum of negative zeros is +0. Infinities and NaN
 * follow IEEE 754.
 * Tested: against Neumaier's sum in long double and against math.fsum, on values of both signs with
 * magnitudes from 2^-40 to 2^40 and with cancellation; 1 to 300007 elements, around each multiple
 * of the lanes. */
