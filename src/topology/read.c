/* Makes a machine from the locations of its CPUs: numbers without gaps, and the order in which
 * pools use CPUs. */
#include "base/bounds.h"
#include "topology/topology.h"

#include "base/memory.h"
#include "base/status.h"
#include "topology/cpu_quota.h"
#include "topology/openmp.h"
#include "topology/locations.h"

#include <errno.h>
#include <stdlib.h>

/* Fills cpu[] and the counts, in the order of the locations. */
static void list_cpus(para__machine *machine, para_cpu_info *cpu, const para__locations *locations)
{
    const para__location *const location = locations->location;
    para_topology_info *const info = &machine->info;
    for (unsigned n = 0; n < locations->count; n++) {
        const para__location here = location[n];
        const bool sibling = n > 0 && location[n - 1].core == here.core;
        unsigned same_domain = n;
        unsigned same_node = n;
        for (unsigned i = n; i-- > 0;) {
            if (location[i].node != here.node)
                continue;
            same_node = i;
            if (location[i].l3 == here.l3) {
                same_domain = i;
                break;
            }
        }
        info->numa_nodes += same_node == n;
        cpu[n] = (para_cpu_info){
            .size = sizeof cpu[n],
            .os_index = here.cpu,
            .core = sibling ? info->cores - 1 : info->cores++,
            .domain = same_domain < n ? cpu[same_domain].domain : info->domains++,
            .numa_node = here.node,
            .kind = here.kind,
            .sibling = sibling ? cpu[n - 1].sibling + 1 : 0,
        };
    }
    machine->cpu_count = info->cpus = locations->count;
}

/* Numbers kinds without gaps, since the process may have no CPU of some kinds. A new number is
 * never above the old one, so none is mistaken for a later rank. */
static void number_kinds(para__machine *machine, para_cpu_info *cpu)
{
    unsigned highest = 0;
    for (unsigned i = 0; i < machine->cpu_count; i++)
        highest = cpu[i].kind > highest ? cpu[i].kind : highest;
    for (unsigned rank = 0; rank <= highest; rank++) {
        bool present = false;
        for (unsigned i = 0; i < machine->cpu_count; i++) {
            if (cpu[i].kind == rank) {
                cpu[i].kind = machine->info.core_kinds;
                present = true;
            }
        }
        machine->info.core_kinds += present;
    }
}

/* The order in which pools use CPUs: see topology.h. */
static int compare_cpus(const void *left, const void *right)
{
    const para_cpu_info *const a = left;
    const para_cpu_info *const b = right;
    int order = para__compare(a->sibling, b->sibling);
    order = order ? order : para__compare(b->kind, a->kind);
    order = order ? order : para__compare(a->domain, b->domain);
    return order ? order : para__compare(a->core, b->core);
}

static void set_caches(para_topology_info *info, const size_t bytes[3])
{
    info->l1_bytes = bytes[0];
    info->l2_bytes = bytes[1];
    info->l3_bytes = bytes[2];
}

void para__machine_read_caches(const para__machine *machine, para_topology_info *info)
{
    const int saved = errno;
    size_t bytes[3];
    para__caches_from_files("", machine->cpu[0].os_index, bytes);
    if (!(bytes[0] | bytes[1] | bytes[2]))
        para__caches_from_processor(bytes);
    set_caches(info, bytes);
    errno = saved;
}

static void describe(para__machine *machine, const para__locations *locations,
                     const para__allowance *allowance)
{
    para_topology_info *const info = &machine->info;
    if (locations->hwloc) {
        size_t caches[3] = {0};
        para__caches_from_hwloc(locations->hwloc, machine->cpu[0].os_index, caches);
        set_caches(info, caches);
    }
    info->size = sizeof *info;
    info->quota = allowance->quota;
    info->quota_known = allowance->quota_known;
    info->budget = info->cpus;
    if (info->quota > 0 && info->quota < info->cpus)
        info->budget = info->quota < 1 ? 1 : (unsigned)info->quota;
    info->page_bytes = para__page_bytes();
    info->this_system = locations->this_system;
    if (machine->is_described || !para__nodes_with_memory(&machine->memory))
        for (unsigned i = 0; i < machine->cpu_count; i++)
            para__cpus_add(&machine->memory, machine->cpu[i].numa_node);
    para__cpus online;
    info->online = info->this_system && para__cpus_online(&online) ? para__cpus_count(&online) : 0;
    info->online = para__max(info->online, info->cpus);
}

static para_status build(para__machine **machine, const para__locations *locations,
                         const para__allowance *allowance)
{
    if (locations->count == 0)
        return para__fail(PARA_ERR_TOPOLOGY, "the process may use none of the machine's CPUs");
    para__machine *const made =
        para__alloc(sizeof *made + locations->count * sizeof(para_cpu_info));
    if (!made)
        return para__fail(PARA_ERR_MEMORY, NULL);
    para_cpu_info *const cpu = (para_cpu_info *)(made + 1);
    made->cpu = cpu;
    made->usable = locations->usable;
    made->is_described = locations->hwloc != NULL;
    list_cpus(made, cpu, locations);
    number_kinds(made, cpu);
    qsort(cpu, made->cpu_count, sizeof *cpu, compare_cpus);
    describe(made, locations, allowance);
    *machine = made;
    return PARA_OK;
}

para__allowance para__allowance_read(const para__openmp *openmp, const char *root)
{
    const int saved = errno;
    const para__quota granted = para__cpu_quota(root);
    para__allowance allowance = {.quota = granted.cpus, .quota_known = granted.is_known};
    if (para__cpus_of_process(&allowance.usable))
        para__openmp_undo(openmp, &allowance.usable);
    else
        allowance.usable = (para__cpus){{0}};
    errno = saved;
    return allowance;
}

para_status para__machine_read(para__machine **machine, const para__allowance *allowance,
                               bool is_real)
{
    const int saved = errno;
    para__locations locations = {.usable = allowance->usable};
    para_status status = para__locations_are_described() && !is_real
                             ? para__locations_from_hwloc(&locations)
                             : para__locations_from_files(&locations, "");
    para__machine *made = NULL;
    if (!status)
        status = build(&made, &locations, allowance);
    if (!status && locations.hwloc)
        status = para__nodes_from_hwloc(&made->nodes, locations.hwloc);
    if (status)
        para__machine_free(made);
    else
        *machine = made;
    para__free(locations.location);
    if (locations.hwloc)
        para__hwloc_free(locations.hwloc);
    errno = saved;
    return status;
}
