/* The workshop as its sources know it; and desks, one for each call in progress: its board, and
 * what only this process needs to know of it. */
#ifndef PARA_PROCESS_DESK_H
#define PARA_PROCESS_DESK_H

#include "plan/breaker.h"
#include "process/live.h"
#include "process/workshop.h"
#include "process/zygote.h"

#include <poll.h>
#include <pthread.h>

typedef struct para__arena {
    void *memory;
    size_t bytes;
    bool is_needed;     /* the desk's call has need of so much, */
    uint64_t needed_ns; /* and when the last one ended that had; of large ones only */
} para__arena;

/* What is known of a call's words: see audit.c. */
typedef enum para__trust {
    PARA__SOUND,
    PARA__SPOILT, /* a worker has written over them: all are to end */
    PARA__PURGED  /* they have ended, and the call is not on the board any more */
} para__trust;

struct para__desk {
    para__workshop *shop; /* set once */
    para__post post;      /* its board, and what is on it: the latter under the mutex */
    para__arena arenas[PARA__WORKSHOP_ARENAS]; /* whose desk it is */
    para__work_name work;                      /* likewise, while it is not open */
    /* Under the workshop's mutex: */
    bool is_taken;             /* by a call from beginning to end */
    bool is_open;              /* the call has a job on the board, */
    const char *failure;       /* why it has no workers, and gets none; NULL: it has not failed */
    para__trust trust;         /* in its words */
    uint64_t look_ns;          /* when these are looked at next, */
    unsigned rests;            /* and how often in a row there was nothing to do */
    para__board_policy policy; /* of the job, */
    size_t units;              /* that it has, */
    para__part dead;           /* what workers have done of it that died, */
    unsigned dead_workers;     /* how many of these have done something, */
    unsigned call_deaths;      /* and how many died */
    uintptr_t last_kernel;     /* of the last job, */
    para__run *last_run;       /* what it does with it, */
    size_t last_units;         /* its units, */
    uint64_t last_ns;          /* and how long workers have been at work on it, all together */
};

/* A worker as the supervisor knows it. */
typedef struct para__known {
    para__worker_life told;
    int life; /* descriptor, if it has a process */
    bool is_late;
    para__track *track;  /* where it tells of itself, or NULL */
    bool is_successor;   /* it takes a dead one's place: as far as the breaker lets it, */
    uint32_t period;     /* which was in that period */
    uint64_t born_ns;    /* when, */
    uint32_t beats_then; /* and the beats of those before it */
} para__known;

static inline bool para__known_lives(const para__known *w)
{
    return w->told.process != 0;
}

enum { PARA__LIVES = 2 }; /* descriptors that are polled before those of workers */

struct para__workshop {
    para__region *region;
    para__hall *hall;
    unsigned desks;
    para__desk *desk; /* [desks] */
    para__workshop_config config;
    para__living living; /* of its workers */
    unsigned fork_count;
    pthread_t supervisor;
    int call;                    /* descriptor: something is to be done */
    para__atomic_bool is_ending; /* told to the supervisor also while it holds the mutex: a value
                                    alone, and it is joined */
    pthread_mutex_t asking;      /* held by who awaits a worker's stack. Before the next */
    pthread_mutex_t mutex;       /* guards all that follows, and the boards; see board.h */
    pthread_cond_t vacated;      /* a desk is free */
    unsigned open;               /* desks that are */
    bool keeps;                  /* some have large arenas, for calls to come */
    int error;                   /* why a zygote could not be forked, */
    para__limit limit;           /* and what it is held to that the system does not grant */
    para__tracks *tracks;        /* that the zygote has seen */
    uint64_t loads;              /* libraries, when the zygote was forked */
    uint64_t mapped;             /* the latest file that was mapped then, */
    uint64_t wanted;             /* and the latest that a call wants */
    bool renews;                 /* a zygote that knows more is asked for, */
    pthread_cond_t renewed;      /* and is there */
    para__zygote zygote;
    uint64_t pause_until_ns; /* the system has refused a process: not before */
    unsigned refusals;       /* in a row */
    para__breaker breaker;
    uint64_t deaths;
    struct pollfd *polled; /* [PARA__LIVES + workers] */
    para__known worker[];
};

/* How many workers have a process. With the mutex. */
unsigned para__count_alive(const para__workshop *shop);

/* The supervisor's thread; of: the workshop. */
void *para__supervise(void *of);

/* Whether what is on its board can be; if not, says so. With the mutex. */
bool para__desk_doubts(para__desk *desk, bool is_sound);

/* Gives back large arenas that no call has needed for long. With the mutex. */
void para__desks_tidy(para__workshop *shop);

/* Something is to be done. */
void para__supervisor_call(para__workshop *shop);

#endif
