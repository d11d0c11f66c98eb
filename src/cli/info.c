/* `para info`: the machine, a pool on it, and what sharing costs, as text, JSON and a drawing. */
#include "base/variable.h"
#include "cli/commands.h"
#include "cli/drawing.h"
#include "cli/info_json.h"
#include "cli/say.h"
#include "cli/svg.h"
#include "cli/view.h"

#include <errno.h>
#include <math.h>
#if PARA__HAS_OPENMP
#include <para/openmp.h>
#endif
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- Variables ----------------------------------------------------------------------- */

static void say_settings(const para__view *v)
{
    unsigned count = 0;
    for (char **entry = environ; *entry; entry++) {
        const size_t length = para__view_setting(v, *entry);
        char *const escaped = length ? para__say_escaped(*entry) : NULL;
        if (escaped)
            printf("%s%s%s\n", count++ ? "         " : "settings ", escaped,
                   strncmp(*entry, "PARA_", 5) != 0 || para__variable_is_own(*entry)
                       ? ""
                       : " (para has no variable of this name)");
        free(escaped);
    }
    if (count == 0)
        printf("settings none: no variable of the environment changes anything\n");
}

/* ---- The machine --------------------------------------------------------------------- */

static int compare_numbers(const void *left, const void *right)
{
    const unsigned a = *(const unsigned *)left;
    const unsigned b = *(const unsigned *)right;
    return (a > b) - (a < b);
}

static bool is_on_node(const para_cpu_info *cpu, unsigned node)
{
    return cpu->numa_node == node;
}

static bool is_of_kind(const para_cpu_info *cpu, unsigned kind)
{
    return cpu->kind == kind;
}

/* The numbers of the process's CPUs: of all, or of those for which a function is true. */
static void say_cpus(const para__view *v, bool (*counts)(const para_cpu_info *, unsigned),
                     unsigned what)
{
    unsigned *const number = malloc((v->machine.cpus + 1ul) * sizeof *number);
    size_t count = 0;
    for (unsigned i = 0; number && i < v->machine.cpus; i++)
        if (!counts || counts(&v->cpu[i], what))
            number[count++] = v->cpu[i].os_index;
    if (count) {
        qsort(number, count, sizeof *number, compare_numbers);
        para__view_numbers(stdout, number, count);
    } else {
        printf("none of this process");
    }
    free(number);
}

/* A size of 0 is unknown: some machines have no third level, and some virtual ones do not describe
 * their caches. */
static void say_cache(int level, size_t bytes)
{
    printf("%sL%d %s", level > 1 ? ", " : "", level,
           bytes ? para__view_bytes(bytes).text : "unknown");
}

static void say_budget(const para_topology_info *m)
{
    const char *const limit = para__view_budget_limit(m);
    printf("budget   %u thread%s by default: ", m->budget, para__say_plural(m->budget));
    if (*limit == 'q')
        printf("as many as the quota grants\n");
    else
        printf("one for each %s\n", m->cores < m->cpus ? "hardware thread" : "core");
}

/* The cores of a hybrid machine, the fastest first. */
static void say_kinds(const para__view *v)
{
    const unsigned kinds = v->machine.core_kinds;
    for (unsigned kind = kinds; kind-- > 0;) {
        unsigned cores = 0, cpus = 0;
        for (unsigned i = 0; i < v->machine.cpus; i++) {
            cpus += v->cpu[i].kind == kind;
            cores += v->cpu[i].kind == kind && v->cpu[i].sibling == 0;
        }
        const bool is_fastest = kind + 1 == kinds;
        const char *const name = is_fastest               ? "fast"
                                 : kinds > 2 && kind == 0 ? "slowest"
                                                          : "slower";
        printf("%s%u %s core%s: CPU%s ", is_fastest ? "kinds    " : "; ", cores, name,
               para__say_plural(cores), para__say_plural(cpus));
        say_cpus(v, is_of_kind, kind);
    }
    putchar('\n');
}

static void say_machine(const para__view *v)
{
    const para_topology_info *const m = &v->machine;
    printf("machine  %u hardware thread%s on %u core%s of %u kind%s; %u domain%s, %u NUMA node%s",
           m->cpus, para__say_plural(m->cpus), m->cores, para__say_plural(m->cores), m->core_kinds,
           para__say_plural(m->core_kinds), m->domains, para__say_plural(m->domains), m->nodes,
           para__say_plural(m->nodes));
    if (m->nodes > m->numa_nodes) /* that has the CPUs of the process */
        printf(", %u without CPUs of this process", m->nodes - m->numa_nodes);
    putchar('\n');
    if (!m->this_system)
        printf("         described by HWLOC_SYNTHETIC or HWLOC_XMLFILE: not this machine\n");
    if (m->core_kinds > 1)
        say_kinds(v);
    printf("CPUs     ");
    say_cpus(v, NULL, 0);
    if (m->this_system)
        printf(m->cpus < m->online ? "\n" : ": all of the machine\n");
    else
        printf(": all that is described\n");
    if (m->cpus < m->online)
        printf("mask     %u of the machine's %u hardware threads: set by taskset, a batch system, "
               "a container,\n         or a runtime that has bound the threads of this process\n",
               m->cpus, m->online);
    if (m->quota > 0)
        printf("quota    %.3g CPUs, granted by the control group%s\n", m->quota,
               m->quota_known ? "" : "; a lower one may be hidden");
    else
        printf("quota    %s\n",
               m->quota_known ? "none" : "unknown: the process's control group cannot be read");
    say_budget(m);
    say_settings(v);
    printf("caches   ");
    say_cache(1, m->l1_bytes);
    say_cache(2, m->l2_bytes);
    say_cache(3, m->l3_bytes);
    printf("; pages of %s\n", para__view_bytes(m->page_bytes).text);
}

static const char *memory_text(const para_node_info *node, para__view_size *size)
{
    if (!node->memory_known)
        return "unknown";
    *size = para__view_bytes(node->memory_bytes);
    return node->memory_bytes ? size->text : "none";
}

static void say_nodes(const para__view *v)
{
    const unsigned count = v->machine.nodes;
    para__view_size size;
    if (count == 1) {
        printf("node     %u: memory %s\n", v->node[0].os_index, memory_text(&v->node[0], &size));
        return;
    }
    printf("nodes    %4s  %9s", "node", "memory");
    for (unsigned to = 0; to < count && v->has_distances; to++)
        printf(to ? " %4u" : "  to %4u", v->node[to].os_index);
    printf("  CPUs\n");
    for (unsigned from = 0; from < count; from++) {
        const para_node_info *const node = &v->node[from];
        printf("         %4u  %9s", node->os_index, memory_text(node, &size));
        for (unsigned to = 0; to < count && v->has_distances; to++) {
            const unsigned distance = para__view_distance(v, from, to);
            if (distance)
                printf(to ? " %4u" : "     %4u", distance);
            else
                printf(to ? "    ?" : "        ?");
        }
        printf("  ");
        say_cpus(v, is_on_node, node->os_index);
        putchar('\n');
    }
    if (!v->has_distances)
        printf("         distances between nodes: unknown\n");
}

static void say_load(const para__view *v)
{
    static const char *const minutes[] = {"1 minute", "5", "15"};
    printf("load     ");
    for (int i = 0; i < 3 && i < v->load_count; i++)
        printf("%s%.2f (%s)", i ? ", " : "", v->load[i], minutes[i]);
    if (v->load_count == 0)
        printf("unknown\n");
    else if (v->machine.this_system)
        printf(": threads of all programs, on %u hardware thread%s\n", v->machine.online,
               para__say_plural(v->machine.online));
    else
        printf(": threads of all programs, on this machine\n");
}

/* ---- The pool ------------------------------------------------------------------------ */

/* Worker `index` and those after it that stand in one line with it. */
static unsigned alike(const para__view *v, unsigned index)
{
    const para_worker_info *const w = &v->worker[index];
    unsigned end = index + 1;
    const bool anywhere = w->cpu < 0 && v->machine.this_system;
    while (end < v->pool.workers && (anywhere || v->worker[end].domain == w->domain) &&
           v->worker[end].cpus == w->cpus && v->worker[end].pinned == w->pinned &&
           (v->worker[end].cpu < 0) == (w->cpu < 0))
        end++;
    return end - index;
}

/* The CPUs that these workers are bound to, each once: in the workers' order if each has one of its
 * own. NULL: none, or no memory. Somebody frees them. */
static unsigned *cpus_of(const para__view *v, unsigned first, unsigned count, size_t *cpus)
{
    const size_t each = v->worker[first].cpus;
    unsigned *const all = each ? malloc(count * each * sizeof *all) : NULL;
    *cpus = 0;
    for (unsigned i = first; all && i < first + count; i++)
        memcpy(all + (i - first) * each, v->bound_to[i], each * sizeof *all);
    if (!all)
        return NULL;
    qsort(all, count * each, sizeof *all, compare_numbers);
    for (size_t i = 0; i < count * each; i++)
        if (i == 0 || all[i] != all[i - 1])
            all[(*cpus)++] = all[i];
    for (unsigned i = 0; i < count && each == 1 && *cpus == count; i++)
        all[i] = v->bound_to[first + i][0];
    return all;
}

/* "CPUs 0-15", "CPUs 0-3 each", "2 each of CPUs 0-31". */
static void say_workers(const para__view *v, unsigned first, unsigned count)
{
    const para_worker_info *const w = &v->worker[first];
    size_t number;
    unsigned *const cpus = cpus_of(v, first, count, &number);
    if (count > 1)
        printf("workers  %u-%u: ", first, first + count - 1);
    else
        printf("worker   %u: ", first);
    if (w->pinned && v->pool.binding == PARA_BIND_DOMAIN) {
        printf("bound to domain %u\n", w->domain);
    } else if (!cpus || (w->cpu < 0 && v->machine.this_system)) {
        printf("on no particular CPU\n");
    } else {
        const bool have_all = w->cpus == number; /* each of them */
        if (!have_all && w->cpus > 1)
            printf("%u each of ", w->cpus);
        printf("CPU%s ", para__say_plural((unsigned)number));
        para__view_numbers(stdout, cpus, number);
        printf("%s, domain %u%s%s\n", have_all && count > 1 ? " each" : "", w->domain,
               w->pinned ? ", pinned" : "",
               v->machine.this_system ? "" : ", if this were the machine");
    }
    free(cpus);
}

static void say_pool(const para__view *v)
{
    const para_pool_info *const p = &v->pool;
    const char *const unpinned = para__view_unpinned(v);
    printf("pool     %u worker%s, the caller among them ", p->workers,
           para__say_plural(p->workers));
    if (p->lent)
        printf("(at most %u in a call)\n", p->requested);
    else
        printf("(%u by %s)\n", p->requested, v->asked_by ? v->asked_by : "the budget");
    if (p->usual < p->workers)
        printf(
            "         calls are shared by %u, and by all where a loop is found to be faster so\n",
            p->usual);
    printf("threads  %s\n", p->lent ? "the program's, lent by OpenMP" : "the pool's own");
    if (!p->lent && p->workers < p->requested)
        printf("         %s\n", para__view_missing_threads().text);
    if (p->places)
        printf("places   %u by PARA_PLACES\n", p->places);
    if (p->places_dropped)
        printf("         %u more without a CPU that this process may use: left out\n",
               p->places_dropped);
    if (unpinned)
        printf("         %u pinned: %s\n", p->pinned, unpinned);
    for (unsigned i = 0; i < p->workers; i += alike(v, i))
        say_workers(v, i, alike(v, i));
}

static void say_processes(const para__view *v)
{
    printf("crashes  %s\n",
           v->has_sandbox     ? "can be held in worker processes, and these in a sandbox"
           : v->has_processes ? "can be held in worker processes; there is no sandbox for them"
                              : "end the program: there are no worker processes here");
}

/* Which of the numbers above are constants, and why. */
static void say_assumed(const para__view *v)
{
    const char *which[3];
    unsigned count = 0;
    if (!v->costs.round_trip_measured)
        which[count++] = "a helper that is awake";
    if (!v->costs.per_helper_measured)
        which[count++] = "further helpers";
    if (!v->costs.wake_measured)
        which[count++] = "a helper that sleeps";
    if (count == 0)
        return;
    printf("         assumed, not measured: ");
    if (count == 3)
        printf("all of this; ");
    else
        printf("%s%s%s; ", which[0], count > 1 ? " and " : "", count > 1 ? which[1] : "");
    if (v->pool.lent)
        printf("%s\n", v->costs.round_trip_measured ? "the threads are lent"
                                                    : "no lent thread came in time");
    else if (v->pool.workers > v->machine.cpus)
        printf("there are more workers than CPUs\n");
    else if (!v->machine.this_system)
        printf("this machine has other CPUs\n");
    else
        printf("helpers came too late, as on busy CPUs or of a quota that is spent\n");
}

/* least_ns is of a pool whose helpers are awake. */
static void say_costs(const para__view *v)
{
    const para_calibration_info *const c = &v->costs;
    if (!v->has_costs) {
        printf("sharing  nothing is shared with one worker\n");
        return;
    }
    printf("sharing  costs %.1f us if a helper is awake, %.1f us if it sleeps, %.2f us for each "
           "further one\n",
           (c->share_ns + c->round_trip_ns) / 1000,
           (c->share_ns + c->round_trip_ns + c->wake_ns + c->wake_cost_ns) / 1000,
           c->per_helper_ns / 1000);
    if (c->far_ns > 0)
        printf("         and %.2f us more for each beyond the %u of a domain\n", c->far_ns / 1000,
               c->near_helpers + 1);
    if (isfinite(c->least_ns))
        printf("         pays from %.1f us of work: %.0f iterations of 1 ns, or %.0f of 100 ns\n",
               c->least_ns / 1000, c->least_ns, ceil(c->least_ns / 100));
    say_assumed(v);
}

/* ---- The command --------------------------------------------------------------------- */

static void say_text(const para__view *v)
{
    say_machine(v);
    say_nodes(v);
    say_load(v);
    say_pool(v);
    say_costs(v);
    say_processes(v);
}

static int draw_machine(FILE *to, const void *view)
{
    return para__drawing_write(to, view) ? 0 : para__say_status(PARA_ERR_MEMORY);
}

static int show(const para__request *request, para__target *target)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    para__view view = {0};
    para_pool *pool = NULL;
    config.workers = request->options.workers;
    if (request->options.executor == PARA_EXECUTOR_SERIAL)
        return para__say_usage(request->command, "--executor serial: then there is no pool");
    if (request->on_processes)
        return para__say_usage(request->command, "--executor processes is for map and reduce");
#if PARA__HAS_OPENMP
    if (request->on_openmp)
        config.executor = para_openmp_lender();
#endif
    para_status status = para_pool_create(&pool, &config);
    if (!status)
        status = para__view_open(&view, pool, request->options.workers);
    int exit_status = status ? para__say_status(status) : 0;
    if (!exit_status && request->drawing)
        exit_status = para__svg_save(target, draw_machine, &view);
    if (!exit_status)
        (request->json ? para__info_json : say_text)(&view);
    para__view_close(&view);
    para_pool_destroy(pool);
    return exit_status;
}

int para__command_info(const para__request *request)
{
    if (request->operand_count)
        return para__say_usage(request->command, "unexpected '%s'", request->operands[0]);
    return para__svg_run(request, show);
}
