/* A pool: its workers and its lanes, in one block of memory that lives as long as it does.
 *
 * A pool may be used while its threads still start. Each worker has its seat from the beginning: a
 * place in every team, words to claim from, an event that is not parked. A call never waits for a
 * helper that does not come (lane.h), so a seat whose thread is not there yet is the seat of a slow
 * helper; its thread finds the call when it comes up. Only the number of workers may still change,
 * and only downwards: memory and teams that were planned before have room for fewer. */
#ifndef PARA_ENGINE_POOL_H
#define PARA_ENGINE_POOL_H

#include "base/process.h"
#include "base/thread.h"
#include "engine/calibrate.h"
#include "engine/lane.h"
#include "engine/sites.h"
#include "plan/decide.h"
#include "topology/topology.h"

#include <para/pool.h>
#include <pthread.h>

/* Calls that can be shared at once. A worker that spins looks at all of them in turn, a few ns
 * each. */
enum { PARA__LANES = 8 };

/* The most workers of a pool, and of a group that shares a copy of each notice. */
enum { PARA__WORKERS_MAX = 1024, PARA__GROUP_MAX = 16 };

typedef struct para__worker {
    struct para_pool *pool;
    pthread_t thread;
    unsigned index, group;   /* of this worker; of the group that it reads its notices with */
    unsigned cpu_index;      /* in the machine: where it is placed */
    unsigned kind;           /* of the core there, as in para_cpu_info */
    para_status bind_status; /* [E4] written by the thread before it is up, */
    int init_error;          /* like what worker_init returned */
    bool is_up;              /* worker_init has returned; its thread's own */
    uint64_t away_ns;        /* how long it sleeps while it is displaced; its thread's own */

    _Alignas(PARA__LINE) para__event event; /* where it parks */

    /* Callers that are none of the pool's threads and sit on this worker's core, so that the worker
     * has to stay out of their way; one more while it leaves the CPU to others (turn.h). A hint:
     * orders nothing; too high for a moment, it keeps the worker away until a later call. Counted
     * by such callers, and by the worker. */
    _Alignas(PARA__LINE) _Atomic uint32_t guests;

    /* [E8] 1 while somebody helps in this worker's name: its thread, or a caller that sits in its
     * place and waits. One at a time, since member.done has one writer and scratch one user. */
    _Alignas(PARA__LINE) _Atomic uint32_t acting;
    _Atomic uint64_t seen[PARA__LANES]; /* the last call looked at by whoever acts, or made by the
                                           worker; a generation each, that orders nothing */
} para__worker;

struct para_pool {
    /* Read by all, and hardly ever written once the pool is made. */
    const para__machine *machine;
    unsigned requested;  /* workers that have a seat */
    unsigned fit;        /* threads that there is room for */
    bool has_threads;    /* that of worker 0 was created */
    bool is_hybrid;      /* its cores are of several kinds */
    bool is_passive;     /* threads that wait sleep at once */
    unsigned fork_count; /* of the process that its threads are in */
    para_binding binding;
    bool unbinds; /* workers leave the mask that they inherit from the thread that makes them */
    para__stack stack;                              /* of each thread */
    int (*worker_init)(unsigned worker, void *arg); /* these as in para_pool_config */
    void (*worker_exit)(unsigned worker, void *arg);
    void *worker_arg;
    para__costs costs;        /* [E4] as measured, once the pool is ready; see para__pool_costs */
    unsigned started;         /* [E4] threads that were created; written by that of worker 0 */
    unsigned failed_worker;   /* [E4] whose worker_init failed, with start_status */
    para_status start_status; /* [E4] PARA_OK or PARA_ERR_WORKER_INIT */
    uint64_t portion_ticks; /* a portion of less is not asked what a unit costs: the clock shows */
    unsigned cpu_limit;     /* seat_of has so many entries */
    uint16_t *seat_of; /* [the system's number of a CPU]: the worker on the same core, else in the
                               same domain, else 0 */
    para__worker *worker;        /* [workers] */
    _Atomic uint64_t spin_ticks; /* how long who waits spins before it sleeps; 0 where threads share
                                    CPUs. A value on its own: orders nothing */
    _Atomic uint32_t lanes_used; /* [E5] lanes that were ever leased, at most: others are not looked
                                    at */
    _Atomic uint64_t kept_ticks; /* when it was first seen, or last looked at, that lanes hold large
                                    memory; 0: none does. A time on its own: orders nothing */
    para__lane lane[PARA__LANES];
    para__sites sites;

    /* What is followed of the costs while the pool runs, and what short calls would have gained
     * lately, had workers been awake, and when that was counted (ticks). Values on their own, for
     * plans only: they order nothing. */
    _Alignas(PARA__LINE) struct {
        _Atomic uint32_t round_trip_ns, wake_ns, share_ns, least_work_ns;
        _Atomic uint64_t forgone_ns, forgone_at;
    } followed;

    /* Workers that are parked, or whose threads are not up yet: likewise. */
    _Alignas(PARA__LINE) _Atomic uint32_t sleeping;

    /* Workers that a call may be divided among: as many as were asked for, fewer once threads could
     * not be created, 1 once a worker_init has failed. Written once at most after the pool is made,
     * by who makes it ready. A value on its own: orders nothing. */
    _Alignas(PARA__LINE) _Atomic uint32_t workers;
    _Atomic uint32_t starting; /* [E4] workers whose threads are neither up nor given up */
    _Atomic uint32_t ready;    /* [E4] 1 once none is starting and the costs are measured */
    _Atomic bool stopping;     /* [E5] the workers are to end */
};

/* How many workers a call may be divided among now. */
static inline unsigned para__pool_workers(const para_pool *pool)
{
    return para__load_relaxed(&pool->workers); /* see pool.h */
}

/* Whether all threads are up and the costs are measured. */
static inline bool para__pool_is_ready(const para_pool *pool)
{
    return para__load_acquire(E4, &pool->ready) != 0;
}

/* What sharing costs on this machine, as far as it was measured. */
static inline const para__costs *para__pool_costs(const para_pool *pool)
{
    return para__pool_is_ready(pool) ? &pool->costs : &para__costs_assumed;
}

/* Whether the process was forked after the pool was made: then its threads are not there. */
static inline bool para__pool_is_forked(const para_pool *pool)
{
    return pool->fork_count != para__fork_count();
}

/* [E6] The default pool, once it is made. Written by default_pool.c alone. */
extern _Atomic(para_pool *) para__default_pool;

/* Makes it, unless it is there. *pool is untouched on failure. Errors: those of
 * para_pool_create. */
para_status para__default_pool_make(para_pool **pool);

/* The default pool if pool is NULL; NULL if that is not there yet. */
static inline para_pool *para__pool_if_made(para_pool *pool)
{
    return pool ? pool : para__load_acquire(E6, &para__default_pool);
}

/* The default pool if pool is NULL, with the errors of para_pool_create. */
static inline para_status para__pool_resolve(para_pool **pool)
{
    if (*pool)
        return PARA_OK;
    *pool = para__pool_if_made(NULL);
    return *pool && !para__pool_is_forked(*pool) ? PARA_OK : para__default_pool_make(pool);
}

/* Likewise, and waits until the pool is ready, if it can: not for a parent's, nor in
 * worker_init. */
para_status para__pool_resolve_ready(para_pool **pool);

/* The seat that the calling thread takes in a call: its own if it is a worker of the pool, else
 * that of the worker on its CPU, else 0. */
unsigned para__pool_seat(const para_pool *pool);

/* Whether the calling thread is one of the pool's. */
bool para__pool_is_worker(const para_pool *pool);

/* How many helpers the calling thread has that need not be woken, as far as one can tell. */
unsigned para__pool_awake(const para_pool *pool);

/* Wakes a worker that is parked, unless a caller is in its place. */
static inline void para__worker_wake(para__worker *worker)
{
    if (para__event_is_parked(&worker->event) &&
        !para__load_relaxed(&worker->guests)) /* a hint: orders nothing */
        para__event_wake(&worker->event);
}

/* What making a pool needs of the loader: before a lock of para's is taken, see base/guard.h. Later
 * calls need nothing of it. Errors: those of para__machine_get. */
para_status para__pool_prepare(const para__machine **machine);

/* Has the pool's threads started: creates that of worker 0, which creates the others. */
void para__workers_start(para_pool *pool);

/* Creates the thread of one worker; 0, or the error number of pthread_create. */
int para__worker_start(para__worker *worker);

/* Waits until the pool is ready; false if the deadline came first (para__now_ns; UINT64_MAX:
 * none). */
bool para__workers_await(para_pool *pool, uint64_t deadline_ns);

/* Whether the calling thread runs worker_init for this pool. */
bool para__pool_is_in_init(const para_pool *pool);

/* Ends the threads, also while they start. */
void para__workers_stop(para_pool *pool);

/* Wakes so many of those who sleep, for calls that are expected to come. */
void para__workers_wake(para_pool *pool, unsigned count);

#endif
