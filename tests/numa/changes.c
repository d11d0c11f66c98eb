#define _GNU_SOURCE
#include "changes.h"

#include "kernel.h"
#include "ranks.h"
#include "steps.h"

#include <para/para.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void make(const char *change)
{
    if (change && system(change) != 0) {
        printf("failed: %s\n", change);
        exit(1);
    }
}

static para_pool *make_pool_after(const char *change)
{
    if (change) {
        para_pool_destroy(make_pool());
        make(change);
    }
    return make_pool();
}

int pins_after(const char *change)
{
    static int workers_on[CPUS];
    cpu_set_t allowed;
    cpu_set_t mask[THREADS];
    para_pool *pool = make_pool_after(change);
    sched_getaffinity(0, sizeof allowed, &allowed);
    const char *wrong = check_pins(getpid(), &allowed, workers_on);
    const int workers = worker_masks(mask);
    para_pool_destroy(pool);
    return outcome(!wrong, "%d workers for %d CPUs%s%s", workers, CPU_COUNT(&allowed),
                   wrong ? ": " : "", wrong ? wrong : "");
}

int unpinned_after(const char *change, int workers)
{
    cpu_set_t allowed;
    cpu_set_t mask[THREADS];
    para_pool *pool = make_pool_after(change);
    sched_getaffinity(0, sizeof allowed, &allowed);
    const int found = worker_masks(mask);
    int alike = 0;
    for (int i = 0; i < found; i++)
        alike += CPU_EQUAL(&mask[i], &allowed) != 0;
    para_pool_destroy(pool);
    return outcome(found == workers && alike == found, "%d of %d workers may run on all %d CPUs",
                   alike, found, CPU_COUNT(&allowed));
}

/* A caller takes the place of the worker on its core, which then sleeps. So this one stays where it
 * is put: on the first CPU that the process may use, or on the last one. */
static void stay(bool last)
{
    cpu_set_t mask, one;
    sched_getaffinity(getppid(), sizeof mask, &mask); /* of a shell in the same group */
    for (size_t i = 0; i < CPUS; i++) {
        const size_t cpu = last ? CPUS - 1 - i : i;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        if (CPU_ISSET(cpu, &mask) && sched_setaffinity(0, sizeof one, &one) == 0)
            return;
    }
}

/* Calls until that many workers are bound, or for a while. Returns how many are. A call of its own
 * accord would leave those on second hardware threads asleep, which look at their pins when they
 * wake. */
static int work_until_bound(para_pool *pool, char *data, int aim)
{
    para_pool_info info = {.size = sizeof info};
    must(para_pool_get_info(pool, &info), "asking the pool");
    int bound = count_bound();
    for (int call = 0; call < 100 && bound != aim; call++) {
        stay(call / 16 % 2 == 0);
        work(pool, data, info.workers);
        usleep(20000); /* so that workers sleep, and wake */
        bound = count_bound();
    }
    return bound;
}

static unsigned count_told(para_pool *pool)
{
    para_pool_info info = {.size = sizeof info};
    must(para_pool_get_info(pool, &info), "asking the pool");
    return info.pinned;
}

int pins_return_after(long lost, const char *change, const char *back)
{
    para_pool *pool = make_pool();
    char *data = make_buffer(pool, PARA_PLACE_AUTO, 0);
    const int before = count_bound();
    stay(false);
    make(change);
    for (int call = 0; call < 10; call++) { /* so that workers wake, and see it */
        work(pool, data, 0);
        usleep(20000);
    }
    const int without = count_bound();
    const unsigned told = count_told(pool);
    make(back);
    const int after = work_until_bound(pool, data, before);
    const unsigned told_after = count_told(pool);
    return outcome(without <= before - lost && told == (unsigned)without && after == before &&
                       told_after == (unsigned)after,
                   "bound before, without, after: %d, %d, %d; the pool said %u and %u", before,
                   without, after, told, told_after);
}

static int count_visit(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++) {
        char *const page = (char *)chunk->out[0] + i * PAGE;
        work_on(page, 5);
        ++*(int *)(page + sizeof(int));
    }
    return 0;
}

int calls_go_on_during(const char *change)
{
    enum { COUNT = PAGES / 8 };
    para_pool *pool = make_pool();
    char *data = make_buffer(pool, PARA_PLACE_AUTO, 0);
    const int before = count_bound();
    const pid_t child = fork();
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", change, (char *)NULL);
        _exit(1);
    }
    int status = 0;
    int calls = 0;
    int wrong = 0;
    while (child > 0 && waitpid(child, &status, WNOHANG) == 0) {
        must(para_pmap(pool, &(para_map){.kernel = count_visit,
                                         .count = COUNT,
                                         .out = {{data, PAGE}},
                                         .options.executor = PARA_EXECUTOR_THREADS}),
             "a map");
        calls++;
        for (size_t i = 0; i < COUNT; i++)
            wrong += *(int *)(data + i * PAGE + sizeof(int)) != calls;
    }
    const int after = work_until_bound(pool, data, before);
    const unsigned told = count_told(pool);
    return outcome(status == 0 && calls && !wrong && after == before && told == (unsigned)after,
                   "%d calls, %d wrong pages; bound before and after: %d, %d; the pool said %u",
                   calls, wrong, before, after, told);
}
