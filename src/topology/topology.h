/* The machine: read, and remembered until the process has other CPUs.
 *
 * A machine lists the hardware threads that the process may use in the order in which pools use
 * them: first threads of cores before second ones; among these the fastest kind of core first, then
 * domain by domain. A pool's worker i is placed on cpu[i % cpu_count]. */
#ifndef PARA_TOPOLOGY_TOPOLOGY_H
#define PARA_TOPOLOGY_TOPOLOGY_H

#include "base/cpus.h"

#include <para/topology.h>
#include <pthread.h>

typedef struct para__machine {
    para_topology_info info;
    unsigned cpu_count;          /* = info.cpus */
    const para_cpu_info *cpu;    /* [cpu_count] */
    para__cpus usable;           /* of this system; empty where that is not known */
    para__cpus memory;           /* numbers of nodes, not CPUs: those with memory for the process */
    bool is_described;           /* by a variable; else info has no caches, see below */
    struct para__nodes *nodes;   /* of a described machine; else NULL, see nodes.c */
    struct para__machine *older; /* that the process had before: see machine.c */
} para__machine;

/* Fills in the cache sizes of a machine that is not described: about ten files that no call
 * needs. */
void para__machine_read_caches(const para__machine *machine, para_topology_info *info);

/* The number of the machine's NUMA nodes, from a file that no call needs; keeps errno. */
unsigned para__machine_node_count(const para__machine *machine);

/* The process's machine, as it was last read: at the first call, or by the function below. Never
 * freed, immutable. Any thread. On failure the next call tries again. Errors: PARA_ERR_TOPOLOGY,
 * PARA_ERR_MEMORY. */
para_status para__machine_get(const para__machine **machine);

/* The process's machine as it is: read anew if other CPUs, or more or less of their time, are the
 * process's since. What was read before stays for those who have it. Any thread. Errors as
 * above. */
para_status para__machine_get_current(const para__machine **machine);

/* Sets distance[i] to how far node[i] is from that node, both by the system's numbers: 10 is the
 * node itself, 20 twice as far; 0 where the system does not say. Looked up in each call; keeps
 * errno. Any thread that has cancellation off. */
void para__machine_distances(const para__machine *machine, unsigned from, const unsigned *node,
                             unsigned count, unsigned *distance);

/* Levels of a machine at which CPUs share something. */
typedef enum para__level {
    PARA__LEVEL_THREAD, /* nothing: each is a group of its own */
    PARA__LEVEL_CORE,
    PARA__LEVEL_CACHE, /* the largest cache */
    PARA__LEVEL_NODE,
    PARA__LEVEL_SOCKET
} para__level;

/* Sets group[i], for each of the machine's CPUs, to a number that those of the same group have.
 * Looked up in each call. What the system does not tell is the simplest: one socket, and a cache
 * for each domain. Any thread. Errors: PARA_ERR_TOPOLOGY, PARA_ERR_MEMORY. */
para_status para__machine_group(const para__machine *machine, para__level level, unsigned *group);

/* Reads a machine anew, with control groups looked up below root ("" for the real ones), and frees
 * it: for tests. */
para_status para__machine_load(para__machine **machine, const char *root);
void para__machine_free(para__machine *machine);

/* Reads the real machine, although a variable describes another one. The caller frees it. */
para_status para__machine_load_real(para__machine **machine);

/* What of this system the process may use now; a machine is read anew when it changes. */
typedef struct para__allowance {
    para__cpus usable; /* empty where that is not known */
    double quota;      /* both as in para_topology_info */
    bool quota_known;
} para__allowance;

/* Both under a lock that the caller holds: see machine.c. is_real: whatever variables say. */
struct para__openmp;
para__allowance para__allowance_read(const struct para__openmp *openmp, const char *root);
para_status para__machine_read(para__machine **machine, const para__allowance *allowance,
                               bool is_real);

/* Whether the calling thread's mask is another than all usable CPUs: threads that it makes would
 * inherit it. Makes no affinity call if /proc is mounted. */
bool para__thread_is_narrow(const para__machine *machine);

/* Lets the calling thread run on all usable CPUs. Errors as below. */
para_status para__unbind_thread(const para__machine *machine);

/* Binds the calling thread to CPUs, by the system's numbers. PARA_ERR_UNSUPPORTED: the machine is
 * not this system, or the system cannot bind; PARA_ERR_DENIED: the system refused. */
para_status para__bind_thread(const para__machine *machine, const para__cpus *cpus);

enum { PARA__NODES_MAX = 1024 }; /* the largest kernels' */
_Static_assert((int)PARA__NODES_MAX <= (int)PARA__CPUS_MAX, "sets of CPUs serve for nodes");

/* How the mask of a thread stands to what para__bind_thread makes of it. */
typedef enum para__binding_state {
    PARA__BOUND,     /* within it */
    PARA__ELSEWHERE, /* it lacks some of it, so it cannot be bound there, or somebody has moved it;
                        or the system does not say */
    PARA__WIDER      /* all of it and more: the system has let it go */
} para__binding_state;
para__binding_state para__thread_binding(const para__machine *machine, pthread_t thread,
                                         const para__cpus *cpus);

/* Asks that pages [memory, memory + bytes) lie on the NUMA node with that number, or on the nearest
 * one with memory if it has none; or are interleaved over all nodes with memory. Pages that exist
 * already are moved if asked, else they stay; if some could not be moved, PARA_ERR_DENIED. PARA_OK
 * also where there is only one node. Errors as above. */
para_status para__place_memory(const para__machine *machine, void *memory, size_t bytes,
                               unsigned numa_node, bool moves);

para_status para__interleave_memory(const para__machine *machine, void *memory, size_t bytes,
                                    bool moves);

/* Adds up in bytes_of[n] the bytes of [data, data + bytes) whose pages are on node n, of n < nodes.
 * Pages that do not exist yet count nowhere. Errors: PARA_ERR_DENIED, _UNSUPPORTED. */
para_status para__memory_where(const void *data, size_t bytes, size_t *bytes_of, unsigned nodes);

/* The node with memory of the highest bandwidth among those for which that node is one of the
 * nearest; that node itself if the system does not tell. */
unsigned para__bandwidth_node(const para__machine *machine, unsigned numa_node);

#endif
