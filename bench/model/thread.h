/* What machine.c and lines.c share: a thread, and how it waits. */
#ifndef MODEL_THREAD_H
#define MODEL_THREAD_H

#include "machine.h"

#include <ucontext.h>

enum {
    THREADS_MAX = MODEL_CORES_MAX + 1,
    AHEAD = 8, /* misses in flight */
    TLS_BYTES = 512
};

typedef struct thread {
    ucontext_t context;
    char *stack;
    void *(*run)(void *);
    void *arg;
    unsigned core;
    double now;
    uint64_t event;    /* the one that it waits for; others with its number are stale */
    bool missed;       /* since its last pause */
    double dozes_from; /* it polls lines that it has, since then; 0: it does not */
    double paused_at;  /* last, and how long a round of polling takes */
    double round;
    double load[AHEAD], store[AHEAD]; /* when misses in flight end */
    unsigned loads, stores;
    double stored;              /* when all of them are visible */
    double off_from, off_until; /* preempted */
    const void *sleeps_on;
    char tls[TLS_BYTES];
} thread;

extern model_machine model_spec;
extern thread *model_threads; /* [THREADS_MAX] */
extern thread *model_self;

/* Has the thread go on then. */
void model_schedule(thread *t, double at);
/* Lets all that happens before the calling thread's time happen. */
void model_catch_up(void);
/* Waits for loads in flight. */
void model_settle(void);
void model_forget_lines(void);

static inline unsigned model_part_of(unsigned core, unsigned parts)
{
    return core * parts / model_spec.cores;
}

#endif
