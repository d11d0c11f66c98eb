/* Pools that come and go while others work, and forks meanwhile.
 *   test_stress_pools [ROUNDS]      PARA_TEST_SEED as for test_stress_calls */
#include "stress.h"

#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>
#include <time.h>

enum { N = 500, THREADS = 4, CHILD_SECONDS = 60 };

static _Atomic unsigned violations;
static _Atomic bool enough;
static unsigned rounds = 1;

static int mix_all(const para_chunk *chunk, const void *arg)
{
    uint64_t *out = chunk->out[0];
    if (chunk->first % 7 == 3)
        sched_yield();
    for (size_t i = 0; i < chunk->count; i++)
        out[i] += check_mix(chunk->first + i + *(const uint64_t *)arg);
    return 0;
}

PARA_COMBINE(add, uint64_t, s, t, s += t)

/* Two checked calls; whether they went well. */
static bool calls_work(para_pool *pool, uint64_t salt)
{
    uint64_t out[N] = {0};
    uint64_t sum = 0;
    uint64_t expected = 0;
    const size_t n = 1 + salt % (N - 1);
    for (size_t i = 0; i < n; i++)
        expected += check_mix(i + salt);
    const para_options options = {.executor = PARA_EXECUTOR_THREADS, .chunk = salt % 5};
    return para_pmap(pool, &(para_map){.kernel = mix_all,
                                       .arg = &salt,
                                       .count = n,
                                       .out = {PARA_OUT(out)},
                                       .options = options}) == PARA_OK &&
           para_preduce(pool, &(para_reduce){.kernel = sum_all,
                                             .combine = add,
                                             .count = n,
                                             .in = {PARA_IN(out)},
                                             .result = &sum,
                                             .result_bytes = sizeof sum,
                                             .options = options}) == PARA_OK &&
           sum == expected;
}

static bool pool_works(uint64_t *seed)
{
    static const para_binding bindings[] = {PARA_BIND_AUTO, PARA_BIND_DOMAIN, PARA_BIND_NONE};
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = 1 + (unsigned)check_below(seed, check_below(seed, 8) ? 4 : 40);
    config.binding = bindings[check_below(seed, COUNT_OF(bindings))];
    para_pool *pool = NULL;
    if (para_pool_create(&pool, &config) != PARA_OK)
        return false;
    bool fine = true;
    const uint64_t calls = check_below(seed, 4); /* none at all, too */
    for (uint64_t i = 0; i < calls; i++)
        fine &= calls_work(pool, check_random(seed));
    if (check_below(seed, 8) == 0) /* let its workers park */
        nanosleep(&(struct timespec){.tv_nsec = 300000}, NULL);
    para_pool_destroy(pool);
    return fine;
}

typedef struct worker {
    uint64_t seed;
    unsigned rounds;
    para_pool *shared;
    pthread_t thread;
} worker;

static void *churn(void *arg)
{
    worker *w = arg;
    for (unsigned i = 0; i < w->rounds; i++) {
        violations += !pool_works(&w->seed);
        violations += !calls_work(w->shared, check_random(&w->seed));
        violations += !calls_work(NULL, check_random(&w->seed));
    }
    return NULL;
}

TEST(pools_come_and_go)
{
    uint64_t seed = stress_seed();
    for (unsigned round = 0; round < rounds; round++) {
        para_pool *shared = check_pool(3);
        worker workers[THREADS];
        for (size_t i = 0; i < THREADS; i++) {
            workers[i] = (worker){.seed = check_random(&seed), .rounds = 300, .shared = shared};
            assert_int_equal(pthread_create(&workers[i].thread, NULL, churn, &workers[i]), 0);
        }
        for (size_t i = 0; i < THREADS; i++)
            pthread_join(workers[i].thread, NULL);
        para_pool_destroy(shared);
        assert_int_equal(violations, 0);
    }
}

static void *work_until_enough(void *arg)
{
    worker *w = arg;
    while (!enough)
        churn(w);
    return NULL;
}

static int child(para_pool *shared, uint64_t seed)
{
    if (!calls_work(shared, seed))
        return 1;
    if (seed % 2)
        para_pool_destroy(shared);
    if (CHILDREN_HAVE_THREADS && seed % 3 && !calls_work(NULL, seed))
        return 2;
    if (CHILDREN_HAVE_THREADS && !pool_works(&seed))
        return 3;
    return 0;
}

TEST(forks_in_the_middle)
{
    if (!FORKS_AMID_THREADS)
        skip();
    uint64_t seed = stress_seed();
    para_pool *shared = check_pool(3);
    worker workers[THREADS];
    enough = false;
    for (size_t i = 0; i < THREADS; i++) {
        workers[i] = (worker){.seed = check_random(&seed), .rounds = 1, .shared = shared};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work_until_enough, &workers[i]),
                         0);
    }
    unsigned wrong = 0;
    for (unsigned i = 0; i < 40 * rounds && !wrong; i++) {
        pid_t children[3];
        const uint64_t salt = check_random(&seed);
        for (size_t k = 0; k < COUNT_OF(children); k++) {
            children[k] = fork();
            if (children[k] == 0) {
                alarm(CHILD_SECONDS); /* ends one that hangs, with a signal */
                _exit(child(shared, salt + k));
            }
        }
        for (size_t k = 0; k < COUNT_OF(children); k++) {
            int status = 0;
            wrong +=
                children[k] < 0 || waitpid(children[k], &status, 0) != children[k] || status != 0;
        }
    }
    enough = true;
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(workers[i].thread, NULL);
    para_pool_destroy(shared);
    assert_int_equal(wrong, 0);
    assert_int_equal(violations, 0);
}

int main(int argc, char **argv)
{
    rounds = stress_rounds(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pools_come_and_go),
        cmocka_unit_test(forks_in_the_middle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
