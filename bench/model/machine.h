/* A simulated machine that para's own sources run on.
 *
 * The engine is compiled once more with this file in front of each of its sources. It stands in for
 * base/atomic.h and base/clock.h: every atomic operation, pause and look at the clock of the real
 * caller.c, worker.c, calibrate.c and decide.c becomes an event of a discrete-event simulation. So
 * the model has no copy of the protocol that could differ from it. Threads are coroutines of one
 * thread; what is _Thread_local is kept apart for each.
 *
 * What is modelled, and where its parameters come from
 *
 *   lines     A line has sharers, one of which may own it modified. A load that misses, a store or
 *             read-modify-write of a line that others have: half of one word's way between two
 *             cores, by their distance, since a word's way is an invalidation and a load. The
 *             defaults are 20 ns within an L3, 100 across, 200 between sockets: rounded from
 *             the 23 and 107 ns of an EPYC 7R13 in the tables of nviennot/core-to-core-latency
 *             and from "Core to Core Latency Data on Large Systems" (chipsandcheese.com, 2023),
 *             both for a compare-and-swap that goes to and fro.
 *   queues    Transfers of a modified line follow each other; of a line in shared state one starts
 *             each 2 ns within an L3, each 10 ns beyond. That contention is linear: Ramos and
 *             Hoefler, "Modeling Communication in Cache-Coherent SMP Systems", HPDC 2013.
 *   overlap   Relaxed and seq_cst loads do not wait for each other, up to 8 misses; acquire loads,
 *             read-modify-writes, pauses and kernels wait for all. A core runs ahead of up to 8
 *             stores that miss; these become visible in order (x86).
 *   futexes   A wake-up takes wake_ns, and its waker wake_cost_ns if somebody sleeps, 200 ns if
 *             not.
 *   cores     Each thread has one to itself, with caches that keep all, and is off it only where a
 *             hog or a preemption says so; a hog's core changes hands each 3 ms, the base slice of
 *             Linux from 8 CPUs on.
 *   not       Plain loads and stores of what stands beside an atomic word (a job's first bytes, a
 *             tally: these travel with it), instructions other than those above (one constant a
 *             call, one a chunk), memory bandwidth, frequency, sibling hardware threads. */
#ifndef MODEL_MACHINE_H
#define MODEL_MACHINE_H

#include "base/atomic_types.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct model_machine {
    unsigned cores, domains, sockets;     /* cores in equal parts */
    unsigned nodes;                       /* likewise; 0: sockets are nodes */
    double near_ns, across_ns, socket_ns; /* one word's way: within a domain, a socket, beyond */
    double wake_ns, wake_cost_ns;
    double pause_ns, clock_ns, rmw_ns;
    unsigned hogs;   /* cores that are shared with one */
    unsigned slow;   /* the last cores, of a second kind */
    double slowness; /* units take so many times as long there */
    uint64_t seed;
} model_machine;

#define MACHINE_LARGE                                                                            \
    (model_machine)                                                                              \
    {                                                                                            \
        .cores = 256, .domains = 16, .sockets = 2, .near_ns = 20, .across_ns = 100,              \
        .socket_ns = 200, .wake_ns = 5000, .wake_cost_ns = 1500, .pause_ns = 40, .clock_ns = 10, \
        .rmw_ns = 5, .slowness = 2, .seed = 1                                                    \
    }

enum { MODEL_CORES_MAX = 512 };

/* Runs main(arg) as a thread on core 0 of that machine, until it returns. */
void model_simulate(const model_machine *m, void (*main)(void *), void *arg);

/* For what runs in it. */
double model_now(void);
void model_work(double ns); /* the calling thread is busy so long */
void model_start(unsigned core, void *(*run)(void *), void *arg);
void model_preempt(unsigned core, double ns); /* its threads do not run for so long from now on */
uint64_t model_random(uint64_t *state);
extern uint64_t model_events, model_transfers; /* of the simulation; lines that changed place */

void model_load(const volatile void *p, bool ordered);
void model_store(const volatile void *p);
void model_rmw(const volatile void *p);
void model_pause(void);
uint64_t model_ticks(void);

/* ---- In place of base/atomic.h and base/clock.h -------------------------------------------------
 * */
#define PARA_BASE_ATOMIC_H
#define PARA_BASE_CLOCK_H
#define PARA__LINE 128
#include "../../tests/model/untraced.h"

/* The engine's constants are variables here, which bench/model/tuning.c has and sets. Of variables
 * a compiler knows less: it would warn of comparisons with what has no sign. */
#pragma GCC diagnostic ignored "-Wsign-compare"
#define PARA__REAL(name, value)  extern double name;
#define PARA__COUNT(name, value) extern int name;

#define _Thread_local __attribute__((section("model_tls")))
#define tls_model(x) unused
#define PARA__INITIAL_EXEC

#define MODEL_LOAD(p, ordered) (model_load((p), (ordered)), atomic_load(&(p)->raw))
#define MODEL_STORE(p, v)      (model_store(p), atomic_store(&(p)->raw, (v)))
#define MODEL_SWAP(p, v)       (model_rmw(p), atomic_exchange(&(p)->raw, (v)))
#define MODEL_ADD(p, v)        (model_rmw(p), atomic_fetch_add(&(p)->raw, (v)))
#define MODEL_CAS(p, known, v) \
    (model_rmw(p), atomic_compare_exchange_strong(&(p)->raw, (known), (v)))
#define para__load_relaxed(p)             MODEL_LOAD(p, false)
#define para__tsan_acquire(p)             ((void)(p))
#define para__tsan_release(p)             ((void)(p))
#define para__load_acquire(e, p)          MODEL_LOAD(p, true)
#define para__load_seq_cst(e, p)          MODEL_LOAD(p, false)
#define para__store_relaxed(p, v)         MODEL_STORE(p, v)
#define para__store_release(e, p, v)      MODEL_STORE(p, v)
#define para__swap_relaxed(p, v)          MODEL_SWAP(p, v)
#define para__swap_acquire(e, p, v)       MODEL_SWAP(p, v)
#define para__swap_release(e, p, v)       MODEL_SWAP(p, v)
#define para__swap_seq_cst(e, p, v)       MODEL_SWAP(p, v)
#define para__add_relaxed(p, v)           MODEL_ADD(p, v)
#define para__add_seq_cst(e, p, v)        MODEL_ADD(p, v)
#define para__add_release(e, p, v)        MODEL_ADD(p, v)
#define para__cas_relaxed(p, known, v)    MODEL_CAS(p, known, v)
#define para__cas_acquire(e, p, known, v) MODEL_CAS(p, known, v)
#define para__cas_release(e, p, known, v) MODEL_CAS(p, known, v)
#define para__cas_seq_cst(e, p, known, v) MODEL_CAS(p, known, v)
#define para__pause()                     model_pause()
#define para__ticks()                     model_ticks()
#define para__now_ns()                    model_ticks()
#define para__ns_per_tick()               1.0
#define para__ns_to_ticks(ns)             ((uint64_t)(ns))

#endif
