/* What is told of what the engine does: kinds of events, and what each says. */
#ifndef PARA_BASE_EVENTS_H
#define PARA_BASE_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

/* What an event is; and what its words mean. "-" means 0. */
typedef enum para__event_kind {
    /*                      detail         function   id         a           b           c      */
    PARA__EVENT_CALL,   /* para_why       kernel     site       elements    team: width |
                            participants << 16 */
    PARA__EVENT_BATCH,  /* 1: stolen      kernel     -          first unit  units       slice's
                            worker: a claim and the run of what it took */
    PARA__EVENT_JOIN,   /* -              kernel: a caller waits for what others have claimed */
    PARA__EVENT_PARK,   /* 1: displaced:  a worker sleeps */
    PARA__EVENT_WAKE,   /* -: instant: a sleeping thread is woken by this one */
    PARA__EVENT_BUSY,   /* -              kernel: instant: no lane was free for a call */
    PARA__EVENT_QUEUED, /* -              function   id         flow: instant: a task is submitted */
    PARA__EVENT_TASK,   /* the state      function   id         flow        queued      -: it ran;
                            queued: since when, ticks */
    PARA__EVENT_DROPPED, /* the state      function   id: instant: a task ended without having run */
    PARA__EVENT_AWAIT,   /* -: a thread sleeps until tasks are over */
    PARA__EVENT_LOCK,    /* -: a thread waits in the line of a lock */
    PARA__EVENT_UP,      /* -: instant: a worker starts */
    PARA__EVENT_DOWN,    /* -: instant: it ends */
    PARA__EVENT_KINDS
} para__event_kind;

/* When something began, and how long its thread had been busy until then. */
typedef struct para__mark {
    uint64_t ticks; /* 0: nobody looked */
    uint64_t busy;
} para__mark;

/* What is told of it. */
typedef struct para__told {
    para__event_kind kind;
    unsigned detail;
    uintptr_t function;
    uint64_t id, a, b, c;
    unsigned chunks; /* kernel calls in it; only counted */
    bool is_busy;    /* its time is spent on the program's work */
} para__told;

#endif
