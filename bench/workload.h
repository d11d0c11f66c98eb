/* What a workload is, and what workloads share. */
#ifndef BENCH_WORKLOAD_H
#define BENCH_WORKLOAD_H

#include "runtime.h"
#include <stdbool.h>
#include <stdint.h>

/* A workload with its parameters. Zero is the usual value of all but the name. */
typedef struct bench_point {
    const char *name;
    size_t n;
    double parameter; /* what it means is the workload's affair */
    size_t bytes;     /* memory, where so large that it is not kept from one round to the next */
    unsigned calls;   /* calls in one run; 0: one */
    unsigned hogs;    /* programs that keep a CPU busy meanwhile */
    bool quick;       /* part of a quick run */
} bench_point;

/* How runs are timed. */
typedef enum bench_kind {
    BENCH_MEAN = 0, /* many runs in a row, their mean */
    BENCH_EACH,     /* run by run: the mean, and the longest */
    BENCH_PREPARED, /* run by run, each after a call of prepare, which is not timed: the median */
    BENCH_IDLE,     /* CPU time that is used in a second after the last run */
    BENCH_MEMORY,   /* many runs in a row; heap allocations and growth of resident memory */
    BENCH_LOCKS     /* locks/main.cpp */
} bench_kind;

typedef struct bench_workload {
    const char *name;
    const char *title;
    bench_kind kind;
    unsigned needs;            /* BENCH_ flags of runtime.h */
    bool yardstick;            /* runs by a yardstick too */
    const bench_point *points; /* up to one without a name */
    double tolerance;          /* relative error that the digest may have; 0: none */
    /* Makes the data, all with bench_alloc. At most one workload is set up at a time. */
    void *(*setup)(const bench_point *point, const bench_runtime *runtime);
    /* What is timed. */
    void (*run)(void *ctx, const bench_runtime *runtime);
    void (*prepare)(void *ctx, const bench_runtime *runtime);
    /* The result of the first run after setup in one number; a serial run must give the same. */
    double (*digest)(const void *ctx);
    void (*finish)(void *ctx); /* before the memory goes; NULL: nothing to do */
} bench_workload;

/* A chain of dependent multiplications and additions, about 1.6 ns a step; the result is below
 * 2^63. The number of steps comes from memory, or else the compiler would see through it. */
static inline uint64_t bench_chain(uint64_t x, size_t steps)
{
    for (size_t s = 0; s < steps; s++)
        x = (x * 0x9E3779B97F4A7C15u >> 2) + s;
    return x;
}

#ifdef __cplusplus
extern "C" {
#endif

extern const bench_workload *const bench_workloads[]; /* up to NULL */

/* Zeroed memory on pages of its own; freed by bench_free_all. Ends the process if there is none. */
void *bench_alloc(size_t bytes);
void bench_free_all(void);

/* Random numbers, the same ones in every process: uniform in (0, 1). */
double bench_uniform(uint64_t *state);

/* Calls of malloc and the like since the process began. */
uint64_t bench_allocations(void);

#ifdef __cplusplus
}
#else

/* One chain after the other: item i begins where the previous result is known, of which it uses
 * nothing. So items cost the same however many a processor could overlap, and results know nothing
 * of chunks. A body begins with its thread's last result and leaves its own there, or else small
 * chunks would gain from overlap. */
static inline uint64_t bench_after(uint64_t i, uint64_t previous)
{
    return i ^ previous >> 63;
}

static _Thread_local uint64_t bench_last __attribute__((unused));

#endif
#endif
