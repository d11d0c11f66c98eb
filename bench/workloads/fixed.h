/* The loop of workload fixed, which others use too. */
#ifndef BENCH_FIXED_H
#define BENCH_FIXED_H

#include "workload.h"

enum { FIXED_LINE = 64 / sizeof(uint64_t) };

typedef struct fixed {
    size_t n;
    uint64_t *sums;
} fixed;

void *fixed_setup(const bench_point *point, const bench_runtime *runtime);
void fixed_run(void *ctx, const bench_runtime *runtime);
double fixed_digest(const void *ctx);

#endif
