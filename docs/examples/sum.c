/* The sum of an array, with the same bits every time. A reduction has two parts: a kernel that
 * folds elements into an accumulator, and a combine function that joins two accumulators. */
#include <math.h>
#include <para/para.h>
#include <stdio.h>
#include <string.h>

enum { n = 3000000 };
static double x[n];

PARA_REDUCE_KERNEL(sum, double, s, double, v, s += v) /* for each element v */
PARA_COMBINE(add, double, s, t, s += t)               /* t stands for later elements than s */

static para_status sum_with(para_options options, double *total)
{
    *total = 0; /* the result goes in with what to start from, and comes out with the sum */
    const para_reduce call = {
        .kernel = sum,
        .combine = add,
        .count = n,
        .in = {PARA_IN(x)},
        .result = total,
        .result_bytes = sizeof *total,
        .options = options,
    };
    return para_preduce(NULL, &call);
}

int main(void)
{
    double loop = 0;
    for (int i = 0; i < n; i++)
        loop += x[i] = 1.0 / (i + 1);

    double parallel, serial;
    if (sum_with((para_options){0}, &parallel) ||
        sum_with((para_options){.executor = PARA_EXECUTOR_SERIAL}, &serial)) {
        fprintf(stderr, "sum: a call failed\n");
        return 1;
    }

    /* para's serial run has the very bits of the parallel one. The plain loop adds in another
     * order, so it may differ in its last digits, and is the less exact of the two. */
    printf("parallel  %.17g\nserial    %.17g\nloop      %.17g\n", parallel, serial, loop);
    if (memcmp(&parallel, &serial, sizeof serial) != 0) {
        fprintf(stderr, "sum: parallel and serial differ\n");
        return 1;
    }
    return fabs(parallel - loop) <= 1e-12 * loop ? 0 : 1;
}
