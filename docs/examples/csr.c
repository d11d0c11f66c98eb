/* A sparse matrix times a vector: y = A x, with A in compressed rows (CSR). Rows differ in length;
 * nothing needs to be said about that. */
#include <para/para.h>
#include <stdio.h>

enum { rows = 50000, most = 33 };

static size_t start[rows + 1]; /* row i has the entries [start[i], start[i + 1]) */
static unsigned column[rows * most];
static double value[rows * most], x[rows], y[rows];

static double row_times_x(size_t i)
{
    double sum = 0;
    for (size_t k = start[i]; k < start[i + 1]; k++)
        sum += value[k] * x[column[k]];
    return sum;
}

/* What lies at file scope need not be passed. */
PARA_LOOP(multiply, i, double *, y)
{
    y[i] = row_times_x(i);
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

    if (para_loop(multiply, rows, y)) {
        fprintf(stderr, "csr: %s\n", para_status_detail());
        return 1;
    }

    for (size_t i = 0; i < rows; i++)
        if (y[i] != row_times_x(i)) {
            fprintf(stderr, "csr: row %zu differs from the serial loop\n", i);
            return 1;
        }
    printf("%d rows with %zu entries, y[33] = %g\n", rows, start[rows], y[33]);
    return 0;
}
