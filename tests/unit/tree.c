/* The block rule and the fixed tree. */
#include "../common/check.h"

#include "plan/tree.h"

#include <para/reduce.h>
#include <string.h>

static const size_t acc_sizes[] = {1,       4,       8,        24,        64,
                                   1000,    4096,    65536,    1 << 18,   (1 << 18) + 8,
                                   1 << 20, 8 << 20, 16 << 20, 100000000, (size_t)1 << 40};
static const size_t counts[] = {1,
                                2,
                                7,
                                8,
                                9,
                                63,
                                64,
                                65,
                                511,
                                512,
                                513,
                                1000,
                                4096,
                                65537,
                                1000000,
                                100000000,
                                SIZE_MAX / 2,
                                SIZE_MAX - 64,
                                SIZE_MAX - 1,
                                SIZE_MAX};

static size_t divide_up(size_t n, size_t by)
{
    by = by ? by : 1; /* which the tests that divide look at themselves */
    return n / by + (n % by != 0);
}

/* As reduce.h has it, in bytes: of slots in the one case, of accumulators in the other. */
static size_t slots_allowed(size_t acc_bytes, size_t slot_bytes)
{
    const size_t small = ((size_t)256 << 10) / slot_bytes;
    size_t large = ((size_t)64 << 20) / acc_bytes;
    large = large > 64 ? 64 : large < 4 ? 4 : large;
    return small > large ? small : large;
}

TEST(blocks_keep_the_memory_bound)
{
    for (size_t c = 0; c < COUNT_OF(counts); c++)
        for (size_t a = 0; a < COUNT_OF(acc_sizes); a++) {
            const size_t block = para__block_elements(counts[c], acc_sizes[a]);
            assert_true(block >= 1);
            assert_true(divide_up(counts[c], block) <= slots_allowed(acc_sizes[a], acc_sizes[a]));
            assert_true(block >= acc_sizes[a] / (acc_sizes[a] > 1 << 18 ? 2 : 8));
            assert_int_equal(para_reduce_block(counts[c], acc_sizes[a]), block);
        }
    assert_true(para_reduce_block(0, 0) >= 1);
    assert_true(para_reduce_block(1000, 0) >= 1);
}

TEST(few_elements_make_eight_blocks)
{
    for (size_t count = 1; count <= 8; count++)
        assert_int_equal(para__block_elements(count, 8), 1);
    for (size_t count = 8; count < 504; count += 8) /* of a length that is not rounded */
        assert_int_equal(divide_up(count, para__block_elements(count, 8)), 8);
}

TEST(long_blocks_begin_on_equal_places_in_a_line)
{
    for (size_t c = 0; c < COUNT_OF(counts); c++)
        for (size_t a = 0; a < COUNT_OF(acc_sizes); a++) {
            const size_t block = para__block_elements(counts[c], acc_sizes[a]);
            assert_true(block < 64 || block % 64 == 0 || block > SIZE_MAX - 64);
        }
}

/* What a call computes depends on them: computed in exact integers, and never to change. */
TEST(the_block_rule_is_fixed)
{
    static const struct {
        size_t count, acc_bytes, block;
    } rule[] = {
        {1, 8, 1},
        {100, 8, 13},
        {1000, 8, 128},
        {1295, 8, 192},
        {1296, 8, 192},
        {10000, 8, 448},
        {1000000, 8, 4032},
        {1000000, 4, 4032},
        {1000000, 24, 4032},
        {1000000, 65536, 15680},
        {1000000, 262144, 32768},
        {1000000, 262152, 131136},
        {1000000, 1048576, 524288},
        {100000000, 8388608, 12500032},
        {100000000, 100000000, 50000000},
        {1000000000, 100000000, 250000000},
        {100000000, 8, 40000},
        {1000000007, 8, 126528},
        {1099511627776, 16, 67108864},
        {18446744073709551615u, 8, 562949953421312},
        {18446744073709551615u, 4096, 288230376151711744},
        {4503599627370497, 1, 17179869248},
        {9007199515875288, 8, 274877914944},
    };
    for (size_t i = 0; i < COUNT_OF(rule); i++)
        assert_int_equal(para__block_elements(rule[i].count, rule[i].acc_bytes), rule[i].block);
}

TEST(blocks_grow_with_the_count)
{
    for (size_t a = 0; a < COUNT_OF(acc_sizes); a++)
        for (size_t count = 1; count < SIZE_MAX / 5; count += count / 3 + 1) {
            const size_t block = para__block_elements(count, acc_sizes[a]);
            assert_true(para__block_elements(2 * count, acc_sizes[a]) >= block);
            assert_true(para__block_elements(4 * count, acc_sizes[a]) <= 4 * block + 64);
        }
}

static const size_t leaf_counts[] = {1, 2, 3, 64, 65, 100, 127, 128, 129, 32768, 32769, SIZE_MAX};
static const unsigned widths[] = {1, 2, 3, 64, 1024};

TEST(units_are_as_many_as_wanted_and_allowed)
{
    for (size_t l = 0; l < COUNT_OF(leaf_counts); l++)
        for (size_t w = 0; w < COUNT_OF(widths); w++)
            for (size_t a = 0; a < COUNT_OF(acc_sizes); a++) {
                const unsigned level = para__unit_level(leaf_counts[l], acc_sizes[a], widths[w]);
                assert_in_range(level, 0, 63);
                const size_t units = divide_up(leaf_counts[l], (size_t)1 << level);
                const size_t allowed = slots_allowed(acc_sizes[a], para__slot_bytes(acc_sizes[a]));
                const size_t wanted =
                    widths[w] * (acc_sizes[a] > 1 << 17   ? 8
                                 : acc_sizes[a] > 1 << 12 ? (1 << 20) / acc_sizes[a]
                                                          : 256);
                size_t most = wanted < allowed ? wanted : allowed;
                most = most < leaf_counts[l] ? most : leaf_counts[l];
                assert_true(units <= allowed);
                assert_true(units >= most / 2); /* level steps halve */
                if (leaf_counts[l] <= wanted && leaf_counts[l] <= allowed)
                    assert_int_equal(level, 0);
            }
}

/* Partial results and the accumulators of all stacks. */
static size_t folding_bytes(size_t leaves, size_t acc_bytes, unsigned width, unsigned level)
{
    return (divide_up(leaves, (size_t)1 << level) + (size_t)width * level) *
           para__slot_bytes(acc_bytes);
}

TEST(participants_have_room_to_fold)
{
    for (size_t l = 0; l < COUNT_OF(leaf_counts); l++)
        for (size_t w = 0; w < COUNT_OF(widths); w++)
            for (size_t a = 0; a + 1 < COUNT_OF(acc_sizes); a++) {
                const size_t acc = acc_sizes[a];
                const unsigned wished = para__unit_level(leaf_counts[l], acc, widths[w]);
                unsigned level = wished;
                const unsigned width = para__tree_width(leaf_counts[l], acc, widths[w], &level);
                assert_in_range(width, 1, widths[w]);
                if (width == 1) {
                    assert_int_equal(level, para__ceiling_log2(leaf_counts[l]));
                    continue;
                }
                const size_t room = (size_t)256 << 20;
                const size_t four = 4 * para__slot_bytes(acc);
                assert_true(level >= wished);
                assert_true(folding_bytes(leaf_counts[l], acc, width, level) <=
                            (room > four ? room : four));
                if (folding_bytes(leaf_counts[l], acc, widths[w], wished) <= room &&
                    divide_up(leaf_counts[l], (size_t)1 << wished) >= widths[w]) {
                    assert_int_equal(width, widths[w]);
                    assert_int_equal(level, wished);
                }
            }
}

/* With blocks as they are chosen, two participants have room, if there are two blocks. */
TEST(automatic_blocks_can_be_shared)
{
    for (size_t c = 0; c < COUNT_OF(counts); c++)
        for (size_t a = 0; a + 1 < COUNT_OF(acc_sizes); a++) {
            const size_t blocks =
                divide_up(counts[c], para__block_elements(counts[c], acc_sizes[a]));
            unsigned level = para__unit_level(blocks, acc_sizes[a], 2);
            const unsigned width = para__tree_width(blocks, acc_sizes[a], 2, &level);
            assert_int_equal(width, blocks > 1 ? 2 : 1);
        }
}

/* ---- Folding ------------------------------------------------------------------------- */

/* A node remembers what it stands for, and how it was made: the hash is neither commutative nor
 * associative, so only one order of combining gives it. */
typedef struct node {
    uint64_t hash;
    size_t first, end;
} node;

static unsigned combines, misplaced;

static void combine(void *acc, const void *rhs, const void *arg)
{
    node *a = acc;
    const node *b = rhs;
    combines++;
    misplaced += a->end != b->first || arg != &combines;
    a->hash = check_mix(3 * check_mix(a->hash) + b->hash);
    a->end = b->end;
}

static node leaf(size_t i)
{
    return (node){.hash = check_mix(i + 1), .first = i, .end = i + 1};
}

static node oracle(size_t first, size_t n)
{
    if (n == 1)
        return leaf(first);
    size_t half = 1;
    while (half * 2 < n)
        half *= 2;
    node a = oracle(first, half);
    const node b = oracle(first + half, n - half);
    combine(&a, &b, &combines);
    return a;
}

enum { LEAVES = 200, STRIDE = 48 };

/* Cuts the leaves into runs, folds these in random order, then the whole. */
static node fold_in_runs(size_t leaves, uint64_t *seed)
{
    static unsigned char slots[LEAVES * STRIDE];
    for (size_t i = 0; i < leaves; i++) {
        const node n = leaf(i);
        memcpy(slots + i * STRIDE, &n, sizeof n);
        slots[i * STRIDE + STRIDE - 1] = 0; /* a leaf */
    }
    const para__partials partials = {.slots = slots, .stride = STRIDE, .leaves = leaves};
    size_t border[LEAVES + 1] = {0};
    size_t runs = 0;
    const uint64_t longest = 1 + check_below(seed, leaves);
    while (border[runs] < leaves) {
        const size_t end = border[runs] + 1 + check_below(seed, longest);
        border[++runs] = end < leaves ? end : leaves;
    }
    size_t order[LEAVES] = {0};
    for (size_t i = 0; i < runs; i++) {
        const size_t k = check_below(seed, i + 1);
        order[i] = order[k];
        order[k] = i;
    }
    for (size_t i = 0; i < runs; i++)
        para__tree_fold(&partials, border[order[i]], border[order[i] + 1], combine, &combines);
    para__tree_fold(&partials, 0, leaves, combine, &combines);
    node result;
    memcpy(&result, slots, sizeof result);
    return result;
}

TEST(runs_in_any_order_fold_to_the_tree)
{
    uint64_t seed = 1;
    for (size_t leaves = 1; leaves <= LEAVES; leaves++) {
        const node expected = oracle(0, leaves);
        for (int trial = 0; trial < 25; trial++) {
            combines = 0;
            const node found = fold_in_runs(leaves, &seed);
            assert_int_equal(found.hash, expected.hash);
            assert_int_equal(found.first, 0);
            assert_int_equal(found.end, leaves);
            assert_int_equal(combines, leaves - 1);
        }
    }
    assert_int_equal(misplaced, 0);
}

/* Runs that are folded whole, each in its first slot; the others hold rubbish. Some neighbours are
 * folded first, as a domain's are. */
static node fold_whole_runs(size_t leaves, uint64_t *seed)
{
    static unsigned char slots[LEAVES * STRIDE];
    memset(slots, 0x5a, sizeof slots);
    const para__partials partials = {.slots = slots, .stride = STRIDE, .leaves = leaves};
    const uint64_t longest = 1 + check_below(seed, leaves);
    size_t folded = 0;
    for (size_t first = 0, end; first < leaves; first = end) {
        end = first + 1 + check_below(seed, longest);
        end = end < leaves ? end : leaves;
        node run = leaf(first);
        run.end = end;
        memcpy(slots + first * STRIDE, &run, sizeof run);
        para__tree_set_run(&partials, first, end);
        if (check_below(seed, 3) == 0) {
            para__tree_fold(&partials, folded, end, combine, &combines);
            folded = check_below(seed, 2) ? folded : end;
        }
    }
    para__tree_fold(&partials, 0, leaves, combine, &combines);
    node result;
    memcpy(&result, slots, sizeof result);
    return result;
}

TEST(whole_runs_fold_in_order)
{
    uint64_t seed = 2;
    misplaced = 0;
    for (size_t leaves = 1; leaves <= LEAVES; leaves++)
        for (int trial = 0; trial < 25; trial++) {
            const node found = fold_whole_runs(leaves, &seed);
            assert_int_equal(found.first, 0);
            assert_int_equal(found.end, leaves);
        }
    assert_int_equal(misplaced, 0);
}

TEST(a_folded_tree_is_not_touched_again)
{
    unsigned char slots[8 * STRIDE] = {0};
    const para__partials partials = {.slots = slots, .stride = STRIDE, .leaves = 7};
    for (size_t i = 0; i < 7; i++) {
        const node n = leaf(i);
        memcpy(slots + i * STRIDE, &n, sizeof n);
        slots[i * STRIDE + STRIDE - 1] = 0; /* a leaf */
    }
    combines = 0;
    para__tree_fold(&partials, 0, 7, combine, &combines);
    assert_int_equal(combines, 6);
    para__tree_fold(&partials, 0, 7, combine, &combines);
    assert_int_equal(combines, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_keep_the_memory_bound),
        cmocka_unit_test(few_elements_make_eight_blocks),
        cmocka_unit_test(long_blocks_begin_on_equal_places_in_a_line),
        cmocka_unit_test(the_block_rule_is_fixed),
        cmocka_unit_test(blocks_grow_with_the_count),
        cmocka_unit_test(units_are_as_many_as_wanted_and_allowed),
        cmocka_unit_test(participants_have_room_to_fold),
        cmocka_unit_test(automatic_blocks_can_be_shared),
        cmocka_unit_test(runs_in_any_order_fold_to_the_tree),
        cmocka_unit_test(whole_runs_fold_in_order),
        cmocka_unit_test(a_folded_tree_is_not_touched_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
