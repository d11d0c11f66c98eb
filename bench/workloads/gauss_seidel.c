/* Gauss and Seidel's method for Laplace's equation on a square, in red and black: ten times one
 * loop over the rows for each colour, in one array. An element's neighbours have the other
 * colour. */
#include "workload.h"

enum { SWEEPS = 10 };

typedef struct gauss_seidel {
    size_t side; /* without the border */
    size_t colour;
    double *u;
} gauss_seidel;

BENCH_LOOP(gauss_seidel_half)
{
    const gauss_seidel *g = ctx;
    const size_t stride = g->side + 2;
    for (size_t i = first; i < last; i++) {
        double *row = g->u + (i + 1) * stride;
        for (size_t k = 1 + (i + g->colour) % 2; k <= g->side; k += 2)
            row[k] = 0.25 * ((row[k - stride] + row[k + stride]) + (row[k - 1] + row[k + 1]));
    }
}

static void run(void *ctx, const bench_runtime *runtime)
{
    gauss_seidel *g = ctx;
    for (size_t k = 0; k < (size_t)2 * SWEEPS; k++) {
        g->colour = k % 2;
        runtime->for_each(g->side, &gauss_seidel_half, g);
    }
}

static void *setup(const bench_point *point, const bench_runtime *runtime)
{
    (void)runtime;
    gauss_seidel *g = bench_alloc(sizeof *g);
    g->side = point->n;
    const size_t stride = g->side + 2;
    g->u = bench_alloc(stride * stride * sizeof *g->u);
    for (size_t i = 0; i < stride; i++)
        g->u[i] = 1;
    return g;
}

static double digest(const void *ctx)
{
    const gauss_seidel *g = ctx;
    const size_t stride = g->side + 2;
    double total = 0;
    for (size_t i = 0; i < stride * stride; i++)
        total += (double)(i % 7 + 1) * g->u[i];
    return total;
}

static const bench_point points[] = {
    {.name = "64x64", .n = 64},
    {.name = "256x256", .n = 256, .quick = true},
    {.name = "1024x1024", .n = 1024},
    {0},
};

const bench_workload bench_gauss_seidel = {
    .name = "gauss-seidel",
    .title = "Program: ten red-black Gauss-Seidel sweeps over a square",
    .points = points,
    .setup = setup,
    .run = run,
    .digest = digest,
};
