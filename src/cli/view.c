#include "cli/view.h"

#include "base/bounds.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static bool is_set(const char *variable)
{
    const char *const value = getenv(variable);
    return value && *value;
}

/* A malformed PARA_NUM_WORKERS has been refused. OMP_NUM_THREADS is passed over if it cannot be
 * read. Places count only where they have room for fewer than the budget. */
static const char *who_asked(const para__view *view, unsigned asked)
{
    const para_pool_info *const pool = &view->pool;
    if (asked)
        return "--workers";
    if (pool->lent)
        return "OpenMP";
    if (is_set("PARA_NUM_WORKERS"))
        return "PARA_NUM_WORKERS";
    const char *const openmp = getenv("OMP_NUM_THREADS");
    if (openmp && *openmp && strtoul(openmp, NULL, 10) == pool->requested)
        return "OMP_NUM_THREADS";
    return pool->places && pool->requested < view->machine.budget ? "PARA_PLACES" : NULL;
}

static para_status read_machine(para__view *view)
{
    view->machine.size = sizeof view->machine;
    para_status status = para_topology_get_info(&view->machine);
    const size_t nodes = view->machine.nodes;
    view->cpu = calloc((size_t)view->machine.cpus + 1, sizeof *view->cpu);
    view->node = calloc(nodes + 1, sizeof *view->node);
    view->distance = calloc(nodes * nodes + 1, sizeof *view->distance);
    if (!status && !(view->cpu && view->node && view->distance))
        return PARA_ERR_MEMORY;
    for (unsigned i = 0; i < view->machine.cpus && !status; i++) {
        view->cpu[i].size = sizeof view->cpu[i];
        status = para_topology_get_cpu(i, &view->cpu[i]);
    }
    for (unsigned i = 0; i < nodes && !status; i++) {
        view->node[i].size = sizeof view->node[i];
        status = para_topology_get_node(i, &view->node[i]);
    }
    for (unsigned i = 0; i < nodes * nodes && !status; i++) {
        status = para_topology_get_distance(i / (unsigned)nodes, i % (unsigned)nodes,
                                            &view->distance[i]);
        view->has_distances |= view->distance[i] > 0;
    }
    return status;
}

/* Reads what a worker is bound to, which is often what the one before it is bound to. */
static para_status read_binding_of(para__view *view, para_pool *pool, unsigned index)
{
    const unsigned count = view->worker[index].cpus;
    unsigned *const cpus = malloc((count + 1ul) * sizeof *cpus);
    if (!cpus)
        return PARA_ERR_MEMORY;
    view->bound_to[index] = cpus;
    const para_status status = para_pool_get_worker_cpus(pool, index, count, cpus);
    if (!status && index > 0 && view->worker[index - 1].cpus == count &&
        memcmp(view->bound_to[index - 1], cpus, count * sizeof *cpus) == 0) {
        view->bound_to[index] = view->bound_to[index - 1];
        free(cpus);
    }
    return status;
}

static para_status read_pool(para__view *view, para_pool *pool)
{
    view->pool.size = sizeof view->pool;
    para_status status = para_pool_get_info(pool, &view->pool);
    view->worker = calloc((size_t)view->pool.workers + 1, sizeof *view->worker);
    view->bound_to = calloc((size_t)view->pool.workers + 1, sizeof *view->bound_to);
    if (!status && !(view->worker && view->bound_to))
        return PARA_ERR_MEMORY;
    for (unsigned i = 0; i < view->pool.workers && !status; i++) {
        view->worker[i].size = sizeof view->worker[i];
        status = para_pool_get_worker(pool, i, &view->worker[i]);
        if (!status)
            status = read_binding_of(view, pool, i);
    }
    return status;
}

/* Whether there can be a pool of worker processes: one of one worker is made, and ended. */
static bool can_isolate(bool in_sandbox)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    para_processes processes = PARA_PROCESSES_INIT;
    para_pool *pool = NULL;
    processes.sandbox = in_sandbox;
    config.workers = 1;
    config.binding = PARA_BIND_NONE;
    config.processes = &processes;
    const bool can = para_pool_create(&pool, &config) == PARA_OK;
    return para_pool_destroy(pool) == PARA_OK && can;
}

para_status para__view_open(para__view *view, para_pool *pool, unsigned asked)
{
    para_status status = read_pool(view, pool); /* waits until the pool's costs are measured */
    if (!status)
        status = read_machine(view);
    if (!status && view->pool.workers > 1) { /* a pool of one shares nothing */
        view->costs.size = sizeof view->costs;
        status = para_calibration_get(pool, &view->costs);
        view->has_costs = !status;
    }
    view->asked_by = who_asked(view, asked);
    view->has_sandbox = can_isolate(true);
    view->has_processes = view->has_sandbox || can_isolate(false);
    view->load_count = para__clamp(getloadavg(view->load, 3), 0, 3); /* -1: unknown */
    return status;
}

void para__view_close(para__view *view)
{
    free(view->cpu);
    free(view->node);
    free(view->distance);
    for (unsigned i = 0; view->bound_to && i < view->pool.workers; i++)
        if (i == 0 || view->bound_to[i] != view->bound_to[i - 1])
            free(view->bound_to[i]);
    free(view->bound_to);
    free(view->worker);
}

unsigned para__view_distance(const para__view *view, unsigned from, unsigned to)
{
    return view->distance[from * view->machine.nodes + to];
}

unsigned para__view_place(const para__view *view, unsigned index)
{
    const para_worker_info *const worker = &view->worker[index];
    const bool is_there = worker->pinned || !view->machine.this_system;
    for (unsigned i = 0; i < view->machine.cpus && is_there && worker->cpus == 1; i++)
        if (view->cpu[i].os_index == view->bound_to[index][0])
            return i;
    return view->machine.cpus;
}

/* How many of the numbers ascend by one step. */
static size_t run_length(const unsigned *number, size_t count)
{
    size_t length = count < 2 || number[1] <= number[0] ? 1 : 2;
    while (length > 1 && length < count && number[length] > number[length - 1] &&
           number[length] - number[length - 1] == number[1] - number[0])
        length++;
    return length;
}

void para__view_numbers(FILE *to, const unsigned *number, size_t count)
{
    for (size_t i = 0, length; i < count; i += length) {
        length = run_length(number + i, count - i);
        const unsigned step = length > 1 ? number[i + 1] - number[i] : 1;
        if (length == 2 && step > 1)
            length = 1; /* 0,5 and not 0-5:5 */
        fprintf(to, "%s%u", i ? "," : "", number[i]);
        if (length > 1)
            fprintf(to, "-%u", number[i + length - 1]);
        if (length > 1 && step > 1)
            fprintf(to, ":%u", step);
    }
}

para__view_size para__view_bytes(uint64_t bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    unsigned unit = 0;
    double value = (double)bytes;
    while (value >= 1024 && unit < 4) {
        value /= 1024;
        unit++;
    }
    para__view_size size;
    snprintf(size.text, sizeof size.text, "%.4g %s", value, units[unit]);
    return size;
}

const char *para__view_budget_limit(const para_topology_info *m)
{
    return m->budget < m->cpus ? "quota" : "cpus";
}

/* The foreign ones; of its own para reads all. */
static const char *const foreign[] = {"OMP_NUM_THREADS", "OMP_WAIT_POLICY", "OMP_STACKSIZE",
                                      "HWLOC_SYNTHETIC", "HWLOC_XMLFILE"};

/* Those that OpenMP reads besides: how many threads a team has, and where they run. */
static const char *const of_team[] = {"OMP_THREAD_LIMIT", "OMP_DYNAMIC",   "OMP_MAX_ACTIVE_LEVELS",
                                      "OMP_NESTED",       "OMP_PROC_BIND", "OMP_PLACES",
                                      "GOMP_CPU_AFFINITY"};

static bool is_among(const char *const *names, size_t count, const char *name, size_t length)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(names[i]) == length && strncmp(name, names[i], length) == 0)
            return true;
    return false;
}

size_t para__view_setting(const para__view *view, const char *entry)
{
    const char *const equals = strchr(entry, '=');
    const size_t length = equals && equals[1] ? (size_t)(equals - entry) : 0;
    const bool counts =
        strncmp(entry, "PARA_", 5) == 0 ||
        is_among(foreign, sizeof foreign / sizeof foreign[0], entry, length) ||
        (view->pool.lent && is_among(of_team, sizeof of_team / sizeof of_team[0], entry, length));
    return counts ? length : 0;
}

/* The system gives one error for all limits that forbid a thread, so those in force are named. */
para__view_reason para__view_missing_threads(void)
{
    para__view_reason why;
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        snprintf(why.text, sizeof why.text,
                 "threads are missing: the address space is limited to %llu MiB (ulimit -v), and "
                 "stacks take at most half of what is left of it",
                 (unsigned long long)limit.rlim_cur >> 20);
    else if (getrlimit(RLIMIT_NPROC, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        snprintf(why.text, sizeof why.text,
                 "threads are missing: the user may have %llu (ulimit -u), and a "
                 "container fewer (pids.max)",
                 (unsigned long long)limit.rlim_cur);
    else
        snprintf(why.text, sizeof why.text,
                 "threads are missing: no memory, or a limit on the threads of a "
                 "container (pids.max)");
    return why;
}

const char *para__view_unpinned(const para__view *v)
{
    const para_pool_info *const p = &v->pool;
    const char *const bind = getenv("PARA_PROC_BIND");
    if (p->lent || p->workers < 2 || p->pinned == p->workers)
        return NULL;
    if (!v->machine.this_system)
        return "the machine is described by a variable, not this system";
    if (p->pin_status)
        return para_status_text(p->pin_status);
    if (p->loose)
        return "other programs use their CPUs; pins come back when that has ended";
    if (p->binding != PARA_BIND_NONE)
        return "the system has undone it";
    return bind && *bind ? "PARA_PROC_BIND says so"
                         : "other processes would choose the same cores; "
                           "PARA_PROC_BIND=true pins them";
}
