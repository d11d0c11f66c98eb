/* What is told of what the engine does: kinds of events, and what each says. */
#ifndef PARA_BASE_EVENTS_H
#define PARA_BASE_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

/* What an event is. Behind each stand its words; those that are not named are 0. All have a begin
 * and an end, and an instant has both at once. */
typedef enum para__event_kind {
    PARA__EVENT_BEGUN,   /* instant: a call or a task begins, which may never end. detail: a call's
                            form. function: the kernel, or the task's. a: elements of a call; 0: a
                            task */
    PARA__EVENT_CALL,    /* a call has ended. detail: para_why, and the form << 8. function: the
                            kernel. id: site. a: elements. b: width, and participants << 16 */
    PARA__EVENT_BATCH,   /* a claim, and the run of what it took. detail: 1 if it was stolen.
                            function: the kernel. a: first unit. b: units. c: the slice's worker */
    PARA__EVENT_JOIN,    /* a caller waits for what others have claimed. function: the kernel */
    PARA__EVENT_PARK,    /* a worker sleeps. detail: 1 if it is displaced */
    PARA__EVENT_WAKE,    /* instant: this thread wakes another */
    PARA__EVENT_BUSY,    /* instant: no lane was free for a call. function: the kernel */
    PARA__EVENT_QUEUED,  /* a task is submitted. function, id: its own. a: flow */
    PARA__EVENT_TASK,    /* it runs. detail: the state. function, id: its own. a: flow. b: since
                            when it was queued, ticks */
    PARA__EVENT_DROPPED, /* instant: a task ended without having run. Likewise */
    PARA__EVENT_CONTEXT, /* instant: the task that has just begun is a part of that. detail: flags.
                            id: its own. a, b: trace id. c: span id */
    PARA__EVENT_AWAIT,   /* a thread sleeps until tasks are over */
    PARA__EVENT_LOCK,    /* a thread waits in the line of a lock */
    PARA__EVENT_UP,      /* instant: a worker starts. detail: 1: in the place of one that died */
    PARA__EVENT_DOWN,    /* instant: it ends */
    PARA__EVENT_DIED, /* instant: a worker process has died. detail: para_death. id: its signal or
                            exit status */
    PARA__EVENT_KINDS
} para__event_kind;

/* What a call is, to profilers that tell calls apart. */
typedef enum para__form {
    PARA__FORM_MAP,
    PARA__FORM_REDUCE,
    PARA__FORM_SCAN,
    PARA__FORMS
} para__form;

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
