/* Calls on the default pool compute, whatever the system refuses to it. */
#include "faults.h"

#include "../common/child.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 10000, SCRATCH = 8 << 20 };

static _Atomic size_t elements;
static _Atomic long held;

static int count(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    elements += chunk->count;
    held = fault_held();
    return 0;
}

static para_report call(size_t n, size_t scratch_bytes, para_executor executor)
{
    para_report report;
    elements = 0;
    CHECK(para_pmap(NULL, &(para_map){.kernel = count,
                                      .count = n,
                                      .scratch_bytes = scratch_bytes,
                                      .options.executor = executor,
                                      .report = &report}) == PARA_OK);
    CHECK(elements == n);
    return report;
}

PARA_COMPARE(before, int, a, b, a < b)

static void sort(void)
{
    static int numbers[1000];
    for (int i = 0; i < 1000; i++)
        numbers[i] = (i * 7919) % 1000;
    CHECK(para_psort(NULL,
                     &(para_sort){.data = PARA_OUT(numbers), .count = 1000, .compare = before}) ==
          PARA_OK);
    for (int i = 0; i < 1000; i++)
        CHECK(numbers[i] == i);
}

static FILE *caught;

static unsigned lines_caught(void)
{
    char line[600];
    unsigned lines = 0;
    rewind(caught);
    for (; fgets(line, sizeof line, caught); lines++)
        CHECK(strncmp(line, "para: no default pool: ", 23) == 0);
    return lines;
}

/* All memory of the pool is refused: calls run alone, the detail of an earlier failure stays, one
 * line says why, and not every call tries it again. */
static void refused_body(void)
{
    caught = tmpfile();
    CHECK(caught && dup2(fileno(caught), STDERR_FILENO) == STDERR_FILENO);
    setenv("PARA_NUM_WORKERS", "3", 1);
    CHECK(para_pmap(NULL, NULL) == PARA_ERR_ARGUMENT);
    for (int i = 0; i < 100; i++) {
        fault_arm(FAULT_MEMORY, 1, ENOMEM, true);
        const para_report report = call(N, 0, PARA_EXECUTOR_THREADS);
        CHECK(report.workers == 1 && report.why == PARA_WHY_ONE_WORKER);
        CHECK(strcmp(para_status_detail(), "there is no call") == 0);
        sort();
        fault_arm(FAULT_ANY, 0, 0, false);
    }
    CHECK(lines_caught() == 1);
    CHECK(para_default_pool()); /* whoever asks for it has it tried */
    CHECK(call(N, 0, PARA_EXECUTOR_THREADS).width == 3);
}

TEST(without_memory_for_the_pool)
{
    run_in_child(refused_body);
}

static void seldom_body(void)
{
    long refusals = 0;
    CHECK(freopen("/dev/null", "w", stderr));
    setenv("PARA_NUM_WORKERS", "3", 1);
    for (int i = 0; i < 1000; i++) {
        fault_arm(FAULT_MEMORY, 1, ENOMEM, true);
        (void)call(N, 0, PARA_EXECUTOR_THREADS);
        refusals += fault_count() > 0;
        fault_arm(FAULT_ANY, 0, 0, false);
    }
    CHECK(refusals > 1 && refusals <= 11);
    for (int i = 0; i < 2000 && call(N, 0, PARA_EXECUTOR_THREADS).width == 1; i++)
        ;
    CHECK(call(N, 0, PARA_EXECUTOR_THREADS).width == 3); /* once it can be had, it is */
}

TEST(it_is_tried_again_but_seldom)
{
    run_in_child(seldom_body);
}

static void threads_body(void)
{
    char line[300] = "";
    caught = tmpfile();
    CHECK(caught && dup2(fileno(caught), STDERR_FILENO) == STDERR_FILENO);
    setenv("PARA_NUM_WORKERS", "3", 1);
    fault_arm(FAULT_THREAD, 1, EAGAIN, true);
    (void)call(N, 0, PARA_EXECUTOR_THREADS);
    CHECK(para_pool_wait_ready(NULL) == PARA_OK);
    CHECK(call(N, 0, PARA_EXECUTOR_THREADS).workers == 1);
    sort();
    rewind(caught);
    CHECK(fgets(line, sizeof line, caught));
    CHECK(strcmp(line, "para: PARA_NUM_WORKERS=3: there are only 1, since the system refuses more "
                       "threads (ulimit -u, pids.max)\n") == 0);
    CHECK(!fgets(line, sizeof line, caught));
}

TEST(without_threads)
{
    run_in_child(threads_body);
}

/* A call of unknown cost on a machine of which the process has one CPU: one scratch will do. */
static void share_body(void)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    CHECK(sched_setaffinity(0, sizeof one, &one) == 0);
    unsetenv("PARA_NUM_WORKERS");
    unsetenv("OMP_NUM_THREADS");
    const long before = fault_held();
    (void)call(N, SCRATCH, PARA_EXECUTOR_AUTO);
    CHECK(held - before >= SCRATCH && held - before < 2L * SCRATCH);
}

TEST(scratch_is_for_those_who_may_come)
{
    if (UNDER_QEMU || !CHILDREN_HAVE_THREADS)
        skip(); /* their own thread has all CPUs: it looks as if main alone was bound */
    run_in_child(share_body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_memory_for_the_pool),
        cmocka_unit_test(it_is_tried_again_but_seldom),
        cmocka_unit_test(without_threads),
        cmocka_unit_test(scratch_is_for_those_who_may_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
