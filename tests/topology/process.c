/* What depends on the process: its affinity, its one machine, forks. Each test body runs in a
 * child. */
#include "../common/child.h"

#include "base/atomic.h"
#include "base/thread.h"
#include "topology/topology.h"

#include <dirent.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The n-th CPU of the calling thread's mask, -1 if there are not so many. */
static int nth_cpu(int n)
{
    cpu_set_t mask;
    CHECK(sched_getaffinity(0, sizeof mask, &mask) == 0);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &mask) && n-- == 0)
            return cpu;
    return -1;
}

/* Binds every thread of the process: a sanitizer may have started one. */
static void bind_to(int cpu)
{
    cpu_set_t mask;
    CPU_ZERO(&mask);
    CPU_SET(cpu, &mask);
    DIR *const threads = opendir("/proc/self/task");
    CHECK(threads);
    for (const struct dirent *thread; (thread = readdir(threads)) != NULL;)
        if (*thread->d_name != '.')
            CHECK(sched_setaffinity(atoi(thread->d_name), sizeof mask, &mask) == 0);
    closedir(threads);
}

static void affinity_body(void)
{
    for (int n = 0, cpu = 0; (cpu = nth_cpu(n)) >= 0; n++) {
        const pid_t child = fork();
        if (child == 0) {
            bind_to(cpu);
            para_topology_info info = {.size = sizeof info};
            CHECK(para_topology_get_info(&info) == PARA_OK);
            CHECK(info.cpus == 1 && info.cores == 1 && info.domains == 1 && info.numa_nodes == 1);
            CHECK(info.core_kinds == 1 && info.budget == 1 && info.this_system);
            para_cpu_info place = {.size = sizeof place};
            CHECK(para_topology_get_cpu(0, &place) == PARA_OK);
            CHECK((int)place.os_index == cpu);
            CHECK(place.core == 0 && place.domain == 0 && place.kind == 0 && place.sibling == 0);
            CHECK(para_topology_get_cpu(1, &place) == PARA_ERR_ARGUMENT);
            _exit(0);
        }
        int status = 0;
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
}

static void test_affinity_restricts(void **state)
{
    (void)state;
    run_in_child(affinity_body);
}

/* A made-up machine that is declared to be this system is restricted too, and the second thread of
 * its core, left alone, counts as the first. */
static void lone_sibling_body(void)
{
    const int cpu = nth_cpu(1);
    if (cpu != 1)
        return; /* one CPU, or unusual numbers: nothing to show */
    bind_to(cpu);
    setenv("HWLOC_SYNTHETIC", "core:1 pu:2", 1);
    setenv("HWLOC_THISSYSTEM", "1", 1);
    const para__machine *machine = NULL;
    CHECK(para__machine_get(&machine) == PARA_OK);
    CHECK(machine->info.this_system && machine->cpu_count == 1 && machine->info.cores == 1);
    CHECK(machine->cpu[0].os_index == 1 && machine->cpu[0].sibling == 0);
}

static void test_lone_sibling(void **state)
{
    (void)state;
    run_in_child(lone_sibling_body);
}

static void foreign_body(void)
{
    bind_to(nth_cpu(0));
    setenv("HWLOC_SYNTHETIC", "node:2 core:3 pu:1", 1);
    const para__machine *machine = NULL;
    CHECK(para__machine_get(&machine) == PARA_OK);
    CHECK(machine->cpu_count == 6 && !machine->info.this_system);
}

static void test_affinity_does_not_restrict_a_foreign_machine(void **state)
{
    (void)state;
    run_in_child(foreign_body);
}

static void none_usable_body(void)
{
    const int cpu = nth_cpu(0);
    bind_to(cpu);
    /* The only CPU of this machine has another number. */
    setenv("HWLOC_SYNTHETIC", cpu == 0 ? "pu:1(indexes=1)" : "pu:1", 1);
    setenv("HWLOC_THISSYSTEM", "1", 1);
    const para__machine *machine = NULL;
    CHECK(para__machine_get(&machine) == PARA_ERR_TOPOLOGY);
    CHECK(machine == NULL && *para_status_detail());
}

static void test_no_usable_cpu(void **state)
{
    (void)state;
    run_in_child(none_usable_body);
}

static void retry_body(void)
{
    const para__machine *machine = NULL;
    setenv("HWLOC_SYNTHETIC", "nonsense", 1);
    CHECK(para__machine_get(&machine) == PARA_ERR_TOPOLOGY && !machine);
    para_topology_info info = {.size = sizeof info, .cpus = 77};
    CHECK(para_topology_get_info(&info) == PARA_ERR_TOPOLOGY && info.cpus == 77);
    para_cpu_info cpu = {.size = sizeof cpu, .core = 77};
    CHECK(para_topology_get_cpu(0, &cpu) == PARA_ERR_TOPOLOGY && cpu.core == 77);
    CHECK(strstr(para_status_detail(), "HWLOC_SYNTHETIC"));
    setenv("HWLOC_SYNTHETIC", "core:3 pu:1", 1);
    CHECK(para__machine_get(&machine) == PARA_OK && machine->cpu_count == 3);
    setenv("HWLOC_SYNTHETIC", "core:4 pu:1", 1); /* remembered: read no more */
    const para__machine *again = NULL;
    CHECK(para__machine_get(&again) == PARA_OK && again == machine);
}

static void test_failure_can_be_retried(void **state)
{
    (void)state;
    run_in_child(retry_body);
}

static void sizes_body(void)
{
    setenv("HWLOC_SYNTHETIC", "node:2 core:3 pu:2", 1);
    struct {
        para_topology_info info;
        char guard;
    } big;
    const size_t sizes[] = {0, 1, sizeof(size_t) - 1, sizeof big.info + 1, sizeof big, SIZE_MAX};
    memset(&big, 0x55, sizeof big);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        big.info.size = sizes[i];
        CHECK(para_topology_get_info(&big.info) == PARA_ERR_ARGUMENT);
        CHECK(big.info.cpus == 0x55555555u);
    }
    CHECK(para_topology_get_info(NULL) == PARA_ERR_ARGUMENT);
    /* A caller of an older version, whose struct ended behind cores. */
    big.info.size = offsetof(para_topology_info, core_kinds);
    CHECK(para_topology_get_info(&big.info) == PARA_OK);
    CHECK(big.info.size == offsetof(para_topology_info, core_kinds));
    CHECK(big.info.cpus == 12 && big.info.cores == 6 && big.info.core_kinds == 0x55555555u);
    big.info.size = sizeof big.info;
    CHECK(para_topology_get_info(&big.info) == PARA_OK);
    CHECK(big.info.size == sizeof big.info && big.info.domains == 2 && big.guard == 0x55);

    para_cpu_info cpu;
    memset(&cpu, 0x55, sizeof cpu);
    cpu.size = sizeof cpu + 1;
    CHECK(para_topology_get_cpu(0, &cpu) == PARA_ERR_ARGUMENT);
    cpu.size = 0;
    CHECK(para_topology_get_cpu(0, &cpu) == PARA_ERR_ARGUMENT && cpu.os_index == 0x55555555u);
    CHECK(para_topology_get_cpu(0, NULL) == PARA_ERR_ARGUMENT);
    cpu.size = offsetof(para_cpu_info, core);
    CHECK(para_topology_get_cpu(1, &cpu) == PARA_OK);
    CHECK(cpu.os_index == 2 && cpu.core == 0x55555555u);
    cpu.size = sizeof cpu;
    CHECK(para_topology_get_cpu(12, &cpu) == PARA_ERR_ARGUMENT);
    CHECK(para_topology_get_cpu(UINT_MAX, &cpu) == PARA_ERR_ARGUMENT);
    CHECK(para_topology_get_cpu(11, &cpu) == PARA_OK);
    CHECK(cpu.sibling == 1 && cpu.core == 5 && cpu.domain == 1 && cpu.numa_node == 1);
    CHECK(cpu.size == sizeof cpu);
}

static void test_sizes_and_arguments(void **state)
{
    (void)state;
    run_in_child(sizes_body);
}

static void *get_machine(void *arg)
{
    const para__machine **const machine = arg;
    if (para__machine_get(machine) != PARA_OK)
        *machine = NULL;
    return NULL;
}

static void threads_body(void)
{
    enum { THREADS = 16 };
    pthread_t thread[THREADS];
    const para__machine *machine[THREADS] = {NULL};
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&thread[i], NULL, get_machine, &machine[i]) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(thread[i], NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(machine[i] && machine[i] == machine[0]);
}

static void test_threads_get_one_machine(void **state)
{
    (void)state;
    run_in_child(threads_body);
}

static para__atomic_bool stop;

static void *keep_loading(void *failed)
{
    while (!para__load_relaxed(&stop)) { /* only ends the loop: orders nothing */
        para__machine *machine = NULL;
        if (para__machine_load(&machine, "/nonexistent") != PARA_OK)
            return failed;
        para__machine_free(machine);
        usleep(300); /* a mutex is not fair: else who forks may never get it */
    }
    return NULL;
}

/* A child forked while another thread reads the machine must be able to read it. */
static void fork_body(void)
{
    setenv("HWLOC_SYNTHETIC", "node:8 core:32 pu:2", 1);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, keep_loading, (void *)&stop) == 0);
    for (int i = 0; i < 50; i++) {
        const pid_t child = fork();
        if (child == 0) {
            alarm(20);
            const para__machine *machine = NULL;
            CHECK(para__machine_get(&machine) == PARA_OK && machine->cpu_count == 512);
            _exit(0);
        }
        int status = 0;
        CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    }
    para__store_relaxed(&stop, true);
    void *failed = NULL;
    CHECK(pthread_join(thread, &failed) == 0 && !failed);
}

static void test_fork_while_another_thread_reads(void **state)
{
    (void)state;
    if (UNDER_QEMU)
        skip();
    run_in_child(fork_body);
}

/* ---- Threads that are bound more narrowly than the process ----------------------------------- */

static void *idle(void *arg)
{
    pause();
    return arg;
}

static void bind_this_thread(int cpu)
{
    cpu_set_t mask;
    CPU_ZERO(&mask);
    CPU_SET(cpu, &mask);
    CHECK(sched_setaffinity(0, sizeof mask, &mask) == 0);
}

/* How many of the process's threads with such a name may run on exactly so many CPUs. */
static unsigned threads_with(const char *name, int cpus)
{
    unsigned count = 0;
    DIR *const threads = opendir("/proc/self/task");
    CHECK(threads);
    for (const struct dirent *thread; (thread = readdir(threads)) != NULL;) {
        char path[300];
        char comm[20] = "";
        cpu_set_t mask;
        snprintf(path, sizeof path, "/proc/self/task/%s/comm", thread->d_name);
        FILE *const file = *thread->d_name != '.' ? fopen(path, "r") : NULL;
        if (!file)
            continue;
        CHECK(fgets(comm, sizeof comm, file));
        fclose(file);
        CHECK(sched_getaffinity(atoi(thread->d_name), sizeof mask, &mask) == 0);
        count += strncmp(comm, name, strlen(name)) == 0 && CPU_COUNT(&mask) == cpus;
    }
    closedir(threads);
    return count;
}

/* Whoever makes the pool, workers that are bound to nothing use what the process may use. */
static void unbound_workers_body(void)
{
    cpu_set_t mask;
    pthread_t other;
    CHECK(sched_getaffinity(0, sizeof mask, &mask) == 0);
    const int all = CPU_COUNT(&mask);
    CHECK(pthread_create(&other, NULL, idle, NULL) == 0);
    bind_this_thread(nth_cpu(0));
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = 3;
    config.binding = PARA_BIND_NONE;
    para_pool *pool = NULL;
    CHECK(para_pool_create(&pool, &config) == PARA_OK);
    CHECK(para_pool_wait_ready(pool) == PARA_OK);
    CHECK(threads_with("para-", all) == 3);
    para_pool_info info = {.size = sizeof info};
    CHECK(para_pool_get_info(pool, &info) == PARA_OK);
    CHECK(info.workers == 3 && info.pinned == 0 && info.pin_status == PARA_OK);
    para_pool_destroy(pool);
    CHECK(sched_getaffinity(0, sizeof mask, &mask) == 0 && CPU_COUNT(&mask) == 1);
}

static void test_unbound_workers_leave_their_makers_mask(void **state)
{
    (void)state;
    run_in_child(unbound_workers_body);
}

static void one_cpu_body(void)
{
    bind_to(nth_cpu(0));
    CHECK(!para__several_cpus());
}

static void bound_main_body(void)
{
    const bool several = nth_cpu(1) >= 0;
    pthread_t other;
    CHECK(pthread_create(&other, NULL, idle, NULL) == 0);
    bind_this_thread(nth_cpu(0));
    CHECK(para__several_cpus() == several);
}

static void test_spinning_pays_where_threads_run_at_once(void **state)
{
    (void)state;
    run_in_child(one_cpu_body);
    run_in_child(bound_main_body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_affinity_restricts),
        cmocka_unit_test(test_lone_sibling),
        cmocka_unit_test(test_affinity_does_not_restrict_a_foreign_machine),
        cmocka_unit_test(test_no_usable_cpu),
        cmocka_unit_test(test_failure_can_be_retried),
        cmocka_unit_test(test_sizes_and_arguments),
        cmocka_unit_test(test_threads_get_one_machine),
        cmocka_unit_test(test_fork_while_another_thread_reads),
        cmocka_unit_test(test_unbound_workers_leave_their_makers_mask),
        cmocka_unit_test(test_spinning_pays_where_threads_run_at_once),
    };
    unsetenv("HWLOC_SYNTHETIC");
    unsetenv("HWLOC_XMLFILE");
    unsetenv("HWLOC_THISSYSTEM");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
