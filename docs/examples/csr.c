/* A sparse matrix times a vector: y = A x, with A in compressed rows (CSR). A row needs entries of
 * x from anywhere, so matrix and vector go through arg; only y is a view. */
#include <para/para.h>
#include <stdio.h>

enum { rows = 50000, most = 33 };

typedef struct csr {
    const size_t *start; /* row i has the entries [start[i], start[i + 1]) */
    const unsigned *column;
    const double *value;
    const double *x;
} csr;

static size_t start[rows + 1];
static unsigned column[rows * most];
static double value[rows * most], x[rows], y[rows];

static double row_times_x(const csr *m, size_t row)
{
    double sum = 0;
    for (size_t k = m->start[row]; k < m->start[row + 1]; k++)
        sum += m->value[k] * m->x[m->column[k]];
    return sum;
}

static int multiply(const para_chunk *chunk, const void *arg)
{
    double *out = chunk->out[0];
    for (size_t i = 0; i < chunk->count; i++)
        out[i] = row_times_x(arg, chunk->first + i);
    return 0;
}

int main(void)
{
    for (unsigned i = 0; i < rows; i++) {
        x[i] = 1.0 / (1 + i % 97);
        start[i + 1] = start[i];
        for (unsigned k = 0; k < i % (most + 1); k++) { /* rows of 0 to 33 entries */
            column[start[i + 1]] = (i * 31 + k * 4099) % rows;
            value[start[i + 1]++] = k - 16.0;
        }
    }

    const csr matrix = {start, column, value, x};
    const para_map call = {
        .kernel = multiply,
        .arg = &matrix,
        .count = rows,
        .out = {PARA_OUT(y)},
    };
    const para_status status = para_pmap(NULL, &call);
    if (status != PARA_OK) {
        fprintf(stderr, "csr: %s %s\n", para_status_text(status), para_status_detail());
        return 1;
    }

    for (size_t i = 0; i < rows; i++)
        if (y[i] != row_times_x(&matrix, i)) {
            fprintf(stderr, "csr: row %zu differs from the serial loop\n", i);
            return 1;
        }
    printf("%d rows with %zu entries, y[33] = %g\n", rows, start[rows], y[33]);
    return 0;
}
