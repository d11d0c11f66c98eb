/* One pass that fills an array and sums: the forces on the beads of a chain of springs, and the
 * energy of the springs. Then the bead that is pulled most. */
#include <math.h>
#include <para/para.h>
#include <stdio.h>
#include <string.h>

enum { n = 500000 };

static double stretch(const double *x, size_t i)
{
    return x[i + 1] - x[i] - 1;
}

/* The body returns its share of the sum, and writes what belongs to its bead. */
PARA_SUM(pull, double, i, double, k, const double *, x, double *, force)
{
    const double left = i > 0 ? stretch(x, i - 1) : 0, right = i + 1 < n ? stretch(x, i) : 0;
    force[i] = k * (right - left);
    return 0.5 * k * right * right;
}

PARA_MAXLOC(strongest, double, i, const double *, force)
{
    return fabs(force[i]);
}

int main(void)
{
    static double x[n], force[n], again[n];
    for (int i = 0; i < n; i++)
        x[i] = i + 0.1 * sin(i * 0.37);

    const double energy = para_reduced(pull, n, 2.5, x, force);
    const strongest_at most = para_reduced(strongest, n, force);

    /* With a setup: here the same on the calling thread alone. The bits are the same. */
    double serial;
    const para_setup alone = {.options = {.executor = PARA_EXECUTOR_SERIAL}};
    if (para_reduce_with(&alone, &serial, pull, n, 2.5, x, again)) {
        fprintf(stderr, "energy: %s\n", para_status_detail());
        return 1;
    }

    size_t at = 0;
    for (size_t i = 0; i < n; i++)
        at = fabs(force[i]) > fabs(force[at]) ? i : at;
    printf("energy %.17g; bead %zu is pulled by %g\n", energy, most.index, most.value);
    return energy == serial && memcmp(force, again, sizeof force) == 0 && most.index == at ? 0 : 1;
}
