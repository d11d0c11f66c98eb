/* Threads inside functions of a pool that somebody may destroy meanwhile.
 *
 * A thread that enters a pool notes it in a word of its own; who ends the pool looks at the words
 * of all threads, and waits until none has that pool. A thread enters, then looks whether the pool
 * has ended; who ends it says so, then looks who is inside. All four are seq_cst [E21]: of the
 * two, one sees the other. What was done inside is over before the memory is given back [E21].
 *
 * Workers of the pool do not enter, since their threads are joined, and the default pool is not
 * entered, since it is never destroyed. Calls that are known to be small do not enter either: they
 * touch nothing of the pool once their kernel runs.
 *
 * A stay that was left by a jump ends when its thread enters a pool again further up its stack, or
 * ends. */
#ifndef PARA_POOL_INSIDE_H
#define PARA_POOL_INSIDE_H

#include "pool/types.h"

enum { PARA__STAYS = 4 }; /* a thread is in so many pools at once; in further ones unnoted */

typedef struct para__stay {
    para__atomic_uptr pool; /* [E21] 0: none */
    uintptr_t frame;        /* where on its thread's stack that is remembered; its own */
} para__stay;

/* A thread's, in a list of all threads that have entered a pool. */
typedef struct para__stays {
    para__stay stay[PARA__STAYS];
    unsigned listed; /* in that process (base/process.h); 0: in none */
    struct para__stays *prev, *next;
} para__stays;
extern PARA__THREAD_LOCAL para__stays para__own_stays;

/* Enters the pool, until para__pool_leave. *stay lies in the frame of the function that the program
 * has called, so stays that begin within lie further in. It is NULL if no stay is needed, or if the
 * thread is in more pools than can be noted: then nobody waits for it. False: it has ended. */
bool para__pool_enter(para_pool *pool, para__stay **stay);

static inline void para__pool_leave(para__stay *stay)
{
    if (stay)
        para__store_release(E21, &stay->pool, 0);
}

/* The four steps, on a word of the calling thread's, and on somebody else's. */
static inline void para__stay_begin(para__stay *stay, const para_pool *pool)
{
    para__swap_seq_cst(E21, &stay->pool, (uintptr_t)pool);
}

static inline bool para__pool_has_ended(para_pool *pool)
{
    return para__load_seq_cst(E21, &pool->intake) == PARA__INTAKE_ENDED;
}

static inline void para__intake_set(para_pool *pool, para__intake intake)
{
    para__swap_seq_cst(E21, &pool->intake, intake);
}

static inline bool para__stay_is_in(para__stay *stay, const para_pool *pool)
{
    return para__load_seq_cst(E21, &stay->pool) == (uintptr_t)pool;
}

/* para__pool_enter without a look at the pool, which may be gone: the caller finds out. */
void para__pool_note_anew(const para_pool *pool, para__stay **stay);
static inline void para__pool_note(const para_pool *pool, para__stay **stay)
{
    para__stays *const own = &para__own_stays;
    if (own->listed != para__fork_count() || para__load_relaxed(&own->stay[0].pool)) { /* its own */
        para__pool_note_anew(pool, stay);
        return;
    }
    own->stay[0].frame = (uintptr_t)stay;
    para__stay_begin(&own->stay[0], pool);
    *stay = &own->stay[0];
}

/* The same for a word that leads to a pool until that ends: it is hidden, then who is inside is
 * looked for; who follows the word notes that it enters, then looks whether it has changed. */
static inline void para__pool_hide(para__atomic_uptr *word)
{
    para__swap_seq_cst(E21, word, 0);
}

static inline bool para__pool_is_shown(para__atomic_uptr *word, const para_pool *pool)
{
    return para__load_seq_cst(E21, word) == (uintptr_t)pool;
}

/* Whether any thread is inside the pool. */
bool para__pool_has_guests(const para_pool *pool);

/* Whether the calling thread is, above `frame` on its stack. */
bool para__pool_is_inside(const para_pool *pool, uintptr_t frame);

/* Whether the calling thread is one of the pool's, or within a task or a kernel of it. Kernels show
 * by their lanes: one that runs alone may have none. */
bool para__pool_is_within(const para_pool *pool);

/* PARA_OK if the pool (NULL: the default pool) accepts what the calling thread asks of it, else
 * PARA_ERR_ENDING. tasks: it submits one; else it makes a call. */
para_status para__pool_refuses(para_pool *pool, bool tasks) __attribute__((cold));
static inline para_status para__pool_check_open(para_pool *pool, bool tasks)
{
    /* Relaxed: an ending of which the thread has not heard begins after what it does. */
    return pool && para__load_relaxed(&pool->intake) != PARA__INTAKE_OPEN
               ? para__pool_refuses(pool, tasks)
               : PARA_OK;
}

#endif
