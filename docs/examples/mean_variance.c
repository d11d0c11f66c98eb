/* Mean and variance in one pass over memory. Each run of elements becomes (count, mean, m2), m2
 * being the sum of squared distances from the mean, and two of these merge as in T. Chan, G. Golub
 * and R. LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances",
 * COMPSTAT 1982. Unlike the difference of two large sums this keeps its digits when the mean is
 * large. */
#include <math.h>
#include <para/para.h>
#include <stdio.h>

enum { n = 1000000 };
static double x[n];

typedef struct moments {
    double count, mean, m2;
} moments;

static moments merged(moments a, moments b)
{
    const double count = a.count + b.count, distance = b.mean - a.mean;
    if (count == 0) /* two accumulators that have seen nothing */
        return a;
    return (moments){count, a.mean + distance * b.count / count,
                     a.m2 + b.m2 + distance * distance * a.count * b.count / count};
}
PARA_COMBINE(merge, moments, a, b, a = merged(a, b))

/* A chunk is small enough to stay in the cache, so going over it twice costs little. */
static moments moments_of(const double *v, size_t count)
{
    moments m = {(double)count, 0, 0};
    for (size_t i = 0; i < count; i++)
        m.mean += v[i];
    m.mean /= m.count;
    for (size_t i = 0; i < count; i++)
        m.m2 += (v[i] - m.mean) * (v[i] - m.mean);
    return m;
}

static int measure(const para_chunk *chunk, void *acc, const void *arg)
{
    (void)arg;
    *(moments *)acc = merged(*(moments *)acc, moments_of(chunk->in[0], chunk->count));
    return 0;
}

int main(void)
{
    for (int i = 0; i < n; i++)
        x[i] = 1e9 + i % 1000; /* a large mean, a small variance: the hard case */

    moments m = {0, 0, 0};
    const para_reduce call = {
        .kernel = measure,
        .combine = merge,
        .count = n,
        .in = {PARA_IN(x)},
        .result = &m,
        .result_bytes = sizeof m,
    };
    const para_status status = para_preduce(NULL, &call);
    if (status != PARA_OK) {
        fprintf(stderr, "mean_variance: %s %s\n", para_status_text(status), para_status_detail());
        return 1;
    }

    const moments loop = moments_of(x, n);
    printf("mean %.10g, variance %.10g of %g values\n", m.mean, m.m2 / (m.count - 1), m.count);
    const int good = m.count == n && fabs(m.mean - loop.mean) <= 1e-15 * loop.mean &&
                     fabs(m.m2 - loop.m2) <= 1e-9 * loop.m2;
    return good ? 0 : 1;
}
