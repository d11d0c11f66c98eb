/* Places: sets of CPUs to which workers are bound, as OpenMP writes them (OMP_PLACES, OpenMP 5.1,
 * section 6.5):
 *
 *   {0:4},{4:4}    two places of four CPUs each, by the system's numbers
 *   {0:4}:2:4      the same: from the first, two places, 4 CPUs apart
 *   {0:8,!3},8     CPUs 0 to 7 without 3; CPU 8
 *   {0}:8:1,!{5}   one place a CPU, without the one that is {5}
 *   cores(2)       the first two cores; also threads, ll_caches, numa_domains and sockets
 *
 * CPUs that the process may not use are left out of their places, and places without any CPU are
 * dropped: libgomp does the same. */
#ifndef PARA_TOPOLOGY_PLACES_H
#define PARA_TOPOLOGY_PLACES_H

#include "topology/topology.h"

typedef struct para__places {
    unsigned count;
    unsigned dropped; /* places that were named besides, without a CPU that the process may use */
    para__cpus place[];
} para__places;

/* What is wrong with a text, to stand behind it and a colon. */
typedef struct para__places_fault {
    char text[160];
} para__places_fault;

/* Reads the text. *places is what it means on the machine, in one block that the caller frees; for
 * machine NULL the text is only checked. Errors: PARA_ERR_ARGUMENT, and *fault says why;
 * PARA_ERR_MEMORY; of abstract names also those of para__machine_group. */
para_status para__places_make(para__places **places, const para__machine *machine, const char *text,
                              para__places_fault *fault);

/* How many workers the first `used` places have by default: one for each place and for each core
 * that has a CPU in them, but no more than they have CPUs. */
unsigned para__places_workers(const para__places *places, unsigned used,
                              const para__machine *machine);

#endif
