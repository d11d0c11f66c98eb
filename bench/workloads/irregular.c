/* Loops whose items cost very different amounts, nothing tuned for any of them. */
#include "workload.h"
#include <math.h>

typedef struct irregular {
    size_t n;
    const bench_loop *loop;
    uint32_t *steps; /* of each item's chain */
    uint32_t *out;
    size_t *row; /* the product of a sparse matrix with x */
    uint32_t *column;
    double *value, *x, *y;
} irregular;

BENCH_LOOP(irregular_chains)
{
    const irregular *r = ctx;
    uint64_t previous = bench_last;
    for (size_t i = first; i < last; i++) {
        previous = bench_chain(bench_after(i, previous), r->steps[i]);
        r->out[i] = (uint32_t)previous;
    }
    bench_last = previous;
}

BENCH_LOOP(irregular_csr)
{
    const irregular *r = ctx;
    for (size_t i = first; i < last; i++) {
        double total = 0;
        for (size_t k = r->row[i]; k < r->row[i + 1]; k++)
            total += r->value[k] * r->x[r->column[k]];
        r->y[i] = total;
    }
}

/* Rows of the Mandelbrot set, as wide as there are rows. */
BENCH_LOOP(irregular_mandelbrot)
{
    const irregular *r = ctx;
    const double step = 3.0 / (double)r->n;
    for (size_t i = first; i < last; i++) {
        uint32_t total = 0;
        for (size_t j = 0; j < r->n; j++) {
            const double re = -2.2 + step * (double)j, im = -1.5 + step * (double)i;
            double a = 0, b = 0;
            unsigned k = 0;
            for (; k < 200 && a * a + b * b <= 4; k++) {
                const double next = a * a - b * b + re;
                b = 2 * a * b + im;
                a = next;
            }
            total += k;
        }
        r->out[i] = total;
    }
}

typedef enum shape { TRIANGULAR, CSR, MANDELBROT, LOGNORMAL, LAST, DEAR } shape;

/* Steps of item i; their means are near 60 for lognormal, 11 for dear, 100 for the others' last
 * part. */
static double steps_of(shape s, size_t i, size_t n, uint64_t *random)
{
    switch (s) {
    case TRIANGULAR:
        return (double)i;
    case LAST:
        return i >= n - n / 100 ? 1000 : 0;
    case DEAR:
        return bench_uniform(random) < 0.01 ? 2000 : 2;
    default: { /* Box and Muller, "A Note on the Generation of Random Normal Deviates", 1958 */
        const double radius = sqrt(-2 * log(bench_uniform(random)));
        return exp(3 + 1.5 * radius * cos(6.283185307179586 * bench_uniform(random)));
    }
    }
}

/* Rows with a number of entries that follows a power law, none above n / 8; their places are
 * random. */
static void make_matrix(irregular *r)
{
    uint64_t random = 2;
    r->row = bench_alloc((r->n + 1) * sizeof *r->row);
    for (size_t i = 0; i < r->n; i++) {
        const double entries = fmin(2 * pow(bench_uniform(&random), -1 / 1.2), (double)r->n / 8);
        r->row[i + 1] = r->row[i] + (size_t)entries;
    }
    const size_t all = r->row[r->n];
    r->column = bench_alloc(all * sizeof *r->column);
    r->value = bench_alloc(all * sizeof *r->value);
    for (size_t k = 0; k < all; k++) {
        r->column[k] = (uint32_t)(bench_uniform(&random) * (double)r->n);
        r->value[k] = bench_uniform(&random);
    }
    r->x = bench_alloc(r->n * sizeof *r->x);
    for (size_t i = 0; i < r->n; i++)
        r->x[i] = bench_uniform(&random);
    r->y = bench_alloc(r->n * sizeof *r->y);
}

static void *setup(const bench_point *point, const bench_runtime *runtime)
{
    (void)runtime;
    irregular *r = bench_alloc(sizeof *r);
    const shape s = (shape)point->parameter;
    uint64_t random = 1;
    r->n = point->n;
    r->out = bench_alloc(r->n * sizeof *r->out);
    if (s == CSR) {
        r->loop = &irregular_csr;
        make_matrix(r);
    } else if (s == MANDELBROT) {
        r->loop = &irregular_mandelbrot;
    } else {
        r->loop = &irregular_chains;
        r->steps = bench_alloc(r->n * sizeof *r->steps);
        for (size_t i = 0; i < r->n; i++)
            r->steps[i] = (uint32_t)fmin(steps_of(s, i, r->n, &random), 100000);
    }
    return r;
}

static void run(void *ctx, const bench_runtime *runtime)
{
    const irregular *r = ctx;
    runtime->for_each(r->n, r->loop, r);
}

static double digest(const void *ctx)
{
    const irregular *r = ctx;
    double total = 0;
    for (size_t i = 0; i < r->n; i++)
        total += (double)(i % 7 + 1) * (r->y ? r->y[i] : r->out[i]);
    return total;
}

static const bench_point points[] = {
    {.name = "triangular", .n = 1000, .parameter = TRIANGULAR, .quick = true},
    {.name = "csr", .n = 50000, .parameter = CSR, .quick = true},
    {.name = "mandelbrot", .n = 128, .parameter = MANDELBROT, .quick = true},
    {.name = "lognormal", .n = 10000, .parameter = LOGNORMAL, .quick = true},
    {.name = "last-percent", .n = 50000, .parameter = LAST, .quick = true},
    {.name = "dear-percent", .n = 50000, .parameter = DEAR, .quick = true},
    {.name = "triangular-small", .n = 250, .parameter = TRIANGULAR},
    {.name = "csr-small", .n = 5000, .parameter = CSR},
    {.name = "mandelbrot-small", .n = 32, .parameter = MANDELBROT},
    {.name = "lognormal-small", .n = 500, .parameter = LOGNORMAL},
    {.name = "last-percent-small", .n = 5000, .parameter = LAST},
    {.name = "dear-percent-small", .n = 3000, .parameter = DEAR},
    {0},
};

const bench_workload bench_irregular = {
    .name = "irregular",
    .title = "Items of very different cost",
    .points = points,
    .setup = setup,
    .run = run,
    .digest = digest,
};
