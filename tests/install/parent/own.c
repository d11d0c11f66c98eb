/* A library that uses para and says so to nobody. */
#include <para/para.h>

PARA_REDUCE_KERNEL(sum, double, s, double, v, s += v)
PARA_COMBINE(add, double, s, t, s += t)

double own_sum(const double *x, size_t n);
double own_sum(const double *x, size_t n)
{
    double total = 0;
    const para_status status = para_preduce(NULL, &(para_reduce){.kernel = sum,
                                                                 .combine = add,
                                                                 .count = n,
                                                                 .in = {PARA_IN(x)},
                                                                 .result = &total,
                                                                 .result_bytes = sizeof total});
    return status == PARA_OK ? total : -1;
}
