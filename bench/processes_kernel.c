#include "processes.h"

#include <signal.h>

void bench_map(const double *x, double *y, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (x[i] < 0)
            raise(SIGSEGV);
        double v = x[i];
        for (int k = 0; k < 4; k++)
            v = v / (1 + v * v);
        y[i] = v;
    }
}
