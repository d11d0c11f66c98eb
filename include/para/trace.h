/* Traces: what a program's calls, workers and tasks did, and when, in a file that Perfetto
 * (https://ui.perfetto.dev) and Chrome (chrome://tracing) open, and `para trace` summarises.
 *
 *     para_must(para_trace_start("run.json"));
 *     ...
 *     para_must(para_trace_stop());
 *
 * PARA_TRACE=run.json in the environment does the same from the program's start to its end. While
 * no trace is taken, an event costs one load.
 *
 * The file is an array of JSON objects, one a line. Times are in microseconds since the start; each
 * thread is a track. Of a program that was killed the file ends with the events of its last
 * hundredth of a second missing, and without the closing bracket, which both readers accept. */
#ifndef PARA_TRACE_H
#define PARA_TRACE_H

#include <para/must.h>
#include <para/status.h>

#include <stddef.h>
#include <stdint.h>

/* How a trace is, or was. */
typedef struct para_trace_info {
    size_t size;      /* set to sizeof(para_trace_info) by the caller */
    int is_on;        /* 1 while one is taken, else 0 */
    unsigned threads; /* that have told something since the process began */
    uint64_t events;  /* written so far by the present trace, or by the last one */
    uint64_t dropped; /* events of it that were lost: a thread told of more than 4095 between two
                          looks of the writer, or more than 1088 threads told anything */
} para_trace_info;

#ifdef __cplusplus
extern "C" {
#endif

/* Begins to write a trace into the file, which is made, or emptied; a %p in path becomes the number
 * of the process. A thread of para's own writes it, some hundred times a second. A child of fork()
 * takes no part; it may start a trace of its own. Memory is 262 KiB for each thread that tells
 * anything; it is kept for the next trace. Any thread.
 * Errors: PARA_ERR_ARGUMENT (path NULL or empty), _BUSY (a trace is being taken, perhaps
 * for PARA_TRACE), _FILE (it cannot be opened, or is a pipe, or its disk is full), _MEMORY,
 * _THREAD. */
PARA_NODISCARD_ PARA_API para_status para_trace_start(const char *path);

/* Ends it: when this returns the file is complete and closed. What happens at the same time may be
 * in it or not. Any thread. Errors: PARA_ERR_ARGUMENT (none is being taken), PARA_ERR_FILE (it
 * could not be written; the detail says why. What is there are whole lines, from its begin). */
PARA_NODISCARD_ PARA_API para_status para_trace_stop(void);

/* Fills *info. Any thread. Errors: PARA_ERR_ARGUMENT (info NULL, or its size). */
PARA_NODISCARD_ PARA_API para_status para_trace_get(para_trace_info *info);

#ifdef __cplusplus
}
#endif
#endif
