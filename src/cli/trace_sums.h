/* Where the time of a trace went: by thread, and by kernel. */
#ifndef PARA_CLI_TRACE_SUMS_H
#define PARA_CLI_TRACE_SUMS_H

#include "cli/trace_file.h"

/* A span that is over, and may lie within one that ends later. */
typedef struct para__closed {
    uint64_t begin_ns, end_ns;
} para__closed;

typedef struct para__traced_thread {
    int64_t pid, tid;
    char name[16];
    uint64_t first_ns, last_ns;     /* of its events */
    uint64_t self_ns[PARA__DOINGS]; /* without what lies within */
    para__closed *closed;           /* those that lie within none so far */
    size_t closed_count, closed_room;
} para__traced_thread;

typedef struct para__traced_why {
    char text[128];
    uint64_t count;
} para__traced_why;

typedef struct para__traced_name {
    char name[128];
    uint64_t calls, shared, batches, stolen, tasks;
    uint64_t self_ns, longest_ns; /* of a batch, task, or call that ran alone */
    para__traced_why why[4];      /* of its calls; the last one is of all others */
} para__traced_name;

typedef struct para__traced {
    para__traced_thread *thread;
    size_t threads, thread_room;
    size_t last_thread;      /* of the last event */
    para__traced_name *name; /* of kernels and tasks; once all is read, the longest first */
    size_t names, name_room;
    uint64_t *queued_ns; /* of tasks; once all is read, in order */
    size_t queued, queued_room;
    uint64_t first_ns, last_ns, events, dropped;
    bool is_closed; /* the file has its last line: the program was not killed */
} para__traced;

/* Told of each span, with what lies directly within it; may be NULL. */
typedef void para__span_fn(void *of, size_t thread, const para__trace_event *event,
                           const para__closed *within, size_t count);

/* Reads the whole file. 0, or the exit status after a message. */
int para__traced_read(para__traced *traced, FILE *stream, const char *path, para__span_fn *tell,
                      void *of);
void para__traced_free(para__traced *traced);

#endif
