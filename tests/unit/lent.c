/* Pools whose threads a program lends: a table on plain threads that come early, late, too often,
 * on no other thread, not on the calling thread, or after all is over; and what calls are then. */
#include "../common/check.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WIDTH = 3, LENGTH = 20000, MANY = 12 };

typedef enum manner {
    SOON,         /* on the calling thread and on as many others as are asked for */
    EARLY,        /* on others, and on the calling thread somewhat later */
    LATE,         /* on others when the calling thread is through */
    NOBODY,       /* on the calling thread alone */
    NOT_AT_ALL,   /* not even there */
    ELSEWHERE,    /* on others alone */
    AGAIN,        /* others come again and again until the calling thread is through */
    TOO_OFTEN,    /* several times on each, and on too many */
    AFTER_RETURN, /* others come when run has returned */
    MANNERS
} manner;

typedef struct crew {
    manner manner;
    unsigned width;
    _Atomic unsigned runs, joinable;
    pthread_t later[256];
} crew;

typedef struct ticket {
    void (*help)(void *call);
    void *call;
    unsigned times;
    _Atomic bool *over; /* NULL: comes that many times, else until this is true */
} ticket;

static void nap(long ns)
{
    nanosleep(&(struct timespec){.tv_nsec = ns}, NULL);
}

static void *come(void *arg)
{
    const ticket t = *(ticket *)arg;
    free(arg);
    for (unsigned i = 0; t.over ? !*t.over : i < t.times; i++)
        t.help(t.call);
    return NULL;
}

static pthread_t send(void (*help)(void *), void *call, unsigned times, _Atomic bool *over)
{
    pthread_t thread;
    ticket *t = malloc(sizeof *t);
    if (!t)
        abort();
    *t = (ticket){help, call, times, over};
    if (pthread_create(&thread, NULL, come, t) != 0)
        abort();
    return thread;
}

static unsigned crew_width(void *self)
{
    return ((crew *)self)->width;
}

static void crew_run(void *self, unsigned helpers, void (*help)(void *), void *call)
{
    crew *c = self;
    pthread_t threads[MANY];
    const manner how = c->manner;
    _Atomic bool over = false;
    const unsigned times = how == TOO_OFTEN ? 3 : 1;
    unsigned others = how == TOO_OFTEN ? MANY : how == NOBODY || how == NOT_AT_ALL ? 0 : helpers;
    c->runs++;
    if (how == LATE)
        help(call);
    if (how == AFTER_RETURN) {
        for (unsigned i = 0; i < others && c->joinable < COUNT_OF(c->later); i++)
            c->later[c->joinable++] = send(help, call, 1, NULL);
        help(call);
        return;
    }
    others = others < MANY ? others : MANY;
    for (unsigned i = 0; i < others; i++)
        threads[i] = send(help, call, times, how == AGAIN ? &over : NULL);
    if (how == EARLY)
        nap(1000000);
    for (unsigned i = 0; i < times; i++)
        if (how != LATE && how != NOT_AT_ALL && how != ELSEWHERE)
            help(call);
    over = true;
    for (unsigned i = 0; i < others; i++)
        pthread_join(threads[i], NULL);
}

static para_pool *pool_of(crew *c, unsigned workers)
{
    const para_lender table = {sizeof table, crew_width, crew_run, c};
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    para_pool *pool = NULL;
    config.executor = &table;
    config.workers = workers;
    OK(para_pool_create(&pool, &config));
    return pool;
}

static void end(para_pool *pool, crew *c)
{
    for (unsigned i = 0; i < c->joinable; i++)
        pthread_join(c->later[i], NULL);
    c->joinable = 0;
    para_pool_destroy(pool);
}

static const para_options shared = {.executor = PARA_EXECUTOR_THREADS};

PARA_MAP_KERNEL(triple, double, double, v, 3 * v + 1)
PARA_COMBINE(add, double, total, part, total += part)

static int sum_thirds(const para_chunk *chunk, void *acc, const void *arg)
{
    const double *x = chunk->in[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        *(double *)acc += x[i] / 3;
    return 0;
}

static double sum_of(para_pool *pool, const double *x, para_options options)
{
    double total = 0;
    const para_status status = para_preduce(pool, &(para_reduce){.kernel = sum_thirds,
                                                                 .combine = add,
                                                                 .count = LENGTH,
                                                                 .in = {PARA_IN(x)},
                                                                 .result = &total,
                                                                 .result_bytes = sizeof total,
                                                                 .options = options});
    return status ? -1 : total;
}

static double in[LENGTH], out[LENGTH];

TEST(all_manners_give_the_same_bits)
{
    for (size_t i = 0; i < LENGTH; i++)
        in[i] = (double)i / 7;
    const double expected = sum_of(NULL, in, (para_options){.executor = PARA_EXECUTOR_SERIAL});
    for (int how = 0; how < MANNERS; how++) {
        crew c = {.manner = (manner)how, .width = WIDTH};
        para_pool *pool = pool_of(&c, 0);
        for (int i = 0; i < 10; i++) {
            para_report report;
            memset(out, 0, sizeof out);
            OK(para_pmap(pool, &(para_map){.kernel = triple,
                                           .count = LENGTH,
                                           .in = {PARA_IN(in)},
                                           .out = {PARA_OUT(out)},
                                           .report = &report,
                                           .options = shared}));
            for (size_t k = 0; k < LENGTH; k++)
                assert_true(out[k] == 3 * in[k] + 1);
            assert_int_equal(report.width, WIDTH);
            const double total = sum_of(pool, in, shared);
            assert_memory_equal(&total, &expected, sizeof total);
        }
        assert_true(c.runs >= 20);
        end(pool, &c);
    }
}

static _Atomic unsigned present;

static int rendezvous(const para_chunk *chunk, const void *arg)
{
    (void)chunk;
    present++;
    while (present < *(const unsigned *)arg)
        sched_yield();
    return 0;
}

/* Units that wait for each other need as many threads; this ends only if those that are lent
 * work. */
TEST(lent_threads_work)
{
    crew c = {.manner = AGAIN, .width = WIDTH};
    para_pool *pool = pool_of(&c, 0);
    const unsigned all = WIDTH;
    for (int i = 0; i < 20; i++) {
        para_report report;
        present = 0;
        OK(para_pmap(pool,
                     &(para_map){.kernel = rendezvous,
                                 .arg = &all,
                                 .count = WIDTH,
                                 .report = &report,
                                 .options = {.executor = PARA_EXECUTOR_THREADS, .claim = 1}}));
        assert_int_equal(report.workers, WIDTH);
    }
    end(pool, &c);
}

TEST(the_table_says_how_wide_calls_are)
{
    crew c = {.manner = SOON, .width = 1};
    para_pool *pool = pool_of(&c, 4);
    para_report report;
    para_map map = {.kernel = triple,
                    .count = LENGTH,
                    .in = {PARA_IN(in)},
                    .out = {PARA_OUT(out)},
                    .report = &report,
                    .options = shared};
    OK(para_pmap(pool, &map));
    assert_int_equal(report.why, PARA_WHY_ONE_WORKER);
    assert_int_equal(c.runs, 0);
    for (unsigned width = 2; width < 8; width++) {
        c.width = width;
        OK(para_pmap(pool, &map));
        assert_int_equal(report.width, width < 4 ? width : 4);
        para_pool_info info = {.size = sizeof info};
        OK(para_pool_get_info(pool, &info));
        assert_true(info.lent);
        assert_int_equal(info.workers, width < 4 ? width : 4);
        assert_int_equal(info.thread_status, PARA_OK);
        assert_int_equal(info.binding, PARA_BIND_NONE);
    }
    c.width = 0;
    OK(para_pmap(pool, &map));
    assert_int_equal(report.width, 1);
    end(pool, &c);
}

static void refuse(const para_pool_config *config)
{
    para_pool *pool = NULL;
    FAILS(PARA_ERR_ARGUMENT, para_pool_create(&pool, config));
    assert_null(pool);
    assert_non_null(strstr(para_status_detail(), "config.executor"));
}

static int init_nothing(unsigned worker, void *arg)
{
    (void)worker;
    (void)arg;
    return 0;
}

static void leave_nothing(unsigned worker, void *arg)
{
    (void)worker;
    (void)arg;
}

TEST(a_wrong_table_is_refused)
{
    crew c = {.width = 2};
    para_lender table = {sizeof table, crew_width, crew_run, &c};
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.executor = &table;
    table.size = 0;
    refuse(&config);
    table.size = sizeof table;
    table.run = NULL;
    refuse(&config);
    table.run = crew_run;
    table.width = NULL;
    refuse(&config);
    table.width = crew_width;
    const para_pool_config wrong[] = {{.worker_init = init_nothing},
                                      {.worker_exit = leave_nothing},
                                      {.stack_bytes = 1 << 20},
                                      {.binding = PARA_BIND_CORE}};
    for (unsigned i = 0; i < COUNT_OF(wrong); i++) {
        config = wrong[i];
        config.size = sizeof config, config.executor = &table;
        refuse(&config);
    }
}

/* The costs are measured before the pool is used; its callers sleep while they wait. */
TEST(start_and_wait_policy_are_the_pools)
{
    crew c = {.manner = SOON, .width = WIDTH};
    const para_lender table = {sizeof table, crew_width, crew_run, &c};
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    para_pool *pool = NULL;
    config.executor = &table;
    config.start = PARA_START_WAIT;
    config.wait_policy = PARA_WAIT_PASSIVE;
    config.binding = PARA_BIND_NONE;
    OK(para_pool_create(&pool, &config));
    assert_true(c.runs > 0 && sum_of(pool, in, shared) > 0);
    end(pool, &c);
}

static int fail_at_5000(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    return chunk->first <= 5000 && 5000 < chunk->first + chunk->count ? 42 : 0;
}

static int request(const para_chunk *chunk, const void *arg)
{
    (void)chunk;
    para_cancel_request(*(para_cancel *const *)arg);
    return 0;
}

TEST(calls_that_fail_or_are_cancelled)
{
    crew c = {.manner = SOON, .width = WIDTH};
    para_pool *pool = pool_of(&c, 0);
    for (int i = 0; i < 10; i++) {
        para_cancel cancel = {0};
        para_cancel *const token = &cancel;
        para_report report;
        FAILS(PARA_ERR_KERNEL, para_pmap(pool, &(para_map){.kernel = fail_at_5000,
                                                           .count = LENGTH,
                                                           .report = &report,
                                                           .options = shared}));
        assert_int_equal(report.kernel_error, 42);
        para_options options = shared;
        options.cancel = token;
        options.chunk = 10;
        FAILS(PARA_ERR_CANCELLED, para_pmap(pool, &(para_map){.kernel = request,
                                                              .arg = &token,
                                                              .count = LENGTH,
                                                              .options = options}));
    }
    end(pool, &c);
}

typedef struct one_of_many {
    para_pool *pool;
    double expected;
    int wrong;
} one_of_many;

static void *call_often(void *arg)
{
    one_of_many *self = arg;
    for (int i = 0; i < 30; i++)
        self->wrong += sum_of(self->pool, in, shared) != self->expected;
    return NULL;
}

TEST(calls_from_several_threads_at_once)
{
    const double expected = sum_of(NULL, in, (para_options){.executor = PARA_EXECUTOR_SERIAL});
    crew c = {.manner = SOON, .width = WIDTH};
    para_pool *pool = pool_of(&c, 0);
    one_of_many callers[MANY];
    pthread_t threads[MANY];
    for (int i = 0; i < MANY; i++) {
        callers[i] = (one_of_many){pool, expected, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, call_often, &callers[i]), 0);
    }
    for (int i = 0; i < MANY; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(callers[i].wrong, 0);
    }
    end(pool, &c);
}

static _Atomic int nested_wrong;

static int sum_within(const para_chunk *chunk, const void *arg)
{
    const one_of_many *outer = arg;
    for (size_t i = 0; i < chunk->count; i++)
        nested_wrong += sum_of(outer->pool, in, shared) != outer->expected;
    return 0;
}

/* The table says that there are threads within kernels as well; some calls find no lane. */
TEST(nested_calls)
{
    const double expected = sum_of(NULL, in, (para_options){.executor = PARA_EXECUTOR_SERIAL});
    crew c = {.manner = TOO_OFTEN, .width = WIDTH};
    para_pool *pool = pool_of(&c, 0);
    one_of_many outer = {pool, expected, 0};
    OK(para_pmap(pool, &(para_map){.kernel = sum_within,
                                   .arg = &outer,
                                   .count = 12,
                                   .options = {.executor = PARA_EXECUTOR_THREADS, .claim = 1}}));
    assert_int_equal(nested_wrong, 0);
    end(pool, &c);
}

static sigjmp_buf away;
static pthread_t jumper;

static int leave(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    (void)chunk;
    if (pthread_equal(pthread_self(), jumper))
        siglongjmp(away, 1);
    return 0;
}

/* The lender has come back from its helpers already, and waits for none. */
TEST(calls_left_by_a_jump)
{
    const double expected = sum_of(NULL, in, (para_options){.executor = PARA_EXECUTOR_SERIAL});
    crew c = {.manner = AFTER_RETURN, .width = 2};
    para_pool *pool = pool_of(&c, 0);
    jumper = pthread_self();
    for (volatile int i = 0; i < 20; i++)
        if (sigsetjmp(away, 1) == 0) {
            FAILS(
                PARA_ERR_ARGUMENT,
                para_pmap(pool, &(para_map){.kernel = leave, .count = LENGTH, .options = shared}));
            fail();
        }
    assert_true(sum_of(pool, in, shared) == expected);
    end(pool, &c);
}

static int in_child(void *arg)
{
    para_pool *pool = ((one_of_many *)arg)->pool;
    const double expected = ((one_of_many *)arg)->expected;
    para_pool_info info = {.size = sizeof info};
    if (para_pool_get_info(pool, &info) || !info.forked || sum_of(pool, in, shared) != expected)
        return 1;
    if (CHILDREN_HAVE_THREADS && (para_pool_restart(pool) || sum_of(pool, in, shared) != expected))
        return 2;
    para_pool_destroy(pool);
    return 0;
}

TEST(children)
{
    const double expected = sum_of(NULL, in, (para_options){.executor = PARA_EXECUTOR_SERIAL});
    crew c = {.manner = SOON, .width = WIDTH};
    para_pool *pool = pool_of(&c, 0);
    one_of_many self = {pool, expected, 0};
    assert_true(sum_of(pool, in, shared) == expected);
    const pid_t child = fork();
    if (child == 0)
        _exit(in_child(&self));
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    end(pool, &c);
}

static _Atomic pid_t parent, forked;

static int fork_on_one(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    if (chunk->first == 0 && parent == getpid())
        forked = fork();
    return 0;
}

/* In the child nobody waits for the lender's threads, which it has not. */
TEST(kernels_that_fork)
{
    static const manner manners[] = {NOBODY, SOON, LATE, AGAIN};
    parent = getpid();
    for (unsigned i = 0; FORKS_AMID_THREADS && i < COUNT_OF(manners); i++) {
        crew c = {.manner = manners[i], .width = WIDTH};
        para_pool *pool = pool_of(&c, 0);
        int status = 0;
        OK(para_pmap(pool, &(para_map){.kernel = fork_on_one, .count = LENGTH, .options = shared}));
        assert_true(forked > 0);
        assert_int_equal(waitpid(forked, &status, 0), forked);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILURE);
        end(pool, &c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_manners_give_the_same_bits),
                                       cmocka_unit_test(lent_threads_work),
                                       cmocka_unit_test(the_table_says_how_wide_calls_are),
                                       cmocka_unit_test(a_wrong_table_is_refused),
                                       cmocka_unit_test(start_and_wait_policy_are_the_pools),
                                       cmocka_unit_test(calls_that_fail_or_are_cancelled),
                                       cmocka_unit_test(calls_from_several_threads_at_once),
                                       cmocka_unit_test(nested_calls),
                                       cmocka_unit_test(calls_left_by_a_jump),
                                       cmocka_unit_test(children),
                                       cmocka_unit_test(kernels_that_fork)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
