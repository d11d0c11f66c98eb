/* Sets of CPUs by the system's numbers, and those of this process. They are read from files, so
 * that para works in a program whose filter kills it at an affinity call. */
#ifndef PARA_BASE_CPUS_H
#define PARA_BASE_CPUS_H

#include <stdbool.h>
#include <stdint.h>

enum { PARA__CPUS_MAX = 8192 }; /* what the largest x86 kernel counts to */

typedef struct para__cpus {
    uint64_t word[PARA__CPUS_MAX / 64];
} para__cpus;

static inline bool para__cpus_has(const para__cpus *set, unsigned cpu)
{
    return cpu < PARA__CPUS_MAX && (set->word[cpu / 64] >> cpu % 64 & 1);
}

static inline void para__cpus_add(para__cpus *set, unsigned cpu)
{
    if (cpu < PARA__CPUS_MAX)
        set->word[cpu / 64] |= UINT64_C(1) << cpu % 64;
}

unsigned para__cpus_count(const para__cpus *set);
void para__cpus_unite(para__cpus *set, const para__cpus *with);
bool para__cpus_include(const para__cpus *set, const para__cpus *part);
bool para__cpus_equal(const para__cpus *a, const para__cpus *b);

/* The least member, or PARA__CPUS_MAX of an empty set. */
unsigned para__cpus_first(const para__cpus *set);

/* A list such as "0-3,8"; of a longer one as much as there is room for, and an ellipsis. */
typedef struct para__cpus_text {
    char text[64];
} para__cpus_text;
para__cpus_text para__cpus_text_of(const para__cpus *set);

/* Adds a list such as "0-3,8" from a file in the directory. False: there is no such file. */
bool para__cpus_read(para__cpus *set, int directory, const char *name);

/* The system's CPUs that are switched on. False: it does not say. */
bool para__cpus_online(para__cpus *set);

/* The CPUs that the calling thread may run on. False: the system does not say. */
bool para__cpus_of_thread(para__cpus *set);

/* The CPUs that some thread of the process may run on. One thread may be bound more narrowly than
 * the process was; all threads together come closest to what the process was given. False as
 * above. */
bool para__cpus_of_process(para__cpus *set);

/* A worker's thread is named so, and by its number. Such threads do not count there: a pool has
 * bound them, or had other CPUs when it was made. */
#define PARA__WORKER_NAME "para-"

/* The NUMA nodes, in place of CPUs, whose memory the process may use. False: the system does not
 * say. */
bool para__nodes_with_memory(para__cpus *set);

/* Whether more threads run or are ready than there are CPUs, in the whole system, the calling one
 * included, as a file such as PARA__LOAD says; true if that is not known. Takes some 20 us. */
#define PARA__LOAD "/proc/loadavg"
bool para__cpus_are_full(const char *path);

#endif
