/* What checks consist of. */
#ifndef PARA_TESTS_NUMA_STEPS_H
#define PARA_TESTS_NUMA_STEPS_H

#include <para/para.h>
#include <stdbool.h>

/* Prints the outcome of a check; returns the exit status. */
__attribute__((format(printf, 2, 3))) int outcome(bool holds, const char *format, ...);

/* A step that no check can do without. */
void must(para_status status, const char *what);

/* A pool whose threads are up; and a buffer of PAGES elements of PAGE bytes, that lives until the
 * process ends. */
para_pool *make_pool(void);
char *make_buffer(para_pool *pool, para_placement placement, unsigned node);

/* Leaves in a page the node that the calling thread runs on, after so many microseconds. */
void work_on(char *page, long us);

/* That on all pages of a buffer, 20 us each, among so many threads at most; 0: all. */
void work(para_pool *pool, char *data, unsigned workers);

#endif
