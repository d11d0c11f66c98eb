/* A machine read from the kernel's files below /sys/devices/system.
 *
 * A list is read once for all the CPUs that it names: a core's for its threads, an L3 cache's
 * for all that share it. So most of the files of a large machine are never opened. */
#include "base/bounds.h"
#include "base/memory.h"
#include "base/status.h"
#include "topology/locations.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOT_READ (UINT32_MAX - 1)

/* A name such as cpu/cpu3/cache/index2/level. */
typedef struct path_name {
    char text[64];
} path_name;

static path_name name_of(const char *format, unsigned number, int index)
{
    path_name made;
    snprintf(made.text, sizeof made.text, format, number, index);
    return made;
}

/* The start of a file, without its newline; "" if it cannot be read. */
static const char *read_word(int directory, path_name file_name, char word[static 32])
{
    const int file = openat(directory, file_name.text, O_RDONLY | O_CLOEXEC);
    ssize_t bytes = 0;
    if (file >= 0) {
        bytes = read(file, word, 31);
        close(file);
    }
    word[para__max(bytes, 0)] = '\0';
    word[strcspn(word, "\n")] = '\0';
    return word;
}

static unsigned long read_number(int directory, path_name file_name)
{
    char word[32];
    return strtoul(read_word(directory, file_name, word), NULL, 10);
}

static int open_files(const char *root)
{
    char *path = NULL;
    int directory = -1;
    if (asprintf(&path, "%s/sys/devices/system", root) >= 0) {
        directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        free(path);
    }
    return directory;
}

/* The CPUs of a core; if it is not described, the CPU itself. Kernels before 5.4 have only the
 * second name. */
static para__cpus core_of(int directory, unsigned cpu)
{
    para__cpus core = {{0}};
    if (!para__cpus_read(&core, directory,
                         name_of("cpu/cpu%u/topology/core_cpus_list", cpu, 0).text))
        para__cpus_read(&core, directory,
                        name_of("cpu/cpu%u/topology/thread_siblings_list", cpu, 0).text);
    para__cpus_add(&core, cpu);
    return core;
}

/* Cores are numbered by the first of their CPUs. */
static void read_cores(int directory, para__locations *locations)
{
    for (unsigned i = 0; i < locations->count; i++) {
        if (locations->location[i].core != NOT_READ)
            continue;
        const para__cpus core = core_of(directory, locations->location[i].cpu);
        for (unsigned j = i; j < locations->count; j++)
            if (para__cpus_has(&core, locations->location[j].cpu))
                locations->location[j].core = para__cpus_first(&core);
    }
}

static bool read_node(int directory, unsigned node, para__cpus *cpus)
{
    *cpus = (para__cpus){{0}};
    return para__cpus_read(cpus, directory, name_of("node/node%u/cpulist", node, 0).text);
}

/* NUMA nodes. A CPU belongs to the node with the fewest CPUs, and of equals to the one with the
 * least number, since memory beside whole packages is a node too. weight: [count], zeros. */
static void read_nodes(int directory, para__locations *locations, unsigned *weight)
{
    para__cpus nodes = {{0}};
    para__cpus_read(&nodes, directory, "node/online");
    for (unsigned node = 0; node < PARA__CPUS_MAX; node++) {
        para__cpus cpus;
        if (!para__cpus_has(&nodes, node) || !read_node(directory, node, &cpus))
            continue;
        const unsigned own = para__cpus_count(&cpus);
        for (unsigned i = 0; i < locations->count; i++)
            if (para__cpus_has(&cpus, locations->location[i].cpu) &&
                (!weight[i] || own < weight[i])) {
                weight[i] = own;
                locations->location[i].node = node;
            }
    }
}

enum { CACHES_MOST = 16 };

static bool holds_data(int directory, unsigned cpu, int index)
{
    char word[32];
    const path_name type = name_of("cpu/cpu%u/cache/index%d/type", cpu, index);
    return strcmp(read_word(directory, type, word), "Instruction") != 0;
}

/* The number of the CPU's cache of that level, without caches of instructions; -1: none. */
static int cache_index(int directory, unsigned cpu, unsigned long level)
{
    for (int index = 0; index < CACHES_MOST; index++) {
        const unsigned long found =
            read_number(directory, name_of("cpu/cpu%u/cache/index%d/level", cpu, index));
        if (found == 0)
            break;
        if (found == level && holds_data(directory, cpu, index))
            return index;
    }
    return -1;
}

/* L3 caches are numbered by the first of their CPUs. */
static void read_l3(int directory, para__locations *locations)
{
    for (unsigned i = 0; i < locations->count; i++) {
        para__location *const at = &locations->location[i];
        para__cpus shared = {{0}};
        para__cpus node;
        if (at->l3 != NOT_READ)
            continue;
        const int index = cache_index(directory, at->cpu, 3);
        para__cpus_read(&shared, directory,
                        name_of("cpu/cpu%u/cache/index%d/shared_cpu_list", at->cpu, index).text);
        para__cpus_add(&shared, at->cpu);
        if (!read_node(directory, at->node, &node))
            para__cpus_read(&node, directory, "cpu/online");
        const para__cpus core = core_of(directory, at->cpu);
        const bool several_cores = !para__cpus_include(&core, &shared);
        const bool several_caches = !para__cpus_include(&shared, &node);
        for (unsigned j = i; j < locations->count; j++)
            if (para__cpus_has(&shared, locations->location[j].cpu) &&
                locations->location[j].node == at->node)
                locations->location[j].l3 = index >= 0 && several_cores && several_caches
                                                ? para__cpus_first(&shared)
                                                : PARA__NO_L3;
    }
}

/* How fast a core is among those of this machine; 0: not known. */
static unsigned long speed_of(int directory, unsigned cpu, const para__cpus big_and_small[2])
{
    unsigned long speed = read_number(directory, name_of("cpu/cpu%u/cpu_capacity", cpu, 0));
    if (speed)
        return speed;
    speed = read_number(directory, name_of("cpu/cpu%u/cpufreq/base_frequency", cpu, 0)) / 1000;
    if (!speed)
        speed =
            read_number(directory, name_of("cpu/cpu%u/cpufreq/cpuinfo_max_freq", cpu, 0)) / 1000;
    if (para__cpus_has(&big_and_small[0], cpu))
        return speed + (2ul << 24);
    return para__cpus_has(&big_and_small[1], cpu) ? speed + (1ul << 24) : speed;
}

static int compare_speeds(const void *left, const void *right)
{
    const unsigned long a = *(const unsigned long *)left;
    const unsigned long b = *(const unsigned long *)right;
    return (a > b) - (a < b);
}

/* Kinds of cores: by what Arm's kernels call capacity, else by Intel's names for its two kinds and
 * the frequency in MHz. Speeds within 10 % are one kind, because the best cores of many uniform
 * processors have a slightly higher frequency than the others. If the speed of one core is not
 * known, all are one kind. */
static void read_kinds(int directory, para__locations *locations, unsigned long *speed)
{
    para__cpus intel[2] = {{{0}}};
    unsigned long *const sorted = speed + locations->count;
    para__cpus_read(&intel[0], directory, "../cpu_core/cpus");
    para__cpus_read(&intel[1], directory, "../cpu_atom/cpus");
    for (unsigned i = 0; i < locations->count; i++) {
        const bool same = i > 0 && locations->location[i].core == locations->location[i - 1].core;
        speed[i] = same ? speed[i - 1] : speed_of(directory, locations->location[i].cpu, intel);
        if (speed[i] == 0)
            return;
    }
    memcpy(sorted, speed, locations->count * sizeof *sorted);
    qsort(sorted, locations->count, sizeof *sorted, compare_speeds);
    unsigned kind = 0;
    unsigned long slowest = sorted[0]; /* of the kind */
    for (unsigned i = 0; i < locations->count; i++) {
        if (sorted[i] > slowest + slowest / 10) {
            slowest = sorted[i];
            kind++;
        }
        for (unsigned j = 0; j < locations->count && (i == 0 || sorted[i] != sorted[i - 1]); j++)
            if (speed[j] == sorted[i])
                locations->location[j].kind = kind;
    }
}

/* Sorts the CPUs of a node, a cache and a core together. */
static int compare_locations(const void *left, const void *right)
{
    const para__location *const a = left;
    const para__location *const b = right;
    int order = para__compare(a->node, b->node);
    order = order ? order : para__compare(a->l3, b->l3);
    order = order ? order : para__compare(a->core, b->core);
    return order ? order : para__compare(a->cpu, b->cpu);
}

para_status para__locations_from_files(para__locations *locations, const char *root)
{
    const int directory = open_files(root);
    if (para__cpus_count(&locations->usable) == 0 &&
        !para__cpus_read(&locations->usable, directory, "cpu/online"))
        para__cpus_add(&locations->usable, 0); /* nothing is known: there is one CPU at least */
    const unsigned most = para__cpus_count(&locations->usable);
    unsigned *const weight = para__alloc(most * sizeof *weight);
    unsigned long *const speed = para__alloc(2 * (size_t)most * sizeof *speed);
    locations->location = para__alloc(most * sizeof *locations->location);
    locations->this_system = true;
    const bool done = weight && speed && locations->location;
    for (unsigned cpu = 0; done && cpu < PARA__CPUS_MAX; cpu++)
        if (para__cpus_has(&locations->usable, cpu))
            locations->location[locations->count++] =
                (para__location){.cpu = cpu, .core = NOT_READ, .l3 = NOT_READ};
    if (done) {
        read_cores(directory, locations);
        read_nodes(directory, locations, weight);
        read_l3(directory, locations);
        qsort(locations->location, locations->count, sizeof *locations->location,
              compare_locations);
        read_kinds(directory, locations, speed);
    }
    para__free(weight);
    para__free(speed);
    if (directory >= 0)
        close(directory);
    return done ? PARA_OK : para__fail(PARA_ERR_MEMORY, NULL);
}

/* The CPUs that share the CPU's largest cache, or its socket; false: the system does not say.
 * Kernels before 5.4 have only the second name of the latter. */
static bool read_group(int directory, unsigned cpu, para__level level, para__cpus *cpus)
{
    *cpus = (para__cpus){{0}};
    if (level == PARA__LEVEL_SOCKET)
        return para__cpus_read(cpus, directory,
                               name_of("cpu/cpu%u/topology/package_cpus_list", cpu, 0).text) ||
               para__cpus_read(cpus, directory,
                               name_of("cpu/cpu%u/topology/core_siblings_list", cpu, 0).text);
    int largest = -1;
    for (unsigned long l = 1; l < CACHES_MOST; l++) {
        const int index = cache_index(directory, cpu, l);
        largest = index < 0 ? largest : index;
    }
    return largest >= 0 &&
           para__cpus_read(cpus, directory,
                           name_of("cpu/cpu%u/cache/index%d/shared_cpu_list", cpu, largest).text);
}

void para__groups_from_files(const para__machine *machine, para__level level, unsigned *group,
                             const char *root)
{
    const int directory = open_files(root);
    for (unsigned i = 0; i < machine->cpu_count; i++) {
        para__cpus cpus;
        if (group[i] != PARA__NO_GROUP ||
            !read_group(directory, machine->cpu[i].os_index, level, &cpus))
            continue;
        for (unsigned j = i; j < machine->cpu_count; j++)
            if (j == i || para__cpus_has(&cpus, machine->cpu[j].os_index))
                group[j] = i;
    }
    if (directory >= 0)
        close(directory);
}

void para__caches_from_files(const char *root, unsigned cpu, size_t bytes[3])
{
    const int directory = open_files(root);
    memset(bytes, 0, 3 * sizeof *bytes);
    for (int index = 0; index < CACHES_MOST; index++) {
        const unsigned long level =
            read_number(directory, name_of("cpu/cpu%u/cache/index%d/level", cpu, index));
        if (level == 0)
            break;
        if (level <= 3 && bytes[level - 1] == 0 && holds_data(directory, cpu, index))
            bytes[level - 1] =
                read_number(directory, name_of("cpu/cpu%u/cache/index%d/size", cpu, index))
                << 10; /* "48K" */
    }
    if (directory >= 0)
        close(directory);
}
