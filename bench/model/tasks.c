/* Tasks, in place of src/pool/tasks.c: no scenario has any. */
#include "pool/tasks.h"

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
