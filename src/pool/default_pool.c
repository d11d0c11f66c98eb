#include "pool/default_pool.h"

#include "base/atomic.h"
#include "base/fork.h"
#include "pool/pool.h"

static para__guard making = PARA__GUARD_INIT;
para__atomic_pool para__default_pool; /* [E6] publishes the pool; written under the mutex */

/* In a child. The parent's pool is left as it is, since its threads are not here, and the code that
 * forked may be using its memory. */
static void forget(void)
{
    para__store_relaxed(&para__default_pool, NULL); /* one thread: nothing to order */
}

__attribute__((constructor(101))) static void guard_making_in_forks(void)
{
    para__fork_handle(PARA__FORK_DEFAULT_POOL, &making, forget);
}

para_status para__default_pool_make(para_pool **pool)
{
    const para__machine *machine = NULL;
    para_status status = para__pool_prepare(&machine);
    if (status)
        return status;
    para__guard_enter(&making);
    para_pool *made = para__load_relaxed(&para__default_pool); /* under the mutex */
    if (!made || para__pool_is_forked(made)) { /* by _Fork(), which runs no handlers */
        made = NULL;
        status = para_pool_create(&made, NULL);
        if (!status)
            para__store_release(E6, &para__default_pool, made);
    }
    para__guard_leave(&making);
    if (!status)
        *pool = made;
    return status;
}

para_pool *para_default_pool(void)
{
    para_pool *pool = NULL;
    return para__pool_resolve(&pool) ? NULL : pool;
}
