/* Calls by a library's constructors and destructors, within dlopen and dlclose. The caller holds
 * the loader's lock; no worker waits for it, so no call waits for ever. */
#include "loading.h"

#include "../common/check.h"

#include <alloca.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
#include <unwind.h>

static para_pool *pool; /* NULL: the default pool */
static para_why why;
static unsigned calls, wrong;
bool loading_touches_objects;

static int look_up(void *arg)
{
    (void)arg;
    (void)dlsym(RTLD_DEFAULT, "no such function");
    return 0;
}

static void submit_and_wait(void)
{
    para_task task = {.run = look_up};
    wrong += para_submit(pool, &task) != PARA_OK;
    usleep(500); /* so that others come */
    wrong += para_task_wait(&task) != PARA_OK;
}

void loading_call(para_map_fn *map_kernel, para_reduce_fn *reduce_kernel)
{
    enum { N = 200 };
    submit_and_wait();
    double out[N] = {0};
    double sum = 0;
    para_report report = {0};
    const para_options threads = {.executor = PARA_EXECUTOR_THREADS, .chunk = 10};
    wrong += para_pmap(pool, &(para_map){.kernel = map_kernel,
                                         .count = N,
                                         .out = {PARA_OUT(out)},
                                         .options = threads,
                                         .report = &report}) != PARA_OK;
    wrong += para_preduce(pool, &(para_reduce){.kernel = reduce_kernel,
                                               .combine = loading_combine,
                                               .count = N,
                                               .result = &sum,
                                               .result_bytes = sizeof sum,
                                               .block = 10,
                                               .options = threads}) != PARA_OK;
    for (size_t i = 0; i < N; i++)
        wrong += out[i] != (double)i;
    wrong += sum != N;
    why = report.why;
    calls++;
}

void loading_combine(void *acc, const void *rhs, const void *arg)
{
    (void)arg;
    *(double *)acc += *(const double *)rhs;
}

void loading_make_and_destroy(para_map_fn *map_kernel, para_reduce_fn *reduce_kernel)
{
    para_pool *const before = pool;
    pool = check_pool(3);
    loading_call(map_kernel, reduce_kernel);
    para_pool_destroy(pool);
    pool = before;
}

static void load_and_unload(int flags, bool from_outside)
{
    const unsigned before = calls;
    void *plugin = dlopen(LOADING_PLUGIN, flags);
    assert_non_null(plugin);
    assert_int_equal(calls, before + 2);
    void (*call)(void) = NULL;
    *(void **)&call = dlsym(plugin, "loading_call_from_outside");
    assert_non_null(call);
    for (int i = 0; i < 2 && from_outside; i++) {
        call(); /* the same kernels, with nothing in the way */
        assert_int_equal(why, PARA_WHY_ASKED);
    }
    assert_int_equal(dlclose(plugin), 0);
    assert_int_equal(calls, before + 4 + (from_outside ? 2 : 0));
    assert_int_equal(wrong, 0);
}

static void *load_on_another_thread(void *unused)
{
    load_and_unload(RTLD_LAZY, false);
    return unused;
}

static void in_all_ways(void)
{
    alarm(60);
    for (int i = 0; i < 3; i++) {
        load_and_unload(RTLD_NOW, false);
        load_and_unload(RTLD_LAZY, true);
    }
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, load_on_another_thread, NULL), 0);
    pthread_join(thread, NULL);
    alarm(0);
}

/* Comes first: the pool is made within dlopen. */
TEST(with_the_default_pool)
{
    setenv("PARA_NUM_WORKERS", "3", 1);
    in_all_ways();
}

TEST(with_a_pool_that_was_there)
{
    pool = check_pool(3);
    in_all_ways();
    para_pool_destroy(pool);
    pool = NULL;
}

/* Comes last: the library stays. */
TEST(with_thread_local_objects)
{
    alarm(60);
    loading_touches_objects = true;
    assert_non_null(dlopen(LOADING_PLUGIN, RTLD_NOW));
    assert_int_equal(why, PARA_WHY_LOADING);
    assert_int_equal(wrong, 0);
    alarm(0);
}

/* Constructors of the program's own libraries run at its start, when nobody holds the lock. */
static para_why why_at_the_start = PARA_WHY_EMPTY;
static int nothing(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        ((double *)chunk->out[0])[i] = (double)(chunk->first + i);
    return 0;
}

__attribute__((constructor)) static void call_at_the_start(void)
{
    double out[20];
    para_report report = {0};
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = 2;
    para_pool *own = NULL;
    if (para_pool_create(&own, &config) != PARA_OK)
        return;
    DROP(para_pmap(own, &(para_map){.kernel = nothing,
                                    .count = 20,
                                    .out = {PARA_OUT(out)},
                                    .options.executor = PARA_EXECUTOR_THREADS,
                                    .report = &report}));
    why_at_the_start = report.why;
    para_pool_destroy(own);
}

TEST(at_the_start_of_the_program)
{
    assert_int_equal(why_at_the_start, PARA_WHY_ASKED);
}

/* A recursion that makes calls asks at each of its depths once. Counted in place of the unwinder's
 * own function, which the library finds in the program first. */
static _Atomic unsigned walks;

_Unwind_Reason_Code _Unwind_Backtrace(_Unwind_Trace_Fn look, void *arg)
{
    static _Atomic(_Unwind_Reason_Code(*)(_Unwind_Trace_Fn, void *)) known;
    _Unwind_Reason_Code (*own)(_Unwind_Trace_Fn, void *) = known;
    if (!own) {
        *(void **)&own = dlsym(RTLD_NEXT, "_Unwind_Backtrace");
        known = own;
    }
    walks++;
    return own(look, arg);
}

static void call_deeper(unsigned depth)
{
    volatile char *const room = alloca(((size_t)depth + 1) * 16);
    double out[20];
    room[0] = 0;
    OK(para_pmap(pool, &(para_map){.kernel = nothing,
                                   .count = COUNT_OF(out),
                                   .out = {PARA_OUT(out)},
                                   .options.executor = PARA_EXECUTOR_THREADS}));
    room[0] = 1;
}

TEST(a_recursion_is_looked_at_once)
{
    enum { DEPTHS = 1000 };
    pool = check_pool(2);
    for (unsigned depth = 0; depth < DEPTHS; depth++)
        call_deeper(depth);
    const unsigned before = walks;
    for (unsigned depth = 0; depth < DEPTHS; depth++)
        call_deeper(depth);
    para_pool_destroy(pool);
    pool = NULL;
    assert_true(before > 0);
    assert_in_range(walks - before, 0, DEPTHS / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_the_default_pool),
        cmocka_unit_test(with_a_pool_that_was_there),
        cmocka_unit_test(at_the_start_of_the_program),
        cmocka_unit_test(a_recursion_is_looked_at_once),
        cmocka_unit_test(with_thread_local_objects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
