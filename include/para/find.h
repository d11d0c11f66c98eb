/* para_pfind: the first element that passes a test, in parallel. */
#ifndef PARA_FIND_H
#define PARA_FIND_H

#include <para/call.h>
#include <para/kernel.h>
#include <para/pool.h>
#include <para/status.h>

/* Looks for the first element of the chunk that is sought, and sets *found to its number within the
 * chunk, 0 .. chunk->count - 1; leaves *found alone if there is none. Returns and rules as for
 * every kernel (kernel.h). */
typedef int para_find_fn(const para_chunk *chunk, size_t *found, const void *arg);

/* A find call:
 *   size_t at;
 *   para_pfind(NULL, &(para_find){ .kernel = is_nan, .count = n, .in = {PARA_IN(x)},
 *                                  .found = &at });
 *   if (at < n) ... */
typedef struct para_find {
    para_find_fn *kernel;
    const void *arg;         /* passed to every kernel call as it is */
    size_t count;            /* elements of each view */
    para_in in[PARA_IN_MAX]; /* the first {NULL, 0} ends the list; none is allowed */
    size_t *found;           /* the first element's number, or count if there is none; untouched on
                                failure */
    para_options options;    /* .chunk is the most elements of a kernel call */
    para_report *report;     /* filled if not NULL */
    size_t arg_bytes;        /* bytes at arg, for worker processes: as in para_map */
    size_t reserved[1];      /* zero; a later version gives it a meaning */
} para_find;

/* The kernel for one input, from the condition that the sought element x meets:
 *   PARA_FIND_KERNEL(is_nan, double, x, x != x)
 * `arg` is in scope as `const void *`. */
#define PARA_FIND_KERNEL(name, in_type, x, ...)                                            \
    static int name(const para_chunk *para_c_, size_t *para_found_, const void *arg)       \
    {                                                                                      \
        const in_type *para_x_ = PARA_CAST_(const in_type *, para_c_->in[0]);              \
        (void)arg;                                                                         \
        for (size_t para_i_ = 0, para_n_ = para_c_->count; para_i_ < para_n_; para_i_++) { \
            const in_type x = para_x_[para_i_];                                            \
            if (__VA_ARGS__) {                                                             \
                *para_found_ = para_i_;                                                    \
                break;                                                                     \
            }                                                                              \
        }                                                                                  \
        return 0;                                                                          \
    }                                                                                      \
    PARA_ORIGIN_(name)

#ifdef __cplusplus
extern "C" {
#endif

/* Finds the first element that is sought: the lowest number, whoever sees it. Equals, with any
 * number of workers:
 *     for (i = 0; i < count && !sought(i); i++) {}
 *     *found = i;
 * Stops early: once one is found, no chunk beyond it begins. A kernel call gets at most 4096
 * elements, and fewer where these would take more than some 0.2 ms. Elements beyond the first one
 * that is sought may be looked at.
 *
 * Pool, threads, order, fork: as para_pmap. No memory of its own. count = 0 succeeds with
 * *found = 0.
 *
 * On worker processes elements whose workers die each time fail the call (PARA_ERR_WORKER_DIED),
 * also if one before them is sought. With PARA_CRASH_FILLS they are not sought.
 *
 * Returns as para_pmap; PARA_ERR_NULL_RESULT if found is NULL. A kernel that fails before the first
 * element that is sought, in the order of elements, fails the call with PARA_ERR_KERNEL; one that
 * fails in a chunk beyond it does not. */
PARA_NODISCARD_ PARA_API para_status para_pfind(para_pool *pool, const para_find *call);

#ifdef __cplusplus
}

PARA_NODISCARD_ static inline para_status para_pfind(para_pool *pool, const para_find &call)
{
    return para_pfind(pool, &call);
}
#endif
#endif
