#include "engine/lane.h"

#include "base/clock.h"
#include "base/memory.h"
#include "engine/calibrate.h"
#include "engine/part.h"

#include <pthread.h>
#include <string.h>

/* ---- Leasing ------------------------------------------------------------------------- */

/* The lane that this thread had last: most likely free, and in its caches. */
static PARA__THREAD_LOCAL unsigned char last_lane;

/* Workers look at lanes [0, lanes_used) only. It grows before anything is published there; it is
 * written even if it is large enough, so that this comes before the news to which it belongs. */
static void use_lane(para_pool *pool, uint32_t index)
{
    uint32_t used = para__load_relaxed(&pool->lanes_used);
    while (!para__cas_seq_cst(E5, &pool->lanes_used, &used, used > index ? used : index + 1)) {
    }
}

static bool take_if_free(para__lane *lane)
{
    uint32_t state = para__load_relaxed(&lane->leased); /* a guess, to leave others' lines alone */
    return state == PARA__LANE_FREE &&
           para__cas_acquire(E3, &lane->leased, &state, PARA__LANE_LEASED);
}

static void give(para__lane *lane)
{
    para__store_release(E3, &lane->leased, PARA__LANE_FREE);
}

/* The last generation that a lane may have; then it is never leased again. */
static const uint64_t last_generation = ((uint64_t)1 << (64 - PARA__COUNT_BITS)) - 1;

PARA__THREAD_LOCAL para__lane *para__innermost_lane;

static inline para__lane *take_free(para_pool *pool)
{
    for (unsigned i = 0; i < PARA__LANES; i++) {
        const unsigned index = (last_lane + i) % PARA__LANES;
        para__lane *lane = &pool->lane[index];
        if (take_if_free(lane)) {
            if (lane->generation == last_generation)
                continue; /* worn out: it stays leased */
            last_lane = (unsigned char)index;
            if (lane->generation == 0)
                use_lane(pool, index);
            return lane;
        }
    }
    return NULL;
}

para__lane *para__lane_lease(para_pool *pool)
{
    const uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
    if (para__innermost_lane)
        para__lanes_abandon(frame); /* unless this call is made by a kernel of that one */
    para__lane *lane = take_free(pool);
    if (!lane && para__lanes_recover(pool))
        lane = take_free(pool);
    if (!lane)
        return NULL;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &lane->cancel_state);
    lane->pool = pool;
    lane->frame = frame;
    lane->run_frame = 0;
    lane->around = para__current_lane;
    lane->outer = para__innermost_lane;
    para__innermost_lane = lane;
    if (!para__lanes_watched)
        para__lanes_watch();
    return lane;
}

void para__lane_release(para__lane *lane)
{
    const int cancel_state = lane->cancel_state; /* the next lessee's from the store on */
    if (para__innermost_lane == lane)
        para__innermost_lane = lane->outer;
    else
        para__lanes_unlink(lane);
    give(lane);
    pthread_setcancelstate(cancel_state, NULL);
}

/* ---- Memory -------------------------------------------------------------------------- */

/* Of the lane's lessee, or when the pool ends. A fork may come in between. */
void para__lane_drop_arena(para__lane *lane)
{
    void *arena = lane->arena;
    const size_t bytes = lane->arena_bytes;
    lane->arena = NULL;
    lane->arena_bytes = 0;
    para__block_free(arena, bytes);
}

void *para__lane_arena(para_pool *pool, para__lane *lane, size_t bytes)
{
    const bool grows = bytes > lane->arena_bytes;
    if (grows) {
        para__lane_drop_arena(lane); /* first, so that both are never there at once */
        lane->arena = para__block_alloc(bytes);
        lane->arena_bytes = lane->arena ? bytes : 0;
    }
    if (bytes > PARA__BLOCK_SMALL && bytes > lane->arena_bytes / 4) {
        lane->needed_ticks = para__ticks();
        if (grows || para__load_relaxed(&pool->kept_ticks) == 0) /* all: see pool.h */
            para__store_relaxed(&pool->kept_ticks, lane->needed_ticks);
    }
    return lane->arena;
}

void para__lanes_trim(para_pool *pool, uint64_t idle_ticks)
{
    uint64_t now = para__ticks();
    const unsigned lanes = para__load_relaxed(&pool->lanes_used); /* others have no memory */
    bool is_kept = false;
    para__store_relaxed(&pool->kept_ticks, now); /* all: see pool.h */
    for (unsigned i = 0; i < lanes; i++) {
        para__lane *lane = &pool->lane[i];
        if (!take_if_free(lane)) {
            is_kept = true; /* perhaps */
            continue;
        }
        if (now - lane->needed_ticks >= idle_ticks)
            para__lane_drop_arena(lane);
        is_kept |= lane->arena_bytes > PARA__BLOCK_SMALL;
        give(lane);
    }
    if (!is_kept) /* unless a lane's memory has grown meanwhile */
        para__cas_relaxed(&pool->kept_ticks, &now, 0);
}

/* ---- The caller's side --------------------------------------------------------------- */

/* What announces a call: the post of each of its notices. */
static uint64_t post_word(const para__part *p)
{
    return para__tagged(p->generation, p->division.tickets << PARA__TICKET_BITS | p->first_claim);
}

/* The groups that have members in the team. */
typedef struct group_range {
    unsigned first, last;
} group_range;

static group_range groups_of_team(const para__part *p)
{
    const para__worker *first = &p->pool->worker[p->team.first];
    return (group_range){first->group, first[p->team.width - 1].group};
}

/* Writes the notice of each group of the team. */
static void publish(const para__part *p, const para__job *job)
{
    const group_range reached = groups_of_team(p);
    const uint64_t post = post_word(p);
    const para__fp fp_control = para__fp_control();
    for (unsigned g = reached.first; g <= reached.last; g++) {
        para__notice *notice = &p->lane->notice[g];
        notice->run = job->run;
        notice->first = job->first;
        notice->units = job->units;
        notice->lead = p->division.lead;
        notice->grain = p->division.grain;
        notice->timed = job->timed;
        notice->fp_control = fp_control;
        memcpy(notice->payload, job->payload, job->payload_bytes);
        /* Published by post, as the job. */
        para__store_relaxed(&notice->team, para__team_word(p->generation, p->team));
        para__store_release(E1, &notice->post, post);
    }
}

/* Says it again, in the single order of seq_cst operations. */
static void announce_again(const para__part *p)
{
    const group_range reached = groups_of_team(p);
    const uint64_t post = post_word(p);
    for (unsigned g = reached.first; g <= reached.last; g++)
        para__swap_seq_cst(E5, &p->lane->notice[g].post, post);
}

/* Wakes all of the team who sleep, whoever else was to do so. */
static void wake_all(const para__part *p)
{
    for (unsigned w = p->team.first; w < p->team.first + p->team.width; w++)
        if (w != p->self)
            para__worker_wake(&p->pool->worker[w]);
}

/* Whether all tickets are finished, by those words of done that belong to this call. */
static bool all_done(const para__part *p)
{
    unsigned finished = p->finished;
    for (unsigned w = p->team.first; w < p->team.first + p->team.width; w++) {
        const uint64_t done = para__load_seq_cst(E2_E5, &p->lane->member[w].done);
        finished +=
            done >> PARA__COUNT_BITS == p->generation ? (unsigned)(done & PARA__COUNT_MASK) : 0;
    }
    return finished == p->division.width * p->division.tickets;
}

/* Helps with the calls that have been made by kernels of this one: they are what it waits for. */
static void help_nested(const para__part *p)
{
    para_pool *pool = p->pool;
    para__worker *self = &pool->worker[p->self];
    const bool is_self = para__pool_is_worker(pool); /* then it acts for itself already */
    if (!is_self && para__swap_acquire(E8, &self->acting, 1) != 0)
        return;
    p->lane->acting_for = is_self ? 0 : p->self + 1;
    const unsigned lanes = para__load_relaxed(&pool->lanes_used); /* others hold no such call yet */
    for (unsigned i = 0; i < lanes; i++)
        if (&pool->lane[i] != p->lane)
            para__lane_visit(pool, i, p->self, para__lane_number(pool, p->lane));
    p->lane->acting_for = 0;
    if (!is_self)
        para__store_release(E8, &self->acting, 0);
}

/* The part of its own time that a call may spin at its end; and at most so many times as long as
 * one that is idle does: a wake-up is then a percent of the call. */
enum { JOIN_SPIN_PART = 4, JOIN_SPIN_MOST = 32 };

/* Waits for those who still run what they have claimed. The longer the call took, since `begun` if
 * that is known, the longer it spins: what it waits for is a part of the call, and to be woken
 * would then add to it. */
static void await_others(const para__part *p, uint64_t begun)
{
    const uint64_t start = para__ticks();
    const uint64_t idle_ticks =
        para__load_relaxed(&p->pool->spin_ticks); /* 0: threads share CPUs */
    const uint64_t part_ticks = begun ? (start - begun) / JOIN_SPIN_PART : 0;
    const uint64_t most_ticks = JOIN_SPIN_MOST * idle_ticks;
    const uint64_t spin_ticks = part_ticks < idle_ticks   ? idle_ticks
                                : part_ticks < most_ticks ? part_ticks
                                                          : most_ticks;
    while (!para__pool_is_forked(p->pool) && para__ticks() - start < spin_ticks) {
        for (int i = 0; i < 16; i++) {
            if (all_done(p))
                return;
            para__pause();
        }
        help_nested(p);
    }
    while (!para__pool_is_forked(p->pool)) { /* else nobody is there to wait for */
        para__event_prepare(&p->lane->joiner);
        if (all_done(p))
            break;
        para__event_wait(&p->lane->joiner);
    }
    para__event_cancel(&p->lane->joiner);
}

static inline void join(const para__part *p, uint64_t begun)
{
    if (!all_done(p))
        await_others(p, begun);
}

/* Adds what another did; of two failing chunks the lower one remains. */
static void add_tally(para__tally *sum, const para__tally *more)
{
    sum->chunks += more->chunks;
    if (more->largest > sum->largest)
        sum->largest = more->largest;
    sum->busy_ticks += more->busy_ticks;
    sum->fp_flags |= more->fp_flags;
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
static para__part part_of_caller(para_pool *pool, para__lane *lane, const para__job *job,
                                 const para__plan *plan)
{
    const unsigned self = para__pool_seat(pool);
    /* There may be fewer workers now than when it was planned: seats remain. */
    const unsigned workers = para__pool_workers(pool);
    const unsigned planned = workers > plan->width ? workers : plan->width;
    const unsigned seats = planned > self ? planned : self + 1;
    unsigned first = self / plan->width * plan->width;
    if (first > seats - plan->width)
        first = seats - plan->width;
    lane->is_open = true;
    lane->first = first;
    lane->width = plan->width;
    lane->tickets = plan->tickets;
    lane->claimed = 0;
    return (para__part){
        .pool = pool,
        .lane = lane,
        .begun = true,
        .run = job->run,
        .payload = job->payload,
        .generation = ++lane->generation,
        .division = {.units = job->units,
                     .lead = plan->lead,
                     .width = plan->width,
                     .tickets = plan->tickets,
                     .caller = self - first,
                     .grain = plan->grain},
        .first_unit = job->first,
        .timed = job->timed,
        .team = {.within = para__lane_around(pool),
                 .first = first,
                 .width = plan->width,
                 .caller = self},
        .self = self,
        .first_claim = plan->first,
        .claim = plan->first ? plan->first : 1,
        .seat = {.worker = self - first, .stop = &lane->stop, .kind = pool->worker[self].kind}};
}

/* Who of the team sleeps; more than there are if one is not to be woken, so that nothing is learnt.
 * For timed calls only, since it looks at every member. */
static unsigned count_sleepers(const para__part *p)
{
    unsigned sleepers = 0;
    for (unsigned w = p->team.first; w < p->team.first + p->team.width; w++)
        if (w != p->self && para__event_seems_parked(&p->pool->worker[w].event))
            sleepers += para__load_relaxed(&p->pool->worker[w].guests) /* a hint: see pool.h */
                            ? p->team.width
                            : 1;
    return sleepers;
}

/* What a timed call tells of the machine: how long its first helper was on its way, and what it
 * cost the caller to share. */
static void refine_costs(const para__part *p, const para__tally *tally, unsigned sleepers,
                         uint64_t begun, uint64_t published, uint64_t busy_ticks)
{
    const uint64_t now = para__ticks();
    const bool came = tally->came_ticks > published;
    if (sleepers == 0 || sleepers == p->team.width - 1) /* else it is not known which came first */
        para__costs_refine(p->pool, (came ? tally->came_ticks : now) - published, sleepers == 0,
                           came);
    if (came && sleepers == 0 && p->division.tickets == 1)
        para__costs_refine_share(p->pool, p->team.width, now - begun, busy_ticks);
}

/* A slice of fewer is soon claimed to its end. */
enum { FEW_TICKETS = 8 };

void para__lane_run(para_pool *pool, para__lane *lane, const para__job *job, const para__plan *plan,
                    para__outcome *outcome)
{
    const uint64_t begun = job->timed ? para__ticks() : 0;
    para__tally *const tally = &outcome->tally;
    const uint64_t busy_before = tally->busy_ticks;
    para__part p = part_of_caller(pool, lane, job, plan);
    p.seat.tally = *tally;
    p.portions = &outcome->portions;
    _Atomic uint32_t *guests = para__pool_is_worker(pool) ? NULL : &pool->worker[p.self].guests;
    lane->run_frame = (uintptr_t)__builtin_frame_address(0);
    lane->guest_of = guests ? p.self + 1 : 0;
    if (guests)
        para__add_relaxed(guests, 1); /* a hint: see pool.h */
    else                              /* a worker of the pool, to which its own call is no news */
        para__store_relaxed(&pool->worker[p.self].seen[lane - pool->lane], p.generation);

    /* Nobody can claim yet, so the caller takes its own first tickets by a plain store; and it does
     * nothing between post and its first portion that would wait for the store to arrive, unless
     * the call is long against that. */
    const unsigned portion = para__claim_size(plan->tickets, plan->tickets, p.claim);
    lane->claimed = portion;
    para__store_relaxed(&lane->member[p.self].ticket, /* published by post */
                        para__tagged(p.generation, plan->tickets - portion));
    const unsigned sleepers = job->timed ? count_sleepers(&p) : 0;
    const uint64_t published = job->timed ? para__ticks() : 0;
    publish(&p, job);
    if (plan->announce_twice)
        announce_again(&p);
    if (plan->announce_twice && plan->tickets < FEW_TICKETS)
        wake_all(&p); /* few and dear portions: nobody is left to chance */
    else
        para__part_wake_next(&p);
    para__part_run(&p, p.self, 0, portion);
    if (portion < plan->tickets) {
        if (plan->announce_twice)
            wake_all(&p); /* whom the tree of wake-ups has not reached */
        para__part_work_on(&p, p.self);
    }
    para__part_help_others(&p);
    join(&p, begun);
    lane->is_open = false;
    lane->guest_of = 0;
    if (guests)
        para__add_relaxed(guests, -1u); /* a hint: see pool.h */

    *tally = p.seat.tally;
    outcome->workers = tally->chunks != 0;
    if (para__pool_is_forked(pool)) { /* this is the child, without those who helped */
        *tally = (para__tally){.error = PARA_ERR_FORKED};
        return;
    }
    for (unsigned w = p.team.first; w < p.team.first + p.team.width; w++)
        if (para__load_relaxed(&lane->member[w].done) >> PARA__COUNT_BITS ==
            p.generation) { /* joined */
            add_tally(tally, &lane->member[w].tally);
            outcome->workers += lane->member[w].tally.chunks != 0;
        }
    if (job->timed) {
        const para__fp fp = para__fp_hold();
        refine_costs(&p, tally, sleepers, begun, published, tally->busy_ticks - busy_before);
        para__fp_release(fp, 0);
    }
    if (tally->error)
        para__store_relaxed(&lane->stop, UINT64_MAX); /* published by the next post */
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
    para__part p = part_of_caller(pool, lane, &job, &plan);
    if (para__pool_is_worker(pool)) /* all: as above */
        para__store_relaxed(&pool->worker[p.self].seen[lane - pool->lane], p.generation);
    para__store_relaxed(&lane->member[p.self].ticket, para__tagged(p.generation, 0));
    p.finished = 1;
    publish(&p, &job);
    para__part_wake_next(&p);
    uint64_t ticks = 0;
    while (!all_done(&p) && ticks < limit_ticks)
        ticks = para__ticks() - start;
    ticks = para__ticks() - start;
    para__part_help_others(&p);
    join(&p, 0);
    lane->is_open = false;
    para__lane_release(lane);
    return ticks < limit_ticks ? ticks : UINT64_MAX;
}
