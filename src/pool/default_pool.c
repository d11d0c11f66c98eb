#include "pool/default_pool.h"

#include "base/atomic.h"
#include "base/fork.h"
#include "pool/calibrate.h"
#include "pool/novice.h"
#include "pool/pool.h"

static para__guard making = PARA__GUARD_INIT;
para__atomic_pool para__default_pool; /* [E6] publishes the pool; written under the mutex */

/* In a child. The parent's pool is left as it is, since its threads are not here, and the code that
 * forked may be using its memory. */
static void forget(void)
{
    para__store_relaxed(&para__default_pool, NULL); /* one thread: nothing to order */
    para__novice_renew();
}

__attribute__((constructor(101))) static void guard_making_in_forks(void)
{
    para__fork_handle(PARA__FORK_DEFAULT_POOL, &making, forget);
}

/* What calls have forgone without workers has reached their price. If they cannot be had, calls go
 * on without. */
static void wake_by_making(struct para_pool *pool, unsigned count)
{
    (void)count;
    para__default_pool_make(&pool);
}

static unsigned none_is_awake(const struct para_pool *pool)
{
    (void)pool;
    return 0;
}

static unsigned width_at_most(const struct para_pool *pool)
{
    return para__pool_workers(pool);
}

static const para__executor makes_pool = {.width = width_at_most,
                                          .awake = none_is_awake,
                                          .costs = para__costs_followed,
                                          .wake = wake_by_making};

/* Makes the default pool, or, if that will do, has the novice in its place; *pool is NULL if there
 * is to be none. */
static para_status settle(para_pool **pool, bool novice_will_do)
{
    para_status status = PARA_OK;
    para__guard_enter(&making);
    para_pool *made = para__load_relaxed(&para__default_pool); /* under the mutex */
    if (made && para__pool_is_forked(made)) /* by _Fork(), which runs no handlers */
        made = NULL;
    if (novice_will_do && !made)
        made = para__novice(&makes_pool);
    else if (!novice_will_do && (!made || made->is_novice)) {
        const bool has_novice = made != NULL;
        status = para_pool_create(&made, NULL);
        if (!status && has_novice)
            para__novice_teach(made);
    }
    if (!status && made)
        para__store_release(E6, &para__default_pool, made);
    para__guard_leave(&making);
    if (!status)
        *pool = made;
    return status;
}

para_status para__default_pool_make(para_pool **pool)
{
    const para__machine *machine = NULL;
    const para_status status = para__pool_prepare(&machine);
    return status ? status : settle(pool, false);
}

para_status para__default_pool_begin(para_pool **pool)
{
    para_pool *begun = NULL;
    (void)settle(&begun, true);
    if (!begun)
        return para__default_pool_make(pool);
    *pool = begun;
    return PARA_OK;
}

para_pool *para_default_pool(void)
{
    para_pool *pool = NULL;
    return para__pool_resolve(&pool) ? NULL : pool;
}
