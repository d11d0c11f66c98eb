/* A machine that HWLOC_SYNTHETIC or HWLOC_XMLFILE describes, read through hwloc.
 *
 * hwloc is not used for the real machine. Its first topology loads every installed plug-in (among
 * them X11's and OpenCL's libraries, 30 ms), and it prints warnings on standard error. Only
 * environment variables stop either, and para changes none. No call can stop it: components are
 * excluded from a topology after hwloc_topology_init, which has loaded them. See decision 20. */
#include "base/memory.h"
#include "base/status.h"
#include "base/variable.h"
#include "topology/locations.h"

#include <errno.h>
#include <hwloc.h>
#include <string.h>

bool para__locations_are_described(void)
{
    return para__variable("HWLOC_SYNTHETIC") || para__variable("HWLOC_XMLFILE");
}

/* Passes the variables to hwloc by calls, although it reads them itself: it would ignore a
 * malformed one and describe the real machine. */
static para_status open_topology(hwloc_topology_t *topology)
{
    const char *const synthetic = para__variable("HWLOC_SYNTHETIC");
    const char *const xml =
        synthetic ? NULL : para__variable("HWLOC_XMLFILE"); /* hwloc's precedence */
    hwloc_topology_t t;
    if (hwloc_topology_init(&t) < 0)
        return para__fail(PARA_ERR_MEMORY, "hwloc could not be initialised");
    errno = 0;
    const bool done = (!synthetic || hwloc_topology_set_synthetic(t, synthetic) == 0) &&
                      (!xml || hwloc_topology_set_xml(t, xml) == 0) && hwloc_topology_load(t) == 0;
    if (done) {
        *topology = t;
        return PARA_OK;
    }
    const int error = errno;
    hwloc_topology_destroy(t);
    return para__fail(error == ENOMEM ? PARA_ERR_MEMORY : PARA_ERR_TOPOLOGY, "%s=%s: %s",
                      synthetic ? "HWLOC_SYNTHETIC" : "HWLOC_XMLFILE", synthetic ? synthetic : xml,
                      strerror(error));
}

/* The CPU's NUMA node: the closest one, and of equals the one with the least number. Memory without
 * CPUs of its own (high-bandwidth memory, or memory on an expansion card) is numbered after the
 * nodes that it stands by. */
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

/* In hwloc's order, where a core's and a domain's CPUs stand together. */
static void list_locations(para__locations *locations, hwloc_topology_t topology)
{
    const bool restricted = locations->this_system && para__cpus_count(&locations->usable) > 0;
    hwloc_const_bitmap_t allowed = hwloc_topology_get_allowed_cpuset(topology);
    for (hwloc_obj_t pu = NULL;
         (pu = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_PU, pu)) != NULL;) {
        if (!hwloc_bitmap_isset(allowed, pu->os_index) ||
            (restricted && !para__cpus_has(&locations->usable, pu->os_index)))
            continue;
        hwloc_obj_t core = hwloc_get_ancestor_obj_by_type(topology, HWLOC_OBJ_CORE, pu);
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
    locations->this_system = hwloc_topology_is_thissystem(topology) != 0;
    const size_t most = (size_t)hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_PU);
    locations->location = para__alloc(most * sizeof *locations->location);
    if (!locations->location)
        return para__fail(PARA_ERR_MEMORY, NULL);
    list_locations(locations, topology);
    return PARA_OK;
}

void para__caches_from_hwloc(void *hwloc, unsigned cpu, size_t bytes[3])
{
    static const hwloc_obj_type_t types[] = {HWLOC_OBJ_L1CACHE, HWLOC_OBJ_L2CACHE,
                                             HWLOC_OBJ_L3CACHE};
    hwloc_obj_t pu = hwloc_get_pu_obj_by_os_index(hwloc, cpu);
    for (int i = 0; pu && i < 3; i++) {
        hwloc_obj_t cache = hwloc_get_ancestor_obj_by_type(hwloc, types[i], pu);
        bytes[i] = cache && cache->attr ? (size_t)cache->attr->cache.size : 0;
    }
}

void para__hwloc_free(void *hwloc)
{
    hwloc_topology_destroy(hwloc);
}
