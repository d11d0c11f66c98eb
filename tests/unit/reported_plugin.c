/* A plug-in with one kernel, compiled twice: the two differ in its name. */
#include <para/para.h>

PARA_MAP_KERNEL(REPORTED_NAME, double, double, v, v)

extern para_map_fn *const reported_kernel;
__attribute__((visibility("default"))) para_map_fn *const reported_kernel = REPORTED_NAME;
