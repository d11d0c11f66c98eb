/* Many machines: synthetic ones of all shapes, and those that machines.py writes after what makers
 * publish. For each of them: CPUs, cores, domains, nodes and kinds; the order of workers; what they
 * are pinned to; whose slices lie on which node. No thread is made. */
#include "../common/check.h"
#include "invariants.h"

#include "plan/divide.h"
#include "pool/place.h"
#include "pool/binding.h"
#include "topology/locations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int forget(void **state)
{
    (void)state;
    unsetenv("HWLOC_SYNTHETIC");
    unsetenv("HWLOC_XMLFILE");
    return 0;
}

static para__machine *load(const char *variable, const char *value)
{
    setenv(variable, value, 1);
    para__machine *machine = NULL;
    const para_status status = para__machine_load(&machine, "/nonexistent");
    unsetenv(variable);
    if (status)
        fail_msg("%s: %s: %s", value, para_status_name(status), para_status_detail());
    return machine;
}

/* ---- Workers --------------------------------------------------------------------------- */

/* A pool as far as placing goes. */
static para_pool *place(const para__machine *machine, unsigned workers, para_binding binding,
                        para__filling filling)
{
    static para_pool pool;
    free(pool.worker);
    pool = (para_pool){.machine = machine, .requested = workers, .binding = binding};
    pool.worker = calloc(workers, sizeof *pool.worker);
    assert_non_null(pool.worker);
    for (unsigned i = 0; i < workers; i++) {
        pool.worker[i].pool = &pool;
        pool.worker[i].index = i;
    }
    OK(para__workers_place(&pool, filling));
    return &pool;
}

static const para_cpu_info *cpu_of(const para_pool *pool, unsigned worker)
{
    return &pool->machine->cpu[pool->worker[worker].cpu_index];
}

/* Each worker has a CPU for itself, and a core as long as there are cores. */
static void check_pins_to_cores(const para_pool *pool)
{
    const para__machine *const machine = pool->machine;
    para__cpus used = {{0}};
    para__cpus cores = {{0}};
    for (unsigned i = 0; i < pool->requested; i++) {
        const para__cpus cpus = para__worker_cpus(&pool->worker[i]);
        assert_int_equal(para__cpus_count(&cpus), 1);
        assert_int_equal(para__cpus_first(&cpus), cpu_of(pool, i)->os_index);
        assert_true(i >= machine->cpu_count || !para__cpus_include(&used, &cpus));
        assert_true(i >= machine->info.cores || !para__cpus_has(&cores, cpu_of(pool, i)->core));
        para__cpus_unite(&used, &cpus);
        para__cpus_add(&cores, cpu_of(pool, i)->core);
    }
}

/* A worker is pinned to all CPUs of its domain. */
static void check_pins_to_domains(const para_pool *pool)
{
    const para__machine *const machine = pool->machine;
    for (unsigned i = 0; i < pool->requested; i += 1 + pool->requested / 64) {
        const para__cpus cpus = para__worker_cpus(&pool->worker[i]);
        for (unsigned j = 0; j < machine->cpu_count; j++)
            assert_int_equal(para__cpus_has(&cpus, machine->cpu[j].os_index),
                             machine->cpu[j].domain == cpu_of(pool, i)->domain);
    }
}

/* Workers of a domain are neighbours, of each kind of core; and so the slices of a buffer make one
 * run on each node, as long as its share of the workers. */
static void check_slices(const para_pool *pool)
{
    const unsigned workers = pool->requested;
    const para__division division = {.units = 1000003, .width = workers, .tickets = 1};
    unsigned *const runs = calloc(pool->machine->info.domains, sizeof *runs);
    assert_non_null(runs);
    for (unsigned i = 0; i < workers; i++) {
        const para__range slice = para__slice_units(&division, i);
        assert_int_equal(slice.first, para__share(division.units, workers, i));
        assert_in_range(slice.count, division.units / workers, division.units / workers + 1);
        runs[cpu_of(pool, i)->domain] +=
            i == 0 || cpu_of(pool, i)->domain != cpu_of(pool, i - 1)->domain;
    }
    for (unsigned i = 0; i < pool->machine->info.domains; i++)
        assert_true(runs[i] <= pool->machine->info.core_kinds);
    free(runs);
}

/* As many workers in each domain, or one more, as long as all of its cores are enough. */
static void check_spread(const para_pool *pool)
{
    const para__machine *const machine = pool->machine;
    const unsigned domains = machine->info.domains;
    unsigned *const workers = calloc(2 * (size_t)domains, sizeof *workers);
    assert_non_null(workers);
    unsigned *const cores = workers + domains;
    for (unsigned i = 0; i < machine->info.cores; i++)
        cores[machine->cpu[i].domain]++;
    unsigned most = 0;
    for (unsigned i = 0; i < pool->requested; i++) {
        unsigned *const count = &workers[cpu_of(pool, i)->domain];
        ++*count;
        most = *count > most ? *count : most;
    }
    for (unsigned i = 0; i < domains; i++)
        assert_true(workers[i] + 1 >= most || workers[i] == cores[i]);
    free(workers);
}

static void check_workers(const para__machine *machine)
{
    const unsigned cores = machine->info.cores;
    const unsigned counts[] = {1, 2, machine->info.domains, cores / 2, cores, machine->cpu_count};
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        if (counts[i] == 0)
            continue;
        for (int filling = PARA__FILL_CLOSE; filling <= PARA__FILL_SPREAD; filling++) {
            para_pool *pool = place(machine, counts[i], PARA_BIND_CORE, (para__filling)filling);
            check_pins_to_cores(pool);
            if (counts[i] <= cores)
                check_slices(pool);
            if (counts[i] < cores && filling == PARA__FILL_SPREAD)
                check_spread(pool);
            check_pins_to_domains(
                place(machine, counts[i], PARA_BIND_DOMAIN, (para__filling)filling));
        }
    }
}

/* ---- Synthetic machines ---------------------------------------------------------------- */

/* Nodes, L3 caches in each, cores in each of those, threads in each. */
static void check_shape(unsigned nodes, unsigned caches, unsigned cores, unsigned threads)
{
    char text[100];
    snprintf(text, sizeof text, "node:%u l3:%u core:%u pu:%u", nodes, caches, cores, threads);
    para__machine *const machine = load("HWLOC_SYNTHETIC", text);
    const bool caches_count = caches > 1 && cores > 1;
    print_message("%s\n", text);
    check(machine);
    assert_int_equal(machine->info.cores, nodes * caches * cores);
    assert_int_equal(machine->info.cpus, nodes * caches * cores * threads);
    assert_int_equal(machine->info.numa_nodes, nodes);
    assert_int_equal(machine->info.domains, nodes * (caches_count ? caches : 1));
    for (unsigned i = 0; i < machine->cpu_count; i++) { /* threads are numbered core by core */
        const unsigned core = i % machine->info.cores;
        assert_int_equal(machine->cpu[i].os_index, core * threads + i / machine->info.cores);
        assert_int_equal(machine->cpu[i].numa_node, core / (caches * cores));
    }
    check_workers(machine);
    para__machine_free(machine);
}

TEST(synthetic_shapes)
{
    static const unsigned nodes[] = {1, 2, 3, 4, 8, 16};
    static const unsigned caches[] = {1, 2, 12};
    static const unsigned cores[] = {1, 2, 7, 16};
    for (size_t n = 0; n < COUNT_OF(nodes); n++)
        for (size_t l = 0; l < COUNT_OF(caches); l++)
            for (size_t c = 0; c < COUNT_OF(cores); c++)
                if (nodes[n] * caches[l] * cores[c] <= 128)
                    for (unsigned threads = 1; threads <= 4; threads *= 2)
                        check_shape(nodes[n], caches[l], cores[c], threads);
    check_shape(16, 1, 64, 2); /* the largest */
    check_shape(2, 12, 8, 2);
}

/* ---- Machines that can be bought -------------------------------------------------------- */

/* CPUs in the order of workers, as 0-16:2,17-31: steps as far as they go. */
static void list_order(const para__machine *machine, char *text, size_t size)
{
    size_t length = 0;
    for (unsigned i = 0, end; i < machine->cpu_count; i = end) {
        const long first = machine->cpu[i].os_index;
        const long step = i + 1 < machine->cpu_count ? machine->cpu[i + 1].os_index - first : 0;
        end = i + 1;
        while (step > 0 && end < machine->cpu_count &&
               (long)machine->cpu[end].os_index - (long)machine->cpu[end - 1].os_index == step)
            end++;
        length += (size_t)snprintf(text + length, size - length, i ? ",%ld" : "%ld", first);
        if (end > i + 1)
            length += (size_t)snprintf(text + length, size - length, step > 1 ? "-%u:%ld" : "-%u",
                                       machine->cpu[end - 1].os_index, step);
        assert_true(length < size);
    }
}

/* domains, nodes: by their CPUs; all_nodes: also those without CPUs. distance: from the first node
 * to the last; 0: none is known. cores_of: of each kind, the fastest first. */
static const struct bought {
    const char *name;
    unsigned cpus, cores, domains, nodes, all_nodes;
    unsigned cores_of[3];
    unsigned distance;
    size_t l2_kib, l3_kib;
    const char *order;
} bought[] = {
    {"epyc-9654", 384, 192, 24, 2, 2, {192}, 32, 1024, 32 << 10, "0-383"},
    {"epyc-9654-nps4", 384, 192, 24, 8, 8, {192}, 32, 1024, 32 << 10, "0-383"},
    {"xeon-8490h-snc4", 240, 120, 8, 8, 8, {120}, 21, 2048, 28800, "0-239"},
    {"core-i9-13900k", 32, 24, 1, 1, 1, {8, 16}, 0, 2048, 36 << 10, "0-16:2,17-31,1-15:2"},
    {"core-ultra-7-155h", 22, 16, 1, 1, 1, {6, 8, 2}, 0, 2048, 24 << 10, "0-12:2,13-21,1-11:2"},
    {"ryzen-ai-9-hx-370", 24, 12, 2, 1, 1, {4, 8}, 0, 1024, 16 << 10, "0-23"},
    {"grace-hopper", 72, 72, 1, 1, 2, {72}, 40, 1024, 114 << 10, "0-71"},
    {"xeon-max-9480", 224, 112, 2, 2, 4, {112}, 21, 2048, 115200, "0-223"},
};

static void check_bought(const struct bought *b)
{
    char text[500];
    snprintf(text, sizeof text, "%s/%s.xml", MACHINES, b->name);
    para__machine *const machine = load("HWLOC_XMLFILE", text);
    const para_topology_info *const info = &machine->info;
    unsigned kinds = 0;
    unsigned first = 0;
    print_message("%s\n", b->name);
    check(machine);
    assert_int_equal(info->cpus, b->cpus);
    assert_int_equal(info->cores, b->cores);
    assert_int_equal(info->budget, b->cores);
    assert_int_equal(info->domains, b->domains);
    assert_int_equal(info->numa_nodes, b->nodes);
    assert_int_equal(machine->nodes->count, b->all_nodes);
    assert_int_equal(machine->nodes->distance[b->all_nodes - 1], b->distance);
    assert_int_equal(info->l2_bytes, b->l2_kib << 10);
    assert_int_equal(info->l3_bytes, b->l3_kib << 10);
    while (kinds < COUNT_OF(b->cores_of) && b->cores_of[kinds])
        kinds++;
    assert_int_equal(info->core_kinds, kinds);
    for (unsigned k = 0; k < kinds; first += b->cores_of[k++])
        for (unsigned i = first; i < first + b->cores_of[k]; i++)
            assert_int_equal(machine->cpu[i].kind, kinds - 1 - k);
    for (unsigned i = 0; i < b->all_nodes; i++)
        assert_int_equal(machine->nodes->node[i].os_index, i);
    for (unsigned i = 0; i < b->cpus; i++) /* memory without CPUs has the highest numbers */
        assert_true(machine->cpu[i].numa_node < b->nodes);
    list_order(machine, text, sizeof text);
    assert_string_equal(text, b->order);
    check_workers(machine);
    para__machine_free(machine);
}

TEST(machines_that_can_be_bought)
{
    for (size_t i = 0; i < COUNT_OF(bought); i++)
        check_bought(&bought[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(synthetic_shapes, forget),
        cmocka_unit_test_setup(machines_that_can_be_bought, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
