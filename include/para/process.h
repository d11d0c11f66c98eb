/* Process workers: a kernel that crashes, never ends or leaks costs a chunk, not the program. The
 * guide says when to choose them. */
#ifndef PARA_PROCESS_H
#define PARA_PROCESS_H

#include <para/version.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Why a worker process has ended in the middle of a chunk. */
typedef enum para_death {
    PARA_DEATH_UNKNOWN = 0, /* nobody could tell: the process that knew it died as well */
    PARA_DEATH_SIGNAL,      /* a signal has killed it: .number is the signal */
    PARA_DEATH_EXIT,        /* it has called exit or _exit: .number is what it returned */
    PARA_DEATH_OVERRUN /* it took more than para_processes.chunk_ns, or was stopped for so long;
                               para has killed it */
} para_death;

/* How the worker of a task has died: of the result of a task whose status is
 * PARA_ERR_WORKER_DIED. */
static inline para_death para_death_of(int result)
{
    return PARA_CAST_(para_death, result >> 8 & 0xff);
}
/* The signal, or what it gave to exit. */
static inline int para_death_number(int result)
{
    return result & 0xff;
}

/* Room for the text of para_death_text. */
enum { PARA_DEATH_TEXT = 96 };
#ifdef __cplusplus
extern "C" {
#endif
/* How a worker has died, for people: "by signal 11 (Segmentation fault)" and the like, written into
 * text, which has room for `bytes` bytes, its end included; PARA_DEATH_TEXT is enough. number: the
 * signal, or what it gave to exit. Returns text. Any thread; allocates nothing of para's. */
PARA_API const char *para_death_text(para_death death, int number, char *text, size_t bytes);
#ifdef __cplusplus
}
#endif

/* What has become of elements whose kernel took its worker's life each time. */
typedef struct para_damage {
    /* The elements. Of a loop its iterations, counted from 0, in PARA_LOOP2 and PARA_LOOP3 tile by
     * tile: row by row if para_setup.tile has whole rows. */
    size_t first, count;
    unsigned attempts; /* how many workers they were tried on */
    para_death death;  /* how the last of these has ended */
    int number;        /* signal or exit status of that */
} para_damage;

/* What follows the death of a worker in a call. */
typedef enum para_on_crash {
    PARA_CRASH_FAILS = 0, /* the call fails with PARA_ERR_WORKER_DIED, as after a kernel's error */
    PARA_CRASH_FILLS      /* the elements are filled, and the call goes on */
} para_on_crash;

/* What a call does about workers that die in it. All zero: it tries a chunk three times, then
 * fails. */
typedef struct para_survival {
    /* On how many workers a chunk is tried in all; 0: automatic, 3. A call that works in place, has
     * `once` or has no outputs, as loops have none, tries once, and so does a reduction whose body
     * may write: what a worker has written before it died cannot be taken back. See `repeats`. */
    unsigned attempts;

    /* With _FILLS a chunk that has failed so often is halved, and its halves are tried anew, down
     * to single elements (of a map), to .options.chunk, or to a reduction's blocks. In a call that
     * tries once the chunk is filled as it is. So a call of n elements, one of which crashes, costs
     * about log2(n) workers more. In a reduction what is filled counts nothing: its blocks leave
     * `identity`. Of a loop nothing is filled: such iterations have run in part, or not at all. */
    para_on_crash on_crash;

    /* What outputs are filled with: `fill_bytes` bytes, over and over from each element's first
     * byte. NULL: zero bytes. Each output's element_bytes must be a multiple of fill_bytes. */
    const void *fill;
    size_t fill_bytes;

    /* Told of the elements that were given up or filled, in no order, on the calling thread before
     * the call returns. NULL: nobody. */
    void (*damaged)(const para_damage *damage, void *damaged_arg);
    void *damaged_arg;

    /* Views that workers cannot see are copied there and, if the call does not fail, back. Without
     * this such a call is refused: PARA_ERR_NOT_SHARED. */
    bool copies;

    /* The program's word that a part of the call may run again after its worker has died anywhere
     * within it: what an iteration writes does not depend on what it has written before, as in
     * y[i] = a * x[i], but not in y[i] += x[i]. Then what would be tried once is tried as often as
     * any other chunk. Not of scans in place. */
    bool repeats;
} para_survival;

/* para_processes processes = PARA_PROCESSES_INIT; config.processes = &processes;
 * Limits that are 0 are none. */
typedef struct para_processes {
    size_t size;            /* sizeof(para_processes) */
    para_survival survival; /* of calls that say nothing else (para_options.survival) */

    /* How long a worker may take for what it claims at a time, in ns. Then it is killed, also
     * one that was stopped. It claims at most 1/16 of its share of a call, rounded up to whole
     * chunks where .options.chunk states their length, but one element or one such chunk at
     * least. */
    uint64_t chunk_ns;

    size_t memory_bytes;  /* address space, beyond what a worker begins with */
    unsigned cpu_seconds; /* CPU time of a worker; one that has used it is replaced */
    unsigned files;       /* descriptors that a worker may have open, 3 at least */

    /* Between two calls a worker is replaced by a new one when it has run so many chunks, or when
     * its own memory has grown by so many bytes since it began. That is no death. */
    uint64_t worker_chunks;
    size_t grown_bytes;

    /* A filter of system calls (seccomp) leaves kernels their memory, clocks, sleep, signals to
     * themselves, their end, and standard error; no files, sockets, processes or threads, no
     * tracing. At any other call the system kills the worker: PARA_DEATH_SIGNAL with SIGSYS.
     * x86-64 and aarch64. */
    bool sandbox;
} para_processes;
#define PARA_PROCESSES_INIT                                                                      \
    {                                                                                            \
        sizeof(para_processes),                                                                  \
            {0, PARA_CRASH_FAILS, PARA_NULL_, 0, PARA_NULL_, PARA_NULL_, false, false}, 0, 0, 0, \
            0, 0, 0, false                                                                       \
    }

#endif
