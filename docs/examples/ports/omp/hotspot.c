/* Hotspot: how a chip warms up, given the power of each place, after Rodinia's program. Prints the
 * sum of all temperatures and the hottest place. */
#include <stdio.h>
#include <stdlib.h>

static const double capacity = 0.05, across = 0.1, along = 0.1, up = 0.0125, ambient = 80;

static double step(size_t n, const double *restrict old, const double *restrict power,
                   double *restrict now)
{
    double total = 0;
#pragma omp parallel for reduction(+ : total)
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            const size_t at = i * n + j;
            const double north = old[i > 0 ? at - n : at], south = old[i + 1 < n ? at + n : at];
            /* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign): n * n does not wrap */
            const double west = old[j > 0 ? at - 1 : at], east = old[j + 1 < n ? at + 1 : at];
            now[at] = old[at] +
                      capacity * (power[at] + (north + south - 2 * old[at]) * along +
                                  (west + east - 2 * old[at]) * across + (ambient - old[at]) * up);
            total += now[at];
        }
    return total;
}

static size_t hottest_of(size_t n, const double *t)
{
    size_t hottest = 0;
#pragma omp parallel
    {
        size_t mine = 0;
#pragma omp for nowait
        for (size_t i = 0; i < n; i++)
            if (t[i] > t[mine])
                mine = i;
#pragma omp critical
        if (t[mine] > t[hottest] || (t[mine] == t[hottest] && mine < hottest))
            hottest = mine;
    }
    return hottest;
}

static void fill(size_t n, double *t, double *power)
{
    for (size_t at = 0; at < n * n; at++) {
        t[at] = ambient;
        power[at] = (double)(at * 7919 % 1009) / 100;
    }
}

/* After so many steps, an even number, the temperatures are in t again. */
static double heat(size_t n, int steps, double *t, double *next, const double *power)
{
    double total = 0;
    for (int s = 0; s < steps; s++) {
        total = step(n, t, power, next);
        double *const swap = t;
        t = next;
        next = swap;
    }
    return total;
}

int main(int argc, char **argv)
{
    const size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 500;
    double *t = malloc(n * n * sizeof *t), *next = malloc(n * n * sizeof *next);
    double *power = malloc(n * n * sizeof *power);
    if (!t || !next || !power)
        exit(1);
    fill(n, t, power);
    const double total = heat(n, 100, t, next, power);
    const size_t hottest = hottest_of(n * n, t);
    printf("total %.9g, hottest %.9g at %zu\n", total, t[hottest], hottest);
    free(t);
    free(next);
    free(power);
    return 0;
}
