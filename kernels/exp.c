/* The exponential function. libm's, element by element: it is within 1 ulp everywhere, and an
 * element has the same bits wherever it stands. Vectorised variants (libmvec) were rejected: they
 * are only within 4 ulp, and treat the last elements of a loop differently. */
#include "kernels/families.h"

#include <math.h>

#define EXP(name, T, exp_of)                                              \
    static int name(const para_chunk *chunk, const void *arg)             \
    {                                                                     \
        (void)arg;                                                        \
        const T *x = chunk->in[0];                                        \
        T *z = chunk->out[0];                                             \
        for (size_t i = 0, n = chunk->count; i < n; i++)                  \
            z[i] = exp_of(x[i]);                                          \
        return 0;                                                         \
    }                                                                     \
    static long double name##_oracle(const void *const *in, size_t count, \
                                     const para_builtin_arg *arg)         \
    {                                                                     \
        (void)count;                                                      \
        (void)arg;                                                        \
        return expl(*(const T *)in[0]);                                   \
    }

EXP(exp_f32, float, expf)
EXP(exp_f64, double, exp)

const para_builtin para__exp = {.name = "exp",
                                .formula = "z = e to the power x",
                                .inputs = 1,
                                .code = {{.map = exp_f32, .oracle = exp_f32_oracle},
                                         {.map = exp_f64, .oracle = exp_f64_oracle}}};

/* Error: below 1 ulp (glibc states 0.502 ulp for expf and 0.511 ulp for exp). Overflow gives
 * infinity, underflow subnormals and then 0, exp(-inf) = 0, exp(NaN) = NaN. The bits are those of
 * the C library that is loaded, which may choose its code by the processor; they are the same for
 * any number of workers and any chunk.
 * Tested: against expl, and against NumPy in long double, on [-110, 95] (float32) and [-750, 715]
 * (float64), which reach past underflow and overflow, and on zeros, infinities and NaN. */
