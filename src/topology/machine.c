/* The process's machine: read at first use, and found whole by every thread. It is read anew for a
 * pool if other CPUs are the process's by then. Older ones stay, since pools and callers have them;
 * one that comes back is used again, so that a program that goes back and forth keeps two. */
#include "topology/topology.h"

#include "base/atomic.h"
#include "base/fork.h"
#include "base/info.h"
#include "base/memory.h"
#include "base/thread.h"
#include "topology/locations.h"
#include "topology/openmp.h"

#include <errno.h>
#include <pthread.h>

/* Held while the machine is read, so that no fork comes in between. hwloc, which reads described
 * machines, has locks of its own, and a child would find them taken by a thread that it does not
 * have. (hwloc is loaded under this one, and loads plug-ins under its own lock. So a described
 * machine must not be read first in a constructor within dlopen.) */
static para__guard reading = PARA__GUARD_INIT;

/* [E7] Publishes the machine with all that it points to. Written under the mutex; read by
 * anyone. */
static PARA__ATOMIC_OF(const para__machine *) the_machine;

/* The newest of all that were read. Under the mutex, so that no order is needed. */
static PARA__ATOMIC_OF(para__machine *) newest;

__attribute__((constructor(101))) static void guard_reading_in_forks(void)
{
    para__fork_handle(PARA__FORK_MACHINE, &reading, NULL);
}

typedef struct reader {
    para__openmp openmp;
    int cancel_state; /* of its thread, before it began */
} reader;

static void begin_reading(reader *r)
{
    r->cancel_state = para__cancellation_off();
    para__openmp_find(&r->openmp); /* not under the mutex: it needs the loader's lock */
    para__guard_enter(&reading);
}

static void end_reading(reader *r)
{
    para__guard_leave(&reading);
    para__openmp_drop(&r->openmp);
    para__cancellation_restore(r->cancel_state);
}

static para_status load_machine(para__machine **machine, const char *root, bool is_real)
{
    reader r;
    begin_reading(&r);
    const para__allowance allowance = para__allowance_read(&r.openmp, root);
    const para_status status = para__machine_read(machine, &allowance, is_real);
    end_reading(&r);
    return status;
}

para_status para__machine_load(para__machine **machine, const char *root)
{
    return load_machine(machine, root, false);
}

para_status para__machine_load_real(para__machine **machine)
{
    const para_status status = load_machine(machine, "", true);
    if (!status && (*machine)->cpu_count > 1)
        para__set_several_cpus();
    return status;
}

void para__machine_free(para__machine *machine)
{
    if (machine)
        para__free(machine->nodes);
    para__free(machine);
}

/* Not being able to read the quota any more changes nothing. */
static bool has_allowance(const para__machine *machine, const para__allowance *allowance)
{
    return para__cpus_equal(&machine->usable, &allowance->usable) &&
           machine->info.quota_known >= allowance->quota_known &&
           !(machine->info.quota < allowance->quota) && !(machine->info.quota > allowance->quota);
}

para_status para__machine_get_current(const para__machine **machine)
{
    reader r;
    para_status status = PARA_OK;
    begin_reading(&r);
    const para__allowance allowance = para__allowance_read(&r.openmp, "");
    const para__machine *current = para__load_relaxed(&newest); /* under the mutex */
    while (current && !current->is_described && !has_allowance(current, &allowance))
        current = current->older;
    if (!current) {
        para__machine *made = NULL;
        status = para__machine_read(&made, &allowance, false);
        if (!status) {
            made->older = para__load_relaxed(&newest); /* both under the mutex */
            para__store_relaxed(&newest, made);
            current = made;
        }
    }
    if (!status) {
        if (current->info.this_system && current->cpu_count > 1)
            para__set_several_cpus();
        para__store_release(E7, &the_machine, current);
        *machine = current;
    }
    end_reading(&r);
    return status;
}

para_status para__machine_get(const para__machine **machine)
{
    const para__machine *const known = para__load_acquire(E7, &the_machine);
    if (!known)
        return para__machine_get_current(machine);
    *machine = known;
    return PARA_OK;
}

/* What the machine itself knows. */
static unsigned group_of_cpu(const para__machine *machine, para__level level, unsigned index)
{
    const para_cpu_info *const cpu = &machine->cpu[index];
    switch (level) {
    case PARA__LEVEL_THREAD:
        return index;
    case PARA__LEVEL_CORE:
        return cpu->core;
    case PARA__LEVEL_NODE:
        return cpu->numa_node;
    default:
        return PARA__NO_GROUP;
    }
}

para_status para__machine_group(const para__machine *machine, para__level level, unsigned *group)
{
    reader r;
    para_status status = PARA_OK;
    for (unsigned i = 0; i < machine->cpu_count; i++)
        group[i] = group_of_cpu(machine, level, i);
    if (group[0] != PARA__NO_GROUP)
        return PARA_OK;
    const int saved = errno;
    begin_reading(&r);
    if (machine->is_described)
        status = para__groups_from_hwloc(machine, level, group);
    else
        para__groups_from_files(machine, level, group, "");
    end_reading(&r);
    errno = saved;
    for (unsigned i = 0; i < machine->cpu_count; i++)
        if (group[i] == PARA__NO_GROUP) /* numbers that no CPU has */
            group[i] =
                machine->cpu_count + (level == PARA__LEVEL_CACHE ? machine->cpu[i].domain : 0);
    return status;
}

para_status para_topology_get_info(para_topology_info *info)
{
    const para__machine *machine = NULL;
    const para_status status = para__machine_get_current(&machine);
    if (status)
        return status;
    para_topology_info full = machine->info;
    const int cancel_state = para__cancellation_off(); /* files are read */
    full.nodes = para__machine_node_count(machine);
    if (!machine->is_described)
        para__machine_read_caches(machine, &full);
    para__cancellation_restore(cancel_state);
    return para__info_fill(info, &full, sizeof full);
}

para_status para_topology_get_cpu(unsigned index, para_cpu_info *info)
{
    const para__machine *machine = NULL;
    const para_status status = para__machine_get(&machine);
    if (status)
        return status;
    if (index >= machine->cpu_count)
        return para__fail(PARA_ERR_ARGUMENT, "CPU %u of %u", index, machine->cpu_count);
    return para__info_fill(info, &machine->cpu[index], sizeof machine->cpu[index]);
}
