/* Names, texts and details of statuses. */
#include "../common/check.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

TEST(every_status_has_its_own_name_and_text)
{
    static const struct {
        int status;
        const char *name, *text;
    } all[] = {
#define ENTRY(name, value, text) {name, #name, text},
        PARA_STATUS_LIST(ENTRY)
#undef ENTRY
    };
    assert_int_equal(all[0].status, 0);
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        assert_string_equal(para_status_name(all[i].status), all[i].name);
        assert_string_equal(para_status_text(all[i].status), all[i].text);
        assert_true(i == 0 || all[i].status < 0);
        for (size_t k = 0; k < i; k++) {
            assert_int_not_equal(all[i].status, all[k].status);
            assert_string_not_equal(all[i].text, all[k].text);
        }
    }
}

TEST(other_values_are_unknown)
{
    const int others[] = {1, -1000, 1 << 30};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        assert_string_equal(para_status_name((para_status)others[i]), "unknown status");
        assert_string_equal(para_status_text((para_status)others[i]), "unknown status");
    }
}

TEST(every_reason_has_its_own_text)
{
    for (int i = 0; i <= PARA_WHY_MEMORY; i++) {
        assert_string_not_equal(para_why_text((para_why)i), "unknown");
        for (int k = 0; k < i; k++)
            assert_string_not_equal(para_why_text((para_why)i), para_why_text((para_why)k));
    }
    assert_string_equal(para_why_text((para_why)1000), "unknown");
    assert_string_equal(para_why_text((para_why)-1), "unknown");
}

TEST(version_is_that_of_the_header)
{
    assert_string_equal(para_version(), PARA_VERSION_STRING);
}

TEST(detail_is_of_the_last_failure)
{
    para_buffer *buffer = NULL;
    FAILS(PARA_ERR_FILE, para_buffer_map_file(&buffer, "/nonexistent/first", PARA_FILE_READ));
    assert_non_null(strstr(para_status_detail(), "/nonexistent/first"));
    FAILS(PARA_ERR_FILE, para_buffer_map_file(&buffer, "/nonexistent/second", PARA_FILE_READ));
    assert_non_null(strstr(para_status_detail(), "/nonexistent/second"));
    assert_null(strstr(para_status_detail(), "first"));
    FAILS(PARA_ERR_NULL_KERNEL, para_pmap(NULL, &(para_map){.count = 1}));
    assert_string_equal(para_status_detail(), "");
}

static void *fail_elsewhere(void *found)
{
    para_buffer *buffer = NULL;
    *(int *)found = para_status_detail()[0] == '\0';
    DROP(para_buffer_map_file(&buffer, "/nonexistent/elsewhere", PARA_FILE_READ));
    return NULL;
}

TEST(detail_is_the_threads_own)
{
    para_buffer *buffer = NULL;
    FAILS(PARA_ERR_FILE, para_buffer_map_file(&buffer, "/nonexistent/here", PARA_FILE_READ));
    int empty_at_first = 0;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, fail_elsewhere, &empty_at_first), 0);
    pthread_join(thread, NULL);
    assert_true(empty_at_first);
    assert_non_null(strstr(para_status_detail(), "/nonexistent/here"));
}

TEST(long_details_are_cut)
{
    char path[4096];
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    para_buffer *buffer = NULL;
    FAILS(PARA_ERR_FILE, para_buffer_map_file(&buffer, path, PARA_FILE_READ));
    assert_true(strlen(para_status_detail()) > 100);
    assert_true(strlen(para_status_detail()) < sizeof path);
}

TEST(failures_leave_errno_alone)
{
    para_buffer *buffer = NULL;
    errno = 77;
    FAILS(PARA_ERR_FILE, para_buffer_map_file(&buffer, "/nonexistent", PARA_FILE_READ));
    FAILS(PARA_ERR_ARGUMENT, para_pmap(NULL, NULL));
    assert_int_equal(errno, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_its_own_name_and_text),
        cmocka_unit_test(other_values_are_unknown),
        cmocka_unit_test(every_reason_has_its_own_text),
        cmocka_unit_test(version_is_that_of_the_header),
        cmocka_unit_test(detail_is_of_the_last_failure),
        cmocka_unit_test(detail_is_the_threads_own),
        cmocka_unit_test(long_details_are_cut),
        cmocka_unit_test(failures_leave_errno_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
