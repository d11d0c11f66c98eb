/* Least and greatest element, and where they stand: the accumulator is a struct, and it starts from
 * an identity that is not zero. Of equal elements the first counts, which is why order matters. */
#include <math.h>
#include <para/para.h>
#include <stdio.h>

enum { n = 1000000 };
static float x[n];

typedef struct extremes {
    double least, greatest;
    size_t least_at, greatest_at;
} extremes;

static const extremes none = {INFINITY, -INFINITY, 0, 0};

static int find(const para_chunk *chunk, void *acc, const void *arg)
{
    const float *in = chunk->in[0];
    extremes e = *(extremes *)acc;
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++) {
        if (in[i] < e.least) {
            e.least = in[i];
            e.least_at = chunk->first + i;
        }
        if (in[i] > e.greatest) {
            e.greatest = in[i];
            e.greatest_at = chunk->first + i;
        }
    }
    *(extremes *)acc = e;
    return 0;
}

/* b stands for later elements than a, so b wins only when it is really less or greater. */
static void merge(void *acc, const void *rhs, const void *arg)
{
    extremes *a = acc;
    const extremes *b = rhs;
    (void)arg;
    if (b->least < a->least) {
        a->least = b->least;
        a->least_at = b->least_at;
    }
    if (b->greatest > a->greatest) {
        a->greatest = b->greatest;
        a->greatest_at = b->greatest_at;
    }
}

int main(void)
{
    for (int i = 0; i < n; i++)
        x[i] = (float)(i * 7919LL % 99991);

    extremes found = none;
    const para_reduce call = {
        .kernel = find,
        .combine = merge,
        .count = n,
        .in = {PARA_IN(x)},
        .result = &found,
        .result_bytes = sizeof found,
        .identity = &none,
    };
    const para_status status = para_preduce(NULL, &call);
    if (status != PARA_OK) {
        fprintf(stderr, "minmax_index: %s %s\n", para_status_text(status), para_status_detail());
        return 1;
    }

    size_t least = 0, greatest = 0;
    for (size_t i = 1; i < n; i++) {
        least = x[i] < x[least] ? i : least;
        greatest = x[i] > x[greatest] ? i : greatest;
    }
    printf("least %g at %zu, greatest %g at %zu\n", found.least, found.least_at, found.greatest,
           found.greatest_at);
    return found.least_at == least && found.greatest_at == greatest ? 0 : 1;
}
