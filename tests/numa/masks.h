/* Checks of the CPUs and nodes that the workers of this process are bound to. They return what is
 * wrong; NULL: nothing. */
#ifndef PARA_TESTS_NUMA_MASKS_H
#define PARA_TESTS_NUMA_MASKS_H

#include "kernel.h"

/* Each place has one worker, which is bound to it. Places are lists of CPUs, such as 0-3,8|4|5. */
const char *check_places(const char *places);

/* Each worker is bound to one node, and no node that the process has CPUs on has two workers more
 * than another one. So each has some, as far as there are workers. */
const char *check_spread(int workers_of[NODES]);

#endif
