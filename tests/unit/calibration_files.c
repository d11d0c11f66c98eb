/* Files of calibrations: how they are replaced, and how bad ones are refused. */
#include "calibration.h"

TEST(saving_replaces_a_file)
{
    para_pool *pool = taught_pool();
    put_bytes("saved", "old", 3);
    OK(para_calibration_save(pool, in_root("saved")));
    OK(para_calibration_reset(pool));
    OK(para_calibration_load(pool, in_root("saved")));
    assert_int_equal(site_count(pool), 9);
    para_pool_destroy(pool);
    assert_int_equal(empty_root(), 1);
}

TEST(saving_keeps_a_link_and_the_mode_of_its_file)
{
    para_pool *pool = taught_pool();
    struct stat facts;
    put_bytes("real", "old", 3);
    assert_int_equal(chmod(in_root("real"), 0640), 0);
    assert_int_equal(symlink("real", in_root("link")), 0);
    OK(para_calibration_save(pool, in_root("link")));
    assert_int_equal(lstat(in_root("link"), &facts), 0);
    assert_true(S_ISLNK(facts.st_mode));
    assert_int_equal(lstat(in_root("real"), &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0640);
    assert_true(facts.st_size > 3);
    para_pool_destroy(pool);
    assert_int_equal(empty_root(), 2);
}

/* A chain of links that leads to nothing yet: the file appears at its end. */
TEST(saving_follows_a_dangling_link)
{
    para_pool *pool = taught_pool();
    struct stat facts;
    char sub[PATH_MAX];
    snprintf(sub, sizeof sub, "%s", in_root("sub"));
    assert_int_equal(mkdir(sub, 0700), 0);
    assert_int_equal(symlink("sub/next", in_root("link")), 0);
    assert_int_equal(symlink("../real", in_root("sub/next")), 0);
    OK(para_calibration_save(pool, in_root("link")));
    assert_int_equal(lstat(in_root("link"), &facts), 0);
    assert_true(S_ISLNK(facts.st_mode));
    assert_int_equal(lstat(in_root("sub/next"), &facts), 0);
    assert_true(S_ISLNK(facts.st_mode));
    assert_int_equal(lstat(in_root("real"), &facts), 0);
    assert_true(S_ISREG(facts.st_mode));
    assert_int_equal(unlink(in_root("sub/next")), 0);
    assert_int_equal(rmdir(sub), 0);
    para_pool_destroy(pool);
    assert_int_equal(empty_root(), 2);
}

/* Links that lead nowhere: to themselves, and into a root that is not there. */
TEST(saving_through_a_broken_link_fails_and_keeps_it)
{
    static const char *const targets[] = {"link", "none/real"};
    para_pool *pool = taught_pool();
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        struct stat facts;
        assert_int_equal(symlink(targets[i], in_root("link")), 0);
        assert_int_equal(para_calibration_save(pool, in_root("link")), PARA_ERR_FILE);
        assert_non_null(strstr(para_status_detail(), strerror(i == 0 ? ELOOP : ENOENT)));
        assert_int_equal(lstat(in_root("link"), &facts), 0);
        assert_true(S_ISLNK(facts.st_mode));
        assert_int_equal(empty_root(), 1);
    }
    para_pool_destroy(pool);
}

/* Threads of other containers have the same numbers: nothing is known by one that is not unique. */
TEST(files_that_others_make_meanwhile_are_left_alone)
{
    para_pool *pool = taught_pool();
    char name[64];
    snprintf(name, sizeof name, "saved.%ld.tmp", (long)gettid());
    put_bytes(name, "theirs", 6);
    OK(para_calibration_save(pool, in_root("saved")));
    struct stat facts;
    assert_int_equal(stat(in_root(name), &facts), 0);
    assert_int_equal(facts.st_size, 6);
    para_pool_destroy(pool);
    assert_int_equal(empty_root(), 2);
}

TEST(modules_that_are_not_loaded_are_passed_over)
{
    static const char text[] = "# a comment\n\nsite 10 1 15 1 15 0 0 16 0 0 1000 libnothere.so.1\n"
                               "site 10 1 15 1 15 0 0 16 0 ff ffff a module with spaces\n";
    para_pool *pool = check_pool(2);
    put_bytes("others", text, sizeof text - 1);
    OK(para_calibration_load(pool, in_root("others")));
    assert_int_equal(site_count(pool), 0);
    para_pool_destroy(pool);
    empty_root();
}

/* A good line, which would be learnt, and after it a bad one. */
static void check_malformed_at(para_pool *pool, unsigned line, const char *good, const char *bad,
                               size_t bad_bytes)
{
    char text[2048];
    char place[32];
    snprintf(place, sizeof place, "/bad: line %u ", line);
    const int length = snprintf(text, sizeof text, "%s\n", good);
    memcpy(text + length, bad, bad_bytes);
    put_bytes("bad", text, (size_t)length + bad_bytes);
    if (para_calibration_load(pool, in_root("bad")) != PARA_ERR_FILE)
        fail_msg("'%s' was taken", bad);
    assert_non_null(strstr(para_status_detail(), place));
    assert_int_equal(site_count(pool), 0);
}

static void check_malformed(para_pool *pool, const char *good, const char *bad, size_t bad_bytes)
{
    check_malformed_at(pool, 2, good, bad, bad_bytes);
}

TEST(malformed_lines_are_named_and_nothing_is_learnt)
{
    static const char *const bad[] = {"x",
                                      "site",
                                      "Site 10 1 15 1 15 0 0 16 0 0 10 m",
                                      "site 10 1 15 1 15 0 0 16 0 0 10",
                                      "site 10 1 0 16 100 10 m",
                                      "site ten 1 15 1 15 0 0 16 0 0 10 m",
                                      "site -1 1 15 1 15 0 0 16 0 0 10 m",
                                      "site 64 1 15 1 15 0 0 16 0 0 10 m",
                                      "site 10 -1 15 1 15 0 0 16 0 0 10 m",
                                      "site 10 1 15 -1 15 0 0 16 0 0 10 m",
                                      "site 10 1 15 1 15 -1 0 16 0 0 10 m",
                                      "site 10 nan 15 1 15 0 0 16 0 0 10 m",
                                      "site 10 1 15 nan 15 0 0 16 0 0 10 m",
                                      "site 10 1 15 1 15 nan 0 16 0 0 10 m",
                                      "site 10 inf 15 1 15 0 0 16 0 0 10 m",
                                      "site 10 1 15 inf 15 0 0 16 0 0 10 m",
                                      "site 10 1 15 1 15 inf 0 16 0 0 10 m",
                                      "site 10 1e99 15 1 15 0 0 16 0 0 10 m",
                                      "site 10 1 15 1e99 15 0 0 16 0 0 10 m",
                                      "site 10 1 15 1 15 1e99 0 16 0 0 10 m",
                                      "site 10 1 16 1 15 0 0 16 0 0 10 m",
                                      "site 10 1 -1 1 15 0 0 16 0 0 10 m",
                                      "site 10 1 15 1 16 0 0 16 0 0 10 m",
                                      "site 10 1 15 1 x 0 0 16 0 0 10 m",
                                      "site 10 1 15 1 15 0 256 16 0 0 10 m",
                                      "site 10 1 15 1 15 0 0 256 0 0 10 m",
                                      "site 10 1 15 1 15 0 0 16 32 0 10 m",
                                      "site 10 1 15 1 15 0 0 16 0 xyz 10 m",
                                      "site 10 1 15 1 15 0 0 16 0 0 xyz m",
                                      "\1\2\3\377"};
    para_pool *pool = taught_pool();
    char *lines[LINES_MOST];
    char *text = printed(pool);
    assert_true(site_lines(text, lines) > 0);
    OK(para_calibration_reset(pool));
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        check_malformed(pool, lines[0], bad[i], strlen(bad[i]));
    check_malformed(pool, lines[0], "\0\n", 2);
    char longest[1500];
    memset(longest, 'm', sizeof longest);
    memcpy(longest, "site 10 1 15 1 15 0 0 16 0 0 10 ", 32);
    longest[sizeof longest - 1] = '\0';
    check_malformed(pool, lines[0], longest, strlen(longest));

    put_bytes("good", lines[0], strlen(lines[0])); /* the first line is well formed by itself */
    OK(para_calibration_load(pool, in_root("good")));
    assert_int_equal(site_count(pool), 1);
    free(text);
    para_pool_destroy(pool);
    empty_root();
}

TEST(malformed_second_lines_are_named_and_nothing_is_learnt)
{
    static const char *const bad[] = {"more",
                                      "more ",
                                      "more 1 1 0 0 1 0 0",
                                      "more 1 1 0 0 1 0 0 0 0",
                                      "more 1 1 0 0 1 0 0 x",
                                      "more x 1 0 0 1 0 0 0",
                                      "more nan 1 0 0 1 0 0 0",
                                      "more -1 1 0 0 1 0 0 0",
                                      "more 1 2 0 0 1 0 0 0",
                                      "more 1 1 inf 0 1 0 0 0",
                                      "more 1 1 -1 0 1 0 0 0",
                                      "more 1 1 1e99 0 1 0 0 0",
                                      "more 1 1 0 4 1 0 0 0",
                                      "more 1 1 0 0 nan 0 0 0",
                                      "more 1 1 0 0 -1 0 0 0",
                                      "more 1 1 0 0 1 2 0 0",
                                      "more 1 1 0 0 1 0 2 0",
                                      "more 1 1 0 0 1 0 0 2",
                                      "more 1 1 0 0 1 0 0 -1"};
    static const char good[] = "more 1 1 0 0 1 0 0 0";
    para_pool *pool = taught_pool();
    char *lines[LINES_MOST];
    char *text = printed(pool);
    char both[1024];
    assert_true(site_lines(text, lines) > 0);
    OK(para_calibration_reset(pool));
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        check_malformed(pool, lines[0], bad[i], strlen(bad[i]));
    check_malformed(pool, "# no site", good, strlen(good));
    snprintf(both, sizeof both, "%s\n%s", lines[0], good);
    check_malformed_at(pool, 3, both, good, strlen(good)); /* a third line of a site */
    put_bytes("good", both, strlen(both));
    OK(para_calibration_load(pool, in_root("good")));
    assert_int_equal(site_count(pool), 1);
    free(text);
    para_pool_destroy(pool);
    empty_root();
}

/* As it was written before there were second lines. */
TEST(a_file_of_version_2_is_learnt)
{
    para_pool *pool = taught_pool();
    char *lines[LINES_MOST];
    char *text = printed(pool);
    const unsigned count = site_lines(text, lines);
    FILE *file = fopen(in_root("older"), "w");
    assert_non_null(file);
    fputs("# para calibration 2\n", file);
    for (unsigned i = 0; i < count; i++)
        fprintf(file, "%s\n", lines[i]);
    assert_int_equal(fclose(file), 0);
    OK(para_calibration_reset(pool));
    OK(para_calibration_load(pool, in_root("older")));
    assert_int_equal(site_count(pool), count);
    free(text);
    para_pool_destroy(pool);
    empty_root();
}

TEST(an_empty_file_teaches_nothing)
{
    para_pool *pool = taught_pool();
    put("empty", "");
    OK(para_calibration_load(pool, in_root("empty")));
    assert_int_equal(site_count(pool), 9);
    para_pool_destroy(pool);
    empty_root();
}

TEST(files_that_cannot_be_read_are_named)
{
    para_pool *pool = taught_pool();
    FAILS(PARA_ERR_FILE, para_calibration_load(pool, in_root("none")));
    assert_non_null(strstr(para_status_detail(), "/none: No such file"));
    FAILS(PARA_ERR_FILE, para_calibration_load(pool, ""));
    FAILS(PARA_ERR_FILE, para_calibration_load(pool, root));
    assert_int_equal(site_count(pool), 9);
    para_pool_destroy(pool);
}

TEST(paths_that_cannot_be_written_leave_nothing_behind)
{
    para_pool *pool = taught_pool();
    FAILS(PARA_ERR_FILE, para_calibration_save(pool, in_root("none/saved")));
    assert_non_null(strstr(para_status_detail(), "none/saved: No such file"));
    FAILS(PARA_ERR_FILE, para_calibration_save(pool, "/proc/saved"));
    put_bytes("plain", "old", 3);
    FAILS(PARA_ERR_FILE, para_calibration_save(pool, in_root("plain/saved")));
    assert_int_equal(mkdir(in_root("inner"), 0700), 0);
    FAILS(PARA_ERR_FILE, para_calibration_save(pool, in_root("inner")));
    assert_int_equal(rmdir(in_root("inner")), 0);
    if (geteuid() != 0) { /* who may write everywhere */
        assert_int_equal(chmod(root, 0500), 0);
        FAILS(PARA_ERR_FILE, para_calibration_save(pool, in_root("saved")));
        assert_int_equal(chmod(root, 0700), 0);
    }
    para_pool_destroy(pool);
    assert_int_equal(empty_root(), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(saving_replaces_a_file),
        cmocka_unit_test(saving_keeps_a_link_and_the_mode_of_its_file),
        cmocka_unit_test(saving_follows_a_dangling_link),
        cmocka_unit_test(saving_through_a_broken_link_fails_and_keeps_it),
        cmocka_unit_test(files_that_others_make_meanwhile_are_left_alone),
        cmocka_unit_test(modules_that_are_not_loaded_are_passed_over),
        cmocka_unit_test(malformed_lines_are_named_and_nothing_is_learnt),
        cmocka_unit_test(malformed_second_lines_are_named_and_nothing_is_learnt),
        cmocka_unit_test(a_file_of_version_2_is_learnt),
        cmocka_unit_test(an_empty_file_teaches_nothing),
        cmocka_unit_test(files_that_cannot_be_read_are_named),
        cmocka_unit_test(paths_that_cannot_be_written_leave_nothing_behind),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
