/* The locations of the process's CPUs, from one of two sources: the kernel's files, or hwloc if a
 * variable describes a machine. */
#ifndef PARA_TOPOLOGY_LOCATIONS_H
#define PARA_TOPOLOGY_LOCATIONS_H

#include "base/cpus.h"
#include "topology/topology.h"

#include <para/status.h>
#include <stddef.h>
#include <stdint.h>

#define PARA__NO_L3 UINT32_MAX

/* What a CPU belongs to. Equal numbers mean the same core, the same cache. */
typedef struct para__location {
    unsigned cpu; /* the system's number */
    unsigned core;
    unsigned node; /* the system's number of its NUMA node */
    unsigned l3;   /* PARA__NO_L3 unless its node has several, and this one serves several cores */
    unsigned kind; /* rank of its core's kind, 0 the most efficient */
} para__location;

/* For sorting: negative, 0 or positive. */
static inline int para__compare(unsigned a, unsigned b)
{
    return (a > b) - (a < b);
}

typedef struct para__locations {
    para__location *location; /* [count], a core's and a domain's together */
    unsigned count;
    para__cpus usable; /* what the process may use of this system; empty: not known */
    bool this_system;
    void *hwloc; /* the hwloc_topology_t that it was read from; NULL: the kernel's files */
} para__locations;

/* Both functions fill *locations, which is zero but for the usable CPUs. The caller frees it even
 * if they fail. If usable is empty (not known), all CPUs count. Errors: PARA_ERR_MEMORY,
 * PARA_ERR_TOPOLOGY. */

/* Reads the files below root ("" for the real ones). Where a file is missing the simplest machine
 * is assumed: cores of one thread, one node, one kind. */
para_status para__locations_from_files(para__locations *locations, const char *root);

/* The machine that HWLOC_SYNTHETIC or HWLOC_XMLFILE describes, if para__locations_are_described. */
para_status para__locations_from_hwloc(para__locations *locations);
bool para__locations_are_described(void);
void para__hwloc_free(void *hwloc);

/* The NUMA nodes of a described machine, in the order of their numbers. */
typedef struct para__nodes {
    unsigned count;
    struct para__node {
        unsigned os_index;
        uint64_t memory_bytes; /* 0: not known */
    } * node;                  /* [count] */
    unsigned *distance;        /* [count * count], from the first to the second; 0: not known */
} para__nodes;

/* One block of memory, which the caller frees. Errors: PARA_ERR_MEMORY. */
para_status para__nodes_from_hwloc(para__nodes **nodes, void *hwloc);

/* Sets group[i], where it is PARA__NO_GROUP, to the first of the machine's CPUs that shares a cache
 * or a socket with the i-th one. It stays what it is where that is not known. The lock that hwloc
 * needs is the caller's; errors as above. */
#define PARA__NO_GROUP UINT32_MAX
void para__groups_from_files(const para__machine *machine, para__level level, unsigned *group,
                             const char *root);
para_status para__groups_from_hwloc(const para__machine *machine, para__level level,
                                    unsigned *group);

/* The sizes of a CPU's caches, levels 1 to 3; 0 where not known. */
void para__caches_from_files(const char *root, unsigned cpu, size_t bytes[3]);
void para__caches_from_processor(size_t bytes[3]); /* of the CPU that the caller is on */
void para__caches_from_hwloc(void *hwloc, unsigned cpu, size_t bytes[3]);

#endif
