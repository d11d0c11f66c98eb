/* Bytes that are a page, and bytes that are none. */
#include "../common/check.h"

#include "observe/page_check.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void finish(para_page *page)
{
    page->checksum = para_page_sum(page);
}

static void make(para_page *page)
{
    memset(page, 0, sizeof *page);
    memcpy(page->magic, PARA__PAGE_MAGIC, sizeof page->magic);
    page->version = PARA_PAGE_VERSION;
    page->bytes = sizeof *page;
    page->threads = PARA_PAGE_THREADS;
    page->kernels = PARA_PAGE_KERNELS;
    finish(page);
}

static para_page page, changed;

TEST(a_page_is_one)
{
    bool is_torn;
    make(&page);
    OK(para__page_check(&page, sizeof page, &is_torn));
    assert_false(is_torn);
}

TEST(a_page_that_is_cut_off_is_none)
{
    bool is_torn;
    make(&page);
    for (size_t bytes = 0; bytes < sizeof page; bytes += bytes < 64 ? 1 : 997) {
        assert_int_equal(para__page_check(&page, bytes, &is_torn), PARA_ERR_FILE);
        assert_false(is_torn);
    }
}

/* Each bit counts. */
TEST(a_page_with_one_other_bit_is_none)
{
    bool is_torn;
    make(&page);
    for (size_t byte = 0; byte < sizeof page; byte += byte < 200 ? 1 : 101) {
        changed = page;
        ((unsigned char *)&changed)[byte] ^= (unsigned char)(1 << byte % 8);
        assert_true(para__page_check(&changed, sizeof changed, &is_torn) != PARA_OK);
        assert_int_equal(is_torn, byte >= 16); /* before are the magic, the version and the size */
    }
}

/* Whoever makes a checksum that fits may put anything into the page. */
TEST(hostile_pages_do_no_harm)
{
    uint64_t seed = 1;
    bool is_torn;
    for (int round = 0; round < 300; round++) {
        for (size_t i = 0; i < sizeof changed / 8; i++) {
            const uint64_t word = check_random(&seed);
            memcpy((char *)&changed + 8 * i, &word, 8);
        }
        memcpy(changed.magic, PARA__PAGE_MAGIC, sizeof changed.magic);
        changed.version = PARA_PAGE_VERSION;
        changed.bytes = sizeof changed;
        changed.threads = round % 3 ? (uint32_t)check_below(&seed, 130) : changed.threads;
        changed.kernels = round % 3 ? (uint32_t)check_below(&seed, 34) : changed.kernels;
        finish(&changed);
        if (para__page_check(&changed, sizeof changed, &is_torn))
            continue;
        assert_true(changed.threads <= PARA_PAGE_THREADS && changed.kernels <= PARA_PAGE_KERNELS);
        assert_true(strlen(changed.program) < sizeof changed.program);
        for (unsigned t = 0; t < PARA_PAGE_THREADS; t++)
            assert_true(strlen(changed.thread[t].name) < sizeof changed.thread[t].name);
        for (unsigned k = 0; k < PARA_PAGE_KERNELS; k++)
            assert_true(strlen(changed.kernel[k].place) < sizeof changed.kernel[k].place);
    }
}

TEST(a_program_reads_its_own)
{
    FAILS(PARA_ERR_ARGUMENT, para_page_stop());
    FAILS(PARA_ERR_ARGUMENT, para_page_start(""));
    FAILS(PARA_ERR_ARGUMENT, para_page_read(NULL, &page, sizeof page));
    FAILS(PARA_ERR_ARGUMENT, para_page_read("x", NULL, sizeof page));
    FAILS(PARA_ERR_ARGUMENT, para_page_read_process(getpid(), NULL, sizeof page));
    FAILS(PARA_ERR_ARGUMENT, para_page_read("x", &page, sizeof page - 8));
    FAILS(PARA_ERR_ARGUMENT, para_page_read_process(getpid(), &page, sizeof page + 8));
    make(&page);
    FAILS(PARA_ERR_FILE, para_page_read_process(getpid(), &page, sizeof page));
    assert_int_equal(page.threads, PARA_PAGE_THREADS); /* outputs are left alone */
    for (int round = 0; round < 3; round++) {
        OK(para_page_start(NULL));
        FAILS(PARA_ERR_BUSY, para_page_start(NULL));
        OK(para_page_read_process(getpid(), &page, sizeof page));
        assert_int_equal(page.pid, getpid());
        assert_true(page.stats.is_on);
        OK(para_page_stop());
        FAILS(PARA_ERR_FILE, para_page_read_process(getpid(), &page, sizeof page));
    }
    para_stats stats = {.size = sizeof stats};
    OK(para_stats_get(&stats));
    assert_false(stats.is_on);
}

/* Nothing is left of a page that could not be made. */
TEST(a_page_needs_a_descriptor_and_room)
{
    const int limits[] = {RLIMIT_NOFILE, RLIMIT_FSIZE};
    const char *const paths[] = {NULL, "page-%p.page"};
    for (size_t i = 0; i < 2 * COUNT_OF(limits); i++) {
        struct rlimit before;
        assert_int_equal(getrlimit(limits[i / 2], &before), 0);
        const struct rlimit none = {.rlim_cur = i / 2 ? 4096 : 0, .rlim_max = before.rlim_max};
        assert_int_equal(setrlimit(limits[i / 2], &none), 0);
        errno = 77;
        const para_status status = para_page_start(paths[i % 2]);
        const int error = errno;
        assert_int_equal(setrlimit(limits[i / 2], &before), 0);
        assert_int_equal(status, PARA_ERR_FILE);
        assert_int_equal(error, 77);
        assert_non_null(strstr(para_status_detail(), i / 2 ? "too large" : "Too many open"));
        para_stats stats = {.size = sizeof stats};
        OK(para_stats_get(&stats));
        assert_false(stats.is_on);
    }
    OK(para_page_start(NULL));
    OK(para_page_stop());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_is_one),
        cmocka_unit_test(a_page_that_is_cut_off_is_none),
        cmocka_unit_test(a_page_with_one_other_bit_is_none),
        cmocka_unit_test(hostile_pages_do_no_harm),
        cmocka_unit_test(a_program_reads_its_own),
        cmocka_unit_test(a_page_needs_a_descriptor_and_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
