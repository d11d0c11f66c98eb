/* Binding of threads and memory. hwloc does nothing and reports success where the topology is not
 * this system, so that is asked first: "not possible" and "refused" are different answers. */
#include "topology/topology.h"

#include "base/status.h"

#include <errno.h>
#include <hwloc.h>
#include <string.h>

static para_status foreign(void)
{
    return para__fail(PARA_ERR_UNSUPPORTED,
                      "the machine is described by a variable: not this system");
}

/* The status of a failed hwloc call. */
static para_status refused(const char *what)
{
    return para__fail(errno == ENOSYS ? PARA_ERR_UNSUPPORTED : PARA_ERR_DENIED, "%s: %s", what,
                      strerror(errno));
}

para_status para__bind_thread(const para__machine *machine, unsigned cpu_index, bool whole_domain)
{
    if (!machine->info.this_system)
        return foreign();
    const int saved = errno;
    const unsigned domain = machine->cpu[cpu_index].domain;
    hwloc_bitmap_t cpus = hwloc_bitmap_alloc();
    bool done = cpus != NULL;
    for (unsigned i = 0; done && i < machine->cpu_count; i++)
        if (i == cpu_index || (whole_domain && machine->cpu[i].domain == domain))
            done = hwloc_bitmap_set(cpus, machine->cpu[i].os_index) == 0;
    done = done && hwloc_set_cpubind(machine->hwloc, cpus, HWLOC_CPUBIND_THREAD) == 0;
    const para_status status = done ? PARA_OK : refused("binding a thread");
    hwloc_bitmap_free(cpus);
    errno = saved;
    return status;
}

/* Binds to *node; with node NULL, interleaves over all nodes that the CPUs belong to. */
static para_status place_memory(const para__machine *machine, void *memory, size_t bytes,
                                const unsigned *node)
{
    if (machine->info.numa_nodes < 2)
        return PARA_OK;
    if (!machine->info.this_system)
        return foreign();
    const int saved = errno;
    hwloc_bitmap_t nodes = hwloc_bitmap_alloc();
    bool done = nodes != NULL;
    for (unsigned i = 0; done && i < machine->cpu_count; i++)
        done = hwloc_bitmap_set(nodes, node ? *node : machine->cpu[i].numa_node) == 0;
    done = done && hwloc_set_area_membind(machine->hwloc, memory, bytes, nodes,
                                          node ? HWLOC_MEMBIND_BIND : HWLOC_MEMBIND_INTERLEAVE,
                                          HWLOC_MEMBIND_BYNODESET) == 0;
    const para_status status = done ? PARA_OK : refused("placing memory on NUMA nodes");
    hwloc_bitmap_free(nodes);
    errno = saved;
    return status;
}

para_status para__bind_memory(const para__machine *machine, void *memory, size_t bytes,
                              unsigned numa_node)
{
    return place_memory(machine, memory, bytes, &numa_node);
}

para_status para__interleave_memory(const para__machine *machine, void *memory, size_t bytes)
{
    return place_memory(machine, memory, bytes, NULL);
}
