/* The process's machine: read at first use, and found whole by every thread. */
#include "topology/topology.h"

#include "base/atomic.h"
#include "base/info.h"
#include "base/memory.h"
#include "base/thread.h"

#include <pthread.h>

/* Whoever reads the machine holds this, so that no fork falls into the middle of it: hwloc,
 * which reads described machines, has locks of its own, and a child would find them taken by a
 * thread that it does not have. */
static pthread_mutex_t reading = PTHREAD_MUTEX_INITIALIZER;

/* Of the holder's thread, before it locked. Files are read under the mutex, and whoever is cancelled
 * there (pthread_cancel) would keep it for ever. */
static int readers_state;

/* [E7] Publishes the machine with all that it points to. Written once, under the mutex; read by
 * anyone. */
static _Atomic(const para__machine *) the_machine;

static void lock(void)
{
    int before;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    pthread_mutex_lock(&reading);
    readers_state = before;
}

static void unlock(void)
{
    const int before = readers_state;
    pthread_mutex_unlock(&reading);
    pthread_setcancelstate(before, NULL);
}

/* When the library is loaded, and not at first use: handlers run before a fork in the reverse
 * order of their registration, and this mutex is taken while others are held, so its handler
 * must be the last to run. Before the constructors without a number, among them the default
 * pool's: see there. */
__attribute__((constructor(101))) static void prepare_process(void)
{
    pthread_atfork(lock, unlock, unlock);
}

para_status para__machine_load(para__machine **machine, const char *root)
{
    lock();
    const para_status status = para__machine_read(machine, root);
    unlock();
    return status;
}

void para__machine_free(para__machine *machine)
{
    para__free(machine);
}

para_status para__machine_get(const para__machine **machine)
{
    const para__machine *known = para__load_acquire(E7, &the_machine);
    if (!known) {
        lock();
        para__machine *made = NULL;
        known = para__load_relaxed(&the_machine); /* written under the mutex, which is held */
        const para_status status = known ? PARA_OK : para__machine_read(&made, "");
        if (made) {
            known = made;
            if (made->info.this_system && made->cpu_count > 1)
                para__set_several_cpus();
            para__store_release(E7, &the_machine, known);
        }
        unlock();
        if (status)
            return status;
    }
    *machine = known;
    return PARA_OK;
}

para_status para_topology_get_info(para_topology_info *info)
{
    const para__machine *machine = NULL;
    const para_status status = para__machine_get(&machine);
    return status ? status : para__info_fill(info, &machine->info, sizeof machine->info);
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
