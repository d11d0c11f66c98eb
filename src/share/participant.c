#include "share/participant.h"

#include "base/assert.h"
#include "base/clock.h"
#include "base/tuning.h"

/* Claims tickets of worker w's slice; returns how many, and the first. No order: what is read after
 * a claim was published by the call word, and is frozen while the claim is unfinished (lane.h). */
static inline unsigned claim(const para__participant *p, unsigned w, unsigned *first_ticket)
{
    const unsigned tickets = p->division.tickets;
    para__atomic_u64 *word = &p->lane->member[w].ticket;
    uint64_t seen = para__load_relaxed(word);
    for (;;) {
        const uint64_t epoch = seen >> PARA__COUNT_BITS;
        const unsigned remaining =
            epoch == p->epoch ? (unsigned)(seen & PARA__COUNT_MASK) : tickets;
        if (epoch > p->epoch || remaining == 0)
            return 0;
        PARA__ASSERT(remaining <= tickets);
        const unsigned n = para__claim_size(remaining, tickets, p->claim);
        if (para__cas_relaxed(word, &seen, para__tagged(p->epoch, remaining - n))) {
            *first_ticket = tickets - remaining;
            return n;
        }
    }
}

/* A helper's first claim has frozen the job: from now on it may be read. */
static void begin(para__participant *p)
{
    const para__job_descriptor *descriptor = p->descriptor;
    p->run = descriptor->run;
    p->payload = descriptor->payload;
    p->first_unit = descriptor->first;
    p->division.units = descriptor->units;
    p->division.head_start = descriptor->head_start;
    p->division.grain = descriptor->grain;
    p->timed = descriptor->timed;
    if (PARA__ASSERTS)
        para__division_check(&p->division);
    p->begun = true;
    if (p->timed)
        p->runner.tally.came_ticks = para__ticks();
    p->own_fp = para__fp_swap(descriptor->fp_control);
}

PARA__THREAD_LOCAL const para__lane *para__current_lane;

/* If nothing is known of the units, claims have to be long enough that they do not show, and short
 * enough that one dear unit does not hold back others. A claim of n tickets has taken this long.
 * The next one is longer if this one was short, or if its tickets were cheaper than those of a
 * shorter claim, because a kernel call has a price. If there are many tickets, a second length is
 * tried in any case. */
static void adapt_claim(para__participant *p, unsigned n, uint64_t ticks)
{
    const unsigned most = (p->division.tickets + PARA__CLAIMS - 1) / PARA__CLAIMS;
    const float each = (float)ticks / (float)n;
    const bool is_first = p->ticket_ticks == 0;
    const bool cheaper = each < (float)PARA__CLAIM_CHEAPER * p->ticket_ticks;
    if (ticks < PARA__CLAIM_SHORT * p->lanes->batch_ticks || cheaper ||
        (is_first && most >= PARA__MANY_TICKETS / PARA__CLAIMS))
        p->claim = 2 * p->claim < most ? 2 * p->claim : most;
    else if (ticks > PARA__CLAIM_LONG * p->lanes->batch_ticks && p->claim > 1)
        p->claim /= 2;
    p->ticket_ticks = each;
}

/* Not inline: otherwise the compiler might move the arithmetic out of the saved environment. */
__attribute__((noinline)) static void add_time(para__participant *p, uint64_t ticks, unsigned n,
                                               size_t units)
{
    const float each = (float)ticks / (float)units;
    p->runner.tally.busy_ticks += ticks;
    if (p->batches)
        para__batches_add(p->batches, (double)units, (double)ticks);
    if (p->first_claim == 0)
        adapt_claim(p, n, ticks);
    if (each > p->runner.tally.dearest_ticks && ticks >= p->lanes->batch_ticks)
        p->runner.tally.dearest_ticks = each;
}

static void count_time(para__participant *p, uint64_t ticks, unsigned n, size_t units)
{
    const para__fp fp = para__fp_save();
    add_time(p, ticks, n, units);
    para__fp_restore(fp, 0);
}

/* Runs units of worker w's slice while somebody looks at what threads do. */
__attribute__((noinline, cold)) static void run_told(para__participant *p, unsigned w,
                                                     para__range units)
{
    const size_t chunks = p->runner.tally.chunks;
    const uintptr_t kernel = para__load_relaxed(&p->lane->kernel); /* frozen, as the job is */
    const para__mark since =
        para__trace_begin_of(p->lane->lanes, .kind = PARA__EVENT_BATCH, .function = kernel,
                             .id = para__load_relaxed(&p->lane->site), /* likewise */
                             .a = units.first, .b = units.count);
    p->run(p->payload, units.first, units.count, &p->runner);
    para__trace_end(since, .kind = PARA__EVENT_BATCH, .detail = w != p->self, .function = kernel,
                    .a = units.first, .b = units.count, .c = w,
                    .chunks = (unsigned)(p->runner.tally.chunks - chunks), .is_busy = true);
}

void para__participant_run(para__participant *p, unsigned w, unsigned first_ticket, unsigned n)
{
    const unsigned slice = para__team_slice(p->lanes, &p->team, w);
    const para__range units = para__ticket_units(&p->division, slice, first_ticket, n);
    p->finished += n;
    if (units.count == 0)
        return;
    const para__lane *around = para__current_lane;
    para__current_lane = p->lane;
    const uint64_t start = p->timed ? para__ticks() : 0;
    const size_t first = p->first_unit + units.first;
    if (para__is_traced())
        run_told(p, w, (para__range){first, units.count});
    else
        p->run(p->payload, first, units.count, &p->runner);
    para__current_lane = around;
    if (p->timed)
        count_time(p, para__ticks() - start, n, units.count);
}

/* Folds what the units of a group's slices have left. The job is that of the thread's own group:
 * the other group's has perhaps not been written yet. It is frozen until the group has reported. */
static void fold(para__lane *lane, const para__job_descriptor *job, const para__helper *neighbour,
                 para__tally *sum)
{
    if (!job->fold || para__load_relaxed(&lane->stop) != UINT64_MAX) /* see lane.h: E16 */
        return;
    const para__team t = para__team_of(para__load_relaxed(&job->team)); /* both: frozen */
    const uint64_t call = para__load_relaxed(&job->call);
    const para__division division = {
        .units = job->units,
        .head_start = job->head_start,
        .width = t.width,
        .tickets = (unsigned)(call & PARA__COUNT_MASK) >> PARA__TICKET_BITS,
        .caller_slice = para__team_slice(lane->lanes, &t, t.caller_place),
        .grain = job->grain,
        .weighing = &lane->weighing};
    const unsigned first =
        para__team_slice(lane->lanes, &t, para__max(neighbour->group_first, t.first));
    const unsigned last = first + para__group_width(neighbour, t) - 1;
    const size_t begin = para__slice_units(&division, first).first;
    const para__range end = para__slice_units(&division, last);
    const para__lane *around = para__current_lane;
    para__current_lane = lane;
    job->fold(job->payload, job->first + begin, end.first + end.count - begin);
    para__current_lane = around;
    sum->fp_flags |= para__fp_flags();
}

/* All tickets of a group's slices are finished, so nobody writes its members' tallies any more:
 * adds them up for the caller. */
__attribute__((noinline)) static void report(para__lane *lane, para__group *group,
                                             const para__helper *neighbour, uint64_t epoch,
                                             bool has_strays, const para__job_descriptor *folds)
{
    para__tally sum = {0};
    unsigned workers = 0;
    if (folds)
        fold(lane, folds, neighbour, &sum);
    for (unsigned w = neighbour->group_first; w < neighbour->group_end; w++) {
        const para__member *member = &lane->member[w];
        if (para__load_relaxed(&member->done) >> PARA__COUNT_BITS != epoch) /* counted: E16 */
            continue;
        para__tally_add(&sum, &member->tally);
        workers += member->tally.chunks != 0;
    }
    group->tally = sum;
    para__store_relaxed(&group->count, 0); /* for the next call, which the caller publishes */
    para__swap_seq_cst(E2_E5, &group->done,
                       para__tagged(epoch, workers | (has_strays ? PARA__STRAYED : 0)));
    para__event_wake(&lane->joiner);
}

void para__participant_count(para__lane *lane, uint64_t epoch, para__debt debt)
{
    const para__helper *neighbour = &lane->lanes->helper[debt.worker];
    para__group *group = &lane->group[neighbour->group];
    const uint64_t more = debt.tickets + (debt.strays ? PARA__STRAY : 0);
    const uint64_t count = para__add_seq_cst(E5_E16, &group->count, more) + more;
    if (debt.of == 0)
        para__event_wake(&lane->joiner);
    else if ((count & PARA__COUNT_MASK) == debt.of)
        report(lane, group, neighbour, epoch, count >= PARA__STRAY, debt.folds);
}

void para__participant_finish(para__lane *lane, unsigned worker, const para__tally *tally,
                              uint64_t done)
{
    para__member *member = &lane->member[worker];
    member->tally = *tally;
    para__swap_seq_cst(E2_E5, &member->done, done);
    para__event_wake(&lane->joiner);
}

void para__participant_settle(para__lane *lane, unsigned worker, const para__tally *tally,
                              uint64_t epoch, para__debt debt)
{
    para__member *member = &lane->member[worker];
    if (debt.strays) {
        member->strays = *tally;
        member->strayed = epoch;
    } else {
        member->tally = *tally;
        para__store_relaxed(&member->done, para__tagged(epoch, 0)); /* for who counts the last */
    }
    para__participant_count(lane, epoch, debt);
}

/* Runs what a helper has claimed. If a caller that waits runs it, it may leave by a jump: then
 * left.c finishes what it owes. */
static inline void run_as_helper(para__participant *p, unsigned w, unsigned first_ticket,
                                 unsigned n, uint64_t done, para__debt debt)
{
    if (p->waits) {
        p->waits->helped_worker = p->self;
        p->waits->helped_done = done;
        p->waits->helped_debt = debt;
        p->waits->helped = p->lane;
    }
    para__participant_run(p, w, first_ticket, n);
    if (p->waits)
        p->waits->helped = NULL;
    p->runner.tally.fp_flags = para__fp_flags();
}

static inline para__group *own_group(const para__participant *p)
{
    return &p->lane->group[p->lanes->helper[p->self].group];
}

/* A scout has found something, or nothing anywhere: the next of its group may look, or need not. */
static void end_scouting(para__participant *p, bool is_vain)
{
    if (p->scouts)
        para__store_relaxed(&own_group(p)->scout, /* a hint: see lane.h */
                            para__tagged(p->epoch, is_vain ? PARA__SCOUT_VAIN : PARA__SCOUT_BACK));
    p->scouts = false;
}

/* The same as work_on for slices whose tickets are counted in their group: the participant, or the
 * slice, is of another group than the caller. Whether there was anything. */
__attribute__((noinline)) static bool work_for_group(para__participant *p, unsigned w)
{
    const para__helper *owner = &p->lanes->helper[w];
    const bool is_helper = !para__participant_is_caller(p);
    const bool is_home =
        p->team.caller_place - owner->group_first < owner->group_end - owner->group_first;
    const unsigned finished = p->finished; /* in the caller's group */
    const uint64_t done = para__tagged(p->epoch, 0);
    para__debt debt = {.worker = w,
                       .of = is_home ? 0 : para__group_width(owner, p->team) * p->division.tickets,
                       .strays = w - p->first >= p->end - p->first,
                       .folds = is_helper && !p->waits ? p->descriptor : NULL};
    unsigned first_ticket;
    unsigned n;
    while (!para__lanes_are_forked(p->lanes) && (n = claim(p, w, &first_ticket)) > 0) {
        debt.tickets += n;
        end_scouting(p, false);
        if (!p->begun)
            begin(p);
        if (is_helper) {
            run_as_helper(p, w, first_ticket, n, done, debt);
        } else {
            p->lane->debt = debt;
            para__participant_run(p, w, first_ticket, n);
        }
    }
    if (debt.tickets && is_helper) {
        para__participant_settle(p->lane, p->self, &p->runner.tally, p->epoch, debt);
    } else if (debt.tickets) {
        p->lane->debt.tickets = 0;
        para__participant_count(p->lane, p->epoch, debt);
    }
    p->finished = finished;
    return debt.tickets != 0;
}

void para__participant_work_on(para__participant *p, unsigned w)
{
    const bool helper = !para__participant_is_caller(p);
    unsigned first_ticket;
    unsigned n;
    if (!para__participant_is_home(p)) {
        (void)work_for_group(p, w);
        return;
    }
    /* In a child, what others have claimed will not be done: the call is over. */
    while (!para__lanes_are_forked(p->lanes) && (n = claim(p, w, &first_ticket)) > 0) {
        if (!p->begun)
            begin(p);
        if (helper) {
            const uint64_t done = para__tagged(p->epoch, p->finished + n);
            run_as_helper(p, w, first_ticket, n, done, (para__debt){0});
            para__participant_finish(p->lane, p->self, &p->runner.tally, done);
        } else {
            p->lane->claimed += n;
            para__participant_run(p, w, first_ticket, n);
        }
    }
}

/* Whether worker w has finished something of this call. If slices have one ticket, its own is
 * claimed then. */
static bool has_finished(const para__participant *p, unsigned w)
{
    const uint64_t done = para__load_relaxed(&p->lane->member[w].done); /* a hint: orders nothing */
    return done >> PARA__COUNT_BITS == p->epoch;
}

/* Whether to leave worker w's slice to its owner, which most likely runs it now: for slices of one
 * ticket, at the end of a short call. To look at the ticket would take its line from the owner, who
 * would have to fetch it back for the next call. So the participant first looks, for a moment, at
 * the line that it has to read anyway. The caller has claimed its own ticket before it published
 * the call, and writes no done word: there is nothing to look for. */
static bool leave_to_owner(const para__participant *p, unsigned w)
{
    if (p->division.tickets > 1)
        return false;
    if (w == p->team.caller_place)
        return true;
    for (int look = 0; look < PARA__OWNER_LOOKS; look++)
        if (has_finished(p, w))
            return true;
    return false;
}

/* Whether all tickets of the worker's group are claimed, as far as somebody has seen. The caller
 * looks where it will be told. */
static bool is_spent(const para__participant *p, unsigned w)
{
    const para__group *group = &p->lane->group[p->lanes->helper[w].group];
    for (int look = 0; look == 0 || (look < PARA__OWNER_LOOKS && p->division.tickets == 1); look++)
        if (para__participant_is_caller(p) /* both are facts that order nothing: see lane.h */
                ? para__load_relaxed(&group->done) >> PARA__COUNT_BITS == p->epoch
                : para__load_relaxed(&group->spent) == p->epoch)
            return true;
    return false;
}

static void set_spent(const para__participant *p, unsigned w)
{
    para__group *group = &p->lane->group[p->lanes->helper[w].group];
    if (para__load_relaxed(&group->spent) < p->epoch)
        para__store_relaxed(&group->spent, p->epoch); /* see lane.h */
}

/* Whether a helper sees that the next call is published. */
static bool is_over(const para__participant *p)
{
    return !para__participant_is_caller(p) &&
           para__load_relaxed(&p->descriptor->call) >> PARA__COUNT_BITS != p->epoch; /* a hint */
}

void para__participant_steal_near(para__participant *p)
{
    for (unsigned i = 1; i < p->end - p->first; i++) {
        const unsigned w = p->first + (p->self - p->first + i) % (p->end - p->first);
        if (!leave_to_owner(p, w))
            para__participant_work_on(p, w);
    }
    if (!para__participant_has_one_group(p))
        set_spent(p, p->self);
}

/* Waits for its turn to look at other groups' tickets; false: there is nothing to look for. A scout
 * that the system does not run holds others up for a moment only. */
static bool may_scout(para__participant *p)
{
    para__atomic_u64 *word = &own_group(p)->scout; /* a hint: see lane.h */
    for (int look = 0; look < PARA__SCOUT_LOOKS; look++) {
        uint64_t seen = para__load_relaxed(word);
        if (seen >= para__tagged(p->epoch, PARA__SCOUT_VAIN) || is_over(p))
            return false;
        if (seen != para__tagged(p->epoch, PARA__SCOUT_AWAY) &&
            para__cas_relaxed(word, &seen, para__tagged(p->epoch, PARA__SCOUT_AWAY))) {
            p->scouts = true;
            return true;
        }
        para__pause();
    }
    return true;
}

/* Works on the first slice of another group where something is left, from the *next-th group on;
 * false if that is nowhere. */
static bool raid(para__participant *p, unsigned *next)
{
    const para__helper *helper = p->lanes->helper;
    const unsigned others = p->lanes->groups - 1;
    const uint16_t *const group = p->lanes->raids + (size_t)helper[p->self].group * others;
    const unsigned rank = p->self - p->first;
    for (; *next < others && !is_over(p); ++*next) {
        const unsigned w = para__max(group[*next], p->team.first);
        const unsigned end =
            para__min(helper[group[*next]].group_end, p->team.first + p->team.width);
        if (w >= end || is_spent(p, w))
            continue;
        for (unsigned i = 0; i < end - w; i++)
            if (work_for_group(p, w + (rank + i) % (end - w)))
                return true;
        set_spent(p, w);
    }
    return false;
}

void para__participant_steal_far(para__participant *p)
{
    const bool is_caller = para__participant_is_caller(p);
    unsigned next = 0;
    if (!is_caller)
        p->runner.tally = (para__tally){0}; /* so far it is told; from here on it is apart */
    while ((is_caller || may_scout(p)) && raid(p, &next))
        ;
    end_scouting(p, true);
}

unsigned para__sparse_member(const para__team *t, unsigned rank)
{
    return (rank * t->width + t->caller_place * t->invited % t->width) / t->invited;
}

unsigned para__sparse_rank(const para__team *t, unsigned worker)
{
    const unsigned offset = t->caller_place * t->invited % t->width;
    const unsigned end = (worker + 1) * t->invited - 1 + t->width - offset;
    return end % t->width < t->invited ? end / t->width - 1 : t->invited;
}

void para__participant_wake_next(const para__participant *p)
{
    const unsigned invited = p->team.invited;
    const unsigned caller = para__team_rank(&p->team, p->team.caller_place);
    const unsigned rank = (p->runner.worker + invited - caller) % invited;
    const unsigned first = PARA__WAKES_EACH * rank + 1;
    for (unsigned r = first; r < first + PARA__WAKES_EACH && r < invited; r++) {
        const unsigned w = para__team_member(&p->team, (caller + r) % invited);
        para__helper_wake(&p->lanes->helper[w]);
    }
}
