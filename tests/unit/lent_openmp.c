/* para on the threads of OpenMP: no second set of threads, its variables count, and calls within
 * regions are right. Built for libgomp, and for LLVM's libomp where that is. */
#include <dirent.h>
#include <omp.h>
#include <para/openmp.h>
#include <para/para.h>
#include <stdio.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { N = 30000, UNITS = 16, TEAM_MOST = 256 };

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

static struct {
    long id;
    cpu_set_t mask;
} team[TEAM_MOST];
static int members;

static int is_member(void)
{
    const long id = syscall(SYS_gettid);
    cpu_set_t mask;
    if (sched_getaffinity(0, sizeof mask, &mask) != 0)
        return 0;
    for (int i = 0; i < members; i++)
        if (team[i].id == id)
            return CPU_EQUAL(&team[i].mask, &mask);
    return 0;
}

static int look_and_nap(const para_chunk *chunk, const void *arg)
{
    (void)chunk;
    (void)arg;
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    return !is_member();
}

/* Kernels run on the threads of a region, and those are where OpenMP has bound them. */
static void look_at_threads(int is_bound)
{
    para_report report = {0};
    members = omp_get_max_threads() < TEAM_MOST ? omp_get_max_threads() : TEAM_MOST;
#pragma omp parallel num_threads(members)
    {
        const int i = omp_get_thread_num();
        team[i].id = syscall(SYS_gettid);
        expect(sched_getaffinity(0, sizeof team[i].mask, &team[i].mask) == 0, "mask");
        expect(!is_bound || CPU_COUNT(&team[i].mask) == 1, "OpenMP has bound its threads");
    }
    for (int i = 0; i < 100 && report.workers < 2; i++)
        expect(para_pmap(pool, &(para_map){.kernel = look_and_nap,
                                           .count = UNITS,
                                           .report = &report,
                                           .options = {.executor = PARA_EXECUTOR_THREADS,
                                                       .claim = 1}}) == PARA_OK,
               "a kernel on a thread that is not OpenMP's, or bound elsewhere");
    expect(omp_get_max_threads() < 2 || report.workers > 1, "OpenMP's threads help");
}

/* libgomp's threads are not there in a child, where calls run alone. */
static void fork_with_team(double total)
{
    const pid_t child = fork();
    if (child == 0) {
        alarm(20);
        const int first = sum(pool, PARA_EXECUTOR_THREADS, NULL) != total;
        _exit(first || para_pool_restart(pool) || sum(pool, PARA_EXECUTOR_THREADS, NULL) != total);
    }
    int status = 1;
    expect(waitpid(child, &status, 0) == child && status == 0, "a child");
}

static int most_tasks;

static int count_or_nap(const para_chunk *chunk, const void *arg)
{
    (void)chunk;
    if (*(const int *)arg) {
        const int now = tasks();
#pragma omp critical(most)
        most_tasks = now > most_tasks ? now : most_tasks;
    }
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    return 0;
}

/* How many threads worked in a call. The first one has to be so wide. */
static unsigned call_within(int is_first, int width)
{
    para_report report = {0};
    expect(para_pmap(pool, &(para_map){.kernel = count_or_nap,
                                       .arg = &is_first,
                                       .count = UNITS,
                                       .report = &report,
                                       .options = {.executor = PARA_EXECUTOR_THREADS,
                                                   .claim = 1}}) == PARA_OK,
           "a call with nesting");
    expect(!is_first || (int)report.width == width, "width of a call in a region that nests");
    return report.workers;
}

/* Where regions nest, a call from within one has OpenMP's threads again: as many as a region there
 * is for. They are all that there are, beside those of the outer region. */
static void call_in_nested_regions(int before, double total)
{
    enum { CALLERS = 2 };
    const int threads = omp_get_max_threads(), limit = omp_get_thread_limit();
    const int width = threads < limit ? threads : limit;
    omp_set_dynamic(0); /* so that a region has the threads it asks for, up to the limit */
    omp_set_max_active_levels(2);
#pragma omp parallel num_threads(CALLERS)
    {
        const int nests = omp_get_active_level() < omp_get_max_active_levels();
        const int has_helpers = nests && width > 1 && limit / CALLERS >= width;
        unsigned helped = call_within(1, nests ? width : 1);
        /* Threads are counted in the first call. libgomp's threads of a nested region end some time
         * after it, beside those of the next. */
#pragma omp barrier
        for (int i = 0; i < 100 && has_helpers && helped < 2; i++)
            helped = call_within(0, width);
        expect(sum(pool, PARA_EXECUTOR_THREADS, NULL) == total, "bits with nesting");
        expect(!has_helpers || helped > 1, "threads of a nested region help");
    }
    expect(most_tasks <= (before > CALLERS ? before : CALLERS) + CALLERS * (width - 1),
           "more threads than nested regions have");
    omp_set_max_active_levels(1);
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

    look_at_threads(argc > 2);
    fork_with_team(total);

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
    call_in_nested_regions(before, total);
    if (argc < 2) {
        omp_set_num_threads(3);
        expect(sum(pool, PARA_EXECUTOR_THREADS, &report) == total, "bits of three");
        expect(report.width == 3, "omp_set_num_threads");
    }
    para_pool_destroy(pool);
    return wrong != 0;
}
