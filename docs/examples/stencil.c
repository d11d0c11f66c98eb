/* A stencil: heat spreading over a plate, each point the mean of its four neighbours. Two nested
 * loops, whose iterations are independent: each step reads one grid and writes another. */
#include <para/para.h>
#include <stdio.h>
#include <string.h>

enum { height = 300, width = 400, steps = 50 };

static double mean(const double *old, size_t i, size_t j)
{
    const double *at = old + i * width + j;
    return 0.25 * (at[-width] + at[width] + at[-1] + at[1]);
}

PARA_LOOP2(relax, i, j, const double *, old, double *, now)
{
    now[i * width + j] = mean(old, i, j);
}

int main(void)
{
    static double a[height * width], b[height * width]; /* para's grid, by turns */
    static double c[height * width], d[height * width]; /* the serial loop's */
    for (int j = 0; j < width; j++)
        a[j] = b[j] = c[j] = d[j] = 100; /* the upper edge is hot, and keeps its heat */

    const para_setup inner = {.first = {1, 1}}; /* all points but the border: indices begin at 1 */
    for (int step = 0; step < steps; step++)
        if (para_loop_with(&inner, relax, height - 2, width - 2, step % 2 ? b : a,
                           step % 2 ? a : b)) {
            fprintf(stderr, "stencil: %s\n", para_status_detail());
            return 1;
        }

    for (int step = 0; step < steps; step++)
        for (size_t i = 1; i < height - 1; i++)
            for (size_t j = 1; j < width - 1; j++)
                (step % 2 ? c : d)[i * width + j] = mean(step % 2 ? d : c, i, j);
    printf("%d x %d points after %d steps: %.3g one row below the hot edge, %.3g ten rows below\n",
           height, width, steps, a[width + width / 2], a[10 * width + width / 2]);
    return memcmp(a, c, sizeof a) == 0 && memcmp(b, d, sizeof b) == 0 ? 0 : 1;
}
