/* What map and reduce calls have in common: options, and the report of how a call ran. */
#ifndef PARA_CALL_H
#define PARA_CALL_H

#include <para/cancel.h>
#include <para/process.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Who runs a call. */
typedef enum para_executor {
    PARA_EXECUTOR_AUTO = 0, /* para decides, call by call */
    PARA_EXECUTOR_THREADS,  /* the pool's threads help, however small the call */
    PARA_EXECUTOR_SERIAL,   /* the calling thread alone */
    PARA_EXECUTOR_PROCESSES /* worker processes: PARA_ERR_UNSUPPORTED if the pool has none. Calls
                               on a pool that has them run there with _AUTO too; _THREADS and
                               _SERIAL are then PARA_ERR_UNSUPPORTED */
} para_executor;

/* Options of one call; all zero: para decides. Except for a request to cancel, they change how fast
 * a call is and never what it computes. */
typedef struct para_options {
    unsigned workers;       /* most threads, the caller among them; 0: as many as para chooses. More
                               than para_pool_info.usual with PARA_EXECUTOR_THREADS only */
    para_executor executor; /* who runs it */
    size_t chunk;           /* exact number of elements of a map's kernel call (the last may have
                               fewer); least number of elements that a reduction hands out; 0:
                               automatic */
    para_cancel *cancel;    /* NULL: none. It is read before each chunk; once it is requested, or
                               its deadline has passed, no further chunk begins, and
                               para_cancelled is true in those that run. If any is left out, the
                               call fails with PARA_ERR_CANCELLED or PARA_ERR_DEADLINE, as
                               para_cancel_status says: outputs are written in part, and a
                               reduction's result is untouched; .report->done tells how much was
                               done. If a kernel fails as well, PARA_ERR_KERNEL is returned only
                               where all before the failing chunk is done. Without .chunk, a map's
                               chunks then take 0.2 ms if para knows the kernel, else are 1/64 of
                               the call; a reduction's are its blocks */
    size_t claim;  /* most chunks that a participant claims at a time (elements of a map without
                      .chunk, groups of blocks of a reduction); 0: automatic, which suits all except
                      units that wait for each other. With .claim = 1 and PARA_EXECUTOR_THREADS no
                      unit is held back by another: on an idle pool as many units as it has workers
                      can run at the same time. A participant makes at most 1023 claims of a slice,
                      which is 1 / workers of the call: in longer slices claims are longer */
    uint64_t site; /* tells apart the loops of one kernel function whose costs differ: any number,
                      chosen by the program. Wrappers (of other languages, of function objects) that
                      run every loop through one kernel set it to what they wrap, such as its
                      address. Without it a cheap call may be shared in vain, for 13 to 22 us. 0:
                      the kernel alone. A saved calibration finds the loop again if the number is
                      the same */
    const para_survival *survival; /* of a call on worker processes, what it does about those that
                                      die; NULL: as the pool was made. Else not looked at */
} para_options;

/* Why a call ran as it did. */
typedef enum para_why {
    PARA_WHY_EMPTY = 0,  /* no elements: nothing ran */
    PARA_WHY_PARALLEL,   /* shared among workers: a gain was predicted */
    PARA_WHY_ESCALATED,  /* began alone, measured, and shared the rest */
    PARA_WHY_ASKED,      /* as the call's options said */
    PARA_WHY_ONE_UNIT,   /* serial: it cannot be divided */
    PARA_WHY_ONE_WORKER, /* serial: the pool has no other worker */
    PARA_WHY_SMALL,      /* serial: predicted gain below the cost of sharing */
    PARA_WHY_LANES_BUSY, /* serial: every lane of the pool was in use */
    PARA_WHY_FORKED,     /* serial: the process forked after the pool was made */
    PARA_WHY_SATURATED,  /* shared among some workers: more add nothing, or this is being tried */
    PARA_WHY_MEMORY,  /* serial: the memory that several workers need was refused, or is too much */
    PARA_WHY_LOADING, /* serial: made by a constructor or destructor within dlopen or dlclose */
    PARA_WHY_TOGETHER, /* serial: the short loops of this thread take less time alone, together */
    PARA_WHY_PROCESSES /* on the pool's worker processes */
} para_why;

/* How a call ran. Filled on success, on PARA_ERR_KERNEL, PARA_ERR_CANCELLED, PARA_ERR_DEADLINE,
 * PARA_ERR_WORKER_DIED and PARA_ERR_IMPURE (how it ran the first time); zeroed by any other
 * failure. */
typedef struct para_report {
    unsigned workers;    /* threads that ran at least one chunk */
    unsigned width;      /* threads that were invited, the caller among them */
    size_t chunks;       /* kernel calls */
    size_t chunk;        /* elements in the largest chunk */
    uint64_t time_ns;    /* from call to return */
    para_why why;        /* para_why_text has it in words */
    int kernel_error;    /* what the kernel returned for the lowest failing chunk, else 0 */
    size_t failed_first; /* first element of that chunk */
    size_t failed_count; /* elements of that chunk */
    size_t done;         /* elements that the kernel was called for: all, unless the call ended
                            early. Of a scan or a sort those of its first pass. Not of a chunk that
                            para_cancelled has told to stop, nor of one that was filled */
    unsigned deaths;     /* worker processes that died in the call */
    size_t filled;       /* elements that were filled, since their kernel died each time; with
                            PARA_ERR_WORKER_DIED failed_first and failed_count are those that were
                            given up */
} para_report;

#include <para/version.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The reason in words, such as "serial: predicted gain below the cost of sharing"; "unknown" for
 * any other value. Static storage. Any thread. */
PARA_API const char *para_why_text(para_why why);

/* Whether calls that begin from now on, in any thread, are run a second time to see whether their
 * kernels are pure (para/kernel.h; the guide, "Is my kernel pure?"). At first they
 * are if PARA_CHECK_KERNELS=1 is in the environment. Returns whether they were before. Any
 * thread. */
PARA_API bool para_check_kernels(bool checks);

#ifdef __cplusplus
}
#endif
#endif
