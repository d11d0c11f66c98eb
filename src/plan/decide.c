#include "plan/decide.h"

#include "base/bounds.h"
#include "base/tuning.h"

#include <math.h>

/* How many the caller wakes itself: the rest is woken by those who are awake. */
static double wakes(double asleep)
{
    return para__min(asleep, PARA__WAKES_EACH);
}

/* What the caller looks at to join: each helper of its own group, and of others one word a group.
 * Groups are taken for full ones. */
static double join_ns(double helpers)
{
    const double neighbours = para__min(helpers, PARA__GROUP_MOST - 1);
    return PARA__JOIN_EACH_NS * (neighbours + (helpers - neighbours) / PARA__GROUP_MOST);
}

double para__far_ns(const para__costs *costs, unsigned width)
{
    const double helpers = width - 1;
    return helpers > costs->near ? (helpers - costs->near) * costs->far_ns : 0;
}

/* T of the model for a team of p, `awake` of whose helpers do not sleep. */
static double shared_ns(double work_ns, unsigned p, unsigned awake, const para__costs *costs)
{
    const double helpers = p - 1;
    const double asleep = helpers > awake ? helpers - awake : 0;
    const double later = helpers * costs->round_trip_ns +
                         costs->per_helper_ns * helpers * (helpers - 1) / 2 +
                         para__far_ns(costs, p) + asleep * costs->wake_ns;
    return (work_ns + costs->share_ns + wakes(asleep) * costs->wake_cost_ns + later) / p +
           join_ns(helpers);
}

/* The team that makes T least. */
static unsigned best_width(double work_ns, unsigned most, unsigned awake, const para__costs *costs)
{
    if (most == 2)
        return 2;
    /* R grows by per_helper_ns a helper: T is least at about this p, if all are awake. */
    const double near = sqrt(work_ns / (costs->per_helper_ns / 2 + PARA__JOIN_EACH_NS));
    const double far =
        sqrt(work_ns / (costs->per_helper_ns / 2 + PARA__JOIN_EACH_NS / PARA__GROUP_MOST));
    const unsigned candidates[] = {most, near < most ? (unsigned)near : most,
                                   far < most ? (unsigned)far : most, awake + 1, costs->near + 1};
    unsigned best = 2;
    for (unsigned i = 0; i < sizeof candidates / sizeof candidates[0]; i++) {
        const unsigned p = candidates[i] < 2 ? 2 : candidates[i] > most ? most : candidates[i];
        if (shared_ns(work_ns, p, awake, costs) < shared_ns(work_ns, best, awake, costs))
            best = p;
    }
    return best;
}

double para__least_work_ns(const para__costs *costs, unsigned workers)
{
    double least = INFINITY;
    for (unsigned p = 2; p <= 4 && p <= workers; p++) {
        /* shared_ns is W / p and what comes on top whatever W is. */
        const double on_top = shared_ns(0, p, p - 1, costs);
        const double work = (on_top + PARA__MARGIN_NS) / (1 - PARA__MARGIN_PART - 1.0 / p);
        least = work < least ? work : least;
    }
    return least;
}

/* How many tickets a slice of so many units is cut into. */
static double ticket_count(const para__ask *ask, double slice_ns, double spread)
{
    if (ask->claim)
        return PARA__SLICE_TICKETS_MAX;
    double least_ns = PARA__TICKET_NS / (spread * sqrt(spread));
    if (least_ns < PARA__TICKET_PRICES * ask->price_ns)
        least_ns = PARA__TICKET_PRICES * ask->price_ns;
    if (ask->work_ns <= 0 || slice_ns >= PARA__SLICE_TICKETS_MAX * least_ns)
        return PARA__SLICE_TICKETS_MAX;
    return slice_ns < 2 * least_ns ? 1 : slice_ns / least_ns;
}

/* A quarter of an even slice, as its worker's core may be slower than others, and less of one that
 * may turn out dear: the others wait for a claim that holds most of the work, so that is the worse
 * the more they are. Never more than a claim is meant to take; and one by one where tickets are so
 * dear that claims do not show. */
static unsigned first_claim(const para__ask *ask, unsigned tickets, unsigned width, double slice_ns,
                            double spread)
{
    if (ask->claim)
        return 1;
    if (ask->work_ns <= 0 || ask->varies)
        return 0;
    if (slice_ns > PARA__DEAR_TICKET_NS * tickets)
        return tickets < PARA__MANY_TICKETS ? 1 : 0;
    const double claims = PARA__CLAIMS * para__min(spread, PARA__SPREAD_A_WORKER * width);
    const unsigned first = (unsigned)((tickets + claims - 1) / claims);
    if (slice_ns <= PARA__CLAIM_MOST_NS)
        return first;
    const unsigned most = (unsigned)(PARA__CLAIM_MOST_NS / slice_ns * tickets);
    return most < 1 ? 1 : most < first ? most : first;
}

void para__plan_tickets(para__plan *plan, const para__ask *ask, const para__costs *costs)
{
    plan->units = (para__range){0, ask->units};
    const size_t claim = ask->claim ? ask->claim : 1;
    const size_t share = (ask->units - 1) / plan->width + 1;
    const size_t most = (share - 1) / claim + 1; /* so that no ticket ties units together */
    const double slice_ns = ask->work_ns / plan->width;
    const double spread = ask->spread > 1 ? ask->spread : 1;
    const double tickets = ticket_count(ask, slice_ns, spread);
    plan->tickets = most < tickets ? (unsigned)most : (unsigned)tickets;
    plan->first = first_claim(ask, plan->tickets, plan->width, slice_ns, spread);
    plan->announces = plan->first == 0 || ask->claim || slice_ns > PARA__ANNOUNCE_TWICE_NS;
    plan->head_start = 0;
    if (ask->work_ns > 0 && !ask->claim && !ask->varies) {
        const size_t others = ask->units - ask->units / plan->width;
        const double later_ns = para__far_ns(costs, plan->width) / plan->width;
        const double head_start =
            (costs->round_trip_ns + later_ns) / ask->work_ns * (double)ask->units;
        plan->head_start = head_start < (double)others ? (size_t)head_start : others;
    }
}

void para__plan_spread(para__plan *plan, unsigned places)
{
    const size_t most = (plan->units.count - 1) / places + 1;
    const unsigned tickets = (plan->tickets * plan->width - 1) / places + 1;
    const unsigned first = plan->first ? (plan->first * plan->width - 1) / places + 1 : 0;
    plan->tickets = (unsigned)para__min(tickets, most);
    plan->first = para__min(first, plan->tickets);
    plan->invited = plan->width;
    plan->width = places;
}

void para__plan_pages(para__plan *plan, uintptr_t address, size_t unit_bytes, size_t units,
                      size_t page_bytes)
{
    /* Such a call is long. A head start would hardly show, and would move pages between owners. */
    if (para__grain_of_pages(&plan->grain, address, unit_bytes, units, plan->width, page_bytes))
        plan->head_start = 0;
}

static unsigned most_threads(const para__ask *ask)
{
    const unsigned limit = ask->limit && ask->limit < ask->workers ? ask->limit : ask->workers;
    return ask->units < limit ? (unsigned)ask->units : limit;
}

static double alone_ns(const para__ask *ask)
{
    return ask->alone_ns > 0 ? ask->alone_ns : ask->work_ns + ask->price_ns;
}

/* What is gained by the best team, with so many helpers awake, beyond the margin. */
static double gain(const para__ask *ask, unsigned awake, const para__costs *costs, unsigned *width)
{
    *width = best_width(ask->work_ns, most_threads(ask), awake, costs);
    return alone_ns(ask) * (1 - PARA__MARGIN_PART) - PARA__MARGIN_NS - ask->price_ns -
           shared_ns(ask->work_ns, *width, awake, costs);
}

double para__forgone_ns(const para__ask *ask, const para__costs *costs, unsigned *width)
{
    unsigned width_now;
    const double now_ns = gain(ask, ask->awake, costs, &width_now);
    return gain(ask, most_threads(ask) - 1, costs, width) - (now_ns > 0 ? now_ns : 0);
}

para__plan para__decide(const para__ask *ask, const para__costs *costs)
{
    const para_why why = para__why_alone(ask->limit, ask->workers, ask->units);
    if (why != PARA_WHY_PARALLEL)
        return para__plan_alone(why);
    para__plan plan = {.width = most_threads(ask), .why = PARA_WHY_ASKED};
    if (!ask->is_forced) {
        plan.why = PARA_WHY_PARALLEL;
        plan.gain_ns = gain(ask, ask->awake, costs, &plan.width);
        if (plan.gain_ns <= 0) {
            const double gain_ns = plan.gain_ns;
            plan = para__plan_alone(PARA_WHY_SMALL);
            plan.gain_ns = gain_ns;
        }
    }
    return plan;
}

double para__work_of(const para__ask *ask, unsigned width, double elapsed_ns,
                     const para__costs *costs)
{
    return (elapsed_ns - ask->price_ns - shared_ns(0, width, ask->awake, costs)) * width;
}

bool para__share_at_once(const para__ask *ask, double unit_ns, const para__costs *costs)
{
    const unsigned p = most_threads(ask);
    const double in_vain_ns =
        costs->share_ns + wakes(ask->awake < p - 1 ? p - 1 - ask->awake : 0) * costs->wake_cost_ns;
    return ask->units <= (size_t)PARA__FEW_UNITS_A_WORKER * p &&
           unit_ns * (1 - 1.0 / p) > in_vain_ns + ask->price_ns;
}
