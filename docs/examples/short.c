/* The short names, for scripts and exercises: pmap and preduce on the default pool. */
#include <para/para.h>
#include <para/short.h>
#include <stdio.h>

enum { n = 500000 };
static double x[n], y[n];

PARA_MAP_KERNEL(square, double, double, v, (v * v))
PARA_REDUCE_KERNEL(sum, double, s, double, v, s += v)
PARA_COMBINE(add, double, s, t, s += t)

int main(void)
{
    for (int i = 0; i < n; i++)
        x[i] = i % 100;

    double total = 0;
    if (pmap(square, x, y, n) || preduce(sum, add, y, n, &total)) { /* 0 is PARA_OK */
        fprintf(stderr, "short: a call failed: %s\n", para_status_detail());
        return 1;
    }

    double expected = 0; /* whole numbers: exact in any order */
    for (int i = 0; i < n; i++)
        expected += x[i] * x[i];
    printf("sum of %d squares: %.17g\n", n, total);
    return total == expected ? 0 : 1;
}
