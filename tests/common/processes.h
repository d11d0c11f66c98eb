/* What tests of worker processes share: pools of them, arrays that they see, and
 * how many descriptors are open, deaths that are counted. */
#ifndef PARA_TESTS_PROCESSES_H
#define PARA_TESTS_PROCESSES_H

#include "check.h"

#include <dirent.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* A pool of processes; a test on a system that has none is skipped. */
static inline para_pool *process_pool(unsigned workers, const para_processes *processes)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    const para_processes plain = PARA_PROCESSES_INIT;
    para_pool *pool = NULL;
    config.workers = workers;
    config.processes = processes ? processes : &plain;
    const para_status status = para_pool_create(&pool, &config);
    if (status == PARA_ERR_UNSUPPORTED)
        skip();
    assert_int_equal(status, PARA_OK);
    return pool;
}

static inline double *shared_array(para_pool *pool, para_buffer **buffer, size_t count)
{
    OK(para_buffer_create(buffer, pool, count, sizeof(double), NULL));
    return para_buffer_data(*buffer);
}

/* Takes one from a count, which workers do beside each other; false if none is left. */
static inline bool takes_one(_Atomic unsigned *count)
{
    unsigned left = atomic_load(count);
    while (left && !atomic_compare_exchange_weak(count, &left, left - 1))
        continue;
    return left > 0;
}

/* The process that has forked it; 0 if there is none. */
static inline int parent_of(int process)
{
    char path[64], text[512] = "";
    int parent = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", process);
    FILE *const file = fopen(path, "r");
    if (!file)
        return 0;
    if (fgets(text, sizeof text, file) && strrchr(text, ')'))
        (void)sscanf(strrchr(text, ')') + 1, " %*c %d", &parent);
    fclose(file);
    return parent;
}

static inline unsigned count_descriptors(void)
{
    unsigned count = 0;
    DIR *const all = opendir("/proc/self/fd");
    assert_non_null(all);
    while (readdir(all))
        count++;
    closedir(all);
    return count;
}

#endif
