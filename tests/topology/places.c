/* Places in OpenMP's grammar: what a text means on machines that hwloc makes up, and where a pool's
 * workers are then. */
#include "../common/child.h"
#include "../common/root.h"

#include "base/memory.h"
#include "topology/locations.h"
#include "topology/places.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int forget(void **state)
{
    (void)state;
    unsetenv("HWLOC_SYNTHETIC");
    unsetenv("PARA_PLACES");
    unsetenv("PARA_PROC_BIND");
    return 0;
}

static para__machine *load(const char *synthetic)
{
    setenv("HWLOC_SYNTHETIC", synthetic, 1);
    para__machine *machine = NULL;
    OK(para__machine_load(&machine, "/nonexistent"));
    return machine;
}

/* Places as 0,1|2,3. */
static void write_places(char *text, size_t size, const para__places *places)
{
    size_t length = 0;
    for (unsigned i = 0; i < places->count; i++) {
        const char *before = i ? "|" : "";
        for (unsigned cpu = 0; cpu < PARA__CPUS_MAX; cpu++)
            if (para__cpus_has(&places->place[i], cpu)) {
                length += (size_t)snprintf(text + length, size - length, "%s%u", before, cpu);
                before = ",";
            }
    }
    assert_true(length < size);
}

static void means(const para__machine *machine, const char *text, const char *expected,
                  unsigned dropped)
{
    char made[4000] = "";
    para__places *places = NULL;
    para__places_fault fault;
    const para_status status = para__places_make(&places, machine, text, &fault);
    if (status)
        fail_msg("%s: %s", text, para_status_name(status));
    write_places(made, sizeof made, places);
    if (strcmp(made, expected) != 0 || places->dropped != dropped)
        fail_msg("%s is %s without %u, not %s without %u", text, made, places->dropped, expected,
                 dropped);
    OK(para__places_make(NULL, NULL, text, &fault)); /* the text alone is all right too */
    para__free(places);
}

/* Two sockets of two nodes of two cores with two threads: 16 CPUs. */
static const char machine_of_16[] = "pack:2 node:2 core:2 pu:2";

TEST(lists)
{
    static const struct {
        const char *text, *expected;
        unsigned dropped;
    } lists[] = {
        {"{0}", "0", 0},
        {"0", "0", 0},
        {"0,5", "0|5", 0},
        {"0:4", "0|1|2|3", 0},
        {"{0:4}", "0,1,2,3", 0},
        {"{0:4},{4:4}", "0,1,2,3|4,5,6,7", 0},
        {"{0:4}:2:4", "0,1,2,3|4,5,6,7", 0},
        {"{0:4}:2", "0,1,2,3|1,2,3,4", 0},
        {"{0:2:8}:4:2", "0,8|2,10|4,12|6,14", 0},
        {"{6}:4:-2", "6|4|2|0", 0},
        {"{6:3:-3}", "0,3,6", 0},
        {"{3}:2:0", "3|3", 0},
        {"{0:8,!3}", "0,1,2,4,5,6,7", 0},
        {"{!3,0:8}", "0,1,2,4,5,6,7", 0},
        {"{0}:4:1,!{2}", "0|1|3", 0},
        {"!{2},{0}:4:1", "0|1|3", 0},
        {"{0:4},{4:4},!{0,1,2,3}", "4,5,6,7", 0},
        {"{0},{1},!2", "0|1", 0},
        {" { 0 : 4 } : 2 : 4 , ! { 7 } ", "0,1,2,3|4,5,6,7", 0},
        {"{0,1},{1,0}", "0,1|0,1", 0},
        {"{14:4},{16:4},{20:4}", "14,15", 2}, /* CPUs that are not there, as in libgomp */
        {"{12:4}:3:4", "12,13,14,15", 2},
        {"{0,!0},{1}", "1", 1},
        {"{8191},{1}", "1", 1},
    };
    para__machine *const machine = load(machine_of_16);
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        means(machine, lists[i].text, lists[i].expected, lists[i].dropped);
    para__machine_free(machine);
}

TEST(malformed)
{
    static const char *const bad[] = {"{",
                                      "}",
                                      "{}",
                                      "{0",
                                      "0}",
                                      "{0,}",
                                      "{,0}",
                                      ",",
                                      "{0},",
                                      ",{0}",
                                      "{0}{1}",
                                      "{0} {1}",
                                      "{0:}",
                                      "{0:0}",
                                      "{0:-1}",
                                      "{0:1:}",
                                      "{0:2:x}",
                                      "{-1}",
                                      "-1",
                                      "{+1}",
                                      "+1",
                                      "{0}:0",
                                      "{0}:-1",
                                      "{0}:2:",
                                      "{0}:",
                                      "{0}:2:-1",
                                      "{3}:5:-1",
                                      "{0:2:-1}",
                                      "{1:3:-1}",
                                      "{8192}",
                                      "{8191:2}",
                                      "{99999999999999999999}",
                                      "{0:99999999999999999999}",
                                      "!",
                                      "!{0}:2",
                                      "{!0:2}",
                                      "{0:4}:2:4:1",
                                      "{0:1:1:1}",
                                      "{{0}}",
                                      "{0;1}",
                                      "{0x1}",
                                      "0-3",
                                      "{0-3}",
                                      "all",
                                      "core",
                                      "coress",
                                      "cores()",
                                      "cores(0)",
                                      "cores(-1)",
                                      "cores(2",
                                      "cores 2",
                                      "cores(2)x",
                                      "cores,{0}",
                                      "cores(2),sockets",
                                      "threads:2",
                                      "!cores",
                                      "{cores}",
                                      "(2)",
                                      "ll-caches",
                                      " "};
    para__places_fault fault;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        fault = (para__places_fault){""};
        if (para__places_make(NULL, NULL, bad[i], &fault) != PARA_ERR_ARGUMENT)
            fail_msg("\"%s\" is taken", bad[i]);
        assert_true(*fault.text);
    }
}

static void is_refused(const para__machine *machine, const char *text, const char *why)
{
    para__places_fault fault;
    para__places *const untouched = (para__places *)&fault;
    para__places *places = untouched;
    if (para__places_make(&places, machine, text, &fault) != PARA_ERR_ARGUMENT)
        fail_msg("\"%s\" is taken", text);
    assert_ptr_equal(places, untouched);
    assert_string_equal(fault.text, why);
}

/* A text that is no list of places is told what one looks like; else what is wrong is named. */
TEST(faults_are_named)
{
    static const char grammar[] = "expected places, such as {0:4},{4:4} or {0:4}:2:4, or threads, "
                                  "cores, ll_caches, numa_domains or sockets";
    is_refused(NULL, "coes", grammar);
    is_refused(NULL, "{0", grammar);
    is_refused(NULL, "0-3", grammar);
    is_refused(NULL, "cores(2", grammar);
    is_refused(NULL, "{16384}", "16384 is not the number of a CPU, which is 0 to 8191");
    is_refused(NULL, "{0},-1", "-1 is not the number of a CPU, which is 0 to 8191");
    is_refused(NULL, "{99999999999999999999}",
               "99999999999999999999 is not the number of a CPU, which is 0 to 8191");
    is_refused(NULL, "{0}:4294967295",
               "4294967295 is not a number of CPUs or places, which is 1 to 8192");
    is_refused(NULL, "cores(0)", "0 is not a number of CPUs or places, which is 1 to 8192");
    is_refused(NULL, "{0:2:9999}", "9999 is not a distance, which is -8192 to 8192");
    is_refused(NULL, "{0}:3:-4", "a place would have CPU -4: the numbers of CPUs are 0 to 8191");
    is_refused(NULL, "{8191:2}", "a place would have CPU 8192: the numbers of CPUs are 0 to 8191");
    is_refused(NULL, "{0}:8192:0,{0}:8192:0", "more than 8192 places");
    para__machine *machine = load(machine_of_16);
    is_refused(machine, "{16},{20:4}",
               "no place has a CPU that the process may use: it may use CPUs 0-15");
    is_refused(machine, "{0},!{0}", "all places are excluded");
    para__machine_free(machine);
    machine = load("core:3 pu:1(indexes=2,5,6)");
    is_refused(machine, "{1}",
               "no place has a CPU that the process may use: it may use CPUs 2,5-6");
    para__machine_free(machine);
    machine = load("core:1 pu:1");
    is_refused(machine, "{1}", "no place has a CPU that the process may use: it may use CPU 0");
    para__machine_free(machine);
    machine = load("core:24 pu:1(indexes=100,102,104,106,108,110,112,114,116,118,120,122,124,126,"
                   "128,130,132,134,136,138,140,142,144,146)");
    is_refused(machine, "{1}",
               "no place has a CPU that the process may use: it may use CPUs "
               "100,102,104,106,108,110,112,114,116,118,120,122,124,126,128,...");
    para__machine_free(machine);
}

TEST(names)
{
    para__machine *machine = load(machine_of_16);
    means(machine, "threads", "0|1|2|3|4|5|6|7|8|9|10|11|12|13|14|15", 0);
    means(machine, "threads(3)", "0|1|2", 0);
    means(machine, "cores", "0,1|2,3|4,5|6,7|8,9|10,11|12,13|14,15", 0);
    means(machine, "Cores ( 2 )", "0,1|2,3", 0);
    means(machine, "cores(99)", "0,1|2,3|4,5|6,7|8,9|10,11|12,13|14,15", 0);
    means(machine, "numa_domains", "0,1,2,3|4,5,6,7|8,9,10,11|12,13,14,15", 0);
    means(machine, "NUMA_DOMAINS(1)", "0,1,2,3", 0);
    means(machine, "sockets", "0,1,2,3,4,5,6,7|8,9,10,11,12,13,14,15", 0);
    means(machine, " sockets(1) ", "0,1,2,3,4,5,6,7", 0);
    means(machine, "ll_caches", "0,1,2,3|4,5,6,7|8,9,10,11|12,13,14,15", 0); /* not known: nodes */
    para__machine_free(machine);
    machine = load("pack:2 l3:1 node:2 l2:2 core:1 pu:1"); /* nodes that share a cache */
    means(machine, "ll_caches", "0,1,2,3|4,5,6,7", 0);
    means(machine, "numa_domains", "0,1|2,3|4,5|6,7", 0);
    para__machine_free(machine);
    machine = load("pack:1 l3:3 core:2 pu:1");
    means(machine, "ll_caches", "0,1|2,3|4,5", 0);
    para__machine_free(machine);
    machine = load("pack:1 l2:4 core:1 pu:2"); /* no third level */
    means(machine, "ll_caches", "0,1|2,3|4,5|6,7", 0);
    para__machine_free(machine);
    machine =
        load("core:2 pu:2(indexes=0,2,1,3)"); /* second threads are numbered after all first */
    means(machine, "threads", "0|2|1|3", 0);
    means(machine, "cores", "0,2|1,3", 0);
    means(machine, "sockets", "0,1,2,3", 0); /* not known: one */
    para__machine_free(machine);
}

/* Sockets and caches of the real machine: kernels before 5.4 have other names. */
TEST(groups_of_files)
{
    enum { CPUS = 8 };
    para_cpu_info cpu[CPUS];
    unsigned group[CPUS];
    const para__machine machine = {.cpu_count = CPUS, .cpu = cpu};
    static const unsigned sockets[CPUS] = {0, 0, 0, 0, 4, 4, 4, 4};
    static const unsigned caches[CPUS] = {0, 0, 2, 2, 4, 4, PARA__NO_GROUP, PARA__NO_GROUP};
    for (unsigned i = 0; i < CPUS; i++) {
        char name[100];
        cpu[i] = (para_cpu_info){.os_index = i};
        group[i] = PARA__NO_GROUP;
        snprintf(name, sizeof name, "sys/devices/system/cpu/cpu%u/topology/%s", i,
                 i < 4 ? "package_cpus_list" : "core_siblings_list");
        put(name, i < 4 ? "0-3\n" : "4-7\n");
        for (int index = 0; index < 2 && i < 6; index++) {
            snprintf(name, sizeof name, "sys/devices/system/cpu/cpu%u/cache/index%d/level", i,
                     index);
            put(name, index ? "2\n" : "1\n");
            snprintf(name, sizeof name, "sys/devices/system/cpu/cpu%u/cache/index%d/type", i,
                     index);
            put(name, index ? "Unified\n" : "Data\n");
            char shared[20];
            snprintf(shared, sizeof shared, "%u-%u\n", index ? i / 2 * 2 : i,
                     index ? i / 2 * 2 + 1 : i);
            snprintf(name, sizeof name,
                     "sys/devices/system/cpu/cpu%u/cache/index%d/shared_cpu_list", i, index);
            put(name, shared);
        }
    }
    para__groups_from_files(&machine, PARA__LEVEL_SOCKET, group, root);
    assert_memory_equal(group, sockets, sizeof group);
    for (unsigned i = 0; i < CPUS; i++)
        group[i] = PARA__NO_GROUP;
    para__groups_from_files(&machine, PARA__LEVEL_CACHE, group, root);
    assert_memory_equal(group, caches, sizeof group);
}

/* ---- Pools ------------------------------------------------------------------------------- */

/* The first CPU of what each worker is bound to, of pools on a described machine. */
typedef struct pool_case {
    const char *machine, *places, *binding;
    unsigned workers, distribution;
    const char *expected;
} pool_case;

static const pool_case *the_case;

/* What the workers of the case's pool are bound to is as expected: `0,1|0,1|2,3`. Places are given
 * by the environment, and then by the program. */
static void pool_body(void)
{
    const pool_case *const c = the_case;
    setenv("HWLOC_SYNTHETIC", c->machine, 1);
    for (int by_program = 0; by_program < (c->places && !c->binding ? 2 : 1); by_program++) {
        char text[2000] = "";
        size_t length = 0;
        para_pool_config config = PARA_POOL_CONFIG_INIT;
        para_pool *pool = NULL;
        para_pool_info info = {.size = sizeof info};
        unsetenv("PARA_PLACES");
        if (c->binding)
            setenv("PARA_PROC_BIND", c->binding, 1);
        if (by_program)
            config.places = c->places;
        else if (c->places)
            setenv("PARA_PLACES", c->places, 1);
        config.workers = c->workers;
        config.distribution = (para_distribution)c->distribution;
        CHECK(para_pool_create(&pool, &config) == PARA_OK);
        CHECK(para_pool_get_info(pool, &info) == PARA_OK);
        for (unsigned i = 0; i < info.workers; i++) {
            para_worker_info worker = {.size = sizeof worker};
            unsigned cpus[64];
            CHECK(para_pool_get_worker(pool, i, &worker) == PARA_OK && worker.cpus <= 64);
            CHECK(para_pool_get_worker_cpus(pool, i, worker.cpus, cpus) == PARA_OK);
            CHECK(para_pool_get_worker_cpus(pool, i, worker.cpus + 1, cpus) == PARA_ERR_ARGUMENT);
            for (unsigned n = 0; n < worker.cpus; n++)
                length += (size_t)snprintf(text + length, sizeof text - length, "%s%u",
                                           n   ? ","
                                           : i ? "|"
                                               : "",
                                           cpus[n]);
        }
        CHECK((info.places > 0) == (info.binding == PARA_BIND_PLACES));
        if (strcmp(text, c->expected) != 0)
            fprintf(stderr, "%s, %s, %u workers: %s, not %s\n", c->places ? c->places : "-",
                    c->binding ? c->binding : "-", c->workers, text, c->expected);
        CHECK(strcmp(text, c->expected) == 0);
        para_pool_destroy(pool);
    }
}

TEST(workers_follow_openmps_rules)
{
    static const pool_case cases[] = {
        {machine_of_16, "cores", NULL, 2, 0, "0,1|2,3"},
        {machine_of_16, "cores", "close", 2, 0, "0,1|2,3"},
        {machine_of_16, "cores", "spread", 2, 0, "0,1|8,9"},
        {machine_of_16, "cores", "spread", 3, 0, "0,1|6,7|12,13"}, /* parts of 3, 3 and 2 */
        {machine_of_16, "cores", "true", 3, 0, "0,1|2,3|4,5"},
        {machine_of_16, "cores", "primary", 3, 0, "0,1|0,1|0,1"},
        {machine_of_16, "cores", "core", 2, 0, "0,1|2,3"},
        {machine_of_16, "cores", "domain", 2, 0, "0,1|2,3"},
        {machine_of_16, "cores", "false", 2, 0, ""},
        {machine_of_16, "sockets", NULL, 2, 0, "0,1,2,3,4,5,6,7|8,9,10,11,12,13,14,15"},
        {machine_of_16, "{0:2},{8:2}", NULL, 3, 0, "0,1|0,1|8,9"},
        {machine_of_16, "{0},{8},{1}", NULL, 5, 0, "0|0|8|8|1"},
        {machine_of_16, "{0},{8},{1}", "spread", 5, 0, "0|0|8|8|1"},
        {machine_of_16, "{0:2},{8:2}", NULL, 0, 0, "0,1|8,9"}, /* as many as cores */
        {machine_of_16, "cores(3)", NULL, 0, 0, "0,1|2,3|4,5"},
        {machine_of_16, "threads(4)", NULL, 0, 0, "0|1|2|3"}, /* as many as places */
        {machine_of_16, "{0},{0},{0:2}", NULL, 0, 0, "0|0"},  /* but not more than CPUs */
        {machine_of_16, "cores", "primary", 0, 0, "0,1"},
        {machine_of_16, "sockets", "primary", 0, 0,
         "0,1,2,3,4,5,6,7|0,1,2,3,4,5,6,7|0,1,2,3,4,5,6,7|0,1,2,3,4,5,6,7"},
        {machine_of_16, "threads(4)", NULL, 4, 0, "0|1|2|3"},
        {machine_of_16, "cores", NULL, 2, PARA_DISTRIBUTE_SPREAD, "0,1|8,9"},
        {machine_of_16, "cores", NULL, 2, PARA_DISTRIBUTE_CLOSE, "0,1|2,3"},
        {machine_of_16, "cores", "spread", 2, PARA_DISTRIBUTE_CLOSE, "0,1|2,3"},
        {machine_of_16, NULL, NULL, 3, PARA_DISTRIBUTE_SPREAD, "0|4|8"},
        {machine_of_16, NULL, NULL, 3, PARA_DISTRIBUTE_CLOSE, "0|2|4"},
        {machine_of_16, NULL, "domain", 2, PARA_DISTRIBUTE_SPREAD, "0,1,2,3|4,5,6,7"},
        {machine_of_16, NULL, "false", 2, PARA_DISTRIBUTE_SPREAD, ""},
        {machine_of_16, NULL, NULL, 3, 0, ""}, /* fewer than cores: not bound */
        {machine_of_16, NULL, NULL, 10, 0, "0|2|4|6|8|10|12|14|1|3"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        the_case = &cases[i];
        run_in_child(pool_body);
        forget(NULL);
    }
}

static void program_body(void)
{
    setenv("HWLOC_SYNTHETIC", machine_of_16, 1);
    para_pool *pool = NULL;
    para_pool_info info = {.size = sizeof info};
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    setenv("PARA_PLACES", "cores", 1);
    config.binding = PARA_BIND_DOMAIN; /* the program says it */
    CHECK(para_pool_create(&pool, &config) == PARA_OK);
    CHECK(para_pool_get_info(pool, &info) == PARA_OK);
    CHECK(info.binding == PARA_BIND_DOMAIN && info.places == 0 && info.workers == 16);
    para_pool_destroy(pool);
    config.places = "cores(2)";
    CHECK(para_pool_create(&pool, &config) == PARA_ERR_ARGUMENT);
    config.binding = PARA_BIND_AUTO;
    CHECK(para_pool_create(&pool, &config) == PARA_OK);
    CHECK(para_pool_get_info(pool, &info) == PARA_OK);
    CHECK(info.binding == PARA_BIND_PLACES && info.places == 2 && info.workers == 2);
    para_pool_destroy(pool);
    config.places = "{14:4}:3:2";
    CHECK(para_pool_create(&pool, &config) == PARA_OK);
    CHECK(para_pool_get_info(pool, &info) == PARA_OK);
    CHECK(info.places == 1 && info.places_dropped == 2 && info.workers == 1);
    para_pool_destroy(pool);
    config.places = "{99}";
    CHECK(para_pool_create(&pool, &config) == PARA_ERR_ARGUMENT);
    CHECK(strstr(para_status_detail(), "config.places={99}"));
    config.places = "";
    CHECK(para_pool_create(&pool, &config) == PARA_ERR_ARGUMENT);
    config = (para_pool_config)PARA_POOL_CONFIG_INIT;
    config.binding = PARA_BIND_PLACES;
    CHECK(para_pool_create(&pool, &config) == PARA_ERR_ARGUMENT);
    config.binding = PARA_BIND_AUTO;
    config.distribution = (para_distribution)3;
    CHECK(para_pool_create(&pool, &config) == PARA_ERR_ARGUMENT);
    config.distribution = PARA_DISTRIBUTE_AUTO;
    setenv("PARA_PLACES", "{99}", 1); /* of the environment, where it does not fit the machine */
    CHECK(para_pool_create(&pool, &config) == PARA_ERR_ENVIRONMENT);
    CHECK(strstr(para_status_detail(), "PARA_PLACES={99}"));
    config.binding = PARA_BIND_NONE;
    CHECK(para_pool_create(&pool, &config) == PARA_OK); /* nobody asks for them */
    para_pool_destroy(pool);
}

TEST(the_program_wins)
{
    run_in_child(program_body);
}

/* The default pool is made without them, and says so once. */
static void default_body(void)
{
    FILE *const said = tmpfile();
    char text[1000] = "";
    setenv("HWLOC_SYNTHETIC", machine_of_16, 1);
    setenv("PARA_PLACES", "{99}", 1);
    CHECK(said && dup2(fileno(said), STDERR_FILENO) >= 0);
    para_pool_info info = {.size = sizeof info};
    CHECK(para_pool_get_info(NULL, &info) == PARA_OK);
    CHECK(info.workers == 16 && info.usual == 8 && info.places == 0 &&
          info.binding == PARA_BIND_CORE);
    rewind(said);
    CHECK(fread(text, 1, sizeof text - 1, said) > 0);
    CHECK(strcmp(text, "para: PARA_PLACES={99}: no place has a CPU that the process may use: it "
                       "may use CPUs 0-15; ignored\n") == 0);
}

TEST(the_default_pool_computes)
{
    run_in_child(default_body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(lists, forget),
        cmocka_unit_test_setup(malformed, forget),
        cmocka_unit_test_setup(faults_are_named, forget),
        cmocka_unit_test_setup(names, forget),
        TEST_IN_ROOT(groups_of_files),
        cmocka_unit_test_setup(workers_follow_openmps_rules, forget),
        cmocka_unit_test_setup(the_program_wins, forget),
        cmocka_unit_test_setup(the_default_pool_computes, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
