/* Binding threads and memory: on this system, refused by it, and on a machine that is not it. */
#include "../common/child.h"

#include "base/memory.h"
#include "topology/topology.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/mempolicy.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static para__machine *load(void)
{
    para__machine *machine = NULL;
    assert_int_equal(para__machine_load(&machine, "/nonexistent"), PARA_OK);
    return machine;
}

/* What a thread of its own finds after binding itself. */
typedef struct binding {
    const para__machine *machine;
    unsigned cpu_index;
    bool whole_domain;
    para_status status;
    int error;
    cpu_set_t mask;
} binding;

static void *bind_thread(void *arg)
{
    binding *const a = arg;
    errno = 77;
    para__cpus cpus = {{0}};
    for (unsigned i = 0; i < a->machine->cpu_count; i++)
        if (i == a->cpu_index ||
            (a->whole_domain && a->machine->cpu[i].domain == a->machine->cpu[a->cpu_index].domain))
            para__cpus_add(&cpus, a->machine->cpu[i].os_index);
    a->status = para__bind_thread(a->machine, &cpus);
    a->error = errno;
    CPU_ZERO(&a->mask);
    sched_getaffinity(0, sizeof a->mask, &a->mask);
    return NULL;
}

static binding try_bind(const para__machine *machine, unsigned cpu_index, bool whole_domain)
{
    binding a = {.machine = machine, .cpu_index = cpu_index, .whole_domain = whole_domain};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, bind_thread, &a), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(a.error, 77);
    return a;
}

static void test_thread_to_each_cpu(void **state)
{
    (void)state;
    para__machine *machine = load();
    for (unsigned i = 0; i < machine->cpu_count; i++) {
        binding a = try_bind(machine, i, false);
        assert_int_equal(a.status, PARA_OK);
        assert_int_equal(CPU_COUNT(&a.mask), 1);
        assert_true(CPU_ISSET(machine->cpu[i].os_index, &a.mask));
    }
    para__machine_free(machine);
}

static void test_thread_to_its_domain(void **state)
{
    (void)state;
    para__machine *machine = load();
    for (unsigned i = 0; i < machine->cpu_count; i++) {
        binding a = try_bind(machine, i, true);
        assert_int_equal(a.status, PARA_OK);
        unsigned members = 0;
        for (unsigned j = 0; j < machine->cpu_count; j++) {
            if (machine->cpu[j].domain == machine->cpu[i].domain) {
                assert_true(CPU_ISSET(machine->cpu[j].os_index, &a.mask));
                members++;
            }
        }
        assert_int_equal(CPU_COUNT(&a.mask), members);
    }
    para__machine_free(machine);
}

static void test_foreign_machine(void **state)
{
    (void)state;
    setenv("HWLOC_SYNTHETIC", "node:2 core:2 pu:1", 1);
    para__machine *machine = load();
    cpu_set_t before;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    const binding a = try_bind(machine, 1, false);
    assert_int_equal(a.status, PARA_ERR_UNSUPPORTED);
    assert_true(CPU_EQUAL(&a.mask, &before));
    assert_int_equal(try_bind(machine, 1, true).status, PARA_ERR_UNSUPPORTED);
    const size_t bytes = 1 << 20;
    char *memory = para__pages_map(bytes);
    assert_non_null(memory);
    assert_int_equal(para__place_memory(machine, memory, bytes, 1, false), PARA_ERR_UNSUPPORTED);
    assert_int_equal(para__interleave_memory(machine, memory, bytes, false), PARA_ERR_UNSUPPORTED);
    memset(memory, 1, bytes);
    para__pages_unmap(memory, bytes);
    para__machine_free(machine);
    unsetenv("HWLOC_SYNTHETIC");
}

static void test_one_node_needs_nothing(void **state)
{
    (void)state;
    setenv("HWLOC_SYNTHETIC", "core:2 pu:1", 1);
    para__machine *machine = load();
    char byte = 1;
    assert_int_equal(para__place_memory(machine, &byte, 1, 0, false), PARA_OK);
    assert_int_equal(para__interleave_memory(machine, &byte, 1, false), PARA_OK);
    assert_int_equal(byte, 1);
    para__machine_free(machine);
    unsetenv("HWLOC_SYNTHETIC");
}

/* A container may refuse this; the memory is usable all the same. */
static void check_placed(const para__machine *machine, char *memory, size_t bytes,
                         para_status status)
{
    int mode = 0;
    assert_true(status == PARA_OK || status == PARA_ERR_DENIED || status == PARA_ERR_UNSUPPORTED);
    if (status == PARA_OK && machine->info.numa_nodes > 1) {
        assert_int_equal(syscall(SYS_get_mempolicy, &mode, NULL, 0, memory, MPOL_F_ADDR), 0);
        assert_int_not_equal(mode, MPOL_DEFAULT);
    }
    memset(memory, 1, bytes);
    para__pages_unmap(memory, bytes);
}

static void test_memory_on_each_node(void **state)
{
    (void)state;
    para__machine *machine = load();
    const size_t bytes = 1 << 20;
    for (unsigned i = 0; i < machine->cpu_count; i++) {
        char *memory = para__pages_map(bytes);
        assert_non_null(memory);
        check_placed(machine, memory, bytes,
                     para__place_memory(machine, memory, bytes, machine->cpu[i].numa_node, false));
    }
    char *memory = para__pages_map(bytes);
    assert_non_null(memory);
    check_placed(machine, memory, bytes, para__interleave_memory(machine, memory, bytes, false));
    para__machine_free(machine);
}

/* Makes a system call fail with an error in the calling process, as a container's filter does. */
static bool refuse(unsigned call, unsigned error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof code / sizeof code[0], code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

enum { NO_FILTERS = 100, NO_MACHINE, NO_DETAIL, WRONG_ERRNO };

/* Runs attempt in a child where call is refused, and returns minus the status that it got. */
static int status_refused(int (*attempt)(para__machine *), unsigned call, unsigned error)
{
    const pid_t child = fork();
    if (child == 0) {
        para__machine *machine = NULL;
        alarm(CHILD_SECONDS);
        if (!refuse(call, error))
            _exit(NO_FILTERS);
        if (para__machine_load(&machine, "/nonexistent") != PARA_OK)
            _exit(NO_MACHINE);
        errno = 77;
        const int status = -attempt(machine);
        if (errno != 77)
            _exit(WRONG_ERRNO);
        if (status && !*para_status_detail())
            _exit(NO_DETAIL);
        para__machine_free(machine);
        _exit(status);
    }
    const int status = status_of_child(child);
    if (status == NO_FILTERS)
        skip();
    return status;
}

static int bind_to_first(para__machine *machine)
{
    para__cpus cpus = {{0}};
    para__cpus_add(&cpus, machine->cpu[0].os_index);
    return para__bind_thread(machine, &cpus);
}

static void test_refused_thread(void **state)
{
    (void)state;
    const unsigned call = SYS_sched_setaffinity;
    assert_int_equal(status_refused(bind_to_first, call, EPERM), -PARA_ERR_DENIED);
    assert_int_equal(status_refused(bind_to_first, call, EACCES), -PARA_ERR_DENIED);
    assert_int_equal(status_refused(bind_to_first, call, EINVAL), -PARA_ERR_DENIED);
    assert_int_equal(status_refused(bind_to_first, call, ENOSYS), -PARA_ERR_UNSUPPORTED);
    /* Not even the mask can be read: the machine is taken as hwloc shows it. */
    assert_int_equal(status_refused(bind_to_first, SYS_sched_getaffinity, EPERM), -PARA_OK);
}

static int bind_pages(para__machine *machine)
{
    const size_t bytes = 1 << 20;
    char *memory = para__pages_map(bytes);
    if (!memory)
        return -NO_MACHINE;
    const para_status bound = para__place_memory(machine, memory, bytes, 0, false);
    const para_status interleaved = para__interleave_memory(machine, memory, bytes, false);
    memset(memory, 1, bytes);
    para__pages_unmap(memory, bytes);
    return bound == interleaved ? bound : -NO_MACHINE;
}

/* On a machine with two nodes that is declared to be this system. */
static void test_refused_memory(void **state)
{
    (void)state;
    setenv("HWLOC_SYNTHETIC", "node:2 pu:1", 1);
    setenv("HWLOC_THISSYSTEM", "1", 1);
    cpu_set_t mask;
    assert_int_equal(sched_getaffinity(0, sizeof mask, &mask), 0);
    if (CPU_ISSET(0, &mask) && CPU_ISSET(1, &mask)) {
        assert_int_equal(status_refused(bind_pages, SYS_mbind, EPERM), -PARA_ERR_DENIED);
        assert_int_equal(status_refused(bind_pages, SYS_mbind, ENOSYS), -PARA_ERR_UNSUPPORTED);
    }
    unsetenv("HWLOC_SYNTHETIC");
    unsetenv("HWLOC_THISSYSTEM");
}

/* The machine was read before the system took its CPU away, or a variable told a tale. */
static void test_cpu_that_is_not_there(void **state)
{
    (void)state;
    const para_cpu_info cpu = {.size = sizeof cpu, .os_index = 100000};
    para__machine *machine = load();
    para__machine gone = *machine;
    gone.cpu = &cpu;
    gone.cpu_count = 1;
    assert_int_equal(try_bind(&gone, 0, false).status, PARA_ERR_DENIED);
    para__machine_free(machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_thread_to_each_cpu),  cmocka_unit_test(test_thread_to_its_domain),
        cmocka_unit_test(test_foreign_machine),     cmocka_unit_test(test_one_node_needs_nothing),
        cmocka_unit_test(test_memory_on_each_node), cmocka_unit_test(test_refused_thread),
        cmocka_unit_test(test_refused_memory),      cmocka_unit_test(test_cpu_that_is_not_there),
    };
    unsetenv("HWLOC_SYNTHETIC");
    unsetenv("HWLOC_XMLFILE");
    unsetenv("HWLOC_THISSYSTEM");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
