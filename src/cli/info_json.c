#include "cli/info_json.h"

#include "cli/say.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *truth(bool is_true)
{
    return is_true ? "true" : "false";
}

static void say_json_settings(const para__view *v)
{
    unsigned count = 0;
    printf("\"settings\": {");
    for (char **entry = environ; *entry; entry++) {
        const size_t length = para__view_setting(v, *entry);
        if (length == 0)
            continue;
        char *const name = strndup(*entry, length);
        printf("%s", count++ ? ", " : "");
        para__say_json_string(name ? name : "");
        printf(": ");
        para__say_json_string(*entry + length + 1);
        free(name);
    }
    putchar('}');
}

static void say_json_cache(int level, size_t bytes)
{
    printf(", \"l%d_bytes\": ", level);
    if (bytes)
        printf("%zu", bytes);
    else
        printf("null");
}

static void say_json_machine(const para__view *v)
{
    const para_topology_info *const m = &v->machine;
    printf("\"machine\": {\"cpus\": %u, \"cores\": %u, \"core_kinds\": %u, \"domains\": %u, "
           "\"numa_nodes\": %u, \"nodes\": %u, \"online\": %u, \"budget\": %u, "
           "\"budget_limit\": \"%s\", \"quota\": ",
           m->cpus, m->cores, m->core_kinds, m->domains, m->numa_nodes, m->nodes, m->online,
           m->budget, para__view_budget_limit(m));
    if (m->quota > 0)
        printf("%.17g", m->quota);
    else
        printf("null");
    printf(", \"quota_known\": %s", truth(m->quota_known));
    say_json_cache(1, m->l1_bytes);
    say_json_cache(2, m->l2_bytes);
    say_json_cache(3, m->l3_bytes);
    printf(", \"page_bytes\": %zu, \"this_system\": %s}, \"cpus\": [", m->page_bytes,
           truth(m->this_system));
    for (unsigned i = 0; i < m->cpus; i++)
        printf("%s{\"cpu\": %u, \"core\": %u, \"domain\": %u, \"node\": %u, \"kind\": %u, "
               "\"sibling\": %u}",
               i ? ", " : "", v->cpu[i].os_index, v->cpu[i].core, v->cpu[i].domain,
               v->cpu[i].numa_node, v->cpu[i].kind, v->cpu[i].sibling);
    printf("], ");
    say_json_settings(v);
}

static void say_json_nodes(const para__view *v)
{
    printf(", \"nodes\": [");
    for (unsigned from = 0; from < v->machine.nodes; from++) {
        const para_node_info *const node = &v->node[from];
        printf("%s{\"node\": %u, \"cpus\": %u, \"memory_bytes\": ", from ? ", " : "",
               node->os_index, node->cpus);
        if (node->memory_known)
            printf("%llu", (unsigned long long)node->memory_bytes);
        else
            printf("null");
        printf(", \"distances\": [");
        for (unsigned to = 0; to < v->machine.nodes; to++) {
            const unsigned distance = para__view_distance(v, from, to);
            printf("%s", to ? ", " : "");
            if (distance)
                printf("%u", distance);
            else
                printf("null");
        }
        printf("]}");
    }
    printf("], \"load\": [");
    for (int i = 0; i < v->load_count; i++)
        printf("%s%.17g", i ? ", " : "", v->load[i]);
    printf("]");
}

static void say_json_pool(const para__view *v)
{
    static const char *const bindings[] = {"auto", "core", "domain", "none", "places"};
    const para_pool_info *const p = &v->pool;
    const char *const unpinned = para__view_unpinned(v);
    printf(", \"pool\": {\"requested\": %u, \"asked_by\": \"%s\", \"workers\": %u, \"usual\": %u, "
           "\"lanes\": %u, \"pinned\": %u, \"pin_status\": \"%s\", \"unpinned_because\": ",
           p->requested, v->asked_by ? v->asked_by : "budget", p->workers, p->usual, p->lanes,
           p->pinned, para_status_name(p->pin_status));
    if (unpinned)
        printf("\"%s\"", unpinned);
    else
        printf("null");
    printf(", \"binding\": \"%s\", \"places\": %u, \"places_dropped\": %u, \"loose\": %u",
           bindings[p->binding], p->places, p->places_dropped, p->loose);
    printf(", \"lent\": %s, \"thread_status\": \"%s\", \"threads_missing\": ", truth(p->lent),
           para_status_name(p->thread_status));
    if (!p->lent && p->workers < p->requested)
        printf("\"%s\"}", para__view_missing_threads().text);
    else
        printf("null}");
    printf(", \"workers\": [");
    for (unsigned i = 0; i < p->workers; i++) {
        printf("%s{\"cpu\": ", i ? ", " : "");
        if (v->worker[i].cpu < 0)
            printf("null");
        else
            printf("%d", v->worker[i].cpu);
        printf(", \"domain\": %u, \"pinned\": %s, \"bound_to\": [", v->worker[i].domain,
               truth(v->worker[i].pinned));
        for (unsigned n = 0; n < v->worker[i].cpus; n++)
            printf("%s%u", n ? ", " : "", v->bound_to[i][n]);
        printf("]}");
    }
    printf("]");
}

static void say_json_cost(const char *name, double ns)
{
    printf("\"%s\": ", name);
    para__say_json_number(ns);
    fputs(", ", stdout);
}

static void say_json_costs(const para__view *v)
{
    const para_calibration_info *const c = &v->costs;
    printf(", \"costs\": ");
    if (!v->has_costs) {
        printf("null");
        return;
    }
    putchar('{');
    say_json_cost("round_trip_ns", c->round_trip_ns);
    say_json_cost("per_helper_ns", c->per_helper_ns);
    say_json_cost("far_ns", c->far_ns);
    printf("\"near_helpers\": %u, ", c->near_helpers);
    say_json_cost("wake_ns", c->wake_ns);
    say_json_cost("wake_cost_ns", c->wake_cost_ns);
    say_json_cost("share_ns", c->share_ns);
    say_json_cost("least_ns", c->least_ns);
    printf("\"round_trip_measured\": %s, \"per_helper_measured\": %s, \"wake_measured\": %s}",
           truth(c->round_trip_measured), truth(c->per_helper_measured), truth(c->wake_measured));
}

void para__info_json(const para__view *v)
{
    printf("{\"version\": \"%s\", ", para_version());
    say_json_machine(v);
    say_json_nodes(v);
    say_json_pool(v);
    say_json_costs(v);
    printf(", \"processes\": %s, \"sandbox\": %s}\n", truth(v->has_processes),
           truth(v->has_sandbox));
}
