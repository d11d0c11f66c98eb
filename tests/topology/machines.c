/* Many machines: synthetic ones of all shapes, and those that machines.py writes after what makers
 * publish. For each of them: CPUs, cores, domains, nodes and kinds; the order of workers; what they
 * are pinned to; whose slices lie on which node. The same for processes that a launcher gives parts
 * of such machines. No thread is made. */
#include "described.h"
#include "invariants.h"

#include "plan/divide.h"
#include "pool/place.h"
#include "pool/binding.h"
#include "topology/locations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Workers --------------------------------------------------------------------------- */

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
    assert_int_equal(info->budget, b->cpus);
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

/* ---- Ranks ------------------------------------------------------------------------------ */

static para__cpus cpus_of(const char *list)
{
    para__cpus cpus = {{0}};
    for (char *at = NULL; *list; list = *at ? at + 1 : at) {
        unsigned long step = 1;
        unsigned long cpu = strtoul(list, &at, 10);
        const unsigned long last = *at == '-' ? strtoul(at + 1, &at, 10) : cpu;
        if (*at == ':')
            step = strtoul(at + 1, &at, 10);
        for (; cpu <= last; cpu += step)
            para__cpus_add(&cpus, (unsigned)cpu);
    }
    return cpus;
}

/* The machine as a process with that mask sees it. */
static para__machine *load_for(const char *variable, const char *value, const para__cpus *mask)
{
    const para__allowance allowance = {.usable = *mask};
    para__machine *machine = NULL;
    setenv(variable, value, 1);
    setenv("HWLOC_THISSYSTEM", "1", 1); /* else masks do not count */
    const para_status status = para__machine_read(&machine, &allowance, false);
    unsetenv(variable);
    unsetenv("HWLOC_THISSYSTEM");
    if (status)
        fail_msg("%s: %s: %s", value, para_status_name(status), para_status_detail());
    check(machine);
    return machine;
}

/* The machine has exactly the mask's CPUs, and its pools keep to them: a worker for each core. */
static void check_rank(const para__machine *machine, const para__cpus *mask)
{
    const unsigned cores = machine->info.cores;
    const para_pool *const pool = place(machine, cores, PARA_BIND_CORE, PARA__FILL_CLOSE);
    assert_int_equal(machine->info.budget, machine->cpu_count);
    assert_int_equal(machine->cpu_count, para__cpus_count(mask));
    for (unsigned i = 0; i < machine->cpu_count; i++)
        assert_true(para__cpus_has(mask, machine->cpu[i].os_index));
    for (unsigned i = 0; i < cores; i++) {
        const para__cpus cpus = para__worker_cpus(&pool->worker[i]);
        assert_true(para__cpus_include(mask, &cpus));
    }
    check_workers(machine);
}

/* What launchers give on machines that can be bought, and what the rank has of it. */
static const struct rank {
    const char *machine, *mask;
    unsigned cores, domains, nodes, kinds;
    const char *order;
} ranks[] = {
    /* srun --ntasks=4 --cpus-per-task=96 --cpu-bind=cores: half a socket, both threads of cores */
    {"epyc-9654", "48-95,240-287", 48, 6, 1, 1, "48-95,240-287"},
    /* the same with --hint=nomultithread: first threads only */
    {"epyc-9654", "48-95", 48, 6, 1, 1, "48-95"},
    /* --cpu-bind=threads: second threads, of which each is its core's only one here */
    {"epyc-9654", "240-287", 48, 6, 1, 1, "240-287"},
    /* --distribution=block:cyclic: cores of both sockets in turn */
    {"epyc-9654", "0-11,96-107,192-203,288-299", 24, 4, 2, 1, "0-11,96-107,192-203,288-299"},
    /* mpirun --map-by slot:PE=8 --bind-to core: the third rank, and one in two L3 and two nodes */
    {"epyc-9654-nps4", "16-23,208-215", 8, 1, 1, 1, "16-23,208-215"},
    {"epyc-9654-nps4", "20-27,212-219", 8, 2, 2, 1, "20-27,212-219"},
    /* mpirun --bind-to socket, numa, hwthread; the last has one CPU, a second thread */
    {"epyc-9654-nps4", "96-191,288-383", 96, 12, 4, 1, "96-191,288-383"},
    {"xeon-8490h-snc4", "30-44,150-164", 15, 1, 1, 1, "30-44,150-164"},
    {"xeon-8490h-snc4", "150", 1, 1, 1, 1, "150"},
    /* one CPU of each node */
    {"xeon-8490h-snc4", "0-119:15", 8, 8, 8, 1, "0-105:15"},
    /* a socket of which memory stands by that has no CPUs */
    {"xeon-max-9480", "56-111,168-223", 56, 1, 1, 1, "56-111,168-223"},
    /* slow cores, and some of both kinds */
    {"core-i9-13900k", "16-31", 16, 1, 1, 1, "16-31"},
    {"core-i9-13900k", "0-3,16-19", 6, 1, 1, 2, "0-2:2,16-19,1-3:2"},
};

TEST(masks_of_launchers)
{
    for (size_t i = 0; i < COUNT_OF(ranks); i++) {
        const struct rank *const r = &ranks[i];
        const para__cpus mask = cpus_of(r->mask);
        char text[500];
        snprintf(text, sizeof text, "%s/%s.xml", MACHINES, r->machine);
        para__machine *const machine = load_for("HWLOC_XMLFILE", text, &mask);
        print_message("%s of %s\n", r->mask, r->machine);
        check_rank(machine, &mask);
        assert_int_equal(machine->info.cores, r->cores);
        assert_int_equal(machine->info.domains, r->domains);
        assert_int_equal(machine->info.numa_nodes, r->nodes);
        assert_int_equal(machine->info.core_kinds, r->kinds);
        list_order(machine, text, sizeof text);
        assert_string_equal(text, r->order);
        para__machine_free(machine);
    }
}

/* How a launcher deals out a machine. */
typedef enum dealing {
    DEAL_BLOCKS,      /* of cores, with all threads */
    DEAL_IN_TURN,     /* core by core */
    DEAL_THREADS,     /* CPU by CPU in the system's order: threads of a core to several ranks */
    DEAL_OVERLAPPING, /* blocks, and the first core of the next one */
    DEALINGS
} dealing;

static para__cpus deal(const para__machine *machine, dealing way, unsigned count, unsigned rank)
{
    const unsigned cores = machine->info.cores;
    const unsigned first = (unsigned)para__share(cores, count, rank);
    const unsigned end = (unsigned)para__share(cores, count, rank + 1);
    para__cpus mask = {{0}};
    for (unsigned i = 0; i < machine->cpu_count; i++) {
        const para_cpu_info cpu = machine->cpu[i];
        const bool is_in_block = cpu.core >= first && cpu.core < end;
        if (way == DEAL_IN_TURN       ? cpu.core % count == rank
            : way == DEAL_THREADS     ? cpu.os_index % count == rank
            : way == DEAL_OVERLAPPING ? is_in_block || cpu.core == end % cores
                                      : is_in_block)
            para__cpus_add(&mask, cpu.os_index);
    }
    return mask;
}

/* Ranks of one machine: together they have a worker for each CPU that was dealt to somebody, and no
 * CPU has workers of ranks to which it was not dealt. */
static void check_ranks(const char *synthetic, dealing way, unsigned count)
{
    para__machine *const whole = load("HWLOC_SYNTHETIC", synthetic);
    unsigned *const workers = calloc(whole->cpu_count, sizeof *workers);
    assert_non_null(workers);
    unsigned sum = 0;
    for (unsigned r = 0; r < count; r++) {
        const para__cpus mask = deal(whole, way, count, r);
        para__machine *const machine = load_for("HWLOC_SYNTHETIC", synthetic, &mask);
        check_rank(machine, &mask);
        const para_pool *const pool =
            place(machine, machine->info.cores, PARA_BIND_CORE, PARA__FILL_CLOSE);
        for (unsigned i = 0; i < pool->requested; i++)
            workers[cpu_of(pool, i)->os_index]++;
        sum += pool->requested;
        para__machine_free(machine);
    }
    unsigned most = 0;
    for (unsigned i = 0; i < whole->cpu_count; i++)
        most = workers[i] > most ? workers[i] : most;
    assert_true(most <= (way == DEAL_OVERLAPPING && count > 1 ? 2 : 1));
    if (way == DEAL_BLOCKS || way == DEAL_IN_TURN)
        assert_int_equal(sum, whole->info.cores);
    else if (way == DEAL_OVERLAPPING)
        assert_int_equal(sum, whole->info.cores + (count > 1 ? count : 0));
    free(workers);
    para__machine_free(whole);
}

TEST(ranks_of_one_machine)
{
    static const char *const machines[] = {"node:1 core:8 pu:1", "node:4 core:2 pu:1",
                                           "pack:2 node:2 l3:2 core:2 pu:2", "node:3 core:5 pu:2"};
    for (size_t i = 0; i < COUNT_OF(machines); i++)
        for (int way = 0; way < DEALINGS; way++)
            for (unsigned count = 1; count <= 4; count *= 2)
                check_ranks(machines[i], (dealing)way, count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(synthetic_shapes, forget),
        cmocka_unit_test_setup(machines_that_can_be_bought, forget),
        cmocka_unit_test_setup(masks_of_launchers, forget),
        cmocka_unit_test_setup(ranks_of_one_machine, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
