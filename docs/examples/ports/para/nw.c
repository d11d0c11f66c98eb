/* Needleman and Wunsch's alignment of two sequences, after Rodinia's program: a table in which each
 * entry needs its neighbours above and to the left, so tiles on a diagonal are independent. Prints
 * the score and how many letters of the best alignment agree. */
#include <para/para.h>
#include <stdio.h>
#include <stdlib.h>

enum { TILE = 64, MATCH = 3, MISMATCH = -2, GAP = -3 };

static int greater(int a, int b)
{
    return a > b ? a : b;
}

PARA_LOOP(tile, t, size_t, first, size_t, d, size_t, n, const char *, a, const char *, b, int *,
          score)
{
    const size_t ti = first + t, tj = d - ti;
    for (size_t i = ti * TILE + 1; i <= n && i <= (ti + 1) * TILE; i++)
        for (size_t j = tj * TILE + 1; j <= n && j <= (tj + 1) * TILE; j++) {
            const int *above = &score[(i - 1) * (n + 1) + j];
            int *here = &score[i * (n + 1) + j];
            here[0] = greater(above[-1] + (a[i - 1] == b[j - 1] ? MATCH : MISMATCH),
                              greater(above[0], here[-1]) + GAP);
        }
}

static void align(size_t n, const char *a, const char *b, int *score)
{
    const size_t tiles = (n + TILE - 1) / TILE;
    for (size_t k = 0; k <= n; k++)
        score[k] = score[k * (n + 1)] = (int)k * GAP;
    for (size_t d = 0; d < 2 * tiles - 1; d++) {
        const size_t first = d < tiles ? 0 : d - tiles + 1, end = d < tiles ? d + 1 : tiles;
        para_must(para_loop(tile, end - first, first, d, n, a, b, score));
    }
}

static size_t agreeing(size_t n, const char *a, const char *b, const int *score)
{
    size_t agree = 0;
    for (size_t i = n, j = n; i > 0 && j > 0;) {
        const int *here = &score[i * (n + 1) + j];
        const int same = a[i - 1] == b[j - 1];
        if (here[0] == here[-1] + GAP) {
            j--;
        } else if (here[0] == *(here - (n + 1)) + GAP) {
            i--;
        } else {
            agree += (size_t)same;
            i--;
            j--;
        }
    }
    return agree;
}

static void fill(size_t n, char *a, char *b)
{
    for (size_t i = 0; i < n; i++) {
        a[i] = "ACGT"[i * i * 7919 % 1009 % 4];
        b[i] = i % 10 ? a[i] : "ACGT"[i % 7 % 4];
    }
}

int main(int argc, char **argv)
{
    const size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 2000;
    char *a = malloc(n), *b = malloc(n);
    int *score = malloc((n + 1) * (n + 1) * sizeof *score);
    if (!a || !b || !score)
        exit(1);
    fill(n, a, b);
    align(n, a, b, score);
    printf("score %d, %zu agree\n", score[n * (n + 1) + n], agreeing(n, a, b, score));
    free(a);
    free(b);
    free(score);
    return 0;
}
