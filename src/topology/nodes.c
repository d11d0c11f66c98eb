/* NUMA nodes, with their memory and distances, for programs and people that ask. No call needs
 * them, so those of this system are read from the kernel's files whenever they are asked for. Those
 * of a described machine were kept when it was read. */
#include "topology/topology.h"

#include "base/cancellation.h"
#include "base/info.h"
#include "topology/locations.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

/* The numbers of this system's nodes; without such files there is the one that all CPUs are on. */
static para__cpus real_nodes(const para__machine *machine)
{
    para__cpus nodes = {{0}};
    if (!para__cpus_read(&nodes, AT_FDCWD, "/sys/devices/system/node/online"))
        for (unsigned i = 0; i < machine->cpu_count; i++)
            para__cpus_add(&nodes, machine->cpu[i].numa_node);
    return nodes;
}

/* The n-th member, or PARA__CPUS_MAX: a node may have been switched off since they were counted. */
static unsigned member(const para__cpus *set, unsigned n)
{
    unsigned at = 0;
    while (at < PARA__CPUS_MAX && (!para__cpus_has(set, at) || n-- > 0))
        at++;
    return at;
}

static FILE *open_node(unsigned node, const char *name)
{
    char path[80];
    snprintf(path, sizeof path, "/sys/devices/system/node/node%u/%s", node, name);
    return fopen(path, "re");
}

static void read_memory(para_node_info *info)
{
    FILE *const file = open_node(info->os_index, "meminfo");
    unsigned long long kib = 0;
    if (!file)
        return;
    info->memory_known = fscanf(file, " Node %*u MemTotal: %llu kB", &kib) == 1;
    info->memory_bytes = (uint64_t)kib << 10;
    fclose(file);
}

static unsigned distance_of_described(const para__nodes *nodes, unsigned from, unsigned to)
{
    unsigned row = nodes->count;
    unsigned column = nodes->count;
    for (unsigned i = 0; i < nodes->count; i++) {
        row = nodes->node[i].os_index == from ? i : row;
        column = nodes->node[i].os_index == to ? i : column;
    }
    return row < nodes->count && column < nodes->count
               ? nodes->distance[row * nodes->count + column]
               : 0;
}

/* The file has a number for each node that is online. */
static void read_row(const para__machine *machine, unsigned from, const unsigned *node,
                     unsigned count, unsigned *distance)
{
    const para__cpus nodes = real_nodes(machine);
    FILE *const file = open_node(from, "distance");
    unsigned read = 0;
    if (!file)
        return;
    for (unsigned at = 0; at < PARA__CPUS_MAX; at++) {
        if (!para__cpus_has(&nodes, at))
            continue;
        if (fscanf(file, "%u", &read) != 1)
            break;
        for (unsigned i = 0; i < count; i++)
            if (node[i] == at)
                distance[i] = read;
    }
    fclose(file);
}

void para__machine_distances(const para__machine *machine, unsigned from, const unsigned *node,
                             unsigned count, unsigned *distance)
{
    const int saved = errno;
    for (unsigned i = 0; i < count; i++)
        distance[i] = machine->nodes ? distance_of_described(machine->nodes, from, node[i]) : 0;
    if (!machine->nodes)
        read_row(machine, from, node, count, distance);
    errno = saved;
}

unsigned para__machine_node_count(const para__machine *machine)
{
    const int saved = errno;
    const para__cpus nodes = real_nodes(machine);
    errno = saved;
    return machine->nodes ? machine->nodes->count : para__cpus_count(&nodes);
}

/* The machine, if it has nodes of these two numbers. */
static para_status find_nodes(const para__machine **machine, unsigned index, unsigned other)
{
    const para_status status = para__machine_get(machine);
    if (status)
        return status;
    const unsigned count = para__machine_node_count(*machine);
    return index < count && other < count ? PARA_OK
                                          : para__fail(PARA_ERR_ARGUMENT, "node %u of %u",
                                                       index < count ? other : index, count);
}

static void describe_node(const para__machine *machine, unsigned index, para_node_info *info)
{
    *info = (para_node_info){.size = sizeof *info};
    if (machine->nodes) {
        info->os_index = machine->nodes->node[index].os_index;
        info->memory_bytes = machine->nodes->node[index].memory_bytes;
        info->memory_known = info->memory_bytes > 0;
    } else {
        const para__cpus nodes = real_nodes(machine);
        info->os_index = member(&nodes, index);
        read_memory(info);
    }
    for (unsigned i = 0; i < machine->cpu_count; i++)
        info->cpus += machine->cpu[i].numa_node == info->os_index;
}

para_status para_topology_get_node(unsigned index, para_node_info *info)
{
    const int saved = errno;
    const int cancel_state = para__cancellation_off(); /* files are read */
    const para__machine *machine = NULL;
    para_node_info full;
    para_status status = find_nodes(&machine, index, index);
    if (!status) {
        describe_node(machine, index, &full);
        status = para__info_fill(info, &full, sizeof full);
    }
    para__cancellation_restore(cancel_state);
    errno = saved;
    return status;
}

para_status para_topology_get_distance(unsigned from, unsigned to, unsigned *distance)
{
    const int saved = errno;
    const int cancel_state = para__cancellation_off(); /* files are read */
    const para__machine *machine = NULL;
    para_status status = distance ? find_nodes(&machine, from, to)
                                  : para__fail(PARA_ERR_ARGUMENT, "distance is NULL");
    if (!status && machine->nodes) {
        *distance = machine->nodes->distance[from * machine->nodes->count + to];
    } else if (!status) {
        const para__cpus nodes = real_nodes(machine);
        const unsigned node = member(&nodes, to);
        para__machine_distances(machine, member(&nodes, from), &node, 1, distance);
    }
    para__cancellation_restore(cancel_state);
    errno = saved;
    return status;
}
