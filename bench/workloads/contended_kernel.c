/* Elements that share one thing: a lock held for about 100 ns, or a heap with one lock, as a
 * library may have inside. Two threads that wait for each other take longer than one alone, so the
 * serial loop is the best there is, but for `mutex-rare`, where the lock is held for a tenth of an
 * element. Every runtime takes the same lock in the same kernel, as often as there are elements,
 * however it divides them. */
#include "workload.h"
#include <pthread.h>

/* Steps of bench_chain, about 1.6 ns each. */
enum { INSIDE_STEPS = 62, OUTSIDE_STEPS = 560 };

enum { BLOCKS = 4096, BLOCKS_EACH = 4 };

typedef struct block {
    struct block *next;
    uint64_t room[7];
} block;

typedef struct contended {
    pthread_spinlock_t spin;
    pthread_mutex_t mutex;
    uint64_t count; /* what the locks guard, and */
    block *free;
    size_t n; /* never changes */
    const bench_loop *loop;
    size_t inside, outside;
    uint32_t *out;
} contended;

/* Loops get their context const; what the lock guards changes. */
static contended *shared_part(const void *ctx)
{
    return (contended *)(uintptr_t)ctx;
}

static uint64_t run_inside(contended *c, size_t i)
{
    c->count++;
    return bench_chain(bench_after(i, bench_last), c->inside);
}

static void run_outside(const contended *c, size_t i, uint64_t found)
{
    c->out[i] = (uint32_t)found;
    bench_last = bench_chain(bench_after(i, found), c->outside);
}

BENCH_LOOP(contended_spin)
{
    contended *c = shared_part(ctx);
    for (size_t i = first; i < last; i++) {
        pthread_spin_lock(&c->spin);
        const uint64_t found = run_inside(c, i);
        pthread_spin_unlock(&c->spin);
        run_outside(c, i, found);
    }
}

static void run_mutex(contended *c, size_t first, size_t last)
{
    for (size_t i = first; i < last; i++) {
        pthread_mutex_lock(&c->mutex);
        const uint64_t found = run_inside(c, i);
        pthread_mutex_unlock(&c->mutex);
        run_outside(c, i, found);
    }
}

/* A loop for each kind: what para learns of one must not help or mislead it at another. */
BENCH_LOOP(contended_mutex)
{
    run_mutex(shared_part(ctx), first, last);
}

BENCH_LOOP(contended_rare)
{
    run_mutex(shared_part(ctx), first, last);
}

static block *take(contended *c)
{
    pthread_mutex_lock(&c->mutex);
    block *b = c->free;
    c->free = b->next;
    pthread_mutex_unlock(&c->mutex);
    return b;
}

static void give_back(contended *c, block *b)
{
    pthread_mutex_lock(&c->mutex);
    c->count++;
    b->next = c->free;
    c->free = b;
    pthread_mutex_unlock(&c->mutex);
}

BENCH_LOOP(contended_heap)
{
    contended *c = shared_part(ctx);
    for (size_t i = first; i < last; i++) {
        block *taken[BLOCKS_EACH];
        uint64_t sum = 0;
        for (size_t k = 0; k < BLOCKS_EACH; k++) {
            taken[k] = take(c);
            taken[k]->room[0] = i + k;
        }
        for (size_t k = 0; k < BLOCKS_EACH; k++) {
            sum += taken[k]->room[0];
            give_back(c, taken[k]);
        }
        c->out[i] = (uint32_t)sum;
    }
}

typedef enum kind { SPIN, MUTEX, RARE, HEAP } kind;

static void *setup(const bench_point *point, const bench_runtime *runtime)
{
    static const bench_loop *const loops[] = {
        [SPIN] = &contended_spin,
        [MUTEX] = &contended_mutex,
        [RARE] = &contended_rare,
        [HEAP] = &contended_heap,
    };
    (void)runtime;
    const kind k = (kind)point->parameter;
    contended *c = bench_alloc(sizeof *c);
    pthread_spin_init(&c->spin, PTHREAD_PROCESS_PRIVATE);
    /* In a process without threads, as the serial loop's is, glibc takes a private mutex without
     * atomic operations. One that processes may share costs the same everywhere. */
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&c->mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
    c->n = point->n;
    c->loop = loops[k];
    c->inside = INSIDE_STEPS;
    c->outside = k == RARE ? OUTSIDE_STEPS : 0;
    c->out = bench_alloc(c->n * sizeof *c->out);
    if (k == HEAP) {
        block *blocks = bench_alloc(BLOCKS * sizeof *blocks);
        for (size_t b = 0; b < BLOCKS; b++) {
            blocks[b].next = c->free;
            c->free = &blocks[b];
        }
    }
    return c;
}

static void run(void *ctx, const bench_runtime *runtime)
{
    contended *c = ctx;
    c->count = 0;
    runtime->for_each(c->n, c->loop, c);
}

/* What the lock guards is right only if it excludes, and is compared too. */
static double digest(const void *ctx)
{
    const contended *c = ctx;
    double total = (double)c->count;
    for (size_t i = 0; i < c->n; i++)
        total += (double)(i % 7 + 1) * c->out[i];
    return total;
}

static void finish(void *ctx)
{
    contended *c = ctx;
    pthread_spin_destroy(&c->spin);
    pthread_mutex_destroy(&c->mutex);
}

static const bench_point points[] = {
    {.name = "spin-1000", .n = 1000, .parameter = SPIN, .quick = true},
    {.name = "spin-10000", .n = 10000, .parameter = SPIN},
    {.name = "mutex-100", .n = 100, .parameter = MUTEX},
    {.name = "mutex-1000", .n = 1000, .parameter = MUTEX, .quick = true},
    {.name = "mutex-rare-1000", .n = 1000, .parameter = RARE, .quick = true},
    {.name = "heap-10000", .n = 10000, .parameter = HEAP},
    {0},
};

const bench_workload bench_contended = {
    .name = "contended-kernel",
    .title = "A lock of about 100 ns in each element, by elements; rare: of 1000 ns; a heap with "
             "one lock",
    .points = points,
    .setup = setup,
    .run = run,
    .digest = digest,
    .finish = finish,
};
