#include "port.h"

#define main PORT(hotspot_main)
#include <hotspot.c> /* NOLINT(bugprone-suspicious-include): the program as it stands */

PORT_DECLARE(hotspot);

enum { HOTSPOT_STEPS = 10 };
typedef struct hotspot {
    size_t n;
    double *t, *next, *power, total;
} hotspot;

void PORT(hotspot)(void *ctx)
{
    hotspot *h = ctx;
    h->total = heat(h->n, HOTSPOT_STEPS, h->t, h->next, h->power);
}

#ifdef BENCH_PORT_SERIAL
static void *setup(const bench_point *point, const bench_runtime *runtime)
{
    (void)runtime;
    hotspot *h = bench_alloc(sizeof *h);
    h->n = point->n;
    h->t = bench_alloc(h->n * h->n * sizeof *h->t);
    h->next = bench_alloc(h->n * h->n * sizeof *h->next);
    h->power = bench_alloc(h->n * h->n * sizeof *h->power);
    fill(h->n, h->t, h->power);
    return h;
}

static double digest(const void *ctx)
{
    const hotspot *h = ctx;
    return h->total + (double)hottest_of(h->n * h->n, h->t);
}

static const bench_point points[] = {
    {.name = "64", .n = 64},
    {.name = "512", .n = 512, .quick = true},
    {.name = "2048", .n = 2048, .bytes = 100663296},
    {0},
};

PORT_WORKLOAD(hotspot, "ten steps of hotspot, by the side of the square", 1e-10);
#endif
