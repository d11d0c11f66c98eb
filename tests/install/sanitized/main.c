/* A program built with a sanitizer, linked with a para that is not. It covers everything by which
 * data pass from thread to thread. The data are plain, so the sanitizer reports a race unless it is
 * told what para orders. */
#include <para/para.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { N = 200000, UNITS = 64, WORKERS = 4 };

static const para_options shared = {.executor = PARA_EXECUTOR_THREADS};
static const para_options by_one = {.executor = PARA_EXECUTOR_THREADS, .chunk = 1};

#define CHECK(true_)                                                                           \
    ((true_) ? (void)0                                                                         \
             : (fprintf(stderr, "line %d: %s (%s)\n", __LINE__, #true_, para_status_detail()), \
                exit(1)))

/* ---- Arrays and results ---- */

PARA_MAP_KERNEL(square, double, double, v, (v * v))
PARA_REDUCE_KERNEL(sum, double, s, double, v, s += v)
PARA_COMBINE(add, double, s, t, s += t)

static void *square_and_add(void *pool)
{
    double *x = malloc(N * sizeof *x);
    double *y = malloc(N * sizeof *y);
    CHECK(x && y);
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < N; i++)
            x[i] = i % 10 + round;
        const para_options options = round % 2 ? shared : (para_options){0};
        CHECK(!para_pmap(pool, &(para_map){.kernel = square,
                                           .count = N,
                                           .in = {PARA_IN(x)},
                                           .out = {PARA_OUT(y)},
                                           .options = options}));
        double expected = 0;
        for (int i = 0; i < N; i++)
            expected += y[i];
        double total = 0;
        CHECK(!para_preduce(pool, &(para_reduce){.kernel = sum,
                                                 .combine = add,
                                                 .count = N,
                                                 .in = {PARA_IN(y)},
                                                 .result = &total,
                                                 .result_bytes = sizeof total,
                                                 .options = options}));
        CHECK(total == expected);
    }
    free(x);
    free(y);
    return NULL;
}

/* ---- Locks ---- */

typedef struct guarded {
    para_mutex mutex;
    para_semaphore semaphore, gate;
    para_cancel cancel;
    long by_mutex, by_semaphore, passed; /* plain */
    int reason;                          /* of the request */
} guarded;

static int count_up(const para_chunk *chunk, const void *arg)
{
    guarded *g = *(guarded *const *)arg;
    for (int i = 0; i < 500; i++) {
        PARA_WITH_MUTEX(&g->mutex)
        g->by_mutex++;
        PARA_WITH_SEMAPHORE(&g->semaphore)
        g->by_semaphore++;
    }
    (void)chunk;
    return 0;
}

static void *ask_to_stop(void *arg)
{
    guarded *g = arg;
    g->passed = 7;
    para_semaphore_release(&g->gate, 1);
    g->reason = 42;
    para_cancel_request(&g->cancel);
    return NULL;
}

static int go_on(const para_chunk *chunk, const void *arg)
{
    (void)chunk;
    (void)arg;
    return 0;
}

static void locks(para_pool *pool)
{
    static guarded g = {.semaphore = PARA_SEMAPHORE_INIT(1, 1), .gate = PARA_SEMAPHORE_INIT(0, 1)};
    guarded *const address = &g;
    CHECK(!para_pmap(
        pool, &(para_map){.kernel = count_up, .arg = &address, .count = UNITS, .options = by_one}));
    CHECK(g.by_mutex == (long)UNITS * 500 && g.by_semaphore == (long)UNITS * 500);
    CHECK(!para_mutex_lock(&g.mutex) && !para_mutex_unlock(&g.mutex));
    pthread_t other;
    CHECK(!pthread_create(&other, NULL, ask_to_stop, &g));
    CHECK(!para_semaphore_acquire(&g.gate));
    CHECK(g.passed == 7);
    para_options options = by_one;
    options.cancel = &g.cancel;
    para_status status;
    do
        status = para_pmap(pool, &(para_map){.kernel = go_on, .count = UNITS, .options = options});
    while (!status);
    CHECK(status == PARA_ERR_CANCELLED && g.reason == 42);
    CHECK(para_semaphore_acquire_cancellable(&g.gate, &g.cancel) == PARA_ERR_CANCELLED);
    pthread_join(other, NULL);
}

/* ---- Pools, calls within calls, buffers ---- */

static unsigned begun[WORKERS];

static int begin(unsigned worker, void *arg)
{
    begun[worker] = 1 + *(unsigned *)arg;
    return 0;
}

static void end(unsigned worker, void *arg)
{
    begun[worker] += *(unsigned *)arg;
}

static int row(const para_chunk *chunk, const void *arg)
{
    para_pool *pool = *(para_pool *const *)arg;
    return para_pmap(pool, &(para_map){.kernel = square,
                                       .count = 1000,
                                       .in = {PARA_IN((const double *)chunk->in[0])},
                                       .out = {PARA_OUT((double *)chunk->out[0])},
                                       .options = shared});
}

static void rows(para_pool *pool)
{
    para_buffer *buffer = NULL;
    CHECK(!para_buffer_create(&buffer, pool, (size_t)UNITS * 1000, sizeof(double), NULL));
    double *x = para_buffer_data(buffer);
    for (int i = 0; i < UNITS * 1000; i++)
        x[i] = i % 7;
    CHECK(!para_pmap(pool, &(para_map){.kernel = row,
                                       .arg = &pool,
                                       .count = UNITS,
                                       .in = {PARA_IN_ROWS(x, 1000)},
                                       .out = {PARA_OUT_ROWS(x, 1000)},
                                       .options = by_one}));
    for (int i = 0; i < UNITS * 1000; i++)
        CHECK(x[i] == (i % 7) * (i % 7));
    para_buffer_destroy(buffer);
}

int main(void)
{
    unsigned one = 1;
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = WORKERS;
    config.worker_init = begin;
    config.worker_exit = end;
    config.worker_arg = &one;
    para_pool *pool = NULL;
    CHECK(!para_pool_create(&pool, &config));
    for (int w = 0; w < WORKERS; w++)
        CHECK(begun[w] == 2);
    pthread_t other;
    CHECK(!pthread_create(&other, NULL, square_and_add, pool));
    square_and_add(pool);
    pthread_join(other, NULL);
    square_and_add(NULL);
    locks(pool);
    rows(pool);
    para_pool_destroy(pool);
    for (int w = 0; w < WORKERS; w++)
        CHECK(begun[w] == 3);
    puts("watched");
    return 0;
}
