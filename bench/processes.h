/* The map that threads, worker processes and Python's pools of processes run alike. */
#ifndef BENCH_PROCESSES_H
#define BENCH_PROCESSES_H

#include <stddef.h>

/* y = x / (1 + x * x), some ns an element. A negative element ends the process by SIGSEGV. */
void bench_map(const double *x, double *y, size_t count);

#endif
