/* A call has its caller's floating-point environment: which exceptions were raised, which trap, and
 * how numbers are rounded. It does not matter who ran the kernels, nor what other calls have left
 * behind. */
#include "../common/check.h"

#include <fenv.h>
#include <float.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static const unsigned pool_sizes[] = {1, 2, 4};

#include "../common/pools.h"

static _Atomic unsigned violations;

/* ---- Raising ------------------------------------------------------------------------- */

static volatile double big = DBL_MAX, tiny = DBL_MIN, one = 1, zero = 0, three = 3;
static volatile long double big_x87 = LDBL_MAX, tiny_x87 = LDBL_MIN, one_x87 = 1, zero_x87 = 0,
                            three_x87 = 3;

static void raise_double(int flag)
{
    volatile double sink = 0;
    sink = flag == FE_DIVBYZERO   ? one / zero
           : flag == FE_INVALID   ? zero / zero
           : flag == FE_OVERFLOW  ? big * big
           : flag == FE_UNDERFLOW ? tiny * tiny
                                  : one / three;
    (void)sink;
}

static void raise_long_double(int flag)
{
    volatile long double sink = 0;
    sink = flag == FE_DIVBYZERO   ? one_x87 / zero_x87
           : flag == FE_INVALID   ? zero_x87 / zero_x87
           : flag == FE_OVERFLOW  ? big_x87 * big_x87
           : flag == FE_UNDERFLOW ? tiny_x87 * tiny_x87
                                  : one_x87 / three_x87;
    (void)sink;
}

static const struct {
    int flag, with; /* all that the operation raises */
} raised[] = {{FE_DIVBYZERO, FE_DIVBYZERO},
              {FE_INVALID, FE_INVALID},
              {FE_OVERFLOW, FE_OVERFLOW | FE_INEXACT},
              {FE_UNDERFLOW, FE_UNDERFLOW | FE_INEXACT},
              {FE_INEXACT, FE_INEXACT}};

static void (*const units[])(int) = {raise_double, raise_long_double};

/* ---- Kernels that see to it that a worker has its part -------------------------------- */

static pthread_t caller;
static _Atomic unsigned by_worker; /* kernel calls that a worker has made */
static _Atomic unsigned raisings;  /* times that a worker has raised something */

static bool on_worker(void)
{
    return !pthread_equal(pthread_self(), caller);
}

/* The caller waits, for a second at most, until a worker is seen. */
static void let_workers_come(para_pool *pool)
{
    const uint64_t deadline_ns = para_deadline_after(1000000000);
    while (check_pool_workers(pool) > 1 && by_worker == 0 && para_deadline_after(0) < deadline_ns)
        sched_yield();
}

typedef struct plan {
    para_pool *pool;
    void (*raise)(int flag);
    int flag;        /* what a worker raises; 0: nothing */
    size_t fails_at; /* the element whose kernel call fails; SIZE_MAX: none */
    para_cancel *cancel;
    unsigned depth; /* of calls within */
    uint64_t
        element_ns; /* the engine decides, and each takes so long; 0: is forced, takes no time */
    bool in_combine;
} plan;

static void take_part(const plan *p)
{
    violations += fetestexcept(FE_ALL_EXCEPT) != 0 && on_worker() && !p->flag;
    const uint64_t end_ns = para_deadline_after(p->element_ns);
    while (p->element_ns && para_deadline_after(0) < end_ns) {
    }
    if (!on_worker()) {
        if (!p->element_ns)
            let_workers_come(p->pool);
        return;
    }
    if (p->flag && !p->in_combine) {
        p->raise(p->flag);
        raisings++;
    }
    by_worker++;
}

static void map_with(const plan *p, size_t count, para_status expected);

static int kernel(const para_chunk *chunk, const void *arg)
{
    const plan *p = arg;
    take_part(p);
    if (p->depth && chunk->first % 4 == 0) {
        plan inner = *p;
        inner.depth--;
        inner.fails_at = SIZE_MAX;
        map_with(&inner, 8, PARA_OK);
    }
    if (p->cancel && on_worker())
        para_cancel_request(p->cancel);
    return chunk->first <= p->fails_at && p->fails_at < chunk->first + chunk->count ? 5 : 0;
}

static void map_with(const plan *p, size_t count, para_status expected)
{
    const para_status status = para_pmap(
        p->pool, &(para_map){.kernel = kernel,
                             .arg = p,
                             .count = count,
                             .options = {.executor = p->element_ns ? PARA_EXECUTOR_AUTO
                                                                   : PARA_EXECUTOR_THREADS,
                                         .chunk = 1,
                                         .cancel = p->cancel}});
    if (!on_worker())
        assert_true(status == expected || (p->cancel && status == PARA_OK));
    else
        violations += status != expected;
}

static int reduce_kernel(const para_chunk *chunk, void *acc, const void *arg)
{
    take_part(arg);
    *(size_t *)acc += chunk->count;
    return 0;
}

static void combine(void *acc, const void *rhs, const void *arg)
{
    const plan *p = arg;
    if (p->in_combine && p->flag && on_worker()) {
        p->raise(p->flag);
        raisings++;
    }
    *(size_t *)acc += *(const size_t *)rhs;
}

static void reduce_with(const plan *p, size_t count)
{
    size_t sum = 0;
    OK(para_preduce(p->pool, &(para_reduce){.kernel = reduce_kernel,
                                            .combine = combine,
                                            .arg = p,
                                            .count = count,
                                            .block = 1,
                                            .result = &sum,
                                            .result_bytes = sizeof sum,
                                            .options.executor = PARA_EXECUTOR_THREADS}));
    assert_int_equal(sum, count);
}

static void begin(void)
{
    caller = pthread_self();
    by_worker = 0;
    raisings = 0;
    feclearexcept(FE_ALL_EXCEPT);
}

/* The flags are those that a worker has raised, if one took part; and none otherwise. */
static void found(int with)
{
    const int flags = fetestexcept(FE_ALL_EXCEPT);
    feclearexcept(FE_ALL_EXCEPT);
    if (flags != (raisings ? with : 0))
        fail_msg("flags %#x, raised %u times by workers: %#x", (unsigned)flags, (unsigned)raisings,
                 (unsigned)with);
    assert_int_equal(violations, 0);
}

/* A call that raises, then one that does not, which must find nothing left of the first. */
static void each_flag(void (*call)(const plan *p))
{
    unsigned seen = 0;
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (size_t u = 0; u < COUNT_OF(units); u++)
            for (size_t f = 0; f < COUNT_OF(raised); f++) {
                plan what = {.pool = pools[p],
                             .raise = units[u],
                             .flag = raised[f].flag,
                             .fails_at = SIZE_MAX};
                begin();
                call(&what);
                seen += raisings != 0;
                found(raised[f].with);
                begin();
                what.flag = 0;
                call(&what);
                found(0);
            }
    assert_true(seen > 0);
}

static void one_map(const plan *p)
{
    map_with(p, 16, PARA_OK);
}

static void many_maps(const plan *p)
{
    for (int i = 0; i < 16; i++) {
        by_worker = 0;
        map_with(p, 4, PARA_OK);
    }
}

static void one_reduction(const plan *p)
{
    reduce_with(p, 100);
}

static void combines(const plan *p)
{
    plan what = *p;
    what.in_combine = true;
    reduce_with(&what, 10000);
}

static void failing(const plan *p)
{
    plan what = *p;
    what.fails_at = 15;
    map_with(&what, 16, PARA_ERR_KERNEL);
}

static void cancelled(const plan *p)
{
    para_cancel cancel = {0};
    plan what = *p;
    what.cancel = &cancel;
    map_with(&what, 16, PARA_ERR_CANCELLED);
}

/* Begins on its caller alone, and the rest is shared. */
static void found_to_be_long(const plan *p)
{
    plan what = *p;
    what.element_ns = 20000;
    map_with(&what, 300, PARA_OK);
}

static void nested(const plan *p)
{
    plan what = *p;
    what.depth = 2;
    map_with(&what, 16, PARA_OK);
}

#define FLAG_TEST(call)   \
    TEST(flags_of_##call) \
    {                     \
        each_flag(call);  \
    }

FLAG_TEST(one_map)
FLAG_TEST(many_maps)
FLAG_TEST(one_reduction)
FLAG_TEST(combines)
FLAG_TEST(failing)
FLAG_TEST(cancelled)
FLAG_TEST(nested)
FLAG_TEST(found_to_be_long)

/* ---- What the caller had before ------------------------------------------------------- */

TEST(the_callers_own_flags_stay_and_are_not_the_workers)
{
    for (size_t p = 0; p < COUNT_OF(pools); p++) {
        const plan what = {.pool = pools[p], .raise = raise_double, .fails_at = SIZE_MAX};
        begin();
        raise_double(FE_INVALID);
        raise_long_double(FE_DIVBYZERO);
        map_with(&what, 16, PARA_OK);
        assert_int_equal(fetestexcept(FE_ALL_EXCEPT), FE_INVALID | FE_DIVBYZERO);
        assert_int_equal(violations, 0);
    }
}

/* ---- Traps --------------------------------------------------------------------------- */

#if defined(__x86_64__) && defined(__GLIBC__)

/* In a process of its own, before it has a thread: 0, the number of a signal, or 100 + its
 * status. */
static int in_child(int (*run)(void))
{
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        signal(SIGFPE, SIG_DFL); /* a sanitizer's handler reports */
        alarm(20);
        _exit(run());
    }
    int status = 0;
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status)   ? WTERMSIG(status)
           : WEXITSTATUS(status) ? 100 + WEXITSTATUS(status)
                                 : 0;
}

/* Workers have raised everything, in both units, before the caller enables traps. */
static int trap_after_flags(void)
{
    para_pool *pool = NULL;
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = 2;
    if (para_pool_create(&pool, &config))
        return 1;
    plan what = {.pool = pool, .fails_at = SIZE_MAX};
    for (size_t u = 0; u < COUNT_OF(units); u++)
        for (size_t f = 0; f < COUNT_OF(raised); f++) {
            begin();
            what.raise = units[u];
            what.flag = raised[f].flag;
            map_with(&what, 16, PARA_OK);
        }
    begin();
    feenableexcept(FE_ALL_EXCEPT);
    what.flag = 0;
    for (int i = 0; i < 20; i++)
        map_with(&what, 16, PARA_OK);
    volatile long double harmless = one_x87;
    harmless = harmless + one_x87;
    fedisableexcept(FE_ALL_EXCEPT);
    para_pool_destroy(pool);
    return fetestexcept(FE_ALL_EXCEPT) != 0;
}

static void (*trapped_unit)(int);

static int trap_on_a_worker(void)
{
    para_pool *pool = NULL;
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = 2;
    if (para_pool_create(&pool, &config))
        return 1;
    const plan what = {
        .pool = pool, .raise = trapped_unit, .flag = FE_DIVBYZERO, .fails_at = SIZE_MAX};
    begin();
    feenableexcept(FE_DIVBYZERO);
    for (int i = 0; i < 100; i++)
        map_with(&what, 16, PARA_OK);
    return by_worker ? 2 : 3; /* 3: no worker came in all that time */
}

/* Before any other test: the children begin with one thread. */
TEST(traps_are_the_callers)
{
    if (!CHILDREN_HAVE_THREADS)
        skip();
    assert_int_equal(in_child(trap_after_flags), 0);
    for (size_t u = 0; u < COUNT_OF(units); u++) {
        trapped_unit = units[u];
        assert_int_equal(in_child(trap_on_a_worker), SIGFPE);
    }
}

#endif

/* ---- Control ------------------------------------------------------------------------- */

static int thirds(const para_chunk *chunk, const void *arg)
{
    const plan *p = *(const plan *const *)arg;
    take_part(p);
    for (size_t i = 0; i < chunk->count; i++) {
        ((double *)chunk->out[0])[i] = one / three;
        ((long double *)chunk->out[1])[i] = one_x87 / three_x87;
    }
    return 0;
}

TEST(both_units_round_as_the_callers)
{
    static const int modes[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO, FE_TONEAREST};
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (size_t m = 0; m < COUNT_OF(modes); m++) {
            const plan what = {.pool = pools[p], .flag = 0, .fails_at = SIZE_MAX};
            const plan *const arg = &what;
            double doubles[16];
            long double longs[16];
            begin();
            fesetround(modes[m]);
            const double expected = one / three;
            const long double expected_x87 = one_x87 / three_x87;
            feclearexcept(FE_ALL_EXCEPT);
            OK(para_pmap(pools[p], &(para_map){.kernel = thirds,
                                               .arg = &arg,
                                               .count = 16,
                                               .out = {PARA_OUT(doubles), PARA_OUT(longs)},
                                               .options = {.executor = PARA_EXECUTOR_THREADS,
                                                           .chunk = 16 / 8}}));
            assert_int_equal(fegetround(), modes[m]);
            assert_int_equal(fetestexcept(FE_ALL_EXCEPT), FE_INEXACT);
            fesetround(FE_TONEAREST);
            for (size_t i = 0; i < 16; i++)
                assert_true(doubles[i] == expected && longs[i] == expected_x87);
        }
    violations = 0; /* a worker's second chunk finds the flag of its first */
}

#define ON_POOLS(test) cmocka_unit_test_setup_teardown(test, make_pools, destroy_pools)

int main(void)
{
    const struct CMUnitTest tests[] = {
#if defined(__x86_64__) && defined(__GLIBC__)
        cmocka_unit_test(traps_are_the_callers),
#endif
        ON_POOLS(flags_of_one_map),
        ON_POOLS(flags_of_many_maps),
        ON_POOLS(flags_of_one_reduction),
        ON_POOLS(flags_of_combines),
        ON_POOLS(flags_of_failing),
        ON_POOLS(flags_of_cancelled),
        ON_POOLS(flags_of_nested),
        ON_POOLS(flags_of_found_to_be_long),
        ON_POOLS(the_callers_own_flags_stay_and_are_not_the_workers),
        ON_POOLS(both_units_round_as_the_callers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
