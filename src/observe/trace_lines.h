/* The lines of a trace: events as JSON objects, in a file. */
#ifndef PARA_OBSERVE_TRACE_LINES_H
#define PARA_OBSERVE_TRACE_LINES_H

#include "base/trace.h"
#include "observe/names.h"

#include <stddef.h>
#include <sys/types.h>

typedef struct para__trace_lines {
    int fd;
    int error;      /* of the first write that failed; 0: none has. After it nothing is written */
    uint64_t whole; /* bytes of the file, up to a line's end */
    uint64_t begun; /* ticks: times count from here */
    double ns_per_tick;
    uint64_t events; /* that were written */
    size_t used;     /* of text */
    char text[1 << 16];
    para__names_kept names;
} para__trace_lines;

/* Begins a file; and writes what has gathered. */
void para__lines_begin(para__trace_lines *lines, int fd);
void para__lines_flush(para__trace_lines *lines);

/* A thread has a track; the number is its place among others. */
void para__lines_thread(para__trace_lines *lines, pid_t pid, pid_t tid, const char *name,
                        unsigned number);

/* An event of that thread, as its ring had it. */
void para__lines_event(para__trace_lines *lines, pid_t pid, pid_t tid,
                       const uint64_t word[PARA__RING_WORDS]);

/* A value of the process, which had it from then on. */
void para__lines_counter(para__trace_lines *lines, uint64_t ticks, const char *name,
                         const char *unit, uint64_t thousandths);

/* The last line: closes the array. */
void para__lines_end(para__trace_lines *lines, uint64_t dropped);

#endif
