/* Pools: made whole or not at all, and taken apart in the reverse order. */
#include "pool/pool.h"

#include "base/bounds.h"
#include "base/fpenv.h"
#include "base/memory.h"
#include "base/module.h"
#include "base/status.h"
#include "base/log.h"
#include "base/thread.h"
#include "base/tuning_tasks.h"
#include "executor/lease.h"
#include "executor/left.h"
#include "pool/calibrate.h"
#include "pool/inside.h"
#include "pool/lent.h"
#include "pool/place.h"
#include "pool/processes.h"
#include "pool/settings.h"
#include "pool/start.h"
#include "pool/tasks.h"
#include "pool/threads.h"
#include "pool/self.h"
#include "share/participant.h"

#include <pthread.h>
#include <stdio.h>

/* How near a worker on that CPU is to a caller on the other one. Workers that are bound to cores
 * have each hardware thread of theirs. */
static unsigned nearness(const para_pool *pool, const para_cpu_info *of_worker,
                         const para_cpu_info *of_caller)
{
    if (of_worker == of_caller && !pool->shares_cores)
        return 3;
    return of_worker->core == of_caller->core ? 2 : of_worker->domain == of_caller->domain;
}

/* The worker whose place a caller on that CPU takes: the first of the nearest. */
static unsigned nearest_worker(const para_pool *pool, const para_cpu_info *cpu)
{
    unsigned nearest = 0, best = 0;
    for (unsigned i = 0; i < pool->requested; i++) {
        const unsigned near = nearness(pool, &pool->machine->cpu[pool->worker[i].cpu_index], cpu);
        nearest = near > best ? i : nearest;
        best = para__max(near, best);
    }
    return nearest;
}

/* Sets where each worker is placed, and the group whose job descriptor it reads. */
static para_status place_workers(para_pool *pool, para__filling filling)
{
    const para__machine *machine = pool->machine;
    for (unsigned i = 0; i < pool->requested; i++) {
        pool->worker[i].pool = pool;
        pool->worker[i].index = i;
    }
    para_status status = para__workers_place(pool, filling);
    if (!status)
        status = para__workers_group(pool);
    for (unsigned i = 0; i < machine->cpu_count; i++)
        pool->worker_of_cpu[machine->cpu[i].os_index] =
            (uint16_t)nearest_worker(pool, &machine->cpu[i]);
    return status;
}

/* The memory of a pool, one block: what the structure points to lies behind it. */
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
    const size_t helper_bytes = workers * sizeof(para__helper);
    const size_t member_bytes = workers * sizeof(para__member);
    const size_t descriptor_bytes = workers * sizeof(para__job_descriptor);
    const size_t group_bytes = workers * sizeof(para__group);
    const size_t cpu_bytes = cpu_limit * sizeof(uint16_t);
    char *memory = para__alloc(pool_bytes + helper_bytes +
                               PARA__LANES * (member_bytes + descriptor_bytes + group_bytes) +
                               worker_bytes + cpu_bytes);
    if (!memory)
        return NULL;
    para_pool *pool = (para_pool *)memory;
    memory += pool_bytes;
    pool->lanes.helper = (para__helper *)memory;
    memory += helper_bytes;
    for (unsigned i = 0; i < PARA__LANES; i++) {
        para__lane *lane = &pool->lanes.lane[i];
        lane->lanes = &pool->lanes;
        para__store_relaxed(&lane->stop, UINT64_MAX); /* nobody has the pool yet */
        lane->member = (para__member *)memory;
        memory += member_bytes;
        lane->descriptor = (para__job_descriptor *)memory;
        memory += descriptor_bytes;
        lane->group = (para__group *)memory;
        memory += group_bytes;
    }
    pool->worker = (para__worker *)memory;
    memory += worker_bytes;
    pool->worker_of_cpu = (uint16_t *)memory;
    pool->cpu_limit = cpu_limit;
    pool->machine = machine;
    pool->requested = workers;
    pool->usual = UINT_MAX;
    pool->up = workers;
    pthread_mutex_init(&pool->sizing, NULL);
    pthread_cond_init(&pool->grown, NULL);
    pool->executor = workers > 1 ? &para__threads : &para__nobody;
    para__store_relaxed(&pool->workers, workers); /* see types.h */
    return pool;
}

/* Whether a call still runs, or a lane was left by a jump. That is the caller's fault, and somebody
 * may still look at the memory, so it is not freed. */
static bool is_used(para_pool *pool)
{
    para__lanes_recover(&pool->lanes);
    for (unsigned i = 0; i < PARA__LANES; i++)
        if (para__load_relaxed(
                &pool->lanes.lane[i].lease)) /* late news: as if it had not begun yet */
            return true;
    return false;
}

static void release(para_pool *pool)
{
    if (pool->shop)
        para__workshop_end(pool->shop);
    para__tasks_free(pool);
    para__names_free(&pool->names);
    for (unsigned i = 0; i < PARA__LANES; i++)
        para__lane_drop_arena(&pool->lanes.lane[i]);
    para__free(pool->places);
    para__free(pool->lanes.raids);
    para__free(pool->lanes.slice_of);
    para__free(pool->lanes.before);
    para__free(pool);
}

void para__pool_release(para_pool *pool)
{
    if (para__pool_is_forked(pool) || !is_used(pool))
        release(pool);
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
    if ((unsigned)config->distribution > PARA_DISTRIBUTE_SPREAD)
        return para__fail(PARA_ERR_ARGUMENT, "config.distribution is %d",
                          (int)config->distribution);
    if ((unsigned)config->task_order > PARA_TASKS_BY_TURNS)
        return para__fail(PARA_ERR_ARGUMENT, "config.task_order is %d", (int)config->task_order);
    if (config->places && config->binding)
        return para__fail(PARA_ERR_ARGUMENT, "config.binding is %d: config.places says it",
                          (int)config->binding);
    if (config->processes)
        return para__processes_check(config);
    if (config->executor)
        return para__lent_check(config);
    return PARA_OK;
}

/* The places that the program asks for, else the environment, as long as nothing else says where
 * workers are bound. is_default: a text without a usable CPU is passed over, and told once. */
static para_status make_places(const para_pool_config *config, const para__machine *machine,
                               const para__settings *settings, bool is_default,
                               para__places **places)
{
    static bool told; /* under the default pool's mutex */
    const bool is_own = config->places != NULL;
    const char *const text = is_own ? config->places : settings->places;
    para__places_fault fault;
    *places = NULL;
    if (!text || config->binding || config->executor ||
        (!is_own && settings->binding == PARA_BIND_NONE))
        return PARA_OK;
    const para_status status = para__places_make(places, machine, text, &fault);
    if (status != PARA_ERR_ARGUMENT)
        return status;
    (void)para__fail(is_own ? status : PARA_ERR_ENVIRONMENT, "%s=%.80s: %s",
                     is_own ? "config.places" : "PARA_PLACES", text, fault.text);
    if (!is_default)
        return is_own ? status : PARA_ERR_ENVIRONMENT;
    if (!told)
        para__tell(PARA_LOG_VARIABLE, "%s; ignored", para_status_detail());
    told = true;
    return PARA_OK;
}

/* How many there are if nobody says that. Processes have no arms that would find out whether more
 * than one a core are faster; and a pool that grows with its load grows for tasks. */
static unsigned default_workers(const para_pool_config *config, const para__machine *machine,
                                const para__places *places, para__filling filling)
{
    const bool is_of_cores = config->processes || config->least_workers || config->most_workers;
    unsigned most = is_of_cores ? machine->info.cores : machine->info.cpus;
    if (places)
        most =
            para__places_workers(places, filling == PARA__FILL_PACKED ? 1 : places->count, machine);
    return para__min(machine->info.budget, most);
}

/* The settings in force: the caller's configuration, completed from the environment and the
 * machine. */
static void complete(const para_pool_config *config, const para__machine *machine,
                     const para__places *places, para__settings *settings)
{
    para__settings s = *settings;
    s.filling = config->binding || config->places ? PARA__FILL_CLOSE : s.filling;
    s.places = config->places ? config->places : s.places;
    s.binding = places ? PARA_BIND_PLACES : config->binding ? config->binding : s.binding;
    if (config->distribution) {
        s.filling =
            config->distribution == PARA_DISTRIBUTE_SPREAD ? PARA__FILL_SPREAD : PARA__FILL_CLOSE;
        s.binding = s.binding ? s.binding : PARA_BIND_CORE;
    }
    s.workers = config->workers ? config->workers : s.workers;
    s.is_default_size = !s.workers && !config->executor;
    if (s.is_default_size)
        s.workers = default_workers(config, machine, places, s.filling);
    s.workers = para__min(s.workers, PARA__WORKERS_MAX);
    if (config->executor) {
        s.workers = para__lent_places(config);
        s.binding = PARA_BIND_NONE; /* that is the lender's to say */
    }
    s.places_memory = s.binding != PARA_BIND_NONE;
    /* Some of the cores only: other processes would choose the same ones. */
    s.gives_up_pins = s.binding == PARA_BIND_AUTO;
    if (s.binding == PARA_BIND_AUTO)
        s.binding = s.workers < machine->info.cores ? PARA_BIND_NONE : PARA_BIND_CORE;
    if (config->wait_policy)
        s.wait_policy = config->wait_policy;
    if (config->stack_bytes)
        s.stack = (para__stack){.bytes = config->stack_bytes};
    *settings = s;
}

static void display(const para_pool *pool, const para__settings *settings)
{
    static const char *const names[] = {"", "core", "domain", "false", "close"};
    const bool is_packed = settings->filling == PARA__FILL_PACKED && pool->places;
    const char *const binding = settings->filling == PARA__FILL_SPREAD ? "spread"
                                : is_packed                            ? "primary"
                                                                       : names[pool->binding];
    char stack[32] = "automatic";
    if (pool->stack.bytes)
        snprintf(stack, sizeof stack, "%zuB", pool->stack.bytes);
    fprintf(stderr,
            "PARA DISPLAY ENVIRONMENT BEGIN\n"
            "  PARA_VERSION = '%s'\n"
            "  PARA_NUM_WORKERS = '%u'\n"
            "  PARA_PROC_BIND = '%s'\n"
            "  PARA_PLACES = '%s'\n"
            "  PARA_STACKSIZE = '%s'\n"
            "  PARA_WAIT_POLICY = '%s'\n"
            "PARA DISPLAY ENVIRONMENT END\n",
            para_version(), para__pool_workers(pool), binding, pool->places ? settings->places : "",
            stack, pool->is_passive ? "passive" : "active");
}

/* Starts the threads, and waits for them if asked. A wait that fails leaves no threads. */
static para_status start_threads(para_pool *pool, bool waits)
{
    pool->lanes.fork_count = para__fork_count();
    if (pool->executor == &para__lent_threads)
        para__lent_start(pool);
    else
        para__workers_start(pool);
    if (!waits)
        return PARA_OK;
    pool->executor->wait(pool, UINT64_MAX);
    const para_status status = para__workers_status(pool);
    if (status)
        para__workers_stop(pool);
    return status;
}

para_status para__pool_prepare(const para__machine **machine)
{
    const int cancel_state = para__cancellation_off();
    para__module_stay();
    const para_status status = para__machine_get_current(machine);
    para__cancellation_restore(cancel_state);
    return status;
}

static const para_pool_config automatic_pool = PARA_POOL_CONFIG_INIT;

static para_status make(para_pool **pool, const para_pool_config *config,
                        const para__machine *machine, para__settings settings, bool is_default)
{
    para__places *places = NULL;
    const para_status readable = make_places(config, machine, &settings, is_default, &places);
    if (readable)
        return readable;
    complete(config, machine, places, &settings);
    const unsigned most = config->most_workers ? config->most_workers : settings.workers;
    if (config->least_workers > most || most > settings.workers) {
        para__free(places);
        return para__fail(PARA_ERR_ARGUMENT,
                          "config.least_workers is %u, most_workers %u: of %u workers",
                          config->least_workers, config->most_workers, settings.workers);
    }
    para_pool *made = allocate(machine, settings.workers);
    if (!made) {
        para__free(places);
        return para__fail(PARA_ERR_MEMORY, "no memory for a pool of %u workers", settings.workers);
    }
    made->places = places;
    made->binding = settings.binding;
    made->places_memory = settings.places_memory;
    made->shares_cores =
        settings.is_default_size && !places && settings.workers > machine->info.cores;
    if (made->shares_cores) /* a caller and a helper on one core have two hardware threads */
        made->usual = para__max(machine->info.cores, 2);
    made->gives_up_pins = settings.gives_up_pins && !config->processes;
    made->tells_lack = is_default && settings.has_workers;
    made->is_hybrid = machine->info.core_kinds > 1;
    made->unbinds = settings.binding == PARA_BIND_NONE && settings.workers > 1 &&
                    !config->executor && para__thread_is_narrow(machine);
    made->adapts = config->least_workers || config->most_workers;
    made->least_size = config->least_workers ? config->least_workers : 1;
    made->most_size = most;
    made->stack = settings.stack;
    made->task_capacity = config->task_capacity ? config->task_capacity : PARA__TASKS_QUEUED;
    made->letters = (para__letters){config->dead_letter, config->dead_letter_arg};
    made->takes_turns = config->task_order == PARA_TASKS_BY_TURNS;
    made->worker_init = config->worker_init;
    made->worker_exit = config->worker_exit;
    made->worker_arg = config->worker_arg;
    if (config->executor)
        para__lent_set(made, config);
    if (config->processes)
        made->executor = &para__processes;
    made->is_passive = settings.wait_policy == PARA_WAIT_PASSIVE;
    para_status status = place_workers(made, settings.filling);
    if (!status) {
        para__costs_assume(made);
        /* The display says how the start went. */
        const bool waits =
            config->start == PARA_START_WAIT || settings.display ||
            (config->start == PARA_START_AUTO && (config->worker_init || config->worker_exit));
        status = config->processes ? para__processes_start(made, config->processes)
                                   : start_threads(made, waits);
    }
    if (status) {
        release(made);
        return status;
    }
    if (settings.display)
        display(made, &settings);
    *pool = made;
    return PARA_OK;
}

para_status para_pool_create(para_pool **pool, const para_pool_config *config)
{
    if (!pool)
        return para__fail(PARA_ERR_ARGUMENT, "there is no place for the pool");
    /* A thread that were cancelled here would leave workers behind. */
    const int cancel_state = para__cancellation_off();
    const para__fp fp = para__fp_save();
    const para__machine *machine = NULL;
    para__settings settings;
    config = config ? config : &automatic_pool;
    para_status status = check_config(config);
    if (!status)
        status = para__pool_prepare(&machine);
    if (!status)
        status = para__settings_read(&settings);
    if (!status)
        status = make(pool, config, machine, settings, false);
    para__fp_restore(fp, 0);
    para__cancellation_restore(cancel_state);
    return status;
}

para_status para__pool_create_default(para_pool **pool, const para__machine *machine)
{
    const int cancel_state = para__cancellation_off();
    const para__fp fp = para__fp_save();
    para__settings settings;
    para__settings_take(&settings);
    const para_status status = make(pool, &automatic_pool, machine, settings, true);
    para__fp_restore(fp, 0);
    para__cancellation_restore(cancel_state);
    return status;
}

/* Clears a parent's pool: no call is in flight, and no lane keeps anything of another thread's
 * lease. Epochs are kept, because the words still hold those of older calls. */
static void forget_calls(para_pool *pool)
{
    for (unsigned i = 0; i < PARA__LANES; i++) {
        para__lane *lane = &pool->lanes.lane[i];
        para__store_relaxed(&lane->lease, 0); /* all: no thread to order it for */
        para__store_relaxed(&lane->stop, UINT64_MAX);
        para__store_relaxed(&lane->left_out, 0);
        para__event_cancel(&lane->joiner);
        lane->is_open = false;
        lane->run_frame = 0;
        lane->displaces = 0;
        lane->acting_for = 0;
        lane->helped = NULL;
        lane->claimed = 0;
        lane->debt = (para__debt){0};
        for (unsigned w = 0; w < pool->requested; w++) {
            para__store_relaxed(&lane->descriptor[w].call, 0);
            para__store_relaxed(&lane->group[w].count, 0);
            para__store_relaxed(&pool->lanes.helper[w].seen[i], 0);
        }
    }
    for (unsigned w = 0; w < pool->requested; w++) {
        para__helper *helper = &pool->lanes.helper[w];
        para__event_cancel(&helper->event);
        para__store_relaxed(&helper->displaced, 0);
        para__store_relaxed(&helper->naps, false);
        para__store_relaxed(&helper->acting, 0);
        pool->worker[w].away_ns = 0;
    }
    para__tasks_free(pool);
    para__store_relaxed(&pool->watches, 0); /* the parent's: their memory may be gone */
    para__names_forget(&pool->names);
    pthread_mutex_init(&pool->sizing, NULL); /* threads of the parent may have held it, */
    pthread_cond_init(&pool->grown, NULL);   /* and waited */
    para__store_relaxed(&pool->lanes.used, PARA__LANES); /* one may have been on its way in */
    para__store_relaxed(&pool->ready, 0);
    para__store_relaxed(&pool->stopping, false);
    para__store_relaxed(&pool->intake, PARA__INTAKE_OPEN);
    para__store_relaxed(&pool->life.state, PARA__LATCH_FREE); /* its holder may be in the parent */
    pool->watchdogs = 0;                                      /* the parent's do not look at it */
}

para_status para__pool_restart(para_pool *pool)
{
    if (!para__pool_is_forked(pool))
        return PARA_OK;
    para__lanes_abandon((uintptr_t)__builtin_frame_address(0));
    if (para__pool_is_within(pool))
        return para__fail(PARA_ERR_BUSY, "a kernel or task of the pool is running");
    if (pool->shop)
        return para__fail(PARA_ERR_UNSUPPORTED, "its worker processes are the parent's");
    const int cancel_state = para__cancellation_off();
    const unsigned parents = pool->lanes.fork_count;
    forget_calls(pool);
    const para_status status = start_threads(pool, true);
    if (status)
        pool->lanes.fork_count = parents;
    para__cancellation_restore(cancel_state);
    return status;
}
