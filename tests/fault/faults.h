/* Failing system and library calls. The linker sends the library's calls through wrappers (--wrap),
 * which fail when told to, and count what is allocated and freed. */
#ifndef PARA_TESTS_FAULTS_H
#define PARA_TESTS_FAULTS_H

#include <stdbool.h>

typedef enum fault_kind {
    FAULT_ANY = 0,
    FAULT_MEMORY,   /* heap */
    FAULT_PAGES,    /* mmap */
    FAULT_THREAD,   /* pthread_create */
    FAULT_BINDING,  /* sched_setaffinity */
    FAULT_TOPOLOGY, /* hwloc's own */
    FAULT_LOADING,  /* dlsym, as of a function that an older library has not */
    FAULT_FILE,     /* fopen, open, openat */
    /* Not among FAULT_ANY. Children have the same count in a copy: */
    FAULT_PROCESS, /* fork, socketpair, memfd_create, ftruncate, eventfd, pidfd_open */
    FAULT_LIMIT    /* setrlimit, prctl, pread */
} fault_kind;

/* From now on the n-th call of that kind fails, counted from 1, with that errno; and if `all`,
 * those after it too. n = 0: none. */
void fault_arm(fault_kind kind, long n, int error, bool all);

/* How many have failed since then. */
long fault_count(void);

/* What the library holds: blocks, bytes of pages, threads, topologies and files that were handed
 * out and not given back. */
long fault_held(void);

#endif
