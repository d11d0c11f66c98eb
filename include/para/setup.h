/* para_setup: pool, options and report of a loop or a reduction that a macro has defined. */
#ifndef PARA_SETUP_H
#define PARA_SETUP_H

#include <para/call.h>
#include <para/pool.h>
#include <para/status.h>
#include <stdint.h>

/* All zero, or a null pointer in its place: the default pool, and para decides. */
typedef struct para_setup {
    para_pool *pool; /* NULL: the default pool */
    para_options options;
    para_report *report; /* filled if not NULL */
    size_t first[3];     /* number of the first iteration, for each index: a loop of `count` begins
                            at i = first[0] and ends before first[0] + count */
    size_t tile[3]; /* most iterations of a tile, for each index of PARA_LOOP2 and PARA_LOOP3; 0:
                       automatic. A tile that is as wide as the range makes rows */
    size_t block;   /* a reduction's, as in para_reduce: iterations folded one after the other, part
                       of what is computed. 0: automatic, for iterations of any cost if the macro
                       is of values (PARA_SUM, PARA_MIN, ...), else of up to about 1 us */
} para_setup;

/* Numbers of iterations whose product is too large, or a row that is too long. */
#define PARA_TOO_MANY_ ((SIZE_MAX >> 1) + 1)

#ifdef __cplusplus
extern "C" {
#endif

/* A number of iterations above PTRDIFF_MAX: a negative one, as para_loop gets it, or
 * PARA_TOO_MANY_. PARA_ERR_OVERFLOW, with its detail; a report is zeroed. */
PARA_NODISCARD_ PARA_API para_status para_refuse_count_(size_t count, para_report *report);

#ifdef __cplusplus
}
#endif
#endif
