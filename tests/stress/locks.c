/* Locks under stress: many more threads than CPUs; signals that interrupt every sleep; threads that
 * are cancelled around their waits; deadlines and cancellations at the very moment at which the
 * lock comes. They guard plain memory, and the counts must be exact at the end.
 *   test_stress_locks [ROUNDS]
 * PARA_TEST_SEED repeats a run, as far as threads can be repeated. */
#include "stress.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>

enum { MUTEXES = 4, UNITS = 3, MOST_THREADS = 64 };

static unsigned rounds = 1;
static _Atomic unsigned violations;
static _Atomic uint64_t timeouts, cancellations, gains;

/* A mutex and what it guards. */
typedef struct guarded {
    para_mutex mutex;
    uint64_t count, twice; /* plain */
    _Atomic uint64_t expected;
} guarded;

/* A semaphore, a census of who is inside, and what one may write who has all units. */
typedef struct limited {
    para_semaphore semaphore;
    _Atomic unsigned inside;
    uint64_t count, twice; /* plain */
} limited;

static guarded mutexes[MUTEXES];
static limited limits[2];          /* the second is fair */
static para_cancel *_Atomic token; /* replaced from time to time, never freed before the end */

/* Counting orders nothing: what is ordered here is ordered by the locks alone, or a race detector
 * sees it. */
#define ADD(sum, change) atomic_fetch_add_explicit(&(sum), (change), memory_order_relaxed)

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* None, one that is over, and some that end at about the time at which a wait does. */
static uint64_t random_deadline(uint64_t *seed)
{
    switch (check_below(seed, 4)) {
    case 0:
        return now_ns() + check_below(seed, 300000);
    case 1:
        return check_below(seed, 8) ? now_ns() + check_below(seed, 20000) : 0;
    default:
        return UINT64_MAX;
    }
}

/* Counts why a wait ended; whether it was granted. */
static bool granted(para_status status, uint64_t deadline_ns, para_cancel *cancel)
{
    ADD(violations, status == PARA_ERR_TIMEOUT && now_ns() < deadline_ns);
    ADD(violations, status == PARA_ERR_CANCELLED && !(cancel && para_cancel_requested(cancel)));
    ADD(violations,
        status != PARA_OK && status != PARA_ERR_TIMEOUT && status != PARA_ERR_CANCELLED);
    ADD(timeouts, status == PARA_ERR_TIMEOUT);
    ADD(cancellations, status == PARA_ERR_CANCELLED);
    ADD(gains, status == PARA_OK);
    return status == PARA_OK;
}

static void linger(uint64_t *seed)
{
    const uint64_t dice = check_below(seed, 200);
    int before;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before); /* nanosleep is a cancellation point */
    if (dice < 8)
        sched_yield();
    else if (dice == 8)
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    pthread_setcancelstate(before, &before);
}

static void use_mutex(uint64_t *seed)
{
    guarded *g = &mutexes[check_below(seed, MUTEXES)];
    const uint64_t deadline_ns = random_deadline(seed);
    para_cancel *cancel = check_below(seed, 4) ? NULL : token;
    if (check_below(seed, 8) == 0) {
        if (!para_mutex_try_lock(&g->mutex))
            return;
        ADD(gains, 1);
    } else if (!granted(para_mutex_lock_with(&g->mutex, deadline_ns, cancel), deadline_ns,
                        cancel)) {
        return;
    }
    ADD(violations, g->twice != 2 * g->count);
    g->count++;
    linger(seed);
    g->twice += 2;
    ADD(g->expected, 1);
    para_mutex_unlock(&g->mutex);
}

static void use_semaphore(uint64_t *seed)
{
    limited *l = &limits[check_below(seed, COUNT_OF(limits))];
    const uint32_t count = 1 + (uint32_t)check_below(seed, UNITS);
    const uint64_t deadline_ns = random_deadline(seed);
    para_cancel *cancel = check_below(seed, 4) ? NULL : token;
    if (!granted(para_semaphore_acquire_with(&l->semaphore, count, deadline_ns, cancel),
                 deadline_ns, cancel))
        return;
    ADD(violations, ADD(l->inside, count) + count > UNITS);
    ADD(violations, l->twice != 2 * l->count);
    if (count == UNITS)
        l->count++;
    linger(seed);
    if (count == UNITS)
        l->twice += 2;
    ADD(l->inside, 0 - count);
    ADD(violations, para_semaphore_release(&l->semaphore, count) != PARA_OK);
}

typedef struct worker {
    uint64_t seed;
    unsigned steps;
    _Atomic bool done;
    pthread_t thread;
} worker;

static void *work(void *arg)
{
    worker *w = arg;
    for (unsigned i = 0; i < w->steps; i++) {
        if (check_below(&w->seed, 2))
            use_mutex(&w->seed);
        else
            use_semaphore(&w->seed);
        pthread_testcancel();
    }
    w->done = true;
    return NULL;
}

static void nothing(int signal)
{
    (void)signal;
}

static void begin(void)
{
    for (size_t i = 0; i < MUTEXES; i++)
        mutexes[i] = (guarded){.count = 0};
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        OK(para_semaphore_init(&limits[i].semaphore, UNITS, UNITS, i ? PARA_SEMAPHORE_FAIR : 0));
        limits[i].inside = 0;
    }
    timeouts = cancellations = gains = 0;
}

/* Everything is given back, and everything counted. */
static void end(void)
{
    assert_int_equal(violations, 0);
    for (size_t i = 0; i < MUTEXES; i++) {
        assert_int_equal(mutexes[i].count, mutexes[i].expected);
        assert_int_equal(mutexes[i].twice, 2 * mutexes[i].expected);
        assert_int_equal(mutexes[i].mutex.word, 0);
        OK(para_mutex_fini(&mutexes[i].mutex));
    }
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        assert_int_equal(para_semaphore_available(&limits[i].semaphore), UNITS);
        OK(para_semaphore_fini(&limits[i].semaphore));
    }
    printf("%" PRIu64 " granted, %" PRIu64 " timeouts, %" PRIu64 " cancelled\n", gains, timeouts,
           cancellations);
}

/* Threads that wait, and one that disturbs them until they are done: by signals, by requests for
 * cancellation, and, if they may be, by ending them. Those that are ended return at a point between
 * two waits, whenever they were told. */
static void disturb(unsigned count, unsigned steps, bool end_some, uint64_t *seed)
{
    static para_cancel tokens[4096];
    worker workers[MOST_THREADS];
    size_t used = 0;
    memset(tokens, 0, sizeof tokens);
    token = &tokens[0];
    begin();
    for (unsigned i = 0; i < count; i++) {
        workers[i] = (worker){.seed = check_random(seed), .steps = steps};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    bool all_done = false;
    for (uint64_t turn = 0; !all_done; turn++) {
        all_done = true;
        for (unsigned i = 0; i < count; i++) {
            if (end_some && turn == 20 + i && i % 2)
                pthread_cancel(workers[i].thread);
            if (workers[i].done || (end_some && i % 2 && turn > 20 + i))
                continue;
            all_done = false;
            pthread_kill(workers[i].thread, SIGUSR1);
        }
        para_cancel_request(token);
        if (used + 1 < COUNT_OF(tokens))
            token = &tokens[++used];
        nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
    }
    for (unsigned i = 0; i < count; i++)
        pthread_join(workers[i].thread, NULL);
    end();
}

TEST(a_few_threads)
{
    uint64_t seed = stress_seed();
    for (unsigned round = 0; round < rounds; round++)
        disturb(2 + round % 4, 8000, false, &seed);
}

TEST(many_more_than_cpus)
{
    uint64_t seed = stress_seed();
    for (unsigned round = 0; round < rounds; round++)
        disturb(MOST_THREADS, 600, false, &seed);
}

TEST(threads_that_are_cancelled)
{
    if (!THREADS_ARE_CANCELLED)
        skip();
    uint64_t seed = stress_seed();
    for (unsigned round = 0; round < rounds; round++)
        disturb(MOST_THREADS / 2, 600, true, &seed);
}

/* ---- Timeouts racing releases --------------------------------------------------------- */

/* One thread passes on units, others wait for them until a moment later. Each unit is either got or
 * still there: none is lost between a deadline and a release, and none comes twice. */
static para_semaphore passed = PARA_SEMAPHORE_INIT(0, PARA_SEMAPHORE_MOST);
static _Atomic bool over;
static _Atomic uint64_t got, tries;

static void *get(void *arg)
{
    uint64_t seed = *(uint64_t *)arg;
    while (!over) {
        const uint64_t deadline_ns = now_ns() + check_below(&seed, 100000);
        ADD(got, para_semaphore_acquire_until(&passed, deadline_ns) == PARA_OK);
        ADD(tries, 1);
    }
    return NULL;
}

TEST(deadlines_against_releases)
{
    enum { GETTERS = 3 };
    uint64_t seed = stress_seed();
    uint64_t seeds[GETTERS];
    pthread_t threads[GETTERS];
    const uint64_t wanted = rounds > 1 ? 1000000 : 20000;
    uint64_t given = 0;
    over = false;
    for (size_t i = 0; i < GETTERS; i++) {
        seeds[i] = check_random(&seed);
        assert_int_equal(pthread_create(&threads[i], NULL, get, &seeds[i]), 0);
    }
    while (tries < wanted) {
        OK(para_semaphore_release(&passed, 1));
        given++;
        const uint64_t next = now_ns() + check_below(&seed, 60000);
        do
            sched_yield();
        while (now_ns() < next || given - got > 1000);
    }
    over = true;
    for (size_t i = 0; i < GETTERS; i++)
        pthread_join(threads[i], NULL);
    printf("%" PRIu64 " of %" PRIu64 " tries got one of %" PRIu64 "\n", got, tries, given);
    assert_int_equal(got + para_semaphore_available(&passed), given);
    OK(para_semaphore_fini(&passed));
}

/* The same with a mutex: two who give up quickly against one who takes and gives it back. */
static guarded contested;

static void *take_or_give_up(void *arg)
{
    uint64_t seed = *(uint64_t *)arg;
    while (!over) {
        ADD(tries, 1);
        if (para_mutex_lock_until(&contested.mutex, now_ns() + check_below(&seed, 60000)) !=
            PARA_OK)
            continue;
        ADD(violations, contested.twice != 2 * contested.count);
        contested.count++;
        for (uint64_t next = now_ns() + check_below(&seed, 30000); now_ns() < next;) {
        }
        contested.twice += 2;
        ADD(contested.expected, 1);
        para_mutex_unlock(&contested.mutex);
    }
    return NULL;
}

TEST(deadlines_against_unlocks)
{
    enum { TAKERS = 3 };
    uint64_t seed = stress_seed();
    uint64_t seeds[TAKERS];
    pthread_t threads[TAKERS];
    const uint64_t wanted = rounds > 1 ? 1000000 : 20000;
    over = false;
    tries = 0;
    for (size_t i = 0; i < TAKERS; i++) {
        seeds[i] = check_random(&seed);
        assert_int_equal(pthread_create(&threads[i], NULL, take_or_give_up, &seeds[i]), 0);
    }
    while (tries < wanted)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    over = true;
    for (size_t i = 0; i < TAKERS; i++)
        pthread_join(threads[i], NULL);
    printf("%" PRIu64 " of %" PRIu64 " tries got it\n", contested.count, tries);
    assert_int_equal(violations, 0);
    assert_int_equal(contested.count, contested.expected);
    assert_int_equal(contested.mutex.word, 0);
}

int main(int argc, char **argv)
{
    rounds = stress_rounds(argc, argv);
    signal(SIGUSR1, nothing);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_few_threads),
        cmocka_unit_test(many_more_than_cpus),
        cmocka_unit_test(threads_that_are_cancelled),
        cmocka_unit_test(deadlines_against_releases),
        cmocka_unit_test(deadlines_against_unlocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
