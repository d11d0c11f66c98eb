/* para_psort: sort an array in place, stably, in parallel. */
#ifndef PARA_SORT_H
#define PARA_SORT_H

#include <para/call.h>
#include <para/kernel.h>
#include <para/pool.h>
#include <para/status.h>
#include <stdbool.h>

/* Negative if a comes before b; else 0 or positive, no matter which. qsort's functions fit, with
 * arg besides. It runs on several threads at once, may not fail, and otherwise keeps a kernel's
 * rules (kernel.h). */
typedef int para_compare_fn(const void *a, const void *b, const void *arg);

/* What a key is: an unsigned or signed integer or a floating-point number of so many bits. */
typedef enum para_key {
    PARA_KEY_NONE = 0, /* elements are compared by a function */
    PARA_KEY_U8,
    PARA_KEY_U16,
    PARA_KEY_U32,
    PARA_KEY_U64,
    PARA_KEY_I8,
    PARA_KEY_I16,
    PARA_KEY_I32,
    PARA_KEY_I64,
    PARA_KEY_F32,
    PARA_KEY_F64
} para_key;

/* A sort call, by a key within each element or by a function:
 *   para_psort(NULL, &(para_sort){ .data = PARA_OUT(x), .count = n, .key = PARA_KEY_F64 });
 *   para_psort(NULL, &(para_sort){ .data = PARA_OUT(people), .count = n, .compare = by_age }); */
typedef struct para_sort {
    para_out data; /* sorted in place; any element size */
    size_t count;
    para_compare_fn *compare; /* NULL: by key */
    const void *arg;          /* passed to compare as it is */
    para_key key;             /* PARA_KEY_NONE: by compare. Exactly one of the two is given */
    size_t key_offset;        /* bytes from an element's beginning to its key, which need not be
                                 aligned; offsetof(type, member) */
    bool descending;          /* of keys: the greatest first. Equal keys stay in their order */
    para_options options;     /* .chunk is not used */
    para_report *report;      /* filled if not NULL; a chunk is a part that is sorted or merged */
    size_t arg_bytes;         /* bytes at arg, for worker processes: as in para_map */
    size_t reserved[1];       /* zero; a later version gives it a meaning */
} para_sort;

/* A compare function from the condition that a comes before b, of two elements of one type:
 *   PARA_COMPARE(by_age, person, a, b, a.age < b.age)
 * `arg` is in scope as `const void *`. */
#define PARA_COMPARE(name, type, a, b, ...)                                    \
    static int name(const void *para_a_, const void *para_b_, const void *arg) \
    {                                                                          \
        const type a = *PARA_CAST_(const type *, para_a_);                     \
        const type b = *PARA_CAST_(const type *, para_b_);                     \
        (void)arg;                                                             \
        return (__VA_ARGS__) ? -1 : 0;                                         \
    }                                                                          \
    PARA_ORIGIN_(name)

#ifdef __cplusplus
extern "C" {
#endif

/* Sorts the elements. Those that compare equal, or have equal keys, stay in their order (stable),
 * so the result is the same with any number of workers. Floating-point keys have the total order of
 * IEEE 754: -NaN, -infinity, ..., -0, +0, ..., +infinity, +NaN.
 *
 * An array that is in order already is looked through once and not written. By key, parts are
 * sorted digit by digit (Knuth, "The Art of Computer Programming" 3, 5.2.5, algorithm R), digits
 * that are the same everywhere left out; by comparison, by merging (5.2.4). Sorted parts are merged
 * in rounds, each cut into pieces by co-ranking (Siebert and Traff, "Perfectly Load-Balanced,
 * Optimal, Stable, Parallel Merge", arXiv:1303.4312, 2013).
 *
 * If compare is not a strict weak ordering (a before b, and b before a; NaN equal to everything),
 * the order is unspecified, but no element is lost.
 *
 * Memory, kept by the pool for the next call (see para_pool_trim): as much as the array has, and
 * 4 KiB.
 * Pool, threads, order, fork: as para_pmap. The array must not be touched meanwhile. count = 0
 * succeeds.
 *
 * On worker processes compare runs in workers alone, on two copies of the array, and so the pool
 * keeps twice that memory. Each step whose worker dies is tried again, and the array is untouched
 * if the call fails (PARA_ERR_WORKER_DIED, also with PARA_CRASH_FILLS) or is cancelled. It is
 * sorted also if it is in order already.
 *
 * Returns PARA_OK; PARA_ERR_CANCELLED or PARA_ERR_DEADLINE if .options.cancel kept a part from
 * being sorted or a round from beginning: then the array has the same elements in an unspecified
 * order. Untouched with PARA_ERR_MEMORY; PARA_ERR_NULL_VIEW, _ELEMENT_SIZE, _OVERFLOW;
 * PARA_ERR_ARGUMENT if compare and key are both given, if neither is, or if the key does not lie
 * within the element. */
PARA_NODISCARD_ PARA_API para_status para_psort(para_pool *pool, const para_sort *call);

#ifdef __cplusplus
}

PARA_NODISCARD_ static inline para_status para_psort(para_pool *pool, const para_sort &call)
{
    return para_psort(pool, &call);
}
#endif
#endif
