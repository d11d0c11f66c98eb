/* Molecular dynamics: particles in a box that attract and repel each other by the potential of
 * Lennard and Jones, all pairs within reach. Prints the energy after some steps, each of them
 * velocity Verlet's. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { STEPS = 10 };
static const double box = 10, reach = 2.5, dt = 1e-3;

typedef struct bodies {
    double *x[3], *v[3], *f[3];
} bodies;

/* The nearest of a distance's images: the box repeats itself. */
static double image(double d)
{
    return d > box / 2 ? d - box : d < -box / 2 ? d + box : d;
}

static double push(size_t n, bodies b)
{
    double total = 0;
#pragma omp parallel for reduction(+ : total)
    for (size_t i = 0; i < n; i++) {
        double fx = 0, fy = 0, fz = 0, energy = 0;
#pragma omp simd reduction(+ : fx, fy, fz, energy)
        for (size_t j = 0; j < n; j++) {
            const double dx = image(b.x[0][i] - b.x[0][j]), dy = image(b.x[1][i] - b.x[1][j]);
            const double dz = image(b.x[2][i] - b.x[2][j]), square = dx * dx + dy * dy + dz * dz;
            const double r2 = square > 0 && square < reach * reach ? square : INFINITY;
            const double r6 = 1 / (r2 * r2 * r2), pull = 24 * (2 * r6 - 1) * r6 / r2;
            fx += pull * dx;
            fy += pull * dy;
            fz += pull * dz;
            energy += 2 * (r6 - 1) * r6;
        }
        b.f[0][i] = fx;
        b.f[1][i] = fy;
        b.f[2][i] = fz;
        total += energy;
    }
    return total;
}

static void move(size_t n, bodies b)
{
#pragma omp parallel for
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < 3; k++) {
            b.v[k][i] += dt / 2 * b.f[k][i];
            b.x[k][i] += dt * b.v[k][i];
            b.x[k][i] -= box * floor(b.x[k][i] / box);
        }
}

static double hasten(size_t n, bodies b)
{
    double total = 0;
#pragma omp parallel for reduction(+ : total)
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < 3; k++) {
            b.v[k][i] += dt / 2 * b.f[k][i];
            total += b.v[k][i] * b.v[k][i] / 2;
        }
    return total;
}

static double simulate(size_t n, bodies b)
{
    double potential = push(n, b), kinetic = 0;
    for (int s = 0; s < STEPS; s++) {
        move(n, b);
        potential = push(n, b);
        kinetic = hasten(n, b);
    }
    return potential + kinetic;
}

static void fill(size_t n, bodies b)
{
    const size_t side = (size_t)ceil(cbrt((double)n));
    for (size_t i = 0; i < n; i++) {
        const size_t place[] = {i % side, i / side % side, i / side / side};
        for (int k = 0; k < 3; k++) {
            b.x[k][i] = ((double)place[k] + 0.5) * box / (double)side;
            b.v[k][i] = (double)((i * 7919 + (size_t)k * 104729) % 1009) / 1009 - 0.5;
        }
    }
}

int main(int argc, char **argv)
{
    const size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
    double *const all = malloc(9 * n * sizeof *all);
    if (!all)
        exit(1);
    const bodies b = {{all, all + n, all + 2 * n},
                      {all + 3 * n, all + 4 * n, all + 5 * n},
                      {all + 6 * n, all + 7 * n, all + 8 * n}};
    fill(n, b);
    printf("%zu bodies, energy %.9g\n", n, simulate(n, b));
    free(all);
    return 0;
}
