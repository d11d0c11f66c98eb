#include "port.h"

#define main PORT(nw_main)
#include <nw.c> /* NOLINT(bugprone-suspicious-include): the program as it stands */

PORT_DECLARE(nw);

typedef struct nw {
    size_t n;
    char *a, *b;
    int *score;
} nw;

void PORT(nw)(void *ctx)
{
    const nw *w = ctx;
    align(w->n, w->a, w->b, w->score);
}

#ifdef BENCH_PORT_SERIAL
static void *setup(const bench_point *point, const bench_runtime *runtime)
{
    (void)runtime;
    nw *w = bench_alloc(sizeof *w);
    w->n = point->n;
    w->a = bench_alloc(w->n);
    w->b = bench_alloc(w->n);
    w->score = bench_alloc((w->n + 1) * (w->n + 1) * sizeof *w->score);
    fill(w->n, w->a, w->b);
    return w;
}

static double digest(const void *ctx)
{
    const nw *w = ctx;
    return w->score[w->n * (w->n + 1) + w->n] * 1e6 + (double)agreeing(w->n, w->a, w->b, w->score);
}

static const bench_point points[] = {
    {.name = "256", .n = 256},
    {.name = "1024", .n = 1024, .quick = true},
    {.name = "4096", .n = 4096, .bytes = 67141636},
    {0},
};

PORT_WORKLOAD(nw, "alignment by Needleman and Wunsch, by letters", 0);
#endif
