/* What a program holds that must not grow while it runs. */
#ifndef PARA_TESTS_HOLDINGS_H
#define PARA_TESTS_HOLDINGS_H

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

typedef struct holdings {
    uint64_t bytes; /* resident; 0: unknown */
    unsigned descriptors, threads;
} holdings;

/* Entries of a folder below /proc, which has . and .. as well. */
static unsigned entries_of(const char *folder)
{
    unsigned n = 0;
    DIR *dir = opendir(folder);
    while (dir && readdir(dir))
        n++;
    if (dir)
        closedir(dir);
    return n > 2 ? n - 2 : 0;
}

static holdings holdings_now(void)
{
    unsigned long all = 0;
    unsigned long resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file && fscanf(file, "%lu %lu", &all, &resident) != 2)
        resident = 0;
    if (file)
        fclose(file);
    return (holdings){.bytes = resident * (uint64_t)sysconf(_SC_PAGESIZE),
                      .descriptors = entries_of("/proc/self/fd"),
                      .threads = entries_of("/proc/self/task")};
}

#endif
