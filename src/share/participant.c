#include "share/participant.h"

#include "base/assert.h"
#include "base/clock.h"
#include "base/tuning.h"

/* Claims tickets of worker w's slice; returns how many, and the first. No order: what is read after
 * a claim was published by the call word, and is frozen while the claim is unfinished (lane.h). */
static unsigned claim(const para__participant *p, unsigned w, unsigned *first_ticket)
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

void para__participant_run(para__participant *p, unsigned w, unsigned first_ticket, unsigned n)
{
    const para__range units = para__ticket_units(&p->division, w - p->team.first, first_ticket, n);
    p->finished += n;
    if (units.count == 0)
        return;
    const para__lane *around = para__current_lane;
    para__current_lane = p->lane;
    const uint64_t start = p->timed ? para__ticks() : 0;
    p->run(p->payload, p->first_unit + units.first, units.count, &p->runner);
    para__current_lane = around;
    if (p->timed)
        count_time(p, para__ticks() - start, n, units.count);
}

void para__participant_finish(para__lane *lane, unsigned worker, const para__tally *tally,
                              uint64_t done)
{
    para__member *member = &lane->member[worker];
    member->tally = *tally;
    para__swap_seq_cst(E2_E5, &member->done, done);
    para__event_wake(&lane->joiner);
}

/* Runs what a helper has claimed. If a caller that waits runs it, it may leave by a jump: then
 * left.c finishes what it owes. */
static void run_as_helper(para__participant *p, unsigned w, unsigned first_ticket, unsigned n)
{
    const uint64_t done = para__tagged(p->epoch, p->finished + n);
    if (p->waits) {
        p->waits->helped_worker = p->self;
        p->waits->helped_done = done;
        p->waits->helped = p->lane;
    }
    para__participant_run(p, w, first_ticket, n);
    if (p->waits)
        p->waits->helped = NULL;
    p->runner.tally.fp_flags = para__fp_flags();
    para__participant_finish(p->lane, p->self, &p->runner.tally, done);
}

void para__participant_work_on(para__participant *p, unsigned w)
{
    const bool helper = p->self != p->team.caller_place;
    unsigned first_ticket;
    unsigned n;
    /* In a child, what others have claimed will not be done: the call is over. */
    while (!para__lanes_are_forked(p->lanes) && (n = claim(p, w, &first_ticket)) > 0) {
        if (!p->begun)
            begin(p);
        if (helper) {
            run_as_helper(p, w, first_ticket, n);
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
 * the line that it has to read anyway. */
static bool leave_to_owner(const para__participant *p, unsigned w)
{
    for (int look = 0; look < PARA__OWNER_LOOKS && p->division.tickets == 1; look++)
        if (has_finished(p, w))
            return true;
    return false;
}

void para__participant_steal(para__participant *p)
{
    const unsigned group = p->lanes->helper[p->self].group;
    const unsigned slice = p->self - p->team.first;
    for (int near = 1; near >= 0; near--)
        for (unsigned i = 1; i < p->team.width; i++) {
            const unsigned w = p->team.first + (slice + i) % p->team.width;
            if ((p->lanes->helper[w].group == group) == near && !leave_to_owner(p, w))
                para__participant_work_on(p, w);
        }
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
    for (unsigned r = 2 * rank + 1; r <= 2 * rank + 2 && r < invited; r++) {
        const unsigned w = para__team_member(&p->team, (caller + r) % invited);
        para__helper_wake(&p->lanes->helper[w]);
    }
}

unsigned para__lane_around(const para__lanes *lanes)
{
    return para__lane_number(lanes, para__current_lane);
}
