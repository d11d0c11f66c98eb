/* A picture of the Mandelbrot set, pixel by pixel, by the escape time (Peitgen and Richter, "The
 * Beauty of Fractals", 1986): iterations until |z| > 2, then a second pass from iterations to grey
 * values. */
#include "workload.h"

enum { ITERATIONS = 256 };

typedef struct picture {
    size_t side;
    uint16_t *iterations;
    uint8_t *grey;
} picture;

BENCH_LOOP(picture_escape)
{
    const picture *p = ctx;
    const double step = 3.0 / (double)p->side;
    for (size_t i = first; i < last; i++) {
        const size_t row = i / p->side, column = i % p->side;
        const double re = -2.2 + step * (double)column, im = -1.5 + step * (double)row;
        double a = 0, b = 0;
        unsigned k = 0;
        for (; k < ITERATIONS && a * a + b * b <= 4; k++) {
            const double next = a * a - b * b + re;
            b = 2 * a * b + im;
            a = next;
        }
        p->iterations[i] = (uint16_t)k;
    }
}

BENCH_LOOP(picture_shade)
{
    const picture *p = ctx;
    for (size_t i = first; i < last; i++)
        p->grey[i] =
            (uint8_t)(p->iterations[i] == ITERATIONS ? 0 : 255 - p->iterations[i] * 5 % 256);
}

static void run(void *ctx, const bench_runtime *runtime)
{
    const picture *p = ctx;
    runtime->for_each(p->side * p->side, &picture_escape, p);
    runtime->for_each(p->side * p->side, &picture_shade, p);
}

static void *setup(const bench_point *point, const bench_runtime *runtime)
{
    (void)runtime;
    picture *p = bench_alloc(sizeof *p);
    p->side = point->n;
    p->iterations = bench_alloc(p->side * p->side * sizeof *p->iterations);
    p->grey = bench_alloc(p->side * p->side * sizeof *p->grey);
    return p;
}

static double digest(const void *ctx)
{
    const picture *p = ctx;
    double total = 0;
    for (size_t i = 0; i < p->side * p->side; i++)
        total += (double)(i % 7 + 1) * p->grey[i];
    return total;
}

static const bench_point points[] = {
    {.name = "32x32", .n = 32},
    {.name = "200x200", .n = 200, .quick = true},
    {0},
};

const bench_workload bench_mandelbrot = {
    .name = "mandelbrot",
    .title = "Program: a picture of the Mandelbrot set",
    .points = points,
    .setup = setup,
    .run = run,
    .digest = digest,
};
