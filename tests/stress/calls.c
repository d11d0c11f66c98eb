/* Random calls from several threads at once, on pools of several sizes; one has many more workers
 * than there are CPUs. Kernels sleep, fail and call again. Each element is processed exactly once,
 * and each reduction has the bits of its definition.
 *   test_stress_calls [ROUNDS [WORKERS]]
 * WORKERS: of the only pool, which all callers call in every round.
 * PARA_TEST_SEED repeats a run, as far as threads can be repeated. */
#include "stress.h"

#include "../common/oracle.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>

enum { N = 3000, CALLERS = 8, DEPTH = 2 };

static _Atomic unsigned violations;
static unsigned rounds = 1;
static unsigned only_workers; /* 0: pools of several sizes */

/* What a call is about; kernels get it as their argument. */
typedef struct theme {
    para_pool *pool;
    uint64_t salt;
    size_t bad; /* the element that fails; SIZE_MAX: none */
    size_t scratch_bytes;
    unsigned depth;
} theme;

static void random_call(para_pool *pool, uint64_t *seed, unsigned depth);

/* Sometimes waits, and sometimes calls, as salt and place want it. */
static void digress(const para_chunk *chunk, const theme *t)
{
    uint64_t seed = t->salt + chunk->first;
    const uint64_t dice = check_below(&seed, 400);
    if (dice < 4)
        nanosleep(&(struct timespec){.tv_nsec = (long)(dice * 40000)}, NULL);
    else if (dice < 30)
        sched_yield();
    else if (dice < 34 && t->depth < DEPTH)
        random_call(t->pool, &seed, t->depth + 1);
}

static int error_at(const theme *t, const para_chunk *chunk)
{
    return t->bad >= chunk->first && t->bad - chunk->first < chunk->count ? 1 + (int)t->bad : 0;
}

static int map_kernel(const para_chunk *chunk, const void *arg)
{
    const theme *t = arg;
    const uint32_t *in = chunk->in[0];
    uint64_t *out = chunk->out[0];
    unsigned char *times = chunk->out[1];
    if (t->scratch_bytes)
        memset(chunk->scratch, (int)chunk->worker, t->scratch_bytes);
    digress(chunk, t);
    size_t wrong = 0;
    for (size_t i = 0; i < t->scratch_bytes; i++)
        wrong += ((unsigned char *)chunk->scratch)[i] != (unsigned char)chunk->worker;
    violations += wrong != 0;
    for (size_t i = 0; i < chunk->count; i++) {
        out[i] = check_mix(in[i] + t->salt);
        times[i]++;
    }
    return error_at(t, chunk);
}

static para_options random_options(uint64_t *seed, size_t n)
{
    para_options options = {.executor = PARA_EXECUTOR_THREADS};
    if (check_below(seed, 4) == 0)
        options.executor = (para_executor)check_below(seed, 3);
    if (check_below(seed, 2))
        options.chunk = 1 + check_below(seed, n + 2) / (1 + check_below(seed, 40));
    if (check_below(seed, 3) == 0)
        options.workers = 1 + (unsigned)check_below(seed, 9);
    return options;
}

static size_t random_count(uint64_t *seed, unsigned depth)
{
    return check_below(seed, (uint64_t)N >> (check_below(seed, 8) + (uint64_t)2 * depth)) + depth;
}

static void random_map(para_pool *pool, uint64_t *seed, unsigned depth)
{
    uint32_t in[N];
    uint64_t out[N];
    unsigned char times[N + 1] = {0};
    const size_t n = random_count(seed, depth);
    theme t = {.pool = pool, .salt = check_random(seed), .bad = SIZE_MAX, .depth = depth};
    if (check_below(seed, 5) == 0 && n)
        t.bad = check_below(seed, n);
    if (check_below(seed, 3) == 0)
        t.scratch_bytes = 1 + check_below(seed, 2000);
    for (size_t i = 0; i < n; i++)
        in[i] = (uint32_t)check_random(seed);
    para_report report;
    const para_options options = random_options(seed, n);
    const para_status status = para_pmap(pool, &(para_map){.kernel = map_kernel,
                                                           .arg = &t,
                                                           .count = n,
                                                           .in = {PARA_IN(in)},
                                                           .out = {PARA_OUT(out), PARA_OUT(times)},
                                                           .scratch_bytes = t.scratch_bytes,
                                                           .options = options,
                                                           .report = &report});
    violations += status != (t.bad == SIZE_MAX ? PARA_OK : PARA_ERR_KERNEL);
    size_t surely = n;
    if (status == PARA_ERR_KERNEL) {
        surely = report.failed_first + report.failed_count;
        violations += report.kernel_error != 1 + (int)t.bad || report.failed_first > t.bad ||
                      surely <= t.bad || surely > n;
        violations += options.chunk && report.failed_first != t.bad / options.chunk * options.chunk;
    }
    size_t wrong = times[n] != 0;
    for (size_t i = 0; i < n; i++) {
        wrong += times[i] > 1 || (i < surely && times[i] == 0);
        wrong += times[i] == 1 && out[i] != check_mix(in[i] + t.salt);
    }
    violations += wrong != 0;
}

/* A hash, of which only the documented tree has the bits; With no pool, for the oracle, it does not
 * digress. */
static int reduce_kernel(const para_chunk *chunk, void *acc, const void *arg)
{
    const theme *t = arg;
    uint64_t *hash = acc;
    if (t->pool)
        digress(chunk, t);
    *hash = check_mix(*hash + t->salt + chunk->first * 31 + chunk->count);
    return error_at(t, chunk);
}

static void hash_two(void *acc, const void *rhs, const void *arg)
{
    (void)arg;
    *(uint64_t *)acc = check_mix(3 * check_mix(*(uint64_t *)acc) + *(const uint64_t *)rhs);
}

static void random_reduce(para_pool *pool, uint64_t *seed, unsigned depth)
{
    uint64_t result[40] = {7};
    uint64_t expected[40] = {7};
    const size_t n = random_count(seed, depth);
    theme t = {.pool = pool, .salt = check_random(seed), .bad = SIZE_MAX, .depth = depth};
    if (check_below(seed, 5) == 0 && n)
        t.bad = check_below(seed, n);
    para_report report;
    para_reduce call = {.kernel = reduce_kernel,
                        .combine = hash_two,
                        .arg = &t,
                        .count = n,
                        .result = result,
                        .result_bytes = sizeof(uint64_t) * (1 + check_below(seed, 40)),
                        .block = check_below(seed, 2) * (1 + check_below(seed, n + 1)),
                        .options = random_options(seed, n),
                        .report = &report};
    const para_status status = para_preduce(pool, &call);
    violations += status != (t.bad == SIZE_MAX ? PARA_OK : PARA_ERR_KERNEL);
    t.pool = NULL; /* alone now, and at once */
    const int error = oracle_reduce(&call, expected);
    violations += error != (n ? report.kernel_error : 0);
    violations += memcmp(result, expected, sizeof result) != 0;
}

static void random_call(para_pool *pool, uint64_t *seed, unsigned depth)
{
    if (check_below(seed, 2))
        random_map(pool, seed, depth);
    else
        random_reduce(pool, seed, depth);
}

typedef struct caller {
    para_pool *pool;
    uint64_t seed;
    unsigned calls;
    pthread_t thread;
} caller;

static void *call_often(void *arg)
{
    caller *c = arg;
    for (unsigned i = 0; i < c->calls; i++)
        random_call(c->pool, &c->seed, 0);
    return NULL;
}

static void call_pool(unsigned workers, size_t n, unsigned calls, uint64_t *seed)
{
    para_pool *pool = check_pool(workers);
    caller callers[CALLERS];
    for (size_t i = 0; i < n; i++) {
        callers[i] = (caller){.pool = pool, .seed = check_random(seed), .calls = calls};
        assert_int_equal(pthread_create(&callers[i].thread, NULL, call_often, &callers[i]), 0);
    }
    for (size_t i = 0; i < n; i++)
        pthread_join(callers[i].thread, NULL);
    para_pool_destroy(pool);
    assert_int_equal(violations, 0);
}

TEST(random_calls_from_many_threads)
{
    uint64_t seed = stress_seed();
    static const unsigned sizes[] = {2, 3, 64, 1, 8, 256};
    const size_t last = rounds > 1 ? COUNT_OF(sizes) : COUNT_OF(sizes) - 1;
    for (unsigned round = 0; round < rounds; round++) {
        if (only_workers)
            call_pool(only_workers, CALLERS, 1000, &seed);
        for (size_t s = 0; s < last && !only_workers; s++)
            call_pool(sizes[s], 1 + (s + round) * 3 % CALLERS, 2000, &seed);
    }
}

int main(int argc, char **argv)
{
    rounds = stress_rounds(argc, argv);
    only_workers = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_calls_from_many_threads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
