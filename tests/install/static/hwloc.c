/* Whether hwloc can be linked statically here. */
#include <hwloc.h>

int main(void)
{
    hwloc_topology_t topology;
    return hwloc_topology_init(&topology);
}
