/* Calls on several domains: a domain's partial results are combined in it. */
#include "../common/check.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

enum { DOMAINS = 4, WORKERS = 8, BLOCKS = 64, EACH = BLOCKS / DOMAINS };

/* Blocks [first, end); none if they are equal. */
typedef struct blocks {
    size_t first, end;
} blocks;

static pthread_t caller;
static _Atomic unsigned done[DOMAINS], violations, far;
static unsigned home; /* the caller's own */

static bool others_are_done(void)
{
    for (unsigned d = 0; d < DOMAINS; d++)
        if (d != home && atomic_load(&done[d]) < EACH)
            return false;
    return true;
}

/* The caller's first block ends when nothing of other domains is left to it. */
static int note(const para_chunk *chunk, void *acc, const void *arg)
{
    (void)arg;
    if (pthread_equal(pthread_self(), caller)) {
        home = chunk->worker / (WORKERS / DOMAINS);
        while (!others_are_done())
            sched_yield();
    }
    violations += chunk->count != 1;
    *(blocks *)acc = (blocks){chunk->first, chunk->first + 1};
    atomic_fetch_add(&done[chunk->first / EACH], 1);
    return 0;
}

static void join(void *acc, const void *rhs, const void *arg)
{
    (void)arg;
    blocks *left = acc;
    const blocks *right = rhs;
    if (left->first == left->end) { /* the result */
        *left = *right;
        return;
    }
    const size_t domain = left->first / EACH;
    if (domain == (right->end - 1) / EACH && pthread_equal(pthread_self(), caller))
        far += domain != home;
    violations += left->end != right->first;
    left->end = right->end;
}

TEST(a_domain_combines_what_its_workers_have_left)
{
    setenv("HWLOC_SYNTHETIC", "node:4 core:2 pu:1", 1);
    caller = pthread_self();
    for (int round = 0; round < 5; round++) {
        para_pool *pool = check_pool(WORKERS); /* it knows nothing yet: slices are even */
        blocks result = {0, 0};
        for (unsigned d = 0; d < DOMAINS; d++)
            atomic_store(&done[d], 0);
        OK(para_preduce(
            pool, &(para_reduce){.kernel = note,
                                 .combine = join,
                                 .count = BLOCKS,
                                 .block = 1,
                                 .result = &result,
                                 .result_bytes = sizeof result,
                                 .options = {.executor = PARA_EXECUTOR_THREADS, .chunk = 1}}));
        assert_int_equal(result.first, 0);
        assert_int_equal(result.end, BLOCKS);
        para_pool_destroy(pool);
    }
    assert_int_equal(violations, 0);
    assert_int_equal(far, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_domain_combines_what_its_workers_have_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
