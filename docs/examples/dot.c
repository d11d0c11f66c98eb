/* The dot product of two arrays: the body returns what an element adds to the sum. */
#include <para/para.h>
#include <stdio.h>

enum { n = 1000000 };
static float x[n], y[n];

PARA_SUM(dot, double, i, const float *, u, const float *, v)
{
    return (double)u[i] * v[i];
}

int main(void)
{
    for (int i = 0; i < n; i++) {
        x[i] = (float)(i % 1000);
        y[i] = (float)(i % 7 - 3);
    }

    double result; /* written if the call succeeds; it need not be 0 before */
    const para_status status = para_reduce_to(&result, dot, n, x, y);
    if (status != PARA_OK) {
        fprintf(stderr, "dot: %s %s\n", para_status_text(status), para_status_detail());
        return 1;
    }

    double expected = 0; /* whole numbers below 2^53: exact in any order */
    for (int i = 0; i < n; i++)
        expected += (double)x[i] * y[i];
    printf("x . y = %.17g, the loop says %.17g\n", result, expected);
    return result == expected ? 0 : 1;
}
