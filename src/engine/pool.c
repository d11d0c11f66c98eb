/* Pools: made whole or not at all, and taken apart in the reverse order. */
#include "engine/pool.h"

#include "base/fpenv.h"
#include "base/info.h"
#include "base/memory.h"
#include "base/module.h"
#include "base/status.h"
#include "base/thread.h"
#include "engine/calibrate.h"
#include "engine/part.h"
#include "engine/settings.h"

#include <para/deadline.h>
#include <pthread.h>
#include <stdio.h>

/* The worker in whose place a caller on that CPU works: one on the same core, else in the same
 * domain, else the first. */
static unsigned nearest_worker(const para_pool *pool, const para_cpu_info *cpu)
{
    unsigned nearest = 0;
    for (unsigned i = pool->requested; i-- > 0;) {
        const para_cpu_info *other = &pool->machine->cpu[pool->worker[i].cpu_index];
        if (other->core == cpu->core)
            return i;
        if (other->domain == cpu->domain)
            nearest = i;
    }
    return nearest;
}

/* Places a pool of fewer workers than cores on as many domains as there are: the first core of
 * each, then the second, until there are enough. Neighbours are of one domain all the same. */
static para_status spread_workers(para_pool *pool)
{
    const para__machine *machine = pool->machine;
    const unsigned cores = machine->info.cores; /* their first threads are listed first */
    bool *const taken = para__alloc(cores * sizeof *taken);
    if (!taken)
        return para__fail(PARA_ERR_MEMORY, NULL);
    for (unsigned n = 0, domain = 0; n < pool->requested; domain++) {
        for (unsigned i = 0; i < cores; i++)
            if (!taken[i] && machine->cpu[i].domain == domain % machine->info.domains) {
                taken[i] = true;
                n++;
                break;
            }
    }
    for (unsigned i = 0, n = 0; i < cores; i++)
        if (taken[i])
            pool->worker[n++].cpu_index = i;
    para__free(taken);
    return PARA_OK;
}

/* Fills in where each worker is placed, and who reads its notices together. */
static para_status place_workers(para_pool *pool, bool spread)
{
    const para__machine *machine = pool->machine;
    for (unsigned i = 0; i < pool->requested; i++)
        pool->worker[i].cpu_index = i % machine->cpu_count;
    const para_status status =
        spread && pool->requested < machine->info.cores ? spread_workers(pool) : PARA_OK;
    unsigned members = 0;
    for (unsigned i = 0; i < pool->requested; i++) {
        para__worker *worker = &pool->worker[i];
        worker->pool = pool;
        worker->index = i;
        worker->kind = machine->cpu[worker->cpu_index].kind;
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
    return status;
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
    pool->requested = workers;
    para__store_relaxed(&pool->workers, workers); /* see pool.h */
    return pool;
}

/* A call that runs meanwhile, or a lane that a jump has left behind, is the caller's fault, and may
 * still be looked at. Then the memory stays. */
static bool is_used(para_pool *pool)
{
    para__lanes_recover(pool);
    for (unsigned i = 0; i < PARA__LANES; i++)
        if (para__load_relaxed(&pool->lane[i].leased)) /* late news: as if it had not begun yet */
            return true;
    return false;
}

static void release(para_pool *pool)
{
    for (unsigned i = 0; i < PARA__LANES; i++)
        para__lane_drop_arena(&pool->lane[i]);
    para__free(pool);
}

/* Checks the caller's configuration. */
static para_status check_config(const para_pool_config *config)
{
    if (config->size != sizeof *config)
        return para__fail(PARA_ERR_ARGUMENT, "config.size is %zu: use PARA_POOL_CONFIG_INIT",
                          config->size);
    if (config->workers > PARA__WORKERS_MAX)
        return para__fail(PARA_ERR_ARGUMENT, "config.workers is %u: more than 1024",
                          config->workers);
    if ((unsigned)config->binding > PARA_BIND_NONE)
        return para__fail(PARA_ERR_ARGUMENT, "config.binding is %d", (int)config->binding);
    if ((unsigned)config->wait_policy > PARA_WAIT_PASSIVE)
        return para__fail(PARA_ERR_ARGUMENT, "config.wait_policy is %d", (int)config->wait_policy);
    if ((unsigned)config->start > PARA_START_WAIT)
        return para__fail(PARA_ERR_ARGUMENT, "config.start is %d", (int)config->start);
    if (config->stack_bytes > SIZE_MAX / 2)
        return para__fail(PARA_ERR_ARGUMENT, "config.stack_bytes is %zu", config->stack_bytes);
    return PARA_OK;
}

/* What is in force: the caller's configuration, completed from the environment and the machine. */
static para_status complete(const para_pool_config *config, const para__machine *machine,
                            para__settings *settings)
{
    para__settings s = {0};
    const para_status status = para__settings_read(&s);
    if (status)
        return status;
    s.workers = config->workers ? config->workers : s.workers;
    s.workers = s.workers ? s.workers : machine->info.budget;
    s.workers = s.workers < PARA__WORKERS_MAX ? s.workers : PARA__WORKERS_MAX;
    s.spread = s.spread && !config->binding;
    s.binding = config->binding ? config->binding : s.binding;
    /* Some of the cores only: other processes would choose the same ones. */
    if (s.binding == PARA_BIND_AUTO)
        s.binding = s.workers < machine->info.cores ? PARA_BIND_NONE : PARA_BIND_CORE;
    if (config->wait_policy)
        s.wait_policy = config->wait_policy;
    if (config->stack_bytes)
        s.stack = (para__stack){.bytes = config->stack_bytes};
    *settings = s;
    return PARA_OK;
}

static void display(const para_pool *pool, bool spread)
{
    static const char *const names[] = {"", "core", "domain", "false"};
    char stack[32] = "automatic";
    if (pool->stack.bytes)
        snprintf(stack, sizeof stack, "%zuB", pool->stack.bytes);
    fprintf(stderr,
            "PARA DISPLAY ENVIRONMENT BEGIN\n"
            "  PARA_VERSION = '%s'\n"
            "  PARA_NUM_WORKERS = '%u'\n"
            "  PARA_PROC_BIND = '%s'\n"
            "  PARA_STACKSIZE = '%s'\n"
            "  PARA_WAIT_POLICY = '%s'\n"
            "PARA DISPLAY ENVIRONMENT END\n",
            para_version(), para__pool_workers(pool), spread ? "spread" : names[pool->binding],
            stack, pool->is_passive ? "passive" : "active");
}

/* How the start of a pool that is ready went. */
static para_status start_status(const para_pool *pool)
{
    if (!pool->start_status)
        return PARA_OK;
    return para__fail(pool->start_status, "worker_init returned %d for worker %u",
                      pool->worker[pool->failed_worker].init_error, pool->failed_worker);
}

/* Starts the threads, and waits for them if that is asked; then there are none on failure. */
static para_status start_threads(para_pool *pool, bool waits)
{
    pool->fork_count = para__fork_count();
    para__workers_start(pool);
    if (!waits)
        return PARA_OK;
    para__workers_await(pool, UINT64_MAX);
    const para_status status = start_status(pool);
    if (status)
        para__workers_stop(pool);
    return status;
}

para_status para__pool_prepare(const para__machine **machine)
{
    int cancel_state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    para__module_stay();
    const para_status status = para__machine_get(machine);
    pthread_setcancelstate(cancel_state, NULL);
    return status;
}

static para_status make(para_pool **pool, const para_pool_config *config)
{
    static const para_pool_config automatic = PARA_POOL_CONFIG_INIT;
    const para__machine *machine = NULL;
    para__settings settings;
    config = config ? config : &automatic;
    para_status status = check_config(config);
    if (!status)
        status = para__pool_prepare(&machine);
    if (!status)
        status = complete(config, machine, &settings);
    if (status)
        return status;
    para_pool *made = allocate(machine, settings.workers);
    if (!made)
        return para__fail(PARA_ERR_MEMORY, "no memory for a pool of %u workers", settings.workers);
    made->binding = settings.binding;
    made->is_hybrid = machine->info.core_kinds > 1;
    made->unbinds = settings.binding == PARA_BIND_NONE && settings.workers > 1 &&
                    para__thread_is_narrow(machine);
    made->stack = settings.stack;
    made->worker_init = config->worker_init;
    made->worker_exit = config->worker_exit;
    made->worker_arg = config->worker_arg;
    made->is_passive = settings.wait_policy == PARA_WAIT_PASSIVE;
    status = place_workers(made, settings.spread);
    if (!status) {
        para__costs_assume(made);
        /* What is displayed is how it went. */
        const bool waits =
            config->start == PARA_START_WAIT || settings.display ||
            (config->start == PARA_START_AUTO && (config->worker_init || config->worker_exit));
        status = start_threads(made, waits);
    }
    if (status) {
        release(made);
        return status;
    }
    if (settings.display)
        display(made, settings.spread);
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

/* Whether the calling thread runs a kernel of the pool, or what such a kernel has called, as far as
 * lanes tell: a kernel that runs alone may have none. */
static bool is_within_kernel(const para_pool *pool)
{
    bool is_within = para__pool_is_worker(pool);
    for (const para__lane *lane = para__current_lane; lane && !is_within; lane = lane->around)
        is_within = lane->pool == pool;
    for (const para__lane *lane = para__innermost_lane; lane && !is_within; lane = lane->outer)
        is_within = lane->pool == pool;
    return is_within;
}

void para_pool_destroy(para_pool *pool)
{
    if (!pool)
        return;
    para__lanes_abandon((uintptr_t)__builtin_frame_address(0));
    if (is_within_kernel(pool))
        return;
    int cancel_state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    const bool is_forked = para__pool_is_forked(pool);
    if (!is_forked)
        para__workers_stop(pool);
    if (is_forked || !is_used(pool))
        release(pool);
    pthread_setcancelstate(cancel_state, NULL);
}

void para_pool_trim(para_pool *pool)
{
    pool = para__pool_if_made(pool);
    if (pool && !para__pool_is_forked(pool))
        para__lanes_trim(pool, 0);
}

/* Makes a parent's pool one on which no call is in flight, and no lane has anything of another
 * thread's lease. The generations go on: what the words hold is of older calls. */
static void forget_calls(para_pool *pool)
{
    for (unsigned i = 0; i < PARA__LANES; i++) {
        para__lane *lane = &pool->lane[i];
        para__store_relaxed(&lane->leased, 0); /* all: no thread to order it for, see start */
        para__store_relaxed(&lane->stop, UINT64_MAX);
        para__event_cancel(&lane->joiner);
        lane->is_open = false;
        lane->run_frame = 0;
        lane->guest_of = 0;
        lane->acting_for = 0;
        lane->helped = NULL;
        lane->claimed = 0;
        for (unsigned w = 0; w < pool->requested; w++) {
            para__store_relaxed(&lane->notice[w].post, 0);
            para__store_relaxed(&pool->worker[w].seen[i], 0);
        }
    }
    for (unsigned w = 0; w < pool->requested; w++) {
        para__worker *worker = &pool->worker[w];
        para__event_cancel(&worker->event);
        para__store_relaxed(&worker->guests, 0);
        para__store_relaxed(&worker->acting, 0);
        worker->away_ns = 0;
    }
    para__store_relaxed(&pool->lanes_used, PARA__LANES); /* one may have been on its way in */
    para__store_relaxed(&pool->ready, 0);
    para__store_relaxed(&pool->stopping, false);
}

para_status para_pool_restart(para_pool *pool)
{
    if (!pool)
        return para__pool_resolve(&pool);
    if (!para__pool_is_forked(pool))
        return PARA_OK;
    para__lanes_abandon((uintptr_t)__builtin_frame_address(0));
    if (is_within_kernel(pool))
        return para__fail(PARA_ERR_BUSY, "a kernel of the pool is running");
    int cancel_state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    const unsigned parents = pool->fork_count;
    forget_calls(pool);
    const para_status status = start_threads(pool, true);
    if (status)
        pool->fork_count = parents;
    pthread_setcancelstate(cancel_state, NULL);
    return status;
}

/* Waits until threads and costs are known, unless nobody is there to wait for. */
static para_status await_ready(para_pool *pool, uint64_t deadline_ns)
{
    if (para__pool_is_ready(pool))
        return PARA_OK;
    if (para__pool_is_forked(pool))
        return para__fail(PARA_ERR_FORKED, "the pool was still starting when the process forked");
    if (para__pool_is_in_init(pool))
        return para__fail(PARA_ERR_BUSY, "worker_init waits for its own pool");
    int cancel_state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    const bool is_ready = para__workers_await(pool, deadline_ns);
    pthread_setcancelstate(cancel_state, NULL);
    return is_ready ? PARA_OK : para__fail(PARA_ERR_TIMEOUT, NULL);
}

para_status para_pool_wait_ready_until(para_pool *pool, uint64_t deadline_ns)
{
    para_status status = para__pool_resolve(&pool);
    if (!status)
        status = await_ready(pool, deadline_ns);
    return status ? status : start_status(pool);
}

para_status para_pool_wait_ready(para_pool *pool)
{
    return para_pool_wait_ready_until(pool, PARA_DEADLINE_NEVER);
}

para_status para__pool_resolve_ready(para_pool **pool)
{
    const para_status status = para__pool_resolve(pool);
    if (!status && !para__pool_is_forked(*pool) && !para__pool_is_in_init(*pool))
        (void)await_ready(*pool, UINT64_MAX);
    return status;
}

para_status para_pool_get_info(para_pool *pool, para_pool_info *info)
{
    const para_status status = para__pool_resolve_ready(&pool);
    if (status)
        return status;
    const unsigned workers = para__pool_workers(pool);
    para_pool_info full = {.requested = pool->requested,
                           .workers = workers,
                           .lanes = PARA__LANES,
                           .forked = para__pool_is_forked(pool),
                           .binding = pool->binding};
    if (!para__pool_is_ready(pool)) /* a parent's, or in worker_init: the threads' facts are not */
        return para__info_fill(info, &full, sizeof full);
    full.thread_status = pool->start_status          ? pool->start_status
                         : workers < pool->requested ? PARA_ERR_THREAD
                                                     : PARA_OK;
    for (unsigned i = 0; i < workers && workers > 1; i++) {
        const para_status bound = pool->worker[i].bind_status;
        full.pinned += bound == PARA_OK && pool->binding != PARA_BIND_NONE;
        full.pin_status = full.pin_status ? full.pin_status : bound;
    }
    return para__info_fill(info, &full, sizeof full);
}

para_status para_pool_get_worker(para_pool *pool, unsigned index, para_worker_info *info)
{
    const para_status status = para__pool_resolve_ready(&pool);
    if (status)
        return status;
    const unsigned workers = para__pool_workers(pool);
    if (index >= workers)
        return para__fail(PARA_ERR_ARGUMENT, "worker %u of a pool of %u", index, workers);
    const para__worker *worker = &pool->worker[index];
    const para_cpu_info *cpu = &pool->machine->cpu[worker->cpu_index];
    const bool placed = pool->binding != PARA_BIND_NONE && pool->machine->info.this_system;
    const para_worker_info full = {
        .cpu = placed ? (int)cpu->os_index : -1,
        .domain = cpu->domain,
        .pinned =
            placed && workers > 1 && para__pool_is_ready(pool) && worker->bind_status == PARA_OK,
    };
    return para__info_fill(info, &full, sizeof full);
}
