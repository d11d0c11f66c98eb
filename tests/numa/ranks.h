/* Where a process's workers are pinned. Several processes on one machine, each with a mask of its
 * own, as launchers of parallel programs start them. */
#ifndef PARA_TESTS_NUMA_RANKS_H
#define PARA_TESTS_NUMA_RANKS_H

#include "kernel.h"

/* What is wrong with the pins of a process that may use these CPUs and has made a pool; NULL:
 * nothing. Each core has one worker, which is pinned to one of its CPUs; if there is one core, the
 * main thread is enough. Adds to how many workers each CPU has. */
const char *check_pins(int process, const cpu_set_t *allowed, int workers_on[CPUS]);

/* How cores are dealt to processes. */
typedef enum dealing {
    DEAL_BLOCKS,      /* runs of cores, with all their threads */
    DEAL_IN_TURN,     /* core by core */
    DEAL_OVERLAPPING, /* runs, and the first core of the next one */
    DEAL_ONE_CPU      /* a core's first CPU */
} dealing;

/* Starts so many processes, each with a mask that the way gives it. Each runs `numa_check rank`: it
 * makes a pool, writes a byte, reads one, and returns 0 if its pages are where they should be.
 * Whether each has a worker for each core of its mask, pinned there, and no core has workers of two
 * processes, unless their masks share it. Leaves what was found in words. */
int check_ranks(int count, dealing way, char *words, int size);

#endif
