/* What the tests of calibration share: kernels, pools that know them, prints and files of what is
 * known. */
#ifndef PARA_TESTS_CALIBRATION_H
#define PARA_TESTS_CALIBRATION_H

#include "../common/root.h"

/* A cost per element at which any call is shared, and one at which none is. */
#define DEAR  "1000000"
#define CHEAP "0.000001"

enum { MOST = 100000, WORKERS = 4 };
static double x[MOST], y[MOST];

PARA_MAP_KERNEL(square, double, double, v, v *v)
PARA_MAP_KERNEL(triple, double, double, v, 3 * v)
PARA_REDUCE_KERNEL(sum, double, s, double, v, s += v)
PARA_COMBINE(add, double, s, t, s += t)

static inline para_why map(para_pool *pool, para_map_fn *kernel, size_t count)
{
    para_report report;
    OK(para_pmap(pool, &(para_map){.kernel = kernel,
                                   .count = count,
                                   .in = {PARA_IN(x)},
                                   .out = {PARA_OUT(y)},
                                   .report = &report}));
    return report.why;
}

/* Sites of two maps and of a reduction, at several sizes. */
static inline para_pool *taught_pool(void)
{
    para_pool *pool = check_pool(WORKERS);
    double total = 0;
    for (size_t count = 100; count <= MOST; count *= 10) {
        map(pool, square, count);
        map(pool, triple, count);
    }
    OK(para_preduce(pool, &(para_reduce){.kernel = sum,
                                         .combine = add,
                                         .count = MOST,
                                         .in = {PARA_IN(x)},
                                         .result = &total,
                                         .result_bytes = sizeof total}));
    return pool;
}

static inline unsigned site_count(para_pool *pool)
{
    para_calibration_info info = {.size = sizeof info};
    OK(para_calibration_get(pool, &info));
    return info.sites;
}

/* What para_calibration_print writes; to be freed. */
static inline char *printed(para_pool *pool)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&text, &bytes);
    assert_non_null(stream);
    OK(para_calibration_print(pool, stream));
    fclose(stream);
    return text;
}

static inline int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Cuts a print into its lines of sites, sorted: their order says nothing. Returns how many. */
static inline unsigned site_lines(char *text, char *lines[])
{
    unsigned count = 0;
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        if (strncmp(line, "site ", 5) == 0)
            lines[count++] = line;
    qsort(lines, count, sizeof *lines, compare);
    return count;
}

enum { LINES_MOST = 600 };

/* Writes a file with every site that the pool knows, as if it had often been seen at that cost. */
static inline void write_costs(para_pool *pool, const char *name, const char *cost)
{
    char *lines[LINES_MOST];
    char *text = printed(pool);
    const unsigned count = site_lines(text, lines);
    FILE *file = fopen(in_root(name), "w");
    assert_non_null(file);
    for (unsigned i = 0; i < count; i++) {
        unsigned log2_count;
        char rest[512];
        assert_int_equal(sscanf(lines[i], "site %u %*s %*u %*s %*u %*s %*u %*u %*u %511[^\n]",
                                &log2_count, rest),
                         2);
        fprintf(file, "site %u %s 15 %s 15 0 0 16 0 %s\n", log2_count, cost, cost, rest);
    }
    assert_int_equal(fclose(file), 0);
    free(text);
}

#endif
