/* A trace that para has written, read line by line. */
#ifndef PARA_CLI_TRACE_FILE_H
#define PARA_CLI_TRACE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What a thread does in a span of time. */
typedef enum para__doing {
    PARA__DOING_CALL,   /* runs a call alone */
    PARA__DOING_BATCH,  /* runs units of its own slice */
    PARA__DOING_STOLEN, /* or another's */
    PARA__DOING_TASK,
    PARA__DOING_SHARING, /* the rest of a shared call, and submitting tasks */
    PARA__DOING_WAITING, /* for others' units, tasks, locks */
    PARA__DOING_IDLE,    /* sleeps as a worker */
    PARA__DOINGS
} para__doing;

/* One line. Texts last until the next one is read. */
typedef struct para__trace_event {
    char phase; /* 'X': a span; 'i': an instant; 'C': a counter; 'M': what somebody is called */
    para__doing doing; /* of a span */
    bool is_call;      /* it is a call, alone or shared */
    unsigned width;    /* of a call; else 0 */
    int64_t pid, tid;
    uint64_t begin_ns, end_ns; /* both the same but for spans */
    const char *name;          /* of a thread's name: that */
    const char *why;           /* of a call; else "" */
    bool names_thread;
    bool has_queued; /* of a task: how long it was queued is known */
    uint64_t queued_ns;
    bool has_dropped; /* the last line: how many events were lost */
    uint64_t dropped;
} para__trace_event;

typedef struct para__trace_reader {
    FILE *stream;
    const char *path;
    char *line;
    uint64_t number; /* of the line */
    char name[128], why[128];
} para__trace_reader;

/* The next event. 1: there is one; 0: there is none; negative: it has been said why not. */
int para__trace_read(para__trace_reader *reader, para__trace_event *event);

#endif
