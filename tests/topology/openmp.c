/* A process whose main thread OpenMP's runtime has bound. Each case runs this program anew with
 * its own variables: libgomp binds before main begins, LLVM's runtime when it is first used. */
#include "../common/child.h"

#include <omp.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Which CPUs the workers of a call may run on, and how many chunks saw another mask than the
 * first of their worker. */
static cpu_set_t seen[8];
static _Atomic unsigned looked;

static int look(const para_chunk *chunk, const void *caller)
{
    cpu_set_t own;
    sched_getaffinity(0, sizeof own, &own);
    if (!pthread_equal(pthread_self(), *(const pthread_t *)caller)) {
        seen[chunk->worker] = own;
        looked |= 1u << chunk->worker;
    }
    ((double *)chunk->out[0])[0] = 1;
    for (volatile int i = 0; i < 100000; i++)
        ;
    return 0;
}

/* Calls until some worker has helped; the machine may be busy. */
static void let_workers_look(para_pool *pool)
{
    double y[64];
    const pthread_t self = pthread_self();
    looked = 0;
    for (int i = 0; i < 1000 && !looked; i++)
        CHECK(para_pmap(pool, &(para_map){.kernel = look,
                                          .arg = &self,
                                          .count = COUNT_OF(y),
                                          .out = {PARA_OUT(y)},
                                          .options = {.executor = PARA_EXECUTOR_THREADS,
                                                      .chunk = 1}}) == PARA_OK);
    CHECK(looked);
}

/* The process was given `cpus` CPUs: para finds them all, and workers use them all. */
static void check(unsigned cpus)
{
    cpu_set_t before;
    cpu_set_t after;
    CHECK(sched_getaffinity(0, sizeof before, &before) == 0);
    para_topology_info info = {.size = sizeof info};
    CHECK(para_topology_get_info(&info) == PARA_OK);
    CHECK(info.cpus == cpus);
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    para_pool *pool = NULL;
    config.binding = PARA_BIND_NONE;
    config.workers = 3;
    CHECK(para_pool_create(&pool, &config) == PARA_OK);
    let_workers_look(pool);
    for (unsigned i = 0; i < 3; i++)
        CHECK(!(looked >> i & 1) || (unsigned)CPU_COUNT(&seen[i]) == cpus);
    para_pool_destroy(pool);
    config.binding = PARA_BIND_CORE;
    config.workers = cpus;
    CHECK(para_pool_create(&pool, &config) == PARA_OK);
    para_worker_info worker[2] = {{.size = sizeof worker[0]}, {.size = sizeof worker[1]}};
    for (unsigned i = 0; i < cpus && i < 2; i++)
        CHECK(para_pool_get_worker(pool, i, &worker[i]) == PARA_OK);
    CHECK(cpus < 2 || worker[0].cpu != worker[1].cpu);
    para_pool_destroy(pool);
    CHECK(sched_getaffinity(0, sizeof after, &after) == 0);
    CHECK(CPU_EQUAL(&before, &after));
}

/* The n-th CPU that this process may use. */
static int nth_cpu(int n)
{
    cpu_set_t mask;
    if (sched_getaffinity(0, sizeof mask, &mask) == 0)
        for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
            if (CPU_ISSET(cpu, &mask) && n-- == 0)
                return cpu;
    return -1;
}

/* Runs this program anew with a variable, which may have the first CPU's number for %d, and if
 * `only` is not negative on that CPU alone. */
static void run(const char *variable, int only, const char *when)
{
    cpu_set_t mask;
    if (nth_cpu(1) < 0)
        skip();
    assert_int_equal(sched_getaffinity(0, sizeof mask, &mask), 0);
    const int all = CPU_COUNT(&mask);
    const pid_t child = fork();
    if (child == 0) {
        char text[80];
        char count[12];
        char *const environment[] = {text, NULL};
        snprintf(count, sizeof count, "%d", only >= 0 ? 1 : all);
        int length = snprintf(text, sizeof text, "%.60s", variable);
        if (strchr(variable, '#')) /* stands for the first CPU's number */
            length = (int)(strchr(text, '#') - text),
            snprintf(text + length, sizeof text - (size_t)length, "%d%s", nth_cpu(0),
                     strchr(variable, '#') + 1);
        char *const arguments[] = {(char *)"openmp", count, (char *)when, NULL};
        if (only >= 0) {
            CPU_ZERO(&mask);
            CPU_SET(only, &mask);
            sched_setaffinity(0, sizeof mask, &mask);
        }
        alarm(CHILD_SECONDS);
        execve("/proc/self/exe", arguments, environment);
        _exit(199);
    }
    print_message("%s\n", variable);
    await_success(child);
}

static const char *const variables[] = {"OMP_PROC_BIND=true",
                                        "OMP_PROC_BIND=close",
                                        "OMP_PROC_BIND=spread",
                                        "OMP_PLACES=cores",
                                        "OMP_PLACES=threads",
                                        "OMP_PROC_BIND=false",
                                        "A=1",
                                        "KMP_AFFINITY=disabled",
                                        "OMP_PROC_BIND=master",
                                        "OMP_PLACES={#}",
                                        "GOMP_CPU_AFFINITY=#"};

/* Before OpenMP is used, and after: then its threads are there too, bound as well. The last
 * variables put a whole team of LLVM's in one place, which para has to take for the process's
 * own. */
TEST(a_bound_main_thread_does_not_narrow_the_process)
{
    for (size_t i = 0; i < COUNT_OF(variables); i++) {
        run(variables[i], -1, "before");
        if (ASK_LIBGOMP || i + 3 < COUNT_OF(variables))
            run(variables[i], -1, "after");
    }
}

TEST(a_mask_that_the_process_was_started_with_counts)
{
    for (size_t i = 0; i < COUNT_OF(variables); i++)
        run(variables[i], nth_cpu(0), "before");
    run("OMP_PROC_BIND=true", nth_cpu(1), "before");
    run("OMP_PROC_BIND=true", nth_cpu(1), "after");
}

int main(int argc, char **argv)
{
    if (argc > 2) {
        if (strcmp(argv[2], "after") == 0) {
#pragma omp parallel
            (void)omp_get_thread_num();
        }
        check((unsigned)atoi(argv[1]));
        _exit(0); /* past leak checkers: LLVM's runtime does not free all that it has */
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bound_main_thread_does_not_narrow_the_process),
        cmocka_unit_test(a_mask_that_the_process_was_started_with_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
