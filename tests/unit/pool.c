/* Pools: life cycle, configuration, information, and what they leave alone. */
#include "../common/check.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Atomic uint64_t total;

static int count(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    total += chunk->count;
    return 0;
}

static para_status count_on(para_pool *pool, size_t n)
{
    return para_pmap(
        pool, &(para_map){.kernel = count, .count = n, .options.executor = PARA_EXECUTOR_THREADS});
}

/* A pool works: a call on it covers all elements. */
static void works(para_pool *pool)
{
    total = 0;
    OK(count_on(pool, 12345));
    assert_int_equal(total, 12345);
}

TEST(created_and_destroyed_many_times)
{
    for (unsigned i = 0; i < 200; i++) {
        para_pool *pool = check_pool(1 + i % 4);
        if (i % 3)
            works(pool);
        para_pool_destroy(pool); /* at once: workers may not have parked yet */
    }
}

TEST(destroying_none_is_allowed)
{
    para_pool_destroy(NULL);
}

TEST(several_pools_at_once)
{
    para_pool *pools[6];
    for (unsigned i = 0; i < COUNT_OF(pools); i++)
        pools[i] = check_pool(i + 1);
    for (int round = 0; round < 50; round++)
        for (unsigned i = 0; i < COUNT_OF(pools); i++)
            works(pools[i]);
    for (unsigned i = 0; i < COUNT_OF(pools); i += 2)
        para_pool_destroy(pools[i]);
    for (unsigned i = 1; i < COUNT_OF(pools); i += 2) {
        works(pools[i]);
        para_pool_destroy(pools[i]);
    }
}

TEST(malformed_configurations)
{
    para_pool *const before = (para_pool *)&total;
    para_pool *pool = before;
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    FAILS(PARA_ERR_ARGUMENT, para_pool_create(NULL, &config));
    static const size_t sizes[] = {0, 1, sizeof config - 1, sizeof config + 1, SIZE_MAX};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        config.size = sizes[i];
        FAILS(PARA_ERR_ARGUMENT, para_pool_create(&pool, &config));
    }
    config = (para_pool_config)PARA_POOL_CONFIG_INIT;
    static const unsigned workers[] = {1025, 1u << 31, ~0u};
    for (size_t i = 0; i < COUNT_OF(workers); i++) {
        config.workers = workers[i];
        FAILS(PARA_ERR_ARGUMENT, para_pool_create(&pool, &config));
    }
    config = (para_pool_config)PARA_POOL_CONFIG_INIT;
    static const int bindings[] = {-1, PARA_BIND_NONE + 1, 1 << 30};
    for (size_t i = 0; i < COUNT_OF(bindings); i++) {
        config.binding = (para_binding)bindings[i];
        FAILS(PARA_ERR_ARGUMENT, para_pool_create(&pool, &config));
        assert_true(para_status_detail()[0] != '\0');
    }
    assert_ptr_equal(pool, before);
}

TEST(every_size_up_to_sixty_four)
{
    for (unsigned workers = 1; workers <= 64; workers++) {
        para_pool *pool = check_pool(workers);
        para_pool_info info = {.size = sizeof info};
        OK(para_pool_get_info(pool, &info));
        assert_int_equal(info.requested, workers);
        assert_int_equal(info.workers, workers);
        assert_true(info.lanes >= 1);
        assert_false(info.forked);
        assert_in_range(info.pinned, 0, workers);
        assert_true(info.pinned + info.loose >= workers || workers == 1 ||
                    info.binding == PARA_BIND_NONE || info.pin_status != PARA_OK);
        unsigned pinned = 0;
        for (unsigned i = 0; i < workers; i++) {
            para_worker_info worker = {.size = sizeof worker};
            OK(para_pool_get_worker(pool, i, &worker));
            assert_true(worker.cpu >= -1);
            pinned += worker.pinned;
        }
        assert_int_equal(pinned, info.pinned);
        para_worker_info worker = {.size = sizeof worker, .cpu = 4711};
        FAILS(PARA_ERR_ARGUMENT, para_pool_get_worker(pool, workers, &worker));
        FAILS(PARA_ERR_ARGUMENT, para_pool_get_worker(pool, ~0u, &worker));
        assert_int_equal(worker.cpu, 4711);
        works(pool);
        para_pool_destroy(pool);
    }
}

TEST(older_programs_have_shorter_structures)
{
    para_pool *pool = check_pool(2);
    para_pool_info info;
    memset(&info, 0x55, sizeof info);
    const para_pool_info untouched = info;
    info.size = offsetof(para_pool_info, lanes);
    OK(para_pool_get_info(pool, &info));
    assert_int_equal(info.size, offsetof(para_pool_info, lanes));
    assert_int_equal(info.workers, 2);
    assert_int_equal(info.lanes, untouched.lanes);
    assert_int_equal(info.pinned, untouched.pinned);
    static const size_t sizes[] = {0, 1, sizeof(size_t), sizeof info + 1, SIZE_MAX};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        info = untouched;
        info.size = sizes[i];
        FAILS(PARA_ERR_ARGUMENT, para_pool_get_info(pool, &info));
        assert_int_equal(info.workers, untouched.workers);
        para_worker_info worker = {.size = sizes[i]};
        worker.size += sizes[i] == sizeof info + 1 ? sizeof worker : 0;
        FAILS(PARA_ERR_ARGUMENT, para_pool_get_worker(pool, 0, &worker));
    }
    FAILS(PARA_ERR_ARGUMENT, para_pool_get_info(pool, NULL));
    FAILS(PARA_ERR_ARGUMENT, para_pool_get_worker(pool, 0, NULL));
    para_worker_info worker = {.size = offsetof(para_worker_info, domain), .domain = 4711};
    OK(para_pool_get_worker(pool, 0, &worker));
    assert_int_equal(worker.domain, 4711);
    para_pool_destroy(pool);
}

TEST(the_default_pool_is_one)
{
    para_pool *pool = para_default_pool();
    assert_non_null(pool);
    assert_ptr_equal(para_default_pool(), pool);
    para_pool_info a = {.size = sizeof a};
    para_pool_info b = {.size = sizeof b};
    OK(para_pool_get_info(NULL, &a));
    OK(para_pool_get_info(pool, &b));
    assert_int_equal(a.workers, b.workers);
    para_worker_info worker = {.size = sizeof worker};
    OK(para_pool_get_worker(NULL, 0, &worker));
    works(NULL);
    works(pool);
}

TEST(not_bound_if_not_asked)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = 3;
    config.binding = PARA_BIND_NONE;
    para_pool *pool = NULL;
    OK(para_pool_create(&pool, &config));
    para_pool_info info = {.size = sizeof info};
    OK(para_pool_get_info(pool, &info));
    assert_int_equal(info.pinned, 0);
    assert_int_equal(info.pin_status, PARA_OK);
    for (unsigned i = 0; i < 3; i++) {
        para_worker_info worker = {.size = sizeof worker};
        OK(para_pool_get_worker(pool, i, &worker));
        assert_int_equal(worker.cpu, -1);
        assert_false(worker.pinned);
    }
    works(pool);
    para_pool_destroy(pool);
}

TEST(bound_to_domains)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = 3;
    config.binding = PARA_BIND_DOMAIN;
    para_pool *pool = NULL;
    OK(para_pool_create(&pool, &config));
    works(pool);
    para_pool_destroy(pool);
}

/* ---- What belongs to the caller ------------------------------------------------------ */

typedef struct caller_state {
    sigset_t mask;
    cpu_set_t cpus;
} caller_state;

static caller_state state_of_caller(void)
{
    caller_state s;
    memset(&s, 0, sizeof s);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &s.mask), 0);
    assert_int_equal(sched_getaffinity(0, sizeof s.cpus, &s.cpus), 0);
    return s;
}

static void same_as(const caller_state *before)
{
    const caller_state now = state_of_caller();
    assert_true(CPU_EQUAL(&now.cpus, &before->cpus));
    for (int s = 1; s < NSIG; s++)
        assert_int_equal(sigismember(&now.mask, s), sigismember(&before->mask, s));
    assert_int_equal(errno, 77);
}

/* Comes first: what an earlier pool had left behind would not show. */
TEST(errno_signal_mask_and_affinity_stay_the_callers)
{
    sigset_t some;
    sigemptyset(&some);
    sigaddset(&some, SIGUSR1);
    sigaddset(&some, SIGRTMIN + 2);
    pthread_sigmask(SIG_BLOCK, &some, NULL);
    const caller_state before = state_of_caller();
    assert_false(sigismember(&before.mask, SIGUSR2));
    for (unsigned workers = 1; workers <= 3; workers++) {
        para_pool_config config = PARA_POOL_CONFIG_INIT;
        config.workers = workers;
        para_pool *pool = NULL;
        errno = 77;
        OK(para_pool_create(&pool, &config));
        same_as(&before);
        OK(count_on(pool, 100000));
        same_as(&before);
        para_buffer *buffer = NULL;
        OK(para_buffer_create(&buffer, pool, 3 << 20, 2, NULL));
        same_as(&before);
        para_buffer_destroy(buffer);
        same_as(&before);
        para_pool_destroy(pool);
        same_as(&before);
    }
    pthread_sigmask(SIG_UNBLOCK, &some, NULL);
}

/* A line of /proc/self/task/TID/status, without its name; false if the thread is not one of
 * ours. */
static bool worker_status(const char *tid, const char *name, char *value, size_t bytes)
{
    char path[300];
    char line[300];
    snprintf(path, sizeof path, "/proc/self/task/%s/status", tid);
    FILE *file = fopen(path, "r");
    bool ours = false;
    bool found = false;
    while (file && fgets(line, sizeof line, file)) {
        ours |= strncmp(line, "Name:\tpara-", 11) == 0;
        if (strncmp(line, name, strlen(name)) == 0) {
            snprintf(value, bytes, "%s", line + strlen(name) + 2);
            found = true;
        }
    }
    if (file)
        fclose(file);
    return ours && found;
}

/* Calls check with each worker thread's line of that name; returns how many there were. */
static unsigned each_worker(const char *name, void (*check)(const char *value))
{
    unsigned workers = 0;
    DIR *tasks = opendir("/proc/self/task");
    assert_non_null(tasks);
    for (const struct dirent *task; (task = readdir(tasks));) {
        char value[300];
        if (task->d_name[0] != '.' && worker_status(task->d_name, name, value, sizeof value)) {
            check(value);
            workers++;
        }
    }
    closedir(tasks);
    return workers;
}

static bool is_fault(int s)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
    for (size_t i = 0; i < COUNT_OF(faults); i++)
        if (s == faults[i])
            return true;
    return false;
}

static void any(const char *value)
{
    (void)value;
}

static int let_through[2]; /* what profilers' timers send */

static void all_but_faults_and_timers(const char *value)
{
    const uint64_t blocked = strtoull(value, NULL, 16);
    for (int s = 1; s <= 64; s++) {
        const bool cannot_be = s == SIGKILL || s == SIGSTOP || (s >= 32 && s < SIGRTMIN);
        const bool passes = is_fault(s) || s == let_through[0] || s == let_through[1];
        if (!cannot_be)
            assert_int_equal(blocked >> (s - 1) & 1, !passes);
    }
}

/* Comes before there is a default pool. */
TEST(workers_block_signals_but_those_of_faults_and_timers)
{
    if (UNDER_QEMU)
        skip();
    for (int blocked = 0; blocked < 2; blocked++) {
        sigset_t some;
        sigemptyset(&some);
        sigaddset(&some, SIGPROF);
        pthread_sigmask(blocked ? SIG_BLOCK : SIG_UNBLOCK, &some, NULL);
        para_pool *pool = check_pool(4);
        let_through[0] = blocked ? 0 : SIGPROF; /* as the thread has it that makes the pool */
        let_through[1] = SIGVTALRM;
        assert_true(each_worker("SigBlk", all_but_faults_and_timers) >= 4);
        para_pool_destroy(pool);
        pthread_sigmask(SIG_UNBLOCK, &some, NULL);
    }
}

static void one_cpu(const char *value)
{
    assert_null(strpbrk(value, ",-"));
}

TEST(bound_workers_have_one_cpu_each)
{
    const unsigned before = each_worker("Name", any); /* those of the default pool */
    para_pool *pool = check_pool(3);
    para_pool_info info = {.size = sizeof info};
    OK(para_pool_get_info(pool, &info));
    assert_int_equal(each_worker("Name", any), before + 3);
    if (info.pinned == 3)
        each_worker("Cpus_allowed_list", one_cpu);
    para_pool_destroy(pool);
    if (!UNDER_QEMU) /* there a thread that was joined may be seen for a moment */
        assert_int_equal(each_worker("Name", any), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errno_signal_mask_and_affinity_stay_the_callers),
        cmocka_unit_test(workers_block_signals_but_those_of_faults_and_timers),
        cmocka_unit_test(created_and_destroyed_many_times),
        cmocka_unit_test(destroying_none_is_allowed),
        cmocka_unit_test(several_pools_at_once),
        cmocka_unit_test(malformed_configurations),
        cmocka_unit_test(every_size_up_to_sixty_four),
        cmocka_unit_test(older_programs_have_shorter_structures),
        cmocka_unit_test(the_default_pool_is_one),
        cmocka_unit_test(not_bound_if_not_asked),
        cmocka_unit_test(bound_to_domains),
        cmocka_unit_test(bound_workers_have_one_cpu_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
