#include "share/valid.h"

#include "base/assert.h"

/* What holds whenever the thread of the lessee is not in the middle of a call. */
static void check_leased(const para__lane *lane)
{
    PARA__ASSERT(para__load_relaxed(&lane->lease) == PARA__LANE_LEASED); /* its own: no order */
    PARA__ASSERT(lane->epoch <= UINT64_MAX >> PARA__COUNT_BITS);
    PARA__ASSERT(!lane->helped && lane->acting_for == 0);
    PARA__ASSERT(para__load_relaxed(&lane->stop) == UINT64_MAX); /* both: nobody is in */
    PARA__ASSERT(para__load_relaxed(&lane->left_out) == 0);
}

void para__lane_check(const para__lane *lane)
{
    check_leased(lane);
    PARA__ASSERT(!lane->is_open && lane->displaces == 0);
}

void para__participant_check(const para__participant *p)
{
    if (!PARA__ASSERTS)
        return;
    const para__team t = p->team;
    PARA__ASSERT(p->epoch != 0 && p->epoch <= UINT64_MAX >> PARA__COUNT_BITS);
    PARA__ASSERT(t.within <= PARA__LANES);
    PARA__ASSERT(t.width >= 2 && t.first + t.width <= PARA__WORKERS_MAX);
    PARA__ASSERT(t.caller_place - t.first < t.width && p->self - t.first < t.width);
    PARA__ASSERT(t.invited >= 2 && (t.invited == t.width || (t.invited < t.width && t.first == 0)));
    PARA__ASSERT(p->runner.worker < t.invited && p->runner.worker == para__team_rank(&t, p->self) &&
                 p->self == para__team_member(&t, p->runner.worker));
    PARA__ASSERT(p->runner.stop == &p->lane->stop);
    PARA__ASSERT(p->division.width == t.width &&
                 p->division.caller_slice == para__team_slice(p->lanes, &t, t.caller_place));
    PARA__ASSERT(p->division.tickets >= 1 && p->division.tickets <= PARA__SLICE_TICKETS_MAX);
    PARA__ASSERT(p->first_claim <= p->division.tickets && p->claim >= 1);
}

/* The lane knows of its open call what the caller does. */
static void check_open(const para__participant *p)
{
    if (!PARA__ASSERTS)
        return;
    const para__lane *lane = p->lane;
    PARA__ASSERT(lane->is_open && lane->epoch == p->epoch);
    PARA__ASSERT(lane->first == p->team.first && lane->width == p->team.width);
    PARA__ASSERT(lane->tickets == p->division.tickets && p->self == p->team.caller_place);
}

void para__publish_check(const para__participant *p)
{
    if (!PARA__ASSERTS)
        return;
    para__participant_check(p);
    para__division_check(&p->division);
    check_leased(p->lane);
    check_open(p);
    for (unsigned w = p->team.first; w < p->team.first + p->team.width; w++) {
        const para__member *member = &p->lane->member[w]; /* all ordered by the last join, or E3 */
        const uint64_t ticket = para__load_relaxed(&member->ticket);
        PARA__ASSERT(w == p->self ? ticket >> PARA__COUNT_BITS == p->epoch
                                  : ticket >> PARA__COUNT_BITS < p->epoch);
        PARA__ASSERT(para__load_relaxed(&member->done) >> PARA__COUNT_BITS < p->epoch);
        const para__group *group = &p->lane->group[p->lanes->helper[w].group];
        PARA__ASSERT(para__load_relaxed(&group->count) == 0); /* likewise */
        PARA__ASSERT(para__load_relaxed(&group->done) >> PARA__COUNT_BITS < p->epoch);
    }
}

void para__join_check(const para__participant *p)
{
    if (!PARA__ASSERTS)
        return;
    const unsigned tickets = (p->end - p->first) * p->division.tickets;
    const para__group *home = &p->lane->group[p->lane->home];
    unsigned finished =
        p->finished + (unsigned)(para__load_relaxed(&home->count) & PARA__COUNT_MASK);
    check_open(p);
    PARA__ASSERT(!p->lane->helped && p->lane->acting_for == 0);
    PARA__ASSERT(p->lane->claimed == p->finished);
    for (unsigned w = p->team.first; w < p->team.first + p->team.width; w++) {
        const para__member *member = &p->lane->member[w]; /* all ordered by the join */
        const uint64_t done = para__load_relaxed(&member->done);
        PARA__ASSERT(para__load_relaxed(&member->ticket) == para__tagged(p->epoch, 0));
        PARA__ASSERT(done >> PARA__COUNT_BITS <= p->epoch);
        const para__group *group = &p->lane->group[p->lanes->helper[w].group];
        if (group != home) {
            PARA__ASSERT(para__load_relaxed(&group->count) == 0);
            PARA__ASSERT(para__load_relaxed(&group->done) >> PARA__COUNT_BITS == p->epoch);
            continue;
        }
        if (done >> PARA__COUNT_BITS != p->epoch)
            continue;
        PARA__ASSERT(w != p->self && (done & PARA__COUNT_MASK) <= tickets);
        finished += (unsigned)(done & PARA__COUNT_MASK);
    }
    PARA__ASSERT(finished == tickets);
}
