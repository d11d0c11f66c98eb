/* To hwloc a plug-in with an unknown interface, which it does not take; linked so that it is never
 * unloaded, to be seen by sandbox.c. */
extern const unsigned hwloc_probe_component[8];
const unsigned hwloc_probe_component[8] = {0};
