/* Every scenario, with its 1st, 2nd, 3rd, ... system call failing, until none is left to fail. Each
 * time the scenario succeeds or returns a status, gives everything back, and does not hang. */
#ifndef FAULT_SCENARIO_H
#define FAULT_SCENARIO_H

#include "faults.h"

#include "../common/check.h"

#include "topology/topology.h"

#include <errno.h>
#include <unistd.h>

enum { SECONDS = 30, MOST = 5000 };

static _Atomic size_t elements;

static int count(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    if (chunk->scratch)
        *(size_t *)chunk->scratch = chunk->count;
    elements += chunk->count;
    return 0;
}

static para_status make_pool(unsigned workers, para_pool **pool)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = workers;
    config.start = PARA_START_WAIT; /* what fails, fails in the course of this call */
    return para_pool_create(pool, &config);
}

/* The scenario with every call failing, one at a time or all from one on. */
static void fail_each(para_status (*scenario)(void), bool all)
{
    for (long n = 1;; n++) {
        assert_in_range(n, 1, MOST);
        const long before = fault_held();
        alarm(SECONDS);
        fault_arm(FAULT_ANY, n, ENOMEM, all);
        errno = 77;
        const para_status status = scenario();
        const bool hit = fault_count() > 0;
        fault_arm(FAULT_ANY, 0, 0, false);
        assert_int_equal(errno, 77);
        assert_int_equal(fault_held(), before);
        if (!hit) {
            assert_int_equal(status, PARA_OK);
            break;
        }
        assert_true(status == PARA_OK || status == PARA_ERR_MEMORY || status == PARA_ERR_TOPOLOGY ||
                    status == PARA_ERR_FILE);
        OK(scenario()); /* nothing is left behind that would be in the way */
        assert_int_equal(fault_held(), before);
    }
    alarm(0);
}

static void fail_each_and_all(para_status (*scenario)(void))
{
    const para__machine *machine = NULL;
    OK(para__machine_get(&machine)); /* kept for good: not to be counted, nor are details */
    FAILS(PARA_ERR_ARGUMENT, para_pool_create(NULL, NULL));
    OK(scenario());
    fail_each(scenario, false);
    fail_each(scenario, true);
}

#define SCENARIO_TEST(scenario)      \
    TEST(faults_in_##scenario)       \
    {                                \
        fail_each_and_all(scenario); \
    }

#endif
