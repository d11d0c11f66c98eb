/* What a function says to a NULL that it has no use for: PARA_ERR_ARGUMENT, or nothing at all.
 * Locks are not here: their fast paths are inline, and trust the caller. */
#include "../common/check.h"

#include <string.h>

/* In these tables each call is made once. */
typedef struct refused {
    const char *call;
    para_status status;
} refused;
#define REFUSED(call) \
    {                 \
#call, call   \
    }

static void check_refused(const refused *calls, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (calls[i].status != PARA_ERR_ARGUMENT)
            fail_msg("%s: %s", calls[i].call, para_status_name(calls[i].status));
}

TEST(infos_are_needed)
{
    void *frames[1];
    const refused calls[] = {
        REFUSED(para_buffer_get_info(NULL, NULL)),
        REFUSED(para_buffer_get_info(NULL, &(para_buffer_info){.size = sizeof(para_buffer_info)})),
        REFUSED(para_calibration_get(NULL, NULL)),
        REFUSED(para_pool_get_info(NULL, NULL)),
        REFUSED(para_pool_get_worker(NULL, 0, NULL)),
        REFUSED(para_pool_get_worker_cpus(NULL, 0, 0, NULL)),
        REFUSED(para_pool_get_signals(NULL, NULL)),
        REFUSED(para_stats_get(NULL)),
        REFUSED(para_stats_get_thread(0, NULL)),
        REFUSED(para_stats_get_kernel(0, NULL)),
        REFUSED(para_topology_get_info(NULL)),
        REFUSED(para_topology_get_cpu(0, NULL)),
        REFUSED(para_topology_get_node(0, NULL)),
        REFUSED(para_topology_get_distance(0, 0, NULL)),
        REFUSED(para_trace_get(NULL)),
        REFUSED(para_get_entry(NULL, NULL, NULL)),
        REFUSED(para_watch_get(NULL, NULL)),
        REFUSED(para_watch_fd(NULL, NULL)),
        REFUSED(para_late_backtrace(NULL, frames, 1, &(unsigned){0})),
    };
    check_refused(calls, COUNT_OF(calls));
}

TEST(calls_and_tasks_are_needed)
{
    para_task task = {0};
    const refused calls[] = {
        REFUSED(para_pmap(NULL, NULL)),
        REFUSED(para_preduce(NULL, NULL)),
        REFUSED(para_pscan(NULL, NULL)),
        REFUSED(para_pfilter(NULL, NULL)),
        REFUSED(para_pfind(NULL, NULL)),
        REFUSED(para_psort(NULL, NULL)),
        REFUSED(para_submit(NULL, NULL)),
        REFUSED(para_pmap_submit(NULL, NULL, &task)),
        REFUSED(para_pmap_submit(NULL, &(para_map){0}, NULL)),
        REFUSED(para_preduce_submit(NULL, NULL, &task)),
        REFUSED(para_preduce_submit(NULL, &(para_reduce){0}, NULL)),
        REFUSED(para_task_wait(NULL)),
        REFUSED(para_task_fd(NULL, &(int){0})),
        REFUSED(para_task_fd(&task, NULL)),
        REFUSED(para_wait_all(NULL, 1, 0)),
        REFUSED(para_wait_all(&(para_task *){NULL}, 1, 0)),
        REFUSED(para_wait_any(NULL, 1, 0, NULL)),
        REFUSED(para_wait_any(&(para_task *){NULL}, 1, 0, NULL)),
        REFUSED(para_task_group_wait(NULL)),
        REFUSED(para_register(NULL, NULL, &(para_entry){0})),
        REFUSED(para_register(NULL, "name", NULL)),
        REFUSED(para_unregister(NULL, NULL)),
        REFUSED(para_dispatch(NULL, NULL, NULL, 0, NULL, 0, NULL)),
        REFUSED(para_dispatch(NULL, "name", NULL, 0, NULL, 0, NULL)),
        REFUSED(para_retry_wait(NULL, NULL, 0)),
        REFUSED(para_retry_step(NULL, NULL, &(uint64_t){0})),
        REFUSED(para_retry_step(NULL, NULL, NULL)),
    };
    check_refused(calls, COUNT_OF(calls));
    assert_false(para_task_is_over(NULL));
}

TEST(objects_and_paths_are_needed)
{
    para_page page;
    para_buffer *buffer = NULL;
    size_t bytes_of[1];
    const refused calls[] = {
        REFUSED(para_pool_create(NULL, NULL)),
        REFUSED(para_buffer_create(NULL, NULL, 1, 8, NULL)),
        REFUSED(para_buffer_map_file(NULL, "file", PARA_FILE_READ)),
        REFUSED(para_buffer_map_file(&buffer, NULL, PARA_FILE_READ)),
        REFUSED(para_buffer_where(NULL, 8, bytes_of, 1)),
        REFUSED(para_buffer_where(bytes_of, 8, NULL, 1)),
        REFUSED(para_buffer_move(NULL, NULL, 1, 8, NULL)),
        REFUSED(para_calibration_print(NULL, NULL)),
        REFUSED(para_calibration_save(NULL, NULL)),
        REFUSED(para_calibration_load(NULL, NULL)),
        REFUSED(para_context_parse(NULL, &(para_context){.flags = 0})),
        REFUSED(para_log_start(NULL)),
        REFUSED(para_page_read(NULL, &page, sizeof page)),
        REFUSED(para_page_read("file", NULL, sizeof page)),
        REFUSED(para_page_read_process(1, NULL, sizeof page)),
        REFUSED(para_semaphore_init(NULL, 1, 1, 0)),
        REFUSED(para_shared_mutex_init(NULL)),
        REFUSED(para_shared_mutex_lock(NULL)),
        REFUSED(para_shared_mutex_lock_until(NULL, 0)),
        REFUSED(para_shared_mutex_try_lock(NULL)),
        REFUSED(para_shared_mutex_recover(NULL)),
        REFUSED(para_shared_mutex_unlock(NULL)),
        REFUSED(para_stats_print(NULL)),
        REFUSED(para_stats_write_prometheus(NULL)),
        REFUSED(para_trace_start(NULL)),
        REFUSED(para_trace_start("")),
        REFUSED(para_pool_watch(NULL, NULL)),
        REFUSED(para_watch_end(NULL)),
        REFUSED(para_watchdog_begin(NULL, NULL)),
        REFUSED(para_watchdog_end(NULL)),
    };
    check_refused(calls, COUNT_OF(calls));
}

TEST(of_nothing_there_is_nothing)
{
    char text[PARA_CONTEXT_BYTES] = "as it was";
    assert_null(para_buffer_data(NULL));
    assert_int_equal(para_buffer_bytes(NULL), 0);
    assert_int_equal(para_page_sum(NULL), 0);
    assert_false(para_context_here(NULL));
    para_context_write(NULL, text);
    assert_string_equal(text, "as it was");
    para_context_write(&(para_context){.flags = 0}, NULL);
    OK(para_cancel_status(NULL));
}

TEST(nothing_ends)
{
    para_buffer_destroy(NULL);
    para_cancel_request(NULL);
    OK(para_pool_destroy(NULL));
    OK(para_mutex_fini(NULL));
    OK(para_semaphore_fini(NULL));
    OK(para_shared_mutex_fini(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(infos_are_needed),
        cmocka_unit_test(calls_and_tasks_are_needed),
        cmocka_unit_test(objects_and_paths_are_needed),
        cmocka_unit_test(of_nothing_there_is_nothing),
        cmocka_unit_test(nothing_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
