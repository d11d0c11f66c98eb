/* para_preduce: the same bits as its definition, on any pool and with any options. */
#include "../common/check.h"
#include "../common/oracle.h"

#include <math.h>

static const unsigned pool_sizes[] = {1, 2, 3, 5, 8, 16, 33, 64};

#include "../common/pools.h"

static _Atomic unsigned violations;

/* Runs the call, whose result is `bytes` bytes at most 64, on a copy of init, and compares. */
static void compare(para_pool *pool, para_reduce call, const void *init, const void *expected)
{
    unsigned char result[64];
    memcpy(result, init, call.result_bytes);
    call.result = result;
    OK(para_preduce(pool, &call));
    assert_memory_equal(result, expected, call.result_bytes);
}

/* On all pools, by all executors, with several chunk options. */
static void compare_everywhere(para_reduce call, const void *init)
{
    unsigned char expected[64];
    memcpy(expected, init, call.result_bytes);
    assert_int_equal(oracle_reduce(&call, expected), 0);
    const size_t n = call.count;
    const size_t chunks[] = {0, 1, 7, 100, 4096, n / 2, n, n + 1, SIZE_MAX};
    for (size_t p = 0; p < COUNT_OF(pools); p++) {
        for (int e = 0; e <= PARA_EXECUTOR_SERIAL; e++) {
            call.options = (para_options){.executor = (para_executor)e};
            compare(pools[p], call, init, expected);
        }
        for (size_t c = 0; c < COUNT_OF(chunks); c++) {
            call.options = (para_options){.executor = PARA_EXECUTOR_THREADS, .chunk = chunks[c]};
            compare(pools[p], call, init, expected);
        }
    }
}

enum { MOST = 300000 };
static double numbers[MOST];

/* Of very different sizes, so that every other order gives other bits. */
static void fill_numbers(void)
{
    for (size_t i = 0; i < MOST; i++)
        numbers[i] = ldexp((double)(int64_t)check_mix(i), (int)(check_mix(~i) % 40) - 80);
}

PARA_REDUCE_KERNEL(sum, double, s, double, x, s += x)
PARA_COMBINE(add, double, s, t, s += t)

static const para_reduce sum_call = {.kernel = sum,
                                     .combine = add,
                                     .in = {{numbers, sizeof *numbers}},
                                     .result_bytes = sizeof(double)};

static const size_t sizes[] = {1,   2,   7,   8,    9,    63,   64,    65,
                               511, 512, 513, 1000, 4096, 4097, 65537, MOST};

TEST(sums_have_the_bits_of_the_definition)
{
    const double init = 0.1;
    fill_numbers();
    for (size_t s = 0; s < COUNT_OF(sizes); s++) {
        para_reduce call = sum_call;
        call.count = sizes[s];
        compare_everywhere(call, &init);
    }
}

TEST(any_number_of_workers)
{
    const double init = -3;
    for (size_t n = 999; n <= MOST; n *= 17) {
        para_reduce call = sum_call;
        call.count = n;
        double expected = init;
        oracle_reduce(&call, &expected);
        for (unsigned workers = 1; workers <= 64; workers++) {
            call.options = (para_options){.executor = PARA_EXECUTOR_THREADS, .workers = workers};
            compare(pools[COUNT_OF(pools) - 1], call, &init, &expected);
        }
    }
}

TEST(any_block)
{
    const double init = 0;
    static const size_t counts[] = {1, 5, 1000, 4097};
    for (size_t c = 0; c < COUNT_OF(counts); c++) {
        const size_t n = counts[c];
        const size_t blocks[] = {1, 2, 3, 64, 1000, n - 1, n, n + 1, SIZE_MAX};
        for (size_t b = 0; b < COUNT_OF(blocks); b++) {
            para_reduce call = sum_call;
            call.count = n;
            call.block = blocks[b];
            compare_everywhere(call, &init);
        }
    }
}

TEST(the_block_is_part_of_what_is_computed)
{
    para_reduce call = sum_call;
    call.count = MOST;
    double a = 0;
    double b = 0;
    call.result = &a;
    OK(para_preduce(pools[1], &call));
    call.block = 1;
    call.result = &b;
    OK(para_preduce(pools[1], &call));
    assert_true(memcmp(&a, &b, sizeof a) != 0); /* or these numbers would prove nothing */
}

/* ---- Operations of which only one order is right ------------------------------------- */

/* x -> a x + b, composed from left to right; associative, not commutative. */
typedef struct affine {
    uint64_t a, b;
} affine;

static affine compose(affine f, affine g)
{
    return (affine){.a = f.a * g.a, .b = f.b * g.a + g.b};
}

static affine affine_of(size_t i)
{
    return (affine){.a = check_mix(i) | 1, .b = check_mix(i + 77)};
}

static int compose_all(const para_chunk *chunk, void *acc, const void *arg)
{
    affine f = *(affine *)acc;
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        f = compose(f, affine_of(chunk->first + i));
    *(affine *)acc = f;
    return 0;
}

PARA_COMBINE(compose_two, affine, f, g, f = compose(f, g))

TEST(order_is_kept)
{
    const affine identity = {1, 0};
    const affine init = {5, 9};
    for (size_t s = 0; s < COUNT_OF(sizes); s++) {
        const para_reduce call = {.kernel = compose_all,
                                  .combine = compose_two,
                                  .count = sizes[s],
                                  .result_bytes = sizeof(affine),
                                  .identity = &identity};
        compare_everywhere(call, &init);
        affine serial = init; /* associative: the definition equals the plain loop as well */
        compose_all(&(para_chunk){.count = sizes[s]}, &serial, NULL);
        compare(pools[4], call, &init, &serial);
    }
}

/* A hash that is not even associative, and so tells the tree itself; and the range it stands
 * for. */
typedef struct node {
    uint64_t hash;
    size_t first, end; /* equal: the identity */
} node;

static int hash_all(const para_chunk *chunk, void *acc, const void *arg)
{
    node *a = acc;
    violations += a->first != a->end || arg != &violations;
    a->hash = check_mix(a->hash + chunk->first * 31 + chunk->count);
    a->first = chunk->first;
    a->end = chunk->first + chunk->count;
    return 0;
}

static void hash_two(void *acc, const void *rhs, const void *arg)
{
    node *a = acc;
    const node *b = rhs;
    violations += arg != &violations || (a->first != a->end && a->end != b->first);
    violations += a->first == a->end && b->first != 0; /* init comes first, with the whole */
    a->hash = check_mix(3 * check_mix(a->hash) + b->hash);
    a->first = a->first == a->end ? 0 : a->first;
    a->end = b->end;
}

TEST(the_tree_is_the_one_documented)
{
    const node init = {.hash = 12345};
    const node identity = {.hash = 999, .first = 7, .end = 7};
    for (size_t s = 0; s < COUNT_OF(sizes); s++)
        for (size_t block = 0; block <= 3; block++) {
            const para_reduce call = {.kernel = hash_all,
                                      .combine = hash_two,
                                      .arg = &violations,
                                      .count = sizes[s],
                                      .block = sizes[s] <= 5000 ? block : block * 1000,
                                      .result_bytes = sizeof(node),
                                      .identity = &identity};
            compare_everywhere(call, &init);
        }
    assert_int_equal(violations, 0);
}

TEST(huge_counts)
{
    static const size_t counts[] = {SIZE_MAX, SIZE_MAX - 1, (size_t)1 << 63, ((size_t)1 << 40) + 1};
    const node init = {.hash = 1};
    for (size_t c = 0; c < COUNT_OF(counts); c++)
        compare_everywhere((para_reduce){.kernel = hash_all,
                                         .combine = hash_two,
                                         .arg = &violations,
                                         .count = counts[c],
                                         .block = c % 2 ? counts[c] / 1000 : 0,
                                         .result_bytes = sizeof(node)},
                           &init);
    assert_int_equal(violations, 0);
}

/* ---- Init, identity, nothing --------------------------------------------------------- */

static int count_elements(const para_chunk *chunk, void *acc, const void *arg)
{
    (void)arg;
    *(uint64_t *)acc += chunk->count;
    return 0;
}

PARA_COMBINE(add_counts, uint64_t, s, t, s += t)

TEST(init_is_folded_in_once)
{
    for (size_t s = 0; s < COUNT_OF(sizes); s++)
        for (size_t p = 0; p < COUNT_OF(pools); p++) {
            uint64_t total = 1000000007;
            OK(para_preduce(pools[p], &(para_reduce){.kernel = count_elements,
                                                     .combine = add_counts,
                                                     .count = sizes[s],
                                                     .result = &total,
                                                     .result_bytes = sizeof total,
                                                     .options.executor = PARA_EXECUTOR_THREADS}));
            assert_int_equal(total, 1000000007 + sizes[s]);
        }
}

TEST(each_block_starts_from_the_identity)
{
    const uint64_t identity = 1000;
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (size_t n = 1; n <= 100; n++) {
            uint64_t total = 5;
            OK(para_preduce(pools[p], &(para_reduce){.kernel = count_elements,
                                                     .combine = add_counts,
                                                     .count = n,
                                                     .result = &total,
                                                     .result_bytes = sizeof total,
                                                     .identity = &identity,
                                                     .block = 3,
                                                     .options.executor = PARA_EXECUTOR_THREADS}));
            assert_int_equal(total, 5 + n + 1000 * ((n - 1) / 3 + 1));
        }
}

TEST(nothing_leaves_init)
{
    double result = 0.25;
    para_reduce call = sum_call;
    call.result = &result;
    OK(para_preduce(pools[1], &call));
    assert_true(result == 0.25);
    OK(para_preduce(NULL, &call));
    assert_true(result == 0.25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_have_the_bits_of_the_definition),
        cmocka_unit_test(any_number_of_workers),
        cmocka_unit_test(any_block),
        cmocka_unit_test(the_block_is_part_of_what_is_computed),
        cmocka_unit_test(order_is_kept),
        cmocka_unit_test(the_tree_is_the_one_documented),
        cmocka_unit_test(huge_counts),
        cmocka_unit_test(init_is_folded_in_once),
        cmocka_unit_test(each_block_starts_from_the_identity),
        cmocka_unit_test(nothing_leaves_init),
    };
    return cmocka_run_group_tests(tests, make_pools, destroy_pools);
}
