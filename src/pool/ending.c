/* How a pool ends: it accepts less and less, what it has is run or dropped, those inside leave. */

#include "base/cancellation.h"
#include "base/clock.h"
#include "base/status.h"
#include "base/tuning_tasks.h"
#include "executor/left.h"
#include "pool/default_pool.h"
#include "pool/inside.h"
#include "pool/pool.h"
#include "pool/self.h"
#include "pool/start.h"
#include "pool/tasks.h"
#include "pool/watch.h"

#include <time.h>

/* The pool accepts no more than that from now on; false: it would end, but is watched. */
static bool close_pool(para_pool *pool, para__intake intake)
{
    para__latch_lock(&pool->life);
    const bool is_kept = intake == PARA__INTAKE_ENDED && pool->watchdogs > 0;
    if (!is_kept && para__load_relaxed(&pool->intake) < (uint32_t)intake) /* under the latch */
        para__intake_set(pool, intake);
    if (!is_kept)
        para__tasks_close(pool);
    para__latch_unlock(&pool->life);
    return !is_kept;
}

bool para__pool_watch(para_pool *pool)
{
    para__latch_lock(&pool->life);
    const bool is_there = para__load_relaxed(&pool->intake) != PARA__INTAKE_ENDED; /* likewise */
    pool->watchdogs += is_there;
    para__latch_unlock(&pool->life);
    return is_there;
}

void para__pool_unwatch(para_pool *pool)
{
    para__latch_lock(&pool->life);
    pool->watchdogs--;
    para__latch_unlock(&pool->life);
}

/* Sleeps for a moment, longer each time up to a millisecond, but not beyond the deadline. What is
 * waited for here are others' functions and tasks: they do not tell, since they would have to ask
 * each time whether somebody waits. */
static void sleep_a_while(uint64_t *ns, uint64_t deadline_ns)
{
    const uint64_t now = para__now_ns();
    *ns = *ns ? 2 * *ns : PARA__ENDING_LOOK_NS;
    *ns = *ns < PARA__TASKS_LOOK_NS ? *ns : PARA__TASKS_LOOK_NS;
    const uint64_t left = deadline_ns > now ? deadline_ns - now : 0;
    const struct timespec pause = {.tv_nsec = (long)(*ns < left ? *ns : left)};
    (void)nanosleep(&pause, NULL);
}

/* Waits until no other thread is inside the pool, which is closed, and drops what those inside may
 * still have queued. */
static void await_guests(para_pool *pool)
{
    uint64_t ns = 0;
    para__tasks_drop(pool);
    while (para__pool_has_guests(pool)) {
        sleep_a_while(&ns, UINT64_MAX);
        para__tasks_drop(pool);
    }
}

/* Whether nothing is left; tells what is. */
static bool is_settled(para_pool *pool, para_pool_left *left)
{
    if (para__load_relaxed(&pool->intake) >= PARA__INTAKE_DROPPING) /* it only rises */
        para__tasks_drop(pool);
    const para__census census = para__tasks_census(pool);
    if (left)
        *left = (para_pool_left){.queued = para__census_queued(&census),
                                 .running = para__census_running(&census)};
    return para__census_left(&census) == 0;
}

para_status para_pool_shutdown(para_pool *pool, para_shutdown how, uint64_t deadline_ns,
                               para_pool_left *left)
{
    if ((unsigned)how > PARA_SHUTDOWN_DROP)
        return para__fail(PARA_ERR_ARGUMENT, "how is %d", (int)how);
    if (!pool || pool == para__pool_if_made(NULL))
        return para__fail(PARA_ERR_ARGUMENT, "the default pool lasts as long as the process");
    if (para__pool_is_forked(pool))
        return para__pool_fail_forked();
    para__lanes_abandon((uintptr_t)__builtin_frame_address(0));
    const bool is_within = para__pool_is_within(pool);
    if (is_within && deadline_ns != 0)
        return para__fail(PARA_ERR_BUSY, "a task or kernel of the pool cannot wait for its end");
    para__stay *stay;
    if (!para__pool_enter(pool, &stay))
        return para__fail(PARA_ERR_ENDING, "it is being destroyed");
    const int cancel_state = para__cancellation_off();
    uint64_t ns = 0;
    (void)close_pool(pool,
                     how == PARA_SHUTDOWN_DROP ? PARA__INTAKE_DROPPING : PARA__INTAKE_DRAINING);
    bool is_over;
    while (!(is_over = is_settled(pool, left)) && para__now_ns() < deadline_ns)
        sleep_a_while(&ns, deadline_ns);
    para__cancellation_restore(cancel_state);
    para__pool_leave(stay);
    return is_over ? PARA_OK : para__fail(PARA_ERR_TIMEOUT, "tasks of the pool are left");
}

para_status para_pool_destroy(para_pool *pool)
{
    const uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
    if (!pool)
        return PARA_OK;
    if (pool == para__pool_if_made(NULL))
        return para__fail(PARA_ERR_ARGUMENT, "the default pool lasts as long as the process");
    para__lanes_abandon(frame);
    if (para__pool_is_within(pool) || para__pool_is_inside(pool, frame))
        return para__fail(PARA_ERR_BUSY, "a kernel or task of the pool destroys it");
    const bool is_forked = para__pool_is_forked(pool);
    const int cancel_state = para__cancellation_off();
    if (!is_forked && !close_pool(pool, PARA__INTAKE_ENDED)) {
        para__cancellation_restore(cancel_state);
        return para__fail(PARA_ERR_BUSY, "a watchdog looks at the pool");
    }
    if (!is_forked) {
        if (pool->shop)
            para__carriers_close(pool);
        para__workers_stop(pool);
        await_guests(pool);
        para__watches_drop(pool);
        await_guests(pool); /* those that have just asked a watch */
    }
    para__pool_release(pool);
    para__cancellation_restore(cancel_state);
    return PARA_OK;
}
