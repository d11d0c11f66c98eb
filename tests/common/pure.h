/* What the tests of PARA_CHECK_KERNELS share. */
#ifndef PARA_TESTS_PURE_H
#define PARA_TESTS_PURE_H

#include "check.h"

#include <string.h>

enum { N = 1000 };

static para_pool *pool, *alone;
static double x[N + 16], y[N + 16], z[N + 16];

static inline int begin_pure(void **state)
{
    (void)state;
    pool = check_pool(2);
    alone = check_pool(1);
    para_check_kernels(true);
    return 0;
}

static inline int end_pure(void **state)
{
    (void)state;
    para_pool_destroy(pool);
    para_pool_destroy(alone);
    return 0;
}

static inline void fill(void)
{
    for (size_t i = 0; i < COUNT_OF(x); i++) {
        x[i] = (double)i;
        y[i] = z[i] = -1;
    }
}

/* Impure kernels race where they are shared, which ThreadSanitizer reports. */
static inline para_status map_on(para_pool *on, para_map_fn *kernel, const void *arg, size_t count)
{
    fill();
    return para_pmap(on, &(para_map){.kernel = kernel,
                                     .arg = arg,
                                     .count = count,
                                     .in = {PARA_IN(x)},
                                     .out = {PARA_OUT(y)}});
}

static inline void named(const char *what)
{
    if (!strstr(para_status_detail(), what))
        fail_msg("'%s' is not in '%s'", what, para_status_detail());
}

#define IMPURE(what, call)              \
    do {                                \
        FAILS(PARA_ERR_IMPURE, (call)); \
        named(what);                    \
    } while (0)

static _Atomic unsigned calls; /* an int would race, too */

static inline int tell_first(const para_chunk *chunk, const void *arg)
{
    double *out = chunk->out[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        out[i] = (double)chunk->first;
    return 0;
}

/* arg: which element of out[0], counted from that after the chunk. */
static inline int stray(const para_chunk *chunk, const void *arg)
{
    double *out = chunk->out[0];
    const double *in = chunk->in[0];
    const long at = *(const long *)arg;
    for (size_t i = 0; i < chunk->count; i++)
        out[i] = in[i];
    if (at >= 0 ? chunk->first + chunk->count + (size_t)at < N : chunk->first + (size_t)at < N)
        out[at >= 0 ? (long)chunk->count + at : at] = 5;
    return 0;
}

#endif
