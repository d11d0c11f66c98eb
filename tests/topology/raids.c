/* In which order the workers of a group look for work at others, on machines that hwloc makes up
 * and on those that can be bought: the nearest first. No thread is made. */
#include "described.h"

#include "plan/divide.h"

#include <stdio.h>

/* The groups to which members of a group go. */
static void list_raids(const para_pool *pool, unsigned group, char *text, size_t size)
{
    const para__lanes *const lanes = &pool->lanes;
    size_t length = 0;
    for (unsigned i = 0; i + 1 < lanes->groups; i++) {
        const unsigned worker = lanes->raids[group * (lanes->groups - 1) + i];
        assert_int_equal(lanes->helper[worker].group_first, worker);
        length += (size_t)snprintf(text + length, size - length, i ? ",%u" : "%u",
                                   lanes->helper[worker].group);
        assert_true(length < size);
    }
}

/* Each group comes once in the order of each other, and none is followed by a nearer one. */
static void check_order(const para_pool *pool)
{
    const para__lanes *const lanes = &pool->lanes;
    const unsigned others = lanes->groups - 1;
    bool *const seen = calloc(lanes->groups, sizeof *seen);
    assert_non_null(seen);
    for (unsigned worker = 0; worker < pool->requested; worker = lanes->helper[worker].group_end) {
        const para_cpu_info *const own = cpu_of(pool, worker);
        unsigned farthest = 0;
        memset(seen, 0, lanes->groups * sizeof *seen);
        seen[lanes->helper[worker].group] = true;
        for (unsigned i = 0; i < others; i++) {
            const unsigned w = lanes->raids[lanes->helper[worker].group * others + i];
            const para_cpu_info *const at = cpu_of(pool, w);
            unsigned distance = at->domain == own->domain ? 0 : 1;
            if (at->numa_node != own->numa_node) {
                para__machine_distances(pool->machine, own->numa_node, &at->numa_node, 1,
                                        &distance);
                distance = distance > 2 ? distance : 2;
            }
            assert_true(!seen[lanes->helper[w].group]);
            assert_true(distance >= farthest);
            farthest = distance;
            seen[lanes->helper[w].group] = true;
        }
    }
    free(seen);
}

/* One group has nowhere to go, so it has no order. */
TEST(one_domain)
{
    para__machine *const machine = load("HWLOC_SYNTHETIC", "node:1 core:16 pu:2");
    assert_null(place(machine, 16, PARA_BIND_CORE, PARA__FILL_CLOSE)->lanes.raids);
    para__machine_free(machine);
}

static const struct order {
    const char *variable, *machine;
    unsigned group;
    const char *others;
} orders[] = {
    /* groups of one domain */
    {"HWLOC_SYNTHETIC", "node:1 core:40 pu:1", 0, "1,2"},
    {"HWLOC_SYNTHETIC", "node:1 core:40 pu:1", 1, "2,0"},
    /* a domain with two groups: the other one before other nodes */
    {"HWLOC_SYNTHETIC", "node:3 core:32 pu:1", 3, "2,4,5,0,1"},
    /* no distances are known: caches of the node, then one after the other */
    {"HWLOC_SYNTHETIC", "pack:2 node:2 l3:2 core:4 pu:1", 3, "2,4,5,6,7,0,1"},
    /* a cache is a group here: those of the node, of the socket, of the other one */
    {"HWLOC_XMLFILE", "epyc-9654-nps4", 2,
     "0,1,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,"
     "22,23"},
    {"HWLOC_XMLFILE", "epyc-9654-nps4", 11,
     "9,10,0,1,2,3,4,5,6,7,8,12,13,14,15,16,17,18,19,20,21,"
     "22,23"},
    {"HWLOC_XMLFILE", "epyc-9654-nps4", 16,
     "17,15,18,19,20,21,22,23,12,13,14,0,1,2,3,4,5,6,7,8,9,"
     "10,11"},
    {"HWLOC_XMLFILE", "xeon-8490h-snc4", 1, "2,3,0,4,5,6,7"},
    {"HWLOC_XMLFILE", "xeon-8490h-snc4", 7, "4,5,6,0,1,2,3"},
};

static para__machine *load_order(const struct order *o)
{
    char text[500];
    snprintf(text, sizeof text, "%s/%s.xml", MACHINES, o->machine);
    return load(o->variable, strchr(o->machine, ':') ? o->machine : text);
}

TEST(nearest_first)
{
    for (size_t i = 0; i < COUNT_OF(orders); i++) {
        char text[500] = "";
        para__machine *const machine = load_order(&orders[i]);
        const para_pool *const pool =
            place(machine, machine->info.cores, PARA_BIND_CORE, PARA__FILL_CLOSE);
        list_raids(pool, orders[i].group, text, sizeof text);
        assert_string_equal(text, orders[i].others);
        check_order(pool);
        para__machine_free(machine);
    }
}

/* Small pools that are spread, pools of several workers a core, pools of second threads. */
TEST(any_pool)
{
    for (size_t i = 0; i < COUNT_OF(orders); i++) {
        para__machine *const machine = load_order(&orders[i]);
        for (unsigned workers = 1; workers <= machine->cpu_count; workers += 1 + workers / 2)
            for (int filling = PARA__FILL_CLOSE; filling <= PARA__FILL_SPREAD; filling++) {
                const para_pool *const pool =
                    place(machine, workers, PARA_BIND_CORE, (para__filling)filling);
                if (pool->lanes.groups > 1)
                    check_order(pool);
            }
        para__machine_free(machine);
    }
}

/* Threads that are bound to nothing are nowhere: all are equally far. */
TEST(floating_workers)
{
    char text[100] = "";
    para__machine *const machine = load_order(&orders[COUNT_OF(orders) - 1]);
    list_raids(place(machine, 60, PARA_BIND_NONE, PARA__FILL_CLOSE), 2, text, sizeof text);
    assert_string_equal(text, "3,0,1");
    para__machine_free(machine);
}

TEST(equally_far)
{
    const unsigned distance[] = {7, 3, 9, 3, 9, 0};
    uint16_t others[5];
    para__nearest_first(others, 2, 6, distance);
    assert_memory_equal(others, ((const uint16_t[]){5, 3, 1, 0, 4}), sizeof others);
    para__nearest_first(others, 0, 1, distance); /* nobody else: writes nothing */
    para__nearest_first(others, 1, 2, distance);
    assert_int_equal(others[0], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(one_domain, forget),
        cmocka_unit_test_setup(nearest_first, forget),
        cmocka_unit_test_setup(any_pool, forget),
        cmocka_unit_test_setup(floating_workers, forget),
        cmocka_unit_test(equally_far),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
