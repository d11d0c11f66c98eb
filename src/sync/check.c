/* Lock checking. A thread remembers what it holds, with places. The process remembers orders: "this
 * mutex was locked there while that one, locked there, was held". To lock, while some are held, one
 * from which remembered orders lead back to one of those, can deadlock, whether or not it does this
 * time; it is refused. A try cannot wait, so it neither is refused for that nor makes an order.
 *
 * Memory is fixed. What a thread holds beyond HELD, and orders beyond ORDERS, are not checked. */
#include "sync/check.h"

#include "base/status.h"
#include "sync/latch.h"

#include <para/mutex.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { HELD = 32, ORDERS = 4096 };

typedef struct place {
    const char *file;
    int line;
} place;

typedef struct hold {
    const void *mutex;
    place at;
} hold;

static _Thread_local struct {
    hold hold[HELD];
    unsigned count;
    unsigned beyond; /* holds that found no room */
} held;

/* first was held, locked at first_at, when then was locked at then_at. */
typedef struct order {
    const void *first, *then;
    place first_at, then_at;
    unsigned from; /* search: the order through which this one was reached */
    bool reached;
} order;

/* Under the latch. */
static para__latch latch;
static order orders[ORDERS];
static unsigned order_count;

/* In a child, where the latch may be held, and the table half changed, by a thread that is gone. */
static void forget_all(void)
{
    para__store_relaxed(&latch.state, PARA__LATCH_FREE); /* one thread: no order */
    order_count = 0;
}

__attribute__((constructor)) static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, forget_all);
}

/* The place without folders: a detail has little room. */
static const char *file_of(place at)
{
    const char *slash = strrchr(at.file, '/');
    return slash ? slash + 1 : at.file;
}

static unsigned find_held(const void *mutex)
{
    unsigned i = 0;
    while (i < held.count && held.hold[i].mutex != mutex)
        i++;
    return i;
}

static bool is_known(const void *first, const void *then)
{
    for (unsigned i = 0; i < order_count; i++)
        if (orders[i].first == first && orders[i].then == then)
            return true;
    return false;
}

/* The last of remembered orders that lead from one mutex to another; ORDERS: there are none.
 * Breadth first, so that they are as few as possible. */
static unsigned find_way(const void *from, const void *to)
{
    static unsigned queue[ORDERS];
    unsigned queued = 0;
    for (unsigned i = 0; i < order_count; i++)
        orders[i].reached = false;
    for (unsigned next = 0; next <= queued; next++) {
        const void *const here = next == 0 ? from : orders[queue[next - 1]].then;
        for (unsigned i = 0; i < order_count; i++) {
            if (orders[i].reached || orders[i].first != here)
                continue;
            orders[i].reached = true;
            orders[i].from = next == 0 ? ORDERS : queue[next - 1];
            if (orders[i].then == to)
                return i;
            queue[queued++] = i;
        }
    }
    return ORDERS;
}

/* "a.c:3 locks it while holding what a.c:2 locked; the other way round: b.c:5 after b.c:4, ..." */
static para_status inversion(place at, const hold *first, unsigned way)
{
    char ways[160] = "";
    size_t length = 0;
    for (; way != ORDERS && length < sizeof ways; way = orders[way].from)
        length += (size_t)snprintf(ways + length, sizeof ways - length, "%s%s:%d after %s:%d",
                                   length ? ", " : "", file_of(orders[way].then_at),
                                   orders[way].then_at.line, file_of(orders[way].first_at),
                                   orders[way].first_at.line);
    return para__fail(PARA_ERR_DEADLOCK,
                      "%s:%d locks while it holds what %s:%d locked; the other way round: %s",
                      file_of(at), at.line, file_of(first->at), first->at.line, ways);
}

/* Whether the calling thread may wait for the mutex; remembers the orders that this makes. */
static para_status check(const void *mutex, place at)
{
    const unsigned again = find_held(mutex);
    if (again < held.count)
        return para__fail(PARA_ERR_DEADLOCK, "%s:%d locks what its thread has held since %s:%d",
                          file_of(at), at.line, file_of(held.hold[again].at),
                          held.hold[again].at.line);
    para_status status = PARA_OK;
    para__latch_lock(&latch);
    for (unsigned i = 0; i < held.count && !status; i++) {
        const hold *const first = &held.hold[i];
        if (is_known(first->mutex, mutex))
            continue;
        const unsigned way = find_way(mutex, first->mutex);
        if (way != ORDERS)
            status = inversion(at, first, way);
        else if (order_count < ORDERS)
            orders[order_count++] =
                (order){.first = first->mutex, .then = mutex, .first_at = first->at, .then_at = at};
    }
    para__latch_unlock(&latch);
    return status;
}

static void remember(const void *mutex, place at)
{
    if (held.count < HELD)
        held.hold[held.count++] = (hold){mutex, at};
    else
        held.beyond++;
}

void para__check_forget(const void *mutex)
{
    para__latch_lock(&latch);
    unsigned kept = 0;
    for (unsigned i = 0; i < order_count; i++)
        if (orders[i].first != mutex && orders[i].then != mutex)
            orders[kept++] = orders[i];
    order_count = kept;
    para__latch_unlock(&latch);
}

para_status para_mutex_lock_at(para_mutex *mutex, uint64_t deadline_ns, para_cancel *cancel,
                               const char *file, int line)
{
    const place at = {file, line};
    para_status status = check(mutex, at);
    if (!status)
        status = (para_mutex_lock_with)(mutex, deadline_ns, cancel); /* not the macro */
    if (!status)
        remember(mutex, at);
    return status;
}

bool para_mutex_try_lock_at(para_mutex *mutex, const char *file, int line)
{
    const bool locked = para_mutex_try_lock_slow(mutex);
    if (locked)
        remember(mutex, (place){file, line});
    return locked;
}

para_status para_mutex_unlock_at(para_mutex *mutex, const char *file, int line)
{
    const unsigned found = find_held(mutex);
    if (found < held.count) {
        held.count--;
        memmove(&held.hold[found], &held.hold[found + 1],
                (held.count - found) * sizeof held.hold[0]);
    } else if (held.beyond > 0) { /* it may be one of those */
        held.beyond--;
    } else {
        const place at = {file, line};
        return para__fail(PARA_ERR_NOT_OWNER, "%s:%d unlocks what its thread does not hold",
                          file_of(at), line);
    }
    para_mutex_unlock_slow(mutex);
    return PARA_OK;
}
