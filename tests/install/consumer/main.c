/* A program that knows para only as installed: squares numbers and totals them. */
#include <para/para.h>
#include <stdio.h>
#include <string.h>

enum { N = 100000 };
static double x[N], y[N];

PARA_MAP_KERNEL(square, double, double, v, (v * v))
PARA_REDUCE_KERNEL(sum, double, s, double, v, s += v)
PARA_COMBINE(add, double, s, t, s += t)

int main(void)
{
    for (int i = 0; i < N; i++)
        x[i] = i;
    para_status status = para_pmap(
        NULL, &(para_map){.kernel = square, .count = N, .in = {PARA_IN(x)}, .out = {PARA_OUT(y)}});
    double total = 0;
    if (status == PARA_OK)
        status = para_preduce(NULL, &(para_reduce){.kernel = sum,
                                                   .combine = add,
                                                   .count = N,
                                                   .in = {PARA_IN(y)},
                                                   .result = &total,
                                                   .result_bytes = sizeof total});
    /* Whole numbers below 2^53: exact in any order. */
    const double expected = (N - 1.0) * N * (2.0 * N - 1) / 6;
    printf("%s: %.17g, expected %.17g\n", para_status_text(status), total, expected);
    if (strcmp(para_version(), PARA_VERSION_STRING) != 0)
        return 1;
    return status == PARA_OK && total == expected ? 0 : 1;
}
