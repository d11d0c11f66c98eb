/* Statistics: what threads, kernels and tasks have done, in numbers that are kept while somebody
 * asks for them.
 *
 *     para_must(para_stats_start());
 *     ...
 *     para_stats now = {.size = sizeof now};
 *     para_must(para_stats_get(&now));
 *     para_must(para_stats_print(stderr));
 *
 * PARA_METRICS=file in the environment keeps them from the program's start to its end, and writes
 * them into the file each five seconds and at the end, for Prometheus. While none are kept, an
 * event costs one load. All numbers are of the process, whatever the pool; of a process that was
 * forked, since the fork. */
#ifndef PARA_STATS_H
#define PARA_STATS_H

#include <para/must.h>
#include <para/status.h>

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A distribution of times. A quantile is the end of the bucket that it lies in: too high by an
 * eighth at most. All are 0 if count is. */
typedef struct para_times {
    uint64_t count;  /* times that were counted */
    uint64_t sum_ns; /* all together */
    uint64_t p50_ns; /* half of them are no longer than that; */
    uint64_t p95_ns; /* 95 %; */
    uint64_t p99_ns; /* 99 % */
} para_times;

/* Of all threads together. Numbers are read one after the other while threads go on, so they may
 * be of slightly different moments. None falls, but for those of what is now. */
typedef struct para_stats {
    size_t size;        /* set to sizeof(para_stats) by the caller */
    int is_on;          /* 1 while statistics are kept, else 0: then they are as they were */
    unsigned threads;   /* of which there are numbers now: indices of para_stats_get_thread */
    unsigned kernels;   /* likewise, of para_stats_get_kernel */
    uint64_t calls;     /* that threads have made */
    uint64_t chunks;    /* kernel calls */
    uint64_t units;     /* of calls that ran alone: elements. Of shared ones: elements of maps, or
                           chunks where their size is given; blocks of reductions */
    uint64_t claims;    /* batches of shared calls */
    uint64_t stolen;    /* those of them that were another participant's */
    uint64_t parks;     /* how often workers slept */
    uint64_t wakes;     /* how often one thread woke another */
    uint64_t busy_ns;   /* the time in kernels and tasks, */
    uint64_t parked_ns; /* asleep as a worker, */
    uint64_t joined_ns; /* and of callers that waited for participants of their calls */
    uint64_t submitted; /* tasks, */
    uint64_t begun;     /* those that were run, or are, */
    uint64_t dropped;   /* and those that ended without having run */
    para_times waits;   /* of tasks, from their submission to their begin */
    para_times runs;    /* of tasks, from their begin to their end */
    uint64_t homeless;  /* events that were not counted: more than 1088 threads told any */
} para_stats;

/* Of one thread. */
typedef struct para_thread_stats {
    size_t size;        /* set to sizeof(para_thread_stats) by the caller */
    char name[16];      /* as debuggers show it: para-3 is worker 3 of a pool */
    int64_t tid;        /* the system's number of it */
    int has_ended;      /* 1: it has, else 0 */
    uint64_t calls;     /* all others: as in para_stats */
    uint64_t chunks;    /* kernel calls */
    uint64_t units;     /* elements, chunks or blocks */
    uint64_t claims;    /* batches of shared calls */
    uint64_t stolen;    /* those of them that were another's */
    uint64_t parks;     /* how often it slept as a worker */
    uint64_t wakes;     /* how often it woke another thread */
    uint64_t tasks;     /* that it has begun */
    uint64_t busy_ns;   /* in kernels and tasks */
    uint64_t parked_ns; /* asleep as a worker */
    uint64_t joined_ns; /* waiting for participants of its calls */
} para_thread_stats;

/* Of one kernel's calls with one .options.site. */
typedef struct para_kernel_stats {
    size_t size;           /* set to sizeof(para_kernel_stats) by the caller */
    char name[64];         /* "?": not known */
    char place[128];       /* "file.c:12", or "program+0x1234" */
    uint64_t site;         /* .options.site */
    uint64_t calls;        /* that have run */
    uint64_t shared;       /* those with helpers; the others ran serially */
    uint64_t elements;     /* of all calls */
    uint64_t time_ns;      /* from call to return, calls within kernels included */
    uint64_t predicted;    /* calls whose time was predicted, */
    uint64_t predicted_ns; /* what that was, */
    uint64_t measured_ns;  /* and what they have taken */
} para_kernel_stats;

#ifdef __cplusplus
extern "C" {
#endif

/* From now on statistics are kept; those that were kept before go on. Memory is 12 KiB for each
 * thread that tells anything. Any thread. Errors: PARA_ERR_BUSY (they are kept), _MEMORY. */
PARA_NODISCARD_ PARA_API para_status para_stats_start(void);

/* They are not kept any more; what was counted can still be read. Any thread.
 * Errors: PARA_ERR_ARGUMENT (they are not kept). */
PARA_NODISCARD_ PARA_API para_status para_stats_stop(void);

/* Fills *stats. Any thread. Errors: PARA_ERR_ARGUMENT (NULL, its size), _MEMORY. */
PARA_NODISCARD_ PARA_API para_status para_stats_get(para_stats *stats);

/* The same for one thread. An index stays while its thread lives. Errors also: PARA_ERR_ARGUMENT
 * (there is no such index). */
PARA_NODISCARD_ PARA_API para_status para_stats_get_thread(unsigned index,
                                                           para_thread_stats *stats);

/* The same for one kernel. They are in the order of their calls' time, at that moment. */
PARA_NODISCARD_ PARA_API para_status para_stats_get_kernel(unsigned index,
                                                           para_kernel_stats *stats);

/* Writes all of it as tables, for people. Any thread. Errors: PARA_ERR_ARGUMENT, _FILE, _MEMORY. */
PARA_NODISCARD_ PARA_API para_status para_stats_print(FILE *stream);

/* Writes all of it in Prometheus's text format 0.0.4 into a file, which appears under its name when
 * it is complete, as node_exporter's textfile collector asks. Any thread.
 * Errors: PARA_ERR_ARGUMENT, _FILE, _MEMORY. */
PARA_NODISCARD_ PARA_API para_status para_stats_write_prometheus(const char *path);

#ifdef __cplusplus
}
#endif
#endif
