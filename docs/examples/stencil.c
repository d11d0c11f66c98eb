/* A stencil: heat spreading over a plate, each point the mean of its four neighbours. A kernel may
 * only use its own chunk of an input view, but the neighbours lie outside it, so the old grid is
 * handed over whole, through arg. The element of the output is a row. */
#include <para/para.h>
#include <stdio.h>
#include <string.h>

enum { height = 300, width = 400, steps = 50 };

static void relax_row(double *out, const double *old)
{
    out[0] = old[0]; /* the border keeps its temperature */
    out[width - 1] = old[width - 1];
    for (int j = 1; j < width - 1; j++)
        out[j] = 0.25 * (old[j - width] + old[j + width] + old[j - 1] + old[j + 1]);
}

/* Element i of the call is row i + 1: the first and the last row are border. */
static int relax(const para_chunk *chunk, const void *arg)
{
    const double *old = arg;
    double *out = chunk->out[0];
    for (size_t i = 0; i < chunk->count; i++)
        relax_row(out + i * width, old + (chunk->first + i + 1) * width);
    return 0;
}

int main(void)
{
    static double a[height * width], b[height * width]; /* para's grid, by turns */
    static double c[height * width], d[height * width]; /* the serial loop's */
    for (int j = 0; j < width; j++)
        a[j] = b[j] = c[j] = d[j] = 100; /* the upper edge is hot */

    for (int step = 0; step < steps; step++) {
        const double *old = step % 2 ? b : a;
        double *now = step % 2 ? a : b;
        const para_map call = {
            .kernel = relax,
            .arg = old,
            .count = height - 2,
            .out = {PARA_OUT_ROWS(now + width, width)},
        };
        const para_status status = para_pmap(NULL, &call);
        if (status != PARA_OK) {
            fprintf(stderr, "stencil: %s %s\n", para_status_text(status), para_status_detail());
            return 1;
        }
    }

    for (int step = 0; step < steps; step++)
        for (size_t row = 1; row < height - 1; row++)
            relax_row((step % 2 ? c : d) + row * width, (step % 2 ? d : c) + row * width);
    printf("%d x %d points after %d steps: %.3g one row below the hot edge, %.3g ten rows below\n",
           height, width, steps, a[width + width / 2], a[10 * width + width / 2]);
    return memcmp(a, c, sizeof a) == 0 && memcmp(b, d, sizeof b) == 0 ? 0 : 1;
}
