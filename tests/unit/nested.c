/* A worker whose kernel calls para: what counts as news for it then. */
#include "../common/check.h"

#include "pool/self.h"
#include "share/visit.h"

#include <sched.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(its_own_call_is_no_news_to_a_worker)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
