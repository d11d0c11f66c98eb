/* Lock checking. A thread remembers which locks it holds, and where it locked them. The process
 * remembers orders: "this mutex was locked there while that one, locked there, was held". A thread
 * may not lock a mutex from which remembered orders lead back to one that it holds: that can
 * deadlock, whether or not it does so this time, and is refused. A try cannot wait, so it is never
 * refused for that, and makes no order.
 *
 * When memory runs out, checking ends for good and says so: the check could no longer tell what is
 * wrong from what was not remembered. */
#include "sync/check.h"

#include "base/atomic.h"
#include "base/log.h"
#include "base/status.h"
#include "base/thread.h"
#include "sync/orders.h"

#include <errno.h>
#include <para/mutex.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static PARA__THREAD_LOCAL para__hold *latest; /* of what the thread holds */

static para__atomic_bool checking_ended; /* a value on its own: orders nothing */

static void end_checking(void)
{
    if (!para__swap_relaxed(&checking_ended, true)) /* else it was said */
        para__tell(PARA_LOG_UNCHECKED,
                   "no memory is left to check locks with: from here on none is checked");
}

static bool is_ended(void)
{
    return para__load_relaxed(&checking_ended); /* late news: one more is checked */
}

/* The pointer to the calling thread's hold of the mutex; it points to NULL if there is none. */
static para__hold **find_held(const void *mutex)
{
    para__hold **at = &latest;
    while (*at && (*at)->lock != mutex)
        at = &(*at)->earlier;
    return at;
}

/* "a.c:3 locks while it holds what a.c:2 locked; the other way round: b.c:5 after b.c:4, ..." */
static para_status inversion(const para__hold *first, const para__hold *then, const char *ways)
{
    return para__fail(PARA_ERR_DEADLOCK,
                      "%s:%d locks while it holds what %s:%d locked; the other way round: %s",
                      para__place_file(then->at), then->at.line, para__place_file(first->at),
                      first->at.line, ways);
}

/* Whether the calling thread may wait for the mutex; remembers the orders that this makes. */
static para_status check(const para__hold *then)
{
    const para__hold *again = *find_held(then->lock);
    if (again)
        return para__fail(PARA_ERR_DEADLOCK, "%s:%d locks what its thread has held since %s:%d",
                          para__place_file(then->at), then->at.line, para__place_file(again->at),
                          again->at.line);
    const para__hold *with = NULL;
    char ways[160];
    switch (para__orders_add(then, &with, ways, sizeof ways)) {
    case PARA__ORDER_KEPT:
        break;
    case PARA__ORDER_INVERTED:
        return inversion(with, then, ways);
    case PARA__ORDER_NO_MEMORY:
        end_checking();
        break;
    }
    return PARA_OK;
}

static void remember_hold(const para__hold *hold)
{
    const int saved = errno;
    para__hold *h = malloc(sizeof *h);
    errno = saved;
    if (!h) {
        end_checking();
        return;
    }
    *h = *hold;
    latest = h;
}

void para__check_forget(const void *mutex)
{
    para__orders_forget(mutex);
}

para_status para_mutex_lock_at(para_mutex *mutex, uint64_t deadline_ns, para_cancel *cancel,
                               const char *file, int line)
{
    const para__hold hold = {mutex, {file, line}, latest};
    para_status status = is_ended() ? PARA_OK : check(&hold);
    if (!status)
        status = (para_mutex_lock_with)(mutex, deadline_ns, cancel); /* not the macro */
    if (!status && !is_ended())
        remember_hold(&hold);
    return status;
}

bool para_mutex_try_lock_at(para_mutex *mutex, const char *file, int line)
{
    const para__hold hold = {mutex, {file, line}, latest};
    const bool locked = para_mutex_try_lock_slow(mutex);
    if (locked && !is_ended())
        remember_hold(&hold);
    return locked;
}

para_status para_mutex_unlock_at(para_mutex *mutex, const char *file, int line)
{
    para__hold **const at = find_held(mutex);
    para__hold *const h = *at;
    if (!h && !is_ended()) {
        const para__source_place here = {file, line};
        return para__fail(PARA_ERR_NOT_OWNER,
                          "%s:%d unlocks what its thread does not hold, or has locked "
                          "where locks are not checked",
                          para__place_file(here), line);
    }
    if (h) {
        *at = h->earlier;
        free(h);
    }
    para__tsan_release(&mutex->word); /* see base/atomic.h */
    return para_mutex_give_back_(mutex);
}
