#define _GNU_SOURCE
#include "ranks.h"

#include "kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct rank {
    pid_t process;
    int told, go; /* pipes: it has a pool, and may end */
    cpu_set_t mask;
} rank;

/* The cores of a mask, each as its CPUs in the mask. */
static int list_cores(const cpu_set_t *mask, cpu_set_t core[CPUS])
{
    int count = 0;
    for (size_t cpu = 0; cpu < CPUS; cpu++) {
        if (!CPU_ISSET(cpu, mask))
            continue;
        const cpu_set_t siblings = cpus_of_core(cpu);
        bool is_first = true;
        CPU_AND(&core[count], &siblings, mask);
        for (size_t i = 0; i < cpu; i++)
            is_first &= !CPU_ISSET(i, &core[count]);
        count += is_first;
    }
    return count;
}

static cpu_set_t deal(const cpu_set_t core[CPUS], int cores, dealing way, int count, int index)
{
    cpu_set_t mask;
    CPU_ZERO(&mask);
    const int first = cores * index / count;
    const int end = cores * (index + 1) / count;
    for (int i = 0; i < cores; i++) {
        const bool is_in_run = i >= first && i < end;
        if (way == DEAL_IN_TURN       ? i % count == index
            : way == DEAL_OVERLAPPING ? is_in_run || i == end % cores
            : way == DEAL_ONE_CPU     ? i == first
                                      : is_in_run)
            CPU_OR(&mask, &mask, &core[i]);
    }
    for (size_t cpu = 0, kept = 0; way == DEAL_ONE_CPU && cpu < CPUS; cpu++) {
        if (!CPU_ISSET(cpu, &mask))
            continue;
        if (kept)
            CPU_CLR(cpu, &mask);
        kept++;
    }
    return mask;
}

static void start(rank *r)
{
    int told[2], go[2];
    if (pipe(told) || pipe(go))
        exit(1);
    r->process = fork();
    if (r->process == 0) {
        if (sched_setaffinity(0, sizeof r->mask, &r->mask) == 0 && dup2(go[0], 0) == 0 &&
            dup2(told[1], 1) == 1) {
            close(go[1]);
            execl("/proc/self/exe", "numa_check", "rank", (char *)NULL);
        }
        _exit(1);
    }
    close(go[0]);
    close(told[1]);
    r->go = go[1];
    r->told = told[0];
}

const char *check_pins(int process, const cpu_set_t *allowed, int workers_on[CPUS])
{
    static cpu_set_t core[CPUS];
    static cpu_set_t mask[THREADS];
    const int cores = list_cores(allowed, core);
    const int workers = masks_of(process, mask);
    int used[CPUS] = {0};
    if (workers != (CPU_COUNT(allowed) > 1 ? CPU_COUNT(allowed) : 0))
        return "another number of workers";
    for (int w = 0; w < workers; w++) {
        int own = 0;
        while (own < cores && !CPU_EQUAL(&core[own], &mask[w]))
            own++;
        if (own == cores)
            return "a worker that is not pinned to one core";
        for (size_t cpu = 0; cpu < CPUS && used[own] == 0; cpu++)
            workers_on[cpu] += CPU_ISSET(cpu, &mask[w]) != 0;
        if (++used[own] > CPU_COUNT(&core[own]))
            return "more workers of one process on a core than it has threads";
    }
    for (int i = 0; i < cores && workers; i++)
        if (used[i] < CPU_COUNT(&core[i]))
            return "a core with fewer workers";
    return NULL;
}

int check_ranks(int count, dealing way, char *words, int size)
{
    static cpu_set_t core[CPUS];
    static int workers_on[CPUS];
    static rank ranks[CPUS];
    cpu_set_t allowed;
    sched_getaffinity(0, sizeof allowed, &allowed);
    const int cores = list_cores(&allowed, core);
    const char *wrong = count > cores ? "more processes than cores" : NULL;
    int used = 0;
    char byte = 0;
    count = wrong ? 0 : count;
    for (int i = 0; i < count; i++) {
        ranks[i].mask = deal(core, cores, way, count, i);
        start(&ranks[i]);
    }
    for (int i = 0; i < count; i++)
        if (read(ranks[i].told, &byte, 1) != 1)
            wrong = "a process that makes no pool";
    for (int i = 0; i < count && !wrong; i++)
        wrong = check_pins(ranks[i].process, &ranks[i].mask, workers_on);
    for (int i = 0; i < count; i++) {
        int status = 0;
        if (write(ranks[i].go, &byte, 1) != 1 ||
            waitpid(ranks[i].process, &status, 0) != ranks[i].process || status)
            wrong = wrong ? wrong : "pages elsewhere";
    }
    for (size_t cpu = 0; cpu < CPUS; cpu++) {
        used += workers_on[cpu] > 0;
        if (workers_on[cpu] > (way == DEAL_OVERLAPPING && count > 1 ? 2 : 1) && !wrong)
            wrong = "workers of two processes on one CPU";
    }
    snprintf(words, (size_t)size, "%d processes with workers on %d CPUs%s%s", count, used,
             wrong ? ": " : "", wrong ? wrong : "");
    return wrong ? 1 : 0;
}
