/* A pool's worker processes, with all that belongs to them: the shared memory, the zygote, and a
 * thread of this process, the supervisor, which has them forked, notices their ends at once, and
 * settles what they had claimed. A call has a desk, and there are more of these than workers. */
#ifndef PARA_PROCESS_WORKSHOP_H
#define PARA_PROCESS_WORKSHOP_H

#include "base/thread.h"
#include "process/board.h"
#include "process/region.h"

#include <para/process.h>
#include <para/status.h>

typedef struct para__workshop para__workshop;
typedef struct para__desk para__desk;

typedef struct para__workshop_config {
    unsigned workers;
    para_processes processes;
    para__stack stack; /* of the supervisor, and so of zygote and workers */
    /* Run in each worker process when it begins: binds it, and tells the kind of its core. */
    para_status (*enter)(void *of, unsigned worker, unsigned *kind);
    void *of;
} para__workshop_config;

/* Makes one, with its zygote; workers come while the caller goes on. Errors: PARA_ERR_MEMORY,
 * _THREAD, _UNSUPPORTED. */
para_status para__workshop_make(para__workshop **made, const para__workshop_config *config);

/* Ends all processes, and releases the memory. No call is in progress. In a child of fork() it
 * forgets what is the parent's. */
void para__workshop_end(para__workshop *shop);

para__region *para__workshop_region(const para__workshop *shop);

/* What calls do about deaths if they do not say. */
const para_survival *para__workshop_survival(const para__workshop *shop);

/* ---- Calls ------------------------------------------------------------------------------ */

/* Begins a call: waits until a desk is free, and takes it. */
para__desk *para__workshop_enter(para__workshop *shop);
void para__desk_leave(para__desk *desk);

/* Within a call, in shared memory: at least that many bytes, aligned to a page, contents undefined,
 * until the call ends or this is called with that number again; NULL if there is none. */
enum { PARA__WORKSHOP_ARENAS = 4 };
void *para__desk_arena(para__desk *desk, unsigned number, size_t bytes);

/* Whether workers see that memory, or will when the next call begins: mapped files. */
bool para__workshop_sees(para__workshop *shop, const void *memory, size_t bytes);

/* The token that kernels of the call look at. */
const para_cancel *para__desk_token(para__desk *desk);

/* What a call is, for those who ask what a worker is at. */
typedef struct para__work_name {
    bool is_task;
    uintptr_t function;
    uint64_t id; /* the task's, or the call's site */
} para__work_name;
void para__desk_name(para__desk *desk, const para__work_name *work);

/* Runs all units of a job on the workers below width. cancel: NULL, or a token that is passed on
 * while the call runs. Kernels are the caller's functions: if libraries were loaded since the
 * zygote was forked, it is forked anew. PARA_OK if each ticket is done or given up;
 * PARA_ERR_WORKER_DIED if there are no workers and none can be had. */
para_status para__desk_run(para__desk *desk, const para__job *job, unsigned width,
                           const para__board_policy *policy, const para_cancel *cancel,
                           para__outcome *outcome);

/* After that: the next range of units that was given up, beginning the search at *index, which is
 * 0 at first. False: there is none. */
typedef struct para__lost {
    size_t first, count; /* units */
    unsigned attempts;
    para_death death;
    int number;
} para__lost;
bool para__desk_next_lost(const para__desk *desk, unsigned *index, para__lost *lost);

/* ---- Health ------------------------------------------------------------------------------ */

typedef struct para__worker_life {
    int process;       /* 0: it has none */
    para_status bound; /* whether it is bound as asked; not if it has no process */
    unsigned deaths;
    para_death death; /* the last one */
    int number;
    unsigned births;      /* processes that it has had */
    uint32_t beats;       /* chunks and tasks that these have finished; goes round */
    uint64_t since_ticks; /* when it began what it is at, by its own clock; 0: nothing */
    uint64_t busy_ns;     /* for so long now */
    para__work_name work; /* what that is */
} para__worker_life;
para__worker_life para__workshop_life(para__workshop *shop, unsigned worker);

/* The stack of that worker, if it is still that process; false: it does not answer. */
bool para__workshop_stack(para__workshop *shop, unsigned worker, int process, void **frames,
                          unsigned most, unsigned *count);

/* How many workers live, and how many have died. */
unsigned para__workshop_alive(para__workshop *shop, uint64_t *deaths);

#endif
