/* A thread's own tasks: it puts them in and takes them out at the bottom, others steal at the top.
 * The deque of Chase and Lev, "Dynamic Circular Work-Stealing Deque", 2005, in C11's memory model
 * (Lê, Pop, Cohen, Zappa Nardelli, "Correct and Efficient Work-Stealing for Weak Memory Models",
 * 2013), with room for a fixed number of tasks, and with the order on the operations.
 *
 *     top                 bottom
 *      |  t0  t1  t2  t3  |            slots [top, bottom), counted from the beginning of time
 *      steal -->    <-- take, push
 *
 * Why a task is taken once. Whoever takes slot i while another might do so swaps top from i to
 * i + 1, and one swap succeeds. The owner does without the swap only if it has found top below i
 * after it has moved bottom to i. Say a thief has found top at i and bottom above i. Then its look
 * at bottom comes before the owner's move of bottom in the order of seq_cst operations [E18], and
 * the swap that made top i comes before that look: it is the owner's own, or another thief's, which
 * is seq_cst and which the look at top has acquired. So the owner finds top at i, and swaps too.
 *
 * Why a thief reads what was pushed: bottom publishes the slot [E18], and a slot is written again
 * only after a push has read, from top, that the thief of its former task is through [E18].
 *
 * A slot says what its task is: a thief that wants certain ones only must not look into the task,
 * which may be over, and freed, before it is claimed. */
#ifndef PARA_TASK_DEQUE_H
#define PARA_TASK_DEQUE_H

#include "base/atomic.h"

#include <para/task.h>
#include <stddef.h>

#ifndef PARA__DEQUE_TASKS /* models have smaller ones */
#define PARA__DEQUE_TASKS 256
#endif

/* A task's family, which is the number of the task from outside that it comes from, and its depth
 * in that. */
typedef uint64_t para__kin;

static inline para__kin para__kin_of(uint32_t family, uint32_t depth)
{
    return (para__kin)family << 32 | depth;
}

static inline uint32_t para__kin_depth(para__kin kin)
{
    return (uint32_t)kin;
}

/* Whether a task is of that family, and lies as deep as that; least 0: any task. */
static inline bool para__kin_is_below(para__kin kin, para__kin least)
{
    return least == 0 || (kin >> 32 == least >> 32 && kin >= least);
}

typedef struct para__deque_slot {
    para__atomic_uptr task; /* published by bottom, as the rest */
    para__atomic_uptr group;
    para__atomic_u64 kin;
} para__deque_slot;

typedef struct para__deque {
    _Alignas(PARA__LINE) para__atomic_u64 top;    /* [E18] moved by whoever claims the slot */
    _Alignas(PARA__LINE) para__atomic_u64 bottom; /* [E18] the owner's; [E5] what is new */
    para__deque_slot slot[PARA__DEQUE_TASKS];
} para__deque;

/* For a look from outside: whether there seems to be a task. After a sleeper's PARKED [E5]. */
static inline bool para__deque_has_news(para__deque *d)
{
    return para__load_relaxed(&d->top) < /* older than bottom: at worst a look in vain */
           para__load_seq_cst(E18_E5, &d->bottom);
}

/* For the owner: whether there is no task, now or soon. Relaxed: bottom is its own, and top only
 * rises, so an older one shows at most a task that is gone. */
static inline bool para__deque_is_empty(para__deque *d)
{
    return para__load_relaxed(&d->top) >= para__load_relaxed(&d->bottom);
}

/* For the owner: whether a task has room. Relaxed: likewise, so there is at least that much. */
static inline bool para__deque_has_room(para__deque *d)
{
    return para__load_relaxed(&d->bottom) - para__load_relaxed(&d->top) < PARA__DEQUE_TASKS;
}

/* The owner puts a task in; false: there is no room. */
static inline bool para__deque_push(para__deque *d, para_task *task)
{
    const uint64_t bottom = para__load_relaxed(&d->bottom); /* its own */
    const uint64_t top = para__load_acquire(E18, &d->top);  /* its thief has read the slot */
    if (bottom - top >= PARA__DEQUE_TASKS)
        return false;
    para__deque_slot *slot = &d->slot[bottom % PARA__DEQUE_TASKS];
    para__store_relaxed(&slot->task, (uintptr_t)task); /* published by bottom, like the others */
    para__store_relaxed(&slot->group, (uintptr_t)task->group);
    para__store_relaxed(&slot->kin, task->kin_);
    para__swap_seq_cst(E18_E5, &d->bottom, bottom + 1);
    return true;
}

/* The owner takes the task that it has put in last, if it is one of those; else NULL. */
static inline para_task *para__deque_take(para__deque *d, para__kin least)
{
    const uint64_t bottom = para__load_relaxed(&d->bottom); /* its own */
    if (para__load_relaxed(&d->top) >= bottom) /* only thieves move it, and only upwards: none */
        return NULL;
    const uint64_t last = bottom - 1;
    para__deque_slot *slot = &d->slot[last % PARA__DEQUE_TASKS];
    if (!para__kin_is_below(para__load_relaxed(&slot->kin), least)) /* written by this thread */
        return NULL;
    para__swap_seq_cst(E18, &d->bottom, last);
    uint64_t top = para__load_seq_cst(E18, &d->top);
    if (top < last)
        return (para_task *)para__load_relaxed(&slot->task); /* written by this thread */
    const bool is_mine = top == last && para__cas_relaxed(&d->top, &top, last + 1); /* its slot */
    para__store_relaxed(&d->bottom, bottom); /* empty: no slot is published by it */
    return is_mine ? (para_task *)para__load_relaxed(&slot->task) : NULL;
}

/* Anybody takes the oldest task, if it is one of those; else, or if another was faster, NULL. */
static inline para_task *para__deque_steal(para__deque *d, para__kin least)
{
    uint64_t top = para__load_acquire(E18, &d->top);
    if (top >= para__load_seq_cst(E18, &d->bottom))
        return NULL;
    para__deque_slot *slot = &d->slot[top % PARA__DEQUE_TASKS];
    if (!para__kin_is_below(para__load_relaxed(&slot->kin),
                            least)) /* right if the swap succeeds; */
        return NULL;
    const uintptr_t task = para__load_relaxed(&slot->task); /* likewise */
    return para__cas_seq_cst(E18, &d->top, &top, top + 1) ? (para_task *)task : NULL;
}

/* Whether that task, or one of that group, seems to be in it. One that the calling thread knows to
 * have been put in is missed only if another has it now. */
static inline bool para__deque_seems_to_have(para__deque *d, const para_task *task,
                                             const para_task_group *group)
{
    const uint64_t bottom = para__load_seq_cst(E5, &d->bottom); /* after a group was awaited */
    for (uint64_t i = para__load_relaxed(&d->top); i < bottom; i++) {
        para__deque_slot *slot = &d->slot[i % PARA__DEQUE_TASKS];
        if (group ? para__load_relaxed(&slot->group) == (uintptr_t)group /* guesses */
                  : para__load_relaxed(&slot->task) == (uintptr_t)task)
            return true;
    }
    return false;
}

#endif
