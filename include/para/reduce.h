/* para_preduce: fold arrays to one value, in parallel, with the same bits every time. */
#ifndef PARA_REDUCE_H
#define PARA_REDUCE_H

#include <para/call.h>
#include <para/kernel.h>
#include <para/pool.h>
#include <para/status.h>

/* A reduce call:
 *   double total = 0;
 *   para_preduce(NULL, &(para_reduce){ .kernel = sum, .combine = add, .count = n,
 *                                      .in = {PARA_IN(x)},
 *                                      .result = &total, .result_bytes = sizeof total }); */
typedef struct para_reduce {
    para_reduce_fn *kernel;
    para_combine_fn *combine;
    const void *arg;         /* passed to kernel and combine as it is */
    size_t count;            /* elements of the call */
    para_in in[PARA_IN_MAX]; /* the first {NULL, 0} ends the list; none is allowed */
    void *result;            /* what to start from on entry, the result on success, untouched on
                                failure */
    size_t result_bytes;     /* size of an accumulator; its bytes must be copyable. para's own
                                accumulators are aligned to the largest power of two that divides
                                it, from 16 to 128: enough for any type that is aligned to 128 bytes
                                or less */
    const void *identity;    /* what each of many accumulators starts from: neutral, 0 for a sum;
                                NULL: zero bytes. Only copied, so it need not be aligned */
    size_t block;            /* elements folded by one kernel call, part of what is computed, see
                                below; 0: automatic, which suits elements that cost up to about 1
                                us */
    size_t scratch_bytes;    /* worker-local memory for the kernel */
    para_options options;
    para_report *report; /* filled if not NULL */
    size_t exact;        /* 1: neighbouring blocks may be folded by one kernel call, which gives
                                    the same bits, see below; or PARA_FOLDS_NODES */
    size_t arg_bytes;    /* as in para_map */
    para_out out[PARA_OUT_MAX];   /* arrays that the kernel fills besides, as a map's; none may
                                    overlap the result */
    const para_strides *strides;  /* NULL: each view's elements follow each other */
    size_t once;                  /* as in para_map */
    const para_parameter_ *list_; /* para's: as in para_map */
} para_reduce;

#define PARA_FOLDS_NODES 2 /* for para_reduce.exact */

#ifdef __cplusplus
extern "C" {
#endif

/* Folds all elements into result. Equals, bit for bit, on any pool, with any number of workers,
 * with any options:
 *     blocks of b elements; part[k] = identity; kernel(block k, &part[k], arg);
 *     result = result (+) tree(part[0 .. blocks))
 * where tree is the binary tree aligned to powers of two: with h the largest power of two below n,
 * tree(n parts) = tree(first h) (+) tree(other n - h). The block length b is call.block, or depends
 * on count and result_bytes alone (para_reduce_block returns it). Order is kept, so the operation
 * need be associative only in the mathematical sense and need not be commutative. The result is
 * folded in once, first. The fixed tree is that of Demmel and Nguyen, "Parallel Reproducible
 * Summation", IEEE Trans. Computers 64(7), 2015, section 2.
 *
 * exact says that the operation is associative to the last bit, and that folding elements into an
 * accumulator combines with it: sums of integers, minima, but no sums of floating-point numbers.
 * Then a kernel call may have several blocks, and accumulators are started and combined less often:
 * histograms of few elements take up to a sixth less time. A call that can be cancelled keeps its
 * blocks. PARA_FOLDS_NODES promises less: a kernel that gets several blocks, which then are all of
 * a node of that tree, folds each from the identity and combines them as the tree does, so that
 * short blocks cost little. The macros of <para/reduction.h> set what holds for them.
 *
 * Kernels whose elements cost much more than 1 us (a simulation each) set block = 1, so that even a
 * few elements can be shared among many workers.
 *
 * Memory, kept by the pool for the next call (see para_pool_trim): partial results, together at
 * most 256 KiB, or up to 64 of them while they take no more than 64 MiB, or 4 however large they
 * are; and for each worker a stack of accumulators, one for each doubling of the blocks that a
 * partial result covers. All of that takes at most max(256 MiB, 4 * result_bytes). If stated blocks
 * need more, fewer workers take part, or the caller alone, whose stack then has 1 + log2(blocks)
 * accumulators. Where the system refuses memory the call runs on its thread alone, with the least
 * that its blocks need (PARA_WHY_MEMORY); PARA_ERR_MEMORY if that is refused too.
 *
 * Outputs: a kernel call fills the outputs' elements of its block, which no other call gets. What
 * overlaps are refused, and what a failed call has written of them, is as in para_pmap.
 *
 * Pool, threads, order, fork, purity, errors: as para_pmap; with PARA_ERR_IMPURE the result is
 * untouched; and PARA_ERR_NULL_COMBINE,
 * PARA_ERR_NULL_RESULT. count = 0 succeeds, calls nothing and leaves result as it is. */
PARA_NODISCARD_ PARA_API para_status para_preduce(para_pool *pool, const para_reduce *call);

/* The block length in elements of a call with that count and accumulator size, if its own block is
 * 0. At least 1. Any thread. */
PARA_API size_t para_reduce_block(size_t count, size_t result_bytes);

#ifdef __cplusplus
}

PARA_NODISCARD_ static inline para_status para_preduce(para_pool *pool, const para_reduce &call)
{
    return para_preduce(pool, &call);
}
#endif
#endif
