/* Conjugate gradients for a sparse matrix stored by rows, after HPCCG: each point of a grid of
 * n x n x n hangs together with its 26 neighbours. Prints the number of rounds and the norm of the
 * residual. */
#include <math.h>
#include <para/para.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct matrix {
    size_t rows;
    size_t *first; /* of each row's entries, and their end */
    int *column;
    double *value;
} matrix;

PARA_SUM(start, double, i, double *restrict, x, double *restrict, r, double *restrict, p)
{
    x[i] = 0;
    r[i] = p[i] = (double)(i % 10 + 1);
    return r[i] * r[i];
}

PARA_SUM(multiply, double, i, matrix, m, const double *restrict, p, double *restrict, q)
{
    double sum = 0;
    for (size_t k = m.first[i]; k < m.first[i + 1]; k++)
        sum += m.value[k] * p[m.column[k]];
    q[i] = sum;
    return p[i] * sum;
}

PARA_SUM(advance, double, i, double, alpha, const double *restrict, p, const double *restrict, q,
         double *restrict, x, double *restrict, r)
{
    x[i] += alpha * p[i];
    r[i] -= alpha * q[i];
    return r[i] * r[i];
}

PARA_LOOP(turn, i, double, beta, const double *restrict, r, double *restrict, p)
{
    p[i] = r[i] + beta * p[i];
}

static int solve(matrix m, double *x, double *r, double *p, double *q, double *square)
{
    int rounds = 0;
    *square = para_reduced(start, m.rows, x, r, p);
    for (double end = *square * 1e-20; *square > end && rounds < 100; rounds++) {
        const double old = *square;
        const double alpha = old / para_reduced(multiply, m.rows, m, p, q);
        *square = para_reduced(advance, m.rows, alpha, p, q, x, r);
        para_must(para_loop(turn, m.rows, *square / old, r, p));
    }
    return rounds;
}

/* The entries of a row and its neighbours in the grid; the matrix needs room for 27 in a row. */
static void fill(int n, matrix *m)
{
    m->rows = m->first[0] = 0;
    for (int row = 0; row < n * n * n; row++) {
        const int x = row % n, y = row / n % n, z = row / n / n;
        size_t k = m->first[m->rows++];
        for (int other = 0; other < 27; other++) {
            const int dx = other % 3 - 1, dy = other / 3 % 3 - 1, dz = other / 9 - 1;
            if (x + dx < 0 || x + dx >= n || y + dy < 0 || y + dy >= n || z + dz < 0 || z + dz >= n)
                continue;
            m->column[k] = row + (dz * n + dy) * n + dx;
            m->value[k++] = other == 13 ? 27 : -1;
        }
        m->first[m->rows] = k;
    }
}

int main(int argc, char **argv)
{
    const int n = argc > 1 ? atoi(argv[1]) : 32;
    const size_t rows = (size_t)n * n * n;
    matrix m = {0, malloc((rows + 1) * sizeof *m.first), malloc(27 * rows * sizeof *m.column),
                malloc(27 * rows * sizeof *m.value)};
    double *x = malloc(4 * rows * sizeof *x), square;
    if (!m.first || !m.column || !m.value || !x)
        exit(1);
    fill(n, &m);
    const int rounds = solve(m, x, x + rows, x + 2 * rows, x + 3 * rows, &square);
    printf("%zu rows, %d rounds, residual %.1e\n", rows, rounds, sqrt(square));
    free(m.first);
    free(m.column);
    free(m.value);
    free(x);
    return 0;
}
