/* Reading a machine through hwloc.
 *
 * hwloc's x86 component stays out: it binds the calling thread to one CPU after the other, and on
 * Linux the kernel's files say the same. The process's own mask is applied here, because hwloc
 * knows of control groups' CPU sets only; the topology itself stays whole, so that an index means
 * the same to hwloc and to para. */
#include "topology/topology.h"

#include "base/memory.h"
#include "base/status.h"
#include "topology/cpu_quota.h"

#include <errno.h>
#include <hwloc.h>
#include <stdlib.h>
#include <string.h>

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* The variables are given to hwloc by calls, although it reads them itself: it would pass over a
 * malformed one and describe the real machine. Devices are left out already by its default filters;
 * the groups and packages that these keep are what NUMA nodes are attached to. */
static para_status open_topology(hwloc_topology_t *topology)
{
    const char *const synthetic = variable("HWLOC_SYNTHETIC");
    const char *const xml = synthetic ? NULL : variable("HWLOC_XMLFILE"); /* hwloc's precedence */
    hwloc_topology_t t;
    if (hwloc_topology_init(&t) < 0)
        return para__fail(PARA_ERR_MEMORY, "hwloc could not be initialised");
    /* Fails where this hwloc has no such component, as on aarch64: then there is none to exclude. */
    hwloc_topology_set_components(t, HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST, "x86");
    errno = 0;
    const bool done = (!synthetic || hwloc_topology_set_synthetic(t, synthetic) == 0) &&
                      (!xml || hwloc_topology_set_xml(t, xml) == 0) && hwloc_topology_load(t) == 0;
    if (done) {
        *topology = t;
        return PARA_OK;
    }
    const int error = errno;
    hwloc_topology_destroy(t);
    return para__fail(error == ENOMEM ? PARA_ERR_MEMORY : PARA_ERR_TOPOLOGY, "%s%s: %s",
                      synthetic ? "HWLOC_SYNTHETIC="
                      : xml     ? "HWLOC_XMLFILE="
                                : "hwloc",
                      synthetic ? synthetic
                      : xml     ? xml
                                : "",
                      strerror(error));
}

/* The CPUs that the process may use; NULL without memory. A thread may be bound more narrowly than
 * its process was: all threads together come closest to what the process was given. */
static hwloc_bitmap_t usable_cpus(hwloc_topology_t topology)
{
    hwloc_bitmap_t usable = hwloc_bitmap_dup(hwloc_topology_get_allowed_cpuset(topology));
    hwloc_bitmap_t bound = hwloc_bitmap_alloc();
    if (usable && bound && hwloc_topology_is_thissystem(topology) &&
        hwloc_get_cpubind(topology, bound, HWLOC_CPUBIND_PROCESS) == 0)
        hwloc_bitmap_and(usable, usable, bound);
    hwloc_bitmap_free(bound);
    return usable;
}

/* What a CPU belongs to. */
typedef struct place {
    hwloc_obj_t core; /* the CPU itself where cores are not known */
    hwloc_obj_t node;
    hwloc_obj_t l3; /* if it makes a domain of its own, else NULL */
} place;

/* The CPU's NUMA node: the closest one, and of equals that with the least number, for memory
 * without CPUs of its own (high-bandwidth, or on an expansion card) is numbered after the nodes it
 * stands by. */
static hwloc_obj_t node_of(hwloc_topology_t topology, hwloc_obj_t cpu)
{
    hwloc_obj_t best = NULL;
    int best_weight = 0;
    for (hwloc_obj_t node = NULL;
         (node = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_NUMANODE, node)) != NULL;) {
        if (!hwloc_bitmap_isset(node->cpuset, cpu->os_index))
            continue;
        const int weight = hwloc_bitmap_weight(node->cpuset);
        if (!best || weight < best_weight ||
            (weight == best_weight && node->os_index < best->os_index)) {
            best = node;
            best_weight = weight;
        }
    }
    return best ? best : hwloc_get_obj_by_type(topology, HWLOC_OBJ_NUMANODE, 0);
}

/* The CPU's L3 cache, if its node has several and more than one core shares this one. */
static hwloc_obj_t shared_l3_of(hwloc_topology_t topology, hwloc_obj_t cpu, hwloc_obj_t node)
{
    hwloc_obj_t l3 = hwloc_get_ancestor_obj_by_type(topology, HWLOC_OBJ_L3CACHE, cpu);
    if (!l3 || !node ||
        hwloc_get_nbobjs_inside_cpuset_by_type(topology, node->cpuset, HWLOC_OBJ_L3CACHE) < 2)
        return NULL;
    const bool cores = hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_CORE) > 0;
    const hwloc_obj_type_t type = cores ? HWLOC_OBJ_CORE : HWLOC_OBJ_PU;
    return hwloc_get_nbobjs_inside_cpuset_by_type(topology, l3->cpuset, type) > 1 ? l3 : NULL;
}

/* hwloc's rank of the CPU's kind: 0 the most efficient; 0 also where it is not known. */
static unsigned kind_of(hwloc_topology_t topology, hwloc_obj_t cpu)
{
    int rank = 0;
    const int kind = hwloc_cpukinds_get_by_cpuset(topology, cpu->cpuset, 0);
    if (kind < 0 ||
        hwloc_cpukinds_get_info(topology, (unsigned)kind, NULL, &rank, NULL, NULL, 0) < 0)
        return 0;
    return rank > 0 ? (unsigned)rank : 0;
}

/* Fills cpu[] and the counts in hwloc's order, where a core's and a domain's CPUs stand together.
 * */
static void list_cpus(para__machine *machine, para_cpu_info *cpu, place *places,
                      hwloc_bitmap_t usable)
{
    hwloc_topology_t topology = machine->hwloc;
    para_topology_info *const info = &machine->info;
    unsigned n = 0;
    for (hwloc_obj_t pu = NULL;
         (pu = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_PU, pu)) != NULL;) {
        if (!hwloc_bitmap_isset(usable, pu->os_index))
            continue;
        hwloc_obj_t core = hwloc_get_ancestor_obj_by_type(topology, HWLOC_OBJ_CORE, pu);
        hwloc_obj_t node = node_of(topology, pu);
        const place here = {core ? core : pu, node, shared_l3_of(topology, pu, node)};
        const bool sibling = n > 0 && places[n - 1].core == here.core;
        unsigned same_domain = n;
        unsigned same_node = n;
        for (unsigned i = n; i-- > 0;) {
            if (places[i].node != here.node)
                continue;
            same_node = i;
            if (places[i].l3 == here.l3) {
                same_domain = i;
                break;
            }
        }
        info->numa_nodes += same_node == n;
        cpu[n] = (para_cpu_info){
            .size = sizeof cpu[n],
            .os_index = pu->os_index,
            .core = sibling ? info->cores - 1 : info->cores++,
            .domain = same_domain < n ? cpu[same_domain].domain : info->domains++,
            .numa_node = node ? node->os_index : 0,
            .kind = kind_of(topology, pu),
            .sibling = sibling ? cpu[n - 1].sibling + 1 : 0,
        };
        places[n++] = here;
    }
    machine->cpu_count = info->cpus = n;
}

/* Numbers kinds without gaps: the process may have no CPU of some. A new number is never above the
 * old one, so that none is taken for a later rank. */
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

static int compare(unsigned a, unsigned b)
{
    return (a > b) - (a < b);
}

/* The order in which pools use CPUs: see topology.h. */
static int compare_cpus(const void *left, const void *right)
{
    const para_cpu_info *const a = left;
    const para_cpu_info *const b = right;
    int order = compare(a->sibling, b->sibling);
    order = order ? order : compare(b->kind, a->kind);
    order = order ? order : compare(a->domain, b->domain);
    return order ? order : compare(a->core, b->core);
}

static size_t cache_bytes(hwloc_topology_t topology, hwloc_obj_t cpu, hwloc_obj_type_t type)
{
    hwloc_obj_t cache = hwloc_get_ancestor_obj_by_type(topology, type, cpu);
    return cache && cache->attr ? (size_t)cache->attr->cache.size : 0;
}

static void describe(para__machine *machine, const char *root)
{
    hwloc_topology_t topology = machine->hwloc;
    para_topology_info *const info = &machine->info;
    hwloc_obj_t first = hwloc_get_pu_obj_by_os_index(topology, machine->cpu[0].os_index);
    info->size = sizeof *info;
    info->quota = para__cpu_quota(root);
    info->budget = info->cores;
    if (info->quota > 0 && info->quota < info->cores)
        info->budget = info->quota < 1 ? 1 : (unsigned)info->quota;
    info->l1_bytes = cache_bytes(topology, first, HWLOC_OBJ_L1CACHE);
    info->l2_bytes = cache_bytes(topology, first, HWLOC_OBJ_L2CACHE);
    info->l3_bytes = cache_bytes(topology, first, HWLOC_OBJ_L3CACHE);
    info->page_bytes = para__page_bytes();
    info->this_system = hwloc_topology_is_thissystem(topology) != 0;
}

/* Makes a machine, which owns the topology from then on. */
static para_status build(para__machine **machine, hwloc_topology_t topology, const char *root)
{
    const size_t most = (size_t)hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_PU);
    para__machine *const made = para__alloc(sizeof *made + most * sizeof(para_cpu_info));
    place *const places = para__alloc(most * sizeof *places);
    hwloc_bitmap_t usable = usable_cpus(topology);
    para_status status = PARA_OK;
    if (!made || !places || !usable) {
        status = para__fail(PARA_ERR_MEMORY, NULL);
    } else {
        para_cpu_info *const cpu = (para_cpu_info *)(made + 1);
        made->hwloc = topology;
        made->cpu = cpu;
        list_cpus(made, cpu, places, usable);
        number_kinds(made, cpu);
        qsort(cpu, made->cpu_count, sizeof *cpu, compare_cpus);
        if (made->cpu_count == 0)
            status =
                para__fail(PARA_ERR_TOPOLOGY, "the process may use none of the machine's CPUs");
        else
            describe(made, root);
    }
    hwloc_bitmap_free(usable);
    para__free(places);
    if (status)
        para__free(made);
    else
        *machine = made;
    return status;
}

para_status para__machine_read(para__machine **machine, const char *root)
{
    const int saved = errno;
    hwloc_topology_t topology = NULL;
    para_status status = open_topology(&topology);
    if (!status) {
        status = build(machine, topology, root);
        if (status)
            hwloc_topology_destroy(topology);
    }
    errno = saved;
    return status;
}
