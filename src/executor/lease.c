#include "executor/lease.h"

#include "base/assert.h"
#include "base/bounds.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/tuning_memory.h"
#include "executor/left.h"
#include "share/participant.h"
#include "share/valid.h"

#include <pthread.h>

/* The lane that this thread had last: most likely free, and in its caches. */
static PARA__THREAD_LOCAL unsigned char last_lane;

/* Workers look at lanes [0, used) only, so `used` grows before anything is published on the lane.
 * It is written even if it is large enough already: then the write precedes the news to which it
 * belongs. */
static void use_lane(para__lanes *lanes, uint32_t index)
{
    uint32_t used = para__load_relaxed(&lanes->used);
    while (!para__cas_seq_cst(E5, &lanes->used, &used, used > index ? used : index + 1)) {
    }
}

static bool take_if_free(para__lane *lane)
{
    uint32_t state = para__load_relaxed(&lane->lease); /* a guess, to leave others' lines alone */
    return state == PARA__LANE_FREE &&
           para__cas_acquire(E3, &lane->lease, &state, PARA__LANE_LEASED);
}

static void give(para__lane *lane)
{
    para__store_release(E3, &lane->lease, PARA__LANE_FREE);
}

/* The last epoch of a lane. A lane that has reached it is never leased again. */
static const uint64_t last_epoch = ((uint64_t)1 << (64 - PARA__COUNT_BITS)) - 1;

static inline para__lane *take_free(para__lanes *lanes)
{
    for (unsigned i = 0; i < PARA__LANES; i++) {
        const unsigned index = (last_lane + i) % PARA__LANES;
        para__lane *lane = &lanes->lane[index];
        if (take_if_free(lane)) {
            if (lane->epoch == last_epoch)
                continue; /* worn out: it stays leased */
            last_lane = (unsigned char)index;
            if (lane->epoch == 0)
                use_lane(lanes, index);
            return lane;
        }
    }
    return NULL;
}

para__lane *para__lane_lease(para__lanes *lanes)
{
    const uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
    if (para__innermost_lane)
        para__lanes_abandon(frame); /* unless this call is made by a kernel of that one */
    para__lane *lane = take_free(lanes);
    if (!lane && para__lanes_recover(lanes))
        lane = take_free(lanes);
    if (!lane)
        return NULL;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &lane->cancel_state);
    lane->frame = frame;
    lane->run_frame = 0;
    lane->around = para__current_lane;
    lane->outer = para__innermost_lane;
    para__innermost_lane = lane;
    if (PARA__ASSERTS && !para__lanes_are_forked(lanes))
        para__lane_check(lane);
    if (!para__lanes_watched)
        para__lanes_watch();
    return lane;
}

void para__lane_release(para__lane *lane)
{
    const int cancel_state = lane->cancel_state; /* the next lessee's from the store on */
    if (PARA__ASSERTS && !para__lanes_are_forked(lane->lanes))
        para__lane_check(lane);
    if (para__innermost_lane == lane)
        para__innermost_lane = lane->outer;
    else
        para__lanes_unlink(lane);
    give(lane);
    pthread_setcancelstate(cancel_state, NULL);
}

/* ---- Memory -------------------------------------------------------------------------- */

/* All three are called by the lane's lessee, or when the pool ends. A fork may come in between. */
static void drop_block(para__lane *lane)
{
    void *arena = lane->arena;
    const size_t bytes = lane->arena_bytes;
    lane->arena = NULL;
    lane->arena_bytes = 0;
    para__block_free(arena, bytes);
}

static void drop_strips(para__lane *lane)
{
    char *strips = lane->strips;
    const size_t bytes = lane->strip_bytes * lane->strip_count;
    lane->strips = NULL;
    lane->strip_bytes = 0;
    lane->strip_count = 0;
    para__pages_unmap(strips, bytes);
}

void para__lane_drop_arena(para__lane *lane)
{
    drop_block(lane);
    drop_strips(lane);
}

/* Large memory of the lane is needed. */
static void keep(para__lane *lane, bool grows)
{
    para__lanes *const lanes = lane->lanes;
    lane->needed_ticks = para__ticks();
    if (grows || para__load_relaxed(&lanes->kept_ticks) == 0) /* all: see lane.h */
        para__store_relaxed(&lanes->kept_ticks, lane->needed_ticks);
}

void *para__lane_arena(para__lane *lane, size_t bytes)
{
    const bool grows = bytes > lane->arena_bytes;
    if (grows) {
        drop_block(lane); /* first, so that both are never there at once */
        lane->arena = para__block_alloc(bytes);
        lane->arena_bytes = lane->arena ? bytes : 0;
    }
    if (bytes > PARA__BLOCK_SMALL && bytes > lane->arena_bytes / PARA__KEPT_PART)
        keep(lane, grows);
    return lane->arena;
}

/* A huge page that several strips share would lie where the first of them was touched. Long strips
 * may have some: the last of a strip is then its own. */
static size_t round_strip(size_t bytes)
{
    const bool is_long = bytes >= (size_t)PARA__STRIP_HUGE_PAGES * PARA__HUGE_PAGE_BYTES;
    return para__round_up(bytes, is_long ? PARA__HUGE_PAGE_BYTES : para__page_bytes());
}

static bool make_strips(para__lane *lane, unsigned count, size_t bytes)
{
    const size_t strip = round_strip(bytes);
    drop_strips(lane);
    if (strip > SIZE_MAX / 4 / count)
        return false;
    lane->strips = para__pages_map(strip * count);
    if (!lane->strips)
        return false;
    if (strip % PARA__HUGE_PAGE_BYTES)
        para__pages_stay_small(lane->strips, strip * count);
    lane->strip_bytes = strip;
    lane->strip_count = count;
    return true;
}

char *para__lane_strips(para__lane *lane, unsigned count, size_t *bytes)
{
    const bool grows = count > lane->strip_count || *bytes > lane->strip_bytes;
    if (grows) { /* all that was needed so far, or what is needed now */
        const unsigned most = para__max(count, lane->strip_count);
        const size_t longest = para__max(*bytes, lane->strip_bytes);
        if (!make_strips(lane, most, longest) && !make_strips(lane, count, *bytes))
            return NULL;
    }
    if (*bytes > lane->strip_bytes / PARA__KEPT_PART)
        keep(lane, grows);
    *bytes = lane->strip_bytes;
    return lane->strips;
}

void para__lanes_trim(para__lanes *lanes, uint64_t idle_ticks)
{
    uint64_t now = para__ticks();
    const unsigned used = para__load_relaxed(&lanes->used); /* others have no memory */
    bool is_kept = false;
    para__store_relaxed(&lanes->kept_ticks, now); /* all: see lane.h */
    for (unsigned i = 0; i < used; i++) {
        para__lane *lane = &lanes->lane[i];
        if (!take_if_free(lane)) {
            is_kept = true; /* perhaps */
            continue;
        }
        if (now - lane->needed_ticks >= idle_ticks)
            para__lane_drop_arena(lane);
        is_kept |= lane->arena_bytes > PARA__BLOCK_SMALL || lane->strips;
        give(lane);
    }
    if (!is_kept) /* unless a lane's memory has grown meanwhile */
        para__cas_relaxed(&lanes->kept_ticks, &now, 0);
}

void para__lanes_trim_idle(para__lanes *lanes)
{
    const para__fp fp = para__fp_save();
    const uint64_t idle_ticks = para__ns_to_ticks(PARA__KEPT_IDLE_NS);
    if (para__ticks() - para__load_relaxed(&lanes->kept_ticks) > idle_ticks && /* see lane.h */
        !para__lanes_are_forked(lanes))
        para__lanes_trim(lanes, idle_ticks);
    para__fp_restore(fp, 0);
}
