/* para's main job on real input: a table of rows of 64 float32 values, each row scored to one
 * number by para_pmap, the scores totalled by para_preduce. Serial against parallel, and both must
 * agree in every bit. Exits 1 if they do not.
 *
 * demo [FOLDER [ROWS]] with a folder: leaves rows.npy and scores.npy there
 *
 * A row is taken as the 64 logits of a classifier, and its score is how undecided that classifier
 * is: the entropy of softmax(row), between 0 (certain) and ln 64 (no idea). */
#include <math.h>
#include <para/para.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { columns = 64, repeats = 19 };

/* Makes logits between -4 and 4. Two of them come from each draw of SplitMix64 (see monte_carlo.c),
 * whose number follows from the row's: any worker can make any row. */
static int make_rows(const para_chunk *chunk, const void *arg)
{
    float *out = chunk->out[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count * columns; i += 2) {
        uint64_t z = ((chunk->first * columns + i) / 2 + 1) * UINT64_C(0x9e3779b97f4a7c15);
        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        z ^= z >> 31;
        out[i] = (float)(z >> 40) * 0x1p-21f - 4;
        out[i + 1] = (float)(z & 0xffffff) * 0x1p-21f - 4;
    }
    return 0;
}

/* With e[j] = exp(row[j] - max) and z their sum, the entropy is log(z) - sum(e[j] (row[j] - max)) /
 * z. */
static float entropy(const float *row)
{
    float max = row[0], z = 0, weighted = 0;
    for (int j = 1; j < columns; j++)
        max = row[j] > max ? row[j] : max;
    for (int j = 0; j < columns; j++) {
        const float d = row[j] - max, e = expf(d);
        z += e;
        weighted += e * d;
    }
    return logf(z) - weighted / z;
}

static int score_rows(const para_chunk *chunk, const void *arg)
{
    const float *in = chunk->in[0];
    float *out = chunk->out[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        out[i] = entropy(in + i * columns);
    return 0;
}

PARA_REDUCE_KERNEL(sum, double, s, float, v, s += (double)v)
PARA_COMBINE(add, double, s, t, s += t)

static void require(para_status status, const char *what)
{
    if (status == PARA_OK)
        return;
    fprintf(stderr, "demo: %s: %s %s\n", what, para_status_text(status), para_status_detail());
    exit(1);
}

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* Each of the two steps returns the time it took. */
static double score(const float *rows, float *scores, size_t count, para_options options,
                    para_report *report)
{
    const double start = now_ms();
    const para_map call = {
        .kernel = score_rows,
        .count = count,
        .in = {PARA_IN_ROWS(rows, columns)},
        .out = {PARA_OUT(scores)},
        .options = options,
        .report = report,
    };
    require(para_pmap(NULL, &call), "para_pmap");
    return now_ms() - start;
}

static double total(para_pool *pool, const float *scores, size_t count, para_options options,
                    double *result)
{
    const double start = now_ms();
    *result = 0;
    const para_reduce call = {
        .kernel = sum,
        .combine = add,
        .count = count,
        .in = {PARA_IN(scores)},
        .result = result,
        .result_bytes = sizeof *result,
        .options = options,
    };
    require(para_preduce(pool, &call), "para_preduce");
    return now_ms() - start;
}

static void print_machine(void)
{
    para_topology_info machine = {.size = sizeof machine};
    para_pool_info pool = {.size = sizeof pool};
    require(para_topology_get_info(&machine), "para_topology_get_info");
    require(para_pool_get_info(NULL, &pool), "para_pool_get_info");
    printf("The machine\n");
    printf("  usable by this process   %u CPUs on %u cores, %u NUMA node%s\n", machine.cpus,
           machine.cores, machine.numa_nodes, machine.numa_nodes == 1 ? "" : "s");
    printf("  para's workers           %u, of which %u are pinned\n", pool.workers, pool.pinned);
    printf("  on the CPUs             ");
    for (unsigned i = 0; i < pool.workers; i++) {
        para_worker_info worker = {.size = sizeof worker};
        require(para_pool_get_worker(NULL, i, &worker), "para_pool_get_worker");
        printf(" %d", worker.cpu);
    }
    printf("\n");
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_times(const char *what, double *serial, double *parallel)
{
    qsort(serial, repeats, sizeof *serial, ascending);
    qsort(parallel, repeats, sizeof *parallel, ascending);
    const double s = serial[repeats / 2], p = parallel[repeats / 2];
    printf("  %-25s%10.2f ms %10.2f ms %8.2f x\n", what, s, p, s / p);
}

/* Has the total the same bits with any number of workers? */
static int same_totals(const float *scores, size_t count, double expected)
{
    static const unsigned workers[] = {1, 2, 3, 5, 8, 64};
    int same = 1;
    printf("  total, by workers        ");
    for (size_t i = 0; i < sizeof workers / sizeof workers[0]; i++) {
        para_pool *pool = NULL;
        para_pool_config config = PARA_POOL_CONFIG_INIT;
        config.workers = workers[i];
        require(para_pool_create(&pool, &config), "para_pool_create");
        double result;
        total(pool, scores, count, (para_options){.executor = PARA_EXECUTOR_THREADS}, &result);
        para_pool_destroy(pool);
        const int equal = memcmp(&result, &expected, sizeof result) == 0;
        printf("%s%u: %s", i ? ", " : "", workers[i], equal ? "same" : "DIFFERENT");
        same = same && equal;
    }
    printf("\n");
    return same;
}

/* NumPy's format, version 1.0: a magic number, the length of the header, the header, the values. */
static void write_npy(const char *folder, const char *name, const char *shape, const float *values,
                      size_t count)
{
    char path[4096], header[119];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    const int used = snprintf(header, sizeof header,
                              "{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }", shape);
    memset(header + used, ' ', sizeof header - (size_t)used);
    header[sizeof header - 2] = '\n'; /* 10 bytes and 118 more: a multiple of 64, as it asks for */
    FILE *file = fopen(path, "wb");
    const int good = file && fwrite("\x93NUMPY\x01\x00\x76\x00", 1, 10, file) == 10 &&
                     fwrite(header, 1, sizeof header - 1, file) == sizeof header - 1 &&
                     fwrite(values, sizeof *values, count, file) == count;
    if (!file || fclose(file) != 0 || !good) {
        fprintf(stderr, "demo: cannot write %s\n", path);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    const size_t count = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000000;
    const para_options serial = {.executor = PARA_EXECUTOR_SERIAL}, automatic = {0};
    para_buffer *table = NULL, *one = NULL, *other = NULL;
    require(para_buffer_create(&table, NULL, count, columns * sizeof(float), NULL), "table");
    require(para_buffer_create(&one, NULL, count, sizeof(float), NULL), "scores");
    require(para_buffer_create(&other, NULL, count, sizeof(float), NULL), "scores");
    float *rows = para_buffer_data(table), *alone = para_buffer_data(one);
    float *shared = para_buffer_data(other);

    printf("para %s: %zu rows of %d float32 values, each scored to its softmax entropy\n\n",
           para_version(), count, columns);
    print_machine();

    const double start = now_ms();
    const para_map fill = {
        .kernel = make_rows, .count = count, .out = {PARA_OUT_ROWS(rows, columns)}};
    require(para_pmap(NULL, &fill), "para_pmap");
    printf("\nThe data\n  %.1f MB made by a counter-based generator in %.0f ms\n\n",
           (double)para_buffer_bytes(table) * 1e-6, now_ms() - start);

    double times[4][repeats], total_alone = 0, total_shared = 0;
    para_report report = {0};
    for (int i = -1; i < repeats; i++) { /* turns interleave, so that both see the same machine */
        const int at = i < 0 ? 0 : i;    /* the first round only warms up */
        times[0][at] = score(rows, alone, count, serial, NULL);
        times[1][at] = score(rows, shared, count, automatic, &report);
        times[2][at] = total(NULL, alone, count, serial, &total_alone);
        times[3][at] = total(NULL, shared, count, automatic, &total_shared);
    }
    printf("The work                       serial      parallel    speed-up\n");
    print_times("score, para_pmap", times[0], times[1]);
    print_times("total, para_preduce", times[2], times[3]);
    printf("  medians of %d rounds, serial and parallel in turns\n", repeats);
    printf("  the last para_pmap: workers %u, chunks %zu of at most %zu rows; %s\n\n",
           report.workers, report.chunks, report.chunk, para_why_text(report.why));

    printf("The result\n  total entropy %.17g, per row %.6f of at most %.6f\n", total_alone,
           total_alone / (double)count, log(columns));
    printf("\nThe same bits?\n");
    const int same_scores = memcmp(alone, shared, count * sizeof *alone) == 0;
    printf("  scores                   %zu serial, %zu parallel: %s\n", count, count,
           same_scores ? "same" : "DIFFERENT");
    printf("  total                    serial and parallel: %s\n",
           memcmp(&total_alone, &total_shared, sizeof total_alone) == 0 ? "same" : "DIFFERENT");
    const int same = same_totals(shared, count, total_alone) && same_scores &&
                     memcmp(&total_alone, &total_shared, sizeof total_alone) == 0;

    if (argc > 1) {
        char shape[64];
        snprintf(shape, sizeof shape, "%zu, %d", count, columns);
        write_npy(argv[1], "rows.npy", shape, rows, count * columns);
        snprintf(shape, sizeof shape, "%zu,", count);
        write_npy(argv[1], "scores.npy", shape, alone, count);
    }
    para_buffer_destroy(other);
    para_buffer_destroy(one);
    para_buffer_destroy(table);
    return same ? 0 : 1;
}
