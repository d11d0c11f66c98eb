/* A worker whose kernel calls para: what counts as news for it then. */
#include "../common/check.h"

#include "pool/self.h"
#include "schedule/state.h"
#include "share/visit.h"

#include <sched.h>
#include <setjmp.h>

static _Atomic unsigned begun, nested, news, failures;

static int nothing(const para_chunk *chunk, const void *arg)
{
    (void)chunk;
    (void)arg;
    return 0;
}

/* Of two, which run at once, the pool's own thread makes a call, and looks around after it. */
static int one_of_two(const para_chunk *chunk, const void *arg)
{
    para_pool *pool = *(para_pool *const *)arg;
    (void)chunk;
    begun++;
    while (begun < 2)
        sched_yield();
    if (!para__pool_is_worker(pool))
        return 0;
    nested++;
    failures += para_pmap(pool, &(para_map){.kernel = nothing,
                                            .count = 100,
                                            .options = {.executor = PARA_EXECUTOR_THREADS}}) != 0;
    news += para__lanes_have_news(&pool->lanes, para__pool_place(pool));
    return 0;
}

/* A worker that took itself for displaced by the call's caller would go to sleep. */
TEST(its_own_call_is_no_news_to_a_worker)
{
    para_pool *pool = check_pool(2);
    for (int i = 0; i < 20; i++) {
        begun = 0;
        OK(para_pmap(pool, &(para_map){.kernel = one_of_two,
                                       .arg = &pool,
                                       .count = 2,
                                       .options = {.executor = PARA_EXECUTOR_THREADS}}));
    }
    assert_int_equal(nested, 20);
    assert_int_equal(news, 0);
    assert_int_equal(failures, 0);
    para_pool_destroy(pool);
}

static pthread_t caller;
static bool was_within, jumps;
static jmp_buf before;

static int look(const para_chunk *chunk, const void *arg)
{
    (void)chunk;
    (void)arg;
    if (!pthread_equal(pthread_self(), caller))
        return 0;
    was_within = para__is_within_call();
    if (jumps)
        longjmp(before, 1);
    return 0;
}

static void call_it(para_pool *pool)
{
    was_within = false;
    OK(para_pmap(
        pool,
        &(para_map){.kernel = look, .count = 100, .options = {.executor = PARA_EXECUTOR_THREADS}}));
}

TEST(what_a_callers_kernel_calls_is_a_part_of_its_call)
{
    para_pool *pool = check_pool(2);
    caller = pthread_self();
    assert_false(para__is_within_call());
    call_it(pool);
    assert_true(was_within);
    assert_false(para__is_within_call());
    jumps = true;
    if (setjmp(before) == 0)
        call_it(pool);
    assert_true(was_within);
    jumps = false;
    call_it(pool);
    assert_true(was_within);
    assert_int_equal(para__outermost_call, 0); /* it took the place of the call that was left */
    para_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_own_call_is_no_news_to_a_worker),
        cmocka_unit_test(what_a_callers_kernel_calls_is_a_part_of_its_call)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
