#include "fixture.h"

#include "base/stack.h"
#include "base/thread.h"
#include "executor/lease.h"
#include "pool/calibrate.h"
#include "pool/carry.h"
#include "pool/default_pool.h"
#include "pool/lent.h"
#include "pool/novice.h"
#include "pool/pool.h"
#include "pool/start.h"
#include "pool/yield.h"
#include "pool/self.h"
#include "share/caller.h"
#include "topology/locations.h"
#include "topology/openmp.h"

#include <setjmp.h>
#include <string.h>

enum { WORKERS = 3 };

static para_pool pool;
static para__worker workers[WORKERS];
static para__helper helpers[WORKERS];
static para__job_descriptor descriptors[PARA__LANES][WORKERS];
static para__member members[PARA__LANES][WORKERS];
static para__group groups[PARA__LANES][2];
static uint16_t workers_of_cpus[WORKERS];
static unsigned count_of_workers;
static _Thread_local para__lane *leased;

static void touch(const void *word)
{
    (void)para__load_relaxed((const para__atomic_u64 *)word);
}

static void touch_half(const void *word)
{
    (void)para__load_relaxed((const para__atomic_u32 *)word);
}

static void make_lane(unsigned index, bool is_there)
{
    para__lane *lane = &pool.lanes.lane[index];
    lane->lanes = &pool.lanes;
    para__store_relaxed(&lane->stop, UINT64_MAX);
    para__store_relaxed(&lane->left_out, 0);
    para__store_relaxed(&lane->lease, !is_there);
    lane->descriptor = descriptors[index];
    lane->member = members[index];
    lane->group = groups[index];
    touch_half(&lane->lease);
    if (!is_there)
        return;
    model_guard(&lane->lease);
    touch_half(&lane->joiner.state);
    touch(&lane->stop);
    touch(&lane->left_out);
    for (unsigned w = 0; w < count_of_workers; w++) {
        touch(&lane->member[w].ticket);
        touch(&lane->member[w].done);
        touch(&helpers[w].seen[index]);
    }
    for (unsigned g = 0; g <= helpers[count_of_workers - 1].group; g++) {
        touch(&lane->descriptor[g].call);
        touch(&lane->descriptor[g].team);
        touch(&lane->group[g].count);
        touch(&lane->group[g].done);
        touch(&lane->group[g].spent);
        touch(&lane->group[g].scout);
    }
}

static void leave(unsigned worker, void *arg)
{
    (void)worker;
    (void)arg;
    model_left();
}

/* Threads that the system may never run do not start others; and the pool does not get ready, which
 * would be one more step of each model. */
static void start_each(void)
{
    for (unsigned w = 0; w < count_of_workers; w++)
        (void)para__worker_start(&workers[w]);
    pool.has_threads = true;
    pool.started = count_of_workers;
    pool.fit = 0;
    para__store_relaxed(&pool.starting, UINT32_MAX);
    para__store_relaxed(&pool.lanes.sleeping, count_of_workers);
}

void fixture_make(const fixture *f)
{
    count_of_workers = f->workers;
    memset(&pool, 0, sizeof pool);
    memset(workers, 0, sizeof workers);
    memset(helpers, 0, sizeof helpers);
    memset(descriptors, 0, sizeof descriptors);
    memset(members, 0, sizeof members);
    memset(groups, 0, sizeof groups);
    static para_cpu_info cpus[WORKERS];
    static const para__machine machine = {.cpu_count = WORKERS, .cpu = cpus};
    pool.worker = workers;
    pool.machine = &machine;
    pool.lanes.helper = helpers;
    pool.requested = f->workers;
    pool.usual = UINT_MAX;
    para__store_relaxed(&pool.workers, f->workers);
    pool.lanes.fork_count = para__fork_count();
    pool.binding = f->started ? PARA_BIND_NONE : PARA_BIND_CORE;
    pool.worker_exit = f->started ? NULL : leave;
    pool.cpu_limit = WORKERS;
    pool.worker_of_cpu = workers_of_cpus;
    para__store_relaxed(&pool.lanes.spin_ticks, f->spin_ticks);
    for (unsigned w = 0; w < f->workers; w++) {
        workers_of_cpus[w] = (uint16_t)w;
        cpus[w].os_index = w;
        workers[w].pool = &pool;
        workers[w].index = workers[w].cpu_index = w;
        touch_half(&helpers[w].event.state);
        touch_half(&helpers[w].displaced);
        (void)para__load_relaxed(&helpers[w].naps);
        touch_half(&helpers[w].acting);
        (void)para__load_relaxed(&helpers[w].naps);
        helpers[w].group = f->split && w >= f->split;
    }
    static uint16_t raids[2]; /* each of two groups has the other */
    pool.lanes.groups = para__helpers_group(helpers, f->workers);
    pool.lanes.raids = raids;
    raids[0] = (uint16_t)f->split;
    for (unsigned i = 0; i < PARA__LANES; i++)
        make_lane(i, i < f->lanes);
    touch(&pool.lanes.spin_ticks);
    touch_half(&pool.lanes.used);
    touch_half(&pool.lanes.sleeping);
    touch_half(&pool.workers);
    touch_half(&pool.starting);
    touch_half(&pool.ready);
    (void)para__load_relaxed(&pool.stopping);
    (void)para__load_relaxed(&pool.crew);
    touch_half(&pool.life.state);
    touch_half(&pool.intake);
    touch(&pool.watches);
    model_skip_threads(f->idle);
    if (f->started)
        start_each();
}

struct para_pool *fixture_pool(void)
{
    return &pool;
}

void fixture_start(void)
{
    para__workers_start(&pool);
}

bool fixture_await(void)
{
    return para__workers_await(&pool, UINT64_MAX);
}

void fixture_stop(void)
{
    para__workers_stop(&pool);
}

bool fixture_lease(void)
{
    leased = para__lane_lease(&pool.lanes);
    return leased != NULL;
}

static void run_units(const void *payload, size_t first, size_t count, para__runner *runner)
{
    const fixture_call *call = payload;
    for (size_t i = first; i < first + count; i++) {
        call->kernel(call->arg, (unsigned)i, runner->worker);
        para__runner_record(runner, i, 1, 0);
    }
}

static void fold_units(const void *payload, size_t first, size_t count)
{
    const fixture_call *call = payload;
    call->fold(call->arg, (unsigned)first, (unsigned)count);
}

static unsigned run(const fixture_call *call, bool lent)
{
    const para__job job = {.run = run_units,
                           .fold = call->fold ? fold_units : NULL,
                           .payload = call,
                           .payload_bytes = sizeof *call};
    const para__plan plan = {.units = {0, call->units},
                             .width = call->width,
                             .invited = call->invited,
                             .tickets = call->tickets,
                             .first = call->first,
                             .announces = call->announces};
    para__outcome outcome = {0};
    para__lane *lane = leased; /* a kernel may lease another */
    if (lent)
        para__lent_threads.run(&pool, lane, &job, &plan, &outcome);
    else {
        para__position at;
        para__pool_position(&pool, plan.width, &at);
        para__lane_run(lane, &at, &job, &plan, &outcome);
    }
    leased = lane;
    return outcome.tally.ending == PARA__ENDED_WHOLE ? (unsigned)outcome.tally.chunks
                                                     : FIXTURE_FAILED;
}

unsigned fixture_run(const fixture_call *call)
{
    return run(call, false);
}

static _Thread_local jmp_buf *home;

bool fixture_run_and_leave(const fixture_call *call)
{
    jmp_buf here;
    home = &here;
    const bool has_left = setjmp(here) != 0;
    if (has_left)
        leased = NULL;
    else
        (void)fixture_run(call);
    home = NULL;
    return has_left;
}

void fixture_leave(void)
{
    longjmp(*home, 1);
}

void fixture_release(void)
{
    para__lane_release(leased);
}

/* ---- Threads that are lent ----------------------------------------------------------- */

static unsigned width_lent(void *self)
{
    (void)self;
    return count_of_workers;
}

static void lend(void *self, unsigned others, fixture_help *help, void *call)
{
    (void)self;
    (void)others;
    model_lend(help, call);
}

void fixture_make_lent(const fixture *f, bool is_measured)
{
    static const para_lender table = {sizeof table, width_lent, lend, NULL};
    const para_pool_config config = {.workers = f->workers, .executor = &table};
    fixture_make(f);
    para__lent_set(&pool, &config);
    para__store_relaxed(&pool.starting, !is_measured);
    para__lent_start(&pool);
    for (unsigned i = 0; i < PARA__LANES; i++)
        touch_half(&pool.lent[i].seats);
}

unsigned fixture_run_lent(const fixture_call *call)
{
    return run(call, true);
}

void fixture_measure_lent(void)
{
    (void)para__lent_threads.wait(&pool, UINT64_MAX);
}

bool fixture_is_ready(void)
{
    return para__pool_is_ready(&pool);
}

/* ---- What the engine calls ----------------------------------------------------------- */

static _Thread_local int place;

void fixture_sit(unsigned worker)
{
    place = (int)worker;
}

unsigned para__cpus_count(const para__cpus *set)
{
    return (unsigned)__builtin_popcountll(set->word[0]);
}

bool para__cpus_are_full(const char *path)
{
    (void)path;
    return true;
}

para__usage para__thread_usage(void)
{
    return (para__usage){.cpu_ns = 0};
}

int para__current_cpu(void)
{
    return place;
}

unsigned para__threads_that_fit(const para__stack *stack, unsigned wanted)
{
    (void)stack;
    return wanted;
}

para_status para__bind_thread(const para__machine *machine, const para__cpus *cpus)
{
    (void)machine;
    model_bound((unsigned)__builtin_ctzll(cpus->word[0])); /* each worker has its number's CPU */
    return PARA_OK;
}

para__binding_state para__thread_binding(const para__machine *machine, pthread_t thread,
                                         const para__cpus *cpus)
{
    (void)machine;
    (void)thread;
    (void)cpus;
    return PARA__BOUND;
}

bool para__in_loader(uintptr_t for_what)
{
    (void)for_what;
    return false;
}

para_status para__place_memory(const para__machine *machine, void *memory, size_t bytes,
                               unsigned numa_node, bool moves)
{
    (void)machine;
    (void)memory;
    (void)bytes;
    (void)numa_node;
    (void)moves;
    return PARA_OK;
}

bool para__thread_stack(void **low, size_t *bytes)
{
    (void)low;
    (void)bytes;
    return false;
}

bool para__cpus_equal(const para__cpus *a, const para__cpus *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

para_status para__unbind_thread(const para__machine *machine)
{
    (void)machine;
    return PARA_OK;
}

/* Pools of models have threads, not processes. */
para_status para__carry_check(para_pool *p, const para_task *task)
{
    (void)p;
    (void)task;
    return PARA_OK;
}

para_status para__carry_task(para_task *task, int *result)
{
    *result = task->run(task->arg);
    return PARA_OK;
}

const char *para_death_text(para_death death, int number, char *text, size_t bytes)
{
    (void)death;
    (void)number;
    (void)bytes;
    text[0] = 0;
    return text;
}

void para__yield_init(para__yield *yield)
{
    *yield = (para__yield){0};
}

void para__yield_restart(para__yield *yield)
{
    (void)yield;
}

bool para__yield_is_due(para__yield *yield, uint64_t now_ticks)
{
    (void)yield;
    (void)now_ticks;
    return model_rests();
}

/* A jump out of a call is known by where the next one is made. */
bool para__on_own_stack(uintptr_t a, uintptr_t b)
{
    (void)a;
    (void)b;
    return true;
}

bool para__is_left(uintptr_t frame, void (*function)(void))
{
    (void)frame;
    (void)function;
    return false;
}

para__costs para__costs_followed(const para_pool *p)
{
    return p->costs;
}

void para__costs_measure(para_pool *p)
{
    p->costs = (para__costs){.clock_ns = 1};
    model_measured();
}

void para__costs_take(para_pool *p, const para__costs *costs)
{
    p->costs = *costs;
    model_took_costs();
}

void para__costs_learn(para_pool *p, const para__plan *plan, const para__outcome *outcome,
                       uint64_t busy_ticks)
{
    (void)p;
    (void)plan;
    (void)outcome;
    (void)busy_ticks;
}

/* ---- The default pool, and the process's machine -------------------------------------- */

static bool making_works;

para_status para__pool_create_default(para_pool **made, const para__machine *machine)
{
    (void)machine;
    if (!making_works)
        return PARA_ERR_THREAD;
    model_made();
    *made = &pool;
    return PARA_OK;
}

para_pool *para__novice(const para__executor *executor, bool at_any_rate)
{
    (void)executor;
    (void)at_any_rate;
    return NULL;
}

void para__novice_teach(para_pool *p)
{
    (void)p;
}

void para__novice_renew(void)
{
}

para_status para__pool_prepare(const para__machine **machine)
{
    (void)machine;
    return PARA_OK;
}

void para__openmp_find(para__openmp *openmp)
{
    openmp->count = 0;
}

void para__openmp_drop(para__openmp *openmp)
{
    (void)openmp;
}

para__allowance para__allowance_read(const para__openmp *openmp, const char *root)
{
    (void)openmp;
    (void)root;
    return (para__allowance){.quota = 0};
}

void para__groups_from_files(const para__machine *machine, para__level level, unsigned *group,
                             const char *root)
{
    (void)machine;
    (void)level;
    (void)group;
    (void)root;
}

para_status para__groups_from_hwloc(const para__machine *machine, para__level level,
                                    unsigned *group)
{
    (void)machine;
    (void)level;
    (void)group;
    return PARA_ERR_TOPOLOGY;
}

para_status para__machine_read(para__machine **machine, const para__allowance *allowance,
                               bool is_real)
{
    static para__machine only;
    (void)allowance;
    (void)is_real;
    if (!making_works)
        return PARA_ERR_TOPOLOGY;
    model_made();
    *machine = &only;
    return PARA_OK;
}

bool fixture_default_pool(void)
{
    return para_default_pool() != NULL;
}

bool fixture_machine(void)
{
    const para__machine *machine;
    return para__machine_get(&machine) == PARA_OK;
}

void fixture_allow(bool allowed)
{
    making_works = allowed;
}

void para__machine_read_caches(const para__machine *machine, para_topology_info *info)
{
    (void)machine;
    (void)info;
}

unsigned para__machine_node_count(const para__machine *machine)
{
    (void)machine;
    return 1;
}
