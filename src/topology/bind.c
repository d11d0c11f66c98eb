/* Binding of threads and memory. "Not possible" and "refused" are different answers. */
#include "topology/topology.h"

#include "base/memory.h"
#include "base/status.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static para_status foreign(void)
{
    return para__fail(PARA_ERR_UNSUPPORTED,
                      "the machine is described by a variable: not this system");
}

/* The status for a failed system call; restores errno. */
static para_status refused(const char *what, int saved)
{
    const int error = errno;
    errno = saved;
    return para__fail(error == ENOSYS ? PARA_ERR_UNSUPPORTED : PARA_ERR_DENIED, "%s: %s", what,
                      strerror(error));
}

static para_status set_affinity(const para__machine *machine, const para__cpus *cpus)
{
    const int saved = errno;
    if (!machine->info.this_system)
        return foreign();
    return sched_setaffinity(0, sizeof *cpus, (const cpu_set_t *)cpus) == 0
               ? PARA_OK
               : refused("binding a thread", saved);
}

bool para__thread_is_narrow(const para__machine *machine)
{
    para__cpus own;
    return machine->info.this_system && para__cpus_count(&machine->usable) > 0 &&
           para__cpus_of_thread(&own) && !para__cpus_equal(&own, &machine->usable);
}

para_status para__unbind_thread(const para__machine *machine)
{
    return set_affinity(machine, &machine->usable);
}

para_status para__bind_thread(const para__machine *machine, unsigned cpu_index, bool whole_domain)
{
    para__cpus cpus = {{0}};
    const unsigned domain = machine->cpu[cpu_index].domain;
    for (unsigned i = 0; i < machine->cpu_count; i++)
        if (i == cpu_index || (whole_domain && machine->cpu[i].domain == domain))
            para__cpus_add(&cpus, machine->cpu[i].os_index);
    return set_affinity(machine, &cpus);
}

/* Places memory on *node, or elsewhere if that is full; if node is NULL, in turn on all nodes that
 * the CPUs belong to. */
static para_status place_memory(const para__machine *machine, void *memory, size_t bytes,
                                const unsigned *node)
{
    enum { NODES_MAX = 1024, BITS = 8 * sizeof(unsigned long) }; /* the largest kernels' */
    unsigned long nodes[NODES_MAX / BITS] = {0};
    if (machine->info.numa_nodes < 2)
        return PARA_OK;
    if (!machine->info.this_system)
        return foreign();
    for (unsigned i = 0; i < machine->cpu_count; i++) {
        const unsigned n = node ? *node : machine->cpu[i].numa_node;
        if (n < NODES_MAX)
            nodes[n / BITS] |= 1ul << n % BITS;
    }
    const int saved = errno;
    const size_t before = (uintptr_t)memory % para__page_bytes(); /* the call takes whole pages */
    const int policy = node ? MPOL_PREFERRED : MPOL_INTERLEAVE;
    return syscall(SYS_mbind, (char *)memory - before, bytes + before, policy, nodes,
                   (unsigned long)NODES_MAX + 1, 0u) == 0
               ? PARA_OK
               : refused("placing memory on NUMA nodes", saved);
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
