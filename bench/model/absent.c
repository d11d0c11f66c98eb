/* In place of src/pool/tasks.c, ending.c, inside.c and processes.c, of src/process,
 * src/sync/cancel.c, src/data/purity.c and isolated.c: no scenario has tasks, tokens or worker
 * processes, ends a pool that is in use, or is checked. */
#include "data/isolated.h"
#include "data/purity.h"
#include "pool/inside.h"
#include "pool/tasks.h"
#include "pool/telling.h"
#include "sync/cancel.h"

para_status para_cancel_status(const para_cancel *cancel)
{
    (void)cancel;
    return PARA_OK;
}

para_status para__cancel_fail(para_status status)
{
    return status;
}

bool para__tasks_have_news(para_pool *pool, unsigned worker)
{
    (void)pool;
    (void)worker;
    return false;
}

para__visit para__tasks_serve(para_pool *pool, unsigned worker)
{
    (void)pool;
    (void)worker;
    return PARA__VISIT_NOTHING;
}

bool para__pool_is_within(const para_pool *pool)
{
    (void)pool;
    return false;
}

bool para__pool_enter(para_pool *pool, para__stay **stay)
{
    (void)pool;
    *stay = NULL;
    return true;
}

para_status para__pool_refuses(para_pool *pool, bool tasks)
{
    (void)pool;
    (void)tasks;
    return PARA_OK;
}

void para__tasks_free(para_pool *pool)
{
    (void)pool;
}

void para__watches_tell_all(para_pool *pool)
{
    (void)pool;
}

bool para__several_cpus(void)
{
    return false;
}

para_status para__purity_begin(para__purity **purity, const para__subject *subject)
{
    (void)subject;
    *purity = NULL;
    return PARA_OK;
}

para_status para__purity_end(para__purity *purity, para_pool *pool, unsigned width,
                             para_status status)
{
    (void)purity;
    (void)pool;
    (void)width;
    return status;
}

void para__names_forget(para__names *names)
{
    (void)names;
}

void para__names_free(para__names *names)
{
    (void)names;
}

void para__tasks_tell(para_pool *pool)
{
    (void)pool;
}

void para__worker_look_out(para__worker *self)
{
    (void)self;
}

bool para__worker_look_away(para__worker *self)
{
    (void)self;
    return false;
}

void para__worker_turn_away(para__worker *self)
{
    (void)self;
}

bool para__tasks_have_old(para_pool *pool, unsigned worker)
{
    (void)pool;
    (void)worker;
    return false;
}

const para__executor para__processes;

para_status para__processes_check(const para_pool_config *config)
{
    (void)config;
    return PARA_OK;
}

para_status para__processes_start(para_pool *pool, const para_processes *processes)
{
    (void)pool;
    (void)processes;
    return PARA_OK;
}

para_status para__processes_refuse(const para_pool *pool, para_executor executor)
{
    (void)pool;
    (void)executor;
    return PARA_OK;
}

para__desk *para__workshop_enter(para__workshop *shop)
{
    (void)shop;
    return NULL;
}

void para__desk_name(para__desk *desk, const para__work_name *work)
{
    (void)desk;
    (void)work;
}

void para__desk_leave(para__desk *desk)
{
    (void)desk;
}

void para__workshop_end(para__workshop *shop)
{
    (void)shop;
}

void *para__desk_arena(para__desk *desk, unsigned number, size_t bytes)
{
    (void)desk;
    (void)number;
    (void)bytes;
    return NULL;
}

para_status para__isolated_begin(para__isolated *isolated, para__call *call,
                                 const para__isolable *of)
{
    (void)isolated;
    (void)call;
    (void)of;
    return PARA_OK;
}

void para__tasks_pass_on(para_pool *pool)
{
    (void)pool;
}
