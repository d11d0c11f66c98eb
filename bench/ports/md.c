#include "port.h"

#define main PORT(md_main)
#include <md.c> /* NOLINT(bugprone-suspicious-include): the program as it stands */

PORT_DECLARE(md);

typedef struct md {
    size_t n;
    bodies b;
    double energy;
} md;

void PORT(md)(void *ctx)
{
    md *m = ctx;
    m->energy = simulate(m->n, m->b);
}

#ifdef BENCH_PORT_SERIAL
static void *setup(const bench_point *point, const bench_runtime *runtime)
{
    (void)runtime;
    md *m = bench_alloc(sizeof *m);
    m->n = point->n;
    for (int k = 0; k < 3; k++) {
        m->b.x[k] = bench_alloc(m->n * sizeof(double));
        m->b.v[k] = bench_alloc(m->n * sizeof(double));
        m->b.f[k] = bench_alloc(m->n * sizeof(double));
    }
    fill(m->n, m->b);
    return m;
}

static double digest(const void *ctx)
{
    const md *m = ctx;
    return m->energy;
}

static const bench_point points[] = {
    {.name = "64", .n = 64},
    {.name = "250", .n = 250, .quick = true},
    {.name = "1000", .n = 1000},
    {0},
};

PORT_WORKLOAD(md, "ten steps of molecular dynamics, by bodies", 1e-9);
#endif
