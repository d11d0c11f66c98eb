#define _GNU_SOURCE
#include "kernel.h"

#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int this_node(void)
{
    unsigned node = 0;
    return getcpu(NULL, &node) == 0 ? (int)node : -1;
}

cpu_set_t parse_list(const char **text)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    const char *at = *text;
    while (isdigit((unsigned char)*at)) {
        char *end = NULL;
        const long first = strtol(at, &end, 10);
        const long last = *end == '-' ? strtol(end + 1, &end, 10) : first;
        for (long i = first; i <= last && i < CPUS; i++)
            CPU_SET((size_t)i, &set);
        at = end + (*end == ',');
    }
    *text = at;
    return set;
}

cpu_set_t read_list(const char *path)
{
    char line[1024] = "";
    FILE *file = fopen(path, "re");
    if (file) {
        if (!fgets(line, sizeof line, file))
            line[0] = '\0';
        fclose(file);
    }
    const char *at = line;
    return parse_list(&at);
}

cpu_set_t cpus_of_node(int node)
{
    char path[64];
    snprintf(path, sizeof path, "/sys/devices/system/node/node%d/cpulist", node);
    return read_list(path);
}

int distance_of(int from, int to)
{
    const cpu_set_t online = read_list("/sys/devices/system/node/online");
    int distance = 0;
    char path[64];
    snprintf(path, sizeof path, "/sys/devices/system/node/node%d/distance", from);
    FILE *file = fopen(path, "re");
    for (int n = 0; file && n <= to; n++)
        if (CPU_ISSET((size_t)n, &online) && fscanf(file, "%d", &distance) != 1)
            distance = 0;
    if (file)
        fclose(file);
    return distance;
}

int memory_of(int node)
{
    static _Atomic int known[NODES]; /* 1 + the answer; several threads may look it up */
    if (node < 0 || node >= NODES)
        return node;
    if (!known[node]) {
        int nearest = 0;
        const cpu_set_t with_memory = read_list("/sys/devices/system/node/has_memory");
        int least = INT32_MAX;
        for (int n = 0; n < NODES; n++) {
            const int distance = CPU_ISSET((size_t)n, &with_memory) ? distance_of(node, n) : 0;
            if (distance > 0 && distance < least) {
                least = distance;
                nearest = 1 + n;
            }
        }
        known[node] = nearest;
    }
    return known[node] - 1;
}

int masks_of(int process, cpu_set_t mask[THREADS])
{
    char path[40];
    snprintf(path, sizeof path, "/proc/%d/task", process);
    DIR *folder = opendir(path);
    int count = 0;
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        const int thread = atoi(entry->d_name);
        if (thread > 0 && thread != process && count < THREADS &&
            sched_getaffinity(thread, sizeof *mask, &mask[count]) == 0)
            count++;
    }
    if (folder)
        closedir(folder);
    return count;
}

int worker_masks(cpu_set_t mask[THREADS])
{
    return masks_of(getpid(), mask);
}

void read_nodes(char *data, int node[PAGES])
{
    static void *page[PAGES];
    for (size_t i = 0; i < PAGES; i++)
        page[i] = data + i * PAGE;
    if (syscall(SYS_move_pages, 0, (unsigned long)PAGES, page, NULL, node, 0) != 0) {
        perror("move_pages");
        exit(1);
    }
}

mapping mapping_of(const void *data, size_t bytes)
{
    const uintptr_t begin = (uintptr_t)data;
    mapping found = {.page_bytes = SIZE_MAX};
    char line[512];
    bool is_part = false; /* a mapping has a line of its addresses, then others */
    FILE *file = fopen("/proc/self/smaps", "re");
    while (file && fgets(line, sizeof line, file)) {
        uintptr_t first = 0;
        uintptr_t end = 0;
        size_t kib = 0;
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &first, &end) == 2)
            is_part = first < begin + bytes && end > begin;
        else if (is_part && sscanf(line, "KernelPageSize: %zu kB", &kib) == 1)
            found.page_bytes = kib << 10 < found.page_bytes ? kib << 10 : found.page_bytes;
        else if (is_part && sscanf(line, "Private_Hugetlb: %zu kB", &kib) == 1)
            found.reserved_bytes += kib << 10;
    }
    if (file)
        fclose(file);
    return found;
}

void count_nodes(const int node[PAGES], int pages_of[NODES])
{
    memset(pages_of, 0, NODES * sizeof *pages_of);
    for (int i = 0; i < PAGES; i++)
        if (node[i] >= 0 && node[i] < NODES)
            pages_of[node[i]]++;
}

const char *in_words(const int pages_of[NODES])
{
    static char text[256];
    size_t used = 0;
    for (int n = 0; n < NODES && used < sizeof text; n++)
        if (pages_of[n])
            used += (size_t)snprintf(text + used, sizeof text - used, " %d:%d", n, pages_of[n]);
    return text;
}

cpu_set_t cpus_of_core(size_t cpu)
{
    char path[96];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%zu/topology/core_cpus_list", cpu);
    return read_list(path);
}

static bool is_of_one_core(const cpu_set_t *mask)
{
    size_t first = 0;
    while (first < CPUS && !CPU_ISSET(first, mask))
        first++;
    const cpu_set_t core = cpus_of_core(first);
    cpu_set_t both;
    CPU_AND(&both, mask, &core);
    return CPU_EQUAL(mask, &both) != 0;
}

int count_bound(void)
{
    cpu_set_t mask[THREADS];
    const int workers = worker_masks(mask);
    int bound = 0;
    for (int w = 0; w < workers; w++)
        bound += is_of_one_core(&mask[w]);
    return bound;
}

void count_pages(const void *data, size_t bytes, int counted[2])
{
    enum { AT_ONCE = 256 }; /* an emulated system call is dear */
    const int home = memory_of(this_node());
    const char *at = (const char *)((uintptr_t)data & ~(uintptr_t)(PAGE - 1));
    while (at < (const char *)data + bytes) {
        const void *page[AT_ONCE];
        int node[AT_ONCE];
        unsigned long pages = 0;
        for (; pages < AT_ONCE && at < (const char *)data + bytes; at += PAGE)
            page[pages++] = at;
        if (syscall(SYS_move_pages, 0, pages, page, NULL, node, 0) != 0)
            continue;
        for (unsigned long i = 0; i < pages; i++) {
            counted[0] += node[i] == home;
            counted[1] += node[i] >= 0;
        }
    }
}

void count_stack(int counted[2])
{
    pthread_attr_t attributes;
    void *low = NULL;
    size_t bytes = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0)
        return;
    pthread_attr_getstack(&attributes, &low, &bytes);
    pthread_attr_destroy(&attributes);
    count_pages(low, bytes, counted);
}

void switch_cpu(long cpu, bool on)
{
    char path[64];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%ld/online", cpu);
    FILE *file = fopen(path, "we");
    if (!file || fputs(on ? "1" : "0", file) < 0 || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}
