/* Teams: who takes part in a call, and in what rank; and the word that says so. */
#include "../common/check.h"

#include "pool/types.h"
#include "share/lane.h"

#include <para/para.h>
#include <stdlib.h>

/* Each that takes part has a rank of its own, in the order of places. The caller is one of them,
 * and nobody else has a rank. */
static void check_team(para__team t, unsigned workers)
{
    unsigned ranks = 0;
    for (unsigned w = 0; w < workers; w++) {
        const unsigned rank = para__team_rank(&t, w);
        if (rank >= t.invited) {
            assert_int_not_equal(w, t.caller_place);
            continue;
        }
        assert_int_equal(rank, ranks++);
        assert_int_equal(para__team_member(&t, rank), w);
        assert_true(w - t.first < t.width);
    }
    assert_int_equal(ranks, t.invited);
}

static void check_word(para__team t)
{
    const uint64_t epoch = 0x123456789ab;
    const uint64_t word = para__team_word(epoch, t);
    const para__team back = para__team_of(word);
    assert_true(para__is_of_age(word, epoch) && !para__is_of_age(word, epoch + 1));
    assert_int_equal(back.within, t.within);
    assert_int_equal(back.first, t.first);
    assert_int_equal(back.width, t.width);
    assert_int_equal(back.invited, t.invited);
    assert_int_equal(back.caller_place, t.caller_place);
}

TEST(neighbours)
{
    for (unsigned first = 0; first < 9; first++)
        for (unsigned width = 2; width < 9; width++)
            for (unsigned caller = first; caller < first + width; caller++) {
                const para__team t = {.within = first % 9,
                                      .first = first,
                                      .width = width,
                                      .invited = width,
                                      .caller_place = caller};
                check_team(t, 20);
                check_word(t);
            }
}

/* Whoever calls, a part of `invited / width` of any stretch of places takes part, or the next whole
 * number. */
TEST(a_share_of_every_domain)
{
    for (unsigned width = 3; width < 30; width++)
        for (unsigned invited = 2; invited < width; invited++)
            for (unsigned caller = 0; caller < width; caller++) {
                const para__team t = {.width = width, .invited = invited, .caller_place = caller};
                check_team(t, width + 5);
                check_word(t);
                for (unsigned first = 0; first < width; first++) {
                    unsigned there = 0;
                    for (unsigned w = first; w < width; w++) {
                        there += para__team_rank(&t, w) < invited;
                        const unsigned due = (w + 1 - first) * invited / width;
                        assert_true(there == due || there == due + 1);
                    }
                }
            }
}

TEST(the_largest)
{
    const para__team all = {.within = PARA__LANES,
                            .width = PARA__WORKERS_MAX,
                            .invited = PARA__WORKERS_MAX,
                            .caller_place = PARA__WORKERS_MAX - 1};
    check_team(all, PARA__WORKERS_MAX);
    check_word(all);
    for (unsigned invited = 2; invited < PARA__WORKERS_MAX; invited += 73) {
        para__team t = all;
        t.invited = invited;
        check_team(t, PARA__WORKERS_MAX);
        check_word(t);
        t.caller_place = 0;
        check_team(t, PARA__WORKERS_MAX);
    }
    const para__team last = {.first = PARA__WORKERS_MAX - 2,
                             .width = 2,
                             .invited = 2,
                             .caller_place = PARA__WORKERS_MAX - 1};
    check_team(last, PARA__WORKERS_MAX);
    check_word(last);
}

enum { COUNT = 200000, LIMIT_MOST = 12 };

static para__atomic_u32 seen[LIMIT_MOST]; /* which workers have run a chunk */

static int add_one(const para_chunk *chunk, const void *arg)
{
    int *out = chunk->out[0];
    const unsigned limit = *(const unsigned *)arg;
    for (size_t i = 0; i < chunk->count; i++)
        out[i] += chunk->worker < limit ? 1 : 1000;
    para__store_relaxed(&seen[chunk->worker % LIMIT_MOST], 1); /* read after the join */
    return 0;
}

static void add_up(para_pool *pool, unsigned limit, int *data)
{
    para_report report;
    for (unsigned w = 0; w < LIMIT_MOST; w++)
        para__store_relaxed(&seen[w], 0);
    assert_int_equal(para_pmap(pool, &(para_map){.kernel = add_one,
                                                 .arg = &limit,
                                                 .count = COUNT,
                                                 .out = {{data, sizeof *data}},
                                                 .options = {.executor = PARA_EXECUTOR_THREADS,
                                                             .workers = limit},
                                                 .scratch_bytes = 5000,
                                                 .report = &report}),
                     PARA_OK);
    unsigned workers = 0;
    for (unsigned w = 0; w < LIMIT_MOST; w++)
        workers += para__load_relaxed(&seen[w]);
    assert_int_equal(report.width, limit);
    assert_int_equal(report.workers, workers);
    assert_true(workers <= limit);
}

/* Calls of all widths on a machine of several domains, in a pool with a worker for every core. */
TEST(calls_of_all_widths)
{
    setenv("HWLOC_SYNTHETIC", "pack:2 [numa] l3:2 core:3 pu:1", 1);
    para_pool *pool = NULL;
    int *data = calloc(COUNT, sizeof *data);
    assert_non_null(data);
    assert_int_equal(para_pool_create(&pool, NULL), PARA_OK);
    assert_true(pool->has_domains);
    int calls = 0;
    for (unsigned limit = 2; limit <= LIMIT_MOST; limit++)
        for (int i = 0; i < 5; i++, calls++)
            add_up(pool, limit, data);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(data[i], calls);
    para_pool_destroy(pool);
    free(data);
}

/* Where a participant's scratch is, by its number; 0: it has had none. */
static para__atomic_u64 scratch_at[LIMIT_MOST];

static int note_scratch(const para_chunk *chunk, const void *arg)
{
    memset(chunk->scratch, 1, *(const size_t *)arg < 4096 ? 1 : 4096);
    para__store_relaxed(&scratch_at[chunk->worker], (uintptr_t)chunk->scratch);
    return 0;
}

static int note_in_reduction(const para_chunk *chunk, void *accumulator, const void *arg)
{
    (void)accumulator;
    return note_scratch(chunk, arg);
}

static void join_nothing(void *into, const void *from, const void *arg)
{
    (void)into;
    (void)from;
    (void)arg;
}

static void use_scratch(para_pool *pool, size_t bytes, bool reduces)
{
    double result = 0;
    const para_options options = {.executor = PARA_EXECUTOR_THREADS};
    for (unsigned w = 0; w < LIMIT_MOST; w++)
        para__store_relaxed(&scratch_at[w], 0);
    if (reduces)
        assert_int_equal(para_preduce(pool, &(para_reduce){.kernel = note_in_reduction,
                                                           .combine = join_nothing,
                                                           .arg = &bytes,
                                                           .count = 5000,
                                                           .block = 10,
                                                           .result = &result,
                                                           .result_bytes = sizeof result,
                                                           .scratch_bytes = bytes,
                                                           .options = options}),
                         PARA_OK);
    else
        assert_int_equal(para_pmap(pool, &(para_map){.kernel = note_scratch,
                                                     .arg = &bytes,
                                                     .count = 5000,
                                                     .scratch_bytes = bytes,
                                                     .options = options}),
                         PARA_OK);
}

/* Whether whoever has had scratch has it `distance` from its neighbours, without a page in common:
 * so that pages of one do not become another's. Returns the first one's. */
static uintptr_t check_strips(size_t bytes, size_t distance)
{
    uintptr_t first = 0;
    unsigned first_w = 0;
    for (unsigned w = 0; w < LIMIT_MOST; w++) {
        const uintptr_t at = para__load_relaxed(&scratch_at[w]);
        if (at == 0)
            continue;
        first_w = first ? first_w : w;
        first = first ? first : at;
        assert_int_equal(at - first, (w - first_w) * distance);
    }
    assert_true(first != 0 && bytes <= distance && distance % 4096 == 0);
    return first - first_w * distance;
}

/* Two calls, of which the second needs other scratch: its strips are those of the longer one.
 * Memory that no call has needed for a second is given back, so calls that took so long say
 * nothing. */
static void check_pair(para_pool *pool, size_t bytes, size_t then, bool reduces, size_t distance)
{
    uintptr_t begin = 0;
    uint64_t since;
    int tries = 100;
    do {
        since = para_deadline_after(0);
        use_scratch(pool, bytes, false);
        if (para_deadline_after(0) - since < 500000000)
            begin = check_strips(bytes, distance);
        use_scratch(pool, then, reduces);
    } while (para_deadline_after(0) - since > 500000000 && --tries);
    if (tries && !reduces) /* a reduction has more in its strips than scratch */
        assert_int_equal(check_strips(then, distance), begin);
    else if (tries)
        check_strips(then, distance);
}

TEST(scratch_of_other_lengths_keeps_its_pages)
{
    setenv("HWLOC_SYNTHETIC", "pack:2 [numa] l3:2 core:3 pu:1", 1);
    para_pool *pool = NULL;
    assert_int_equal(para_pool_create(&pool, NULL), PARA_OK);
    for (size_t then = 5000; then <= 200000; then += 39000)
        check_pair(pool, 200000, then, false, 200704);
    check_pair(pool, 300000, 5000, true, 303104);
    check_pair(pool, (size_t)17 << 20, 5000, false, (size_t)18 << 20); /* whole huge pages */
    para_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours),
        cmocka_unit_test(a_share_of_every_domain),
        cmocka_unit_test(the_largest),
        cmocka_unit_test(calls_of_all_widths),
        cmocka_unit_test(scratch_of_other_lengths_keeps_its_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
