/* Loops that compilers vectorise as they do plain loops. Each begins a line with PARA_. */
#include <para/para.h>

PARA_LOOP(saxpy, i, float, a, const float *, x, float *, y)
{
    y[i] += a * x[i];
}
PARA_LOOP2(relax, i, j, const double *, old, double *, now, size_t, n)
{
    now[i * n + j] = 0.5 * (old[i * n + j - 1] + old[i * n + j + 1]);
}
PARA_LOOP3(scale, i, j, k, float *, x, size_t, n)
{
    x[(i * n + j) * n + k] *= 2;
}
PARA_MAP_KERNEL(square, double, double, x, x *x)
PARA_SUM(count, int, i, const int *, x)
{
    return x[i] > 3;
}
PARA_SUM(doubled, long, i, const long *, x, long *, y)
{
    y[i] = 2 * x[i];
    return x[i];
}
PARA_MAX(most, int, i, const int *, x)
{
    return x[i];
}

int use(float *x, double *d, int *k, long *l);
int use(float *x, double *d, int *k, long *l)
{
    return para_loop(saxpy, 9, 2, x, x + 9) || para_loop(relax, 9, 9, d, d + 81, 9) ||
           para_loop(scale, 9, 9, 9, x, 9) || para_loop(square, 9, d, d) ||
           para_reduce_to(&k[0], count, 9, k) || para_reduce_to(&l[0], doubled, 9, l, l + 9) ||
           para_reduce_to(&k[1], most, 9, k);
}
