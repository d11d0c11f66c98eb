/* The CPU time that control groups grant. */
#ifndef PARA_TOPOLOGY_CPU_QUOTA_H
#define PARA_TOPOLOGY_CPU_QUOTA_H

#include <stdbool.h>

typedef struct para__quota {
    double cpus;   /* a fraction such as 2.5; 0: no limit, or none that can be read */
    bool is_known; /* as para_topology_info.quota_known */
} para__quota;

/* What control groups grant to this process: the least quota / period of its groups and all their
 * ancestors, in version 1, version 2 and a hybrid of both. root is put before every path ("" for
 * the real files). It reads root/proc/self/cgroup, root/proc/self/mountinfo, and the groups'
 * cpu.max or cpu.cfs_quota_us and cpu.cfs_period_us. Keeps errno. */
para__quota para__cpu_quota(const char *root);

#endif
