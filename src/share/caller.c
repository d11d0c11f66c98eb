#include "share/caller.h"

#include "base/assert.h"
#include "base/clock.h"
#include "base/tuning.h"
#include "share/participant.h"
#include "share/valid.h"
#include "share/visit.h"

#include <string.h>

/* What announces a call: the call word of each of its job descriptors. */
static uint64_t call_word(const para__participant *p)
{
    return para__tagged(p->epoch, p->division.tickets << PARA__TICKET_BITS | p->first_claim);
}

/* The groups that have members in the team. */
typedef struct group_range {
    unsigned first, last;
} group_range;

static group_range groups_of_team(const para__participant *p)
{
    const para__helper *first = &p->lanes->helper[p->team.first];
    return (group_range){first->group, first[p->team.width - 1].group};
}

/* Writes the job descriptor of each group of the team. */
static void publish(const para__participant *p, const para__job *job)
{
    const group_range reached = groups_of_team(p);
    const uint64_t call = call_word(p);
    const para__fp fp_control = para__fp_control();
    if (PARA__ASSERTS)
        para__publish_check(p);
    for (unsigned g = reached.first; g <= reached.last; g++) {
        para__job_descriptor *descriptor = &p->lane->descriptor[g];
        descriptor->run = job->run;
        descriptor->first = p->first_unit;
        descriptor->units = p->division.units;
        descriptor->head_start = p->division.head_start;
        descriptor->grain = p->division.grain;
        descriptor->timed = p->timed;
        descriptor->fp_control = fp_control;
        if (!para__participant_has_one_group(p))
            descriptor->fold = job->fold;
        memcpy(descriptor->payload, job->payload, job->payload_bytes);
        /* Published by the call word, as the job. */
        para__store_relaxed(&descriptor->team, para__team_word(p->epoch, p->team));
        para__store_release(E1, &descriptor->call, call);
    }
}

/* Publishes the same again, in the single order of seq_cst operations. */
static void announce(const para__participant *p)
{
    const group_range reached = groups_of_team(p);
    const uint64_t call = call_word(p);
    for (unsigned g = reached.first; g <= reached.last; g++)
        para__swap_seq_cst(E5, &p->lane->descriptor[g].call, call);
}

/* Wakes every sleeper of the team, also those that others were to wake. */
static void wake_all(const para__participant *p)
{
    for (unsigned r = 0; r < p->team.invited; r++)
        if (r != p->runner.worker)
            para__helper_wake(&p->lanes->helper[para__team_member(&p->team, r)]);
}

/* Whether the other groups have reported, and those of their workers that have worked in the
 * caller's group have finished what is missing there. */
__attribute__((noinline)) static bool others_done(const para__participant *p, unsigned missing)
{
    const group_range reached = groups_of_team(p);
    for (unsigned g = reached.first; g <= reached.last; g++) {
        para__group *group = &p->lane->group[g];
        if (g == p->lane->home) {
            if ((para__load_seq_cst(E5_E16, &group->count) & PARA__COUNT_MASK) != missing)
                return false;
        } else if (para__load_seq_cst(E2_E5, &group->done) >> PARA__COUNT_BITS != p->epoch) {
            return false;
        }
    }
    return true;
}

/* Whether all tickets are finished, as told by the done words that belong to this call. */
static bool all_done(const para__participant *p)
{
    const unsigned tickets = (p->end - p->first) * p->division.tickets;
    unsigned finished = p->finished;
    for (unsigned w = p->first; w < p->end; w++) {
        const uint64_t done = para__load_seq_cst(E2_E5, &p->lane->member[w].done);
        finished += done >> PARA__COUNT_BITS == p->epoch ? (unsigned)(done & PARA__COUNT_MASK) : 0;
    }
    PARA__ASSERT(finished <= tickets);
    return para__participant_has_one_group(p) ? finished == tickets
                                              : others_done(p, tickets - finished);
}

/* Works on other slices. At the end of an even call the other groups' last claims most likely run
 * now: to look at their tickets would take these from their owners, and tell nothing. So the caller
 * first looks, for a moment, at the words that it has to read anyway. */
static void steal(para__participant *p)
{
    para__participant_steal_near(p);
    if (para__participant_has_one_group(p))
        return;
    for (int i = 0; i < PARA__JOIN_ROUNDS; i++) {
        if (all_done(p))
            return;
        para__pause();
    }
    para__participant_steal_far(p);
}

/* Helps with calls that kernels of this call have made: they are what it waits for. */
static void help_nested(const para__participant *p, bool is_helper)
{
    para__lanes *lanes = p->lanes;
    para__helper *self = &lanes->helper[p->self];
    if (!is_helper && /* else it acts for itself already */
        para__swap_acquire(E8, &self->acting, 1) != 0)
        return;
    p->lane->acting_for = is_helper ? 0 : p->self + 1;
    const unsigned used = para__load_relaxed(&lanes->used); /* others hold no such call yet */
    for (unsigned i = 0; i < used; i++)
        if (&lanes->lane[i] != p->lane)
            para__lane_visit(lanes, i, p->self, para__lane_number(lanes, p->lane));
    p->lane->acting_for = 0;
    if (!is_helper)
        para__store_release(E8, &self->acting, 0);
}

static inline void tell_join(const para__participant *p, para__mark since)
{
    para__trace_end(since, .kind = PARA__EVENT_JOIN,
                    .function = para__load_relaxed(&p->lane->kernel)); /* its own */
}

/* Waits for participants that still run what they have claimed. It spins longer in longer calls, if
 * `begun` tells how long the call took: the wait is part of the call, and a wake-up would add to
 * it. */
static void await_others(const para__participant *p, bool is_helper, uint64_t begun)
{
    const uint64_t start = para__ticks();
    const para__mark since = para__trace_begin();
    const uint64_t idle_ticks =
        para__load_relaxed(&p->lanes->spin_ticks); /* 0: threads share CPUs */
    const uint64_t part_ticks = begun ? (start - begun) / PARA__JOIN_SPIN_PART : 0;
    const uint64_t most_ticks = PARA__JOIN_SPIN_MOST * idle_ticks;
    const uint64_t spin_ticks = part_ticks < idle_ticks   ? idle_ticks
                                : part_ticks < most_ticks ? part_ticks
                                                          : most_ticks;
    while (!para__lanes_are_forked(p->lanes) && para__ticks() - start < spin_ticks) {
        for (int i = 0; i < PARA__JOIN_ROUNDS; i++) {
            if (all_done(p)) {
                tell_join(p, since);
                return;
            }
            para__pause();
        }
        help_nested(p, is_helper);
    }
    while (!para__lanes_are_forked(p->lanes)) { /* else nobody is there to wait for */
        para__event_prepare(&p->lane->joiner);
        if (all_done(p))
            break;
        para__event_wait(&p->lane->joiner);
    }
    para__event_cancel(&p->lane->joiner);
    tell_join(p, since);
}

static inline void join(const para__participant *p, bool is_helper, uint64_t begun)
{
    if (!all_done(p))
        await_others(p, is_helper, begun);
    if (PARA__ASSERTS && !para__lanes_are_forked(p->lanes))
        para__join_check(p);
}

/* Whether slices are to be as long as their cores have been fast lately: these are of several
 * kinds, and there are so many units that lengths can be told apart. */
static bool is_weighed(const para__participant *p)
{
    const para__lanes *lanes = p->lanes;
    para__weighing *weighing = &p->lane->weighing;
    bool differs = false;
    if (p->division.units / p->division.width < PARA__WEIGHED_UNITS)
        return false;
    if (p->team.width == lanes->wide) /* then cores are shared: not as fast as they are alone */
        return false;
    weighing->before = lanes->before + p->team.first;
    for (unsigned k = 0; k < PARA__KINDS_MOST; k++) {
        weighing->weight[k] = (uint16_t)para__load_relaxed(&lanes->weight[k]); /* see lane.h */
        differs |= weighing->weight[k] != weighing->weight[0];
    }
    return differs;
}

/* The caller's part of a call on that lane, as planned. */
static inline para__participant caller_participant(para__lane *lane, const para__position *at,
                                                   const para__job *job, const para__plan *plan)
{
    const unsigned self = at->self, first = at->first;
    para__lanes *const lanes = lane->lanes;
    const para__team team = {.within = para__lane_around(lanes),
                             .first = first,
                             .width = plan->width,
                             .invited = plan->invited ? plan->invited : plan->width,
                             .caller_place = self};
    const unsigned rank = para__team_rank(&team, self);
    lane->is_open = true;
    lane->first = first;
    lane->width = plan->width;
    lane->tickets = plan->tickets;
    lane->claimed = 0;
    lane->home = lanes->helper[self].group;
    return (para__participant){.lanes = lanes,
                               .lane = lane,
                               .begun = true,
                               .run = job->run,
                               .payload = job->payload,
                               .epoch = ++lane->epoch,
                               .division = {.units = plan->units.count,
                                            .head_start = plan->head_start,
                                            .width = plan->width,
                                            .tickets = plan->tickets,
                                            .caller_slice = para__team_slice(lanes, &team, self),
                                            .grain = plan->grain,
                                            .weighing = &lane->weighing},
                               .first_unit = plan->units.first,
                               .timed = plan->timed,
                               .team = team,
                               .self = self,
                               .first = para__max(lanes->helper[self].group_first, first),
                               .end = para__min(lanes->helper[self].group_end, first + plan->width),
                               .first_claim = plan->first,
                               .claim = plan->first ? plan->first : 1,
                               .runner = {.worker = rank,
                                          .stop = &lane->stop,
                                          .left_out = &lane->left_out,
                                          .kind = lanes->helper[self].kind}};
}

/* Who of the team sleeps; more than there are if one is not to be woken, so that nothing is learnt.
 * For timed calls only: where anybody sleeps, it looks at every member. */
static unsigned count_sleepers(const para__participant *p)
{
    const unsigned all = para__load_relaxed(&p->lanes->sleeping); /* a count on its own */
    unsigned sleepers = 0;
    if (all <= para__event_seems_parked(&p->lanes->helper[p->self].event))
        return 0; /* nobody, or the worker in whose place the caller is */
    for (unsigned r = 0; r < p->team.invited; r++) {
        para__helper *helper = &p->lanes->helper[para__team_member(&p->team, r)];
        if (r != p->runner.worker && para__event_seems_parked(&helper->event))
            sleepers += para__load_relaxed(&helper->displaced) /* a hint: see lane.h */
                            ? p->team.width
                            : 1;
    }
    return sleepers;
}

/* Adds what workers have done in other groups' slices than their own. */
static void add_strays(const para__participant *p, para__tally *tally, unsigned *workers)
{
    for (unsigned w = p->team.first; w < p->team.first + p->team.width; w++) {
        const para__member *member = &p->lane->member[w];
        if (member->strayed != p->epoch)
            continue;
        para__tally_add(tally, &member->strays);
        const bool is_counted =
            para__load_relaxed(&member->done) >> PARA__COUNT_BITS == p->epoch && /* joined */
            member->tally.chunks != 0;
        *workers += !is_counted && member->strays.chunks != 0;
    }
}

static void add_other_groups(const para__participant *p, para__tally *tally, unsigned *workers)
{
    const group_range reached = groups_of_team(p);
    bool has_strays = false;
    for (unsigned g = reached.first; g <= reached.last; g++) {
        para__group *group = &p->lane->group[g];
        if (g == p->lane->home) {
            has_strays |= para__load_relaxed(&group->count) != 0; /* all: joined */
            if (para__load_relaxed(&group->count))
                para__store_relaxed(&group->count, 0);
            continue;
        }
        const unsigned told = (unsigned)para__load_relaxed(&group->done);
        para__tally_add(tally, &group->tally);
        has_strays |= (told & PARA__STRAYED) != 0;
        *workers += told & (PARA__STRAYED - 1);
    }
    if (has_strays)
        add_strays(p, tally, workers);
}

void para__lane_run(para__lane *lane, const para__position *at, const para__job *job,
                    const para__plan *plan, para__outcome *outcome)
{
    const uint64_t begun = plan->timed ? para__ticks() : 0;
    para__tally *const tally = &outcome->tally;
    para__lanes *const lanes = lane->lanes;
    para__participant p = caller_participant(lane, at, job, plan);
    p.runner.tally = *tally;
    p.batches = &outcome->batches;
    if (lanes->before)
        p.division.grain.is_weighed = is_weighed(&p);
    para__atomic_u32 *displaced = at->is_helper ? NULL : &lanes->helper[p.self].displaced;
    lane->run_frame = (uintptr_t)__builtin_frame_address(0);
    lane->displaces = displaced ? p.self + 1 : 0;
    if (displaced)
        para__add_relaxed(displaced, 1); /* a hint: see lane.h */
    else                                 /* a helper, to which its own call is no news */
        para__store_relaxed(&lanes->helper[p.self].seen[lane - lanes->lane], p.epoch);

    /* Nobody can claim yet, so the caller takes its own first tickets by a plain store; and it does
     * nothing between publishing and its first batch that would wait for the store to arrive,
     * unless the call is long against that. */
    const unsigned batch = para__claim_size(plan->tickets, plan->tickets, p.claim);
    lane->claimed = batch;
    para__store_relaxed(&lane->member[p.self].ticket, /* published by the call word */
                        para__tagged(p.epoch, plan->tickets - batch));
    if (plan->timed) {
        outcome->begun = begun;
        outcome->sleepers = count_sleepers(&p);
        outcome->published = para__ticks();
    }
    publish(&p, job);
    if (plan->announces)
        announce(&p);
    if (plan->announces && plan->tickets < PARA__FEW_TICKETS)
        wake_all(&p); /* few and dear batches: nobody is left to chance */
    else
        para__participant_wake_next(&p);
    para__participant_run(&p, p.self, 0, batch);
    if (batch < plan->tickets) {
        if (plan->announces)
            wake_all(&p); /* those that the tree of wake-ups has not reached */
        para__participant_work_on(&p, p.self);
    }
    steal(&p);
    join(&p, at->is_helper, begun);
    lane->is_open = false;
    lane->displaces = 0;
    if (displaced)
        para__add_relaxed(displaced, -1u); /* a hint: see lane.h */

    *tally = p.runner.tally;
    outcome->workers = tally->chunks != 0;
    if (para__lanes_are_forked(lanes)) { /* this is the child, without those who helped */
        *tally = (para__tally){.ending = PARA__ENDED_FORKED};
        return;
    }
    for (unsigned w = p.first; w < p.end; w++)
        if (para__load_relaxed(&lane->member[w].done) >> PARA__COUNT_BITS == p.epoch) { /* joined */
            para__tally_add(tally, &lane->member[w].tally);
            outcome->workers += lane->member[w].tally.chunks != 0;
        }
    if (!para__participant_has_one_group(&p))
        add_other_groups(&p, tally, &outcome->workers);
    if (plan->timed) {
        outcome->joined = para__ticks();
        lane->member[p.self].tally.dearest_ticks = /* for who compares cores */
            p.runner.tally.dearest_ticks;
    }
    if (tally->ending != PARA__ENDED_WHOLE) {
        outcome->left_out += para__load_relaxed(&lane->left_out); /* joined */
        para__store_relaxed(&lane->left_out, 0);                  /* both: */
        para__store_relaxed(&lane->stop, UINT64_MAX); /* published by the next call word */
    }
}

static void run_nothing(const void *payload, size_t first, size_t count, para__runner *runner)
{
    (void)payload;
    (void)first;
    (void)count;
    (void)runner;
}

uint64_t para__lane_ping(para__lane *lane, const para__position *at, unsigned width,
                         uint64_t limit_ticks)
{
    const para__job job = {.run = run_nothing, .payload = &job};
    const para__plan plan = {.units = {0, width}, .width = width, .tickets = 1, .first = 1};
    const uint64_t start = para__ticks();
    para__participant p = caller_participant(lane, at, &job, &plan);
    if (at->is_helper) /* all: as above */
        para__store_relaxed(&lane->lanes->helper[p.self].seen[lane - lane->lanes->lane], p.epoch);
    para__store_relaxed(&lane->member[p.self].ticket, para__tagged(p.epoch, 0));
    lane->claimed = p.finished = 1;
    publish(&p, &job);
    para__participant_wake_next(&p);
    uint64_t ticks = 0;
    while (!all_done(&p) && ticks < limit_ticks)
        ticks = para__ticks() - start;
    ticks = para__ticks() - start;
    steal(&p);
    join(&p, at->is_helper, 0);
    para__store_relaxed(&lane->group[lane->home].count, 0); /* joined */
    lane->is_open = false;
    return ticks < limit_ticks ? ticks : UINT64_MAX;
}
