/* Several threads call one runtime at once, each a loop of its own of about 16 us, over and over:
 * the time of a run by the number of calls in it. */
#include "workload.h"
#include <pthread.h>
#include <stdlib.h>

enum { CALLERS_MAX = 8, CALLS = 128 };

typedef struct callers callers;

typedef struct caller {
    callers *all;
    size_t n, steps;
    uint32_t *out;
    pthread_t thread;
} caller;

struct callers {
    unsigned count;
    bool stop;
    const bench_runtime *runtime;
    pthread_barrier_t begin, end; /* of a run; they publish runtime and stop, and the results */
    caller caller[CALLERS_MAX];
};

BENCH_LOOP(callers_loop)
{
    const caller *c = ctx;
    uint64_t previous = bench_last;
    for (size_t i = first; i < last; i++) {
        previous = bench_chain(bench_after(i, previous), c->steps);
        c->out[i] = (uint32_t)previous;
    }
    bench_last = previous;
}

static void call(const caller *c)
{
    for (unsigned k = 0; k < CALLS; k++)
        c->all->runtime->for_each(c->n, &callers_loop, c);
}

static void *stay(void *arg)
{
    caller *c = arg;
    for (;;) {
        pthread_barrier_wait(&c->all->begin);
        if (c->all->stop)
            return NULL;
        call(c);
        pthread_barrier_wait(&c->all->end);
    }
}

static void *setup(const bench_point *point, const bench_runtime *runtime)
{
    callers *all = bench_alloc(sizeof *all);
    all->count = (unsigned)point->parameter;
    all->runtime = runtime;
    pthread_barrier_init(&all->begin, NULL, all->count);
    pthread_barrier_init(&all->end, NULL, all->count);
    for (unsigned k = 0; k < all->count; k++) {
        all->caller[k].all = all;
        all->caller[k].n = point->n;
        all->caller[k].steps = 1;
        all->caller[k].out = bench_alloc(point->n * sizeof(uint32_t));
        if (k > 0 && pthread_create(&all->caller[k].thread, NULL, stay, &all->caller[k]))
            exit(1);
    }
    return all;
}

static void run(void *ctx, const bench_runtime *runtime)
{
    callers *all = ctx;
    all->runtime = runtime;
    pthread_barrier_wait(&all->begin);
    call(&all->caller[0]);
    pthread_barrier_wait(&all->end);
}

static double digest(const void *ctx)
{
    const callers *all = ctx;
    double total = 0;
    for (unsigned k = 0; k < all->count; k++)
        for (size_t i = 0; i < all->caller[k].n; i++)
            total += (double)(i % 7 + 1) * all->caller[k].out[i];
    return total;
}

static void finish(void *ctx)
{
    callers *all = ctx;
    all->stop = true;
    pthread_barrier_wait(&all->begin);
    for (unsigned k = 1; k < all->count; k++)
        pthread_join(all->caller[k].thread, NULL);
    pthread_barrier_destroy(&all->begin);
    pthread_barrier_destroy(&all->end);
}

#define AT(count, ...)                                                                       \
    {                                                                                        \
        .name = #count, .n = 5000, .parameter = (count), .calls = (count)*CALLS, __VA_ARGS__ \
    }
static const bench_point points[] = {
    AT(1, .quick = true), AT(2, .quick = false), AT(4, .quick = true), AT(8, .quick = false), {0},
};

const bench_workload bench_callers = {
    .name = "callers",
    .title = "Threads that call at once, each a loop of about 16 us",
    .needs = BENCH_CONCURRENT,
    .points = points,
    .setup = setup,
    .run = run,
    .digest = digest,
    .finish = finish,
};
