/* Machines that a variable describes, and pools on them as far as placing goes. */
#ifndef PARA_TESTS_DESCRIBED_H
#define PARA_TESTS_DESCRIBED_H

#include "../common/check.h"

#include "base/memory.h"
#include "pool/place.h"
#include "topology/topology.h"

#include <stdlib.h>
#include <string.h>

static inline int forget(void **state)
{
    (void)state;
    unsetenv("HWLOC_SYNTHETIC");
    unsetenv("HWLOC_XMLFILE");
    return 0;
}

static inline para__machine *load(const char *variable, const char *value)
{
    setenv(variable, value, 1);
    para__machine *machine = NULL;
    const para_status status = para__machine_load(&machine, "/nonexistent");
    unsetenv(variable);
    if (status)
        fail_msg("%s: %s: %s", value, para_status_name(status), para_status_detail());
    return machine;
}

/* A pool as far as placing goes. */
static inline para_pool *place(const para__machine *machine, unsigned workers, para_binding binding,
                               para__filling filling)
{
    static para_pool pool;
    free(pool.worker);
    free(pool.lanes.helper);
    para__free(pool.lanes.raids);
    para__free(pool.lanes.before);
    pool = (para_pool){.machine = machine, .requested = workers, .binding = binding};
    pool.worker = calloc(workers, sizeof *pool.worker);
    pool.lanes.helper = aligned_alloc(PARA__LINE, workers * sizeof *pool.lanes.helper);
    assert_true(pool.worker && pool.lanes.helper);
    memset(pool.lanes.helper, 0, workers * sizeof *pool.lanes.helper);
    for (unsigned i = 0; i < workers; i++) {
        pool.worker[i].pool = &pool;
        pool.worker[i].index = i;
    }
    OK(para__workers_place(&pool, filling));
    OK(para__workers_group(&pool));
    return &pool;
}

static inline const para_cpu_info *cpu_of(const para_pool *pool, unsigned worker)
{
    return &pool->machine->cpu[pool->worker[worker].cpu_index];
}

#endif
