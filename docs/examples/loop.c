/* Loops that write where they must: y = a * x + y, an iteration that fills a whole row, and a
 * scatter to places that are all different. Each is a loop's body, with its arguments by name. */
#include <para/para.h>
#include <stdio.h>

enum { n = 1000000, width = 100 };

PARA_LOOP(saxpy, i, float, a, const float *, x, float *, y)
{
    y[i] += a * x[i];
}

/* In the body `return` goes on with the next iteration, as continue does in a loop. */
PARA_LOOP(running_sum, row, size_t, k, float *, y)
{
    if (k == 0)
        return;
    for (size_t j = row * k + 1; j < (row + 1) * k; j++)
        y[j] += y[j - 1];
}

/* Iterations may write anywhere, if no two write to the same place. */
PARA_LOOP(scatter, i, const unsigned *, place, const float *, x, float *, y)
{
    y[place[i]] = x[i];
}

int main(void)
{
    static float x[n], y[n], z[n], expected[n];
    static unsigned place[n];
    for (unsigned i = 0; i < n; i++) {
        x[i] = (float)(i % 10);
        y[i] = expected[i] = 1;
        place[i] = (unsigned)(i * 7919ULL % n); /* 7919 and n have no common divisor */
    }

    if (para_loop(saxpy, n, 2, x, y) || para_loop(running_sum, n / width, width, y) ||
        para_loop(scatter, n, place, y, z)) {
        fprintf(stderr, "loop: %s\n", para_status_detail());
        return 1;
    }

    for (int i = 0; i < n; i++)
        expected[i] += 2 * x[i];
    for (int i = 0; i < n; i++)
        expected[i] += i % width ? expected[i - 1] : 0;
    for (int i = 0; i < n; i++)
        if (z[place[i]] != expected[i]) {
            fprintf(stderr, "loop: element %d differs from the serial loop\n", i);
            return 1;
        }
    printf("rows of %d running sums, the first ends with %g\n", width, (double)y[width - 1]);
    return 0;
}
