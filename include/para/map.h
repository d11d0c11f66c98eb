/* para_pmap: fill arrays from arrays, in parallel. */
#ifndef PARA_MAP_H
#define PARA_MAP_H

#include <para/call.h>
#include <para/kernel.h>
#include <para/pool.h>
#include <para/status.h>

/* A map call, written with designated initialisers. Members left out are zero and automatic:
 *   para_pmap(NULL, &(para_map){ .kernel = axpy, .arg = &a, .count = n,
 *                                .in = {PARA_IN(x), PARA_IN(y)}, .out = {PARA_OUT(z)} }); */
typedef struct para_map {
    para_map_fn *kernel;
    const void *arg;            /* passed to every kernel call as it is */
    size_t count;               /* elements of the call, and of each view */
    para_in in[PARA_IN_MAX];    /* the first {NULL, 0} ends the list; none is allowed */
    para_out out[PARA_OUT_MAX]; /* likewise */
    size_t scratch_bytes;       /* worker-local memory for the kernel */
    para_options options;
    para_report *report;          /* filled if not NULL */
    size_t arg_bytes;             /* bytes at arg, which are copied for worker processes; 0: they
                                     are not, and must lie in a buffer of the pool. Pool threads
                                     get arg itself and do not look at this */
    const para_parameter_ *list_; /* para's: what the arguments of a macro's loop are */
    const para_strides *strides;  /* NULL: each view's elements follow each other */
    size_t once;                  /* not 0: PARA_CHECK_KERNELS does not run it a second time, since
                                     the kernel changes through arg what it also reads */
} para_map;

#ifdef __cplusplus
extern "C" {
#endif

/* Runs the kernel over all elements. For a kernel that keeps its contract, whatever the pool, its
 * workers and the chunks, it equals
 *     kernel(&(para_chunk){ .first = 0, .count = count, .in = ..., .out = ... }, arg);
 *
 * pool    NULL: the default pool, see para_default_pool.
 * Views   stay the caller's and must not change during the call. An output may be an input as
 *         well if both are exactly the same view (in place); any other overlap is refused. Views
 *         with strides overlap if they have a byte in common, or might have if they were longer.
 *         Memory that a kernel reaches through arg is not checked.
 * Threads any. Several threads may use one pool at once, and kernels may call again. The call
 *         returns when all chunks are done; it never waits for a worker to become free. A thread
 *         is not cancelled (pthread_cancel) in a call that is shared. In one that runs on its
 *         thread alone it may be, if the kernel has cancellation points: then nothing is kept,
 *         but memory of the call's own may be lost.
 * Order   writes of the caller before the call happen before every kernel call, and these before
 *         the return.
 * Fork    in a child of fork() the pool runs its calls serially until para_pool_restart (the
 *         default pool is made anew). If a kernel of a shared call forks, the call returns
 *         PARA_ERR_FORKED in the child.
 * Purity  With PARA_CHECK_KERNELS=1 (or para_check_kernels) a call that has succeeded is run once
 *         more, into copies of its outputs: PARA_ERR_IMPURE tells that its kernel breaks the rule
 *         of purity in para/kernel.h, the outputs are as the first run has left them, and
 *         para_status_detail names kernel, element and difference. Without memory for copies of
 *         all views, and a second copy of the outputs, the call fails before it begins.
 *
 * Returns PARA_OK; PARA_ERR_KERNEL if a kernel call returned an error: every element before the
 * lowest failing chunk has then been processed, no chunk after it starts once the error is known,
 * and the report has chunk and error, which are those of the serial loop; PARA_ERR_CANCELLED or
 * PARA_ERR_DEADLINE if .options.cancel kept a chunk from starting, or para_cancelled ended one;
 * PARA_ERR_NULL_KERNEL, _NULL_VIEW, _ELEMENT_SIZE, _OVERLAP, _OVERFLOW, _ARGUMENT for a call that
 * was refused (or whose token has too many above it); PARA_ERR_MEMORY. Never
 * because of the default pool: where that cannot be made, calls run on their thread alone. */
PARA_NODISCARD_ PARA_API para_status para_pmap(para_pool *pool, const para_map *call);

#ifdef __cplusplus
}

/* C++: takes the call itself too, because C++ has no address of a temporary. */
PARA_NODISCARD_ static inline para_status para_pmap(para_pool *pool, const para_map &call)
{
    return para_pmap(pool, &call);
}
#endif
#endif
