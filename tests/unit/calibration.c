/* Calibration: what is known can be shown, forgotten, saved and loaded, and calls decide by it. */
#include "../common/check.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A cost per element at which any call is shared, and one at which none is. */
#define DEAR  "1000000"
#define CHEAP "0.000001"

enum { MOST = 100000, WORKERS = 4 };
static double x[MOST], y[MOST];

PARA_MAP_KERNEL(square, double, double, v, v *v)
PARA_MAP_KERNEL(triple, double, double, v, 3 * v)
PARA_REDUCE_KERNEL(sum, double, s, double, v, s += v)
PARA_COMBINE(add, double, s, t, s += t)

static para_why map(para_pool *pool, para_map_fn *kernel, size_t count)
{
    para_report report;
    OK(para_pmap(pool, &(para_map){.kernel = kernel,
                                   .count = count,
                                   .in = {PARA_IN(x)},
                                   .out = {PARA_OUT(y)},
                                   .report = &report}));
    return report.why;
}

/* Sites of two maps and of a reduction, at several sizes. */
static para_pool *taught_pool(void)
{
    para_pool *pool = check_pool(WORKERS);
    double total = 0;
    for (size_t count = 100; count <= MOST; count *= 10) {
        map(pool, square, count);
        map(pool, triple, count);
    }
    OK(para_preduce(pool, &(para_reduce){.kernel = sum,
                                         .combine = add,
                                         .count = MOST,
                                         .in = {PARA_IN(x)},
                                         .result = &total,
                                         .result_bytes = sizeof total}));
    return pool;
}

static unsigned site_count(para_pool *pool)
{
    para_calibration_info info = {.size = sizeof info};
    OK(para_calibration_get(pool, &info));
    return info.sites;
}

/* ---- Files --------------------------------------------------------------------------- */

static char folder[] = "/tmp/para-calibration-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

/* Removes all files but the folder itself; returns how many there were. */
static unsigned empty_folder(void)
{
    unsigned count = 0;
    DIR *files = opendir(folder);
    for (struct dirent *entry; files && (entry = readdir(files)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            count++;
            unlink(path_of(entry->d_name));
        }
    if (files)
        closedir(files);
    return count;
}

static int remove_folder(void **state)
{
    (void)state;
    empty_folder();
    return rmdir(folder);
}

static void write_file(const char *name, const char *text, size_t bytes)
{
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, bytes, file), bytes);
    assert_int_equal(fclose(file), 0);
}

/* What para_calibration_print writes; to be freed. */
static char *printed(para_pool *pool)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&text, &bytes);
    assert_non_null(stream);
    OK(para_calibration_print(pool, stream));
    fclose(stream);
    return text;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Cuts a print into its lines of sites, sorted: their order says nothing. Returns how many. */
static unsigned site_lines(char *text, char *lines[])
{
    unsigned count = 0;
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        if (strncmp(line, "site ", 5) == 0)
            lines[count++] = line;
    qsort(lines, count, sizeof *lines, compare);
    return count;
}

enum { LINES_MOST = 600 };

/* Writes a file with every site that the pool knows, as if it had often been seen at that cost. */
static void write_costs(para_pool *pool, const char *name, const char *cost)
{
    char *lines[LINES_MOST];
    char *text = printed(pool);
    const unsigned count = site_lines(text, lines);
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    for (unsigned i = 0; i < count; i++) {
        unsigned log2_count;
        char rest[512];
        assert_int_equal(sscanf(lines[i], "site %u %*s %*u %*s %*u %*s %*u %*u %*u %511[^\n]",
                                &log2_count, rest),
                         2);
        fprintf(file, "site %u %s 15 %s 15 0 0 16 0 %s\n", log2_count, cost, cost, rest);
    }
    assert_int_equal(fclose(file), 0);
    free(text);
}

/* ---- Shown --------------------------------------------------------------------------- */

TEST(costs_are_told)
{
    para_pool *pool = taught_pool();
    para_calibration_info info = {.size = sizeof info};
    OK(para_calibration_get(pool, &info));
    assert_true(info.round_trip_ns > 0 && info.round_trip_ns < 1e9);
    assert_true(info.per_helper_ns >= 0 && info.wake_ns >= 0 && info.wake_cost_ns >= 0);
    assert_true(info.clock_ns >= 0 && info.clock_ns < 1e6);
    assert_true(info.spin_ns >= 0 && info.least_ns > info.round_trip_ns);
    assert_int_equal(info.sites, 9);
    para_pool_destroy(pool);
}

TEST(an_info_of_an_older_caller_is_filled_as_far_as_it_goes)
{
    para_pool *pool = taught_pool();
    para_calibration_info info;
    memset(&info, 0xff, sizeof info);
    info.size = offsetof(para_calibration_info, per_helper_ns);
    OK(para_calibration_get(pool, &info));
    assert_true(info.round_trip_ns > 0);
    assert_int_equal(info.sites, UINT_MAX);
    para_pool_destroy(pool);
}

TEST(an_info_without_a_size_is_refused)
{
    para_calibration_info info = {0};
    FAILS(PARA_ERR_ARGUMENT, para_calibration_get(NULL, &info));
    info.size = sizeof info.size;
    FAILS(PARA_ERR_ARGUMENT, para_calibration_get(NULL, &info));
    info.size = sizeof info + 1;
    FAILS(PARA_ERR_ARGUMENT, para_calibration_get(NULL, &info));
    assert_true(info.round_trip_ns == 0 && info.sites == 0);
}

TEST(null_arguments_are_refused)
{
    para_pool *pool = check_pool(2);
    FAILS(PARA_ERR_ARGUMENT, para_calibration_get(pool, NULL));
    FAILS(PARA_ERR_ARGUMENT, para_calibration_print(pool, NULL));
    FAILS(PARA_ERR_ARGUMENT, para_calibration_save(pool, NULL));
    FAILS(PARA_ERR_ARGUMENT, para_calibration_load(pool, NULL));
    para_pool_destroy(pool);
}

TEST(no_pool_means_the_default_pool)
{
    para_calibration_info info = {.size = sizeof info};
    OK(para_calibration_get(NULL, &info));
    OK(para_calibration_save(NULL, path_of("default")));
    OK(para_calibration_reset(NULL));
    OK(para_calibration_load(NULL, path_of("default")));
    assert_int_equal(empty_folder(), 1);
}

TEST(each_site_is_a_line_and_names_its_program)
{
    para_pool *pool = taught_pool();
    char *lines[LINES_MOST];
    char *text = printed(pool);
    assert_memory_equal(text, "# para calibration 2\n", 21);
    assert_int_equal(text[strlen(text) - 1], '\n');
    const unsigned count = site_lines(text, lines);
    assert_int_equal(count, site_count(pool));
    for (unsigned i = 0; i < count; i++)
        assert_string_equal(strrchr(lines[i], ' ') + 1, program_invocation_short_name);
    free(text);
    para_pool_destroy(pool);
}

TEST(a_stream_that_fails_is_told)
{
    para_pool *pool = taught_pool();
    FILE *full = fopen("/dev/full", "w");
    if (full) {
        FAILS(PARA_ERR_FILE, para_calibration_print(pool, full));
        fclose(full);
    }
    para_pool_destroy(pool);
}

/* ---- Forgotten, saved and loaded ----------------------------------------------------- */

TEST(reset_forgets_all_kernels)
{
    para_pool *pool = taught_pool();
    para_pool *other = taught_pool();
    OK(para_calibration_reset(pool));
    assert_int_equal(site_count(pool), 0);
    assert_int_equal(site_count(other), 9); /* pools are independent */
    assert_int_not_equal(map(pool, square, MOST), PARA_WHY_PARALLEL);
    assert_int_equal(site_count(pool), 1);
    para_pool_destroy(other);
    para_pool_destroy(pool);
}

TEST(what_was_saved_is_found_again_after_a_reset)
{
    para_pool *pool = taught_pool();
    char *before[LINES_MOST], *after[LINES_MOST];
    char *first = printed(pool);
    const unsigned count = site_lines(first, before);
    OK(para_calibration_save(pool, path_of("saved")));
    OK(para_calibration_reset(pool));
    OK(para_calibration_load(pool, path_of("saved")));
    char *second = printed(pool);
    assert_int_equal(site_lines(second, after), count);
    for (unsigned i = 0; i < count; i++)
        assert_string_equal(after[i], before[i]);
    free(first);
    free(second);
    para_pool_destroy(pool);
    assert_int_equal(empty_folder(), 1);
}

TEST(calls_decide_by_what_was_loaded)
{
    para_pool *pool = taught_pool();
    write_costs(pool, "dear", DEAR);
    write_costs(pool, "cheap", CHEAP);
    para_pool_destroy(pool);
    pool = check_pool(WORKERS); /* which has never seen these kernels */
    OK(para_calibration_load(pool, path_of("dear")));
    assert_int_equal(map(pool, square, MOST), PARA_WHY_PARALLEL);
    OK(para_calibration_load(pool, path_of("cheap")));
    assert_int_equal(map(pool, triple, MOST), PARA_WHY_SMALL);
    OK(para_calibration_load(pool, path_of("dear")));
    para_report report;
    OK(para_pmap(pool, &(para_map){.kernel = triple,
                                   .count = MOST,
                                   .in = {PARA_IN(x)},
                                   .out = {PARA_OUT(y)},
                                   .options = {.executor = PARA_EXECUTOR_SERIAL},
                                   .report = &report}));
    assert_int_equal(report.why, PARA_WHY_ASKED); /* options win */
    para_pool_destroy(pool);
    empty_folder();
}

TEST(saving_replaces_a_file)
{
    para_pool *pool = taught_pool();
    write_file("saved", "old", 3);
    OK(para_calibration_save(pool, path_of("saved")));
    OK(para_calibration_reset(pool));
    OK(para_calibration_load(pool, path_of("saved")));
    assert_int_equal(site_count(pool), 9);
    para_pool_destroy(pool);
    assert_int_equal(empty_folder(), 1);
}

TEST(saving_keeps_a_link_and_the_mode_of_its_file)
{
    para_pool *pool = taught_pool();
    struct stat facts;
    write_file("real", "old", 3);
    assert_int_equal(chmod(path_of("real"), 0640), 0);
    assert_int_equal(symlink("real", path_of("link")), 0);
    OK(para_calibration_save(pool, path_of("link")));
    assert_int_equal(lstat(path_of("link"), &facts), 0);
    assert_true(S_ISLNK(facts.st_mode));
    assert_int_equal(lstat(path_of("real"), &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0640);
    assert_true(facts.st_size > 3);
    para_pool_destroy(pool);
    assert_int_equal(empty_folder(), 2);
}

/* A chain of links that leads to nothing yet: the file appears at its end. */
TEST(saving_follows_a_dangling_link)
{
    para_pool *pool = taught_pool();
    struct stat facts;
    char sub[PATH_MAX];
    snprintf(sub, sizeof sub, "%s", path_of("sub"));
    assert_int_equal(mkdir(sub, 0700), 0);
    assert_int_equal(symlink("sub/next", path_of("link")), 0);
    assert_int_equal(symlink("../real", path_of("sub/next")), 0);
    OK(para_calibration_save(pool, path_of("link")));
    assert_int_equal(lstat(path_of("link"), &facts), 0);
    assert_true(S_ISLNK(facts.st_mode));
    assert_int_equal(lstat(path_of("sub/next"), &facts), 0);
    assert_true(S_ISLNK(facts.st_mode));
    assert_int_equal(lstat(path_of("real"), &facts), 0);
    assert_true(S_ISREG(facts.st_mode));
    assert_int_equal(unlink(path_of("sub/next")), 0);
    assert_int_equal(rmdir(sub), 0);
    para_pool_destroy(pool);
    assert_int_equal(empty_folder(), 2);
}

/* Links that lead nowhere: to themselves, and into a folder that is not there. */
TEST(saving_through_a_broken_link_fails_and_keeps_it)
{
    static const char *const targets[] = {"link", "none/real"};
    para_pool *pool = taught_pool();
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        struct stat facts;
        assert_int_equal(symlink(targets[i], path_of("link")), 0);
        assert_int_equal(para_calibration_save(pool, path_of("link")), PARA_ERR_FILE);
        assert_non_null(strstr(para_status_detail(), strerror(i == 0 ? ELOOP : ENOENT)));
        assert_int_equal(lstat(path_of("link"), &facts), 0);
        assert_true(S_ISLNK(facts.st_mode));
        assert_int_equal(empty_folder(), 1);
    }
    para_pool_destroy(pool);
}

/* Threads of other containers have the same numbers: nothing is known by one that is not unique. */
TEST(files_that_others_make_meanwhile_are_left_alone)
{
    para_pool *pool = taught_pool();
    char name[64];
    snprintf(name, sizeof name, "saved.%ld.tmp", (long)gettid());
    write_file(name, "theirs", 6);
    OK(para_calibration_save(pool, path_of("saved")));
    struct stat facts;
    assert_int_equal(stat(path_of(name), &facts), 0);
    assert_int_equal(facts.st_size, 6);
    para_pool_destroy(pool);
    assert_int_equal(empty_folder(), 2);
}

TEST(modules_that_are_not_loaded_are_passed_over)
{
    static const char text[] = "# a comment\n\nsite 10 1 15 1 15 0 0 16 0 0 1000 libnothere.so.1\n"
                               "site 10 1 15 1 15 0 0 16 0 ff ffff a module with spaces\n";
    para_pool *pool = check_pool(2);
    write_file("others", text, sizeof text - 1);
    OK(para_calibration_load(pool, path_of("others")));
    assert_int_equal(site_count(pool), 0);
    para_pool_destroy(pool);
    empty_folder();
}

/* A good line, which would be learnt, and after it a bad one. */
static void check_malformed(para_pool *pool, const char *good, const char *bad, size_t bad_bytes)
{
    char text[2048];
    const int length = snprintf(text, sizeof text, "%s\n", good);
    memcpy(text + length, bad, bad_bytes);
    write_file("bad", text, (size_t)length + bad_bytes);
    if (para_calibration_load(pool, path_of("bad")) != PARA_ERR_FILE)
        fail_msg("'%s' was taken", bad);
    assert_non_null(strstr(para_status_detail(), "/bad: line 2 "));
    assert_int_equal(site_count(pool), 0);
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

    write_file("good", lines[0], strlen(lines[0])); /* the first line is well formed by itself */
    OK(para_calibration_load(pool, path_of("good")));
    assert_int_equal(site_count(pool), 1);
    free(text);
    para_pool_destroy(pool);
    empty_folder();
}

TEST(an_empty_file_teaches_nothing)
{
    para_pool *pool = taught_pool();
    write_file("empty", "", 0);
    OK(para_calibration_load(pool, path_of("empty")));
    assert_int_equal(site_count(pool), 9);
    para_pool_destroy(pool);
    empty_folder();
}

TEST(files_that_cannot_be_read_are_named)
{
    para_pool *pool = taught_pool();
    FAILS(PARA_ERR_FILE, para_calibration_load(pool, path_of("none")));
    assert_non_null(strstr(para_status_detail(), "/none: No such file"));
    FAILS(PARA_ERR_FILE, para_calibration_load(pool, ""));
    FAILS(PARA_ERR_FILE, para_calibration_load(pool, folder));
    assert_int_equal(site_count(pool), 9);
    para_pool_destroy(pool);
}

TEST(paths_that_cannot_be_written_leave_nothing_behind)
{
    para_pool *pool = taught_pool();
    FAILS(PARA_ERR_FILE, para_calibration_save(pool, path_of("none/saved")));
    assert_non_null(strstr(para_status_detail(), "none/saved: No such file"));
    FAILS(PARA_ERR_FILE, para_calibration_save(pool, "/proc/saved"));
    write_file("plain", "old", 3);
    FAILS(PARA_ERR_FILE, para_calibration_save(pool, path_of("plain/saved")));
    assert_int_equal(mkdir(path_of("inner"), 0700), 0);
    FAILS(PARA_ERR_FILE, para_calibration_save(pool, path_of("inner")));
    assert_int_equal(rmdir(path_of("inner")), 0);
    if (geteuid() != 0) { /* who may write everywhere */
        assert_int_equal(chmod(folder, 0500), 0);
        FAILS(PARA_ERR_FILE, para_calibration_save(pool, path_of("saved")));
        assert_int_equal(chmod(folder, 0700), 0);
    }
    para_pool_destroy(pool);
    assert_int_equal(empty_folder(), 1);
}

/* ---- While calls run ----------------------------------------------------------------- */

static _Atomic bool stop;
static _Atomic unsigned violations, calls;

static void *call_on(void *data)
{
    static const size_t counts[] = {1, 100, 3000, 50000};
    double *const in = calloc(50000, sizeof *in), *const out = calloc(50000, sizeof *out);
    violations += !in || !out;
    for (size_t i = 0; in && out && !stop; i++) {
        const size_t n = counts[i % COUNT_OF(counts)];
        in[n - 1] = (double)i;
        violations += para_pmap(data, &(para_map){.kernel = i % 3 ? square : triple,
                                                  .count = n,
                                                  .in = {PARA_IN(in)},
                                                  .out = {PARA_OUT(out)}}) != PARA_OK;
        violations += out[n - 1] != (i % 3 ? (double)i * (double)i : 3 * (double)i);
        calls++;
    }
    free(in);
    free(out);
    return NULL;
}

TEST(calls_run_while_knowledge_changes)
{
    enum { CALLERS = 3 };
    pthread_t caller[CALLERS];
    para_pool *pool = taught_pool();
    write_costs(pool, "dear", DEAR);
    write_costs(pool, "cheap", CHEAP);
    for (int i = 0; i < CALLERS; i++)
        assert_int_equal(pthread_create(&caller[i], NULL, call_on, pool), 0);
    for (int i = 0; i < 200 || calls < 200; i++) {
        OK(para_calibration_reset(pool));
        OK(para_calibration_load(pool, path_of(i % 2 ? "dear" : "cheap")));
        assert_in_range(site_count(pool), 0, 512);
        free(printed(pool));
        if (i % 10 == 0)
            OK(para_calibration_save(pool, path_of("saved")));
    }
    stop = true;
    for (int i = 0; i < CALLERS; i++)
        pthread_join(caller[i], NULL);
    assert_int_equal(violations, 0);
    para_pool_destroy(pool);
    assert_int_equal(empty_folder(), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(costs_are_told),
        cmocka_unit_test(an_info_of_an_older_caller_is_filled_as_far_as_it_goes),
        cmocka_unit_test(an_info_without_a_size_is_refused),
        cmocka_unit_test(null_arguments_are_refused),
        cmocka_unit_test(no_pool_means_the_default_pool),
        cmocka_unit_test(each_site_is_a_line_and_names_its_program),
        cmocka_unit_test(a_stream_that_fails_is_told),
        cmocka_unit_test(reset_forgets_all_kernels),
        cmocka_unit_test(what_was_saved_is_found_again_after_a_reset),
        cmocka_unit_test(calls_decide_by_what_was_loaded),
        cmocka_unit_test(saving_replaces_a_file),
        cmocka_unit_test(saving_keeps_a_link_and_the_mode_of_its_file),
        cmocka_unit_test(saving_follows_a_dangling_link),
        cmocka_unit_test(saving_through_a_broken_link_fails_and_keeps_it),
        cmocka_unit_test(files_that_others_make_meanwhile_are_left_alone),
        cmocka_unit_test(modules_that_are_not_loaded_are_passed_over),
        cmocka_unit_test(malformed_lines_are_named_and_nothing_is_learnt),
        cmocka_unit_test(an_empty_file_teaches_nothing),
        cmocka_unit_test(files_that_cannot_be_read_are_named),
        cmocka_unit_test(paths_that_cannot_be_written_leave_nothing_behind),
        cmocka_unit_test(calls_run_while_knowledge_changes),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
