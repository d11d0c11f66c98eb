/* Machines, pools, maps and buffers with system calls that fail. */
#include "scenario.h"

#include "topology/topology.h"

#include <stdlib.h>
#include <unistd.h>

static void covers(size_t n)
{
    assert_int_equal(elements, n);
    elements = 0;
}

static para_status map_on(para_pool *pool, size_t scratch_bytes)
{
    elements = 0;
    const para_status status =
        para_pmap(pool, &(para_map){.kernel = count,
                                    .count = 10000,
                                    .scratch_bytes = scratch_bytes,
                                    .options.executor = PARA_EXECUTOR_THREADS});
    covers(status ? 0 : 10000);
    return status;
}

/* ---- Scenarios ----------------------------------------------------------------------- */

static para_status read_described_machine(void)
{
    para__machine *machine = NULL;
    setenv("HWLOC_SYNTHETIC", "core:2 pu:2", 1);
    const para_status status = para__machine_load(&machine, "");
    unsetenv("HWLOC_SYNTHETIC");
    assert_true((machine == NULL) == (status != PARA_OK));
    if (machine)
        assert_int_equal(machine->cpu_count, 4);
    para__machine_free(machine);
    return status;
}

static para_status read_machine(void)
{
    para__machine *machine = NULL;
    const para_status status = para__machine_load(&machine, "");
    assert_true((machine == NULL) == (status != PARA_OK));
    para__machine_free(machine);
    return status;
}

static para_status pool_alone(void)
{
    para_pool *pool = NULL;
    const para_status status = make_pool(3, &pool);
    assert_true((pool == NULL) == (status != PARA_OK));
    if (!status)
        OK(map_on(pool, 0)); /* without memory of its own it cannot fail */
    para_pool_destroy(pool);
    return status;
}

static para_status pools_in_places(void)
{
    static const char *const places[] = {"{0:4},0,!{1}", "cores", "sockets"};
    para_status status = PARA_OK;
    for (size_t i = 0; i < COUNT_OF(places) && !status; i++) {
        para_pool_config config = PARA_POOL_CONFIG_INIT;
        para_pool *pool = NULL;
        config.workers = 2;
        config.places = places[i];
        status = para_pool_create(&pool, &config);
        assert_true((pool == NULL) == (status != PARA_OK));
        para_pool_destroy(pool);
    }
    return status;
}

static para_status map_with_scratch(void)
{
    para_pool *pool = NULL;
    para_status status = make_pool(2, &pool);
    for (size_t bytes = 8; bytes < 1000000 && !status; bytes *= 30) {
        status = map_on(pool, bytes);
        if (!status)
            OK(map_on(pool, bytes)); /* the pool has the memory now */
    }
    para_pool_destroy(pool);
    return status;
}

static para_status buffers(void)
{
    static const size_t sizes[] = {100, 100000, 5 << 20};
    para_pool *pool = NULL;
    para_status status = make_pool(2, &pool);
    for (size_t i = 0; i < COUNT_OF(sizes) && !status; i++) {
        para_buffer *buffer = NULL;
        status = para_buffer_create(&buffer, pool, sizes[i], 1, NULL);
        assert_true((buffer == NULL) == (status != PARA_OK));
        if (!status)
            assert_int_equal(para_buffer_bytes(buffer), sizes[i]);
        para_buffer_destroy(buffer);
    }
    para_pool_destroy(pool);
    return status;
}

static para_status mapped_file(void)
{
    para_buffer *buffer = NULL;
    const para_status status = para_buffer_map_file(&buffer, "/proc/self/exe", PARA_FILE_READ);
    assert_true((buffer == NULL) == (status != PARA_OK));
    para_buffer_destroy(buffer);
    return status;
}

static para_pool *nested_pool;

static int call_again(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    return para_pmap(nested_pool, &(para_map){.kernel = count,
                                              .count = chunk->count,
                                              .scratch_bytes = 100,
                                              .options.executor = PARA_EXECUTOR_THREADS});
}

static para_status nested(void)
{
    para_status status = make_pool(3, &nested_pool);
    elements = 0;
    if (!status) {
        para_report report;
        status = para_pmap(nested_pool,
                           &(para_map){.kernel = call_again,
                                       .count = 1000,
                                       .options = {.executor = PARA_EXECUTOR_THREADS, .chunk = 10},
                                       .report = &report});
        if (status) {
            assert_int_equal(status, PARA_ERR_KERNEL); /* the outer kernel handed it on */
            status = (para_status)report.kernel_error;
        } else {
            covers(1000);
        }
        para_pool_destroy(nested_pool);
    }
    return status;
}

/* ---- Every one of them, with every call failing -------------------------------------- */

SCENARIO_TEST(read_machine)
SCENARIO_TEST(read_described_machine)
SCENARIO_TEST(pool_alone)
SCENARIO_TEST(pools_in_places)
SCENARIO_TEST(map_with_scratch)
SCENARIO_TEST(buffers)
SCENARIO_TEST(mapped_file)
SCENARIO_TEST(nested)

/* Comes first: the machine has not been read, the default pool has not been made. */
TEST(the_first_use_can_be_tried_again)
{
    FAILS(PARA_ERR_ARGUMENT, para_pool_create(NULL, NULL)); /* memory for this thread's details */
    const long before = fault_held();
    for (long n = 1;; n++) {
        assert_in_range(n, 1, MOST);
        alarm(SECONDS);
        fault_arm(FAULT_ANY, n, ENOMEM, true);
        const bool made = para_default_pool() != NULL;
        fault_arm(FAULT_ANY, 0, 0, false);
        if (made)
            break;
        assert_true(para_status_detail()[0] != '\0' || fault_held() == before);
    }
    alarm(0);
    OK(para_pool_wait_ready(NULL));
    OK(map_on(NULL, 100));
}

/* ---- What a pool makes of it --------------------------------------------------------- */

TEST(fewer_threads_than_asked_for)
{
    enum { WORKERS = 8 };
    for (long n = 1; n <= WORKERS; n++) {
        para_pool *pool = NULL;
        fault_arm(FAULT_THREAD, n, EAGAIN, true);
        OK(make_pool(WORKERS, &pool));
        assert_true(fault_count() > 0);
        fault_arm(FAULT_ANY, 0, 0, false);
        para_pool_info info = {.size = sizeof info};
        OK(para_pool_get_info(pool, &info));
        assert_int_equal(info.requested, WORKERS);
        assert_int_equal(info.workers, n <= 2 ? 1 : n - 1);
        for (int i = 0; i < 20; i++)
            OK(map_on(pool, 64));
        para_report report;
        OK(para_pmap(pool, &(para_map){.kernel = count,
                                       .count = 10000,
                                       .options.executor = PARA_EXECUTOR_THREADS,
                                       .report = &report}));
        assert_in_range(report.width, 1, info.workers);
        para_pool_destroy(pool);
    }
}

static void refused_binding(int error, para_status expected)
{
    for (long n = 1; n <= 4; n++) {
        para_pool *pool = NULL;
        fault_arm(FAULT_BINDING, n, error, true);
        OK(make_pool(4, &pool));
        const long refused = fault_count();
        fault_arm(FAULT_ANY, 0, 0, false);
        para_pool_info info = {.size = sizeof info};
        OK(para_pool_get_info(pool, &info));
        if (refused) { /* none, where the machine is a foreign one */
            assert_int_equal(info.pin_status, expected);
            assert_int_equal(info.pinned, 4 - refused);
        }
        unsigned pinned = 0;
        for (unsigned i = 0; i < 4; i++) {
            para_worker_info worker = {.size = sizeof worker};
            OK(para_pool_get_worker(pool, i, &worker));
            pinned += worker.pinned;
        }
        assert_int_equal(pinned, info.pinned);
        OK(map_on(pool, 0));
        para_pool_destroy(pool);
    }
}

TEST(bindings_that_are_refused)
{
    refused_binding(EPERM, PARA_ERR_DENIED);
    refused_binding(EXDEV, PARA_ERR_DENIED);
    refused_binding(ENOSYS, PARA_ERR_UNSUPPORTED);
}

/* Network mounts and FUSE file systems refuse shared mappings; what is read can do without. */
TEST(files_whose_shared_mapping_is_refused)
{
    for (int all = 0; all < 2; all++) {
        para_buffer *buffer = NULL;
        fault_arm(FAULT_PAGES, 1, ENODEV, all);
        const para_status status = para_buffer_map_file(&buffer, "/proc/self/exe", PARA_FILE_READ);
        fault_arm(FAULT_ANY, 0, 0, false);
        assert_int_equal(status, all ? PARA_ERR_FILE : PARA_OK);
        if (!all)
            assert_memory_equal(para_buffer_data(buffer), "\177ELF", 4);
        para_buffer_destroy(buffer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_use_can_be_tried_again),
        cmocka_unit_test(faults_in_read_machine),
        cmocka_unit_test(faults_in_read_described_machine),
        cmocka_unit_test(faults_in_pool_alone),
        cmocka_unit_test(faults_in_pools_in_places),
        cmocka_unit_test(faults_in_map_with_scratch),
        cmocka_unit_test(faults_in_buffers),
        cmocka_unit_test(faults_in_mapped_file),
        cmocka_unit_test(faults_in_nested),
        cmocka_unit_test(fewer_threads_than_asked_for),
        cmocka_unit_test(bindings_that_are_refused),
        cmocka_unit_test(files_whose_shared_mapping_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
