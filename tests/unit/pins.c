/* Workers whose masks the system has widened are bound again, also those that are on their CPUs;
 * workers that somebody has moved elsewhere stay there. */
#include "../common/check.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { WORKERS = 1024, NEVER = WORKERS + 1 };
static _Atomic pid_t thread[WORKERS];

static int note_thread(unsigned worker, void *arg)
{
    (void)arg;
    thread[worker] = (pid_t)syscall(SYS_gettid);
    return 0;
}

static int nap(const para_chunk *chunk, const void *arg)
{
    (void)chunk;
    (void)arg;
    usleep(100);
    return 0;
}

static para_pool_info info_of(para_pool *pool)
{
    para_pool_info info = {.size = sizeof info};
    assert_int_equal(para_pool_get_info(pool, &info), PARA_OK);
    return info;
}

/* Calls with pauses, in which workers sleep, so that they wake. Each caller stays on the CPU of
 * another worker, whose place it takes. */
static void call_often(para_pool *pool, const cpu_set_t *all, unsigned aim, int most)
{
    for (int call = 0; call < most && info_of(pool).pinned != aim; call++) {
        cpu_set_t one;
        CPU_ZERO(&one);
        for (int cpu = 0, n = call / 10 % CPU_COUNT(all); cpu < CPU_SETSIZE; cpu++)
            if (CPU_ISSET(cpu, all) && n-- == 0)
                CPU_SET(cpu, &one);
        assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
        assert_int_equal(para_pmap(pool, &(para_map){.kernel = nap,
                                                     .count = 64,
                                                     .options = {.executor = PARA_EXECUTOR_THREADS,
                                                                 .chunk = 1}}),
                         PARA_OK);
        usleep(2000);
    }
    assert_int_equal(sched_setaffinity(0, sizeof *all, all), 0);
}

static void test_masks(void **state)
{
    (void)state;
    para_pool *pool = NULL;
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.start = PARA_START_WAIT;
    config.binding = PARA_BIND_CORE;
    config.worker_init = note_thread;
    assert_int_equal(para_pool_create(&pool, &config), PARA_OK);
    const para_pool_info before = info_of(pool);
    cpu_set_t all;
    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    if (before.workers < 2 || before.pinned != before.workers) {
        para_pool_destroy(pool);
        skip();
    }
    for (unsigned w = 0; w < before.workers; w++)
        assert_int_equal(sched_setaffinity(thread[w], sizeof all, &all), 0);
    assert_true(info_of(pool).pinned < before.pinned); /* one that was awake is back already */
    call_often(pool, &all, before.pinned, 3000);
    assert_int_equal(info_of(pool).pinned, before.pinned);

    cpu_set_t first, found;
    assert_int_equal(sched_getaffinity(thread[0], sizeof first, &first), 0);
    assert_int_equal(sched_setaffinity(thread[1], sizeof first, &first), 0);
    call_often(pool, &all, NEVER, 100);
    assert_int_equal(sched_getaffinity(thread[1], sizeof found, &found), 0);
    assert_true(CPU_EQUAL(&first, &found));
    para_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_masks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
