/* A program that knows the parent's library and nothing of para. */
#include <stddef.h>

double own_sum(const double *x, size_t n);

int main(void)
{
    enum { N = 100000 };
    static double x[N];
    for (int i = 0; i < N; i++)
        x[i] = i;
    return own_sum(x, N) == N * (N - 1.0) / 2 ? 0 : 1;
}
