/* A pool: its workers and its lanes, in one block of memory that lives as long as it does.
 *
 * A pool may be used while its threads still start. Each worker has its place from the beginning:
 * its part in every team, words to claim from, an event that is not parked. A call never waits for
 * a helper that does not come (lane.h). So a place without a thread is one of a slow helper, and
 * its thread finds the call when it comes up. Only the number of workers changes: when the pool is
 * ready, and by para_pool_resize. Memory and teams that were planned before have their own
 * width. */
#ifndef PARA_POOL_TYPES_H
#define PARA_POOL_TYPES_H

#include "base/thread.h"
#include "executor/executor.h"
#include "plan/decide.h"
#include "plan/size.h"
#include "process/workshop.h"
#include "pool/sites.h"
#include "pool/yield.h"
#include "share/lane.h"
#include "sync/latch.h"
#include "task/letters.h"
#include "task/names.h"
#include "topology/places.h"

#include <para/pool.h>
#include <pthread.h>

/* A worker whose pin is given up: see binding.h. */
typedef struct para__loosening {
    bool is_loose;           /* its thread's own, like the next two */
    uint64_t calm_ns;        /* how long it has to be undisturbed; 0: it was never loose */
    para__usage since;       /* what its thread had used when it was last disturbed; at_ns: then,
                                or later, if the system was asked meanwhile */
    para__atomic_bool shown; /* is_loose, for those who ask: orders nothing */
} para__loosening;

/* What a worker's thread has to itself. What it shares with callers is lanes.helper[index]. */
typedef struct para__worker {
    struct para_pool *pool;
    pthread_t thread;
    unsigned index;
    unsigned cpu_index;           /* in the machine: where it is placed */
    unsigned place;               /* if the pool has places: the one that has that CPU */
    int init_error;               /* [E4] what worker_init returned, before the thread is up */
    para__atomic_int bind_status; /* a value on its own: another thread may take this one's place */
    bool is_up;                   /* worker_init has returned; its thread's own */
    para__atomic_int tid;         /* its thread's number for the system; a value on its own */
    uint64_t seen;                /* of tasks from outside, when it last looked; its thread's own */
    bool looks_out;   /* for tasks: it is counted; its thread's own. See task/lookout.h */
    unsigned wakes;   /* on its CPU; its thread's own */
    uint64_t away_ns; /* how long it sleeps while it is displaced; its thread's own */
    para__atomic_u64 busy_ticks; /* spent on work, in a pool that adapts; a value on its own */
    para__yield yield;           /* its thread's own */
    para__loosening loosening;   /* likewise, but for what it shows */
} para__worker;

/* A lane of a pool whose threads are lent: what a thread that comes to help is given. The lessee
 * writes its own line while helpers read theirs. In one line each write would wait, and the call's
 * publication behind it. */
typedef struct para__lent {
    _Alignas(PARA__LINE) para__atomic_u64
        epoch;              /* of the call that helpers come for; 0: none. A hint, like the next */
    para__atomic_u32 seats; /* where its team begins, and in the low 16 bits how wide it is */
    struct para_pool *pool;
    para__lane *lane;
    /* The lessee's: */
    _Alignas(PARA__LINE) const para__job *job;
    const para__plan *plan;
    para__outcome *outcome;
    uint64_t ping_limit; /* ticks; 0: it is no ping */
    uint64_t pinged;     /* what that took; UINT64_MAX: nobody came */
    bool is_begun;       /* the caller has taken its part */
} para__lent;

/* What a pool still accepts. It only rises, until a child restarts the pool. */
typedef enum para__intake {
    PARA__INTAKE_OPEN,     /* everything */
    PARA__INTAKE_DRAINING, /* what its own tasks and shared kernels submit and call */
    PARA__INTAKE_DROPPING, /* of those the calls only; what is queued is dropped */
    PARA__INTAKE_ENDED     /* likewise; its threads end, and then its memory */
} para__intake;

struct para_pool {
    /* Read by all, and hardly ever written once the pool is made. */
    const para__machine *machine;
    unsigned requested;             /* workers that have a place */
    unsigned usual;                 /* of which calls have so many, unless more are found to be
                                       faster; UINT_MAX: all. See para__pool_usual */
    unsigned fit;                   /* threads that there is room for */
    bool has_threads;               /* that of worker 0 was created */
    bool is_novice;                 /* it has no workers, and knows no machine: see novice.h */
    bool is_hybrid;                 /* its cores are of several kinds */
    bool has_domains;               /* its workers are bound, in several domains */
    bool shares_cores;              /* nobody has said how many workers there are, and cores have
                                       several: each is bound to its core */
    bool is_passive;                /* threads that wait sleep at once */
    bool adapts;                    /* its size follows its load, */
    unsigned least_size, most_size; /* between these */
    para_binding binding;
    para__places *places; /* with PARA_BIND_PLACES; the pool's own */
    bool places_memory;   /* nobody has turned binding off */
    bool gives_up_pins;   /* nobody has asked for them */
    bool tells_lack;      /* the default pool of PARA_NUM_WORKERS workers: if there are fewer */
    bool unbinds; /* workers leave the mask that they inherit from the thread that makes them */
    para__stack stack;                              /* of each thread */
    int (*worker_init)(unsigned worker, void *arg); /* these as in para_pool_config */
    void (*worker_exit)(unsigned worker, void *arg);
    void *worker_arg;
    PARA__ATOMIC_OF(struct para__crew *) crew; /* [E20] who runs tasks; NULL before the first */
    unsigned task_capacity;                    /* of its ingress */
    bool takes_turns;                          /* between submitters; likewise */
    para__letters letters;                     /* who gets what is not done */
    para__names names;                         /* what its requests may call */
    unsigned watchdogs;                        /* how many look at it; under `life` */
    para__atomic_uptr watches;      /* the first of those who watch its signals: see watch.c */
    para__latch life;               /* [E10] under it the crew is made, `intake` rises */
    para__atomic_u32 intake;        /* [E21] a para__intake; see inside.h */
    const para__executor *executor; /* who helps with its calls */
    para__workshop *shop;           /* of one whose workers are processes; else NULL */
    para_lender lender;             /* of a pool whose threads are lent, */
    unsigned lent_most;             /* of which a call has at most so many */
    para__costs costs;        /* [E4] measured, once the pool is ready; see para__pool_costs */
    unsigned started;         /* [E4] threads that were created; written by that of worker 0 */
    unsigned failed_worker;   /* [E4] its worker_init failed, with start_status */
    para_status start_status; /* [E4] PARA_OK or PARA_ERR_WORKER_INIT */
    unsigned cpu_limit;       /* worker_of_cpu has so many entries */
    uint16_t *worker_of_cpu;  /* [the system's number of a CPU]: the worker on the same core, else
                                 in the same domain, else 0 */
    para__worker *worker;     /* [workers] */
    para__lanes lanes;
    para__lent lent[PARA__LANES];
    para__sites sites;

    /* Costs that are followed while the pool runs; and what short calls would have gained lately if
     * workers had been awake, with the time at which that was counted (ticks). Each is a value on
     * its own, used for plans only: they order nothing. */
    _Alignas(PARA__LINE) struct {
        para__atomic_u32 round_trip_ns, wake_ns, share_ns, least_work_ns;
        para__atomic_u64 forgone_ns, forgone_at;
    } followed;

    /* The number of workers that a call may be divided among: as many as were asked for; fewer if
     * threads could not be created; 1 if a worker_init has failed. Written by the thread that makes
     * the pool ready, then under `sizing`. A value on its own: orders nothing. */
    _Alignas(PARA__LINE) para__atomic_u32 workers;
    /* How fast cores of a kind are, the fastest being 65536; 0: not known. Followed, and likewise
     * values on their own. */
    para__atomic_u32 speed[PARA__KINDS_MOST];
    para__atomic_u32 starting;  /* [E4] workers whose threads are neither up nor given up */
    para__atomic_u32 ready;     /* [E4] 1 once none is starting and the costs are measured */
    para__atomic_bool stopping; /* [E5] the workers are to end */
    unsigned up;                /* [E4] what `workers` was when the pool came to be ready */
    pthread_mutex_t sizing;     /* who changes `workers`, and what follows */
    pthread_cond_t grown;       /* workers that are left out wait for it, or for the end */
    para__size size;            /* of a pool that adapts */
    uint64_t arrived;           /* tasks, when somebody last looked at its load */
    unsigned queued;            /* likewise, and not taken yet */
    uint64_t busy_ticks;        /* likewise, of all workers */
    para__atomic_u64 looked_at; /* when that was; ticks. A value on its own: orders nothing */
};

/* How many workers a call may be divided among now. */
static inline unsigned para__pool_workers(const para_pool *pool)
{
    return para__load_relaxed(&pool->workers); /* see above */
}

/* And among how many unless its site has found that more are faster (tuner.h): one for each core,
 * if nobody has said how many workers there are. The others are on further hardware threads. */
static inline unsigned para__pool_usual(const para_pool *pool)
{
    const unsigned workers = para__pool_workers(pool);
    return pool->usual < workers ? pool->usual : workers;
}

/* What its calls are decided by now. */
static inline para__costs para__costs_now(const para_pool *pool)
{
    return pool->executor->costs(pool);
}

/* Whether all threads are up and the costs are measured. */
static inline bool para__pool_is_ready(const para_pool *pool)
{
    return para__load_acquire(E4, &pool->ready) != 0;
}

/* Whether the process was forked after the pool was made: then its threads are not there. */
static inline bool para__pool_is_forked(const para_pool *pool)
{
    return para__lanes_are_forked(&pool->lanes);
}

#endif
