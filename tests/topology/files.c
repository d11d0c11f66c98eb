/* Machines that are described by files like the kernel's: trees that each test builds in a
 * directory of its own. */
#include "../common/root.h"

#include "base/memory.h"
#include "topology/locations.h"

#include <fcntl.h>

/* Writes a line into a file below root/sys/devices. */
static void put_line(const char *text, const char *format, ...)
{
    char name[200] = "sys/devices/";
    char line[5000];
    va_list args;
    va_start(args, format);
    vsnprintf(name + strlen(name), sizeof name - strlen(name), format, args);
    va_end(args);
    snprintf(line, sizeof line, "%s\n", text);
    put(name, line);
}

static void put_cache(unsigned cpu, int index, const char *level, const char *type,
                      const char *size, const char *shared)
{
    put_line(level, "system/cpu/cpu%u/cache/index%d/level", cpu, index);
    put_line(type, "system/cpu/cpu%u/cache/index%d/type", cpu, index);
    put_line(size, "system/cpu/cpu%u/cache/index%d/size", cpu, index);
    put_line(shared, "system/cpu/cpu%u/cache/index%d/shared_cpu_list", cpu, index);
}

/* Without usable CPUs, all that are switched on. */
static para__locations read_places(const char *usable)
{
    para__locations locations = {0};
    if (usable) {
        put_line(usable, "usable");
        assert_true(para__cpus_read(&locations.usable, AT_FDCWD, in_root("sys/devices/usable")));
    }
    errno = 77;
    assert_int_equal(para__locations_from_files(&locations, root), PARA_OK);
    assert_true(locations.this_system);
    return locations;
}

static const para__location *place_of(const para__locations *locations, unsigned cpu)
{
    for (unsigned i = 0; i < locations->count; i++)
        if (locations->location[i].cpu == cpu)
            return &locations->location[i];
    fail_msg("CPU %u is not listed", cpu);
    return NULL;
}

/* Two nodes with two L3 caches each, of two cores with two threads; the second threads are numbered
 * after all first ones, and the nodes' cores in turn. */
static void test_threads_caches_and_nodes(void **state)
{
    (void)state;
    put_line("0-15", "system/cpu/online");
    put_line("0-1", "system/node/online");
    put_line("0,2,4,6,8,10,12,14", "system/node/node0/cpulist");
    put_line("1,3,5,7,9,11,13,15", "system/node/node1/cpulist");
    for (unsigned cpu = 0; cpu < 16; cpu++) {
        char text[40];
        const unsigned core = cpu % 8;
        snprintf(text, sizeof text, "%u,%u", core, core + 8);
        put_line(text, "system/cpu/cpu%u/topology/core_cpus_list", cpu);
        put_cache(cpu, 0, "1", "Data", "48K", text);
        put_cache(cpu, 1, "1", "Instruction", "32K", text);
        put_cache(cpu, 2, "2", "Unified", "2048K", text);
        const unsigned first = core % 2 + core / 4 * 4;
        snprintf(text, sizeof text, "%u,%u,%u,%u", first, first + 2, first + 8, first + 10);
        put_cache(cpu, 3, "3", "Unified", "32768K", text);
    }
    para__locations locations = read_places(NULL);
    assert_int_equal(locations.count, 16);
    for (unsigned cpu = 0; cpu < 16; cpu++) {
        const para__location *location = place_of(&locations, cpu);
        assert_int_equal(location->core, cpu % 8);
        assert_int_equal(location->node, cpu % 2);
        assert_int_equal(location->l3, cpu % 2 + cpu % 8 / 4 * 4);
        assert_int_equal(location->kind, 0);
    }
    for (unsigned i = 1; i < 16; i++) { /* a core's, a cache's and a node's stand together */
        const para__location *before = &locations.location[i - 1];
        const para__location *at = &locations.location[i];
        assert_true(before->node <= at->node);
        assert_true(before->node < at->node || before->l3 <= at->l3);
        assert_int_equal(at->core == before->core, i % 2);
    }
    para__free(locations.location);
    size_t bytes[3];
    para__caches_from_files(root, 0, bytes);
    assert_int_equal(bytes[0], 48 << 10);
    assert_int_equal(bytes[1], 2048 << 10);
    assert_int_equal(bytes[2], 32768 << 10);

    locations = read_places("3-5,11,90");
    assert_int_equal(locations.count, 5); /* one that is not described too: the process has it */
    assert_int_equal(place_of(&locations, 3)->core, 3);
    assert_int_equal(place_of(&locations, 11)->core, 3);
    assert_int_equal(place_of(&locations, 90)->core, 90);
    para__free(locations.location);
}

/* A node's only L3 makes no domain, nor does one that a single core has. */
static void test_caches_that_are_no_domains(void **state)
{
    (void)state;
    put_line("0-3", "system/cpu/online");
    for (unsigned cpu = 0; cpu < 4; cpu++)
        put_cache(cpu, 0, "3", "Unified", "8192K", "0-3");
    para__locations locations = read_places(NULL);
    for (unsigned cpu = 0; cpu < 4; cpu++)
        assert_int_equal(place_of(&locations, cpu)->l3, PARA__NO_L3);
    para__free(locations.location);
    for (unsigned cpu = 0; cpu < 4; cpu++) {
        put_line(cpu < 2 ? "0-1" : "2-3", "system/cpu/cpu%u/topology/thread_siblings_list", cpu);
        put_cache(cpu, 0, "3", "Unified", "8192K", cpu < 2 ? "0-1" : "2-3");
    }
    locations = read_places(NULL);
    for (unsigned cpu = 0; cpu < 4; cpu++) {
        assert_int_equal(place_of(&locations, cpu)->core, cpu / 2 * 2);
        assert_int_equal(place_of(&locations, cpu)->l3, PARA__NO_L3);
    }
    para__free(locations.location);
}

/* Memory beside all CPUs, and a node without any. */
static void test_memory_of_its_own(void **state)
{
    (void)state;
    put_line("0-3", "system/cpu/online");
    put_line("0-3", "system/node/online");
    put_line("0-3", "system/node/node0/cpulist");
    put_line("0-1", "system/node/node1/cpulist");
    put_line("2-3", "system/node/node2/cpulist");
    put_line("", "system/node/node3/cpulist");
    para__locations locations = read_places(NULL);
    for (unsigned cpu = 0; cpu < 4; cpu++)
        assert_int_equal(place_of(&locations, cpu)->node, 1 + cpu / 2);
    para__free(locations.location);
}

/* As Arm's kernels describe big and small cores. */
static void test_capacities(void **state)
{
    (void)state;
    static const char *const capacity[] = {"446", "446", "871", "1024"};
    put_line("0-3", "system/cpu/online");
    for (unsigned cpu = 0; cpu < 4; cpu++)
        put_line(capacity[cpu], "system/cpu/cpu%u/cpu_capacity", cpu);
    para__locations locations = read_places(NULL);
    static const unsigned kind[] = {0, 0, 1, 2};
    for (unsigned cpu = 0; cpu < 4; cpu++)
        assert_int_equal(place_of(&locations, cpu)->kind, kind[cpu]);
    para__free(locations.location);
    put_line("0", "system/cpu/cpu3/cpu_capacity"); /* one is not known: nothing is compared */
    locations = read_places(NULL);
    for (unsigned cpu = 0; cpu < 4; cpu++)
        assert_int_equal(place_of(&locations, cpu)->kind, 0);
    para__free(locations.location);
}

/* As on Intel's hybrid processors, where some big cores may be clocked higher than others; and by
 * frequency alone. */
static void test_frequencies(void **state)
{
    (void)state;
    static const char *const frequency[] = {"5200000", "5000000", "3800000", "3800000"};
    put_line("0-3", "system/cpu/online");
    for (unsigned cpu = 0; cpu < 4; cpu++)
        put_line(frequency[cpu], "system/cpu/cpu%u/cpufreq/cpuinfo_max_freq", cpu);
    for (int names = 0; names < 2; names++) {
        if (names) {
            put_line("0-1", "cpu_core/cpus");
            put_line("2-3", "cpu_atom/cpus");
        }
        para__locations locations = read_places(NULL);
        for (unsigned cpu = 0; cpu < 4; cpu++)
            assert_int_equal(place_of(&locations, cpu)->kind, cpu < 2);
        para__free(locations.location);
    }
}

static void test_nothing_there(void **state)
{
    (void)state;
    para__locations locations = read_places("0-2");
    assert_int_equal(locations.count, 3);
    for (unsigned cpu = 0; cpu < 3; cpu++) {
        const para__location *location = place_of(&locations, cpu);
        assert_int_equal(location->core, cpu);
        assert_int_equal(location->node, 0);
        assert_int_equal(location->l3, PARA__NO_L3);
        assert_int_equal(location->kind, 0);
    }
    para__free(locations.location);
    size_t bytes[3];
    para__caches_from_files(root, 0, bytes);
    assert_int_equal(bytes[0] + bytes[1] + bytes[2], 0);
    locations = read_places(NULL);
    assert_int_equal(locations.count, 1);
    para__free(locations.location);
}

/* It may describe nothing, as in an emulator. */
TEST(test_caches_from_processor)
{
    size_t bytes[3] = {0};
    para__caches_from_processor(bytes);
    for (int level = 0; level < 3; level++)
        assert_true(bytes[level] == 0 || (bytes[level] >= 4096 && bytes[level] < (size_t)1 << 36));
#if defined(__x86_64__)
    size_t told[3] = {0};
    para__caches_from_files("", 0, told);
    if (told[0] && bytes[0]) /* both describe this machine */
        assert_int_equal(bytes[0], told[0]);
#endif
}

static void test_lists(void **state)
{
    static const struct {
        const char *text;
        unsigned count, first;
    } lists[] = {
        {"", 0, PARA__CPUS_MAX},
        {"0", 1, 0},
        {"7", 1, 7},
        {"0-8191", 8192, 0},
        {"0-3,8,10-11", 7, 0},
        {"5-4", 0, 8192},
        {"8192", 0, 8192},
        {"99999999999", 0, 8192},
        {"8190-99999999999", 2, 8190},
        {"-3", 1, 3},
        {"x,4", 1, 4},
        {"1,,2", 2, 1},
    };
    (void)state;
    const char *const path = in_root("sys/devices/list");
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        para__cpus set = {{0}};
        put_line(lists[i].text, "list");
        print_message("%s\n", lists[i].text);
        assert_true(para__cpus_read(&set, AT_FDCWD, path));
        assert_int_equal(para__cpus_count(&set), lists[i].count);
        assert_int_equal(para__cpus_first(&set), lists[i].first);
    }
    para__cpus set = {{0}};
    char text[4000] = ""; /* longer than a piece that is read at once */
    for (int cpu = 0; cpu < 1400; cpu += 2)
        sprintf(text + strlen(text), "%d,", cpu);
    put_line(text, "list");
    assert_true(para__cpus_read(&set, AT_FDCWD, path));
    assert_int_equal(para__cpus_count(&set), 700);
    errno = 77;
    assert_false(para__cpus_read(&set, AT_FDCWD, "/nonexistent/list"));
    assert_int_equal(errno, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_IN_ROOT(test_threads_caches_and_nodes),
        TEST_IN_ROOT(test_caches_that_are_no_domains),
        TEST_IN_ROOT(test_memory_of_its_own),
        TEST_IN_ROOT(test_capacities),
        TEST_IN_ROOT(test_frequencies),
        TEST_IN_ROOT(test_nothing_there),
        cmocka_unit_test(test_caches_from_processor),
        TEST_IN_ROOT(test_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
