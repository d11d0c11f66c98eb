/* A machine that HWLOC_SYNTHETIC or HWLOC_XMLFILE describes, read through hwloc.
 *
 * hwloc is not used for the real machine. Its first topology loads every installed plug-in (among
 * them X11's and OpenCL's libraries, 30 ms), and it prints warnings on standard error. Only
 * environment variables stop either, and para changes none. No call can stop it: components are
 * excluded from a topology after hwloc_topology_init, which has loaded them. See decision 20.
 *
 * Nor is para linked with hwloc: each program would load it and libudev at its start, 0.2 ms. It is
 * loaded here. */
#include "base/memory.h"
#include "base/status.h"
#include "base/variable.h"
#include "topology/locations.h"

#include <dlfcn.h>
#include <errno.h>
#include <hwloc.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

/* Of the header that this is compiled with. */
#if HWLOC_API_VERSION >> 16 != 2
#error "the name of this hwloc's library is not known"
#endif
static const char library_name[] = "libhwloc.so.15";

/* Neither in a program that runs with more rights than its user: one names a file, and for both
 * hwloc is loaded, with the plug-ins that further variables name. */
bool para__locations_are_described(void)
{
    return para__file_variable("HWLOC_SYNTHETIC") || para__file_variable("HWLOC_XMLFILE");
}

/* ---- hwloc ----------------------------------------------------------------------------- */

/* What is called of it, besides what its header defines. */
#define HWLOC_CALLS(X)             \
    X(topology_init)               \
    X(topology_set_synthetic)      \
    X(topology_set_xml)            \
    X(topology_load)               \
    X(topology_destroy)            \
    X(topology_is_thissystem)      \
    X(topology_get_allowed_cpuset) \
    X(get_type_depth)              \
    X(get_obj_by_depth)            \
    X(bitmap_isset)                \
    X(bitmap_weight)               \
    X(bitmap_isincluded)           \
    X(cpukinds_get_by_cpuset)      \
    X(cpukinds_get_info)           \
    X(distances_get_by_type)       \
    X(distances_release)

/* Written by whoever reads a machine, under its mutex (machine.c). */
static struct hwloc_calls {
#define DECLARE(name) __typeof__(hwloc_##name) *name;
    HWLOC_CALLS(DECLARE)
#undef DECLARE
    bool are_known;
} hwloc;

/* The program is listed first. One that is linked statically names no loader, and what it would
 * load brings a second C library. */
static int look_for_loader(struct dl_phdr_info *program, size_t size, void *found)
{
    (void)size;
    for (int i = 0; i < program->dlpi_phnum; i++)
        *(bool *)found |= program->dlpi_phdr[i].p_type == PT_INTERP;
    return 1;
}

/* Loads hwloc, which stays; whether it is there. */
static bool load_hwloc(void)
{
    bool has_loader = false;
    if (hwloc.are_known)
        return true;
    dl_iterate_phdr(look_for_loader, &has_loader);
    void *const library = has_loader ? dlopen(library_name, RTLD_LAZY | RTLD_NODELETE) : NULL;
    if (!library)
        return false;
    hwloc.are_known = true;
#define LOOK_UP(name)                                                    \
    hwloc.name = (__typeof__(hwloc.name))dlsym(library, "hwloc_" #name); \
    hwloc.are_known &= hwloc.name != NULL;
    HWLOC_CALLS(LOOK_UP)
#undef LOOK_UP
    return hwloc.are_known;
}

/* ---- The topology ---------------------------------------------------------------------- */

/* Passes the variables to hwloc by calls, although it reads them itself: it would ignore a
 * malformed one and describe the real machine. */
static para_status open_topology(hwloc_topology_t *topology)
{
    const char *const synthetic = para__file_variable("HWLOC_SYNTHETIC");
    const char *const xml =
        synthetic ? NULL : para__file_variable("HWLOC_XMLFILE"); /* hwloc's precedence */
    const char *const name = synthetic ? "HWLOC_SYNTHETIC" : "HWLOC_XMLFILE";
    const char *const value = synthetic ? synthetic : xml;
    hwloc_topology_t t;
    if (!load_hwloc())
        return para__fail(PARA_ERR_TOPOLOGY, "%s=%s: %s of hwloc 2.4 or later cannot be loaded",
                          name, value, library_name);
    if (hwloc.topology_init(&t) < 0)
        return para__fail(PARA_ERR_MEMORY, "hwloc could not be initialised");
    errno = 0;
    const bool done = (!synthetic || hwloc.topology_set_synthetic(t, synthetic) == 0) &&
                      (!xml || hwloc.topology_set_xml(t, xml) == 0) && hwloc.topology_load(t) == 0;
    if (done) {
        *topology = t;
        return PARA_OK;
    }
    const int error = errno;
    hwloc.topology_destroy(t);
    return para__fail(error == ENOMEM ? PARA_ERR_MEMORY : PARA_ERR_TOPOLOGY, "%s=%s: %s", name,
                      value, strerror(error));
}

/* The objects of a type, in hwloc's order: the first one; the next ones are its cousins. */
static hwloc_obj_t first_of(hwloc_topology_t topology, hwloc_obj_type_t type)
{
    const int depth = hwloc.get_type_depth(topology, type);
    return depth == HWLOC_TYPE_DEPTH_UNKNOWN || depth == HWLOC_TYPE_DEPTH_MULTIPLE
               ? NULL
               : hwloc.get_obj_by_depth(topology, depth, 0);
}

/* How many of that type have all of their CPUs, of which there are some, in the set. */
static unsigned count_within(hwloc_topology_t topology, hwloc_const_bitmap_t cpus,
                             hwloc_obj_type_t type)
{
    unsigned count = 0;
    for (hwloc_obj_t at = first_of(topology, type); at; at = at->next_cousin)
        count += hwloc.bitmap_weight(at->cpuset) != 0 && hwloc.bitmap_isincluded(at->cpuset, cpus);
    return count;
}

/* The object of that type that the CPU is a part of. */
static hwloc_obj_t around(hwloc_obj_t cpu, hwloc_obj_type_t type)
{
    hwloc_obj_t at = cpu->parent;
    while (at && at->type != type)
        at = at->parent;
    return at;
}

/* The CPU's NUMA node: the closest one, and of equals the one with the least number. Memory without
 * CPUs of its own (high-bandwidth memory, or memory on an expansion card) is numbered after the
 * nodes that it stands by. */
static hwloc_obj_t node_of(hwloc_topology_t topology, hwloc_obj_t cpu)
{
    hwloc_obj_t const first = first_of(topology, HWLOC_OBJ_NUMANODE);
    hwloc_obj_t best = NULL;
    int best_weight = 0;
    for (hwloc_obj_t node = first; node; node = node->next_cousin) {
        if (!hwloc.bitmap_isset(node->cpuset, cpu->os_index))
            continue;
        const int weight = hwloc.bitmap_weight(node->cpuset);
        if (!best || weight < best_weight ||
            (weight == best_weight && node->os_index < best->os_index)) {
            best = node;
            best_weight = weight;
        }
    }
    return best ? best : first;
}

/* The CPU's L3 cache, if its node has several and more than one core shares this one. */
static hwloc_obj_t shared_l3_of(hwloc_topology_t topology, hwloc_obj_t cpu, hwloc_obj_t node)
{
    hwloc_obj_t l3 = around(cpu, HWLOC_OBJ_L3CACHE);
    if (!l3 || !node || count_within(topology, node->cpuset, HWLOC_OBJ_L3CACHE) < 2)
        return NULL;
    const hwloc_obj_type_t type =
        first_of(topology, HWLOC_OBJ_CORE) ? HWLOC_OBJ_CORE : HWLOC_OBJ_PU;
    return count_within(topology, l3->cpuset, type) > 1 ? l3 : NULL;
}

/* hwloc's rank of the CPU's kind: 0 the most efficient; 0 also where it is not known. */
static unsigned kind_of(hwloc_topology_t topology, hwloc_obj_t cpu)
{
    int rank = 0;
    const int kind = hwloc.cpukinds_get_by_cpuset(topology, cpu->cpuset, 0);
    if (kind < 0 ||
        hwloc.cpukinds_get_info(topology, (unsigned)kind, NULL, &rank, NULL, NULL, 0) < 0)
        return 0;
    return rank > 0 ? (unsigned)rank : 0;
}

/* In hwloc's order, where a core's and a domain's CPUs stand together. */
static void list_locations(para__locations *locations, hwloc_topology_t topology)
{
    const bool restricted = locations->this_system && para__cpus_count(&locations->usable) > 0;
    hwloc_const_bitmap_t allowed = hwloc.topology_get_allowed_cpuset(topology);
    for (hwloc_obj_t pu = first_of(topology, HWLOC_OBJ_PU); pu; pu = pu->next_cousin) {
        if (!hwloc.bitmap_isset(allowed, pu->os_index) ||
            (restricted && !para__cpus_has(&locations->usable, pu->os_index)))
            continue;
        hwloc_obj_t core = around(pu, HWLOC_OBJ_CORE);
        hwloc_obj_t node = node_of(topology, pu);
        hwloc_obj_t l3 = shared_l3_of(topology, pu, node);
        locations->location[locations->count++] = (para__location){
            .cpu = pu->os_index,
            .core = core ? core->logical_index : pu->logical_index,
            .node = node ? node->os_index : 0,
            .l3 = l3 ? l3->logical_index : PARA__NO_L3,
            .kind = kind_of(topology, pu),
        };
    }
}

para_status para__locations_from_hwloc(para__locations *locations)
{
    hwloc_topology_t topology = NULL;
    const para_status status = open_topology(&topology);
    if (status)
        return status;
    locations->hwloc = topology;
    locations->this_system = hwloc.topology_is_thissystem(topology) != 0;
    size_t most = 0;
    for (hwloc_obj_t pu = first_of(topology, HWLOC_OBJ_PU); pu; pu = pu->next_cousin)
        most++;
    locations->location = para__alloc(most * sizeof *locations->location);
    if (!locations->location)
        return para__fail(PARA_ERR_MEMORY, NULL);
    list_locations(locations, topology);
    return PARA_OK;
}

/* The largest of the CPU's caches of data. */
static hwloc_obj_t largest_cache(hwloc_obj_t cpu)
{
    hwloc_obj_t largest = NULL;
    for (hwloc_obj_t at = cpu->parent; at; at = at->parent)
        if (at->type >= HWLOC_OBJ_L1CACHE && at->type <= HWLOC_OBJ_L5CACHE)
            largest = at;
    return largest;
}

para_status para__groups_from_hwloc(const para__machine *machine, para__level level,
                                    unsigned *group)
{
    hwloc_topology_t topology = NULL;
    const para_status status = open_topology(&topology);
    if (status)
        return status;
    for (unsigned i = 0; i < machine->cpu_count; i++) {
        hwloc_obj_t pu = first_of(topology, HWLOC_OBJ_PU);
        while (pu && pu->os_index != machine->cpu[i].os_index)
            pu = pu->next_cousin;
        if (!pu || group[i] != PARA__NO_GROUP)
            continue;
        hwloc_obj_t const shared =
            level == PARA__LEVEL_SOCKET ? around(pu, HWLOC_OBJ_PACKAGE) : largest_cache(pu);
        for (unsigned j = i; shared && j < machine->cpu_count; j++)
            if (hwloc.bitmap_isset(shared->cpuset, machine->cpu[j].os_index))
                group[j] = i;
    }
    hwloc.topology_destroy(topology);
    return PARA_OK;
}

void para__caches_from_hwloc(void *topology, unsigned cpu, size_t bytes[3])
{
    static const hwloc_obj_type_t types[] = {HWLOC_OBJ_L1CACHE, HWLOC_OBJ_L2CACHE,
                                             HWLOC_OBJ_L3CACHE};
    hwloc_obj_t pu = first_of(topology, HWLOC_OBJ_PU);
    while (pu && pu->os_index != cpu)
        pu = pu->next_cousin;
    for (int i = 0; pu && i < 3; i++) {
        hwloc_obj_t cache = around(pu, types[i]);
        bytes[i] = cache && cache->attr ? (size_t)cache->attr->cache.size : 0;
    }
}

/* Distances between nodes, if the description has some; nodes have their order already. */
static void read_distances(para__nodes *nodes, hwloc_topology_t topology)
{
    struct hwloc_distances_s *found = NULL;
    unsigned matrices = 1;
    if (hwloc.distances_get_by_type(topology, HWLOC_OBJ_NUMANODE, &matrices, &found,
                                    HWLOC_DISTANCES_KIND_MEANS_LATENCY, 0) != 0 ||
        matrices == 0)
        return;
    for (unsigned i = 0; i < nodes->count * nodes->count; i++) {
        const unsigned from = nodes->node[i / nodes->count].os_index;
        const unsigned to = nodes->node[i % nodes->count].os_index;
        for (unsigned k = 0; k < found->nbobjs * found->nbobjs; k++)
            if (found->objs[k / found->nbobjs]->os_index == from &&
                found->objs[k % found->nbobjs]->os_index == to)
                nodes->distance[i] = (unsigned)found->values[k];
    }
    hwloc.distances_release(topology, found);
}

static int compare_nodes(const void *left, const void *right)
{
    return para__compare(((const struct para__node *)left)->os_index,
                         ((const struct para__node *)right)->os_index);
}

para_status para__nodes_from_hwloc(para__nodes **nodes, void *topology)
{
    size_t count = 0;
    hwloc_obj_t const first = first_of(topology, HWLOC_OBJ_NUMANODE);
    for (hwloc_obj_t at = first; at; at = at->next_cousin)
        count++;
    const size_t bytes = sizeof **nodes + count * sizeof(struct para__node) +
                         count * count * sizeof *(*nodes)->distance;
    para__nodes *const made = para__alloc(bytes);
    if (!made)
        return para__fail(PARA_ERR_MEMORY, NULL);
    memset(made, 0, bytes);
    made->node = (struct para__node *)(made + 1);
    made->distance = (unsigned *)(made->node + count);
    for (hwloc_obj_t at = first; at; at = at->next_cousin)
        made->node[made->count++] =
            (struct para__node){at->os_index, at->attr ? at->attr->numanode.local_memory : 0};
    qsort(made->node, made->count, sizeof *made->node, compare_nodes);
    read_distances(made, topology);
    *nodes = made;
    return PARA_OK;
}

void para__hwloc_free(void *topology)
{
    hwloc.topology_destroy(topology);
}
