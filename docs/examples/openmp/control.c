/* Control of docs/from-openmp.md: each with OpenMP and with para, with the same results. Without
 * OpenMP the pragmas are passed over. */
#include <math.h>
#include <para/para.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { n = 20000, m = 400, work_items = 64 };

static double x[n], y[n], z[n];
static unsigned data[n], sorted[n];
static unsigned table[m][m], expected[m][m];

static para_status status;

/* sections */

static void first_half(double *out)
{
    for (size_t i = 0; i < n / 2; i++)
        out[i] = sqrt((double)i);
}
static void second_half(double *out)
{
    for (size_t i = n / 2; i < n; i++)
        out[i] = cbrt((double)i);
}

PARA_LOOP(halves, section, double *, out)
{
    switch (section) {
    case 0:
        first_half(out);
        break;
    case 1:
        second_half(out);
        break;
    }
}

static int sections(void)
{
#pragma omp parallel sections
    {
#pragma omp section
        first_half(y);
#pragma omp section
        second_half(y);
    }

    memcpy(z, y, sizeof y);
    memset(y, 0, sizeof y);
    status = para_loop(halves, 2, y);
    return status == PARA_OK && memcmp(y, z, sizeof y) == 0;
}

/* tasks: recursion */

static void sort_serially(unsigned *a, size_t count)
{
    for (size_t i = 1; i < count; i++)
        for (size_t j = i; j > 0 && a[j] < a[j - 1]; j--) {
            const unsigned swap = a[j];
            a[j] = a[j - 1];
            a[j - 1] = swap;
        }
}

/* All before the result are less than those from it on. */
static size_t partition(unsigned *a, size_t count)
{
    const unsigned pivot = a[count / 2];
    size_t i = 0, j = count - 1;
    for (;; i++, j--) {
        while (a[i] < pivot)
            i++;
        while (a[j] > pivot)
            j--;
        if (i >= j)
            return j + 1;
        const unsigned swap = a[i];
        a[i] = a[j];
        a[j] = swap;
    }
}

static void quicksort_omp(unsigned *a, size_t count)
{
    if (count < 64) {
        sort_serially(a, count);
        return;
    }
    const size_t middle = partition(a, count);
#pragma omp task
    quicksort_omp(a, middle);
#pragma omp task
    quicksort_omp(a + middle, count - middle);
#pragma omp taskwait
}

static void quicksort(unsigned *a, size_t count);
PARA_LOOP(sort_part, part, unsigned *, a, size_t, middle, size_t, count)
{
    if (part == 0)
        quicksort(a, middle);
    else
        quicksort(a + middle, count - middle);
}
static void quicksort(unsigned *a, size_t count)
{
    if (count < 64) {
        sort_serially(a, count);
        return;
    }
    const size_t middle = partition(a, count);
    if (para_loop(sort_part, 2, a, middle, count))
        abort();
}

static int tasks(void)
{
    for (unsigned i = 0; i < n; i++)
        data[i] = sorted[i] = (unsigned)(i * 7919ULL % 10007);
#pragma omp parallel
#pragma omp single
    quicksort_omp(data, n);

    quicksort(sorted, n);
    return memcmp(data, sorted, sizeof data) == 0;
}

/* tasks over a list */

typedef struct item {
    struct item *next;
    double value;
} item;

static void treat(item *p)
{
    p->value = sqrt(p->value + 1);
}
PARA_LOOP(treat_all, i, item **, items)
{
    treat(items[i]);
}

static int list(void)
{
    static item list[work_items];
    for (int i = 0; i < work_items; i++)
        list[i] = (item){i + 1 < work_items ? &list[i + 1] : NULL, i};
    item *const head = list;

#pragma omp parallel
#pragma omp single
    for (item *p = head; p; p = p->next)
#pragma omp task
        treat(p);

    item *items[work_items];
    size_t count = 0;
    for (item *p = head; p; p = p->next)
        items[count++] = p;
    status = para_loop(treat_all, count, items);

    int right = status == PARA_OK;
    for (int i = 0; i < work_items; i++)
        right &= list[i].value == sqrt(sqrt(i + 1.0) + 1);
    return right;
}

/* tasks that depend on each other, and ordered(2): the cells of a diagonal are independent */

PARA_LOOP(diagonal, k, size_t, d, size_t, top, unsigned (*)[m], t)
{
    const size_t i = top + k, j = d - i;
    t[i][j] = 3 * t[i - 1][j] + t[i][j - 1];
}

static int depend(void)
{
    for (size_t i = 0; i < m; i++)
        table[i][0] = table[0][i] = (unsigned)i;

#pragma omp parallel
#pragma omp single
    for (size_t i = 1; i < m; i++)
        for (size_t j = 1; j < m; j++)
#pragma omp task depend(in : table[i - 1][j], table[i][j - 1]) depend(out : table[i][j])
            table[i][j] = 3 * table[i - 1][j] + table[i][j - 1];

    memcpy(expected, table, sizeof table);
    memset(table[1], 0, sizeof table - sizeof table[0]);
    for (size_t i = 0; i < m; i++)
        table[i][0] = (unsigned)i;
    for (size_t d = 2; d < m + m - 1 && !status; d++) {
        const size_t top = d < m ? 1 : d - m + 1, bottom = d < m ? d - 1 : m - 1;
        status = para_loop(diagonal, bottom - top + 1, d, top, table);
    }
    return status == PARA_OK && memcmp(table, expected, sizeof table) == 0;
}

/* ordered */

static double expensive(size_t i)
{
    double s = 0;
    for (size_t k = 1; k < 1000; k++)
        s += sin((double)(i * k));
    return s;
}
PARA_LOOP(compute, i, double *, result)
{
    result[i] = expensive(i);
}

static int ordered(void)
{
#pragma omp parallel for ordered schedule(dynamic)
    for (size_t i = 0; i < 8; i++) {
        const double r = expensive(i);
#pragma omp ordered
        printf("%zu %.3f\n", i, r);
    }

    double result[8];
    status = para_loop(compute, 8, result);
    for (size_t i = 0; i < 8; i++)
        printf("%zu %.3f\n", i, result[i]);
    return status == PARA_OK;
}

/* cancel: a search */

PARA_FIND_KERNEL(is_negative, double, v, v < 0)

static int search(void)
{
    size_t found = n;
#pragma omp parallel
#pragma omp for
    for (size_t i = 0; i < n; i++) {
        if (x[i] < 0) {
#pragma omp critical
            found = i < found ? i : found;
#pragma omp cancel for
        }
#pragma omp cancellation point for
    }

    size_t at;
    status = para_pfind(
        NULL, &(para_find){.kernel = is_negative, .count = n, .in = {PARA_IN(x)}, .found = &at});
    return status == PARA_OK && at == n / 2 && found < n;
}

/* cancel: any loop */

PARA_LOOP(until_bad, i, para_cancel *, stop, const double *, x, double *, y)
{
    if (x[i] < 0)
        para_cancel_request(stop);
    else
        y[i] = sqrt(x[i]);
}

static int cancel(void)
{
    para_cancel stop = {0};
    const para_setup setup = {.options = {.cancel = &stop}};
    status = para_loop_with(&setup, until_bad, n, &stop, x, y);
    if (status == PARA_ERR_CANCELLED)
        printf("stopped early\n");
    return para_cancel_requested(&stop) && (status == PARA_ERR_CANCELLED || status == PARA_OK);
}

/* threadprivate */

static _Thread_local double workspace[1000];

PARA_LOOP(pick, i, double, step, double *, z)
{
    for (int k = 0; k < 1000; k++)
        workspace[k] = fabs(sin(step * k + (double)i));
    z[i] = workspace[i % 1000];
}

static double scratch[1000];
#pragma omp threadprivate(scratch)

static int threadprivate(double step)
{
#pragma omp parallel for
    for (size_t i = 0; i < 1000; i++) {
        for (int k = 0; k < 1000; k++)
            scratch[k] = fabs(sin(step * k + (double)i));
        z[i] = scratch[i % 1000];
    }

    memcpy(y, z, 1000 * sizeof *y);
    memset(z, 0, sizeof z);
    status = para_loop(pick, 1000, step, z);
    return status == PARA_OK && memcmp(y, z, 1000 * sizeof *y) == 0;
}

static int failures;

static void check(const char *name, int right)
{
    if (!right)
        fprintf(stderr, "openmp/control: %s: %s\n", name,
                status ? para_status_text(status) : "the results differ");
    failures += !right;
    status = PARA_OK;
}

int main(void)
{
    for (int i = 0; i < n; i++)
        x[i] = i == n / 2 ? -1 : i % 17;
    check("sections", sections());
    check("tasks", tasks());
    check("list", list());
    check("depend", depend());
    check("ordered", ordered());
    check("search", search());
    check("cancel", cancel());
    check("threadprivate", threadprivate(0.125));
    return failures != 0;
}
