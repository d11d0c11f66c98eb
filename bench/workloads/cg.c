/* Conjugate gradients (Hestenes and Stiefel, "Methods of Conjugate Gradients for Solving Linear
 * Systems", 1952) on the five-point Laplacian of a square grid, stored by rows (CSR): 25
 * iterations. */
#include "workload.h"

enum { ITERATIONS = 25 };

typedef struct cg {
    size_t n;
    size_t *row;
    uint32_t *column;
    double *value;
    double *x, *r, *p, *q; /* solution, residual, direction, matrix times direction */
    double alpha, beta;
} cg;

BENCH_LOOP(cg_restart)
{
    const cg *c = ctx;
    for (size_t i = first; i < last; i++) {
        c->x[i] = 0;
        c->r[i] = c->p[i] = (double)(i % 10 + 1);
    }
}

BENCH_LOOP(cg_multiply)
{
    const cg *c = ctx;
    for (size_t i = first; i < last; i++) {
        double total = 0;
        for (size_t k = c->row[i]; k < c->row[i + 1]; k++)
            total += c->value[k] * c->p[c->column[k]];
        c->q[i] = total;
    }
}

BENCH_SUM(cg_p_dot_q)
{
    const cg *c = ctx;
    double total = 0;
    for (size_t i = first; i < last; i++)
        total += c->p[i] * c->q[i];
    return total;
}

BENCH_SUM(cg_r_dot_r)
{
    const cg *c = ctx;
    double total = 0;
    for (size_t i = first; i < last; i++)
        total += c->r[i] * c->r[i];
    return total;
}

BENCH_LOOP(cg_advance)
{
    const cg *c = ctx;
    double *restrict x = c->x, *restrict r = c->r;
    const double *restrict p = c->p, *restrict q = c->q;
    const double alpha = c->alpha;
    for (size_t i = first; i < last; i++) {
        x[i] += alpha * p[i];
        r[i] -= alpha * q[i];
    }
}

BENCH_LOOP(cg_turn)
{
    const cg *c = ctx;
    double *restrict p = c->p;
    const double *restrict r = c->r;
    const double beta = c->beta;
    for (size_t i = first; i < last; i++)
        p[i] = r[i] + beta * p[i];
}

static void run(void *ctx, const bench_runtime *runtime)
{
    cg *c = ctx;
    runtime->for_each(c->n, &cg_restart, c);
    double square = runtime->sum(c->n, &cg_r_dot_r, c);
    for (int k = 0; k < ITERATIONS; k++) {
        runtime->for_each(c->n, &cg_multiply, c);
        c->alpha = square / runtime->sum(c->n, &cg_p_dot_q, c);
        runtime->for_each(c->n, &cg_advance, c);
        const double next = runtime->sum(c->n, &cg_r_dot_r, c);
        c->beta = next / square;
        square = next;
        runtime->for_each(c->n, &cg_turn, c);
    }
}

static void *setup(const bench_point *point, const bench_runtime *runtime)
{
    (void)runtime;
    const size_t side = (size_t)point->parameter;
    cg *c = bench_alloc(sizeof *c);
    c->n = side * side;
    c->row = bench_alloc((c->n + 1) * sizeof *c->row);
    c->column = bench_alloc(5 * c->n * sizeof *c->column);
    c->value = bench_alloc(5 * c->n * sizeof *c->value);
    c->x = bench_alloc(c->n * sizeof *c->x);
    c->r = bench_alloc(c->n * sizeof *c->r);
    c->p = bench_alloc(c->n * sizeof *c->p);
    c->q = bench_alloc(c->n * sizeof *c->q);
    size_t k = 0;
    for (size_t i = 0; i < c->n; i++) {
        const size_t across = i % side;
        const bool has[5] = {i >= side, across > 0, true, across + 1 < side, i + side < c->n};
        const size_t at[5] = {i - side, i - 1, i, i + 1, i + side};
        for (int m = 0; m < 5; m++) {
            if (has[m]) {
                c->column[k] = (uint32_t)at[m];
                c->value[k++] = m == 2 ? 4 : -1;
            }
        }
        c->row[i + 1] = k;
    }
    return c;
}

static double digest(const void *ctx)
{
    const cg *c = ctx;
    double total = 0;
    for (size_t i = 0; i < c->n; i++)
        total += c->x[i];
    return total;
}

static const bench_point points[] = {
    {.name = "32x32", .parameter = 32},
    {.name = "256x256", .parameter = 256, .quick = true},
    {0},
};

const bench_workload bench_cg = {
    .name = "cg",
    .title = "Program: 25 iterations of conjugate gradients, by the grid's sides",
    .points = points,
    .tolerance = 1e-9,
    .setup = setup,
    .run = run,
    .digest = digest,
};
