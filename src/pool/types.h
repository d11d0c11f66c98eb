/* A pool: its workers and its lanes, in one block of memory that lives as long as it does. */
#ifndef PARA_POOL_TYPES_H
#define PARA_POOL_TYPES_H

#include "base/thread.h"
#include "executor/executor.h"
#include "plan/decide.h"
#include "pool/sites.h"
#include "share/lane.h"
#include "topology/topology.h"

#include <para/pool.h>
#include <pthread.h>

/* What a worker's thread has to itself. What it shares with callers is lanes.helper[index]. */
typedef struct para__worker {
    struct para_pool *pool;
    pthread_t thread;
    unsigned index;
    unsigned cpu_index;      /* in the machine: where it is placed */
    para_status bind_status; /* written by the thread before it is ready, */
    int init_error;          /* as what worker_init returned */
    uint64_t away_ns;        /* how long it sleeps while it is displaced; its thread's own */
} para__worker;

struct para_pool {
    /* Read by all, and hardly ever written once the pool is made. */
    const para__machine *machine;
    unsigned requested, workers;
    bool is_hybrid;  /* its cores are of several kinds */
    bool is_passive; /* threads that wait sleep at once */
    para_binding binding;
    bool unbinds; /* workers leave the mask that they inherit from the thread that makes them */
    para__stack stack;                              /* of each thread */
    int (*worker_init)(unsigned worker, void *arg); /* these as in para_pool_config */
    void (*worker_exit)(unsigned worker, void *arg);
    void *worker_arg;
    const para__executor *executor; /* who helps with its calls */
    para__costs costs;              /* as measured before the pool is anybody's; see followed */
    unsigned cpu_limit;             /* seat_of has so many entries */
    uint16_t *seat_of; /* [the system's number of a CPU]: the worker on the same core, else in the
                               same domain, else 0 */
    para__worker *worker; /* [workers] */
    para__lanes lanes;
    para__sites sites;

    /* What is followed of the costs while the pool runs, and what short calls would have gained
     * lately, had workers been awake, and when that was counted (ticks). Values on their own, for
     * plans only: they order nothing. */
    _Alignas(PARA__LINE) struct {
        _Atomic uint32_t round_trip_ns, wake_ns, share_ns, least_work_ns;
        _Atomic uint64_t forgone_ns, forgone_at;
    } followed;

    _Alignas(PARA__LINE) _Atomic uint32_t sleeping; /* workers that are parked: likewise */
    _Alignas(PARA__LINE) _Atomic uint32_t ready; /* [E4] workers that run, with what they wrote */
    _Atomic bool stopping;                       /* [E5] the workers are to end */
};

/* Whether the process was forked after the pool was made: then its threads are not there. */
static inline bool para__pool_is_forked(const para_pool *pool)
{
    return para__lanes_are_forked(&pool->lanes);
}

#endif
