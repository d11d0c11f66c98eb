/* What para does to the process around it, where a sandbox forbids things: affinity calls, /sys,
 * /proc, more address space. Each body runs in a child. */
#include "../common/child.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static const char *program;

static int square(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        ((double *)chunk->out[0])[i] = (double)((chunk->first + i) * (chunk->first + i));
    return 0;
}

/* A call that is shared, whatever it costs. */
static void use(para_pool *pool)
{
    enum { N = 10000 };
    static double y[N];
    const para_map map = {.kernel = square,
                          .count = N,
                          .out = {PARA_OUT(y)},
                          .options = {.executor = PARA_EXECUTOR_THREADS, .chunk = 100}};
    memset(y, 0, sizeof y);
    CHECK(para_pmap(pool, &map) == PARA_OK);
    for (size_t i = 0; i < N; i++)
        CHECK(y[i] == (double)(i * i));
}

/* Ends the process at any call that binds threads or memory, or asks how they are bound. */
static void forbid_affinity(void)
{
    static const unsigned calls[] = {SYS_sched_setaffinity, SYS_sched_getaffinity, SYS_mbind,
                                     SYS_set_mempolicy,     SYS_get_mempolicy,     SYS_move_pages,
                                     SYS_migrate_pages};
    struct sock_filter code[2 * COUNT_OF(calls) + 2] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
    size_t n = 1;
    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i], 0, 1);
        code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    }
    code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    const struct sock_fprog filter = {(unsigned short)n, code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
        _exit(SKIPPED);
}

static void *add_under_mutex(void *arg)
{
    static para_mutex mutex;
    for (int i = 0; i < 10000; i++) {
        para_mutex_lock(&mutex);
        ++*(int *)arg;
        para_mutex_unlock(&mutex);
    }
    return NULL;
}

static void unbound_body(void)
{
    forbid_affinity();
    setenv("PARA_PROC_BIND", "false", 1);
    setenv("PARA_NUM_WORKERS", "3", 1);
    use(NULL);
    para_pool_info info = {.size = sizeof info};
    CHECK(para_pool_get_info(NULL, &info) == PARA_OK);
    CHECK(info.workers == 3 && info.pinned == 0 && info.pin_status == PARA_OK);
    unsetenv("PARA_PROC_BIND");
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.binding = PARA_BIND_NONE;
    config.workers = 4;
    para_pool *pool = NULL;
    CHECK(para_pool_create(&pool, &config) == PARA_OK);
    use(pool);
    para_buffer *buffer = NULL;
    CHECK(para_buffer_create(&buffer, pool, 1 << 20, 1, NULL) == PARA_OK);
    para_buffer_destroy(buffer);
    para_pool_destroy(pool);
    int sum = 0;
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&threads[i], NULL, add_under_mutex, &sum) == 0);
    for (int i = 0; i < 2; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(sum == 20000);
}

TEST(with_binding_off_no_affinity_call_is_made)
{
    run_in_child(unbound_body);
}

/* On a machine of two nodes that is said to be this one, where a buffer's pages would be placed. */
static void unbound_nodes_body(void)
{
    setenv("HWLOC_SYNTHETIC", "node:2 pu:1", 1);
    setenv("HWLOC_THISSYSTEM", "1", 1);
    para_topology_info info = {.size = sizeof info};
    CHECK(para_topology_get_info(&info) == PARA_OK); /* by hwloc, which makes such calls */
    if (info.numa_nodes < 2)
        _exit(SKIPPED);
    unbound_body();
}

TEST(nor_is_one_for_a_buffer_on_several_nodes)
{
    run_in_child(unbound_nodes_body);
}

/* Mounts an empty folder over the path. */
static void hide(const char *path)
{
    if (mount("none", path, "tmpfs", 0, NULL) != 0)
        _exit(SKIPPED);
}

static void enter_namespace(void)
{
    if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
        _exit(SKIPPED);
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        _exit(SKIPPED);
}

static void check_machine(void)
{
    cpu_set_t mask;
    CHECK(sched_getaffinity(0, sizeof mask, &mask) == 0);
    para_topology_info info = {.size = sizeof info};
    CHECK(para_topology_get_info(&info) == PARA_OK);
    CHECK(info.cpus == (unsigned)CPU_COUNT(&mask) && info.cores >= 1 && info.cores <= info.cpus);
    CHECK(info.domains >= 1 && info.numa_nodes >= 1 && info.budget >= 1 && info.this_system);
    use(NULL);
}

static void no_sys_body(void)
{
    enter_namespace();
    hide("/sys");
    CHECK(access("/sys/devices", F_OK) != 0);
    check_machine();
}

TEST(without_sys)
{
    run_in_child(no_sys_body);
}

static void no_files_body(void)
{
    enter_namespace();
    hide("/sys");
    hide("/proc");
    check_machine();
}

TEST(without_sys_and_proc)
{
    run_in_child(no_files_body);
}

static void no_proc_body(void)
{
    enter_namespace();
    hide("/proc");
    check_machine();
}

TEST(without_proc)
{
    run_in_child(no_proc_body);
}

/* ---- The environment, and what is loaded ------------------------------------------------- */

/* Runs this program anew with one variable, to do what the word says. */
static void run_anew(const char *word, char *variable)
{
    const pid_t child = fork();
    if (child == 0) {
        char *const arguments[] = {(char *)program, (char *)word, NULL};
        char *const environment[] = {variable, NULL};
        alarm(CHILD_SECONDS);
        execve("/proc/self/exe", arguments, environment);
        _exit(199);
    }
    await_success(child);
}

static void check_environment(void)
{
    char **const before = environ;
    char *const first = environ[0];
    CHECK(strcmp(first, "A=1") == 0 && !environ[1]); /* also while the library was loaded */
    use(NULL);
    CHECK(environ == before && environ[0] == first && !environ[1]);
    CHECK(strcmp(first, "A=1") == 0);
}

TEST(the_environment_stays_as_it_is)
{
    run_anew("environment", "A=1");
}

static bool is_loaded(const char *name)
{
    char line[4096];
    bool found = false;
    FILE *maps = fopen("/proc/self/maps", "re");
    CHECK(maps);
    while (!found && fgets(line, sizeof line, maps))
        found = strstr(line, name) != NULL;
    fclose(maps);
    return found;
}

/* hwloc loads every plug-in in that folder with its first topology. Of a described machine it is
 * asked for; else nobody has, and hwloc itself is not loaded either. */
static void check_plugins(void)
{
    use(NULL);
    CHECK(!is_loaded("hwloc_probe"));
    CHECK(!is_loaded("libhwloc"));
}

TEST(neither_hwloc_nor_a_plugin_of_it_is_loaded)
{
    char variable[] = "HWLOC_PLUGINS_PATH=" PLUGIN_FOLDER;
    run_anew("plugins", variable);
}

/* ---- Address space ------------------------------------------------------------------------ */

static void little_space_body(void)
{
    static const char *const why = "PARA_ERR_THREAD";
    const struct rlimit limit = {400 << 20, 400 << 20}; /* of 64 stacks of 8 MiB, less than 50 */
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = 64;
    para_pool *pool = NULL;
    CHECK(para_pool_create(&pool, &config) == PARA_OK);
    para_pool_info info = {.size = sizeof info};
    CHECK(para_pool_get_info(pool, &info) == PARA_OK);
    CHECK(info.requested == 64 && info.workers < 64 && info.workers >= 1);
    CHECK(strcmp(para_status_name(info.thread_status), why) == 0);
    use(pool);
    char *rest = mmap(NULL, 100 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(rest != MAP_FAILED); /* the pool has left some for the program */
    para_pool_destroy(pool);
}

TEST(with_little_address_space_a_pool_has_fewer_workers)
{
    run_in_child(little_space_body);
}

/* A filter that refuses to tell limits: they are taken to be none, and a pool has its workers. */
static void no_limits_body(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prlimit64, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    const struct sock_fprog filter = {COUNT_OF(code), code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
        _exit(SKIPPED);
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = 3;
    para_pool *pool = NULL;
    CHECK(para_pool_create(&pool, &config) == PARA_OK);
    para_pool_info info = {.size = sizeof info};
    CHECK(para_pool_get_info(pool, &info) == PARA_OK);
    CHECK(info.workers == 3 && info.thread_status == PARA_OK);
    use(pool);
    para_pool_destroy(pool);
}

TEST(where_limits_are_not_told_there_are_none)
{
    run_in_child(no_limits_body);
}

int main(int argc, char **argv)
{
    program = argv[0];
    if (argc > 1 && strcmp(argv[1], "environment") == 0)
        check_environment();
    else if (argc > 1)
        check_plugins();
    if (argc > 1)
        return 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_binding_off_no_affinity_call_is_made),
        cmocka_unit_test(nor_is_one_for_a_buffer_on_several_nodes),
        cmocka_unit_test(without_sys),
        cmocka_unit_test(without_sys_and_proc),
        cmocka_unit_test(without_proc),
        cmocka_unit_test(the_environment_stays_as_it_is),
        cmocka_unit_test(neither_hwloc_nor_a_plugin_of_it_is_loaded),
        cmocka_unit_test(with_little_address_space_a_pool_has_fewer_workers),
        cmocka_unit_test(where_limits_are_not_told_there_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
