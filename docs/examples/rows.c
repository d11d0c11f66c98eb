/* Rows of k floats, each scored to one float: the element of the input is a whole row. The kernel
 * is written by hand, which shows all there is to one. */
#include <math.h>
#include <para/para.h>
#include <stdio.h>

enum { rows = 100000, columns = 48 };
static float table[rows * columns], norm[rows];

static float row_norm(const float *row, size_t k)
{
    float squares = 0;
    for (size_t j = 0; j < k; j++)
        squares += row[j] * row[j];
    return sqrtf(squares);
}

/* A kernel is given a run of elements: here chunk->count rows, the first of them at in[0]. */
static int norms(const para_chunk *chunk, const void *arg)
{
    const size_t k = *(const size_t *)arg;
    const float *in = chunk->in[0];
    float *out = chunk->out[0];
    for (size_t i = 0; i < chunk->count; i++)
        out[i] = row_norm(in + i * k, k);
    return 0;
}

int main(void)
{
    for (int i = 0; i < rows * columns; i++)
        table[i] = (float)(i % 1009) / 1009;

    const size_t k = columns;
    const para_map call = {
        .kernel = norms,
        .arg = &k,
        .count = rows,
        .in = {PARA_IN_ROWS(table, k)}, /* one element is k floats */
        .out = {PARA_OUT(norm)},        /* one element is one float */
    };
    const para_status status = para_pmap(NULL, &call);
    if (status != PARA_OK) {
        fprintf(stderr, "rows: %s %s\n", para_status_text(status), para_status_detail());
        return 1;
    }

    for (int i = 0; i < rows; i++)
        if (norm[i] != row_norm(table + (size_t)i * k, k)) {
            fprintf(stderr, "rows: row %d differs from the serial loop\n", i);
            return 1;
        }
    printf("%d rows of %d values, the first has norm %g\n", rows, columns, (double)norm[0]);
    return 0;
}
