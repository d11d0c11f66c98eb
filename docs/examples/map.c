/* y = f(x): one array in, one array out, and a kernel made from one expression. */
#include <math.h>
#include <para/para.h>
#include <stdio.h>

enum { n = 1000000 };
static double x[n], y[n];

/* Defines `logistic`: it runs over a whole chunk, and v is each element of the input in turn. */
PARA_MAP_KERNEL(logistic, double, double, v, 1 / (1 + exp(-v)))

int main(void)
{
    for (int i = 0; i < n; i++)
        x[i] = i * 1e-5 - 5;

    /* NULL: the default pool, made on first use. What is left out is zero and means "automatic". */
    const para_map call = {
        .kernel = logistic,
        .count = n,
        .in = {PARA_IN(x)},
        .out = {PARA_OUT(y)},
    };
    const para_status status = para_pmap(NULL, &call);
    if (status != PARA_OK) {
        fprintf(stderr, "map: %s %s\n", para_status_text(status), para_status_detail());
        return 1;
    }

    for (int i = 0; i < n; i++)
        if (y[i] != 1 / (1 + exp(-x[i]))) {
            fprintf(stderr, "map: element %d differs from the serial loop\n", i);
            return 1;
        }
    printf("logistic of %d values, from %g to %g\n", n, y[0], y[n - 1]);
    return 0;
}
