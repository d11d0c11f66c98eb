#include <para/para.h>
#include <stdio.h>

PARA_LOOP(square, i, const double *, x, double *, y)
{
    y[i] = x[i] * x[i];
}
PARA_SUM(total, double, i, const double *, y)
{
    return y[i];
}

int main(void)
{
    enum { n = 1000000 };
    static double x[n], y[n];
    for (int i = 0; i < n; i++)
        x[i] = i % 10;
    if (para_loop(square, n, x, y)) /* a para_status; 0 is PARA_OK */
        return 1;
    const double sum = para_reduced(total, n, y);
    printf("the sum of %d squares is %g\n", n, sum);
    return sum != 28500000;
}
