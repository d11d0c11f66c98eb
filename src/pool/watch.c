#include "pool/watch.h"

#include "base/info.h"
#include "base/process.h"
#include "base/signal_fd.h"
#include "base/status.h"
#include "pool/default_pool.h"
#include "pool/self.h"
#include "pool/tasks.h"
#include "pool/telling.h"
#include "pool/visit.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

static para__atomic_uptr *pool_watched_by(para_watch *watch)
{
    return (para__atomic_uptr *)&watch->pool_;
}

/* Whether it was begun before a fork: then it watches nothing here, whatever it says. */
static bool is_parents(const para_watch *watch)
{
    return watch->forks_ != para__fork_count();
}

void para__watches_drop(para_pool *pool)
{
    para__telling self = {.pool = pool};
    para__bucket *bucket = para__watches_lock();
    para_watch *watch;
    while ((watch = para__watches_of(pool))) {
        para__store_relaxed(&pool->watches, (uintptr_t)watch->next_); /* under the latch */
        para__pool_hide(pool_watched_by(watch));
        bucket = para__watch_tell(bucket, &self, watch);
    }
    para__bucket_unlock(bucket);
}

/* ---- Asking --------------------------------------------------------------------------- */

/* Of a pool that is there, or NULL. */
static para_status fill_signals(para_pool *pool, para_signals *signals)
{
    para_signals full = {.size = sizeof full};
    if (pool && !para__pool_is_forked(pool)) {
        const para__census census = para__tasks_census(pool);
        const unsigned up = pool->requested - para__load_relaxed(&pool->starting);
        full.workers = para__pool_is_ready(pool) ? pool->executor->width(pool) : up;
        full.queued = para__census_queued(&census);
        full.inflight = para__census_running(&census);
        full.accepted = census.accepted;
        full.completed = census.over[PARA_TASK_COMPLETED - PARA_TASK_COMPLETED];
        full.failed = census.over[PARA_TASK_FAILED - PARA_TASK_COMPLETED];
        full.cancelled = census.over[PARA_TASK_CANCELLED - PARA_TASK_COMPLETED];
        full.dropped = census.over[PARA_TASK_DROPPED - PARA_TASK_COMPLETED];
    }
    return para__info_fill(signals, &full, sizeof full);
}

para_status para_pool_get_signals(para_pool *pool, para_signals *signals)
{
    para__stay *stay;
    para_status status = para__pool_visit(&pool, &stay);
    if (!status || status == PARA_ERR_ENDING)
        status = fill_signals(status ? NULL : pool, signals);
    para__pool_leave(stay);
    return status;
}

para_status para_watch_get(para_watch *watch, para_signals *signals)
{
    para__stay *stay = NULL;
    if (!watch)
        return para__fail(PARA_ERR_ARGUMENT, "no watch");
    para_pool *pool = (para_pool *)para__load_relaxed(pool_watched_by(watch)); /* looked at again */
    if (pool && is_parents(watch))
        pool = NULL;
    if (pool)
        para__pool_note(pool, &stay);
    const bool is_there = pool && para__pool_is_shown(pool_watched_by(watch), pool);
    const para_status status = fill_signals(is_there ? pool : NULL, signals);
    para__pool_leave(stay);
    return status;
}

/* ---- Watching ------------------------------------------------------------------------- */

/* In a pool that the calling thread has entered: its watches are dropped when nobody is inside. */
static para_status watch_inside(para_pool *pool, para_watch *watch)
{
    if (para__pool_is_forked(pool))
        return para__pool_fail_forked();
    para__bucket *const bucket = para__watches_lock();
    const bool is_free = is_parents(watch) || (!watch->pool_ && !watch->told_);
    if (is_free) {
        watch->forks_ = para__fork_count();
        watch->told_ = 0;
        watch->next_ = para__watches_of(pool);
        watch->fd_ = 0;
        para__store_relaxed(pool_watched_by(watch), (uintptr_t)pool); /* both under the latch */
        para__store_relaxed(&pool->watches, (uintptr_t)watch);
    }
    para__bucket_unlock(bucket);
    return is_free ? PARA_OK : para__fail(PARA_ERR_BUSY, "it watches a pool already");
}

para_status para_pool_watch(para_pool *pool, para_watch *watch)
{
    para__stay *stay;
    if (!watch)
        return para__fail(PARA_ERR_ARGUMENT, "no watch");
    para_status status = para__pool_visit(&pool, &stay);
    if (!status)
        status = watch_inside(pool, watch);
    para__pool_leave(stay);
    return status;
}

para_status para_watch_fd(para_watch *watch, int *fd)
{
    if (!watch || !fd)
        return para__fail(PARA_ERR_ARGUMENT, "no watch, or nowhere to put the descriptor");
    const int made = para__signal_fd_make();
    const int error = errno;
    para__bucket *const bucket = para__watches_lock();
    const bool watches = !is_parents(watch) && (watch->pool_ || watch->fd_);
    const int known = watch->fd_;
    if (watches && !known && made >= 0)
        watch->fd_ = made + 1;
    const int found = watches ? watch->fd_ - 1 : -1;
    para__bucket_unlock(bucket);
    if (made >= 0 && made != found)
        para__signal_fd_drop(made);
    if (!watches)
        return para__fail(PARA_ERR_ARGUMENT, "it watches nothing");
    if (found < 0)
        return para__fail(PARA_ERR_FILE, "a watch's descriptor: %s", strerror(error));
    *fd = found;
    return PARA_OK;
}

/* Takes it out of its pool's list, if nobody tells it; whether nobody does. In a child, the list
 * and those who told are the parent's. */
static bool take_watch_out(para_watch *watch)
{
    para__bucket *const bucket = para__watches_lock();
    if (is_parents(watch)) {
        watch->pool_ = NULL;
        watch->told_ = 0;
    }
    para_pool *const pool = watch->pool_;
    const bool is_idle = watch->told_ == 0;
    if (is_idle && pool) {
        if (para__watches_of(pool) == watch)
            para__store_relaxed(&pool->watches, (uintptr_t)watch->next_);
        else
            for (para_watch *at = para__watches_of(pool); at; at = at->next_)
                if (at->next_ == watch)
                    at->next_ = watch->next_;
        para__store_relaxed(pool_watched_by(watch), 0); /* all under the latch */
    }
    para__bucket_unlock(bucket);
    return is_idle;
}

para_status para_watch_end(para_watch *watch)
{
    if (!watch)
        return para__fail(PARA_ERR_ARGUMENT, "no watch");
    for (const para__telling *outer = para__innermost_telling; outer; outer = outer->outer)
        if (outer->watch == watch && !is_parents(watch))
            return para__fail(PARA_ERR_BUSY, "the calling thread is in its `changed`");
    while (!take_watch_out(watch))
        sched_yield();
    watch->fd_ = 0;
    return PARA_OK;
}
