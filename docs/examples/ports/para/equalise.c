/* Histogram equalisation: the greys of an image are spread so that all are equally frequent. Prints
 * the mean grey before and after. */
#include <para/para.h>
#include <stdio.h>
#include <stdlib.h>

enum { GREYS = 256 };

PARA_SUM_ARRAY(frequencies, unsigned, GREYS, count, i, const unsigned char *, from)
{
    count[from[i]]++;
}

PARA_LOOP(spread, i, const unsigned char *restrict, even, const unsigned char *restrict, from,
          unsigned char *restrict, to)
{
    to[i] = even[from[i]];
}

static void equalise(size_t n, const unsigned char *from, unsigned char *to)
{
    unsigned char even[GREYS];
    const frequencies_sums f = para_reduced(frequencies, n, from);
    size_t below = 0;
    for (int g = 0; g < GREYS; g++) {
        below += f.sum[g];
        even[g] = (unsigned char)((GREYS - 1) * below / n);
    }
    para_must(para_loop(spread, n, even, from, to));
}

static void fill(size_t n, unsigned char *from)
{
    for (size_t i = 0; i < n; i++)
        from[i] = (unsigned char)(40 + i % 1013 * (i / 1013 % 997) * 7919 % 1009 % 97);
}

static double mean(size_t n, const unsigned char *image)
{
    double total = 0;
    for (size_t i = 0; i < n; i++)
        total += image[i];
    return total / (double)n;
}

int main(int argc, char **argv)
{
    const size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
    unsigned char *from = malloc(n), *to = malloc(n);
    if (!from || !to)
        exit(1);
    fill(n, from);
    equalise(n, from, to);
    printf("%zu pixels, mean grey %.9g, then %.9g\n", n, mean(n, from), mean(n, to));
    free(from);
    free(to);
    return 0;
}
