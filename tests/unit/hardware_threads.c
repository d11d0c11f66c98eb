/* Pools on cores with several hardware threads: calls are shared by as many workers as there are
 * cores, and by all where that is found to be faster. */
#include "../common/child.h"
#include "../common/policy.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum { CORES = 4, THREADS = 8, UNITS = 64 };

/* The pool that nobody has said anything of, on a made-up machine. */
static para_pool *pool_of(const char *machine)
{
    para_pool *made = NULL;
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.start = PARA_START_WAIT;
    unsetenv("PARA_NUM_WORKERS");
    unsetenv("OMP_NUM_THREADS");
    setenv("HWLOC_SYNTHETIC", machine, 1);
    CHECK(para_pool_create(&made, &config) == PARA_OK);
    return made;
}

static int make_wide_pool(void **state)
{
    (void)state;
    pool = pool_of("core:4 pu:2");
    set_costs();
    return 0;
}

/* With a quota of the system the pool is smaller. */
static void need_all_threads(void)
{
    if (para__pool_workers(pool) != THREADS)
        skip();
    assert_int_equal(para__pool_usual(pool), CORES);
}

/* What a call takes whose work is that much on one core, where two threads of a core are that much
 * faster than one. */
static double elapsed(const para__schedule *s, double work_ns, double gain)
{
    const unsigned width = s->plan.width;
    return width <= CORES ? work_ns / width : work_ns / (gain * CORES);
}

/* The mean width of the last of many calls, of which none takes less than least_ns. */
static double width_of_last(size_t units, double gain, double least_ns)
{
    enum { CALLS = 4000, LAST = 200 };
    double sum = 0;
    for (int i = 0; i < CALLS; i++) {
        para__schedule s = begin((para_options){0}, units);
        const double ns = elapsed(&s, 1e6, gain);
        sum += i >= CALLS - LAST ? (double)s.plan.width / LAST : 0;
        end(&s, units, ns > least_ns ? ns : least_ns);
    }
    return sum;
}

static double width_after(double gain)
{
    return width_of_last(UNITS, gain, 0);
}

static const para__estimate long_call = {.alone_ns = 1000, .alone = 15, .spread = 16};

TEST(calls_begin_on_one_worker_a_core)
{
    need_all_threads();
    know(long_call);
    assert_int_equal(begin((para_options){0}, UNITS).plan.width, CORES);
    assert_int_equal(begin((para_options){.executor = PARA_EXECUTOR_THREADS}, UNITS).plan.width,
                     CORES);
    const para_options some = {.workers = 7, .executor = PARA_EXECUTOR_THREADS};
    assert_int_equal(begin(some, UNITS).plan.width, 7);
    assert_int_equal(begin((para_options){.workers = 7}, UNITS).plan.width, CORES); /* at most */
    assert_int_equal(begin((para_options){.workers = 3}, UNITS).plan.width, 3);
}

TEST(all_are_used_where_that_is_faster)
{
    need_all_threads();
    know(long_call);
    assert_true(width_after(1.3) > 0.95 * THREADS);
}

TEST(they_are_not_where_it_is_not)
{
    need_all_threads();
    know(long_call);
    assert_true(width_after(1.0) < 1.05 * CORES);
    know(long_call);
    assert_true(width_after(0.7) < 1.05 * CORES);
}

TEST(a_call_on_all_does_not_look_dearer)
{
    need_all_threads();
    know(long_call);
    width_after(1.3);
    const para__estimate e = para__site_read(site_of(0));
    assert_true(e.shared_ns > 1000 / 1.3 * 0.9 && e.shared_ns < 1000 * 1.1);
}

/* Calls of fewer units than workers have no such arm: they are narrowed as others are. */
TEST(few_units_are_narrowed)
{
    need_all_threads();
    know(long_call);
    assert_true(width_of_last(6, 1.3, 5e5) < 2.1);
    know(long_call);
    assert_true(width_of_last(UNITS, 1.3, 5e5) < 2.1);
}

/* ---- Where they are ------------------------------------------------------------------- */

static void check_numbers(const char *machine, unsigned workers, unsigned usual)
{
    para_pool *made = pool_of(machine);
    para_pool_info info = {.size = sizeof info};
    CHECK(para_pool_get_info(made, &info) == PARA_OK);
    const bool has_all = made->machine->info.quota <= 0;
    if (has_all) {
        CHECK(info.workers == workers && info.usual == usual);
        for (unsigned i = 0; i < usual && usual < workers; i++) {
            const para_cpu_info *cpu = &made->machine->cpu[made->worker[i].cpu_index];
            CHECK(cpu->sibling == 0);
            for (unsigned s = usual; s < workers; s++) { /* a caller on any thread of a core */
                const para_cpu_info *second = &made->machine->cpu[made->worker[s].cpu_index];
                if (second->core == cpu->core)
                    CHECK(made->worker_of_cpu[second->os_index] == i);
            }
        }
    }
    para_pool_destroy(made);
}

static void four_cores(void)
{
    check_numbers("core:4 pu:2", 8, 4);
}

static void one_core(void)
{
    check_numbers("core:1 pu:2", 2, 2);
}

static void two_nodes(void)
{
    check_numbers("node:2 core:2 pu:2", 8, 4);
}

static void no_hardware_threads(void)
{
    check_numbers("core:4 pu:1", 4, 4);
}

TEST(pools_have_a_worker_for_each)
{
    run_in_child(four_cores);
    run_in_child(one_core);
    run_in_child(two_nodes);
    run_in_child(no_hardware_threads);
}

static int store_squares(const para_chunk *chunk, const void *arg)
{
    uint64_t *const out = chunk->out[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        out[i] = (chunk->first + i) * (chunk->first + i);
    return 0;
}

static int sum_inverses(const para_chunk *chunk, void *sum, const void *arg)
{
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        *(double *)sum += 1.0 / (double)(chunk->first + i + 1);
    return 0;
}

static void add(void *sum, const void *other, const void *arg)
{
    (void)arg;
    *(double *)sum += *(const double *)other;
}

static double sum_on(para_pool *made, size_t count, unsigned workers)
{
    double sum = 0;
    CHECK(para_preduce(made, &(para_reduce){.kernel = sum_inverses,
                                            .combine = add,
                                            .count = count,
                                            .block = 16,
                                            .result = &sum,
                                            .result_bytes = sizeof sum,
                                            .options = {.workers = workers,
                                                        .executor = PARA_EXECUTOR_THREADS}}) ==
          PARA_OK);
    return sum;
}

static unsigned width_of_sort(para_pool *made, unsigned workers)
{
    static double keys[100000];
    para_report report = {0};
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        keys[i] = (double)check_mix(i);
    CHECK(para_psort(
              made, &(para_sort){.data = {keys, sizeof *keys},
                                 .count = COUNT_OF(keys),
                                 .key = PARA_KEY_F64,
                                 .options = {.workers = workers, .executor = PARA_EXECUTOR_THREADS},
                                 .report = &report}) == PARA_OK);
    return report.width;
}

static void sorts(void)
{
    para_pool *made = pool_of("core:4 pu:2");
    if (made->machine->info.quota <= 0)
        CHECK(width_of_sort(made, 0) == 4 && width_of_sort(made, 8) == 8);
    para_pool_destroy(made);
}

TEST(sorts_are_as_wide_as_they_ask)
{
    run_in_child(sorts);
}

static _Thread_local unsigned own_index;
static _Atomic unsigned highest;

static int note_index(unsigned worker, void *arg)
{
    (void)arg;
    own_index = worker;
    return 0;
}

static int note_task(void *arg)
{
    const unsigned own = own_index;
    unsigned seen = atomic_load(&highest);
    (void)arg;
    while (own > seen && !atomic_compare_exchange_weak(&highest, &seen, own)) {
    }
    usleep(200);
    return 0;
}

/* Tasks are for as many workers as there are cores, also after a call on all. */
static void tasks(void)
{
    enum { TASKS = 400 };
    static para_task task[TASKS];
    static uint64_t square[1000];
    para_pool *made = NULL;
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.worker_init = note_index;
    unsetenv("PARA_NUM_WORKERS");
    unsetenv("OMP_NUM_THREADS");
    setenv("HWLOC_SYNTHETIC", "core:4 pu:2", 1);
    CHECK(para_pool_create(&made, &config) == PARA_OK);
    CHECK(para_pmap(made, &(para_map){.kernel = store_squares,
                                      .count = COUNT_OF(square),
                                      .out = {{square, sizeof *square}},
                                      .options = {.workers = 8,
                                                  .executor = PARA_EXECUTOR_THREADS}}) == PARA_OK);
    for (unsigned i = 0; i < TASKS; i++) {
        task[i].run = note_task;
        CHECK(para_submit(made, &task[i]) == PARA_OK);
    }
    for (unsigned i = 0; i < TASKS; i++)
        CHECK(para_task_wait(&task[i]) == PARA_OK);
    CHECK(made->machine->info.quota > 0 ||
          (atomic_load(&highest) > 0 && atomic_load(&highest) < 4));
    para_pool_destroy(made);
}

TEST(tasks_are_for_one_worker_a_core)
{
    run_in_child(tasks);
}

/* Two nodes of two cores: workers stand by core and then by thread, slices by node. */
static void slices(void)
{
    enum { MOST = 20000, CALLS = 300 };
    static const uint16_t expected[] = {0, 1, 4, 5, 2, 3, 6, 7};
    static uint64_t square[MOST];
    para_pool *made = pool_of("node:2 core:2 pu:2");
    if (made->machine->info.quota <= 0) {
        CHECK(made->lanes.wide == COUNT_OF(expected));
        CHECK(memcmp(made->lanes.slice_of, expected, sizeof expected) == 0);
    }
    uint64_t random = 1;
    for (int call = 0; call < CALLS; call++) {
        const size_t count = 1 + check_below(&random, MOST);
        const unsigned workers = 2 + (unsigned)check_below(&random, 7);
        memset(square, 0xff, sizeof square);
        CHECK(para_pmap(made, &(para_map){.kernel = store_squares,
                                          .count = count,
                                          .out = {{square, sizeof *square}},
                                          .options = {.workers = workers,
                                                      .executor = PARA_EXECUTOR_THREADS}}) ==
              PARA_OK);
        for (size_t i = 0; i < MOST; i++)
            CHECK(square[i] == (i < count ? i * i : UINT64_MAX));
        const double sum = sum_on(made, count, workers);
        const double alone = sum_on(made, count, 1);
        CHECK(memcmp(&sum, &alone, sizeof sum) == 0);
    }
    para_pool_destroy(made);
}

TEST(slices_of_a_node_are_neighbours)
{
    run_in_child(slices);
}

/* Two CPUs of this machine count as a core's: each worker may be on either, so that none waits for
 * the thread that a caller is on. */
static void bound_body(void)
{
    cpu_set_t two;
    CPU_ZERO(&two);
    CPU_SET(0, &two);
    CPU_SET(1, &two);
    if (sched_setaffinity(0, sizeof two, &two) != 0)
        return;
    setenv("HWLOC_THISSYSTEM", "1", 1);
    para_pool *made = pool_of("core:1 pu:2");
    para_pool_info info = {.size = sizeof info};
    CHECK(para_pool_get_info(made, &info) == PARA_OK);
    const bool has_all = made->machine->info.quota <= 0;
    CHECK(!has_all || (info.workers == 2 && info.pinned == 2));
    for (unsigned i = 0; i < info.workers && has_all; i++) {
        cpu_set_t now;
        CHECK(pthread_getaffinity_np(made->worker[i].thread, sizeof now, &now) == 0);
        CHECK(CPU_EQUAL(&now, &two));
    }
    para_pool_destroy(made);
}

TEST(workers_are_bound_to_their_core)
{
    run_in_child(bound_body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* First: a process that has read its machine reads no other. */
        cmocka_unit_test(pools_have_a_worker_for_each),
        cmocka_unit_test(sorts_are_as_wide_as_they_ask),
        cmocka_unit_test(tasks_are_for_one_worker_a_core),
        cmocka_unit_test(slices_of_a_node_are_neighbours),
        cmocka_unit_test(workers_are_bound_to_their_core),
        cmocka_unit_test_setup_teardown(calls_begin_on_one_worker_a_core, make_wide_pool,
                                        destroy_pool),
        cmocka_unit_test_setup_teardown(all_are_used_where_that_is_faster, make_wide_pool,
                                        destroy_pool),
        cmocka_unit_test_setup_teardown(they_are_not_where_it_is_not, make_wide_pool, destroy_pool),
        cmocka_unit_test_setup_teardown(few_units_are_narrowed, make_wide_pool, destroy_pool),
        cmocka_unit_test_setup_teardown(a_call_on_all_does_not_look_dearer, make_wide_pool,
                                        destroy_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
