/* Checks of where the pages of a buffer lie, and of what size they are. */
#ifndef PARA_TESTS_NUMA_PAGES_H
#define PARA_TESTS_NUMA_PAGES_H

#include "kernel.h"

#include <para/para.h>
#include <stddef.h>

enum { HUGE_PAGE = 2 << 20 };

/* Each node has the pages of its workers' slices, but for a few, one after the other. */
int slices_are(const int node[PAGES], int few);

/* A buffer that is to have pages of one size has those of another or the same, as the kernel says,
 * and what para says agrees. PAGE: none of them are reserved ones. Pages lie by slices, if the
 * buffer has several. */
int huge_pages_are(para_pages asked, size_t bytes);

#endif
