/* The machine as para sees it: what a pool may use. */
#ifndef PARA_TOPOLOGY_H
#define PARA_TOPOLOGY_H

#include <para/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The machine, and the share of it that this process may use. */
typedef struct para_topology_info {
    size_t size;         /* set to sizeof(para_topology_info) by the caller */
    unsigned cpus;       /* hardware threads that the process may use (its affinity mask) */
    unsigned cores;      /* cores that these belong to */
    unsigned core_kinds; /* kinds of cores among them; 1 unless the machine is hybrid */
    unsigned domains;    /* NUMA nodes, or shared L3 caches where a node has several */
    unsigned numa_nodes; /* NUMA nodes */
    unsigned budget;     /* threads of a pool by default: min(cpus, max(1, floor(quota))). Its calls
                            begin on at most one for each core, see para_pool_info.usual */
    double quota;        /* CPUs that the control groups grant, over all ancestors; 0: no limit, or
                            none that is known, see quota_known */
    size_t l1_bytes;     /* data cache of the first core; 0 if unknown */
    size_t l2_bytes;     /* its second-level cache; 0 if unknown */
    size_t l3_bytes;     /* its third-level cache; 0 if unknown */
    size_t page_bytes;
    bool this_system; /* false: described by HWLOC_SYNTHETIC or HWLOC_XMLFILE; nothing is bound */
    unsigned online;  /* hardware threads of the machine, also those that the process may not use */
    unsigned nodes;   /* NUMA nodes of the machine, also those where the process may use no CPU */
    /* Whether the process's control group and those above it, as far as they are mounted, could be
     * read, or there is none that could have a quota: the system has no control groups, or none
     * with the cpu controller. false: there may be a quota that para does not know, or a lower one
     * than `quota`. */
    bool quota_known;
} para_topology_info;

/* One hardware thread that the process may use. */
typedef struct para_cpu_info {
    size_t size;        /* set to sizeof(para_cpu_info) by the caller */
    unsigned os_index;  /* the operating system's number */
    unsigned core;      /* index of its core, 0 .. cores - 1 */
    unsigned domain;    /* index of its domain, 0 .. domains - 1 */
    unsigned numa_node; /* the operating system's number of its NUMA node */
    unsigned kind;      /* its core's kind: 0 the most efficient, core_kinds - 1 the fastest */
    unsigned sibling;   /* 0: the core's first hardware thread, 1: its second, ... */
} para_cpu_info;

/* One NUMA node of the machine; also one that has no memory, or where the process may use no CPU.
 */
typedef struct para_node_info {
    size_t size;           /* set to sizeof(para_node_info) by the caller */
    unsigned os_index;     /* the operating system's number, as in para_cpu_info.numa_node */
    unsigned cpus;         /* hardware threads on it that the process may use */
    uint64_t memory_bytes; /* all its memory; 0 if it has none, or if that is unknown */
    bool memory_known;
} para_node_info;

#ifdef __cplusplus
extern "C" {
#endif

/* Fills *info; the caller has set its size. The machine is read at the first call that needs it
 * (half a millisecond on a small one) and remembered. It is read anew here, and for each pool, if
 * the process may use other CPUs by then, or another quota. HWLOC_SYNTHETIC and HWLOC_XMLFILE are
 * honoured. Any thread.
 * Errors: PARA_ERR_ARGUMENT, PARA_ERR_TOPOLOGY, PARA_ERR_MEMORY. */
PARA_NODISCARD_ PARA_API para_status para_topology_get_info(para_topology_info *info);

/* Fills *info for the CPU at place index, 0 .. cpus - 1, of the machine as it was last read, in the
 * order in which pools use them:
 * first threads of cores before second ones; among these the fastest kind first, then domain by
 * domain. Errors: as above; PARA_ERR_ARGUMENT for an index out of range. */
PARA_NODISCARD_ PARA_API para_status para_topology_get_cpu(unsigned index, para_cpu_info *info);

/* Fills *info for NUMA node index, 0 .. nodes - 1, of the machine as it was last read, in the order
 * of os_index. Its memory is looked up in each call. Any thread. Errors: as above. */
PARA_NODISCARD_ PARA_API para_status para_topology_get_node(unsigned index, para_node_info *info);

/* Sets *distance to how far the memory of node `to` is from the CPUs of node `from`, both indices
 * as above: the firmware's relative time of an access, in which 10 is a node's own memory; 0 if
 * unknown. Looked up in each call. Any thread. Errors: as above. */
PARA_NODISCARD_ PARA_API para_status para_topology_get_distance(unsigned from, unsigned to,
                                                                unsigned *distance);

#ifdef __cplusplus
}
#endif
#endif
