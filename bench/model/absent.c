/* In place of src/pool/tasks.c, src/pool/size.c, src/sync/cancel.c and src/data/purity.c: no
 * scenario has tasks or tokens, none is checked, and no pool is resized. */
#include "data/purity.h"
#include "pool/size.h"
#include "pool/tasks.h"
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

bool para__tasks_are_run_here(para_pool *pool)
{
    (void)pool;
    return false;
}

void para__tasks_end(para_pool *pool)
{
    (void)pool;
}

void para__tasks_free(para_pool *pool)
{
    (void)pool;
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

void para__pool_begin_adapting(para_pool *pool)
{
    (void)pool;
}

void para__pool_look(para_pool *pool)
{
    (void)pool;
}

void para__pool_sit_out(const para__worker *self)
{
    (void)self;
}

void para__pool_tell_left_out(para_pool *pool)
{
    (void)pool;
}
