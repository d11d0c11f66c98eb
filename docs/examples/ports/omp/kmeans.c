/* k-means by Lloyd's algorithm: points go to the nearest centre, centres to the mean of their
 * points, until no point moves. Prints the number of rounds and the sum of squared distances. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIMS = 8, K = 12 };

static size_t nearest(const float *p, double (*centre)[DIMS], double *distance)
{
    size_t best = 0;
    *distance = 1e300;
    for (size_t c = 0; c < K; c++) {
        double d = 0;
        for (int k = 0; k < DIMS; k++)
            d += (p[k] - centre[c][k]) * (p[k] - centre[c][k]);
        if (d < *distance) {
            *distance = d;
            best = c;
        }
    }
    return best;
}

static void fill(size_t n, float (*p)[DIMS])
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < DIMS; k++)
            p[i][k] = (float)((i * 7919 + k * 104729) % 1009 + i % K * (k + 1) * 100);
}

static size_t cluster(size_t n, float (*p)[DIMS], unsigned char *own, double *spread)
{
    double centre[K][DIMS];
    memset(own, K, n);
    for (size_t c = 0; c < K; c++)
        for (int k = 0; k < DIMS; k++)
            centre[c][k] = p[c * (n / K)][k];
    size_t moved = 1, rounds = 0;
    double total = 0;
    for (; moved > 0 && rounds < 100; rounds++) {
        double sum[K][DIMS] = {{0}}, members[K] = {0};
        moved = 0;
        total = 0;
#pragma omp parallel for reduction(+ : sum, members, moved, total)
        for (size_t i = 0; i < n; i++) {
            double distance;
            const size_t c = nearest(p[i], centre, &distance);
            moved += own[i] != c;
            own[i] = (unsigned char)c;
            total += distance;
            members[c]++;
            for (int k = 0; k < DIMS; k++)
                sum[c][k] += p[i][k];
        }
        for (size_t c = 0; c < K; c++)
            for (int k = 0; k < DIMS && members[c] > 0; k++)
                centre[c][k] = sum[c][k] / members[c];
    }
    *spread = total;
    return rounds;
}

int main(int argc, char **argv)
{
    const size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 50000;
    float(*p)[DIMS] = malloc(n * sizeof *p);
    unsigned char *own = malloc(n);
    double spread;
    if (!p || !own || n < K)
        exit(1);
    fill(n, p);
    const size_t rounds = cluster(n, p, own, &spread);
    printf("%zu points, %zu rounds, spread %.9g\n", n, rounds, spread);
    free(p);
    free(own);
    return 0;
}
