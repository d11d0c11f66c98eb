/* Sums and dot products of doubles, from a hundred elements to a hundred million. */
#include "workload.h"

typedef struct sum {
    size_t n;
    bool dot;
    double *x, *y;
    double result;
} sum;

/* Eight sums grow side by side, in vectors by name: gcc's -O2 keeps an array of them in memory, and
 * then a long run waits for each of its stores, and takes a third longer than many short ones. */
enum { LANES = 8 };
typedef double pair __attribute__((vector_size(2 * sizeof(double)), aligned(sizeof(double))));

BENCH_SUM(sum_plain)
{
    const sum *s = ctx;
    pair a = {0}, b = {0}, c = {0}, d = {0};
    double rest = 0;
    size_t i = first;
    for (; i + LANES <= last; i += LANES) {
        const pair *x = (const pair *)(s->x + i);
        a += x[0];
        b += x[1];
        c += x[2];
        d += x[3];
    }
    for (; i < last; i++)
        rest += s->x[i];
    const pair total = (a + c) + (b + d);
    return total[0] + total[1] + rest;
}

BENCH_SUM(sum_dot)
{
    const sum *s = ctx;
    pair a = {0}, b = {0}, c = {0}, d = {0};
    double rest = 0;
    size_t i = first;
    for (; i + LANES <= last; i += LANES) {
        const pair *x = (const pair *)(s->x + i), *y = (const pair *)(s->y + i);
        a += x[0] * y[0];
        b += x[1] * y[1];
        c += x[2] * y[2];
        d += x[3] * y[3];
    }
    for (; i < last; i++)
        rest += s->x[i] * s->y[i];
    const pair total = (a + c) + (b + d);
    return total[0] + total[1] + rest;
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
