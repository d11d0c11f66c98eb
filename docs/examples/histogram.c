/* A histogram whose number of bins is known only at run time: histogram [BINS]. The accumulator is
 * an array of so many counters; arg tells kernel and combine how many. */
#include <para/para.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { n = 1000000 };
static float x[n]; /* values in [0, 1) */

static void count_into(uint64_t *counters, size_t bins, const float *v, size_t count)
{
    for (size_t i = 0; i < count; i++)
        counters[(size_t)((double)v[i] * (double)bins)]++;
}

static int count(const para_chunk *chunk, void *acc, const void *arg)
{
    count_into(acc, *(const size_t *)arg, chunk->in[0], chunk->count);
    return 0;
}

static void add(void *acc, const void *rhs, const void *arg)
{
    uint64_t *a = acc;
    const uint64_t *b = rhs;
    for (size_t i = 0, bins = *(const size_t *)arg; i < bins; i++)
        a[i] += b[i];
}

int main(int argc, char **argv)
{
    const size_t bins = argc > 1 ? strtoul(argv[1], NULL, 10) : 10;
    for (int i = 0; i < n; i++) {
        const float u = (float)(i % 1000) / 1000;
        x[i] = u * u;
    }

    uint64_t *found = calloc(bins, sizeof *found), *expected = calloc(bins, sizeof *expected);
    if (bins == 0 || !found || !expected) {
        fprintf(stderr, "histogram: cannot have %zu bins\n", bins);
        return 1;
    }
    const para_reduce call = {
        .kernel = count,
        .combine = add,
        .arg = &bins,
        .count = n,
        .in = {PARA_IN(x)},
        .result = found,
        .result_bytes = bins * sizeof *found,
    };
    const para_status status = para_preduce(NULL, &call);
    if (status != PARA_OK)
        fprintf(stderr, "histogram: %s %s\n", para_status_text(status), para_status_detail());

    int same = status == PARA_OK;
    count_into(expected, bins, x, n);
    for (size_t i = 0; i < bins; i++)
        same = same && found[i] == expected[i];
    printf("%zu bins, from %llu to %llu values each\n", bins, (unsigned long long)found[bins - 1],
           (unsigned long long)found[0]);
    free(found);
    free(expected);
    return same ? 0 : 1;
}
