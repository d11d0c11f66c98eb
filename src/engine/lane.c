#include "engine/lane.h"

#include "base/clock.h"
#include "base/fpenv.h"
#include "base/memory.h"
#include "engine/calibrate.h"
#include "engine/pool.h"

#include <string.h>

/* Tagged words: generation above, a count of tickets below. */
enum { COUNT_BITS = 20 };
static const uint64_t count_mask = ((uint64_t)1 << COUNT_BITS) - 1;

static uint64_t tagged(uint64_t generation, unsigned count)
{
    return generation << COUNT_BITS | count;
}

/* The post word's count is two: tickets per slice, and how many of them its owner claims first. */
enum { TICKET_BITS = 10 };
_Static_assert(PARA__SLICE_TICKETS_MAX == (1 << TICKET_BITS) - 1, "both have room in a post word");
_Static_assert(PARA__SLICE_TICKETS_MAX *PARA__WORKERS_MAX < 1 << COUNT_BITS, "so have all tickets");

/* The team word: the generation's low 32 bits, and 10, 11 and 10 bits of the members. */
typedef struct team {
    unsigned first, width,
        caller; /* workers [first, first + width), the caller's seat among them */
} team;

static uint64_t team_word(uint64_t generation, team t)
{
    return generation << 32 | (uint64_t)t.first << 21 | (uint64_t)t.width << 10 | t.caller;
}

static team team_of(uint64_t word)
{
    return (team){.first = word >> 21 & 0x3ff, .width = word >> 10 & 0x7ff, .caller = word & 0x3ff};
}

/* One participant of one call. */
typedef struct part {
    para_pool *pool;
    para__lane *lane;
    const para__notice *notice; /* NULL once the job is known: see begin */
    para__run *run;
    const void *payload;
    uint64_t generation;
    para__division division; /* of it, units and lead are known from begin on, like what follows */
    size_t first_unit;
    bool timed;
    team team;
    unsigned self, first_claim, finished;
    para__seat seat;
} part;

/* ---- Leasing ------------------------------------------------------------------------------------
 */

/* The lane that this thread had last: most likely free, and in its caches. */
static _Thread_local unsigned last_lane __attribute__((tls_model("initial-exec")));

/* Workers look at lanes [0, lanes_used) only. It grows, before anything is published there. */
static void use_lane(para_pool *pool, uint32_t index)
{
    uint32_t used = para__load_relaxed(&pool->lanes_used);
    while (used <= index && !para__cas_seq_cst(&pool->lanes_used, &used, index + 1)) { /* [E5] */
    }
}

para__lane *para__lane_lease(para_pool *pool)
{
    for (unsigned i = 0; i < PARA__LANES; i++) {
        const unsigned index = (last_lane + i) % PARA__LANES;
        para__lane *lane = &pool->lane[index];
        if (para__load_relaxed(&lane->leased) == 0 /* a guess, to leave others' lines alone */
            && para__swap_acquire(&lane->leased, 1) == 0) { /* [E3] */
            last_lane = index;
            if (index >= para__load_relaxed(&pool->lanes_used))
                use_lane(pool, index);
            return lane;
        }
    }
    return NULL;
}

void para__lane_release(para__lane *lane)
{
    para__store_release(&lane->leased, 0); /* [E3] */
}

void *para__lane_arena(para__lane *lane, size_t bytes)
{
    if (bytes > lane->arena_bytes) {
        void *larger = para__alloc(bytes);
        if (!larger)
            return NULL;
        para__free(lane->arena);
        lane->arena = larger;
        lane->arena_bytes = bytes;
    }
    return lane->arena;
}

/* ---- Claiming and running -----------------------------------------------------------------------
 */

/* Claims tickets of worker w's slice; returns how many, and the first. No order: what is read after
 * a claim was published by post, and is frozen while the claim is unfinished (see lane.h). */
static unsigned claim(const part *p, unsigned w, unsigned *first_ticket)
{
    const unsigned tickets = p->division.tickets;
    _Atomic uint64_t *word = &p->lane->post[w].ticket;
    uint64_t seen = para__load_relaxed(word);
    for (;;) {
        const uint64_t generation = seen >> COUNT_BITS;
        const unsigned remaining =
            generation == p->generation ? (unsigned)(seen & count_mask) : tickets;
        if (generation > p->generation || remaining == 0)
            return 0;
        const unsigned n = para__claim_size(remaining, tickets, p->first_claim);
        if (para__cas_relaxed(word, &seen, tagged(p->generation, remaining - n))) {
            *first_ticket = tickets - remaining;
            return n;
        }
    }
}

/* A helper's first claim has frozen the job: now it may be read. */
static void begin(part *p)
{
    const para__notice *notice = p->notice;
    p->run = notice->run;
    p->payload = notice->payload;
    p->first_unit = notice->first;
    p->division.units = notice->units;
    p->division.lead = notice->lead;
    p->timed = notice->timed;
    p->notice = NULL;
    if (p->timed)
        p->seat.tally.came_ticks = para__ticks();
    para__fp_set_control(notice->fp_control);
}

static void run_tickets(part *p, unsigned w, unsigned first_ticket, unsigned n)
{
    const para__range units = para__ticket_units(&p->division, w - p->team.first, first_ticket, n);
    const uint64_t start = p->timed ? para__ticks() : 0;
    if (units.count)
        p->run(p->payload, p->first_unit + units.first, units.count, &p->seat);
    if (p->timed && units.count) {
        const uint64_t ticks = para__ticks() - start;
        const float each = (float)ticks / (float)units.count;
        p->seat.tally.busy_ticks += ticks;
        /* Of short portions the clock itself is a part. */
        if (each > p->seat.tally.dearest_ticks && ticks > 2000)
            p->seat.tally.dearest_ticks = each;
    }
    p->finished += n;
}

void para__seat_fail(para__seat *seat, size_t first, size_t count, int error)
{
    para__tally *tally = &seat->tally;
    if (tally->error == 0 || first < tally->failed_first) {
        tally->error = error;
        tally->failed_first = first;
        tally->failed_count = count;
    }
    uint64_t known = para__load_relaxed(seat->stop); /* a bound on its own: orders nothing */
    while (first < known && !para__cas_relaxed(seat->stop, &known, first)) {
    }
}

/* Tells the caller what this helper has finished, and wakes it if it sleeps. */
static void finish(part *p)
{
    para__post *post = &p->lane->post[p->self];
    post->tally = p->seat.tally;
    para__swap_seq_cst(&post->done,
                       tagged(p->generation, p->finished)); /* [E2]; [E5] for the joiner */
    para__event_wake(&p->lane->joiner);
}

/* Claims from the slice of worker w until nothing is left there. */
static void work_on(part *p, unsigned w)
{
    const bool helper = p->self != p->team.caller;
    unsigned first_ticket;
    unsigned n;
    while ((n = claim(p, w, &first_ticket)) > 0) {
        if (p->notice)
            begin(p);
        run_tickets(p, w, first_ticket, n);
        if (helper)
            finish(p);
    }
}

/* Whether worker w has finished something of this call. Then its own slice is claimed to the end,
 * if it has but one ticket. */
static bool has_finished(const part *p, unsigned w)
{
    const uint64_t done = para__load_relaxed(&p->lane->post[w].done); /* a hint: orders nothing */
    return done >> COUNT_BITS == p->generation;
}

/* A caller at the end of a short call, with a slice that has one ticket: most likely its owner runs
 * it now. To look at the ticket would take its line from the owner, who then had to fetch it back
 * for the next call; so the caller first looks, for a moment, at the line that it has to read
 * anyway. */
static bool leave_to_owner(const part *p, unsigned w)
{
    for (int look = 0; look < 16 && p->division.tickets == 1; look++)
        if (has_finished(p, w))
            return true;
    return false;
}

/* Claims from the others' slices: first from those of the own group, then from the rest. */
static void help_others(part *p)
{
    const unsigned group = p->pool->worker[p->self].group;
    const unsigned seat = p->self - p->team.first;
    for (int near = 1; near >= 0; near--)
        for (unsigned i = 1; i < p->team.width; i++) {
            const unsigned w = p->team.first + (seat + i) % p->team.width;
            if ((p->pool->worker[w].group == group) == near && !leave_to_owner(p, w))
                work_on(p, w);
        }
}

/* Wakes those whom rank r of the team is to wake: ranks 2r + 1 and 2r + 2, counted from the caller,
 * so that a large team is awake after logarithmic time. */
static void wake_next(const part *p)
{
    const unsigned width = p->team.width;
    const unsigned rank = (p->self + width - p->team.caller) % width;
    for (unsigned r = 2 * rank + 1; r <= 2 * rank + 2 && r < width; r++) {
        const unsigned w = p->team.first + (p->team.caller - p->team.first + r) % width;
        para__worker_wake(&p->pool->worker[w]);
    }
}

/* ---- The worker's side --------------------------------------------------------------------------
 */

para__visit para__lane_visit(para_pool *pool, unsigned index, unsigned worker)
{
    para__lane *lane = &pool->lane[index];
    _Atomic uint64_t *seen = &pool->worker[worker].seen[index];
    const para__notice *notice = &lane->notice[pool->worker[worker].group];
    const uint64_t post = para__load_acquire(&notice->post); /* [E1] */
    const uint64_t generation = post >> COUNT_BITS;
    if (generation == para__load_relaxed(seen)) /* see pool.h */
        return PARA__VISIT_NOTHING;
    const uint64_t word = para__load_relaxed(&notice->team); /* tagged: its own proof of age */
    if ((uint32_t)(word >> 32) != (uint32_t)generation)
        return PARA__VISIT_NOTHING;        /* the next call is being published: look again */
    para__store_relaxed(seen, generation); /* see pool.h */
    __builtin_prefetch(notice->payload);   /* on its way while a ticket is claimed */
    __builtin_prefetch(notice->payload + 64);
    const team t = team_of(word);
    if (worker == t.caller)
        return PARA__VISIT_DISPLACED;
    if (worker - t.first >= t.width)
        return PARA__VISIT_NOTHING;

    part p = {.pool = pool,
              .lane = lane,
              .notice = notice,
              .generation = generation,
              .division = {.width = t.width,
                           .tickets = (unsigned)(post & count_mask) >> TICKET_BITS,
                           .caller = t.caller - t.first},
              .team = t,
              .self = worker,
              .first_claim = (unsigned)post & PARA__SLICE_TICKETS_MAX,
              .seat = {.worker = worker - t.first, .stop = &lane->stop}};
    wake_next(&p);
    work_on(&p, worker);
    help_others(&p);
    return PARA__VISIT_WORKED;
}

bool para__lane_has_news(para_pool *pool, unsigned index, unsigned worker)
{
    para__notice *notice = &pool->lane[index].notice[pool->worker[worker].group];
    return para__load_seq_cst(&notice->post) >> COUNT_BITS           /* [E5] after PARKED */
           != para__load_relaxed(&pool->worker[worker].seen[index]); /* see pool.h */
}

/* ---- The caller's side --------------------------------------------------------------------------
 */

/* Writes the notice of each group that has members in the team. */
static void publish(const part *p, const para__job *job)
{
    const para__worker *worker = p->pool->worker;
    const unsigned last = worker[p->team.first + p->team.width - 1].group;
    for (unsigned g = worker[p->team.first].group; g <= last; g++) {
        para__notice *notice = &p->lane->notice[g];
        notice->run = job->run;
        notice->first = job->first;
        notice->units = job->units;
        notice->lead = p->division.lead;
        notice->timed = job->timed;
        notice->fp_control = para__fp_control();
        memcpy(notice->payload, job->payload, job->payload_bytes);
        /* Release, so that a worker that sees the new team does not see it with an older post; the
         * job needs no more than [E1], for nobody reads it without a claim. */
        para__store_release(&notice->team, team_word(p->generation, p->team));
        const unsigned counts = p->division.tickets << TICKET_BITS | p->first_claim;
        para__store_release(&notice->post, tagged(p->generation, counts)); /* [E1] */
    }
}

/* Says it again, in the single order of seq_cst operations, and wakes whoever sleeps [E5]. */
static void announce_again(const part *p)
{
    const para__worker *worker = p->pool->worker;
    const unsigned end = p->team.first + p->team.width;
    for (unsigned w = p->team.first; w < end; w++) {
        if (w == p->team.first || worker[w].group != worker[w - 1].group) {
            para__notice *notice = &p->lane->notice[worker[w].group];
            const unsigned counts = p->division.tickets << TICKET_BITS | p->first_claim;
            para__swap_seq_cst(&notice->post, tagged(p->generation, counts)); /* [E5] */
        }
    }
    for (unsigned w = p->team.first; w < end; w++)
        if (w != p->self && !para__load_relaxed(&worker[w].guest)) /* a hint: see pool.h */
            para__event_wake(&p->pool->worker[w].event);
}

/* Whether all tickets are finished, by those words of done that belong to this call. */
static bool all_done(const part *p)
{
    unsigned finished = p->finished;
    for (unsigned w = p->team.first; w < p->team.first + p->team.width; w++) {
        const uint64_t done = para__load_seq_cst(&p->lane->post[w].done); /* [E2], [E5] */
        finished += done >> COUNT_BITS == p->generation ? (unsigned)(done & count_mask) : 0;
    }
    return finished == p->division.width * p->division.tickets;
}

/* Helps with the calls that members of the team have made within their portions. */
static void help_nested(const part *p)
{
    para_pool *pool = p->pool;
    para__worker *self = &pool->worker[p->self];
    const bool is_self = para__pool_is_worker(pool);           /* then it acts for itself already */
    if (!is_self && para__swap_acquire(&self->acting, 1) != 0) /* [E8] */
        return;
    const unsigned lanes = para__load_relaxed(&pool->lanes_used); /* others hold no such call yet */
    for (unsigned i = 0; i < lanes; i++) {
        const unsigned caller = para__load_relaxed(&pool->lane[i].nested) - 1u; /* a hint */
        if (caller - p->team.first < p->team.width && &pool->lane[i] != p->lane)
            para__lane_visit(pool, i, p->self);
    }
    if (!is_self)
        para__store_release(&self->acting, 0); /* [E8] */
}

static void join(const part *p)
{
    if (all_done(p))
        return;
    const uint64_t start = para__ticks();
    while (para__ticks() - start < para__load_relaxed(&p->pool->spin_ticks)) {
        for (int i = 0; i < 16; i++) {
            if (all_done(p))
                return;
            para__pause();
        }
        help_nested(p);
    }
    for (;;) {
        para__event_prepare(&p->lane->joiner);
        if (all_done(p))
            break;
        para__event_wait(&p->lane->joiner);
    }
    para__event_cancel(&p->lane->joiner);
}

/* Adds what another did; of two failing chunks the lower one remains. */
static void add_tally(para__tally *sum, const para__tally *more)
{
    sum->chunks += more->chunks;
    if (more->largest > sum->largest)
        sum->largest = more->largest;
    sum->busy_ticks += more->busy_ticks;
    if (more->came_ticks && (sum->came_ticks == 0 || more->came_ticks < sum->came_ticks))
        sum->came_ticks = more->came_ticks;
    if (more->dearest_ticks > sum->dearest_ticks)
        sum->dearest_ticks = more->dearest_ticks;
    if (more->error && (sum->error == 0 || more->failed_first < sum->failed_first)) {
        sum->error = more->error;
        sum->failed_first = more->failed_first;
        sum->failed_count = more->failed_count;
    }
}

/* The caller's part of a call on that lane, as planned; its team are neighbours of the caller. */
static part part_of_caller(para_pool *pool, para__lane *lane, const para__job *job,
                           const para__plan *plan)
{
    const unsigned self = para__pool_seat(pool);
    unsigned first = self / plan->width * plan->width;
    if (first > pool->workers - plan->width)
        first = pool->workers - plan->width;
    return (part){.pool = pool,
                  .lane = lane,
                  .run = job->run,
                  .payload = job->payload,
                  .generation = ++lane->generation,
                  .division = {.units = job->units,
                               .lead = plan->lead,
                               .width = plan->width,
                               .tickets = plan->tickets,
                               .caller = self - first},
                  .first_unit = job->first,
                  .timed = job->timed,
                  .team = {.first = first, .width = plan->width, .caller = self},
                  .self = self,
                  .first_claim = plan->first,
                  .seat = {.worker = self - first, .stop = &lane->stop}};
}

void para__lane_run(para_pool *pool, para__lane *lane, const para__job *job, const para__plan *plan,
                    para__tally *tally, unsigned *workers)
{
    const uint64_t begun = job->timed ? para__ticks() : 0;
    const uint64_t busy_before = tally->busy_ticks;
    part p = part_of_caller(pool, lane, job, plan);
    p.seat.tally = *tally;
    const bool is_worker = para__pool_is_worker(pool);
    _Atomic uint32_t *guest = &pool->worker[p.self].guest;
    para__store_relaxed(&lane->nested, is_worker ? p.self + 1 : 0); /* a hint: see lane.h */
    if (!is_worker)
        para__store_relaxed(guest, 1); /* a hint: see pool.h */
    /* Nobody can claim yet, so the caller takes its own first tickets by a plain store; and it does
     * nothing between post and its first portion that would wait for the store to arrive. */
    const unsigned portion = para__claim_size(plan->tickets, plan->tickets, plan->first);
    para__store_relaxed(&lane->post[p.self].ticket, /* published by post [E1] */
                        tagged(p.generation, plan->tickets - portion));
    const bool awake = para__pool_awake(pool) + 1 >= plan->width;
    const uint64_t published = job->timed ? para__ticks() : 0;
    publish(&p, job);
    wake_next(&p);
    run_tickets(&p, p.self, 0, portion);
    if (portion < plan->tickets) {
        if (plan->insist)
            announce_again(&p);
        work_on(&p, p.self);
    }
    help_others(&p);
    join(&p);
    if (!is_worker)
        para__store_relaxed(guest, 0); /* a hint: see pool.h */

    *tally = p.seat.tally;
    *workers = tally->chunks != 0;
    for (unsigned w = p.team.first; w < p.team.first + p.team.width; w++)
        if (para__load_relaxed(&lane->post[w].done) >> COUNT_BITS == p.generation) { /* joined */
            add_tally(tally, &lane->post[w].tally);
            *workers += lane->post[w].tally.chunks != 0;
        }
    if (job->timed) {
        const uint64_t now = para__ticks();
        const bool came = tally->came_ticks > published;
        para__costs_refine(pool, (came ? tally->came_ticks : now) - published, awake, came);
        if (came && awake && plan->tickets == 1)
            para__costs_refine_share(pool, plan->width, now - begun,
                                     tally->busy_ticks - busy_before);
    }
    if (tally->error)
        para__store_relaxed(&lane->stop, UINT64_MAX); /* published by the next post [E1] */
}

static void run_nothing(const void *payload, size_t first, size_t count, para__seat *seat)
{
    (void)payload;
    (void)first;
    (void)count;
    (void)seat;
}

uint64_t para__lane_ping(para_pool *pool, unsigned width, uint64_t limit_ticks)
{
    para__lane *lane = para__lane_lease(pool);
    if (!lane)
        return UINT64_MAX;
    const para__job job = {.run = run_nothing, .payload = &job, .units = width};
    const para__plan plan = {.width = width, .tickets = 1, .first = 1};
    const uint64_t start = para__ticks();
    part p = part_of_caller(pool, lane, &job, &plan);
    para__store_relaxed(&lane->post[p.self].ticket, tagged(p.generation, 0)); /* as above */
    p.finished = 1;
    publish(&p, &job);
    wake_next(&p);
    uint64_t ticks = 0;
    while (!all_done(&p) && ticks < limit_ticks)
        ticks = para__ticks() - start;
    ticks = para__ticks() - start;
    help_others(&p);
    join(&p);
    para__lane_release(lane);
    return ticks < limit_ticks ? ticks : UINT64_MAX;
}
