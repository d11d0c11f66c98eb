#include "pool/inside.h"

#include "base/guard.h"
#include "base/module.h"
#include "base/process.h"
#include "base/stack.h"
#include "base/status.h"
#include "executor/left.h"
#include "pool/self.h"
#include "pool/tasks.h"
#include "share/participant.h"

#include <stddef.h>

PARA__THREAD_LOCAL para__stays para__own_stays;
static para__guard listing = PARA__GUARD_INIT; /* guards the list */
static para__stays *all_stays;
static para__key stays_key;

/* In a child, which has none of the parent's threads. */
static void forget_all(void)
{
    listing = (para__guard)PARA__GUARD_INIT;
    all_stays = NULL;
}

static void enter_list(void)
{
    static para__atomic_u32 forgotten;
    para__after_fork(&forgotten, forget_all);
    para__guard_enter(&listing);
}

static bool list_own(void)
{
    if (!para__key_set(&stays_key, &stays_key))
        return false;
    enter_list();
    para__own_stays.listed = para__fork_count();
    para__own_stays.prev = NULL;
    para__own_stays.next = all_stays;
    if (all_stays)
        all_stays->prev = &para__own_stays;
    all_stays = &para__own_stays;
    para__guard_leave(&listing);
    return true;
}

/* When the thread ends, also within a function of a pool. */
static void leave_all(void *unused)
{
    (void)unused;
    for (unsigned i = 0; i < PARA__STAYS; i++)
        para__pool_leave(&para__own_stays.stay[i]);
    if (para__own_stays.listed != para__fork_count())
        return;
    enter_list();
    *(para__own_stays.prev ? &para__own_stays.prev->next : &all_stays) = para__own_stays.next;
    if (para__own_stays.next)
        para__own_stays.next->prev = para__own_stays.prev;
    para__guard_leave(&listing);
    para__own_stays.listed = 0;
}

__attribute__((constructor)) static void make_stays_key(void)
{
    para__key_make(&stays_key, leave_all);
}

/* Whether that stay was left by a jump, as one that begins at `frame` finds. */
static bool was_left(const para__stay *stay, uintptr_t frame)
{
    return stay->frame <= frame && para__on_own_stack(stay->frame, frame);
}

void para__pool_note_anew(const para_pool *pool, para__stay **stay)
{
    const uintptr_t frame = (uintptr_t)stay;
    para__stay *room = NULL;
    *stay = NULL;
    if (para__pool_is_worker(pool))
        return;
    for (unsigned i = 0; i < PARA__STAYS; i++) {
        para__stay *const here = &para__own_stays.stay[i];
        const uintptr_t known = para__load_relaxed(&here->pool); /* this thread's */
        if (known && !was_left(here, frame)) {
            if (known == (uintptr_t)pool)
                return; /* further out */
        } else if (!room || known) {
            room = here;
        }
    }
    if (!room || (para__own_stays.listed != para__fork_count() && !list_own()))
        return;
    room->frame = frame;
    para__stay_begin(room, pool);
    *stay = room;
}

bool para__pool_enter(para_pool *pool, para__stay **stay)
{
    para__pool_note(pool, stay);
    if (!*stay || !para__pool_has_ended(pool))
        return true;
    para__pool_leave(*stay);
    *stay = NULL;
    return false;
}

bool para__pool_has_guests(const para_pool *pool)
{
    bool has_some = false;
    enter_list();
    for (para__stays *thread = all_stays; thread; thread = thread->next)
        for (unsigned i = 0; i < PARA__STAYS; i++)
            has_some |= para__stay_is_in(&thread->stay[i], pool);
    para__guard_leave(&listing);
    return has_some;
}

bool para__pool_is_inside(const para_pool *pool, uintptr_t frame)
{
    for (unsigned i = 0; i < PARA__STAYS; i++) {
        para__stay *const here = &para__own_stays.stay[i];
        if (para__load_relaxed(&here->pool) != (uintptr_t)pool) /* this thread's */
            continue;
        if (!was_left(here, frame))
            return true;
        para__pool_leave(here);
    }
    return false;
}

bool para__pool_is_within(const para_pool *pool)
{
    bool is_within = para__pool_is_worker(pool) || para__tasks_are_run_here(pool);
    for (const para__lane *lane = para__current_lane; lane && !is_within; lane = lane->around)
        is_within = lane->lanes == &pool->lanes;
    for (const para__lane *lane = para__innermost_lane; lane && !is_within; lane = lane->outer)
        is_within = lane->lanes == &pool->lanes;
    return is_within;
}

para_status para__pool_refuses(para_pool *pool, bool tasks)
{
    const bool is_its_own = para__pool_is_within(pool);
    const uint32_t most = tasks ? PARA__INTAKE_DRAINING : PARA__INTAKE_ENDED;
    if (is_its_own && para__load_relaxed(&pool->intake) <= most)
        return PARA_OK;
    return para__fail(PARA_ERR_ENDING, "the pool accepts no more %s", tasks ? "tasks" : "calls");
}
