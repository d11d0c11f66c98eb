#include "port.h"

#define main PORT(kmeans_main)
#include <kmeans.c> /* NOLINT(bugprone-suspicious-include): the program as it stands */

PORT_DECLARE(kmeans);

typedef struct port_kmeans {
    size_t n, rounds;
    float (*p)[DIMS];
    unsigned char *own;
    double spread;
} port_kmeans;

void PORT(kmeans)(void *ctx)
{
    port_kmeans *m = ctx;
    m->rounds = cluster(m->n, m->p, m->own, &m->spread);
}

#ifdef BENCH_PORT_SERIAL
static void *setup(const bench_point *point, const bench_runtime *runtime)
{
    (void)runtime;
    port_kmeans *m = bench_alloc(sizeof *m);
    m->n = point->n;
    m->p = bench_alloc(m->n * sizeof *m->p);
    m->own = bench_alloc(m->n);
    fill(m->n, m->p);
    return m;
}

static double digest(const void *ctx)
{
    const port_kmeans *m = ctx;
    return m->spread * (double)m->rounds;
}

static const bench_point points[] = {
    {.name = "1000", .n = 1000},
    {.name = "10000", .n = 10000, .quick = true},
    {.name = "100000", .n = 100000},
    {0},
};

PORT_WORKLOAD(kmeans, "k-means to its end, 12 clusters in 8 dimensions, by points", 1e-9);
#endif
