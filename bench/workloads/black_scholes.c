/* Prices of European calls and puts (Black and Scholes, "The Pricing of Options and Corporate
 * Liabilities", J. Political Economy 81(3), 1973), and the value of all of them. */
#include "workload.h"
#include <math.h>

#define RATE       0.02
#define VOLATILITY 0.3

typedef struct options {
    size_t n;
    double *spot, *strike, *years, *call, *put;
    double total;
} options;

static double normal_below(double x)
{
    return 0.5 * erfc(-x * 0.70710678118654752440);
}

BENCH_LOOP(options_price)
{
    const options *o = ctx;
    for (size_t i = first; i < last; i++) {
        const double spread = VOLATILITY * sqrt(o->years[i]);
        const double growth = (RATE + 0.5 * VOLATILITY * VOLATILITY) * o->years[i];
        const double d1 = (log(o->spot[i] / o->strike[i]) + growth) / spread;
        const double d2 = d1 - spread;
        const double owed = o->strike[i] * exp(-RATE * o->years[i]);
        o->call[i] = o->spot[i] * normal_below(d1) - owed * normal_below(d2);
        o->put[i] = owed * normal_below(-d2) - o->spot[i] * normal_below(-d1);
    }
}

BENCH_SUM(options_total)
{
    const options *o = ctx;
    double total = 0;
    for (size_t i = first; i < last; i++)
        total += o->call[i] + o->put[i];
    return total;
}

static void run(void *ctx, const bench_runtime *runtime)
{
    options *o = ctx;
    runtime->for_each(o->n, &options_price, o);
    o->total = runtime->sum(o->n, &options_total, o);
}

static void *setup(const bench_point *point, const bench_runtime *runtime)
{
    (void)runtime;
    uint64_t random = 1;
    options *o = bench_alloc(sizeof *o);
    o->n = point->n;
    double **const arrays[] = {&o->spot, &o->strike, &o->years, &o->call, &o->put};
    for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++)
        *arrays[k] = bench_alloc(o->n * sizeof(double));
    for (size_t i = 0; i < o->n; i++) {
        o->spot[i] = 5 + 25 * bench_uniform(&random);
        o->strike[i] = 1 + 99 * bench_uniform(&random);
        o->years[i] = 0.25 + 9.75 * bench_uniform(&random);
    }
    return o;
}

static double digest(const void *ctx)
{
    const options *o = ctx;
    return o->total;
}

static const bench_point points[] = {
    {.name = "1000", .n = 1000},
    {.name = "50000", .n = 50000, .quick = true},
    {0},
};

const bench_workload bench_black_scholes = {
    .name = "black-scholes",
    .title = "Program: option prices and their total, by options",
    .points = points,
    .tolerance = 1e-10,
    .setup = setup,
    .run = run,
    .digest = digest,
};
