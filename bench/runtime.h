/* What the suite asks of a runtime: loops and sums in parallel, and nothing else. */
#ifndef BENCH_RUNTIME_H
#define BENCH_RUNTIME_H

#include <para/kernel.h>
#include <stddef.h>

/* A loop's body for [first, last), compiled once for all runtimes. It writes through ctx. */
typedef void bench_range(const void *ctx, size_t first, size_t last);
/* Likewise for a sum: what [first, last) adds to it. */
typedef double bench_partial(const void *ctx, size_t first, size_t last);

/* The body as runtimes take it, and once more as a kernel of para's, which knows a loop by its
 * kernel. Made by BENCH_LOOP and BENCH_SUM. */
typedef struct bench_loop {
    bench_range *range;
    para_map_fn *kernel;
} bench_loop;

typedef struct bench_sum {
    bench_partial *partial;
    para_reduce_fn *kernel;
} bench_sum;

/* BENCH_LOOP(name) { ... } defines the loop `name` with the body in braces, which sees ctx, first
 * and last. Never inlined: all runtimes call the same code. */
#define BENCH_LOOP(name)                                                              \
    __attribute__((noinline)) static void name##_range(const void *ctx, size_t first, \
                                                       size_t last);                  \
    static int name##_kernel(const para_chunk *chunk, const void *ctx)                \
    {                                                                                 \
        name##_range(ctx, chunk->first, chunk->first + chunk->count);                 \
        return 0;                                                                     \
    }                                                                                 \
    static const bench_loop name = {name##_range, name##_kernel};                     \
    static void name##_range(const void *ctx, size_t first, size_t last)

#define BENCH_SUM(name)                                                                   \
    __attribute__((noinline)) static double name##_partial(const void *ctx, size_t first, \
                                                           size_t last);                  \
    static int name##_kernel(const para_chunk *chunk, void *acc, const void *ctx)         \
    {                                                                                     \
        *(double *)acc += name##_partial(ctx, chunk->first, chunk->first + chunk->count); \
        return 0;                                                                         \
    }                                                                                     \
    static const bench_sum name = {name##_partial, name##_kernel};                        \
    static double name##_partial(const void *ctx, size_t first, size_t last)

/* What a workload may need and a runtime may lack. */
#define BENCH_NESTS      1u /* a loop within a loop's body */
#define BENCH_CONCURRENT 2u /* loops from several threads at once */
#define BENCH_DECIDES    4u /* the runtime itself chooses between serial and parallel */
/* Or that it is none: it only runs what asks for it, such as loops of fixed work, as a measure of
 * the machine. */
#define BENCH_YARDSTICK  8u
#define BENCH_ALGORITHMS 16u /* has those below */
#define BENCH_PORTS      32u /* has the programs of ports/ */

/* What is more than a loop: each runtime's own, written as its users write it. */
typedef struct bench_algorithms {
    void (*scan)(size_t n, const double *x, double *y);     /* y: running sums of x */
    size_t (*filter)(size_t n, const double *x, double *y); /* y: those of x below BENCH_HALF */
    void (*sort)(size_t n, double *x);
} bench_algorithms;
#define BENCH_HALF 0.5

typedef struct bench_runtime {
    const char *name;
    unsigned can; /* BENCH_ flags */
    /* Makes the threads. 0: as many as the runtime takes by itself. */
    void (*start)(unsigned threads);
    /* Runs the loop for [0, n), n > 0. NULL: it has algorithms alone, and no loops and sums. */
    void (*for_each)(size_t n, const bench_loop *loop, const void *ctx);
    double (*sum)(size_t n, const bench_sum *sum, const void *ctx);
    /* Drops what was learned about loops. NULL: learns nothing. */
    void (*forget)(void);
    const bench_algorithms *algorithms; /* with BENCH_ALGORITHMS */
} bench_runtime;

#ifdef __cplusplus
extern "C" {
#endif

extern const bench_runtime bench_this_runtime; /* the one that this executable is for */
extern const bench_runtime bench_serial;       /* a plain loop, for results to compare with */

#ifdef __cplusplus
}
#endif
#endif
