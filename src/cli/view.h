/* The machine and a pool, as `para info` shows them: all that it tells, gathered before it is
 * written. */
#ifndef PARA_CLI_VIEW_H
#define PARA_CLI_VIEW_H

#include <para/calibration.h>
#include <para/pool.h>
#include <para/topology.h>
#include <stdio.h>

typedef struct para__view {
    para_topology_info machine;
    para_cpu_info *cpu;   /* [machine.cpus] */
    para_node_info *node; /* [machine.nodes] */
    unsigned *distance;   /* [machine.nodes * machine.nodes]; 0: unknown */
    bool has_distances;
    para_pool_info pool;
    para_worker_info *worker; /* [pool.workers] */
    unsigned **bound_to;      /* [pool.workers]: worker.cpus numbers of CPUs; one list for several
                                 workers in a row that are bound to the same */
    const char *asked_by;     /* what has set the number of workers; NULL: nothing */
    bool has_costs;
    para_calibration_info costs;
    int load_count;
    double load[3]; /* threads that ran or waited: means of 1, 5 and 15 minutes; [load_count] */
    bool has_processes, has_sandbox; /* whether pools of worker processes can be had */
} para__view;

/* Fills *view, which is zero, from a pool. asked: of the command line. The caller frees it also on
 * failure. */
para_status para__view_open(para__view *view, para_pool *pool, unsigned asked);
void para__view_close(para__view *view);

/* The distance between two nodes; 0: unknown. */
unsigned para__view_distance(const para__view *view, unsigned from, unsigned to);

/* Where worker index runs, or on a described machine would run: a place in view->cpu, or
 * machine.cpus if that is no single CPU. */
unsigned para__view_place(const para__view *view, unsigned index);

/* Numbers as taskset writes them, in their order: 0-7,16 or 0-14:2. */
void para__view_numbers(FILE *to, const unsigned *number, size_t count);

/* "48 KiB", "2 MiB", "23.6 GiB". */
typedef struct para__view_size {
    char text[32];
} para__view_size;
para__view_size para__view_bytes(uint64_t bytes);

/* What the budget follows from: "quota" or "cpus", the number of hardware threads. */
const char *para__view_budget_limit(const para_topology_info *machine);

/* The name's length in an entry of the environment that para reads, or that shapes the OpenMP team
 * whose threads the pool is lent, if it is not empty; else 0. */
size_t para__view_setting(const para__view *view, const char *entry);

/* Why workers are not pinned; NULL: they are, or there is nothing to pin. */
const char *para__view_unpinned(const para__view *view);

/* Why a pool has fewer threads than asked for. */
typedef struct para__view_reason {
    char text[200];
} para__view_reason;
para__view_reason para__view_missing_threads(void);

#endif
