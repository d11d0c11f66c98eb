/* What holds for every machine. */
#ifndef PARA_TESTS_INVARIANTS_H
#define PARA_TESTS_INVARIANTS_H

#include "../common/check.h"

#include "topology/topology.h"

#include <stdlib.h>
#include <unistd.h>

/* Indices are dense, each core has the siblings 0, 1, ..., a core has
 * one domain and kind, no CPU stands twice, and the order is the one promised. */
static inline void check(const para__machine *machine)
{
    const para_topology_info *const info = &machine->info;
    assert_int_equal(info->size, sizeof *info);
    assert_int_equal(info->cpus, machine->cpu_count);
    assert_true(info->cpus >= info->cores && info->cores >= info->domains && info->domains >= 1);
    assert_true(info->domains >= info->numa_nodes && info->numa_nodes >= 1);
    assert_true(info->core_kinds >= 1 && info->core_kinds <= info->cores);
    assert_true(info->budget >= 1 && info->budget <= info->cpus);
    assert_int_equal(info->page_bytes, sysconf(_SC_PAGESIZE));
    bool *const kinds = calloc(info->core_kinds + 1, 1);
    bool *const domains = calloc(info->domains + 1, 1);
    const para_cpu_info **const first = calloc(info->cores + 1, sizeof *first);
    unsigned *const threads = calloc(info->cores + 1, sizeof *threads);
    assert_true(kinds && domains && first && threads);
    for (unsigned i = 0; i < info->cpus; i++) {
        const para_cpu_info *const cpu = &machine->cpu[i];
        assert_int_equal(cpu->size, sizeof *cpu);
        assert_true(cpu->core < info->cores && cpu->domain < info->domains);
        assert_true(cpu->kind < info->core_kinds);
        kinds[cpu->kind] = domains[cpu->domain] = true;
        assert_int_equal(cpu->sibling, threads[cpu->core]++);
        if (cpu->sibling == 0)
            first[cpu->core] = cpu;
        assert_int_equal(cpu->domain, first[cpu->core]->domain);
        assert_int_equal(cpu->kind, first[cpu->core]->kind);
        assert_int_equal(cpu->numa_node, first[cpu->core]->numa_node);
        for (unsigned j = 0; j < i; j++)
            assert_int_not_equal(cpu->os_index, machine->cpu[j].os_index);
        if (i == 0)
            continue;
        const para_cpu_info *const before = cpu - 1;
        if (before->sibling != cpu->sibling)
            assert_true(before->sibling < cpu->sibling);
        else if (before->kind != cpu->kind)
            assert_true(before->kind > cpu->kind);
        else if (before->domain != cpu->domain)
            assert_true(before->domain < cpu->domain);
        else
            assert_true(before->core < cpu->core);
    }
    for (unsigned i = 0; i < info->core_kinds; i++)
        assert_true(kinds[i]);
    for (unsigned i = 0; i < info->domains; i++)
        assert_true(domains[i]);
    free(kinds);
    free(domains);
    free(first);
    free(threads);
}

#endif
