/* LU factors of a dense matrix without pivots: for each column one loop over the rows below it,
 * each shorter than the one before. The matrix is written anew each time, also in a loop. */
#include "workload.h"

typedef struct lu {
    size_t n, column;
    double *a;
} lu;

/* Dominant on the diagonal, so that no pivot is needed. */
BENCH_LOOP(lu_fill)
{
    const lu *l = ctx;
    for (size_t i = first; i < last; i++)
        for (size_t k = 0; k < l->n; k++)
            l->a[i * l->n + k] = i == k ? (double)l->n : 1.0 / (double)(1 + (i * 7 + k * 3) % 11);
}

BENCH_LOOP(lu_eliminate)
{
    const lu *l = ctx;
    const size_t n = l->n, c = l->column;
    const double *restrict pivot = l->a + c * n;
    for (size_t r = first; r < last; r++) {
        double *restrict row = l->a + (c + 1 + r) * n;
        const double factor = row[c] / pivot[c];
        row[c] = factor;
        for (size_t k = c + 1; k < n; k++)
            row[k] -= factor * pivot[k];
    }
}

static void run(void *ctx, const bench_runtime *runtime)
{
    lu *l = ctx;
    runtime->for_each(l->n, &lu_fill, l);
    for (l->column = 0; l->column + 1 < l->n; l->column++)
        runtime->for_each(l->n - l->column - 1, &lu_eliminate, l);
}

static void *setup(const bench_point *point, const bench_runtime *runtime)
{
    (void)runtime;
    lu *l = bench_alloc(sizeof *l);
    l->n = point->n;
    l->a = bench_alloc(l->n * l->n * sizeof *l->a);
    return l;
}

static double digest(const void *ctx)
{
    const lu *l = ctx;
    double total = 0;
    for (size_t i = 0; i < l->n * l->n; i++)
        total += (double)(i % 7 + 1) * l->a[i];
    return total;
}

static const bench_point points[] = {
    {.name = "48x48", .n = 48},
    {.name = "160x160", .n = 160, .quick = true},
    {.name = "512x512", .n = 512},
    {0},
};

const bench_workload bench_lu = {
    .name = "lu",
    .title = "Program: LU factors, column by column, of a matrix",
    .points = points,
    .setup = setup,
    .run = run,
    .digest = digest,
};
