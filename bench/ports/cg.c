#include "port.h"

#define main PORT(cg_main)
#include <cg.c> /* NOLINT(bugprone-suspicious-include): the program as it stands */

PORT_DECLARE(cg);

typedef struct port_cg {
    matrix m;
    double *x, *r, *p, *q, square;
    int rounds;
} port_cg;

void PORT(cg)(void *ctx)
{
    port_cg *c = ctx;
    c->rounds = solve(c->m, c->x, c->r, c->p, c->q, &c->square);
}

#ifdef BENCH_PORT_SERIAL
static void *setup(const bench_point *point, const bench_runtime *runtime)
{
    (void)runtime;
    const size_t rows = point->n * point->n * point->n;
    port_cg *c = bench_alloc(sizeof *c);
    c->m.first = bench_alloc((rows + 1) * sizeof *c->m.first);
    c->m.column = bench_alloc(27 * rows * sizeof *c->m.column);
    c->m.value = bench_alloc(27 * rows * sizeof *c->m.value);
    c->x = bench_alloc(rows * sizeof *c->x);
    c->r = bench_alloc(rows * sizeof *c->r);
    c->p = bench_alloc(rows * sizeof *c->p);
    c->q = bench_alloc(rows * sizeof *c->q);
    fill((int)point->n, &c->m);
    return c;
}

static double digest(const void *ctx)
{
    const port_cg *c = ctx;
    double total = 0;
    for (size_t i = 0; i < c->m.rows; i++)
        total += c->x[i];
    return total * c->rounds;
}

static const bench_point points[] = {
    {.name = "8", .n = 8},
    {.name = "16", .n = 16, .quick = true},
    {.name = "40", .n = 40},
    {0},
};

PORT_WORKLOAD(cg, "conjugate gradients to their end, by the side of the cube", 1e-8);
#endif
