/* z = a * x + y: two arrays in, one out, and a parameter that reaches the kernel through arg. */
#include <para/para.h>
#include <stdio.h>

enum { n = 1000000 };
static float x[n], y[n], z[n];

/* In the expression, arg is the call's argument: a const void * to whatever the call was given. */
PARA_MAP2_KERNEL(axpy, float, float, u, float, v, (*(const float *)arg * u) + v)

int main(void)
{
    for (int i = 0; i < n; i++) {
        x[i] = (float)i;
        y[i] = (float)(n - i);
    }

    const float a = 0.5f;
    const para_map call = {
        .kernel = axpy,
        .arg = &a, /* lives as long as the call: para keeps no copy */
        .count = n,
        .in = {PARA_IN(x), PARA_IN(y)},
        .out = {PARA_OUT(z)},
    };
    const para_status status = para_pmap(NULL, &call);
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
