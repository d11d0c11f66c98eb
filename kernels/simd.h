/* Sums in a fixed number of lanes. Element i of a run goes to lane i mod PARA__SIMD_LANES, and the
 * lanes are folded in one fixed order, whatever registers the machine has: wide enough for the
 * widest vectors to hide the latency of an addition, and the same bits on all of them. */
#ifndef PARA_KERNELS_SIMD_H
#define PARA_KERNELS_SIMD_H

#include <stddef.h>

#define PARA__SIMD_LANES 16

/* (((l0 + l8) + (l4 + l12)) + ...): halves onto halves. */
static inline double para__simd_fold(double lane[PARA__SIMD_LANES])
{
    for (size_t width = PARA__SIMD_LANES / 2; width > 0; width /= 2)
        for (size_t k = 0; k < width; k++)
            lane[k] += lane[k + width];
    return lane[0];
}

/* double total = the sum over i in [0, n) of term, an expression in i. The last, shorter run gets
 * lanes of its own, since an index that is not constant would keep the hot ones out of
 * registers. */
#define PARA__SIMD_SUM(total, i, n, term)                                \
    double total;                                                        \
    do {                                                                 \
        double lane_[PARA__SIMD_LANES];                                  \
        double rest_[PARA__SIMD_LANES];                                  \
        const size_t whole_ = (n) - (n) % PARA__SIMD_LANES;              \
        for (size_t k_ = 0; k_ < PARA__SIMD_LANES; k_++)                 \
            lane_[k_] = rest_[k_] = 0;                                   \
        for (size_t run_ = 0; run_ < whole_; run_ += PARA__SIMD_LANES) { \
            for (size_t k_ = 0; k_ < PARA__SIMD_LANES; k_++) {           \
                const size_t i = run_ + k_;                              \
                lane_[k_] += (term);                                     \
            }                                                            \
        }                                                                \
        for (size_t i = whole_; i < (n); i++)                            \
            rest_[i - whole_] = (term);                                  \
        for (size_t k_ = 0; k_ < PARA__SIMD_LANES; k_++)                 \
            lane_[k_] += rest_[k_];                                      \
        total = para__simd_fold(lane_);                                  \
    } while (0)

#endif
