/* Reductions of docs/from-openmp.md: each with OpenMP and with para, with the same results. All
 * values are whole numbers, so that the order of additions does not matter. Without OpenMP the
 * pragmas are passed over. */
#include <math.h>
#include <para/para.h>
#include <stdio.h>
#include <string.h>

enum { n = 100000, bins = 64, rows = 200, columns = 300 };

static double x[n], y[n], z[n], positives[n], totals[n];
static unsigned char bin[n];

static para_status status;

/* reduction */

PARA_SUM(dot, double, i, const double *, x, const double *, y)
{
    return x[i] * y[i];
}

static int sum(void)
{
    double d = 0;
#pragma omp parallel for reduction(+ : d)
    for (size_t i = 0; i < n; i++)
        d += x[i] * y[i];

    const double expected = d;
    d = para_reduced(dot, n, x, y);
    return d == expected;
}

/* reduction and outputs */

PARA_SUM(residual, double, i, const double *, x, const double *, y, double *, z)
{
    z[i] = x[i] - y[i];
    return z[i] * z[i];
}

static int sum_and_array(void)
{
    double norm = 0;
#pragma omp parallel for reduction(+ : norm)
    for (size_t i = 0; i < n; i++) {
        z[i] = x[i] - y[i];
        norm += z[i] * z[i];
    }

    const double expected = norm;
    norm = para_reduced(residual, n, x, y, z);
    return norm == expected;
}

/* reduction and collapse */

PARA_SUM(all_of_row, double, i, double (*)[columns], m)
{
    double sum = 0;
    for (size_t j = 0; j < columns; j++)
        sum += m[i][j];
    return sum;
}

static int sum_of_nest(void)
{
    static double m[rows][columns];
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            m[i][j] = (double)(i * j % 7);

    double total = 0;
#pragma omp parallel for collapse(2) reduction(+ : total)
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            total += m[i][j];

    const double expected = total;
    total = para_reduced(all_of_row, rows, m);
    return total == expected;
}

/* min, max, min-loc */

PARA_MIN(least, double, i, const double *, x)
{
    return fabs(x[i]);
}
PARA_MINLOC(nearest, double, i, double, to, const double *, x)
{
    return fabs(x[i] - to);
}

static int extremes(void)
{
    double low = INFINITY;
#pragma omp parallel for reduction(min : low)
    for (size_t i = 0; i < n; i++)
        low = fmin(low, fabs(x[i]));

    const double expected = low;
    low = para_reduced(least, n, x);
    return low == expected;
}

static int minloc(double to)
{
    double best = INFINITY;
    size_t at = 0;
#pragma omp parallel for
    for (size_t i = 0; i < n; i++) {
        const double d = fabs(x[i] - to);
#pragma omp critical
        if (d < best || (d == best && i < at)) {
            best = d;
            at = i;
        }
    }

    const nearest_at p = para_reduced(nearest, n, to, x); /* p.value, p.index */
    return p.value == best && p.index == at;
}

/* several reductions */

typedef struct summary {
    double sum, most;
    size_t count;
} summary;

static void merge(summary *s, const summary *t)
{
    s->sum += t->sum;
    s->most = t->most > s->most ? t->most : s->most;
    s->count += t->count;
}
static const summary nothing = {0, -INFINITY, 0};
PARA_REDUCTION(summary_of, summary, nothing, s, t, merge(s, t), i, const double *, x)
{
    merge(s, &(summary){x[i], x[i], x[i] > 0});
}

static int several(void)
{
    double total = 0, most = -INFINITY;
    size_t count = 0;
#pragma omp parallel for reduction(+ : total, count) reduction(max : most)
    for (size_t i = 0; i < n; i++) {
        total += x[i];
        most = x[i] > most ? x[i] : most;
        count += x[i] > 0;
    }

    const summary all = para_reduced(summary_of, n, x);
    return all.sum == total && all.most == most && all.count == count;
}

/* declare reduction */

typedef struct affine {
    unsigned a, b; /* v becomes a * v + b, modulo 2^32 */
} affine;

static void then(affine *f, affine g)
{
    f->b = g.a * f->b + g.b;
    f->a *= g.a;
}
static const affine unchanged = {1, 0};
PARA_REDUCTION(chain, affine, unchanged, f, g, then(f, *g), i, const affine *, step)
{
    then(f, step[i]);
}

static int declared(void)
{
    static affine step[n];
    for (unsigned i = 0; i < n; i++)
        step[i] = (affine){2 * i + 1, i};

    affine all = {1, 0};
#pragma omp declare reduction(then:affine : then(&omp_out, omp_in)) initializer(omp_priv = {1, 0})
#pragma omp parallel for reduction(then : all) schedule(static)
    for (size_t i = 0; i < n; i++)
        then(&all, step[i]);

    const affine expected = all;
    all = para_reduced(chain, n, step);
    return all.a == expected.a && all.b == expected.b;
}

/* reductions of arrays, atomic */

typedef struct histogram {
    size_t bin[bins];
} histogram;

PARA_SUMS(count_bins, histogram, size_t, s, i, const unsigned char *, bin)
{
    s->bin[bin[i]]++;
}

static int array_reduction(void)
{
    size_t count[bins] = {0};
#pragma omp parallel for reduction(+ : count)
    for (size_t i = 0; i < n; i++)
        count[bin[i]]++;

    const histogram h = para_reduced(count_bins, n, bin);
    return memcmp(h.bin, count, sizeof count) == 0;
}

/* the same of a length that is known at run time only; fused with a product */

PARA_SUM_ROW(multiply, double, sum, i, size_t, m, const double *, a, const double *, x, double *, y)
{
    y[i] = 0;
    for (size_t j = 0; j < m; j++) {
        y[i] += a[i * m + j] * x[j];
        sum[j] += a[i * m + j];
    }
}

static int row_reduction(size_t m)
{
    static double a[rows * columns], sum[columns], again[columns]; /* 0 */
    for (size_t k = 0; k < rows * m; k++)
        a[k] = (double)(k * 7 % 101);
#pragma omp parallel for reduction(+ : sum[:m])
    for (size_t i = 0; i < rows; i++) {
        y[i] = 0;
        for (size_t j = 0; j < m; j++) {
            y[i] += a[i * m + j] * x[j];
            sum[j] += a[i * m + j];
        }
    }

    const double last = y[rows - 1];
    status = para_sum_row(again, m, multiply, rows, m, a, x, y);
    return y[rows - 1] == last && memcmp(again, sum, sizeof sum) == 0;
}

static int atomic(void)
{
    size_t count[bins] = {0};
#pragma omp parallel for
    for (size_t i = 0; i < n; i++)
#pragma omp atomic
        count[bin[i]]++;

    const histogram h = para_reduced(count_bins, n, bin);
    return memcmp(h.bin, count, sizeof count) == 0;
}

/* atomic capture: places in an array */

PARA_FILTER_KERNEL(positive, double, v, v > 0)

static int capture(void)
{
    size_t m = 0;
#pragma omp parallel for
    for (size_t i = 0; i < n; i++)
        if (x[i] > 0) {
            size_t k;
#pragma omp atomic capture
            k = m++;
            positives[k] = x[i];
        }

    const size_t expected = m;
    status = para_pfilter(NULL, &(para_filter){.kernel = positive,
                                               .count = n,
                                               .in = {PARA_IN(x)},
                                               .out = {PARA_OUT(positives)},
                                               .kept = &m});
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        if (x[i] > 0 && positives[count++] != x[i])
            return 0;
    return status == PARA_OK && m == expected && m == count;
}

/* critical */

typedef struct node {
    size_t degree, which;
} node;

static void keep_better(node *best, node other)
{
    if (other.degree > best->degree || (other.degree == best->degree && other.which < best->which))
        *best = other;
}
static const node nobody = {0, SIZE_MAX};
PARA_REDUCTION(busiest, node, nobody, s, t, keep_better(s, *t), i, const unsigned char *, bin)
{
    keep_better(s, (node){bin[i], i});
}

static int critical(void)
{
    node best = {0, SIZE_MAX};
#pragma omp parallel for
    for (size_t i = 0; i < n; i++) {
        const node here = {bin[i], i};
#pragma omp critical
        keep_better(&best, here);
    }

    const node expected = best;
    best = para_reduced(busiest, n, bin);
    return best.degree == expected.degree && best.which == expected.which;
}

/* scan */

PARA_SCAN_KERNEL(running, double, acc, double, v, acc += v)
PARA_COMBINE(add, double, s, t, s += t)

static int scan(void)
{
    double total = 0;
#pragma omp parallel for reduction(inscan, + : total)
    for (size_t i = 0; i < n; i++) {
        total += x[i];
#pragma omp scan inclusive(total)
        z[i] = total;
    }

    memcpy(totals, z, sizeof z);
    memset(z, 0, sizeof z);
    total = 0;
    status = para_pscan(NULL, &(para_scan){.kernel = running,
                                           .combine = add,
                                           .count = n,
                                           .in = {PARA_IN(x)},
                                           .out = {PARA_OUT(z)},
                                           .result = &total,
                                           .result_bytes = sizeof total});
    return status == PARA_OK && total == z[n - 1] && memcmp(z, totals, sizeof z) == 0;
}

static int failures;

static void check(const char *name, int right)
{
    if (!right)
        fprintf(stderr, "openmp/sums: %s: %s\n", name,
                status ? para_status_text(status) : "the results differ");
    failures += !right;
}

int main(void)
{
    for (int i = 0; i < n; i++) {
        x[i] = i * 7919LL % 1009 - 500;
        y[i] = i % 13;
        bin[i] = (unsigned char)(i * 31LL % bins);
    }
    check("sum", sum());
    check("sum and array", sum_and_array());
    check("sum of a nest", sum_of_nest());
    check("extremes", extremes());
    check("minloc", minloc(3.25));
    check("several", several());
    check("declare reduction", declared());
    check("array reduction", array_reduction());
    check("row reduction", row_reduction(columns - 1));
    check("atomic", atomic());
    check("atomic capture", capture());
    check("critical", critical());
    check("scan", scan());
    return failures != 0;
}
