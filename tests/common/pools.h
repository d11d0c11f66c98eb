/* Pools of several sizes, for tests that go through all of them. Included once pool_sizes, an array
 * of numbers of workers, is defined. */
#ifndef PARA_TESTS_POOLS_H
#define PARA_TESTS_POOLS_H

#include "check.h"

static para_pool *pools[COUNT_OF(pool_sizes)];

static int make_pools(void **state)
{
    (void)state;
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        pools[p] = check_pool(pool_sizes[p]);
    return 0;
}

static int destroy_pools(void **state)
{
    (void)state;
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        para_pool_destroy(pools[p]);
    return 0;
}

#endif
