/* Checks of machines that change while a process runs. A command for the shell makes the change;
 * the shell's $PPID is the process. */
#ifndef PARA_TESTS_NUMA_CHANGES_H
#define PARA_TESTS_NUMA_CHANGES_H

/* A pool is made before the change, if there is one, and another one after it: that has as many
 * workers as there are cores, each on a core of its own, all within the process's mask. */
int pins_after(const char *change);

/* All of its so many workers have the process's mask. */
int unpinned_after(const char *change, int workers);

/* The change takes CPUs away while a pool has workers there, then they are given back. Workers lose
 * their places, so many at least, as the pool's info says; and have them again. */
int pins_return_after(long lost, const char *change, const char *back);

/* Calls are made while the command runs, each with all of its results; then all workers are bound
 * as before. */
int calls_go_on_during(const char *change);

#endif
