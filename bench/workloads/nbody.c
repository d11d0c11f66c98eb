/* Gravity among n bodies: accelerations by direct summation with Plummer softening (Aarseth,
 * "Gravitational N-Body Simulations", 2003, section 2.2), then one leapfrog step. */
#include "workload.h"
#include <math.h>

typedef struct nbody {
    size_t n;
    double *x[3], *v[3], *a[3], *mass;
} nbody;

#define STEP     1e-4
#define SOFTENED 1e-2

BENCH_LOOP(nbody_accelerate)
{
    const nbody *b = ctx;
    const double *x = b->x[0], *y = b->x[1], *z = b->x[2];
    for (size_t i = first; i < last; i++) {
        double ax = 0, ay = 0, az = 0;
        for (size_t j = 0; j < b->n; j++) {
            const double dx = x[j] - x[i], dy = y[j] - y[i], dz = z[j] - z[i];
            const double square = dx * dx + dy * dy + dz * dz + SOFTENED;
            const double pull = b->mass[j] / (square * sqrt(square));
            ax += pull * dx;
            ay += pull * dy;
            az += pull * dz;
        }
        b->a[0][i] = ax;
        b->a[1][i] = ay;
        b->a[2][i] = az;
    }
}

BENCH_LOOP(nbody_move)
{
    const nbody *b = ctx;
    for (int k = 0; k < 3; k++) {
        double *restrict x = b->x[k], *restrict v = b->v[k];
        const double *restrict a = b->a[k];
        for (size_t i = first; i < last; i++) {
            v[i] += STEP * a[i];
            x[i] += STEP * v[i];
        }
    }
}

static void *setup(const bench_point *point, const bench_runtime *runtime)
{
    (void)runtime;
    uint64_t random = 1;
    nbody *b = bench_alloc(sizeof *b);
    b->n = point->n;
    b->mass = bench_alloc(b->n * sizeof *b->mass);
    for (int k = 0; k < 3; k++) {
        b->x[k] = bench_alloc(b->n * sizeof *b->x[k]);
        b->v[k] = bench_alloc(b->n * sizeof *b->v[k]);
        b->a[k] = bench_alloc(b->n * sizeof *b->a[k]);
        for (size_t i = 0; i < b->n; i++)
            b->x[k][i] = bench_uniform(&random);
    }
    for (size_t i = 0; i < b->n; i++)
        b->mass[i] = bench_uniform(&random) / (double)b->n;
    return b;
}

static void run(void *ctx, const bench_runtime *runtime)
{
    const nbody *b = ctx;
    runtime->for_each(b->n, &nbody_accelerate, b);
    runtime->for_each(b->n, &nbody_move, b);
}

static double digest(const void *ctx)
{
    const nbody *b = ctx;
    double total = 0;
    for (size_t i = 0; i < b->n; i++)
        total += b->x[0][i] + 2 * b->x[1][i] + 3 * b->x[2][i];
    return total;
}

static const bench_point points[] = {
    {.name = "128", .n = 128},
    {.name = "1024", .n = 1024, .quick = true},
    {0},
};

const bench_workload bench_nbody = {
    .name = "nbody",
    .title = "Program: one step of n bodies",
    .points = points,
    .setup = setup,
    .run = run,
    .digest = digest,
};
