/* Jacobi's method for Laplace's equation on a square: ten sweeps, row by row, from one array to the
 * other. The border stays as it is. */
#include "workload.h"

enum { SWEEPS = 10 };

typedef struct jacobi {
    size_t side; /* without the border */
    double *from, *to;
} jacobi;

BENCH_LOOP(jacobi_sweep)
{
    const jacobi *j = ctx;
    const size_t stride = j->side + 2;
    for (size_t i = first; i < last; i++) {
        const double *restrict middle = j->from + (i + 1) * stride + 1;
        double *restrict out = j->to + (i + 1) * stride + 1;
        for (size_t k = 0; k < j->side; k++)
            out[k] = 0.25 *
                     ((middle[k - stride] + middle[k + stride]) + (middle[k - 1] + middle[k + 1]));
    }
}

static void run(void *ctx, const bench_runtime *runtime)
{
    jacobi *j = ctx;
    for (int k = 0; k < SWEEPS; k++) {
        runtime->for_each(j->side, &jacobi_sweep, j);
        double *const next = j->from;
        j->from = j->to;
        j->to = next;
    }
}

static void *setup(const bench_point *point, const bench_runtime *runtime)
{
    (void)runtime;
    jacobi *j = bench_alloc(sizeof *j);
    j->side = point->n;
    const size_t stride = j->side + 2, all = stride * stride;
    j->from = bench_alloc(all * sizeof *j->from);
    j->to = bench_alloc(all * sizeof *j->to);
    for (size_t i = 0; i < stride; i++)
        j->from[i] = j->to[i] = 1;
    return j;
}

static double digest(const void *ctx)
{
    const jacobi *j = ctx;
    const size_t stride = j->side + 2;
    double total = 0;
    for (size_t i = 0; i < stride * stride; i++)
        total += (double)(i % 7 + 1) * j->from[i];
    return total;
}

static const bench_point points[] = {
    {.name = "64x64", .n = 64},
    {.name = "512x512", .n = 512, .quick = true},
    {.name = "2048x2048", .n = 2048},
    {0},
};

const bench_workload bench_jacobi = {
    .name = "jacobi",
    .title = "Program: ten Jacobi sweeps over a square",
    .points = points,
    .setup = setup,
    .run = run,
    .digest = digest,
};
