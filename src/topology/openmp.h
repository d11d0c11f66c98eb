/* What libgomp, if it is in the process, has done to the affinity of the main thread. */
#ifndef PARA_TOPOLOGY_OPENMP_H
#define PARA_TOPOLOGY_OPENMP_H

#include "base/cpus.h"

/* The copies of libgomp in the process, and their functions; none if no variable tells them to
 * bind. */
typedef struct para__openmp {
    unsigned count;
    struct para__openmp_runtime {
        void *library;
        int (*cpus)(void);
        int (*places)(void);
        int (*place_cpus)(int place);
        void (*place_numbers)(int place, int *cpus);
    } runtime[4];
} para__openmp;

/* Find and release them. Both need the loader's lock: see base/guard.h. */
void para__openmp_find(para__openmp *openmp);
void para__openmp_drop(para__openmp *openmp);

/* Widens the set of CPUs on which the process's threads are found to the CPUs that the process was
 * given, as far as libgomp has narrowed it. One thread at a time. */
void para__openmp_undo(const para__openmp *openmp, para__cpus *process);

#endif
