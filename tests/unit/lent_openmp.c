/* para on the threads of OpenMP: no second set of threads, its variables count, and calls within
 * regions are right. Built for libgomp, and for LLVM's libomp where that is. */
#include <dirent.h>
#include <omp.h>
#include <para/openmp.h>
#include <para/para.h>
#include <stdio.h>
#include <stdlib.h>

enum { N = 30000 };

static int wrong;
static double x[N];
static para_pool *pool;

static void expect(int is_right, const char *what)
{
    if (!is_right) {
        fprintf(stderr, "wrong: %s\n", what);
#pragma omp atomic
        wrong++;
    }
}

static int tasks(void)
{
    DIR *folder = opendir("/proc/self/task");
    int n = 0;
    for (struct dirent *entry; folder && (entry = readdir(folder)) != NULL;)
        n += entry->d_name[0] != '.';
    if (folder)
        closedir(folder);
    return n;
}

static int sum_thirds(const para_chunk *chunk, void *acc, const void *arg)
{
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        *(double *)acc += x[chunk->first + i] / 3;
    return 0;
}

PARA_COMBINE(add, double, total, part, total += part)

static double sum(para_pool *on, para_executor who, para_report *report)
{
    double total = 0;
    const para_status status = para_preduce(on, &(para_reduce){.kernel = sum_thirds,
                                                               .combine = add,
                                                               .count = N,
                                                               .report = report,
                                                               .result = &total,
                                                               .result_bytes = sizeof total,
                                                               .options = {.executor = who}});
    return status ? -1 : total;
}

int main(int argc, char **argv)
{
    const int expected_width = argc > 1 ? atoi(argv[1]) : omp_get_max_threads();
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    para_report report;
    config.executor = para_openmp_lender();
    if (para_pool_create(&pool, &config)) {
        fprintf(stderr, "%s\n", para_status_detail());
        return 1;
    }
#pragma omp parallel for
    for (int i = 0; i < N; i++)
        x[i] = i / 7.0;
    const int before = tasks();
    const double total = sum(pool, PARA_EXECUTOR_SERIAL, &report);
    for (int i = 0; i < 50; i++)
        expect(sum(pool, PARA_EXECUTOR_THREADS, &report) == total, "bits");
    expect((int)report.width == expected_width, "width by the variables");
    expect(tasks() == before, "a second set of threads");

#pragma omp parallel
    {
        para_report mine;
        expect(sum(pool, PARA_EXECUTOR_THREADS, &mine) == total, "bits in a region");
        expect(omp_get_num_threads() == 1 || mine.width == 1, "alone in a region");
#pragma omp single
        {
            expect(sum(pool, PARA_EXECUTOR_THREADS, &mine) == total, "bits in single");
            for (int i = 0; i < 8; i++)
#pragma omp task
                expect(sum(pool, PARA_EXECUTOR_THREADS, NULL) == total, "bits in a task");
        }
    }
    expect(tasks() == before, "a second set of threads after regions");
    omp_set_max_active_levels(2);
#pragma omp parallel num_threads(2)
    expect(sum(pool, PARA_EXECUTOR_THREADS, NULL) == total, "bits with nesting");
    omp_set_max_active_levels(1);
    if (argc < 2) {
        omp_set_num_threads(3);
        expect(sum(pool, PARA_EXECUTOR_THREADS, &report) == total, "bits of three");
        expect(report.width == 3, "omp_set_num_threads");
    }
    para_pool_destroy(pool);
    return wrong != 0;
}
