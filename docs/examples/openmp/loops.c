/* Loops of docs/from-openmp.md: each with OpenMP and with para, with the same results. Without
 * OpenMP the pragmas are passed over. */
#include <para/para.h>
#include <stdio.h>
#include <string.h>

enum { n = 100000, rows = 300, columns = 200, width = 16 };

static double x[n], y[n], z[n];
static double old[rows][columns], now[rows][columns];
static double their_y[n], their_z[n], their_now[rows][columns]; /* OpenMP's results */

static para_status status;

static void fill(void)
{
    for (int i = 0; i < n; i++) {
        x[i] = i % 100 - 50;
        y[i] = 1;
        z[i] = 0;
    }
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++)
            old[i][j] = now[i][j] = (i * 7 + j * 3) % 11;
}

/* Sets OpenMP's results aside; para begins where OpenMP began. */
static void again(void)
{
    memcpy(their_y, y, sizeof y);
    memcpy(their_z, z, sizeof z);
    memcpy(their_now, now, sizeof now);
    fill();
}

static int same(void)
{
    return status == PARA_OK && memcmp(y, their_y, sizeof y) == 0 &&
           memcmp(z, their_z, sizeof z) == 0 && memcmp(now, their_now, sizeof now) == 0;
}

/* parallel for */

PARA_LOOP(saxpy, i, double, a, const double *, x, double *, y)
{
    y[i] += a * x[i];
}

static int parallel_for(double a)
{
#pragma omp parallel for
    for (size_t i = 0; i < n; i++)
        y[i] += a * x[i];
    again();

    status = para_loop(saxpy, n, a, x, y);
    return same();
}

/* bounds and steps */

PARA_LOOP(odd, k, const double *, x, double *, y)
{
    const size_t i = 1 + 2 * k;
    y[i] = x[i] - x[i - 1];
}

PARA_LOOP(inner, i, const double *, x, double *, y)
{
    y[i] = x[i - 1] + x[i + 1];
}

static int bounds(void)
{
#pragma omp parallel for
    for (int i = 1; i < n; i += 2)
        y[i] = x[i] - x[i - 1];
#pragma omp parallel for
    for (int i = 1; i < n - 1; i++)
        z[i] = x[i - 1] + x[i + 1];
    again();

    status = para_loop(odd, n / 2, x, y);
    if (status)
        return 0;
    const para_setup from_one = {.first = {1}};
    status = para_loop_with(&from_one, inner, n - 2, x, z);
    return same();
}

/* schedule */

PARA_LOOP(triangle, i, const double *, x, double *, y)
{
    for (size_t j = 0; j < i; j++)
        y[i] += x[j];
}

static int schedule(size_t m)
{
#pragma omp parallel for schedule(dynamic, 16)
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < i; j++)
            y[i] += x[j];
    again();

    status = para_loop(triangle, m, x, y);
    return same();
}

/* collapse */

PARA_LOOP2(relax, i, j, double (*)[columns], old, double (*)[columns], now)
{
    now[i][j] = 0.25 * (old[i - 1][j] + old[i + 1][j] + old[i][j - 1] + old[i][j + 1]);
}

static int collapse(void)
{
#pragma omp parallel for collapse(2)
    for (size_t i = 1; i < rows - 1; i++)
        for (size_t j = 1; j < columns - 1; j++)
            now[i][j] = 0.25 * (old[i - 1][j] + old[i + 1][j] + old[i][j - 1] + old[i][j + 1]);
    again();

    const para_setup inside = {.first = {1, 1}};
    status = para_loop_with(&inside, relax, rows - 2, columns - 2, old, now);
    return same();
}

/* a matrix whose width is known at run time */

PARA_LOOP(scale, i, size_t, w, double *, a)
{
    double(*m)[w] = (double(*)[w])a;
    for (size_t j = 0; j < w; j++)
        m[i][j] *= 2;
}

static int matrix(size_t h, size_t w)
{
    double(*m)[w] = (double(*)[w])y;
#pragma omp parallel for
    for (size_t i = 0; i < h; i++)
        for (size_t j = 0; j < w; j++)
            m[i][j] *= 2;
    again();

    status = para_loop(scale, h, w, &m[0][0]);
    return same();
}

/* private, firstprivate, lastprivate */

PARA_LOOP(weigh, i, double, scale, const double *, x, double *, y)
{
    double weight[width];
    for (int k = 0; k < width; k++)
        weight[k] = scale * k;
    for (int k = 0; k < width; k++)
        y[i] += weight[k] * x[i];
}

static int private_variables(double scale)
{
    double weight[width];
#pragma omp parallel for private(weight) firstprivate(scale)
    for (size_t i = 0; i < n; i++) {
        for (int k = 0; k < width; k++)
            weight[k] = scale * k;
        for (int k = 0; k < width; k++)
            y[i] += weight[k] * x[i];
    }
    again();

    status = para_loop(weigh, n, scale, x, y);
    return same();
}

PARA_LOOP(twice, i, const double *, x, double *, y)
{
    const double t = 2 * x[i];
    y[i] = t * t;
}

static int lastprivate(void)
{
    double t = 0;
#pragma omp parallel for lastprivate(t)
    for (size_t i = 0; i < n; i++) {
        t = 2 * x[i];
        y[i] = t * t;
    }
    again();

    status = para_loop(twice, n, x, y);
    const double last = 2 * x[n - 1];
    return same() && last == t;
}

/* if, num_threads */

static int few_threads(double a)
{
#pragma omp parallel for if (n > 1000) num_threads(2)
    for (size_t i = 0; i < n; i++)
        y[i] += a * x[i];
    again();

    const para_setup two = {.options = {.workers = 2}};
    status = para_loop_with(&two, saxpy, n, a, x, y);
    return same();
}

/* simd */

PARA_LOOP(row_sum, i, double (*)[columns], m, double *, y)
{
    double s = 0;
#pragma omp simd reduction(+ : s)
    for (size_t j = 0; j < columns; j++)
        s += m[i][j];
    y[i] = s;
}

static int simd(void)
{
#pragma omp parallel for
    for (size_t i = 0; i < rows; i++) {
        double s = 0;
#pragma omp simd reduction(+ : s)
        for (size_t j = 0; j < columns; j++)
            s += old[i][j];
        y[i] = s;
    }
    again();

    status = para_loop(row_sum, rows, old, y);
    return same();
}

/* nowait */

PARA_LOOP(both, i, const double *, x, double *, y, double *, z)
{
    y[i] = 3 * x[i];
    z[i] = x[i] * x[i];
}

static int nowait(void)
{
#pragma omp parallel
    {
#pragma omp for nowait
        for (size_t i = 0; i < n; i++)
            y[i] = 3 * x[i];
#pragma omp for
        for (size_t i = 0; i < n; i++)
            z[i] = x[i] * x[i];
    }
    again();

    status = para_loop(both, n, x, y, z);
    return same();
}

/* regions, single, barrier */

PARA_MAX(greatest, double, i, const double *, x)
{
    return x[i];
}
PARA_LOOP(divide, i, double, by, const double *, x, double *, y)
{
    y[i] = x[i] / by;
}

static int region(void)
{
    double top = -1e300;
#pragma omp parallel
    {
#pragma omp for reduction(max : top)
        for (size_t i = 0; i < n; i++)
            top = x[i] > top ? x[i] : top;
#pragma omp single
        printf("the greatest is %g\n", top);
#pragma omp for
        for (size_t i = 0; i < n; i++)
            y[i] = x[i] / top;
    }
    again();

    const double most = para_reduced(greatest, n, x);
    printf("the greatest is %g\n", most);
    status = para_loop(divide, n, most, x, y);
    return same() && most == top;
}

static int failures;

static void check(const char *name, int right)
{
    if (!right)
        fprintf(stderr, "openmp/loops: %s: %s\n", name,
                status ? para_status_text(status) : "the results differ");
    failures += !right;
    fill();
}

int main(void)
{
    fill();
    check("parallel for", parallel_for(2));
    check("bounds", bounds());
    check("schedule", schedule(2000));
    check("collapse", collapse());
    check("matrix", matrix(100, n / 100));
    check("private", private_variables(0.5));
    check("lastprivate", lastprivate());
    check("num_threads", few_threads(3));
    check("simd", simd());
    check("nowait", nowait());
    check("region", region());
    return failures != 0;
}
