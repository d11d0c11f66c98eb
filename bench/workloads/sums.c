/* Sums and dot products of doubles, from a hundred elements to a hundred million. */
#include "workload.h"

typedef struct sum {
    size_t n;
    bool dot;
    double *x, *y;
    double result;
} sum;

enum { LANES = 8 };

static double fold(const double *lane)
{
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) +
           ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

BENCH_SUM(sum_plain)
{
    const sum *s = ctx;
    const double *x = s->x;
    double lane[LANES] = {0};
    size_t i = first;
    for (; i + LANES <= last; i += LANES)
        for (size_t k = 0; k < LANES; k++)
            lane[k] += x[i + k];
    for (; i < last; i++)
        lane[0] += x[i];
    return fold(lane);
}

BENCH_SUM(sum_dot)
{
    const sum *s = ctx;
    const double *x = s->x, *y = s->y;
    double lane[LANES] = {0};
    size_t i = first;
    for (; i + LANES <= last; i += LANES)
        for (size_t k = 0; k < LANES; k++)
            lane[k] += x[i + k] * y[i + k];
    for (; i < last; i++)
        lane[0] += x[i] * y[i];
    return fold(lane);
}

BENCH_LOOP(sum_fill)
{
    const sum *s = ctx;
    for (size_t i = first; i < last; i++) {
        s->x[i] = 1.0 / (double)(i % 1000 + 1);
        if (s->dot)
            s->y[i] = (double)(i % 10 + 1);
    }
}

static void *setup(const bench_point *point, const bench_runtime *runtime)
{
    sum *s = bench_alloc(sizeof *s);
    s->n = point->n;
    s->dot = point->parameter != 0;
    s->x = bench_alloc(s->n * sizeof *s->x);
    if (s->dot)
        s->y = bench_alloc(s->n * sizeof *s->y);
    runtime->for_each(s->n, &sum_fill, s);
    return s;
}

static void run(void *ctx, const bench_runtime *runtime)
{
    sum *s = ctx;
    s->result = runtime->sum(s->n, s->dot ? &sum_dot : &sum_plain, s);
}

static double digest(const void *ctx)
{
    const sum *s = ctx;
    return s->result;
}

#define AT(count, ...)                                           \
    {                                                            \
        .name = "sum-" #count, .n = (size_t)(count), __VA_ARGS__ \
    }
#define DOT(count, ...)                                                          \
    {                                                                            \
        .name = "dot-" #count, .n = (size_t)(count), .parameter = 1, __VA_ARGS__ \
    }
static const bench_point points[] = {
    AT(1e2, .quick = true),
    AT(1e3, .quick = true),
    AT(1e4, .quick = true),
    AT(1e5),
    AT(1e6, .quick = true),
    AT(1e7, .bytes = 80000000),
    AT(1e8, .bytes = 800000000),
    DOT(1e2),
    DOT(1e3),
    DOT(1e4, .quick = true),
    DOT(1e5),
    DOT(1e6, .quick = true),
    DOT(1e7, .bytes = 160000000),
    {0},
};

const bench_workload bench_sums = {
    .name = "sum",
    .title = "Sum and dot product of doubles, by elements",
    .points = points,
    .tolerance = 1e-10,
    .setup = setup,
    .run = run,
    .digest = digest,
};
