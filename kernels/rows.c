/* One number from each row of a matrix: row-norm. */
#include "kernels/families.h"
#include "kernels/simd.h"

#include <math.h>

#define ROW_NORM(name, T)                                                 \
    static int name(const para_chunk *chunk, const void *arg)             \
    {                                                                     \
        const size_t row = ((const para_builtin_arg *)arg)->row;          \
        const T *x = chunk->in[0];                                        \
        T *z = chunk->out[0];                                             \
        for (size_t r = 0; r < chunk->count; r++, x += row) {             \
            PARA__SIMD_SUM(squares, i, row, (double)x[i] * (double)x[i]); \
            z[r] = (T)sqrt(squares);                                      \
        }                                                                 \
        return 0;                                                         \
    }                                                                     \
    static long double name##_oracle(const void *const *in, size_t count, \
                                     const para_builtin_arg *arg)         \
    {                                                                     \
        (void)arg;                                                        \
        const T *x = in[0];                                               \
        long double squares = 0;                                          \
        for (size_t i = 0; i < count; i++)                                \
            squares += (long double)x[i] * x[i];                          \
        return sqrtl(squares);                                            \
    }

ROW_NORM(row_norm_f32, float)
ROW_NORM(row_norm_f64, double)

const para_builtin para__row_norm = {
    .name = "row-norm",
    .formula = "z = square root of the sum of x * x over a row",
    .inputs = 1,
    .rows = true,
    .code = {{.map = row_norm_f32, .oracle = row_norm_f32_oracle},
             {.map = row_norm_f64, .oracle = row_norm_f64_oracle}}};

/* Error: squares are added in double, in 16 lanes. With u = 2^-53 and k elements in a row, the
 * result before its last rounding is off by at most a factor 1 + (ceil(k / 16) + 7) / 2 * u. So
 * float32 results are within 0.51 ulp for rows up to 10^7 elements. float32 neither overflows nor
 * loses small elements; float64 overflows and underflows where x * x does, as in NumPy. Rows with a
 * NaN give NaN.
 * Tested: rows of 1 to 1000 elements, magnitudes 2^-60 to 2^60, against a sum in long double and
 * against NumPy in float64. */
