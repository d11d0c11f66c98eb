/* k-means (Lloyd, "Least Squares Quantization in PCM", IEEE Trans. Information Theory 28(2), 1982):
 * five rounds from the same start. Points go to their nearest centre group by group, which also
 * adds them up; few, long items. */
#include "workload.h"
#include <string.h>

enum { DIMENSIONS = 8, CLUSTERS = 16, GROUPS = 100, ROUNDS = 5 };

typedef struct part {
    double total[CLUSTERS][DIMENSIONS];
    size_t members[CLUSTERS];
} part;

typedef struct kmeans {
    size_t n;
    double (*point)[DIMENSIONS];
    double centre[CLUSTERS][DIMENSIONS];
    part *parts; /* one for each group */
} kmeans;

static unsigned nearest(const kmeans *m, const double *p)
{
    unsigned best = 0;
    double least = 1e300;
    for (unsigned c = 0; c < CLUSTERS; c++) {
        double square = 0;
        for (unsigned d = 0; d < DIMENSIONS; d++)
            square += (p[d] - m->centre[c][d]) * (p[d] - m->centre[c][d]);
        if (square < least) {
            least = square;
            best = c;
        }
    }
    return best;
}

BENCH_LOOP(kmeans_assign)
{
    const kmeans *m = ctx;
    for (size_t g = first; g < last; g++) {
        part sum;
        memset(&sum, 0, sizeof sum);
        for (size_t i = m->n * g / GROUPS; i < m->n * (g + 1) / GROUPS; i++) {
            const unsigned c = nearest(m, m->point[i]);
            sum.members[c]++;
            for (unsigned d = 0; d < DIMENSIONS; d++)
                sum.total[c][d] += m->point[i][d];
        }
        m->parts[g] = sum;
    }
}

/* The groups' sums in order, so that the result does not depend on who had which. */
static void move_centres(kmeans *m)
{
    for (unsigned c = 0; c < CLUSTERS; c++) {
        size_t members = 0;
        double total[DIMENSIONS] = {0};
        for (size_t g = 0; g < GROUPS; g++) {
            members += m->parts[g].members[c];
            for (unsigned d = 0; d < DIMENSIONS; d++)
                total[d] += m->parts[g].total[c][d];
        }
        for (unsigned d = 0; members && d < DIMENSIONS; d++)
            m->centre[c][d] = total[d] / (double)members;
    }
}

static void run(void *ctx, const bench_runtime *runtime)
{
    kmeans *m = ctx;
    memcpy(m->centre, m->point, sizeof m->centre);
    for (int k = 0; k < ROUNDS; k++) {
        runtime->for_each(GROUPS, &kmeans_assign, m);
        move_centres(m);
    }
}

static void *setup(const bench_point *point, const bench_runtime *runtime)
{
    (void)runtime;
    uint64_t random = 1;
    kmeans *m = bench_alloc(sizeof *m);
    m->n = point->n;
    m->point = bench_alloc(m->n * sizeof *m->point);
    m->parts = bench_alloc(GROUPS * sizeof *m->parts);
    for (size_t i = 0; i < m->n; i++)
        for (unsigned d = 0; d < DIMENSIONS; d++)
            m->point[i][d] = (double)(i % CLUSTERS == d) + bench_uniform(&random);
    return m;
}

static double digest(const void *ctx)
{
    const kmeans *m = ctx;
    double total = 0;
    for (unsigned c = 0; c < CLUSTERS; c++)
        for (unsigned d = 0; d < DIMENSIONS; d++)
            total += (double)(c + 3 * d + 1) * m->centre[c][d];
    return total;
}

static const bench_point points[] = {
    {.name = "2000", .n = 2000},
    {.name = "20000", .n = 20000, .quick = true},
    {0},
};

const bench_workload bench_kmeans = {
    .name = "kmeans",
    .title = "Program: five rounds of k-means, 16 clusters in 8 dimensions, by points",
    .points = points,
    .setup = setup,
    .run = run,
    .digest = digest,
};
