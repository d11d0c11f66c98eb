/* The dot product of two arrays: a reduce kernel written by hand, since it has two inputs. */
#include <para/para.h>
#include <stdio.h>

enum { n = 1000000 };
static float x[n], y[n];

static int dot(const para_chunk *chunk, void *acc, const void *arg)
{
    const float *u = chunk->in[0], *v = chunk->in[1];
    double sum = *(double *)acc; /* what came before this chunk */
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        sum += (double)u[i] * v[i];
    *(double *)acc = sum;
    return 0;
}
PARA_COMBINE(add, double, a, b, a += b)

int main(void)
{
    for (int i = 0; i < n; i++) {
        x[i] = (float)(i % 1000);
        y[i] = (float)(i % 7 - 3);
    }

    double result = 0;
    const para_reduce call = {
        .kernel = dot,
        .combine = add,
        .count = n,
        .in = {PARA_IN(x), PARA_IN(y)},
        .result = &result,
        .result_bytes = sizeof result,
    };
    const para_status status = para_preduce(NULL, &call);
    if (status != PARA_OK) {
        fprintf(stderr, "dot: %s %s\n", para_status_text(status), para_status_detail());
        return 1;
    }

    double expected = 0; /* whole numbers below 2^53: exact in any order */
    for (int i = 0; i < n; i++)
        expected += (double)x[i] * y[i];
    printf("x . y = %.17g, the loop says %.17g\n", result, expected);
    return result == expected ? 0 : 1;
}
