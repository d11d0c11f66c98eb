/* Pools: made whole or not at all, and taken apart in the reverse order. */
#include "engine/pool.h"

#include "base/fpenv.h"
#include "base/info.h"
#include "base/memory.h"
#include "base/status.h"
#include "base/thread.h"
#include "engine/calibrate.h"
#include "engine/settings.h"

#include <pthread.h>
#include <stdio.h>

/* The worker in whose place a caller on that CPU works: one on the same core, else in the same
 * domain, else the first. */
static unsigned nearest_worker(const para_pool *pool, const para_cpu_info *cpu)
{
    unsigned nearest = 0;
    for (unsigned i = pool->workers; i-- > 0;) {
        const para_cpu_info *other = &pool->machine->cpu[pool->worker[i].cpu_index];
        if (other->core == cpu->core)
            return i;
        if (other->domain == cpu->domain)
            nearest = i;
    }
    return nearest;
}

/* Fills in where each worker is placed, and who reads its notices together. */
static void place_workers(para_pool *pool)
{
    const para__machine *machine = pool->machine;
    unsigned members = 0;
    for (unsigned i = 0; i < pool->workers; i++) {
        para__worker *worker = &pool->worker[i];
        worker->pool = pool;
        worker->index = i;
        worker->cpu_index = i % machine->cpu_count;
        if (i > 0) {
            const para__worker *before = &pool->worker[i - 1];
            const bool same =
                machine->cpu[worker->cpu_index].domain == machine->cpu[before->cpu_index].domain;
            members = same && members < PARA__GROUP_MAX ? members : 0;
            worker->group = before->group + (members == 0);
        }
        members++;
    }
    for (unsigned i = 0; i < machine->cpu_count; i++)
        pool->seat_of[machine->cpu[i].os_index] = (uint16_t)nearest_worker(pool, &machine->cpu[i]);
}

/* The block of memory that a pool is made of, laid out behind the structure itself. */
static para_pool *allocate(const para__machine *machine, unsigned workers)
{
    unsigned cpu_limit = 0;
    for (unsigned i = 0; i < machine->cpu_count; i++)
        if (machine->cpu[i].os_index >= cpu_limit)
            cpu_limit = machine->cpu[i].os_index + 1;
    /* As many groups as workers at worst. From the heap, where leak checkers find what the lanes
     * hold. */
    const size_t pool_bytes = para__round_up(sizeof(para_pool), PARA__LINE);
    const size_t worker_bytes = workers * sizeof(para__worker);
    const size_t member_bytes = workers * sizeof(para__member);
    const size_t notice_bytes = workers * sizeof(para__notice);
    const size_t seat_bytes = cpu_limit * sizeof(uint16_t);
    char *memory = para__alloc(pool_bytes + worker_bytes +
                               PARA__LANES * (member_bytes + notice_bytes) + seat_bytes);
    if (!memory)
        return NULL;
    para_pool *pool = (para_pool *)memory;
    memory += pool_bytes;
    pool->worker = (para__worker *)memory;
    memory += worker_bytes;
    for (unsigned i = 0; i < PARA__LANES; i++) {
        para__lane *lane = &pool->lane[i];
        lane->stop = UINT64_MAX;
        lane->member = (para__member *)memory;
        memory += member_bytes;
        lane->notice = (para__notice *)memory;
        memory += notice_bytes;
    }
    pool->seat_of = (uint16_t *)memory;
    pool->cpu_limit = cpu_limit;
    pool->machine = machine;
    pool->workers = workers;
    return pool;
}

static void release(para_pool *pool)
{
    for (unsigned i = 0; i < PARA__LANES; i++)
        para__lane_drop_arena(&pool->lane[i]);
    para__free(pool);
}

/* Checks the caller's configuration and completes it from the environment and the machine. */
static para_status configure(const para_pool_config *config, const para__machine *machine,
                             unsigned *workers, para_binding *binding, bool *display)
{
    const para_pool_config automatic = PARA_POOL_CONFIG_INIT;
    if (!config)
        config = &automatic;
    if (config->size != sizeof *config)
        return para__fail(PARA_ERR_ARGUMENT, "config.size is %zu: use PARA_POOL_CONFIG_INIT",
                          config->size);
    if (config->workers > PARA__WORKERS_MAX)
        return para__fail(PARA_ERR_ARGUMENT, "config.workers is %u: more than 1024",
                          config->workers);
    if ((unsigned)config->binding > PARA_BIND_NONE)
        return para__fail(PARA_ERR_ARGUMENT, "config.binding is %d", (int)config->binding);
    para__settings settings = {0};
    const para_status status = para__settings_read(&settings);
    if (status)
        return status;
    *workers = config->workers ? config->workers : settings.workers;
    *workers = *workers ? *workers : machine->info.budget;
    *workers = *workers < PARA__WORKERS_MAX ? *workers : PARA__WORKERS_MAX;
    *binding = config->binding ? config->binding : settings.binding;
    /* Some of the cores only: other processes would choose the same ones. */
    if (*binding == PARA_BIND_AUTO)
        *binding = *workers < machine->info.cores ? PARA_BIND_NONE : PARA_BIND_CORE;
    *display = settings.display;
    return PARA_OK;
}

static void display(const para_pool *pool)
{
    static const char *const names[] = {"", "core", "domain", "false"};
    fprintf(stderr,
            "PARA DISPLAY ENVIRONMENT BEGIN\n"
            "  PARA_VERSION = '%s'\n"
            "  PARA_NUM_WORKERS = '%u'\n"
            "  PARA_PROC_BIND = '%s'\n"
            "PARA DISPLAY ENVIRONMENT END\n",
            para_version(), pool->workers, names[pool->binding]);
}

static para_status make(para_pool **pool, const para_pool_config *config)
{
    const para__machine *machine = NULL;
    unsigned workers = 0;
    para_binding binding = PARA_BIND_AUTO;
    bool displayed = false;
    para_status status = para__machine_get(&machine);
    if (!status)
        status = configure(config, machine, &workers, &binding, &displayed);
    if (status)
        return status;
    para_pool *made = allocate(machine, workers);
    if (!made)
        return para__fail(PARA_ERR_MEMORY, "no memory for a pool of %u workers", workers);
    made->requested = workers;
    made->binding = binding;
    made->fork_count = para__fork_count();
    place_workers(made);
    if (workers > 1) {
        made->workers = para__workers_start(made);
        if (made->workers < 2) { /* the only one there is would be in its caller's place */
            para__workers_stop(made, made->workers);
            made->workers = 1;
        }
    }
    para__costs_measure(made);
    if (displayed)
        display(made);
    *pool = made;
    return PARA_OK;
}

para_status para_pool_create(para_pool **pool, const para_pool_config *config)
{
    if (!pool)
        return para__fail(PARA_ERR_ARGUMENT, "there is no place for the pool");
    int cancel_state; /* a thread that ends on the way would leave workers behind */
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    const para__fp fp = para__fp_hold();
    const para_status status = make(pool, config);
    para__fp_release(fp, 0);
    pthread_setcancelstate(cancel_state, NULL);
    return status;
}

void para_pool_destroy(para_pool *pool)
{
    if (!pool)
        return;
    int cancel_state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    if (pool->workers > 1 && !para__pool_is_forked(pool))
        para__workers_stop(pool, pool->workers);
    release(pool);
    pthread_setcancelstate(cancel_state, NULL);
}

void para_pool_trim(para_pool *pool)
{
    pool = para__pool_if_made(pool);
    if (pool && !para__pool_is_forked(pool))
        para__lanes_trim(pool, 0);
}

bool para__pool_is_forked(const para_pool *pool)
{
    return pool->fork_count != para__fork_count();
}

para_status para_pool_get_info(para_pool *pool, para_pool_info *info)
{
    const para_status status = para__pool_resolve(&pool);
    if (status)
        return status;
    para_pool_info full = {.requested = pool->requested,
                           .workers = pool->workers,
                           .lanes = PARA__LANES,
                           .thread_status =
                               pool->workers < pool->requested ? PARA_ERR_THREAD : PARA_OK,
                           .forked = para__pool_is_forked(pool)};
    for (unsigned i = 0; i < pool->workers && pool->workers > 1; i++) {
        const para_status bound = pool->worker[i].bind_status;
        full.pinned += bound == PARA_OK && pool->binding != PARA_BIND_NONE;
        full.pin_status = full.pin_status ? full.pin_status : bound;
    }
    return para__info_fill(info, &full, sizeof full);
}

para_status para_pool_get_worker(para_pool *pool, unsigned index, para_worker_info *info)
{
    const para_status status = para__pool_resolve(&pool);
    if (status)
        return status;
    if (index >= pool->workers)
        return para__fail(PARA_ERR_ARGUMENT, "worker %u of a pool of %u", index, pool->workers);
    const para__worker *worker = &pool->worker[index];
    const para_cpu_info *cpu = &pool->machine->cpu[worker->cpu_index];
    const bool placed = pool->binding != PARA_BIND_NONE && pool->machine->info.this_system;
    const para_worker_info full = {
        .cpu = placed ? (int)cpu->os_index : -1,
        .domain = cpu->domain,
        .pinned = placed && pool->workers > 1 && worker->bind_status == PARA_OK,
    };
    return para__info_fill(info, &full, sizeof full);
}
