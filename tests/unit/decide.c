/* Decisions: what options force, and what holds for every plan. */
#include "../common/check.h"

#include "executor/executor.h"
#include "plan/decide.h"
#include "plan/divide.h"

static const unsigned pools[] = {1, 2, 3, 8, 64, 1024};
static const unsigned limits[] = {0, 1, 2, 7, 64, 5000};
static const size_t units[] = {1, 2, 3, 63, 64, 65, 1000, 1000000, SIZE_MAX};
static const double spreads[] = {0, 1, 1.4, 15.9};
static const double works[] = {0, 1e-3, 1, 500, 3000, 1e5, 1e9, 1e300};

static const para__costs usual = {.round_trip_ns = 300,
                                  .per_helper_ns = 40,
                                  .wake_ns = 35000,
                                  .wake_cost_ns = 4000,
                                  .share_ns = 50,
                                  .clock_ns = 10};
static const para__costs nothing = {0};
static const para__costs *const costs[] = {&usual, &nothing};

/* The plan of a call whose units are the same for any width. */
static para__plan decide(const para__ask *ask, const para__costs *costs_now)
{
    para__plan plan = para__decide(ask, costs_now);
    if (plan.width > 1)
        para__plan_tickets(&plan, ask, costs_now);
    return plan;
}

static const char *fault_of(const para__plan *plan, size_t n)
{
    if (plan->tickets < 1 || plan->tickets > PARA__SLICE_TICKETS_MAX)
        return "tickets";
    if (plan->first > plan->tickets)
        return "first claim";
    if (plan->head_start > n)
        return "head start";
    /* No more tickets than the longest slice has units, head start apart. */
    return plan->tickets > (n - 1) / plan->width + 1 ? "tickets without units" : NULL;
}

static unsigned least(unsigned a, size_t b)
{
    return b < a ? (unsigned)b : a;
}

/* Checks the plans for one question, with every cost of the work. */
static void check(para__ask ask)
{
    for (size_t w = 0; w < COUNT_OF(works); w++)
        for (size_t c = 0; c < COUNT_OF(costs); c++)
            for (size_t s = 0; s < COUNT_OF(spreads); s++) {
                ask.work_ns = works[w];
                ask.spread = spreads[s];
                ask.awake = s % 2 ? 0 : ask.workers - 1;
                const para__plan plan = decide(&ask, costs[c]);
                const char *fault = fault_of(&plan, ask.units);
                if (fault)
                    fail_msg("%s: %zu units of %g ns, %u workers", fault, ask.units, ask.work_ns,
                             ask.workers);
                assert_in_range(plan.width, 1, least(ask.workers, ask.units));
                assert_true(ask.limit == 0 || plan.width <= ask.limit);
            }
}

TEST(every_plan_is_within_bounds)
{
    for (int forced = 0; forced <= 1; forced++)
        for (size_t p = 0; p < COUNT_OF(pools); p++)
            for (size_t l = 0; l < COUNT_OF(limits); l++)
                for (size_t u = 0; u < COUNT_OF(units); u++)
                    check((para__ask){.units = units[u],
                                      .workers = pools[p],
                                      .limit = limits[l],
                                      .is_forced = forced});
}

TEST(threads_means_all_that_there_are)
{
    for (size_t p = 1; p < COUNT_OF(pools); p++)
        for (size_t u = 1; u < COUNT_OF(units); u++)
            for (size_t w = 0; w < COUNT_OF(works); w++) {
                para__ask ask = {
                    .units = units[u], .work_ns = works[w], .workers = pools[p], .is_forced = true};
                const para__plan plan = decide(&ask, &usual);
                assert_int_equal(plan.width, least(pools[p], units[u]));
                assert_int_equal(plan.why, PARA_WHY_ASKED);
                ask.limit = 2;
                assert_int_equal(decide(&ask, &usual).width, 2);
            }
}

static para__plan automatic(double work_ns, unsigned workers, unsigned awake)
{
    return decide(
        &(para__ask){.units = 100000, .work_ns = work_ns, .workers = workers, .awake = awake},
        &usual);
}

TEST(little_work_is_not_shared_and_much_is)
{
    for (unsigned workers = 2; workers <= 64; workers *= 2) {
        const para__plan little = automatic(100, workers, workers - 1);
        assert_int_equal(little.width, 1);
        assert_int_equal(little.why, PARA_WHY_SMALL);
        const para__plan much = automatic(1e9, workers, 0);
        assert_int_equal(much.width, workers);
        assert_int_equal(much.why, PARA_WHY_PARALLEL);
    }
}

TEST(what_is_worth_sharing_depends_on_who_is_awake)
{
    const para__plan awake = automatic(10000, 2, 1);
    assert_int_equal(awake.width, 2);
    const para__plan asleep = automatic(10000, 2, 0); /* a wake-up takes longer than the work */
    assert_int_equal(asleep.width, 1);
    unsigned width;
    para__ask ask = {.units = 100000, .work_ns = 10000, .workers = 2};
    assert_true(para__forgone_ns(&ask, &usual, &width) > 0);
    assert_int_equal(width, 2);
    ask.work_ns = 100;
    assert_true(para__forgone_ns(&ask, &usual, &width) <= 0);
}

/* Before anything is measured: what would not pay at these costs never has a pool made. */
TEST(what_pays_on_a_quick_machine_is_not_ruled_out)
{
    para__costs quick = para__costs_assumed;
    quick.round_trip_ns = 150;
    assert_true(para__least_work_ns(&para__costs_assumed, 2) <=
                1.2 * para__least_work_ns(&quick, 2));
}

TEST(more_work_is_never_shared_among_fewer)
{
    for (unsigned workers = 2; workers <= 64; workers *= 2) {
        unsigned before = 1;
        for (size_t work_ns = 10; work_ns < 1000000000; work_ns += work_ns / 3) {
            const unsigned width = automatic((double)work_ns, workers, workers - 1).width;
            assert_true(width >= before);
            before = width;
        }
        assert_int_equal(before, workers);
    }
}

/* A team within the domain pays where one beyond it does not; and more work goes beyond it. */
TEST(small_work_stays_in_the_domain)
{
    para__costs spread_out = usual;
    para__ask ask = {.units = 100000, .work_ns = 20000, .workers = 32, .awake = 31};
    spread_out.near = 7;
    spread_out.far_ns = 5000;
    assert_in_range(decide(&ask, &usual).width, 9, 32);
    assert_in_range(decide(&ask, &spread_out).width, 2, 8);
    ask.work_ns = 1e7;
    assert_int_equal(decide(&ask, &spread_out).width, 32);
    for (unsigned width = 1; width <= 8; width++)
        assert_true(para__far_ns(&spread_out, width) <= 0);
    assert_true(para__far_ns(&spread_out, 10) > 9999 && para__far_ns(&spread_out, 10) < 10001);
}

static para_why why_alone(size_t n, unsigned workers, unsigned limit, bool is_forced)
{
    const para__plan plan = decide(
        &(para__ask){
            .units = n, .work_ns = 1e9, .workers = workers, .limit = limit, .is_forced = is_forced},
        &usual);
    assert_int_equal(plan.width, 1);
    return plan.why;
}

TEST(reasons_for_being_alone)
{
    assert_int_equal(why_alone(100, 8, 1, true), PARA_WHY_ASKED);
    assert_int_equal(why_alone(100, 1, 0, true), PARA_WHY_ONE_WORKER);
    assert_int_equal(why_alone(1, 8, 0, true), PARA_WHY_ONE_UNIT);
    assert_int_equal(why_alone(1, 8, 0, false), PARA_WHY_ONE_UNIT);
}

TEST(batches_for_other_counts)
{
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (size_t n = 1; n <= 3000; n += 1 + n / 10)
            for (size_t w = 0; w < COUNT_OF(works); w++)
                for (size_t s = 0; s < COUNT_OF(spreads); s++) {
                    para__plan plan = {.width = pools[p]};
                    para__plan_tickets(
                        &plan, &(para__ask){.units = n, .work_ns = works[w], .spread = spreads[s]},
                        &usual);
                    assert_int_equal(plan.width, pools[p]);
                    assert_null(fault_of(&plan, n));
                }
}

TEST(uneven_calls_are_handed_out_in_smaller_batches)
{
    para__plan plan = {.width = 2};
    para__ask ask = {.units = 1000000, .work_ns = 400000, .spread = 1};
    para__plan_tickets(&plan, &ask, &usual);
    assert_int_equal(plan.tickets, 50); /* of 4 us */
    assert_int_equal(plan.first, 13);   /* a quarter */
    ask.spread = 4;
    para__plan_tickets(&plan, &ask, &usual);
    assert_int_equal(plan.tickets, 400); /* of 0.5 us */
    assert_int_equal(plan.first, 25);    /* a sixteenth */
    ask.spread = 16;
    para__plan_tickets(&plan, &ask, &usual);
    assert_int_equal(plan.tickets, PARA__SLICE_TICKETS_MAX);
    assert_int_equal(plan.first, 64); /* of two workers at least that */
    plan.width = 16;
    para__plan_tickets(&plan, &ask, &usual);
    assert_int_equal(plan.tickets, 400);
    assert_int_equal(plan.first, 7); /* a 64th: more would wait for it */
}

/* Who runs how many of the units, when participants claim as planned and each unit costs what is
 * told: the time until all are done. */
static double makespan(const para__plan *plan, const double *cost, size_t n)
{
    enum { WIDTH_MOST = 16 };
    double busy_until[WIDTH_MOST] = {0};
    unsigned taken[WIDTH_MOST] = {0};
    const para__division division = {
        .units = n, .head_start = plan->head_start, .width = plan->width, .tickets = plan->tickets};
    const unsigned claim = plan->first ? plan->first : 1;
    for (;;) {
        unsigned who = 0; /* who is free first claims next, from its own slice or another's */
        for (unsigned w = 1; w < plan->width; w++)
            if (busy_until[w] < busy_until[who])
                who = w;
        unsigned from = plan->width;
        for (unsigned i = 0; i < plan->width && from == plan->width; i++)
            if (taken[(who + i) % plan->width] < plan->tickets)
                from = (who + i) % plan->width;
        if (from == plan->width)
            break;
        const unsigned size = para__claim_size(plan->tickets - taken[from], plan->tickets, claim);
        const para__range run = para__ticket_units(&division, from, taken[from], size);
        taken[from] += size;
        for (size_t u = run.first; u < run.first + run.count; u++)
            busy_until[who] += cost[u];
    }
    double latest = 0;
    for (unsigned w = 0; w < plan->width; w++)
        latest = busy_until[w] > latest ? busy_until[w] : latest;
    return latest;
}

/* Few units of very different cost, of which nothing is known, or the mean: the end comes no later
 * than the dearest unit after a fair share of all. */
TEST(no_unit_is_tied_to_a_dear_one)
{
    static const double dear_ns = 5e7, cheap_ns = 1e6;
    enum { UNITS_MOST = 40 };
    double cost[UNITS_MOST];
    for (unsigned width = 2; width <= 8; width++)
        for (size_t n = width; n <= UNITS_MOST; n++)
            for (size_t a = 0; a < n; a++)
                for (size_t b = a + 1; b < n; b++)
                    for (int known = 0; known < 3; known++) {
                        double sum = 0;
                        for (size_t u = 0; u < n; u++)
                            sum += cost[u] = u == a || u == b ? dear_ns : cheap_ns;
                        const para__ask ask = {.units = n,
                                               .work_ns = known ? sum : 0,
                                               .varies = known == 2,
                                               .spread = known ? 4 : 0};
                        para__plan plan = {.width = width};
                        para__plan_tickets(&plan, &ask, &usual);
                        const double end_ns = makespan(&plan, cost, n);
                        if (end_ns > dear_ns + (sum - dear_ns) / width + cheap_ns)
                            fail_msg("%zu units, dear ones %zu and %zu, on %u: %g ns", n, a, b,
                                     width, end_ns);
                    }
}

TEST(units_are_claimed_as_the_options_say)
{
    for (unsigned width = 2; width <= 64; width *= 2)
        for (size_t n = width; n <= 3000; n += 1 + n / 3)
            for (size_t claim = 1; claim <= 5; claim++)
                for (size_t w = 0; w < COUNT_OF(works); w++) {
                    para__plan plan = {.width = width};
                    const para__ask ask = {.units = n, .work_ns = works[w], .claim = claim};
                    para__plan_tickets(&plan, &ask, &usual);
                    const para__division division = {
                        .units = n, .width = width, .tickets = plan.tickets};
                    assert_int_equal(plan.first, 1);
                    assert_int_equal(plan.head_start, 0);
                    assert_true(plan.announces); /* a unit may wait for the others */
                    if ((n - 1) / width + 1 <= PARA__SLICE_TICKETS_MAX)
                        for (unsigned t = 0; t < plan.tickets; t++)
                            assert_true(para__ticket_units(&division, 0, t, 1).count <= claim);
                }
}

/* A kernel call has a price: the dearer it is, the fewer batches there are. */
TEST(batches_are_long_against_the_price_of_a_call)
{
    para__plan plan = {.width = 2};
    unsigned before = PARA__SLICE_TICKETS_MAX;
    for (unsigned price_ns = 1; price_ns < 1000000; price_ns *= 2) {
        const para__ask ask = {
            .units = 1000000, .work_ns = 1e6, .price_ns = price_ns, .spread = 16};
        para__plan_tickets(&plan, &ask, &usual);
        assert_true(plan.tickets <= before);
        assert_true(plan.tickets == 1 || 5e5 / plan.tickets >= 32.0 * price_ns);
        before = plan.tickets;
    }
    assert_int_equal(before, 1);
}

TEST(a_price_that_each_participant_pays_is_weighed)
{
    para__ask ask = {.units = 100000, .work_ns = 1e6, .workers = 2, .awake = 1, .price_ns = 1e4};
    assert_int_equal(decide(&ask, &usual).width, 2); /* 0.51 ms for 1.01 */
    ask.work_ns = 1e4;
    ask.price_ns = 1e6;
    assert_int_equal(decide(&ask, &usual).width, 1); /* 1.005 for 1.01 */
}

TEST(what_is_dearer_when_shared_is_compared_with_what_it_takes_alone)
{
    for (unsigned workers = 2; workers <= 64; workers *= 2) {
        para__ask ask = {.units = 100000,
                         .work_ns = 1e6 * workers * 1.1,
                         .alone_ns = 1e6,
                         .workers = workers,
                         .awake = workers - 1};
        const para__plan alone = decide(&ask, &usual);
        assert_int_equal(alone.width, 1);
        assert_int_equal(alone.why, PARA_WHY_SMALL);
        assert_true(alone.gain_ns < 0);
        ask.work_ns = 1e6 * workers * 0.9;
        const para__plan shared = decide(&ask, &usual);
        assert_int_equal(shared.width, workers);
        assert_true(shared.gain_ns > 0);
    }
}

TEST(dear_units_of_unknown_cost_are_shared_at_once)
{
    para__ask ask = {.units = 2, .work_ns = 2e5, .workers = 2, .varies = true};
    assert_true(para__share_at_once(&ask, 1e5, &usual));
    assert_false(para__share_at_once(&ask, 1e3, &usual)); /* to wake somebody takes longer */
    ask.awake = 1;
    assert_true(para__share_at_once(&ask, 1e3, &usual));
    assert_false(para__share_at_once(&ask, 10, &usual));
}

/* A head start would move pages from owner to owner, as expected costs and callers change. */
TEST(plans_for_many_pages_have_no_lead)
{
    static const size_t page = 4096;
    for (size_t unit_bytes = 1; unit_bytes <= 2 * page; unit_bytes *= 2) {
        para__plan plan = {.width = 2, .head_start = 3};
        para__plan_pages(&plan, page, unit_bytes, 200 * page, page);
        assert_int_equal(plan.head_start, 0);
        plan = (para__plan){.width = 2, .head_start = 3};
        para__plan_pages(&plan, page, unit_bytes, 2, page); /* few */
        assert_int_equal(plan.head_start, 3);
    }
}

/* Where a call is shared after a part of it has been run, it is the rest that is divided: its pages
 * are those of the whole call, wherever it begins. */
TEST(slices_of_a_rest_begin_at_page_borders)
{
    enum { PAGE = 4096, WIDTH = 3, PAGES = 64 * 64 * WIDTH };
    static const size_t unit_bytes[] = {1, 8, 24, 100, PAGE};
    static const size_t firsts[] = {0, 1, 7, 509, 513, 4095, 4097, PAGES / 3};
    const uintptr_t written = (uintptr_t)1 << 40;
    for (size_t b = 0; b < COUNT_OF(unit_bytes); b++)
        for (size_t f = 0; f < COUNT_OF(firsts); f++) {
            const size_t count = (size_t)PAGES * PAGE / unit_bytes[b];
            const size_t first = firsts[f];
            para__plan plan = {.width = WIDTH, .head_start = 3};
            para__plan_pages(&plan, written + first * unit_bytes[b], unit_bytes[b], count - first,
                             PAGE);
            assert_int_equal(plan.head_start, 0);
            const para__division rest = {
                .units = count - first, .width = WIDTH, .tickets = 1, .grain = plan.grain};
            size_t end = 0;
            for (unsigned s = 0; s < WIDTH; s++) {
                const para__range slice = para__slice_units(&rest, s);
                assert_int_equal(slice.first, end);
                assert_true(slice.count > 0);
                if (s > 0)
                    assert_int_equal((first + slice.first) * unit_bytes[b] % PAGE, 0);
                end = slice.first + slice.count;
            }
            assert_int_equal(end, rest.units);
        }
}

/* Claims keep their length, and nothing gets lost. */
TEST(spread_plans_have_the_slices_of_all)
{
    for (unsigned width = 2; width < 40; width++)
        for (unsigned places = width + 1; places < 64; places++)
            for (size_t n = places; n < 4000; n += 1 + n / 3) {
                para__plan plan = {.width = width};
                para__plan_tickets(&plan, &(para__ask){.units = n, .work_ns = 1e6}, &usual);
                const para__plan before = plan;
                para__plan_spread(&plan, places);
                assert_int_equal(plan.invited, width);
                assert_int_equal(plan.width, places);
                assert_null(fault_of(&plan, n));
                const double ratio = (double)width / places;
                assert_true(plan.tickets == (n - 1) / places + 1 ||
                            plan.tickets >= before.tickets * ratio);
                assert_true(plan.tickets < before.tickets * ratio + 1);
                assert_true((before.first == 0) == (plan.first == 0));
                assert_true(plan.first < before.first * ratio + 1);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_plan_is_within_bounds),
        cmocka_unit_test(threads_means_all_that_there_are),
        cmocka_unit_test(little_work_is_not_shared_and_much_is),
        cmocka_unit_test(small_work_stays_in_the_domain),
        cmocka_unit_test(what_is_worth_sharing_depends_on_who_is_awake),
        cmocka_unit_test(what_pays_on_a_quick_machine_is_not_ruled_out),
        cmocka_unit_test(more_work_is_never_shared_among_fewer),
        cmocka_unit_test(reasons_for_being_alone),
        cmocka_unit_test(batches_for_other_counts),
        cmocka_unit_test(uneven_calls_are_handed_out_in_smaller_batches),
        cmocka_unit_test(no_unit_is_tied_to_a_dear_one),
        cmocka_unit_test(units_are_claimed_as_the_options_say),
        cmocka_unit_test(batches_are_long_against_the_price_of_a_call),
        cmocka_unit_test(a_price_that_each_participant_pays_is_weighed),
        cmocka_unit_test(what_is_dearer_when_shared_is_compared_with_what_it_takes_alone),
        cmocka_unit_test(dear_units_of_unknown_cost_are_shared_at_once),
        cmocka_unit_test(plans_for_many_pages_have_no_lead),
        cmocka_unit_test(slices_of_a_rest_begin_at_page_borders),
        cmocka_unit_test(spread_plans_have_the_slices_of_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
