/* The pool's own threads: what runs when they begin and end, their stacks, and signals that reach
 * them. */
#include "../common/check.h"

#include <errno.h>
#include <locale.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

static const para_options threads = {.executor = PARA_EXECUTOR_THREADS, .chunk = 1};

/* A call in which each worker of the pool has a unit that waits for all others to have begun, so
 * that every thread takes part. */
typedef struct meeting {
    _Atomic unsigned there;
    unsigned expected;
    int (*check)(void *arg);
    void *arg;
    pthread_t caller;
    _Atomic unsigned wrong;
} meeting;

static int meet(const para_chunk *chunk, const void *arg)
{
    meeting *m = *(meeting *const *)arg;
    (void)chunk;
    m->there++;
    for (long i = 0; m->there < m->expected && i < 20000; i++)
        usleep(100); /* at most some seconds: without an idle CPU one may not come */
    if (!pthread_equal(pthread_self(), m->caller) && m->check)
        m->wrong += m->check(m->arg) != 0;
    return 0;
}

static void on_each_worker(para_pool *pool, unsigned workers, int (*check)(void *arg), void *arg)
{
    meeting m = {.expected = workers, .check = check, .arg = arg, .caller = pthread_self()};
    meeting *pointer = &m;
    OK(para_pmap(
        pool, &(para_map){.kernel = meet, .arg = &pointer, .count = workers, .options = threads}));
    assert_int_equal(m.wrong, 0);
}

/* ---- When threads begin and end ------------------------------------------------------- */

enum { WORKERS = 4 };

static struct {
    _Atomic unsigned begun[WORKERS], ended[WORKERS];
    pthread_t thread[WORKERS];
    _Atomic unsigned strangers; /* ends on another thread than the beginning */
    int refuses;                /* the worker that fails; -1: none */
} life;

static int begin(unsigned worker, void *arg)
{
    life.strangers += arg != &life;
    life.thread[worker] = pthread_self();
    life.begun[worker]++;
    return (int)worker == life.refuses ? 42 : 0;
}

static void end(unsigned worker, void *arg)
{
    life.strangers += arg != &life || !pthread_equal(life.thread[worker], pthread_self());
    life.ended[worker]++;
}

static para_pool_config with_hooks(int refuses)
{
    memset(&life, 0, sizeof life);
    life.refuses = refuses;
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = WORKERS;
    config.worker_init = begin;
    config.worker_exit = end;
    config.worker_arg = &life;
    return config;
}

TEST(hooks_run_once_on_each_thread)
{
    const para_pool_config config = with_hooks(-1);
    para_pool *pool = NULL;
    OK(para_pool_create(&pool, &config));
    for (unsigned w = 0; w < WORKERS; w++) {
        assert_int_equal(life.begun[w], 1); /* before the pool is anybody's */
        assert_int_equal(life.ended[w], 0);
        assert_false(pthread_equal(life.thread[w], pthread_self()));
    }
    on_each_worker(pool, WORKERS, NULL, NULL);
    para_pool_destroy(pool);
    for (unsigned w = 0; w < WORKERS; w++) {
        assert_int_equal(life.begun[w], 1);
        assert_int_equal(life.ended[w], 1);
    }
    assert_int_equal(life.strangers, 0);
}

TEST(either_hook_may_be_missing)
{
    para_pool_config config = with_hooks(-1);
    para_pool *pool = NULL;
    config.worker_exit = NULL;
    OK(para_pool_create(&pool, &config));
    para_pool_destroy(pool);
    config.worker_exit = end;
    config.worker_init = NULL;
    memset(&life, 0, sizeof life);
    OK(para_pool_create(&pool, &config));
    para_pool_destroy(pool);
    for (unsigned w = 0; w < WORKERS; w++)
        assert_int_equal(life.ended[w], 1);
    config = with_hooks(-1);
    config.workers = 1; /* no thread of its own */
    OK(para_pool_create(&pool, &config));
    para_pool_destroy(pool);
    assert_int_equal(life.begun[0] + life.ended[0], 0);
}

TEST(a_thread_that_cannot_begin_is_the_pools_failure)
{
    for (int refuses = 0; refuses < WORKERS; refuses++) {
        const para_pool_config config = with_hooks(refuses);
        para_pool *const before = (para_pool *)&life;
        para_pool *pool = before;
        FAILS(PARA_ERR_WORKER_INIT, para_pool_create(&pool, &config));
        assert_ptr_equal(pool, before);
        assert_non_null(strstr(para_status_detail(), "42"));
        for (int w = 0; w < WORKERS; w++) {
            assert_int_equal(life.begun[w], 1);
            assert_int_equal(life.ended[w], w != refuses);
        }
        assert_int_equal(life.strangers, 0);
    }
}

/* A library's setting for each thread, as in the guide. */
static int use_locale(unsigned worker, void *arg)
{
    (void)worker;
    uselocale(*(locale_t *)arg);
    return 0;
}

static void leave_locale(unsigned worker, void *arg)
{
    (void)worker;
    (void)arg;
    uselocale(LC_GLOBAL_LOCALE);
}

static int has_locale(void *arg)
{
    return uselocale((locale_t)0) != *(locale_t *)arg;
}

TEST(a_locale_for_each_thread)
{
    locale_t locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = WORKERS;
    config.worker_init = use_locale;
    config.worker_exit = leave_locale;
    config.worker_arg = &locale;
    para_pool *pool = NULL;
    OK(para_pool_create(&pool, &config));
    on_each_worker(pool, WORKERS, has_locale, &locale);
    para_pool_destroy(pool);
    freelocale(locale);
}

static int make_another(unsigned worker, void *arg)
{
    (void)arg;
    para_pool *pool = check_pool(2);
    meeting m = {.expected = 1, .caller = pthread_self()};
    meeting *pointer = &m;
    const para_status status =
        para_pmap(pool, &(para_map){.kernel = meet, .arg = &pointer, .count = 2 + worker});
    para_pool_destroy(pool);
    return status;
}

TEST(a_hook_may_call_another_pool)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = 2;
    config.worker_init = make_another;
    para_pool *pool = NULL;
    OK(para_pool_create(&pool, &config));
    para_pool_destroy(pool);
}

/* ---- Stacks --------------------------------------------------------------------------- */

static size_t stack_of_thread(void)
{
    pthread_attr_t attributes;
    size_t bytes = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        pthread_attr_getstacksize(&attributes, &bytes);
        pthread_attr_destroy(&attributes);
    }
    return bytes;
}

typedef struct range {
    size_t least, most;
} range;

static int has_stack(void *arg)
{
    const range *r = arg;
    const size_t bytes = stack_of_thread();
    return bytes < r->least || bytes > r->most;
}

static const size_t mebibyte = (size_t)1 << 20;

static void has_stacks(size_t config_bytes, size_t least, size_t most)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = 3;
    config.stack_bytes = config_bytes;
    para_pool *pool = NULL;
    OK(para_pool_create(&pool, &config));
    assert_int_equal(check_pool_workers(pool), 3);
    range r = {least, most};
    on_each_worker(pool, 3, has_stack, &r);
    para_pool_destroy(pool);
}

TEST(stacks_as_asked)
{
    has_stacks(0, 8 * mebibyte, SIZE_MAX);
    has_stacks(40 * mebibyte, 40 * mebibyte, 41 * mebibyte);
    has_stacks(512 << 10, 512 << 10, mebibyte); /* fewer than automatically */
    has_stacks(1000003, 1000003, 2 * mebibyte); /* not whole pages */
    has_stacks(1, 64 << 10, mebibyte);          /* too few to begin with */
    para_pool *pool = NULL;
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.stack_bytes = SIZE_MAX;
    FAILS(PARA_ERR_ARGUMENT, para_pool_create(&pool, &config));
    config.workers = 3;
    config.stack_bytes = (size_t)1 << 60; /* no addresses for it: the pool says so */
    OK(para_pool_create(&pool, &config));
    para_pool_info info = {.size = sizeof info};
    OK(para_pool_get_info(pool, &info));
    assert_int_equal(info.workers, 1);
    assert_int_equal(info.thread_status, PARA_ERR_THREAD);
    para_pool_destroy(pool);
}

TEST(stacks_by_variables)
{
    setenv("OMP_STACKSIZE", "20M", 1);
    has_stacks(0, 20 * mebibyte, 21 * mebibyte);
    setenv("PARA_STACKSIZE", "30720", 1); /* K */
    has_stacks(0, 30 * mebibyte, 31 * mebibyte);
    has_stacks(10 * mebibyte, 10 * mebibyte, 11 * mebibyte); /* the program wins */
    unsetenv("PARA_STACKSIZE");
    if (!UNDER_QEMU) { /* which notes each page of a mapping, and would be at it for hours */
        setenv("OMP_STACKSIZE", "1000000G", 1); /* another's, more than there is: less is taken */
        has_stacks(0, 8 * mebibyte, SIZE_MAX);
    }
    setenv("OMP_STACKSIZE", "large", 1);
    has_stacks(0, 8 * mebibyte, SIZE_MAX);
    unsetenv("OMP_STACKSIZE");
}

/* A kernel that runs on the main thread's stack runs on a worker's. */
static int use_much(void *arg)
{
    volatile char large[16 << 20];
    (void)arg;
    for (size_t i = 0; i < sizeof large; i += 4096)
        large[i] = 1;
    return large[4096] != 1;
}

TEST(an_unlimited_stack_is_large)
{
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_STACK, &before), 0);
    struct rlimit limit = before;
    limit.rlim_cur = before.rlim_max; /* unlimited, where that is allowed */
    assert_int_equal(setrlimit(RLIMIT_STACK, &limit), 0);
    assert_int_equal(getrlimit(RLIMIT_STACK, &limit), 0); /* qemu-user leaves it as it was */
    if (limit.rlim_cur < 64 * mebibyte)
        skip();
    para_pool *pool = check_pool(3);
    on_each_worker(pool, 3, use_much, NULL);
    para_pool_destroy(pool);
    assert_int_equal(setrlimit(RLIMIT_STACK, &before), 0);
}

/* ---- Signals --------------------------------------------------------------------------- */

static _Atomic unsigned on_workers;
static pthread_t main_thread;

static void count_sample(int number)
{
    (void)number;
    on_workers += !pthread_equal(pthread_self(), main_thread);
}

static int work_until_seen(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    (void)chunk;
    for (long i = 0; on_workers == 0 && i < 2000000000; i++)
        __asm__ volatile("" ::: "memory");
    return 0;
}

TEST(a_profilers_timer_samples_workers)
{
    if (UNDER_QEMU) /* which sends such signals to any thread, or to none */
        skip();
    const struct itimerval often = {{0, 1000}, {0, 1000}};
    const struct itimerval never = {{0, 0}, {0, 0}};
    struct sigaction ours = {.sa_handler = count_sample, .sa_flags = SA_RESTART};
    struct sigaction before;
    static const int timers[] = {ITIMER_PROF, ITIMER_VIRTUAL};
    static const int signals[] = {SIGPROF, SIGVTALRM};
    main_thread = pthread_self();
    para_pool *pool = check_pool(3);
    for (size_t i = 0; i < COUNT_OF(timers); i++) {
        on_workers = 0;
        sigaction(signals[i], &ours, &before);
        setitimer(timers[i], &often, NULL);
        OK(para_pmap(pool, &(para_map){.kernel = work_until_seen, .count = 3, .options = threads}));
        setitimer(timers[i], &never, NULL);
        sigaction(signals[i], &before, NULL);
        assert_true(on_workers > 0);
    }
    para_pool_destroy(pool);
}

static int nothing(const para_chunk *chunk, const void *arg)
{
    (void)chunk;
    (void)arg;
    return 0;
}

static double spin_ns(para_wait_policy policy)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = 2;
    config.wait_policy = policy;
    para_pool *pool = NULL;
    para_calibration_info info = {.size = sizeof info};
    OK(para_pool_create(&pool, &config));
    for (int i = 0; i < 20; i++) /* what is followed meanwhile does not bring it back */
        OK(para_pmap(pool, &(para_map){.kernel = nothing,
                                       .count = 1000,
                                       .options = {.executor = PARA_EXECUTOR_THREADS}}));
    OK(para_calibration_get(pool, &info));
    para_pool_destroy(pool);
    return info.spin_ns;
}

TEST(threads_that_wait_passively_do_not_spin)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.wait_policy = (para_wait_policy)3;
    para_pool *pool = NULL;
    FAILS(PARA_ERR_ARGUMENT, para_pool_create(&pool, &config));
    assert_true(spin_ns(PARA_WAIT_PASSIVE) == 0);
    setenv("OMP_WAIT_POLICY", "passive", 1);
    assert_true(spin_ns(PARA_WAIT_AUTO) == 0);
    setenv("PARA_WAIT_POLICY", "active", 1);
    const double active_ns = spin_ns(PARA_WAIT_AUTO);
    assert_true(spin_ns(PARA_WAIT_PASSIVE) == 0);
    unsetenv("OMP_WAIT_POLICY");
    setenv("PARA_WAIT_POLICY", "passive", 1);
    assert_true(spin_ns(PARA_WAIT_ACTIVE) > 0 || active_ns == 0); /* 0 where threads share CPUs */
    unsetenv("PARA_WAIT_POLICY");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hooks_run_once_on_each_thread),
        cmocka_unit_test(either_hook_may_be_missing),
        cmocka_unit_test(a_thread_that_cannot_begin_is_the_pools_failure),
        cmocka_unit_test(a_locale_for_each_thread),
        cmocka_unit_test(a_hook_may_call_another_pool),
        cmocka_unit_test(stacks_as_asked),
        cmocka_unit_test(stacks_by_variables),
        cmocka_unit_test(an_unlimited_stack_is_large),
        cmocka_unit_test(a_profilers_timer_samples_workers),
        cmocka_unit_test(threads_that_wait_passively_do_not_spin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
