/* What the kernel says of the machine, of the process's threads, and of where pages lie. */
#ifndef PARA_TESTS_NUMA_KERNEL_H
#define PARA_TESTS_NUMA_KERNEL_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>

enum { PAGE = 4096, PAGES = 4096, NODES = 64, CPUS = 1024, THREADS = 256 };

/* The node that the calling thread runs on. */
int this_node(void);

/* How far nodes are apart; 0 if that is not known. */
int distance_of(int from, int to);

/* The node with memory that is nearest to a node: itself, if it has some. */
int memory_of(int node);

/* Takes a list such as 0-3,8 from a text, and leaves the text at what follows. */
cpu_set_t parse_list(const char **text);

/* Reads a list such as 0-3,8 from a file; the empty set if there is none. */
cpu_set_t read_list(const char *path);

/* The masks of a process's threads but for the main one; returns their number. */
int masks_of(int process, cpu_set_t mask[THREADS]);

/* The same of this process. */
int worker_masks(cpu_set_t mask[THREADS]);

/* The CPUs of a node; none if there is no such node. */
cpu_set_t cpus_of_node(int node);

/* The CPUs of a CPU's core. */
cpu_set_t cpus_of_core(size_t cpu);

/* How many threads are bound to one core each. */
int count_bound(void);

/* The nodes of pages that exist, which are PAGES; negative: of one that does not. */
void read_nodes(char *data, int node[PAGES]);

/* Of the mappings that an array is in: the least size of a page, and how much of them is there on
 * pages that were reserved as huge ones. */
typedef struct mapping {
    size_t page_bytes, reserved_bytes;
} mapping;
mapping mapping_of(const void *data, size_t bytes);

void count_nodes(const int node[PAGES], int pages_of[NODES]);

/* As text that lives until the next call. */
const char *in_words(const int pages_of[NODES]);

/* Adds the pages of an array that exist and lie on the calling thread's node, and all that
 * exist. */
void count_pages(const void *data, size_t bytes, int counted[2]);

/* The same of the calling thread's stack. */
void count_stack(int counted[2]);

/* Switches a CPU on or off. */
void switch_cpu(long cpu, bool on);

#endif
