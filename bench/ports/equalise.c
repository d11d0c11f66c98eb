#include "port.h"

#define main PORT(equalise_main)
#include <equalise.c> /* NOLINT(bugprone-suspicious-include): the program as it stands */

PORT_DECLARE(equalise);

typedef struct image {
    size_t n;
    unsigned char *from, *to;
} image;

void PORT(equalise)(void *ctx)
{
    const image *m = ctx;
    equalise(m->n, m->from, m->to);
}

#ifdef BENCH_PORT_SERIAL
static void *setup(const bench_point *point, const bench_runtime *runtime)
{
    (void)runtime;
    image *m = bench_alloc(sizeof *m);
    m->n = point->n;
    m->from = bench_alloc(m->n);
    m->to = bench_alloc(m->n);
    fill(m->n, m->from);
    return m;
}

static double digest(const void *ctx)
{
    const image *m = ctx;
    double total = 0;
    for (size_t i = 0; i < m->n; i++)
        total += (double)(i % 7 + 1) * m->to[i];
    return total;
}

static const bench_point points[] = {
    {.name = "1e4", .n = 10000},
    {.name = "1e6", .n = 1000000, .quick = true},
    {.name = "1.6e7", .n = 16000000},
    {0},
};

PORT_WORKLOAD(equalise, "histogram equalisation, by pixels", 0);
#endif
