/* A chunk tells the kind of core that it runs on: on a pool that is told that its cores differ. */
#include "../common/check.h"

#include "pool/types.h"

enum { WORKERS = 4, COUNT = 400 };

typedef struct seen {
    unsigned worker, kind;
} seen;

static int note(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    seen *out = chunk->out[0];
    for (size_t i = 0; i < chunk->count; i++)
        out[i] = (seen){chunk->worker, chunk->kind};
    return 0;
}

static int note_alone(const para_chunk *chunk, void *acc, const void *arg)
{
    (void)arg;
    *(unsigned *)acc |= 1u << chunk->kind;
    return 0;
}

static void join_kinds(void *acc, const void *rhs, const void *arg)
{
    (void)arg;
    *(unsigned *)acc |= *(const unsigned *)rhs;
}

static void mix_kinds(para_pool *pool)
{
    pool->is_hybrid = true;
    for (unsigned w = 0; w < para__pool_workers(pool); w++)
        pool->lanes.helper[w].kind = w % 2 + 1;
}

TEST(chunks_tell_the_kind_of_their_core)
{
    static seen out[COUNT];
    para_pool *pool = check_pool(WORKERS);
    mix_kinds(pool);
    for (int round = 0; round < 200; round++) {
        OK(para_pmap(pool,
                     &(para_map){.kernel = note,
                                 .count = COUNT,
                                 .out = {PARA_OUT(out)},
                                 .options = {.executor = PARA_EXECUTOR_THREADS, .chunk = 1}}));
        for (size_t i = 0; i < COUNT; i++)
            assert_int_equal(out[i].kind, out[i].worker % 2 + 1);
    }
    para_pool_destroy(pool);
}

/* On the calling thread it is the kind of the core that this is on. */
TEST(calls_that_run_alone_tell_it_as_well)
{
    static const para_executor alone[] = {PARA_EXECUTOR_AUTO, PARA_EXECUTOR_SERIAL};
    para_pool *pool = check_pool(WORKERS);
    mix_kinds(pool);
    for (int round = 0; round < 100; round++)
        for (size_t e = 0; e < COUNT_OF(alone); e++) {
            seen out = {0};
            unsigned kinds = 0;
            OK(para_pmap(pool, &(para_map){.kernel = note,
                                           .count = 1,
                                           .out = {PARA_OUT(&out)},
                                           .options = {.executor = alone[e]}}));
            assert_in_range(out.kind, 1, 2);
            OK(para_preduce(pool, &(para_reduce){.kernel = note_alone,
                                                 .combine = join_kinds,
                                                 .count = 1,
                                                 .result = &kinds,
                                                 .result_bytes = sizeof kinds,
                                                 .options = {.executor = alone[e]}}));
            assert_true(kinds == 2 || kinds == 4);
        }
    para_pool_destroy(pool);
}

TEST(where_all_cores_are_alike_it_is_0)
{
    seen out = {.kind = 9};
    para_pool *pool = check_pool(2);
    if (pool->machine->info.core_kinds == 1) {
        OK(para_pmap(pool, &(para_map){.kernel = note, .count = 1, .out = {PARA_OUT(&out)}}));
        assert_int_equal(out.kind, 0);
    }
    para_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_tell_the_kind_of_their_core),
        cmocka_unit_test(calls_that_run_alone_tell_it_as_well),
        cmocka_unit_test(where_all_cores_are_alike_it_is_0),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
