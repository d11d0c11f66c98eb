#include <para/para.h>
#include <stdio.h>

PARA_MAP_KERNEL(square, double, double, v, (v * v))   /* y = f(x), for each element v */
PARA_REDUCE_KERNEL(sum, double, s, double, v, s += v) /* folds each element v into s */
PARA_COMBINE(add, double, s, t, s += t)               /* joins two partial sums */

int main(void)
{
    enum { n = 1000000 };
    static double x[n], y[n];
    double total = 0;
    for (int i = 0; i < n; i++)
        x[i] = i % 10;
    const para_map map = {.kernel = square, .count = n, .in = {PARA_IN(x)}, .out = {PARA_OUT(y)}};
    const para_reduce fold = {.kernel = sum,
                              .combine = add,
                              .count = n,
                              .in = {PARA_IN(y)},
                              .result = &total,
                              .result_bytes = sizeof total};
    if (para_pmap(NULL, &map) || para_preduce(NULL, &fold))
        return 1;
    printf("the sum of %d squares is %g\n", n, total);
    return total != 28500000;
}
