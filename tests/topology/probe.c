/* A plug-in with an interface that hwloc does not know and refuses. It is linked so that it is
 * never unloaded, for sandbox.c to find it. */
extern const unsigned hwloc_probe_component[8];
const unsigned hwloc_probe_component[8] = {0};
