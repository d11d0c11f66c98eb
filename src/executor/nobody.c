#include "executor/executor.h"

static unsigned none_awake(const struct para_pool *pool)
{
    (void)pool;
    return 0;
}

static void wake_nobody(struct para_pool *pool, unsigned count)
{
    (void)pool;
    (void)count;
}

const para__executor para__nobody = {.awake = none_awake, .wake = wake_nobody};
