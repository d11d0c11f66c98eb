/* In place: the output is the input. Both views must be exactly the same; anything in between, such
 * as an array shifted by one, is refused before the kernel sees it. */
#include <math.h>
#include <para/para.h>
#include <stdio.h>

enum { n = 100000 };
static double x[n];

/* Kernels made by PARA_MAP_KERNEL may run in place: each element is read before it is written. */
PARA_MAP_KERNEL(celsius, double, double, fahrenheit, (fahrenheit - 32) * 5 / 9)

int main(void)
{
    for (int i = 0; i < n; i++)
        x[i] = i * 0.01;

    const para_map call = {
        .kernel = celsius,
        .count = n,
        .in = {PARA_IN(x)},
        .out = {PARA_OUT(x)},
    };
    const para_status status = para_pmap(NULL, &call);
    if (status != PARA_OK) {
        fprintf(stderr, "in_place: %s %s\n", para_status_text(status), para_status_detail());
        return 1;
    }
    for (int i = 0; i < n; i++)
        /* but for rounding: compilers may fuse a multiplication and an addition, here or there */
        if (fabs(x[i] - (i * 0.01 - 32) * 5 / 9) > 1e-12) {
            fprintf(stderr, "in_place: element %d differs from the serial loop\n", i);
            return 1;
        }
    printf("%d temperatures converted in place, from %g to %g\n", n, x[0], x[n - 1]);

    /* Workers would overwrite what their neighbours have yet to read, so para says no. */
    const para_map shifted = {
        .kernel = celsius,
        .count = n - 1,
        .in = {PARA_IN(x)},
        .out = {PARA_OUT(x + 1)},
    };
    const para_status refused = para_pmap(NULL, &shifted);
    printf("shifted by one: %s (%s)\n", para_status_name(refused), para_status_text(refused));
    return refused == PARA_ERR_OVERLAP ? 0 : 1;
}
