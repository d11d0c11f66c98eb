/* Assertions of the library's own code: on in debug and sanitizer builds, not evaluated
 * elsewhere. */
#include "../common/waiters.h"

#include "base/assert.h"
#include "pool/types.h"
#include "share/valid.h"

#include <math.h>
#include <signal.h>

/* Whether body is ended by an assertion in a child. */
static bool is_ended(void (*body)(void))
{
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        signal(SIGABRT, SIG_DFL); /* a sanitizer's handler reports */
        alarm(CHILD_SECONDS);
        body();
        _exit(0);
    }
    int status = 0;
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    assert_true(WIFSIGNALED(status) ? WTERMSIG(status) == SIGABRT : WEXITSTATUS(status) == 0);
    return WIFSIGNALED(status);
}

static int evaluated;

static void assert_false_condition(void)
{
    PARA__ASSERT(evaluated++ < 0);
}

TEST(conditions_are_evaluated_only_where_they_are_on)
{
    PARA__ASSERT(++evaluated > 0);
    assert_int_equal(evaluated, PARA__ASSERTS);
    assert_int_equal(is_ended(assert_false_condition), PARA__ASSERTS);
}

static int key;

static void break_a_line(void)
{
    para__event event = {PARA__ATOMIC(PARA__PARKED)};
    para__waiter waiter = {.key = &key, .event = &event};
    para__waiter stranger = {.key = &key, .event = &event};
    para__bucket *bucket = para__bucket_lock(&key);
    para__queue_append(bucket, &waiter);
    waiter.prev = &stranger;
    para__bucket_unlock(bucket);
}

TEST(a_broken_line_is_found)
{
    assert_int_equal(is_ended(break_a_line), PARA__ASSERTS);
}

static void lose_a_waiter(void)
{
    para_mutex mutex = {1};
    para__event event = {PARA__ATOMIC(PARA__PARKED)};
    para__waiter waiter = {.key = para__mutex_key(&mutex), .event = &event};
    para__bucket *bucket = para__bucket_lock(waiter.key);
    para__queue_append(bucket, &waiter);
    para__store_relaxed(&waiter.woken, true);
    para__bucket_unlock(bucket);
    para_mutex_unlock_slow(&mutex, 2); /* nobody has set that somebody waits */
}

TEST(a_mutex_whose_waiters_are_not_announced_is_found)
{
    assert_int_equal(is_ended(lose_a_waiter), PARA__ASSERTS);
}

static void lose_units(void)
{
    para_semaphore semaphore = PARA_SEMAPHORE_INIT(0, 1);
    para__event event = {PARA__ATOMIC(PARA__PARKED)};
    para__waiter waiter = {.key = &semaphore, .event = &event, .need = 1};
    para__bucket *bucket = para__bucket_lock(&semaphore);
    para__queue_append(bucket, &waiter);
    para__bucket_unlock(bucket);
    para_semaphore_release_slow(&semaphore, 1);
}

TEST(a_semaphore_whose_waiters_are_not_announced_is_found)
{
    assert_int_equal(is_ended(lose_units), PARA__ASSERTS);
}

/* ---- Divisions ----------------------------------------------------------------------- */

static para__division division;

static void check_division(void)
{
    para__division_check(&division);
}

TEST(a_division_out_of_range_is_found)
{
    const para__division plain = {
        .units = 10, .head_start = 1, .width = 3, .tickets = 2, .caller_slice = 1};
    const para__division of_grains = {
        .units = 100, .width = 3, .tickets = 4, .grain = {.log2 = 3, .offset = 5}};
    para__division broken[] = {plain, plain, plain, plain, plain, plain, of_grains, of_grains};
    broken[0].width = 0;
    broken[1].caller_slice = 3;
    broken[2].tickets = 0;
    broken[3].tickets = PARA__SLICE_TICKETS_MAX + 1;
    broken[4].head_start = 11;
    broken[5].grain.offset = 1; /* of grains of one unit */
    broken[6].grain.offset = 8;
    broken[7].head_start = 1;
    division = plain;
    assert_false(is_ended(check_division));
    division = of_grains;
    assert_false(is_ended(check_division));
    for (size_t i = 0; i < COUNT_OF(broken); i++) {
        division = broken[i];
        if (is_ended(check_division) != PARA__ASSERTS)
            fail_msg("division %zu", i);
    }
}

/* ---- Sites ----------------------------------------------------------------------------- */

static para__estimate estimate;
static para__tuner tuner;

static void write_site(void)
{
    static para__site site;
    para__site_set(&site, estimate, tuner);
}

static void change_estimate(void)
{
    static para__site site;
    para__site_write(&site, estimate);
}

TEST(a_site_out_of_range_is_found)
{
    assert_false(is_ended(write_site));
    float *const costs[] = {&estimate.alone_ns, &estimate.shared_ns, &estimate.price_ns,
                            &estimate.mean_ns,  &estimate.credit_ns, &tuner.element_ns};
    const float bad[] = {-1, NAN, INFINITY};
    for (size_t i = 0; i < COUNT_OF(costs); i++)
        for (size_t k = 0; k < COUNT_OF(bad); k++) {
            *costs[i] = bad[k];
            if (is_ended(write_site) != PARA__ASSERTS)
                fail_msg("time %zu is %g", i, (double)bad[k]);
            if (i == 0)
                assert_int_equal(is_ended(change_estimate), PARA__ASSERTS);
            *costs[i] = 0;
        }
    tuner.halvings = 32;
    assert_int_equal(is_ended(write_site), PARA__ASSERTS);
    tuner = (para__tuner){0};
}

/* ---- Lanes ----------------------------------------------------------------------------- */

enum { MEMBERS = 3, EPOCH = 7, TICKETS = 4 };
static para__lanes lanes;
static para__helper helpers[MEMBERS];
static para__member members[MEMBERS];
static para__group groups[2];
static para__job_descriptor descriptors[MEMBERS];
static para__lane *const lane = &lanes.lane[2];
static para__participant part;

/* A call of worker 1 that is about to be published; worker 2 may be of another group. */
static void make(bool apart)
{
    memset(members, 0, sizeof members);
    memset(groups, 0, sizeof groups);
    helpers[2].group = apart;
    (void)para__helpers_group(helpers, MEMBERS); /* nobody raids here */
    *lane = (para__lane){.lease = PARA__ATOMIC(PARA__LANE_LEASED),
                         .is_open = true,
                         .epoch = EPOCH,
                         .lanes = &lanes,
                         .width = MEMBERS,
                         .tickets = TICKETS,
                         .claimed = 1,
                         .stop = PARA__ATOMIC(UINT64_MAX),
                         .descriptor = descriptors,
                         .member = members,
                         .group = groups};
    part = (para__participant){
        .lanes = &lanes,
        .lane = lane,
        .begun = true,
        .epoch = EPOCH,
        .division = {.units = 50, .width = MEMBERS, .tickets = TICKETS, .caller_slice = 1},
        .team = {.width = MEMBERS, .invited = MEMBERS, .caller_place = 1},
        .self = 1,
        .end = helpers[1].group_end,
        .first_claim = 1,
        .claim = 1,
        .runner = {.worker = 1, .stop = &lane->stop}};
    lanes.helper = helpers;
    para__store_relaxed(&members[1].ticket, para__tagged(EPOCH, TICKETS - 1));
    para__store_relaxed(&members[2].done, para__tagged(EPOCH - 1, TICKETS));
}

static void make_call(void)
{
    make(false);
}

static void make_groups(void)
{
    make(true);
}

/* The same call when it is over: worker 2 has not come. */
static void join_call(void)
{
    make_call();
    for (unsigned w = 0; w < MEMBERS; w++)
        para__store_relaxed(&members[w].ticket, para__tagged(EPOCH, 0));
    para__store_relaxed(&members[0].done, para__tagged(EPOCH, TICKETS));
    part.finished = lane->claimed = (MEMBERS - 1) * TICKETS;
}

/* Worker 2 has; it has run its slice, and one ticket of worker 0's. */
static void join_groups(void)
{
    make_groups();
    for (unsigned w = 0; w < MEMBERS; w++)
        para__store_relaxed(&members[w].ticket, para__tagged(EPOCH, 0));
    para__store_relaxed(&members[0].done, para__tagged(EPOCH, TICKETS - 1));
    para__store_relaxed(&groups[0].count, PARA__STRAY + 1);
    para__store_relaxed(&groups[1].done, para__tagged(EPOCH, 1));
    part.finished = lane->claimed = TICKETS;
}

/* A lane between two calls. */
static void close_lane(void)
{
    join_call();
    lane->is_open = false;
}

static void check_publish(void)
{
    para__publish_check(&part);
}

static void check_join(void)
{
    para__join_check(&part);
}

static void check_lane(void)
{
    para__lane_check(lane);
}

#define FAULT(name, statement) \
    static void name(void)     \
    {                          \
        statement;             \
    }
FAULT(is_free, para__store_relaxed(&lane->lease, PARA__LANE_FREE))
FAULT(is_abandoned, para__store_relaxed(&lane->lease, PARA__LANE_ABANDONED))
FAULT(stops, para__store_relaxed(&lane->stop, 3))
FAULT(leaves_out, para__store_relaxed(&lane->left_out, 3))
FAULT(helps, lane->helped = lane)
FAULT(acts, lane->acting_for = 1)
FAULT(is_worn, lane->epoch = part.epoch = (uint64_t)1 << 44)
FAULT(is_open, lane->is_open = true)
FAULT(is_closed, lane->is_open = false)
FAULT(is_guest, lane->displaces = 1)
FAULT(is_of_another_call, part.epoch--)
FAULT(was_never_published, lane->epoch = part.epoch = 0)
FAULT(has_another_team, lane->width++)
FAULT(has_other_tickets, lane->tickets++)
FAULT(is_no_member, part.team.caller_place = part.self = MEMBERS)
FAULT(has_another_seat, part.runner.worker = 0)
FAULT(stops_elsewhere, part.runner.stop = NULL)
FAULT(is_alone, part.team.width = 1)
FAULT(is_too_wide, part.team.first = PARA__WORKERS_MAX)
FAULT(divides_among_others, part.division.width++)
FAULT(claims_more, part.first_claim = TICKETS + 1)
FAULT(claims_nothing, part.claim = 0)
FAULT(is_claimed_from, para__store_relaxed(&members[0].ticket, para__tagged(EPOCH, 1)))
FAULT(is_claimed_later, para__store_relaxed(&members[2].ticket, para__tagged(EPOCH + 1, 0)))
FAULT(has_no_own_slice, para__store_relaxed(&members[1].ticket, para__tagged(1, 0)))
FAULT(is_finished, para__store_relaxed(&members[2].done, para__tagged(EPOCH, 0)))
FAULT(is_left_over, para__store_relaxed(&members[2].ticket, para__tagged(EPOCH, 1)))
FAULT(is_unclaimed, para__store_relaxed(&members[2].ticket, para__tagged(EPOCH - 1, 0)))
FAULT(lacks_some, para__store_relaxed(&members[0].done, para__tagged(EPOCH, TICKETS - 1)))
FAULT(has_some_twice, para__store_relaxed(&members[2].done, para__tagged(EPOCH, 1)))
FAULT(is_ahead, para__store_relaxed(&members[2].done, para__tagged(EPOCH + 1, 1)))
FAULT(has_miscounted, lane->claimed--)
FAULT(is_counted, para__store_relaxed(&groups[1].count, 1))
FAULT(is_counted_at_home, para__store_relaxed(&groups[0].count, 2 * PARA__STRAY + 2))
FAULT(is_reported, para__store_relaxed(&groups[1].done, para__tagged(EPOCH, 0)))
FAULT(is_not_reported, para__store_relaxed(&groups[1].done, para__tagged(EPOCH - 1, 0)))
FAULT(lacks_a_stray, para__store_relaxed(&groups[0].count, 0))
FAULT(has_none, )

typedef struct lane_case {
    void (*make)(void), (*fault)(void), (*check)(void);
} lane_case;

static const lane_case *tried;

static void try_lane(void)
{
    tried->make();
    tried->fault();
    tried->check();
}

TEST(a_broken_lane_is_found)
{
    static const lane_case whole[] = {{make_call, has_none, check_publish},
                                      {join_call, has_none, check_join},
                                      {make_groups, has_none, check_publish},
                                      {join_groups, has_none, check_join},
                                      {close_lane, has_none, check_lane}};
    static const lane_case broken[] = {{close_lane, is_free, check_lane},
                                       {close_lane, is_abandoned, check_lane},
                                       {close_lane, stops, check_lane},
                                       {close_lane, leaves_out, check_lane},
                                       {close_lane, helps, check_lane},
                                       {close_lane, acts, check_lane},
                                       {close_lane, is_worn, check_lane},
                                       {close_lane, is_open, check_lane},
                                       {close_lane, is_guest, check_lane},
                                       {make_call, is_free, check_publish},
                                       {make_call, stops, check_publish},
                                       {make_call, helps, check_publish},
                                       {make_call, acts, check_publish},
                                       {make_call, is_worn, check_publish},
                                       {make_call, is_closed, check_publish},
                                       {make_call, is_of_another_call, check_publish},
                                       {make_call, was_never_published, check_publish},
                                       {make_call, has_another_team, check_publish},
                                       {make_call, has_other_tickets, check_publish},
                                       {make_call, is_no_member, check_publish},
                                       {make_call, has_another_seat, check_publish},
                                       {make_call, stops_elsewhere, check_publish},
                                       {make_call, is_alone, check_publish},
                                       {make_call, is_too_wide, check_publish},
                                       {make_call, divides_among_others, check_publish},
                                       {make_call, claims_more, check_publish},
                                       {make_call, claims_nothing, check_publish},
                                       {make_call, is_claimed_from, check_publish},
                                       {make_call, is_claimed_later, check_publish},
                                       {make_call, has_no_own_slice, check_publish},
                                       {make_call, is_finished, check_publish},
                                       {join_call, is_of_another_call, check_join},
                                       {join_call, is_closed, check_join},
                                       {join_call, helps, check_join},
                                       {join_call, acts, check_join},
                                       {join_call, is_left_over, check_join},
                                       {join_call, is_unclaimed, check_join},
                                       {join_call, lacks_some, check_join},
                                       {join_call, has_some_twice, check_join},
                                       {join_call, is_ahead, check_join},
                                       {join_call, has_miscounted, check_join},
                                       {make_groups, is_counted, check_publish},
                                       {make_groups, is_counted_at_home, check_publish},
                                       {make_groups, is_reported, check_publish},
                                       {join_groups, is_counted, check_join},
                                       {join_groups, is_counted_at_home, check_join},
                                       {join_groups, is_not_reported, check_join},
                                       {join_groups, lacks_a_stray, check_join}};
    for (size_t i = 0; i < COUNT_OF(whole); i++) {
        tried = &whole[i];
        assert_false(is_ended(try_lane));
    }
    for (size_t i = 0; i < COUNT_OF(broken); i++) {
        tried = &broken[i];
        if (is_ended(try_lane) != PARA__ASSERTS)
            fail_msg("fault %zu of a lane", i);
    }
}

/* ---- Calls ----------------------------------------------------------------------------- */

static int nothing(const para_chunk *chunk, const void *arg)
{
    (void)chunk;
    (void)arg;
    return 0;
}

/* Breaks the words of the call that it is part of: as if all tickets, and more, were finished. */
static int finish_too_much(const para_chunk *chunk, const void *arg)
{
    (void)chunk;
    (void)arg;
    const para__lane *own = para__current_lane;
    for (unsigned w = own->first; w < own->first + own->width; w++)
        para__store_relaxed(&own->member[w].done,
                            para__tagged(own->epoch, own->width * own->tickets));
    return 0;
}

/* A slice has more tickets left than it ever had. */
static int refill(const para_chunk *chunk, const void *arg)
{
    (void)chunk;
    (void)arg;
    const para__lane *own = para__current_lane;
    for (unsigned w = own->first; w < own->first + own->width; w++)
        para__store_relaxed(&own->member[w].ticket, para__tagged(own->epoch, own->tickets + 1));
    return 0;
}

static void call(para_pool *pool, para_map_fn *kernel)
{
    OK(para_pmap(pool, &(para_map){.kernel = kernel,
                                   .count = 1000,
                                   .options = {.executor = PARA_EXECUTOR_THREADS}}));
}

static void call_and_finish_too_much(void)
{
    if (PARA__ASSERTS) /* else it waits for ever */
        call(check_pool(2), finish_too_much);
}

static void call_and_refill(void)
{
    if (PARA__ASSERTS)
        call(check_pool(2), refill);
}

static void call_on_a_broken_lane(void)
{
    if (!PARA__ASSERTS) /* else what such a call does is left open */
        return;
    para_pool *pool = check_pool(2);
    call(pool, nothing);
    for (unsigned i = 0; i < PARA__LANES; i++)
        for (unsigned w = 0; w < 2; w++)
            para__store_relaxed(&pool->lanes.lane[i].member[w].done, UINT64_MAX);
    call(pool, nothing);
}

static void call_on_a_stopped_lane(void)
{
    if (!PARA__ASSERTS)
        return;
    para_pool *pool = check_pool(2);
    for (unsigned i = 0; i < PARA__LANES; i++)
        para__store_relaxed(&pool->lanes.lane[i].stop, 500);
    call(pool, nothing);
}

TEST(a_call_whose_words_are_broken_is_ended)
{
    assert_int_equal(is_ended(call_and_finish_too_much), PARA__ASSERTS);
    assert_int_equal(is_ended(call_and_refill), PARA__ASSERTS);
    assert_int_equal(is_ended(call_on_a_broken_lane), PARA__ASSERTS);
    assert_int_equal(is_ended(call_on_a_stopped_lane), PARA__ASSERTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_are_evaluated_only_where_they_are_on),
        cmocka_unit_test(a_broken_line_is_found),
        cmocka_unit_test(a_mutex_whose_waiters_are_not_announced_is_found),
        cmocka_unit_test(a_semaphore_whose_waiters_are_not_announced_is_found),
        cmocka_unit_test(a_division_out_of_range_is_found),
        cmocka_unit_test(a_site_out_of_range_is_found),
        cmocka_unit_test(a_broken_lane_is_found),
        cmocka_unit_test(a_call_whose_words_are_broken_is_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
