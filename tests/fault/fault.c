/* Every scenario, with its 1st, 2nd, 3rd, ... system call failing, until none is left to fail. Each
 * time the scenario succeeds or returns a status, gives everything back, and does not hang. */
#include "faults.h"

#include "../common/check.h"

#include "topology/topology.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { SECONDS = 30, MOST = 5000 };

static _Atomic size_t elements;

static int count(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    if (chunk->scratch)
        *(size_t *)chunk->scratch = chunk->count;
    elements += chunk->count;
    return 0;
}

static void covers(size_t n)
{
    assert_int_equal(elements, n);
    elements = 0;
}

static para_status make_pool(unsigned workers, para_pool **pool)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = workers;
    config.start = PARA_START_WAIT; /* what fails, fails in the course of this call */
    return para_pool_create(pool, &config);
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

enum { BINS = 20000 };

static int count_bins(const para_chunk *chunk, void *acc, const void *arg)
{
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        ((uint64_t *)acc)[(chunk->first + i) % BINS]++;
    return 0;
}

static void add_bins(void *acc, const void *rhs, const void *arg)
{
    (void)arg;
    for (size_t i = 0; i < BINS; i++)
        ((uint64_t *)acc)[i] += ((const uint64_t *)rhs)[i];
}

static para_status large_accumulators(void)
{
    static uint64_t bins[BINS];
    para_pool *pool = NULL;
    para_status status = make_pool(2, &pool);
    for (int executor = 0; executor <= PARA_EXECUTOR_SERIAL && !status; executor++) {
        for (size_t i = 0; i < BINS; i++)
            bins[i] = 5;
        status = para_preduce(pool, &(para_reduce){.kernel = count_bins,
                                                   .combine = add_bins,
                                                   .count = (size_t)10 * BINS,
                                                   .result = bins,
                                                   .result_bytes = sizeof bins,
                                                   .options.executor = (para_executor)executor});
        for (size_t i = 0; i < BINS; i++)
            assert_int_equal(bins[i], status ? 5 : 15);
    }
    para_pool_destroy(pool);
    return status;
}

/* A shared call needs more memory than one participant does alone: where that is refused, it runs
 * alone, and says so. */
enum { LARGE = 2 << 20 };

static int count_in_large(const para_chunk *chunk, void *acc, const void *arg)
{
    (void)arg;
    ((uint64_t *)acc)[1] += chunk->count;
    return 0;
}

static void add_large(void *acc, const void *rhs, const void *arg)
{
    (void)arg;
    ((uint64_t *)acc)[1] += ((const uint64_t *)rhs)[1];
}

static para_status reduce_large(para_pool *pool, para_report *report)
{
    static uint64_t large[LARGE / sizeof(uint64_t)];
    large[1] = 5;
    const para_status status =
        para_preduce(pool, &(para_reduce){.kernel = count_in_large,
                                          .combine = add_large,
                                          .count = (size_t)1 << 40,
                                          .result = large,
                                          .result_bytes = sizeof large,
                                          .options.executor = PARA_EXECUTOR_THREADS,
                                          .report = report});
    assert_int_equal(large[1], status ? 5 : ((size_t)1 << 40) + 5);
    return status;
}

static para_status map_large(para_pool *pool, para_report *report)
{
    elements = 0;
    const para_status status =
        para_pmap(pool, &(para_map){.kernel = count,
                                    .count = 1000,
                                    .scratch_bytes = LARGE,
                                    .options.executor = PARA_EXECUTOR_THREADS,
                                    .report = report});
    covers(status ? 0 : 1000);
    return status;
}

static int scan_in_large(const para_chunk *chunk, void *sum, void *total, const void *arg)
{
    (void)arg;
    if (sum)
        ((uint64_t *)sum)[1] += chunk->count;
    if (total)
        ((uint64_t *)total)[1] += chunk->count;
    return 0;
}

static para_status scan_large(para_pool *pool, para_report *report)
{
    static uint64_t large[LARGE / sizeof(uint64_t)];
    large[1] = 5;
    const para_status status =
        para_pscan(pool, &(para_scan){.kernel = scan_in_large,
                                      .combine = add_large,
                                      .count = (size_t)1 << 40,
                                      .result = large,
                                      .result_bytes = sizeof large,
                                      .options.executor = PARA_EXECUTOR_THREADS,
                                      .report = report});
    assert_int_equal(large[1], status ? 5 : ((size_t)1 << 40) + 5);
    return status;
}

TEST(refused_memory_is_done_without)
{
    para_status (*const calls[])(para_pool *, para_report *) = {reduce_large, map_large,
                                                                scan_large};
    para_pool *pool = NULL;
    OK(make_pool(4, &pool));
    for (size_t c = 0; c < COUNT_OF(calls); c++) {
        para_report report;
        para_pool_trim(pool);
        OK(calls[c](pool, &report));
        assert_int_equal(report.width, 4);
        para_pool_trim(pool);
        const long before = fault_held();
        fault_arm(FAULT_PAGES, 1, ENOMEM, false);
        OK(calls[c](pool, &report));
        assert_int_equal(fault_count(), 1);
        assert_int_equal(report.why, PARA_WHY_MEMORY);
        assert_int_equal(report.width, 1);
        para_pool_trim(pool);
        assert_int_equal(fault_held(), before);
        fault_arm(FAULT_PAGES, 1, ENOMEM, true);
        FAILS(PARA_ERR_MEMORY, calls[c](pool, &report));
        fault_arm(FAULT_ANY, 0, 0, false);
        OK(calls[c](pool, &report));
        assert_int_equal(report.width, 4);
    }
    para_pool_destroy(pool);
}

PARA_SCAN_KERNEL(counts, uint64_t, acc, uint64_t, v, acc += v)
PARA_COMBINE(add_counts, uint64_t, s, t, s += t)
PARA_FILTER_KERNEL(odd, uint64_t, v, v % 2)

/* Each fails as a whole or not at all: the array is sorted, or as it was. */
static para_status algorithms(void)
{
    enum { N = 300000 };
    static uint64_t in[N], out[N];
    para_pool *pool = NULL;
    para_status status = make_pool(2, &pool);
    for (int executor = 0; executor <= PARA_EXECUTOR_SERIAL && !status; executor++) {
        const para_options options = {.executor = (para_executor)executor};
        uint64_t total = 0;
        size_t kept = 0;
        for (size_t i = 0; i < N; i++)
            in[i] = N - i;
        status = para_pscan(pool, &(para_scan){.kernel = counts,
                                               .combine = add_counts,
                                               .count = N,
                                               .in = {PARA_IN(in)},
                                               .out = {PARA_OUT(out)},
                                               .result = &total,
                                               .result_bytes = sizeof total,
                                               .options = options});
        assert_int_equal(total, status ? 0 : (uint64_t)N * (N + 1) / 2);
        if (!status)
            status = para_pfilter(pool, &(para_filter){.kernel = odd,
                                                       .count = N,
                                                       .in = {PARA_IN(in)},
                                                       .out = {PARA_OUT(out)},
                                                       .kept = &kept,
                                                       .options = options});
        if (!status) {
            assert_int_equal(kept, N / 2);
            status = para_psort(pool, &(para_sort){.data = PARA_OUT(in),
                                                   .count = N,
                                                   .key = PARA_KEY_U64,
                                                   .options = options});
            for (size_t i = 0; i < N; i++)
                assert_int_equal(in[i], status ? N - i : i + 1);
        }
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

static void fail_each(para_status (*scenario)(void), bool all)
{
    for (long n = 1;; n++) {
        assert_in_range(n, 1, MOST);
        const long before = fault_held();
        alarm(SECONDS);
        fault_arm(FAULT_ANY, n, ENOMEM, all);
        errno = 77;
        const para_status status = scenario();
        const bool hit = fault_count() > 0;
        fault_arm(FAULT_ANY, 0, 0, false);
        assert_int_equal(errno, 77);
        assert_int_equal(fault_held(), before);
        if (!hit) {
            assert_int_equal(status, PARA_OK);
            break;
        }
        assert_true(status == PARA_OK || status == PARA_ERR_MEMORY || status == PARA_ERR_TOPOLOGY ||
                    status == PARA_ERR_FILE);
        OK(scenario()); /* nothing is left behind that would be in the way */
        assert_int_equal(fault_held(), before);
    }
    alarm(0);
}

static void fail_each_and_all(para_status (*scenario)(void))
{
    const para__machine *machine = NULL;
    OK(para__machine_get(&machine)); /* kept for good: not to be counted */
    OK(scenario());
    fail_each(scenario, false);
    fail_each(scenario, true);
}

#define SCENARIO_TEST(scenario)      \
    TEST(faults_in_##scenario)       \
    {                                \
        fail_each_and_all(scenario); \
    }

SCENARIO_TEST(read_machine)
SCENARIO_TEST(read_described_machine)
SCENARIO_TEST(pool_alone)
SCENARIO_TEST(map_with_scratch)
SCENARIO_TEST(large_accumulators)
SCENARIO_TEST(algorithms)
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
        cmocka_unit_test(faults_in_map_with_scratch),
        cmocka_unit_test(faults_in_large_accumulators),
        cmocka_unit_test(faults_in_algorithms),
        cmocka_unit_test(faults_in_buffers),
        cmocka_unit_test(faults_in_mapped_file),
        cmocka_unit_test(faults_in_nested),
        cmocka_unit_test(refused_memory_is_done_without),
        cmocka_unit_test(fewer_threads_than_asked_for),
        cmocka_unit_test(bindings_that_are_refused),
        cmocka_unit_test(files_whose_shared_mapping_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
