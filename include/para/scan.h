/* para_pscan: running totals of arrays, in parallel, with the same bits every time. */
#ifndef PARA_SCAN_H
#define PARA_SCAN_H

#include <para/call.h>
#include <para/kernel.h>
#include <para/pool.h>
#include <para/status.h>

/* Folds the chunk's elements, in order, into sum if that is not NULL; and into total if that is not
 * NULL, and stores for each element what total then is: after the element was folded in (inclusive)
 * or before (exclusive). Both may be given in one call. Returns and rules as for every kernel
 * (kernel.h). PARA_SCAN_KERNEL makes one from a statement. */
typedef int para_scan_fn(const para_chunk *chunk, void *sum, void *total, const void *arg);

/* A scan call:
 *   double total = 0;
 *   para_pscan(NULL, &(para_scan){ .kernel = sums, .combine = add, .count = n,
 *                                  .in = {PARA_IN(x)}, .out = {PARA_OUT(y)},
 *                                  .result = &total, .result_bytes = sizeof total }); */
typedef struct para_scan {
    para_scan_fn *kernel;
    para_combine_fn *combine;   /* as in a reduction: acc = acc (+) rhs, rhs for later elements */
    const void *arg;            /* passed to kernel and combine as it is */
    size_t count;               /* elements of the call, and of each view */
    para_in in[PARA_IN_MAX];    /* the first {NULL, 0} ends the list; none is allowed */
    para_out out[PARA_OUT_MAX]; /* likewise */
    void *result;         /* what to start from on entry, the total of all elements on success,
                                   untouched on failure */
    size_t result_bytes;  /* size of an accumulator; copied and aligned as a reduction's */
    const void *identity; /* what each of many sums starts from: neutral, as a reduction's;
                                   NULL: zero bytes. Only copied */
    size_t block;         /* elements of a kernel call, part of what is computed, see below; 0:
                                   para_reduce_block(count, result_bytes) */
    para_options options; /* .chunk is not used */
    para_report *report;  /* filled if not NULL */
    size_t arg_bytes;     /* bytes at arg, for worker processes: as in para_map */
    size_t reserved[1];   /* zero; a later version gives it a meaning */
} para_scan;

/* The kernel for one input and one output, from the statement that folds x into acc. The first
 * stores acc after each element (inclusive scan), the second before it (exclusive).
 *   PARA_SCAN_KERNEL(sums, double, acc, double, x, acc += x)
 *   PARA_SCAN_EXCLUSIVE_KERNEL(offsets, size_t, acc, unsigned, x, acc += x)
 * `arg` is in scope as `const void *`. The statement stands there several times. */
#define PARA_SCAN_KERNEL(name, acc_type, acc, in_type, x, ...) \
    PARA_SCAN_KERNEL_(name, acc_type, acc, in_type, x, (void)0, para_o_[para_i_] = acc, __VA_ARGS__)
#define PARA_SCAN_EXCLUSIVE_KERNEL(name, acc_type, acc, in_type, x, ...) \
    PARA_SCAN_KERNEL_(name, acc_type, acc, in_type, x, para_o_[para_i_] = acc, (void)0, __VA_ARGS__)

#define PARA_SCAN_KERNEL_(name, acc_type, acc, in_type, x, before, after, ...)                 \
    static void name##_fold_(const para_chunk *para_c_, acc_type *para_acc_, const void *arg)  \
    {                                                                                          \
        const in_type *para_x_ = PARA_CAST_(const in_type *, para_c_->in[0]);                  \
        acc_type acc = *para_acc_;                                                             \
        (void)arg;                                                                             \
        for (size_t para_i_ = 0, para_n_ = para_c_->count; para_i_ < para_n_; para_i_++) {     \
            const in_type x = para_x_[para_i_];                                                \
            __VA_ARGS__;                                                                       \
        }                                                                                      \
        *para_acc_ = acc;                                                                      \
    }                                                                                          \
    static void name##_store_(const para_chunk *para_c_, acc_type *para_acc_, const void *arg) \
    {                                                                                          \
        const in_type *para_x_ = PARA_CAST_(const in_type *, para_c_->in[0]);                  \
        acc_type *para_o_ = PARA_CAST_(acc_type *, para_c_->out[0]);                           \
        acc_type acc = *para_acc_;                                                             \
        (void)arg;                                                                             \
        for (size_t para_i_ = 0, para_n_ = para_c_->count; para_i_ < para_n_; para_i_++) {     \
            const in_type x = para_x_[para_i_];                                                \
            before;                                                                            \
            __VA_ARGS__;                                                                       \
            after;                                                                             \
        }                                                                                      \
        *para_acc_ = acc;                                                                      \
    }                                                                                          \
    static void name##_both_(const para_chunk *para_c_, acc_type *para_sum_,                   \
                             acc_type *para_total_, const void *arg)                           \
    {                                                                                          \
        const in_type *para_x_ = PARA_CAST_(const in_type *, para_c_->in[0]);                  \
        acc_type *para_o_ = PARA_CAST_(acc_type *, para_c_->out[0]);                           \
        acc_type para_s_ = *para_sum_, para_t_ = *para_total_;                                 \
        (void)arg;                                                                             \
        for (size_t para_i_ = 0, para_n_ = para_c_->count; para_i_ < para_n_; para_i_++) {     \
            const in_type x = para_x_[para_i_];                                                \
            {                                                                                  \
                acc_type acc = para_s_;                                                        \
                __VA_ARGS__;                                                                   \
                para_s_ = acc;                                                                 \
            }                                                                                  \
            {                                                                                  \
                acc_type acc = para_t_;                                                        \
                before;                                                                        \
                __VA_ARGS__;                                                                   \
                after;                                                                         \
                para_t_ = acc;                                                                 \
            }                                                                                  \
        }                                                                                      \
        *para_sum_ = para_s_;                                                                  \
        *para_total_ = para_t_;                                                                \
    }                                                                                          \
    static int name(const para_chunk *para_c_, void *para_sum_, void *para_total_,             \
                    const void *arg)                                                           \
    {                                                                                          \
        acc_type *para_s_ = PARA_CAST_(acc_type *, para_sum_);                                 \
        acc_type *para_t_ = PARA_CAST_(acc_type *, para_total_);                               \
        if (para_s_ && para_t_)                                                                \
            name##_both_(para_c_, para_s_, para_t_, arg);                                      \
        else if (para_t_)                                                                      \
            name##_store_(para_c_, para_t_, arg);                                              \
        else                                                                                   \
            name##_fold_(para_c_, para_s_, arg);                                               \
        return 0;                                                                              \
    }                                                                                          \
    PARA_ORIGIN_(name)

#ifdef __cplusplus
extern "C" {
#endif

/* Scans all elements. Equals, bit for bit, on any pool, with any number of workers, with any
 * options, in blocks of b elements:
 *     total = result;
 *     for each block k:
 *         sum = identity; t = total; kernel(block k, &sum, &t, arg); total = total (+) sum
 *     result = total;
 * So the operation need be associative only in the mathematical sense, and need not be commutative.
 * The serial run keeps both accumulators in one pass, as that loop does; for operations that are
 * bound by their latency or by memory it takes the time of a plain running sum. The block length b
 * is call.block, or depends on count and result_bytes alone.
 *
 * Shared, a first pass sums blocks, and a second one stores those that the first has not stored
 * already (reduce-then-scan: Blelloch, "Prefix Sums and Their Applications", CMU-CS-90-190, 1990).
 * An element is then read twice, and a kernel may be called twice for a block.
 *
 * Views   as para_pmap; an output may be exactly an input (in place).
 * Memory, kept by the pool for the next call: an accumulator for each block, 2 + blocks of them at
 * most; alone 3; on worker processes two for each block, one for each worker, and 3.
 * Pool, threads, order, fork: as para_pmap. count = 0 succeeds, calls nothing and leaves result.
 *
 * On worker processes kernel and combine run in workers alone, in three phases: sums, totals,
 * stores. If a worker dies in one, its chunk is tried again, but not a store in place. What
 * cannot be done fails the call (PARA_ERR_WORKER_DIED), also with PARA_CRASH_FILLS, since all later
 * elements depend on it.
 *
 * Returns as para_preduce. If it fails, outputs are written in part and result is untouched. The
 * report of PARA_ERR_KERNEL has the lowest failing block, which is that of the serial loop if what
 * fails does not depend on the totals that a kernel gets. */
PARA_NODISCARD_ PARA_API para_status para_pscan(para_pool *pool, const para_scan *call);

#ifdef __cplusplus
}

PARA_NODISCARD_ static inline para_status para_pscan(para_pool *pool, const para_scan &call)
{
    return para_pscan(pool, &call);
}
#endif
#endif
