/* The smallest and the largest element: min, max.
 *
 * NaN wins, as in NumPy: one is enough, and the value is then the quiet NaN without payload, so
 * that its bits do not depend on the machine. -0 is smaller than +0, while comparisons take both
 * zeros for equal. So where the extremum of a chunk is a zero, the chunk is read once more for its
 * sign: all elements then lie on one side of zero, and a sign bit of the other side can only be
 * that of a zero. */
#include "kernels/families.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define LANES \
    32 /* comparisons side by side, to hide their latency; any number gives the same bits */

/* before: the comparison that a better element passes. zero: the better one of the two zeros. flip:
 * turns the bits of an element so that the sign bit of that zero is set. */
#define EXTREMUM(name, T, U, before, flip, zero)                                                \
    /* The better of two, where NaN is best and of two zeros the one named. */                  \
    static inline T name##_of(T x, T m)                                                         \
    {                                                                                           \
        if (isnan(x) || isnan(m))                                                               \
            return (T)NAN;                                                                      \
        if (x == 0 && m == 0)                                                                   \
            return !signbit(x) == !signbit(zero) ? x : m;                                       \
        return x before m ? x : m;                                                              \
    }                                                                                           \
    static void name##_combine(void *acc, const void *rhs, const void *arg)                     \
    {                                                                                           \
        (void)arg;                                                                              \
        *(T *)acc = name##_of(*(const T *)rhs, *(T *)acc);                                      \
    }                                                                                           \
    static int name(const para_chunk *chunk, void *acc, const void *arg)                        \
    {                                                                                           \
        const T *x = chunk->in[0];                                                              \
        const size_t n = chunk->count;                                                          \
        const size_t whole = n - n % LANES;                                                     \
        T m = *(const T *)acc;                                                                  \
        T lane[LANES];                                                                          \
        U nan[LANES];                                                                           \
        for (size_t k = 0; k < LANES; k++) {                                                    \
            lane[k] = m;                                                                        \
            nan[k] = 0;                                                                         \
        }                                                                                       \
        for (size_t run = 0; run < whole; run += LANES) {                                       \
            for (size_t k = 0; k < LANES; k++) {                                                \
                const T value = x[run + k];                                                     \
                lane[k] = value before lane[k] ? value : lane[k];                               \
                nan[k] = value != value ? 1 : nan[k];                                           \
            }                                                                                   \
        }                                                                                       \
        for (size_t k = 0; k < LANES; k++)                                                      \
            m = nan[k] ? (T)NAN : name##_of(lane[k], m);                                        \
        for (size_t i = whole; i < n; i++)                                                      \
            m = name##_of(x[i], m);                                                             \
        if (m == 0) {                                                                           \
            U better = 0;                                                                       \
            for (size_t i = 0; i < n; i++) {                                                    \
                U bits;                                                                         \
                memcpy(&bits, &x[i], sizeof bits);                                              \
                better |= bits ^ (flip);                                                        \
            }                                                                                   \
            m = better >> (sizeof(U) * 8 - 1) ? (zero) : -(zero);                               \
        }                                                                                       \
        name##_combine(acc, &m, arg);                                                           \
        return 0;                                                                               \
    }                                                                                           \
    static double name##_finish(const void *acc, size_t count)                                  \
    {                                                                                           \
        (void)count;                                                                            \
        return *(const T *)acc;                                                                 \
    }                                                                                           \
    static long double name##_oracle(const void *const *in, size_t count,                       \
                                     const para_builtin_arg *arg)                               \
    {                                                                                           \
        const T *x = in[0];                                                                     \
        T m = x[0];                                                                             \
        (void)arg;                                                                              \
        for (size_t i = 0; i < count; i++) {                                                    \
            if (isnan(x[i]))                                                                    \
                return NAN;                                                                     \
            if (x[i] before m ||                                                                \
                (x[i] == m && signbit(x[i]) != signbit(m) && !signbit(x[i]) == !signbit(zero))) \
                m = x[i];                                                                       \
        }                                                                                       \
        return m;                                                                               \
    }

EXTREMUM(min_f32, float, uint32_t, <, 0, -0.0F)
EXTREMUM(min_f64, double, uint64_t, <, 0, -0.0)
EXTREMUM(max_f32, float, uint32_t, >, UINT32_MAX, 0.0F)
EXTREMUM(max_f64, double, uint64_t, >, UINT64_MAX, 0.0)

static const float worst_min_f32 = INFINITY;
static const float worst_max_f32 = -INFINITY;
static const double worst_min_f64 = INFINITY;
static const double worst_max_f64 = -INFINITY;

#define EXTREMUM_CODE(name, T)                                                      \
    {                                                                               \
        .reduce = name, .combine = name##_combine, .acc_bytes = sizeof(T),          \
        .identity = &worst_##name, .finish = name##_finish, .oracle = name##_oracle \
    }

const para_builtin para__min = {
    .name = "min",
    .formula = "smallest element of x; NaN if there is one",
    .inputs = 1,
    .reduces = true,
    .needs_elements = true,
    .code = {EXTREMUM_CODE(min_f32, float), EXTREMUM_CODE(min_f64, double)}};
const para_builtin para__max = {
    .name = "max",
    .formula = "largest element of x; NaN if there is one",
    .inputs = 1,
    .reduces = true,
    .needs_elements = true,
    .code = {EXTREMUM_CODE(max_f32, float), EXTREMUM_CODE(max_f64, double)}};

/* Error: none. The result is an element of the input, or the quiet NaN. Not defined for no
 * elements.
 * Tested: bit by bit against the oracle and against NumPy on values of all magnitudes, zeros of
 * both signs in every order, infinities, and NaN at every place of a run; 1 to 100003 elements. */
