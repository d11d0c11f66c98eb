#include "pool/default_pool.h"

#include "base/atomic.h"
#include "base/fork.h"
#include "base/status.h"
#include "base/log.h"
#include "base/tuning.h"
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

/* What calls have forgone without workers has reached their price. */
static void wake_by_making(struct para_pool *pool, unsigned count)
{
    (void)count;
    para__default_pool_offer(&pool);
}

static const para__executor makes_pool = {.width = para__pool_workers,
                                          .awake = para__none_awake,
                                          .costs = para__costs_followed,
                                          .wake = wake_by_making};

/* What calls use now: pool, novice or NULL. Under the mutex. */
static para_pool *present(void)
{
    para_pool *pool = para__load_relaxed(&para__default_pool);
    return pool && para__pool_is_forked(pool) ? NULL
                                              : pool; /* by _Fork(), which runs no handlers */
}

/* Under the mutex. */
static void publish_default(para_pool *pool)
{
    para__store_release(E6, &para__default_pool, pool);
}

/* Makes the pool of that machine, if it is not there yet. */
static para_status make_of(para_pool **pool, const para__machine *machine)
{
    para_status status = PARA_OK;
    para__guard_enter(&making);
    para_pool *made = present();
    if (!made || made->is_novice) {
        const bool has_novice = made != NULL;
        status = para__pool_create_default(&made, machine);
        if (!status && has_novice)
            para__novice_teach(made);
        if (!status)
            publish_default(made);
    }
    para__guard_leave(&making);
    if (!status)
        *pool = made;
    return status;
}

para_status para__default_pool_make(para_pool **pool)
{
    const para__machine *machine = NULL;
    para__machine *real = NULL; /* the pool's, if a description cannot be read */
    para__detail kept;
    para__detail_save(&kept);
    para_pool *made = NULL;
    para_status status = para__pool_prepare(&machine);
    if (status == PARA_ERR_TOPOLOGY) {
        status = para__machine_load_real(&real);
        machine = real;
    }
    if (!status)
        status = make_of(&made, machine);
    if (real && (status || made->machine != real))
        para__machine_free(real);
    if (status)
        return status;
    para__detail_restore(&kept);
    *pool = made;
    return PARA_OK;
}

/* Whether it is time to try, after failures: at once, then after 1, 2, 4, ... calls that would have
 * liked to. */
static bool is_time(bool has_failed)
{
    static uint32_t failures, passed; /* under the mutex */
    para__guard_enter(&making);
    const bool is_first = failures == 0;
    bool is_due = is_first || ++passed >> (failures - 1) != 0;
    if (has_failed) {
        failures += failures < PARA__MAKING_DOUBLED;
        passed = 0;
        is_due = is_first;
    }
    para__guard_leave(&making);
    return is_due;
}

bool para__default_pool_offer(para_pool **pool)
{
    para__detail kept;
    if (!is_time(false))
        return false;
    para__detail_save(&kept);
    const para_status status = para__default_pool_make(pool);
    if (status && is_time(true))
        para__tell(PARA_LOG_DEFAULT_POOL,
                   "no default pool: %s: %s; calls run on their threads alone",
                   para_status_text(status), para_status_detail());
    para__detail_restore(&kept);
    return status == PARA_OK;
}

/* The pool that is there, else the novice, if that will do. */
static para_pool *begin_default(bool at_any_rate)
{
    para__guard_enter(&making);
    para_pool *pool = present();
    if (!pool) {
        pool = para__novice(&makes_pool, at_any_rate);
        if (pool)
            publish_default(pool);
    }
    para__guard_leave(&making);
    return pool;
}

para_pool *para__default_pool_begin(void)
{
    para_pool *pool = begin_default(false);
    return pool || para__default_pool_offer(&pool) ? pool : begin_default(true);
}

para_pool *para_default_pool(void)
{
    para_pool *pool = NULL;
    return para__pool_resolve(&pool) ? NULL : pool;
}
