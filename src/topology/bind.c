/* Binding of threads and memory. "Not possible" and "refused" are different answers. */
#include "topology/topology.h"

#include "base/bounds.h"
#include "base/memory.h"
#include "base/status.h"
#include "base/tuning_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <stdio.h>
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

para_status para__bind_thread(const para__machine *machine, const para__cpus *cpus)
{
    return set_affinity(machine, cpus);
}

para__binding_state para__thread_binding(const para__machine *machine, pthread_t thread,
                                         const para__cpus *cpus)
{
    para__cpus mask = {{0}};
    if (!machine->info.this_system ||
        pthread_getaffinity_np(thread, sizeof mask, (cpu_set_t *)&mask) != 0)
        return PARA__ELSEWHERE;
    if (para__cpus_include(cpus, &mask))
        return PARA__BOUND;
    return para__cpus_include(&mask, cpus) ? PARA__WIDER : PARA__ELSEWHERE;
}

/* The node with memory whose distance from that one is least; of equals the first. */
static unsigned nearest_memory(const para__machine *machine, unsigned node)
{
    char path[64];
    unsigned nearest = para__cpus_first(&machine->memory);
    unsigned least = UINT_MAX;
    para__cpus online = {{0}}; /* nodes: the distances to these stand in the file */
    para__cpus_read(&online, AT_FDCWD, "/sys/devices/system/node/online");
    snprintf(path, sizeof path, "/sys/devices/system/node/node%u/distance", node);
    FILE *const file = fopen(path, "re");
    unsigned distance = 0;
    for (unsigned to = 0; file && to < PARA__CPUS_MAX; to++) {
        if (!para__cpus_has(&online, to))
            continue;
        if (fscanf(file, "%u", &distance) != 1)
            break;
        if (distance < least && para__cpus_has(&machine->memory, to)) {
            least = distance;
            nearest = to;
        }
    }
    if (file)
        fclose(file);
    return nearest;
}

/* Places memory on the nodes, or elsewhere if those are full. */
static para_status set_policy(void *memory, size_t bytes, int policy, const para__cpus *nodes,
                              bool moves)
{
    const int saved = errno;
    const size_t before = (uintptr_t)memory % para__page_bytes(); /* the call takes whole pages */
    return syscall(SYS_mbind, (char *)memory - before, bytes + before, policy, nodes,
                   (unsigned long)PARA__NODES_MAX + 1, moves ? MPOL_MF_MOVE : 0) == 0
               ? PARA_OK
               : refused("placing memory on NUMA nodes", saved);
}

/* Whether there is nothing to place: *status says why. */
static bool is_placed(const para__machine *machine, para_status *status)
{
    *status = machine->info.this_system || machine->info.numa_nodes < 2 ? PARA_OK : foreign();
    return !machine->info.this_system || para__cpus_count(&machine->memory) < 2;
}

/* Whether pages that exist are on that node now: where it is full, the system has found other
 * memory, and what others share or have pinned stays. If the system does not say, they are. */
static para_status check_moved(const void *memory, size_t bytes, unsigned node)
{
    size_t bytes_of[PARA__NODES_MAX];
    size_t all = 0;
    if (para__memory_where(memory, bytes, bytes_of, PARA__NODES_MAX) != PARA_OK)
        return PARA_OK;
    for (unsigned n = 0; n < PARA__NODES_MAX; n++)
        all += bytes_of[n];
    if (node >= PARA__NODES_MAX || bytes_of[node] == all)
        return PARA_OK;
    return para__fail(PARA_ERR_DENIED, "%zu KiB of %zu could not be moved to node %u",
                      (all - bytes_of[node]) / 1024, all / 1024, node);
}

para_status para__place_memory(const para__machine *machine, void *memory, size_t bytes,
                               unsigned numa_node, bool moves)
{
    para_status status;
    para__cpus node = {{0}};
    if (is_placed(machine, &status))
        return status;
    const int saved = errno;
    const unsigned target = para__cpus_has(&machine->memory, numa_node)
                                ? numa_node
                                : nearest_memory(machine, numa_node);
    para__cpus_add(&node, target);
    errno = saved;
    status = set_policy(memory, bytes, MPOL_PREFERRED, &node, moves);
    return status || !moves ? status : check_moved(memory, bytes, target);
}

/* The length of runs that are dealt to so many nodes: huge pages, which move as a whole, or less of
 * an array that has few of them. */
static size_t run_bytes(size_t bytes, unsigned nodes)
{
    const size_t page = para__page_bytes();
    return para__clamp(bytes / nodes & ~(page - 1), page, PARA__HUGE_PAGE_BYTES);
}

/* Moves what exists to the nodes in turn. The policy of interleaving moves pages only that are on
 * none of its nodes. It is set from time to time, because each run has its own until then, and the
 * system counts these. */
static para_status deal_out(const para__machine *machine, char *memory, size_t bytes)
{
    const para__cpus *const nodes = &machine->memory;
    const size_t run = run_bytes(bytes, para__cpus_count(nodes));
    const size_t window = PARA__RUNS_AT_ONCE * run;
    para_status status = PARA_OK;
    unsigned node = para__cpus_first(nodes);
    for (size_t at = 0, length; at < bytes; at += length) {
        length = run - (uintptr_t)(memory + at) % run; /* runs begin at huge pages */
        length = para__min(length, bytes - at);
        const para_status moved = para__place_memory(machine, memory + at, length, node, true);
        status = status ? status : moved;
        do
            node = node + 1 < PARA__NODES_MAX ? node + 1 : 0;
        while (!para__cpus_has(nodes, node));
        if ((at + length) / window > at / window) {
            const size_t first = at / window * window;
            (void)set_policy(memory + first, at + length - first, MPOL_INTERLEAVE, nodes, false);
        }
    }
    /* Of all at once: reserved huge pages may be longer than runs, which are refused then. */
    const para_status set = set_policy(memory, bytes, MPOL_INTERLEAVE, nodes, false);
    return set ? set : status;
}

para_status para__interleave_memory(const para__machine *machine, void *memory, size_t bytes,
                                    bool moves)
{
    para_status status;
    if (is_placed(machine, &status))
        return status;
    return moves ? deal_out(machine, memory, bytes)
                 : set_policy(memory, bytes, MPOL_INTERLEAVE, &machine->memory, false);
}

/* Kernels before 5.4 do not tell. */
unsigned para__bandwidth_node(const para__machine *machine, unsigned numa_node)
{
    const int saved = errno;
    unsigned best = numa_node;
    unsigned long highest = 0;
    for (unsigned node = 0; node < PARA__NODES_MAX && machine->info.this_system; node++) {
        char path[96];
        unsigned long bandwidth = 0; /* MB/s */
        snprintf(path, sizeof path, "/sys/devices/system/node/node%u/access0/initiators/node%u",
                 node, numa_node);
        if (!para__cpus_has(&machine->memory, node) || access(path, F_OK) != 0)
            continue;
        snprintf(path, sizeof path,
                 "/sys/devices/system/node/node%u/access0/initiators/read_bandwidth", node);
        FILE *const file = fopen(path, "re");
        if (file && fscanf(file, "%lu", &bandwidth) == 1 && bandwidth > highest) {
            highest = bandwidth;
            best = node;
        }
        if (file)
            fclose(file);
    }
    errno = saved;
    return best;
}
