/* The particles that are still within the box, in their order: three arrays filtered alike. */
#include <para/para.h>
#include <stdio.h>

enum { n = 1000000 };
static double x[n], y[n], x_in[n], y_in[n];
static int id[n], id_in[n];

/* The kernel sees all inputs. It stores the numbers of those that stay. For a test of one input
 * PARA_FILTER_KERNEL makes it. */
static int within(const para_chunk *chunk, uint16_t *stay, size_t *kept, const void *arg)
{
    const double *a = chunk->in[0], *b = chunk->in[1];
    const double half = *(const double *)arg;
    size_t k = 0;
    for (size_t i = 0; i < chunk->count; i++) {
        stay[k] = (uint16_t)i; /* stays noted if the next line counts it */
        k += a[i] * a[i] < half * half && b[i] * b[i] < half * half;
    }
    *kept = k;
    return 0;
}

int main(void)
{
    const double half = 0.5;
    for (int i = 0; i < n; i++) {
        x[i] = (i * 7919LL % 10007) / 10007.0 - 0.5;
        y[i] = (i * 104729LL % 20011) / 10005.0 - 1;
        id[i] = i;
    }
    size_t kept;
    const para_filter call = {.kernel = within,
                              .arg = &half,
                              .count = n,
                              .in = {PARA_IN(x), PARA_IN(y), PARA_IN(id)},
                              .out = {PARA_OUT(x_in), PARA_OUT(y_in), PARA_OUT(id_in)},
                              .kept = &kept};
    const para_status status = para_pfilter(NULL, &call);
    if (status) {
        fprintf(stderr, "filter: %s %s\n", para_status_text(status), para_status_detail());
        return 1;
    }
    size_t k = 0;
    for (int i = 0; i < n; i++)
        if (x[i] * x[i] < half * half && y[i] * y[i] < half * half) {
            if (x_in[k] != x[i] || y_in[k] != y[i] || id_in[k] != i)
                return 1;
            k++;
        }
    printf("%zu of %d particles are within the box\n", kept, (int)n);
    return k != kept;
}
