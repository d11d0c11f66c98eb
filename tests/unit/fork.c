/* fork(): a child gets pools that work, whatever the parent was in the middle of. */
#include "../common/child.h"

#include <pthread.h>
#include <string.h>

/* Runs body in a child and returns what it returned. */
static int in_child_with(int (*body)(para_pool *), para_pool *pool)
{
    const pid_t child = fork();
    if (child == 0) {
        alarm(CHILD_SECONDS);
        _exit(body(pool));
    }
    return status_of_child(child);
}

static int mix_all(const para_chunk *chunk, const void *arg)
{
    uint64_t *out = chunk->out[0];
    (void)arg;
    memset(chunk->scratch, 1, 100000);
    for (size_t i = 0; i < chunk->count; i++)
        out[i] = check_mix(chunk->first + i);
    return 0;
}

enum { BINS = 3000 };

static int count(const para_chunk *chunk, void *acc, const void *arg)
{
    const uint64_t *in = chunk->in[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        ((uint64_t *)acc)[in[i] % BINS]++;
    return 0;
}

static void add_bins(void *acc, const void *rhs, const void *arg)
{
    (void)arg;
    for (size_t i = 0; i < BINS; i++)
        ((uint64_t *)acc)[i] += ((const uint64_t *)rhs)[i];
}

/* Both calls, with memory of every kind, checked; *why: of the map. */
static int compute(para_pool *pool, para_why *why)
{
    enum { N = 4000 };
    uint64_t out[N] = {0};
    uint64_t bins[BINS] = {0};
    para_report report = {0};
    const para_options threads = {.executor = PARA_EXECUTOR_THREADS};
    EXPECT(para_pmap(pool, &(para_map){.kernel = mix_all,
                                       .count = N,
                                       .out = {PARA_OUT(out)},
                                       .scratch_bytes = 100000,
                                       .options = threads,
                                       .report = &report}) == PARA_OK);
    for (size_t i = 0; i < N; i++)
        EXPECT(out[i] == check_mix(i));
    EXPECT(para_preduce(pool, &(para_reduce){.kernel = count,
                                             .combine = add_bins,
                                             .count = N,
                                             .in = {PARA_IN(out)},
                                             .result = bins,
                                             .result_bytes = sizeof bins,
                                             .options = threads}) == PARA_OK);
    uint64_t all = 0;
    for (size_t i = 0; i < BINS; i++)
        all += bins[i];
    EXPECT(all == N);
    *why = report.why;
    return 0;
}

static int use_default(para_pool *unused)
{
    (void)unused;
    para_why why;
    if (!CHILDREN_HAVE_THREADS)
        return 0;
    const int wrong = compute(NULL, &why);
    EXPECT(wrong == 0);
    EXPECT(why != PARA_WHY_FORKED); /* it was made anew */
    para_pool_info info = {.size = sizeof info};
    EXPECT(para_pool_get_info(NULL, &info) == PARA_OK);
    EXPECT(!info.forked);
    return 0;
}

static int use_parents(para_pool *pool)
{
    para_why why;
    para_pool_info info = {.size = sizeof info};
    EXPECT(para_pool_get_info(pool, &info) == PARA_OK);
    EXPECT(info.forked);
    const int wrong = compute(pool, &why);
    EXPECT(wrong == 0);
    EXPECT(info.workers < 2 || why == PARA_WHY_FORKED);
    para_pool_destroy(pool); /* its memory only */
    return 0;
}

static int make_and_use(void)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = 3;
    para_pool *pool = NULL;
    para_why why;
    EXPECT(para_pool_create(&pool, &config) == PARA_OK);
    const int wrong = compute(pool, &why);
    EXPECT(wrong == 0);
    EXPECT(why == PARA_WHY_ASKED);
    para_pool_destroy(pool);
    return 0;
}

static int make_own(para_pool *unused)
{
    (void)unused;
    return CHILDREN_HAVE_THREADS ? make_and_use() : 0;
}

static int use_all(para_pool *pool)
{
    int wrong = use_default(NULL);
    wrong = wrong ? wrong : use_parents(pool);
    return wrong ? wrong : make_own(NULL);
}

static int fork_again(para_pool *pool)
{
    int wrong = use_default(NULL); /* so that the grandchild finds another one's default pool */
    EXPECT(wrong == 0);
    const pid_t child = fork();
    EXPECT(child >= 0);
    if (child == 0) {
        alarm(CHILD_SECONDS);
        _exit(use_all(pool));
    }
    int status = 0;
    EXPECT(waitpid(child, &status, 0) == child && WIFEXITED(status));
    wrong = WEXITSTATUS(status);
    return wrong ? wrong : use_default(NULL);
}

/* Comes first: nothing has been made yet. */
TEST(before_any_use)
{
    assert_int_equal(in_child_with(use_default, NULL), 0);
    assert_int_equal(in_child_with(make_own, NULL), 0);
}

TEST(after_use_of_the_default_pool)
{
    para_why why;
    assert_int_equal(compute(NULL, &why), 0);
    assert_int_equal(in_child_with(use_default, NULL), 0);
    assert_int_equal(in_child_with(make_own, NULL), 0);
    assert_int_equal(compute(NULL, &why), 0); /* the parent's goes on */
}

TEST(a_parents_pool_runs_serially)
{
    for (unsigned workers = 1; workers <= 4; workers++) {
        para_pool *pool = check_pool(workers);
        para_why why;
        assert_int_equal(in_child_with(use_parents, pool), 0); /* not used before */
        assert_int_equal(compute(pool, &why), 0);
        assert_int_equal(in_child_with(use_parents, pool), 0);
        assert_int_equal(compute(pool, &why), 0);
        assert_int_equal(why, workers > 1 ? PARA_WHY_ASKED : PARA_WHY_ONE_WORKER);
        para_pool_info info = {.size = sizeof info};
        OK(para_pool_get_info(pool, &info));
        assert_false(info.forked);
        para_pool_destroy(pool);
    }
}

TEST(children_of_children)
{
    para_pool *pool = check_pool(3);
    para_why why;
    assert_int_equal(compute(pool, &why), 0);
    assert_int_equal(in_child_with(fork_again, pool), 0);
    para_pool_destroy(pool);
}

/* ---- While other threads are in the middle of things --------------------------------- */

static _Atomic bool enough;
static _Atomic unsigned violations;

static void *call_on(void *pool)
{
    para_why why;
    while (!enough)
        violations += compute(pool, &why) != 0;
    return NULL;
}

static void *make_and_destroy(void *unused)
{
    while (!enough)
        violations += make_and_use() != 0;
    return unused;
}

TEST(while_others_call_and_make_pools)
{
    if (!FORKS_AMID_THREADS)
        skip();
    para_pool *pool = check_pool(3);
    pthread_t threads[4];
    assert_int_equal(pthread_create(&threads[0], NULL, call_on, pool), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, call_on, pool), 0);
    assert_int_equal(pthread_create(&threads[2], NULL, call_on, NULL), 0);
    assert_int_equal(pthread_create(&threads[3], NULL, make_and_destroy, NULL), 0);
    int wrong = 0;
    for (int i = 0; i < 25 && !wrong; i++)
        wrong = in_child_with(use_all, pool);
    enough = true;
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        pthread_join(threads[i], NULL);
    para_pool_destroy(pool);
    assert_int_equal(wrong, 0);
    assert_int_equal(violations, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_any_use),
        cmocka_unit_test(after_use_of_the_default_pool),
        cmocka_unit_test(a_parents_pool_runs_serially),
        cmocka_unit_test(children_of_children),
        cmocka_unit_test(while_others_call_and_make_pools),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
