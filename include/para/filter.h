/* para_pfilter: the elements that pass a test, in their order, in parallel. */
#ifndef PARA_FILTER_H
#define PARA_FILTER_H

#include <para/call.h>
#include <para/kernel.h>
#include <para/pool.h>
#include <para/status.h>
#include <stdint.h>

/* Notes which elements of the chunk stay: stores their numbers within it, 0 .. chunk->count - 1,
 * ascending, in stay[], and how many they are in *kept, which is 0 before. A chunk has at most 4096
 * elements, and stay has room for all. Returns and rules as for every kernel (kernel.h); it does
 * not write the call's outputs.
 *
 * Where chunk->out[0] is not NULL it may store the elements instead, which is faster: writes those
 * of in[0] that stay there, in their order, without gaps and nothing behind them, says how many in
 * *kept, and stores PARA_FILTER_PACKED in stay[0]. Calls with one output of small elements offer
 * that. */
typedef int para_filter_fn(const para_chunk *chunk, uint16_t *stay, size_t *kept, const void *arg);

#define PARA_FILTER_PACKED UINT16_MAX

/* A filter call:
 *   size_t kept;
 *   para_pfilter(NULL, &(para_filter){ .kernel = positive, .count = n, .in = {PARA_IN(x)},
 *                                      .out = {PARA_OUT(y)}, .kept = &kept }); */
typedef struct para_filter {
    para_filter_fn *kernel;
    const void *arg;            /* passed to every kernel call as it is */
    size_t count;               /* elements of each input; each output has room for as many */
    para_in in[PARA_IN_MAX];    /* what the kernel sees; the first {NULL, 0} ends the list */
    para_out out[PARA_OUT_MAX]; /* out[k] receives elements of in[k], of the same size. Fewer than
                                   inputs, or none: then elements are only counted */
    size_t *kept;               /* how many stayed; untouched on failure */
    para_options options;       /* .chunk is not used */
    para_report *report;        /* filled if not NULL */
    size_t arg_bytes;           /* bytes at arg, for worker processes: as in para_map */
    size_t reserved[1];         /* zero; a later version gives it a meaning */
} para_filter;

/* The kernel for one input, from the condition that an element x has to meet:
 *   PARA_FILTER_KERNEL(positive, double, x, x > 0)
 * `arg` is in scope as `const void *`. Each element is tested once. Where elements are stored,
 * those behind the last one that stays are tested first: nothing is written behind it. */
#define PARA_FILTER_KERNEL(name, in_type, x, ...)                                          \
    static inline int name##_keeps_(const in_type x, const void *arg)                      \
    {                                                                                      \
        (void)arg;                                                                         \
        return (__VA_ARGS__) ? 1 : 0;                                                      \
    }                                                                                      \
    static int name(const para_chunk *para_c_, uint16_t *para_stay_, size_t *para_kept_,   \
                    const void *arg)                                                       \
    {                                                                                      \
        const in_type *para_x_ = PARA_CAST_(const in_type *, para_c_->in[0]);              \
        char *para_y_ = PARA_CAST_(char *, para_c_->out[0]);                               \
        size_t para_i_ = 0, para_k_ = 0, para_n_ = para_c_->count;                         \
        if (!para_y_)                                                                      \
            for (; para_i_ < para_n_; para_i_++) {                                         \
                para_stay_[para_k_] = PARA_CAST_(uint16_t, para_i_);                       \
                para_k_ += PARA_CAST_(size_t, name##_keeps_(para_x_[para_i_], arg));       \
            }                                                                              \
        else {                                                                             \
            while (para_n_ && !name##_keeps_(para_x_[para_n_ - 1], arg))                   \
                para_n_--;                                                                 \
            for (; para_i_ + 1 < para_n_; para_i_++) {                                     \
                __builtin_memcpy(para_y_ + para_k_ * sizeof(in_type), &para_x_[para_i_],   \
                                 sizeof(in_type));                                         \
                para_k_ += PARA_CAST_(size_t, name##_keeps_(para_x_[para_i_], arg));       \
            }                                                                              \
            if (para_n_)                                                                   \
                __builtin_memcpy(para_y_ + para_k_++ * sizeof(in_type), &para_x_[para_i_], \
                                 sizeof(in_type));                                         \
            para_stay_[0] = PARA_FILTER_PACKED;                                            \
        }                                                                                  \
        *para_kept_ = para_k_;                                                             \
        return 0;                                                                          \
    }                                                                                      \
    PARA_ORIGIN_(name)

#ifdef __cplusplus
extern "C" {
#endif

/* Copies the elements that stay, without gaps and in their order (stable). Equals, with any number
 * of workers:
 *     for (i = 0, k = 0; i < count; i++)
 *         if (keep(i)) out[k++] = in[i];
 *     *kept = k;
 * The kernel sees each element once. What lies in out beyond those that stay is not written.
 *
 * Shared, a first pass notes or stores apart which elements stay, and counts them, and a second one
 * copies (Blelloch, "Prefix Sums and Their Applications", CMU-CS-90-190, 1990, "pack").
 *
 * Views   as para_pmap, but an output must not overlap any other view, also not exactly.
 * Memory, kept by the pool for the next call: 2 bytes an element, and what its output takes where a
 * kernel may store there; alone none.
 * Pool, threads, order, fork: as para_pmap. count = 0 succeeds with *kept = 0.
 *
 * On worker processes a chunk whose worker dies is tried again, in either pass. What cannot be done
 * fails the call (PARA_ERR_WORKER_DIED), also with PARA_CRASH_FILLS.
 *
 * Returns as para_pmap; PARA_ERR_ELEMENT_SIZE if an output's elements have another size than its
 * input's, PARA_ERR_NULL_VIEW if it has none; PARA_ERR_NULL_RESULT if kept is NULL. If it fails,
 * outputs are written in part. The report of PARA_ERR_KERNEL has the lowest failing chunk. */
PARA_NODISCARD_ PARA_API para_status para_pfilter(para_pool *pool, const para_filter *call);

#ifdef __cplusplus
}

PARA_NODISCARD_ static inline para_status para_pfilter(para_pool *pool, const para_filter &call)
{
    return para_pfilter(pool, &call);
}
#endif
#endif
