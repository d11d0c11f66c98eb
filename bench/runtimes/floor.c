/* A yardstick rather than a runtime: what any two threads need that share a loop and know of each
 * other by cache lines alone. One word goes to a helper that spins and does nothing else, one comes
 * back; halves are fixed, and nobody claims, decides, sleeps, or may call from elsewhere. How long
 * that takes is the machine's affair, and what a runtime adds to it is its own. */
#include "runtime.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

static struct {
    _Alignas(128) _Atomic unsigned long published; /* calls so far; publishes what is beside it */
    size_t n;
    const bench_loop *loop;
    const void *ctx;
    _Alignas(128) _Atomic unsigned long done; /* the last call whose second half is finished */
} shared;

static void *help(void *unused)
{
    (void)unused;
    for (unsigned long seen = 0;;) {
        unsigned long published;
        while ((published = atomic_load_explicit(&shared.published, memory_order_acquire)) ==
               seen) {
        }
        seen = published;
        shared.loop->range(shared.ctx, shared.n / 2, shared.n);
        atomic_store_explicit(&shared.done, seen, memory_order_release);
    }
    return NULL;
}

static void start(unsigned threads)
{
    (void)threads;
    pthread_t helper;
    if (pthread_create(&helper, NULL, help, NULL) != 0)
        exit(1);
}

static void for_each(size_t n, const bench_loop *loop, const void *ctx)
{
    const unsigned long call =
        atomic_load_explicit(&shared.published, memory_order_relaxed) + 1; /* this thread's own */
    shared.n = n;
    shared.loop = loop;
    shared.ctx = ctx;
    atomic_store_explicit(&shared.published, call, memory_order_release);
    loop->range(ctx, 0, n / 2);
    while (atomic_load_explicit(&shared.done, memory_order_acquire) != call) {
    }
}

const bench_runtime bench_this_runtime = {
    .name = "floor", .can = BENCH_YARDSTICK, .start = start, .for_each = for_each};
