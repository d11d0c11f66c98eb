/* z = a * x + y: a loop, with a parameter besides the arrays. */
#include <para/para.h>
#include <stdio.h>

enum { n = 1000000 };
static float x[n], y[n], z[n];

/* After the index, each parameter's type and name; arguments of a call stand in the same order. */
PARA_LOOP(axpy, i, float, factor, const float *, u, const float *, v, float *, w)
{
    w[i] = factor * u[i] + v[i];
}

int main(void)
{
    for (int i = 0; i < n; i++) {
        x[i] = (float)i;
        y[i] = (float)(n - i);
    }

    const float a = 0.5f;
    const para_status status = para_loop(axpy, n, a, x, y, z);
    if (status != PARA_OK) {
        fprintf(stderr, "axpy: %s %s\n", para_status_text(status), para_status_detail());
        return 1;
    }

    for (int i = 0; i < n; i++)
        if (z[i] != a * x[i] + y[i]) {
            fprintf(stderr, "axpy: element %d differs from the serial loop\n", i);
            return 1;
        }
    printf("z = %g * x + y for %d values, z[1] = %g\n", (double)a, n, (double)z[1]);
    return 0;
}
