#define _GNU_SOURCE
#include "masks.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *check_places(const char *places)
{
    static cpu_set_t mask[THREADS];
    bool is_found[THREADS] = {false};
    const int workers = worker_masks(mask);
    int count = 0;
    for (const char *at = places; *at; at += *at == '|', count++) {
        const cpu_set_t place = parse_list(&at);
        int w = 0;
        while (w < workers && (is_found[w] || !CPU_EQUAL(&mask[w], &place)))
            w++;
        if (w == workers || (*at && *at != '|'))
            return "a place without a worker";
        is_found[w] = true;
    }
    return count == workers ? NULL : "a worker without a place";
}

const char *check_spread(int workers_of[NODES])
{
    static cpu_set_t mask[THREADS];
    const int workers = worker_masks(mask);
    cpu_set_t allowed;
    int least = THREADS;
    int most = 0;
    int bound = 0;
    sched_getaffinity(0, sizeof allowed, &allowed);
    memset(workers_of, 0, NODES * sizeof *workers_of);
    for (int n = 0; n < NODES; n++) {
        const cpu_set_t cpus = cpus_of_node(n);
        cpu_set_t common;
        CPU_AND(&common, &cpus, &allowed);
        if (CPU_COUNT(&common) == 0)
            continue;
        for (int w = 0; w < workers; w++) {
            CPU_AND(&common, &cpus, &mask[w]);
            workers_of[n] += CPU_EQUAL(&common, &mask[w]) != 0;
        }
        bound += workers_of[n];
        least = workers_of[n] < least ? workers_of[n] : least;
        most = workers_of[n] > most ? workers_of[n] : most;
    }
    if (workers == 0 || bound != workers)
        return "a worker that is bound to no node";
    return most - least > 1 ? "not spread" : NULL;
}
