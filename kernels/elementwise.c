/* One number from the numbers at the same place: copy, scale, axpy, square, sqrt. */
#include "kernels/families.h"
#include "kernels/stream.h"

#include <math.h>
#include <stdint.h>

/* A kernel and its oracle from one expression in x, y and a. The parameter is read once, before the
 * loop: the compiler cannot know that an output does not overwrite it. */
#define ELEMENTWISE(name, T, inputs, ...)                                            \
    static inline T name##_one(T x, T y, T a)                                        \
    {                                                                                \
        (void)y;                                                                     \
        (void)a;                                                                     \
        return (__VA_ARGS__);                                                        \
    }                                                                                \
    static int name(const para_chunk *chunk, const void *arg)                        \
    {                                                                                \
        const T a = (T)((const para_builtin_arg *)arg)->a;                           \
        const T *x = chunk->in[0];                                                   \
        const T *y = chunk->in[(inputs)-1];                                          \
        T *z = chunk->out[0];                                                        \
        for (size_t i = 0, n = chunk->count; i < n; i++)                             \
            z[i] = name##_one(x[i], y[i], a);                                        \
        return 0;                                                                    \
    }                                                                                \
    static long double name##_oracle(const void *const *in, size_t count,            \
                                     const para_builtin_arg *arg)                    \
    {                                                                                \
        (void)count;                                                                 \
        return name##_one(*(const T *)in[0], *(const T *)in[(inputs)-1], (T)arg->a); \
    }
#define BOTH(name, inputs, expr32, expr64)         \
    ELEMENTWISE(name##_f32, float, inputs, expr32) \
    ELEMENTWISE(name##_f64, double, inputs, expr64)

/* The same kernel with stores past the caches: whole lines of the output at a time, and what comes
 * before the first and after the last of them as usual. */
#define STREAMED(name, T, inputs)                                          \
    static int name##_streamed(const para_chunk *chunk, const void *arg)   \
    {                                                                      \
        enum { LINE = PARA__STREAM_BYTES / sizeof(T) };                    \
        const T a = (T)((const para_builtin_arg *)arg)->a;                 \
        const T *x = chunk->in[0];                                         \
        const T *y = chunk->in[(inputs)-1];                                \
        T *z = chunk->out[0];                                              \
        const size_t n = chunk->count;                                     \
        size_t i = 0;                                                      \
        for (; i < n && (uintptr_t)(z + i) % PARA__STREAM_BYTES != 0; i++) \
            z[i] = name##_one(x[i], y[i], a);                              \
        for (; n - i >= LINE; i += LINE) {                                 \
            T line[LINE];                                                  \
            for (size_t k = 0; k < LINE; k++)                              \
                line[k] = name##_one(x[i + k], y[i + k], a);               \
            para__stream_line(z + i, line);                                \
        }                                                                  \
        for (; i < n; i++)                                                 \
            z[i] = name##_one(x[i], y[i], a);                              \
        para__stream_end();                                                \
        return 0;                                                          \
    }
#define BOTH_STREAMED(name, inputs)     \
    STREAMED(name##_f32, float, inputs) \
    STREAMED(name##_f64, double, inputs)
#define PLAIN_CODE(name)                     \
    {                                        \
        .map = name, .oracle = name##_oracle \
    }
#define STREAMED_CODE(name)                                               \
    {                                                                     \
        .map = name, .streamed = name##_streamed, .oracle = name##_oracle \
    }

BOTH(copy, 1, x, x)
BOTH(scale, 1, (a * x), (a * x))
BOTH(axpy, 2, (a * x) + y, (a * x) + y)
BOTH(square, 1, (x * x), (x * x))
BOTH(square_root, 1, sqrtf(x), sqrt(x))
BOTH_STREAMED(copy, 1)
BOTH_STREAMED(scale, 1)
BOTH_STREAMED(axpy, 2)

const para_builtin para__copy = {.name = "copy",
                                 .formula = "z = x",
                                 .inputs = 1,
                                 .code = {STREAMED_CODE(copy_f32), STREAMED_CODE(copy_f64)}};
const para_builtin para__scale = {.name = "scale",
                                  .formula = "z = a * x",
                                  .parameter = "a",
                                  .inputs = 1,
                                  .code = {STREAMED_CODE(scale_f32), STREAMED_CODE(scale_f64)}};
const para_builtin para__axpy = {.name = "axpy",
                                 .formula = "z = a * x + y",
                                 .parameter = "a",
                                 .inputs = 2,
                                 .code = {STREAMED_CODE(axpy_f32), STREAMED_CODE(axpy_f64)}};
const para_builtin para__square = {.name = "square",
                                   .formula = "z = x * x",
                                   .inputs = 1,
                                   .code = {PLAIN_CODE(square_f32), PLAIN_CODE(square_f64)}};
const para_builtin para__sqrt = {
    .name = "sqrt",
    .formula = "z = square root of x",
    .inputs = 1,
    .code = {PLAIN_CODE(square_root_f32), PLAIN_CODE(square_root_f64)}};

/* Error: each operation is rounded once, to nearest, and nothing is fused: the bits are those of
 * NumPy's a * x + y, with a rounded to the element type first. Subnormals, infinities and NaN
 * follow IEEE 754; the sign and payload of a NaN are not defined.
 * Tested: bit by bit against the oracle and against NumPy on values of all magnitudes from 2^-149
 * (float32) and 2^-1074 (float64) to the largest, both signs, zeros, infinities and NaN; up to
 * 100003 elements in chunks of any size; in place. */
