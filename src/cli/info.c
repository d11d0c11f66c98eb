/* `para info` and `para kernels`: what there is to work with. */
#include "cli/commands.h"
#include "cli/say.h"
#include "kernels/kernels.h"
#if PARA__HAS_OPENMP
#include <para/openmp.h>
#endif
#include <para/pool.h>
#include <para/topology.h>

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/* What keeps the budget from being as large as the number of hardware threads. */
static const char *budget_limit(const para_topology_info *m)
{
    return m->budget < m->cores ? "quota" : m->cores < m->cpus ? "cores" : "cpus";
}

static bool limits_budget(const para_topology_info *m, const char *what)
{
    return strcmp(budget_limit(m), what) == 0;
}

/* A size of 0 is unknown: some machines have no third level, and some virtual ones do not describe
 * their caches. */
static void say_cache(int level, size_t bytes)
{
    printf("%sL%d ", level > 1 ? ", " : "", level);
    if (bytes)
        printf("%zu KiB", bytes >> 10);
    else
        printf("unknown");
}

static void say_json_cache(int level, size_t bytes)
{
    printf(", \"l%d_bytes\": ", level);
    if (bytes)
        printf("%zu", bytes);
    else
        printf("null");
}

static void say_machine(const para_topology_info *m)
{
    printf("machine  %u hardware thread%s on %u core%s of %u kind%s; %u domain%s, %u NUMA node%s\n",
           m->cpus, para__say_plural(m->cpus), m->cores, para__say_plural(m->cores), m->core_kinds,
           para__say_plural(m->core_kinds), m->domains, para__say_plural(m->domains), m->numa_nodes,
           para__say_plural(m->numa_nodes));
    if (!m->this_system)
        printf("         described by HWLOC_SYNTHETIC or HWLOC_XMLFILE: not this machine\n");
    if (m->cpus < m->online)
        printf(
            "mask     %u of the machine's %u hardware threads: set by taskset, a container, or a "
            "runtime that has bound the threads of this process\n",
            m->cpus, m->online);
    if (m->quota > 0)
        printf("quota    %.3g CPUs\n", m->quota);
    else
        printf("quota    none\n");
    printf("budget   %u thread%s%s\n", m->budget, para__say_plural(m->budget),
           limits_budget(m, "quota") ? ": as many as the quota grants" : "");
    if (limits_budget(m, "cores"))
        printf("         one for each core; cores have several hardware threads, and "
               "PARA_NUM_WORKERS=%u uses them all\n",
               m->cpus);
    printf("caches   ");
    say_cache(1, m->l1_bytes);
    say_cache(2, m->l2_bytes);
    say_cache(3, m->l3_bytes);
    printf("; pages of %zu bytes\n", m->page_bytes);
}

static void say_json_machine(const para_topology_info *m)
{
    printf("\"machine\": {\"cpus\": %u, \"cores\": %u, \"core_kinds\": %u, \"domains\": %u, "
           "\"numa_nodes\": %u, \"online\": %u, \"budget\": %u, \"budget_limit\": \"%s\", "
           "\"quota\": ",
           m->cpus, m->cores, m->core_kinds, m->domains, m->numa_nodes, m->online, m->budget,
           budget_limit(m));
    if (m->quota > 0)
        printf("%.17g", m->quota);
    else
        printf("null");
    say_json_cache(1, m->l1_bytes);
    say_json_cache(2, m->l2_bytes);
    say_json_cache(3, m->l3_bytes);
    printf(", \"page_bytes\": %zu, \"this_system\": %s}", m->page_bytes,
           m->this_system ? "true" : "false");
}

typedef struct reason {
    char text[200];
} reason;

/* The system gives one error for all limits that forbid a thread, so those in force are named. */
static reason why_threads_are_missing(void)
{
    reason why;
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

static void say_pool(const para_pool_info *p)
{
    printf("pool     %u worker%s, the caller among them (%s%u%s); %u lane%s; %u pinned%s%s\n",
           p->workers, para__say_plural(p->workers), p->lent ? "at most " : "", p->requested,
           p->lent ? " in a call" : " asked for", p->lanes, para__say_plural(p->lanes), p->pinned,
           p->pin_status ? ": " : "", p->pin_status ? para_status_text(p->pin_status) : "");
    printf("threads  %s\n", p->lent ? "the program's, lent by OpenMP" : "the pool's own");
    if (!p->lent && p->workers < p->requested)
        printf("         %s\n", why_threads_are_missing().text);
}

static void say_json_pool(const para_pool_info *p)
{
    printf("\"pool\": {\"requested\": %u, \"workers\": %u, \"lanes\": %u, \"pinned\": %u, "
           "\"pin_status\": \"%s\", \"lent\": %s, \"thread_status\": \"%s\", "
           "\"threads_missing\": ",
           p->requested, p->workers, p->lanes, p->pinned, para_status_name(p->pin_status),
           p->lent ? "true" : "false", para_status_name(p->thread_status));
    if (!p->lent && p->workers < p->requested)
        printf("\"%s\"}", why_threads_are_missing().text);
    else
        printf("null}");
}

static void say_worker(unsigned index, const para_worker_info *w, para_binding binding)
{
    if (w->pinned && binding == PARA_BIND_DOMAIN)
        printf("worker   %u: bound to domain %u\n", index, w->domain);
    else if (w->cpu < 0)
        printf("worker   %u: on no particular CPU\n", index);
    else
        printf("worker   %u: CPU %d, domain %u%s\n", index, w->cpu, w->domain,
               w->pinned ? ", pinned" : "");
}

static void say_json_worker(const para_worker_info *w)
{
    printf("{\"cpu\": ");
    if (w->cpu < 0)
        printf("null");
    else
        printf("%d", w->cpu);
    printf(", \"domain\": %u, \"pinned\": %s}", w->domain, w->pinned ? "true" : "false");
}

static para_status say_workers(para_pool *pool, const para_pool_info *info, bool json)
{
    for (unsigned i = 0; i < info->workers; i++) {
        para_worker_info worker = {.size = sizeof worker};
        const para_status status = para_pool_get_worker(pool, i, &worker);
        if (status)
            return status;
        if (json && i)
            printf(", ");
        if (json)
            say_json_worker(&worker);
        else
            say_worker(i, &worker, info->binding);
    }
    return PARA_OK;
}

static para_status say_all(para_pool *pool, bool json)
{
    para_topology_info machine = {.size = sizeof machine};
    para_pool_info info = {.size = sizeof info};
    para_status status = para_topology_get_info(&machine);
    if (!status)
        status = para_pool_get_info(pool, &info);
    if (status)
        return status;
    if (json) {
        printf("{\"version\": \"%s\", ", para_version());
        say_json_machine(&machine);
        printf(", ");
        say_json_pool(&info);
        printf(", \"workers\": [");
    } else {
        say_machine(&machine);
        say_pool(&info);
    }
    status = say_workers(pool, &info, json);
    if (json)
        printf("]}\n");
    return status;
}

int para__command_info(const para__request *request)
{
    if (request->operand_count)
        return para__say_usage(request->command, "unexpected '%s'", request->operands[0]);
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    para_pool *pool = NULL;
    config.workers = request->options.workers;
    if (request->options.executor == PARA_EXECUTOR_SERIAL)
        return para__say_usage(request->command, "--executor serial: then there is no pool");
#if PARA__HAS_OPENMP
    if (request->on_openmp)
        config.executor = para_openmp_lender();
#endif
    para_status status = para_pool_create(&pool, &config);
    if (!status)
        status = say_all(pool, request->json);
    const int exit_status = status ? para__say_status(status) : 0;
    para_pool_destroy(pool);
    return exit_status;
}

int para__command_kernels(const para__request *request)
{
    const para_builtin *kernel;
    if (request->operand_count)
        return para__say_usage(request->command, "unexpected '%s'", request->operands[0]);
    if (request->json)
        printf("{\"kernels\": [");
    else
        printf("%-10s%-8s%-8s%-11s%s\n", "KERNEL", "FOR", "INPUTS", "ARGUMENTS", "COMPUTES");
    for (size_t i = 0; (kernel = para_builtin_at(i)) != NULL; i++) {
        const char *command = kernel->reduces ? "reduce" : "map";
        const char *parameter = kernel->parameter ? kernel->parameter : "";
        if (request->json)
            printf("%s{\"name\": \"%s\", \"command\": \"%s\", \"inputs\": %u, \"arguments\": "
                   "[%s%s%s], "
                   "\"computes\": \"%s\", \"dtypes\": [\"float32\", \"float64\"]}",
                   i ? ", " : "", kernel->name, command, kernel->inputs, *parameter ? "\"" : "",
                   parameter, *parameter ? "\"" : "", kernel->formula);
        else
            printf("%-10s%-8s%-8u%-11s%s\n", kernel->name, command, kernel->inputs,
                   *parameter ? parameter : "-", kernel->formula);
    }
    if (request->json)
        printf("]}\n");
    return 0;
}
