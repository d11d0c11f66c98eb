#include "executor/left.h"

#include "base/assert.h"
#include "base/module.h"
#include "base/stack.h"
#include "share/caller.h"
#include "share/participant.h"

#include <pthread.h>

static para__key lanes_key;
PARA__THREAD_LOCAL para__lane *para__innermost_lane;
PARA__THREAD_LOCAL bool para__lanes_watched;

/* Claims what is unclaimed of worker w's slice; returns how many tickets. */
static unsigned claim_rest(para__lane *lane, unsigned w)
{
    para__atomic_u64 *word = &lane->member[w].ticket;
    uint64_t seen = para__load_relaxed(word); /* as in participant.c: claim */
    for (;;) {
        const unsigned left = seen >> PARA__COUNT_BITS == lane->epoch
                                  ? (unsigned)(seen & PARA__COUNT_MASK)
                                  : lane->tickets;
        if (para__cas_relaxed(word, &seen, para__tagged(lane->epoch, 0)))
            return left;
    }
}

/* Claims everything that is unclaimed and runs none of it. Returns whether all helpers are out. */
static bool close_call(para__lane *lane)
{
    const para__helper *helper = lane->lanes->helper;
    const para__team team = {.first = lane->first, .width = lane->width, .invited = lane->width};
    const unsigned end = lane->first + lane->width;
    bool are_out = true;
    if (lane->debt.tickets) /* of a kernel that was left */
        para__participant_count(lane, lane->epoch, lane->debt);
    lane->debt = (para__debt){0};
    for (unsigned w = lane->first; w < end; w++) {
        const unsigned left = claim_rest(lane, w);
        const unsigned of = para__group_width(&helper[w], team) * lane->tickets;
        if (helper[w].group == lane->home)
            lane->claimed += left;
        else if (left)
            para__participant_count(lane, lane->epoch,
                                    (para__debt){.worker = w, .tickets = left, .of = of});
    }
    unsigned missing = 0; /* of the caller's group */
    for (unsigned w = lane->first; w < end; w++) {
        const bool is_home = helper[w].group == lane->home;
        const uint64_t done = para__load_acquire(E2, is_home ? &lane->member[w].done
                                                             : &lane->group[helper[w].group].done);
        const bool is_new = done >> PARA__COUNT_BITS == lane->epoch;
        if (is_home)
            missing += lane->tickets - (is_new ? (unsigned)(done & PARA__COUNT_MASK) : 0);
        else
            are_out &= is_new;
    }
    const uint64_t strays = para__load_acquire(E16, &lane->group[lane->home].count);
    return are_out && missing == lane->claimed + (unsigned)(strays & PARA__COUNT_MASK);
}

static bool recover(para__lane *lane)
{
    uint32_t state = PARA__LANE_ABANDONED;
    if (!para__cas_acquire(E3, &lane->lease, &state, PARA__LANE_RECOVERING))
        return false;
    const bool is_free = !lane->is_open || close_call(lane);
    if (is_free) {
        lane->is_open = false;
        para__store_relaxed(&lane->group[lane->home].count, 0); /* both: */
        para__store_relaxed(&lane->stop, UINT64_MAX); /* published by the next call word */
    }
    para__store_release(E3, &lane->lease, is_free ? PARA__LANE_FREE : PARA__LANE_ABANDONED);
    return is_free;
}

bool para__lanes_recover(para__lanes *lanes)
{
    bool some = false;
    for (unsigned i = 0; i < PARA__LANES; i++)
        if (para__load_relaxed(&lanes->lane[i].lease) == PARA__LANE_ABANDONED) /* a guess */
            some |= recover(&lanes->lane[i]);
    return some;
}

/* The call with which it was helping fails. Otherwise that call's caller would wait for ever. */
static void leave_helped(para__lane *lane)
{
    const para__tally tally = {.ending = PARA__ENDED_CANCELLED};
    para__store_relaxed(&lane->helped->stop, 0); /* as when a call is cancelled */
    if (lane->helped_debt.tickets)
        para__participant_settle(lane->helped, lane->helped_worker, &tally,
                                 lane->helped_done >> PARA__COUNT_BITS, lane->helped_debt);
    else
        para__participant_finish(lane->helped, lane->helped_worker, &tally, lane->helped_done);
    lane->helped = NULL;
}

static void abandon(para__lane *lane)
{
    para__lanes *const lanes = lane->lanes;
    if (lane->helped)
        leave_helped(lane);
    para__innermost_lane = lane->outer;
    para__current_lane = lane->around;
    if (lane->displaces)
        para__add_relaxed(&lanes->helper[lane->displaces - 1].displaced,
                          -1u); /* a hint: see lane.h */
    if (lane->acting_for)
        para__store_release(E8, &lanes->helper[lane->acting_for - 1].acting, 0);
    lane->displaces = 0;
    lane->acting_for = 0;
    para__store_relaxed(&lane->stop, 0); /* as when a call is cancelled */
    const int cancel_state = lane->cancel_state;
    para__store_release(E3, &lane->lease, PARA__LANE_ABANDONED);
    recover(lane);
    pthread_setcancelstate(cancel_state, NULL);
}

/* Whether the lane's call was left, as a lease at that frame finds. */
static bool is_left(const para__lane *lane, uintptr_t frame)
{
    if (lane->frame <= frame) /* a call in progress was made further up; or on another stack */
        return para__on_own_stack(lane->frame, frame);
    return lane->run_frame && para__is_left(lane->run_frame, (void (*)(void))para__lane_run) &&
           para__on_own_stack(lane->frame, frame);
}

void para__lanes_abandon(uintptr_t frame)
{
    while (para__innermost_lane && is_left(para__innermost_lane, frame))
        abandon(para__innermost_lane);
}

void para__lanes_unlink(const para__lane *lane)
{
    para__lanes_abandon(lane->frame - 1);
    para__lane **at = &para__innermost_lane;
    while (*at && *at != lane)
        at = &(*at)->outer;
    if (*at)
        *at = lane->outer;
}

static void abandon_all(void *unused)
{
    (void)unused;
    para__lanes_watched = false;
    while (para__innermost_lane)
        abandon(para__innermost_lane);
}

void para__lanes_watch(void)
{
    para__lanes_watched = para__key_set(&lanes_key, &lanes_key);
}

__attribute__((constructor)) static void make_lanes_key(void)
{
    para__key_make(&lanes_key, abandon_all);
}
