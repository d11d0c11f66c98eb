/* What libgomp, if it is in the process, has done to the affinity of the main thread. */
#ifndef PARA_TOPOLOGY_OPENMP_H
#define PARA_TOPOLOGY_OPENMP_H

#include "base/cpus.h"

/* Widens the set of CPUs that the process's threads are found on to those that the process was
 * given, as far as libgomp has narrowed it. */
void para__openmp_undo(para__cpus *process);

#endif
