/* A program that runs OpenMP and calls para on the same threads. */
#include <para/openmp.h>
#include <para/para.h>
#include <stdio.h>

PARA_MAP_KERNEL(square, double, double, x, x *x)

enum { N = 1000000 };

int main(void)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    para_pool *pool = NULL;
    static double x[N], y[N];
    config.executor = para_openmp_lender();
    if (para_pool_create(&pool, &config)) {
        fprintf(stderr, "%s\n", para_status_detail());
        return 1;
    }
#pragma omp parallel for
    for (int i = 0; i < N; i++)
        x[i] = i;
    const para_status status = para_pmap(
        pool, &(para_map){.kernel = square, .count = N, .in = {PARA_IN(x)}, .out = {PARA_OUT(y)}});
    int wrong = status != PARA_OK;
#pragma omp parallel for reduction(+ : wrong)
    for (int i = 0; i < N; i++)
        wrong += y[i] != (double)i * i;
    printf("%d wrong\n", wrong);
    para_pool_destroy(pool);
    return wrong != 0;
}
