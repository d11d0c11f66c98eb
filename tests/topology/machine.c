/* Machines that hwloc makes up or reads from a file, and what para makes of them. */
#include "../common/child.h"
#include "invariants.h"

#include "topology/locations.h"
#include "topology/topology.h"

#include <errno.h>
#include <hwloc.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int forget_variables(void **state)
{
    (void)state;
    unsetenv("HWLOC_SYNTHETIC");
    unsetenv("HWLOC_XMLFILE");
    unsetenv("HWLOC_THISSYSTEM");
    return 0;
}

/* The made-up machine; the quota is looked for where there is none. */
static para__machine *load(const char *synthetic)
{
    setenv("HWLOC_SYNTHETIC", synthetic, 1);
    para__machine *machine = NULL;
    const para_status status = para__machine_load(&machine, "/nonexistent");
    if (status)
        fail_msg("%s: %s: %s", synthetic, para_status_name(status), para_status_detail());
    return machine;
}

static void test_shapes(void **state)
{
    static const struct {
        const char *synthetic;
        unsigned cpus, cores, domains, numa_nodes;
    } shapes[] = {
        {"core:1 pu:1", 1, 1, 1, 1},
        {"core:1 pu:4", 4, 1, 1, 1},
        {"pu:6", 6, 6, 1, 1}, /* cores not known */
        {"node:8 core:64 pu:2", 1024, 512, 8, 8},
        {"node:8 core:64 pu:1", 512, 512, 8, 8},
        {"pack:2 node:4 l3:1 l2:64 core:1 pu:1", 512, 512, 8, 8},
        {"pack:2 l3:4 core:8 pu:1", 64, 64, 8, 1},
        {"pack:2 [numa] l3:4 core:8 pu:2", 128, 64, 8, 2},
        {"pack:2 [numa] l3:1 core:4 pu:1", 8, 8, 2, 2},
        {"l3:1 node:2 core:4 pu:1", 8, 8, 2, 2},          /* nodes that share an L3 */
        {"l3:8 core:1 pu:2", 16, 8, 1, 1},                /* L3s that nobody shares */
        {"l3:2 pu:4", 8, 8, 2, 1},                        /* the same without cores */
        {"pack:2 [numa] [numa] core:4 pu:1", 8, 8, 2, 2}, /* a second memory in each package */
        {"[numa] pack:2 [numa] core:4 pu:1", 8, 8, 2, 2}, /* a memory beside all packages */
        {"[numa(indexes=2,1,0)] pack:2 [numa] core:4 pu:1", 8, 8, 2, 2}, /* numbered before them */
        {"node:3 core:5 pu:3", 45, 15, 3, 3},
        {"pack:2 [numa] l3:12 core:8 pu:2", 384, 192, 24, 2}, /* 12 L3s a socket */
        {"pack:2 node:4 core:14 pu:2", 224, 112, 8, 8},       /* sub-NUMA clusters */
        {"pack:1 [numa] l3:1 core:72 pu:1", 72, 72, 1, 1},
        {"node:16 core:64 pu:1", 1024, 1024, 16, 16},
        {"node:16 core:32 pu:2", 1024, 512, 16, 16},
    };
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        print_message("%s\n", shapes[i].synthetic);
        para__machine *machine = load(shapes[i].synthetic);
        check(machine);
        assert_int_equal(machine->info.cpus, shapes[i].cpus);
        assert_int_equal(machine->info.cores, shapes[i].cores);
        assert_int_equal(machine->info.domains, shapes[i].domains);
        assert_int_equal(machine->info.numa_nodes, shapes[i].numa_nodes);
        assert_int_equal(machine->info.budget, shapes[i].cpus);
        assert_int_equal(machine->info.core_kinds, 1);
        assert_true(machine->info.quota == 0);
        assert_false(machine->info.this_system);
        para__machine_free(machine);
    }
}

static void test_every_place_of_the_largest(void **state)
{
    (void)state;
    para__machine *machine = load("node:8 core:64 pu:2");
    for (unsigned i = 0; i < 1024; i++) {
        const para_cpu_info *const cpu = &machine->cpu[i];
        assert_int_equal(cpu->sibling, i / 512);
        assert_int_equal(cpu->core, i % 512);
        assert_int_equal(cpu->domain, i % 512 / 64);
        assert_int_equal(cpu->numa_node, i % 512 / 64);
        assert_int_equal(cpu->os_index, i % 512 * 2 + i / 512);
        assert_int_equal(cpu->kind, 0);
    }
    para__machine_free(machine);
}

static void test_system_numbers_are_not_positions(void **state)
{
    (void)state;
    /* As on many x86 machines: the second threads are numbered after all first ones. */
    para__machine *machine = load("node:2(indexes=5,3) core:2 pu:2(indexes=0,4,1,5,2,6,3,7)");
    static const unsigned os_index[] = {0, 1, 2, 3, 4, 5, 6, 7};
    static const unsigned node[] = {5, 5, 3, 3, 5, 5, 3, 3};
    check(machine);
    /* hwloc lists objects by their CPUs, so the node with number 5 stays the first. */
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(machine->cpu[i].os_index, os_index[i]);
        assert_int_equal(machine->cpu[i].numa_node, node[i]);
        assert_int_equal(machine->cpu[i].domain, i / 2 % 2);
    }
    para__machine_free(machine);
}

static void test_caches(void **state)
{
    (void)state;
    para__machine *machine = load("l3:2(size=32MB) l2:4(size=1MB) l1d:1(size=48kB) core:1 pu:1");
    assert_int_equal(machine->info.l1_bytes, 48000);
    assert_int_equal(machine->info.l2_bytes, 1000000);
    assert_int_equal(machine->info.l3_bytes, 32000000);
    assert_int_equal(machine->info.domains, 2);
    para__machine_free(machine);
    machine = load("core:2 pu:1");
    assert_int_equal(machine->info.l1_bytes, 0);
    assert_int_equal(machine->info.l2_bytes, 0);
    assert_int_equal(machine->info.l3_bytes, 0);
    para__machine_free(machine);
}

/* Writes a machine whose CPUs below `small` are of a kind that hwloc is told to rank lower, or,
 * with efficiency -1, of a kind that it cannot rank. */
static void write_hybrid(const char *path, const char *synthetic, unsigned small, int efficiency)
{
    hwloc_topology_t topology;
    assert_int_equal(hwloc_topology_init(&topology), 0);
    assert_int_equal(hwloc_topology_set_synthetic(topology, synthetic), 0);
    assert_int_equal(hwloc_topology_load(topology), 0);
    hwloc_bitmap_t cpus = hwloc_bitmap_alloc();
    assert_non_null(cpus);
    hwloc_bitmap_set_range(cpus, 0, (int)small - 1);
    assert_int_equal(hwloc_cpukinds_register(topology, cpus, efficiency, 0, NULL, 0), 0);
    hwloc_bitmap_not(cpus, cpus);
    hwloc_bitmap_and(cpus, cpus, hwloc_topology_get_topology_cpuset(topology));
    assert_int_equal(
        hwloc_cpukinds_register(topology, cpus, efficiency < 0 ? -1 : efficiency + 5, 0, NULL, 0),
        0);
    assert_int_equal(hwloc_topology_export_xml(topology, path, 0), 0);
    hwloc_bitmap_free(cpus);
    hwloc_topology_destroy(topology);
}

static para__machine *load_hybrid(const char *synthetic, unsigned small, int efficiency)
{
    char path[] = "/tmp/para-machine-XXXXXX";
    const int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    write_hybrid(path, synthetic, small, efficiency);
    setenv("HWLOC_XMLFILE", path, 1);
    para__machine *machine = NULL;
    assert_int_equal(para__machine_load(&machine, "/nonexistent"), PARA_OK);
    unlink(path);
    return machine;
}

static void test_fast_cores_come_first(void **state)
{
    (void)state;
    para__machine *machine = load_hybrid("node:2 core:4 pu:2", 6, 10);
    check(machine);
    assert_int_equal(machine->info.cpus, 16);
    assert_int_equal(machine->info.cores, 8);
    assert_int_equal(machine->info.core_kinds, 2);
    assert_int_equal(machine->info.domains, 2);
    assert_false(machine->info.this_system);
    /* Cores 0 to 2 are slow, 3 to 7 fast. */
    static const unsigned core[] = {3, 4, 5, 6, 7, 0, 1, 2};
    for (unsigned i = 0; i < 16; i++) {
        assert_int_equal(machine->cpu[i].core, core[i % 8]);
        assert_int_equal(machine->cpu[i].kind, core[i % 8] >= 3);
        assert_int_equal(machine->cpu[i].sibling, i / 8);
    }
    para__machine_free(machine);
}

static void test_kinds_without_a_rank_are_one(void **state)
{
    (void)state;
    para__machine *machine = load_hybrid("core:4 pu:1", 2, -1);
    check(machine);
    assert_int_equal(machine->info.core_kinds, 1);
    assert_int_equal(machine->cpu[0].core, 0);
    para__machine_free(machine);
}

/* Writes a machine of four nodes, numbered 6, 4, 2 and 0, with the distance 10 + from * 4 + to, of
 * places in hwloc's order. */
static void write_distant(const char *path)
{
    hwloc_topology_t topology;
    hwloc_obj_t nodes[4];
    hwloc_uint64_t distances[16];
    assert_int_equal(hwloc_topology_init(&topology), 0);
    assert_int_equal(
        hwloc_topology_set_synthetic(topology, "node:4(memory=2GiB indexes=6,4,2,0) core:2 pu:1"),
        0);
    assert_int_equal(hwloc_topology_load(topology), 0);
    for (unsigned i = 0; i < 16; i++) {
        nodes[i / 4] = hwloc_get_obj_by_type(topology, HWLOC_OBJ_NUMANODE, i / 4);
        distances[i] = 10 + i;
    }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* its successor is of hwloc 2.5 */
    assert_int_equal(
        hwloc_distances_add(topology, 4, nodes, distances,
                            HWLOC_DISTANCES_KIND_FROM_USER | HWLOC_DISTANCES_KIND_MEANS_LATENCY, 0),
        0);
#pragma GCC diagnostic pop
    assert_int_equal(hwloc_topology_export_xml(topology, path, 0), 0);
    hwloc_topology_destroy(topology);
}

static void test_nodes(void **state)
{
    (void)state;
    char path[] = "/tmp/para-machine-XXXXXX";
    const int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    write_distant(path);
    setenv("HWLOC_XMLFILE", path, 1);
    para__machine *machine = NULL;
    assert_int_equal(para__machine_load(&machine, "/nonexistent"), PARA_OK);
    unlink(path);
    assert_int_equal(machine->nodes->count, 4);
    assert_int_equal(para__machine_node_count(machine), 4);
    for (unsigned i = 0; i < 16; i++) {
        const unsigned from = i / 4; /* in the order of numbers, which is hwloc's turned round */
        const unsigned to = i % 4;
        assert_int_equal(machine->nodes->node[from].os_index, 2 * from);
        assert_int_equal(machine->nodes->node[from].memory_bytes, 2ull << 30);
        assert_int_equal(machine->nodes->distance[i], 10 + (3 - from) * 4 + 3 - to);
    }
    para__machine_free(machine);
    forget_variables(NULL);
    machine = load("pack:2 [numa] [numa] core:4 pu:1"); /* two have no CPUs of their own */
    assert_int_equal(machine->info.numa_nodes, 2);
    assert_int_equal(machine->nodes->count, 4);
    assert_int_equal(machine->nodes->distance[1], 0);
    para__machine_free(machine);
}

static void test_malformed_variables(void **state)
{
    static const struct {
        const char *name, *value;
    } malformed[] = {
        {"HWLOC_SYNTHETIC", "nonsense"},
        {"HWLOC_SYNTHETIC", "core:0 pu:1"},
        {"HWLOC_SYNTHETIC", "core:2 pu:-1"},
        {"HWLOC_SYNTHETIC", "pu:2 core:2"},
        {"HWLOC_SYNTHETIC", ":"},
        {"HWLOC_SYNTHETIC", "node:2 core:2 pu:2 ["},
        {"HWLOC_XMLFILE", "/nonexistent/file"},
        {"HWLOC_XMLFILE", "/"},
        {"HWLOC_XMLFILE", "/proc/self/status"},
        {"HWLOC_XMLFILE", "/dev/null"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        forget_variables(NULL);
        setenv(malformed[i].name, malformed[i].value, 1);
        print_message("%s=%s\n", malformed[i].name, malformed[i].value);
        para__machine *machine = NULL;
        errno = 77;
        assert_int_equal(para__machine_load(&machine, "/nonexistent"), PARA_ERR_TOPOLOGY);
        assert_null(machine);
        assert_int_equal(errno, 77);
        assert_non_null(strstr(para_status_detail(), malformed[i].name));
        assert_non_null(strstr(para_status_detail(), malformed[i].value));
    }
}

/* In children, because hwloc 2.9 does not free all that it had read of a broken file. */
static void test_truncated_file(void **state)
{
    (void)state;
    char path[] = "/tmp/para-machine-XXXXXX";
    const int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    write_hybrid(path, "node:2 core:2 pu:1", 2, 1);
    setenv("HWLOC_XMLFILE", path, 1);
    struct stat whole;
    assert_int_equal(stat(path, &whole), 0);
    for (int tenths = 9; tenths >= 0; tenths--) {
        assert_int_equal(truncate(path, whole.st_size * tenths / 10), 0);
        const pid_t child = fork();
        if (child == 0) {
            para__machine *machine = NULL;
            _exit(-para__machine_load(&machine, "/nonexistent"));
        }
        assert_int_equal(status_of_child(child), -PARA_ERR_TOPOLOGY);
    }
    unlink(path);
}

static void test_empty_variables_mean_nothing(void **state)
{
    (void)state;
    setenv("HWLOC_XMLFILE", "", 1);
    para__machine *machine = load("");
    check(machine);
    assert_true(machine->info.this_system);
    para__machine_free(machine);
}

/* A long value does not fit into a detail: what there is of it is still a sentence that names it.
 * */
static void test_long_malformed_variable(void **state)
{
    (void)state;
    char value[5000];
    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    setenv("HWLOC_SYNTHETIC", value, 1);
    para__machine *machine = NULL;
    assert_int_equal(para__machine_load(&machine, "/nonexistent"), PARA_ERR_TOPOLOGY);
    assert_non_null(strstr(para_status_detail(), "HWLOC_SYNTHETIC=xxx"));
}

static void test_nothing_is_printed(void **state)
{
    (void)state;
    FILE *const captured = tmpfile();
    const int before = dup(STDERR_FILENO);
    assert_true(captured && before >= 0);
    dup2(fileno(captured), STDERR_FILENO);
    para__machine *machine = NULL;
    setenv("HWLOC_SYNTHETIC", "core:2(indexes=7,7,7) pu:1", 1);
    if (para__machine_load(&machine, "/nonexistent") == PARA_OK)
        para__machine_free(machine);
    setenv("HWLOC_SYNTHETIC", "nonsense", 1);
    para__machine_load(&machine, "/nonexistent");
    unsetenv("HWLOC_SYNTHETIC");
    setenv("HWLOC_CPUKINDS_RANKING", "nonsense", 1); /* of this one hwloc warns by default */
    if (para__machine_load(&machine, "/nonexistent") == PARA_OK)
        para__machine_free(machine);
    unsetenv("HWLOC_CPUKINDS_RANKING");
    dup2(before, STDERR_FILENO);
    close(before);
    assert_int_equal(fseek(captured, 0, SEEK_END), 0);
    assert_int_equal(ftell(captured), 0);
    fclose(captured);
}

static void test_this_system(void **state)
{
    (void)state;
    cpu_set_t before;
    cpu_set_t after;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    para__machine *machine = NULL;
    assert_int_equal(para__machine_load(&machine, ""), PARA_OK);
    check(machine);
    assert_true(machine->info.this_system);
    assert_int_equal(machine->info.cpus, CPU_COUNT(&before));
    for (unsigned i = 0; i < machine->cpu_count; i++)
        assert_true(CPU_ISSET(machine->cpu[i].os_index, &before));
    para__machine_free(machine);
    assert_int_equal(sched_getaffinity(0, sizeof after, &after), 0);
    assert_true(CPU_EQUAL(&before, &after));
}

#define FORGETTING(name) cmocka_unit_test_teardown(name, forget_variables)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FORGETTING(test_shapes),
        FORGETTING(test_every_place_of_the_largest),
        FORGETTING(test_system_numbers_are_not_positions),
        FORGETTING(test_caches),
        FORGETTING(test_fast_cores_come_first),
        FORGETTING(test_kinds_without_a_rank_are_one),
        FORGETTING(test_nodes),
        FORGETTING(test_malformed_variables),
        FORGETTING(test_truncated_file),
        FORGETTING(test_empty_variables_mean_nothing),
        FORGETTING(test_long_malformed_variable),
        FORGETTING(test_nothing_is_printed),
        FORGETTING(test_this_system),
    };
    forget_variables(NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
