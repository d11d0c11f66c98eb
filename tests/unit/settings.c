/* What the environment asks for, and how it is refused. */
#include "../common/child.h"

#include "pool/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"PARA_NUM_WORKERS", "OMP_NUM_THREADS", "PARA_PROC_BIND",
                                    "PARA_DISPLAY_ENV", "PARA_STACKSIZE",  "OMP_STACKSIZE",
                                    "PARA_WAIT_POLICY", "OMP_WAIT_POLICY"};

static int clear(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        unsetenv(names[i]);
    return 0;
}

static para__settings read_with(const char *name, const char *value)
{
    para__settings settings = {.workers = 99};
    assert_int_equal(setenv(name, value, 1), 0);
    errno = 77;
    OK(para__settings_read(&settings));
    assert_int_equal(errno, 77);
    unsetenv(name);
    return settings;
}

/* Refused by the reader and by the pool, each naming the variable; nothing is written. */
static void refuses(const char *name, const char *value)
{
    assert_int_equal(setenv(name, value, 1), 0);
    para__settings settings = {.workers = 99, .binding = PARA_BIND_DOMAIN};
    errno = 77;
    FAILS(PARA_ERR_ENVIRONMENT, para__settings_read(&settings));
    assert_int_equal(errno, 77);
    assert_int_equal(settings.workers, 99);
    assert_int_equal(settings.binding, PARA_BIND_DOMAIN);
    assert_non_null(strstr(para_status_detail(), name));
    para_pool *pool = (para_pool *)names;
    FAILS(PARA_ERR_ENVIRONMENT, para_pool_create(&pool, NULL));
    assert_ptr_equal(pool, names);
    assert_non_null(strstr(para_status_detail(), name));
    if (strlen(value) < 20)
        assert_non_null(strstr(para_status_detail(), value));
    unsetenv(name);
}

static para_pool_info info_of(const para_pool_config *config)
{
    para_pool *pool = NULL;
    para_pool_info info = {.size = sizeof info};
    OK(para_pool_create(&pool, config));
    OK(para_pool_get_info(pool, &info));
    para_pool_destroy(pool);
    return info;
}

/* With no variable set. */
static para_pool_info info_of_empty(void)
{
    clear(NULL);
    return info_of(NULL);
}

TEST(nothing_set_is_all_automatic)
{
    para__settings settings = {.workers = 99, .binding = PARA_BIND_DOMAIN, .display = true};
    OK(para__settings_read(&settings));
    assert_int_equal(settings.workers, 0);
    assert_int_equal(settings.binding, PARA_BIND_AUTO);
    assert_false(settings.display);
}

TEST(empty_is_not_set)
{
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const para__settings settings = read_with(names[i], "");
        assert_int_equal(settings.workers, 0);
        assert_int_equal(settings.binding, PARA_BIND_AUTO);
        assert_false(settings.display);
        assert_int_equal(settings.stack.bytes, 0);
    }
}

TEST(worker_counts)
{
    assert_int_equal(read_with("PARA_NUM_WORKERS", "1").workers, 1);
    assert_int_equal(read_with("PARA_NUM_WORKERS", "4").workers, 4);
    assert_int_equal(read_with("PARA_NUM_WORKERS", " 8\t").workers, 8);
    assert_int_equal(read_with("PARA_NUM_WORKERS", "1024").workers, 1024);
    assert_int_equal(read_with("OMP_NUM_THREADS", "3").workers, 3);
    assert_int_equal(read_with("OMP_NUM_THREADS", "5,2,1").workers, 5);
    assert_int_equal(read_with("OMP_NUM_THREADS", " 6 , 2").workers, 6);
}

TEST(malformed_worker_counts)
{
    static const char *const bad[] = {"0",   "-1",   "-4",  "+4",  "four", "4x",
                                      "4 4", "1025", "0x4", "1.5", " ",    "99999999999999999999"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        refuses("PARA_NUM_WORKERS", bad[i]);
    }
    refuses("PARA_NUM_WORKERS", "4,2");
}

/* It is not ours: what other runtimes make of it is their affair, and no call fails for it. */
TEST(an_openmp_variable_is_never_an_error)
{
    static const char *const unread[] = {"0",   "-1",   "+4",  "four", "4x",   "4 4", "0x4", "1.0",
                                         "all", "auto", "4;2", ",4",   "true", " ",   ";",   "0,4"};
    for (size_t i = 0; i < COUNT_OF(unread); i++) {
        assert_int_equal(read_with("OMP_NUM_THREADS", unread[i]).workers, 0);
        setenv("OMP_NUM_THREADS", unread[i], 1);
        const unsigned requested = info_of(NULL).requested;
        assert_int_equal(requested, info_of_empty().requested);
    }
    assert_int_equal(read_with("OMP_NUM_THREADS", "1024").workers, 1024);
    assert_int_equal(read_with("OMP_NUM_THREADS", "1025").workers, 1024);
    assert_int_equal(read_with("OMP_NUM_THREADS", "2048,2").workers, 1024);
    assert_int_equal(read_with("OMP_NUM_THREADS", "99999999999999999999").workers, 1024);
}

TEST(a_very_long_value_is_refused)
{
    char value[5000];
    memset(value, '7', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (strncmp(names[i], "PARA_", 5) == 0)
            refuses(names[i], value);
    assert_int_equal(read_with("OMP_NUM_THREADS", value).workers, 1024);
}

TEST(stack_sizes)
{
    static const struct {
        const char *value;
        size_t bytes;
    } good[] = {{"1", 1 << 10},         {"4096B", 4096},       {"512k", 512 << 10},
                {"16M", 16 << 20},      {" 2 g ", 2ull << 30}, {"3 M", 3 << 20},
                {"20000", 20000 << 10}, {"8MB", 8 << 20},      {"8 gb", 8ull << 30},
                {"64KB ", 64 << 10}};
    static const char *const bad[] = {"0",
                                      "-1",
                                      "+1",
                                      "M",
                                      "1.5M",
                                      "16BB",
                                      "16MBB",
                                      "16BM",
                                      "1 6",
                                      "4T",
                                      "large",
                                      "16M,2",
                                      " ",
                                      "18446744073709551615K",
                                      "9007199254740992K"};
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_true(read_with("PARA_STACKSIZE", good[i].value).stack.bytes == good[i].bytes);
        assert_false(read_with("PARA_STACKSIZE", good[i].value).stack.or_less);
        assert_true(read_with("OMP_STACKSIZE", good[i].value).stack.bytes == good[i].bytes);
        assert_true(read_with("OMP_STACKSIZE", good[i].value).stack.or_less);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        refuses("PARA_STACKSIZE", bad[i]);
        assert_int_equal(read_with("OMP_STACKSIZE", bad[i]).stack.bytes, 0); /* passed over */
    }
    setenv("OMP_STACKSIZE", "7M", 1);
    assert_int_equal(read_with("PARA_STACKSIZE", "3M").stack.bytes, 3 << 20);
}

TEST(wait_policies)
{
    static const char *const bad[] = {"0", "true", "passiv", "active,passive", " "};
    assert_int_equal(read_with("PARA_WAIT_POLICY", "passive").wait_policy, PARA_WAIT_PASSIVE);
    assert_int_equal(read_with("PARA_WAIT_POLICY", "Active").wait_policy, PARA_WAIT_ACTIVE);
    assert_int_equal(read_with("OMP_WAIT_POLICY", "PASSIVE").wait_policy, PARA_WAIT_PASSIVE);
    assert_int_equal(read_with("OMP_WAIT_POLICY", "active").wait_policy, PARA_WAIT_AUTO);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        refuses("PARA_WAIT_POLICY", bad[i]);
        assert_int_equal(read_with("OMP_WAIT_POLICY", bad[i]).wait_policy, PARA_WAIT_AUTO);
    }
    setenv("OMP_WAIT_POLICY", "passive", 1);
    assert_int_equal(read_with("PARA_WAIT_POLICY", "active").wait_policy, PARA_WAIT_ACTIVE);
}

TEST(own_variable_wins_over_openmp)
{
    setenv("OMP_NUM_THREADS", "7", 1);
    assert_int_equal(read_with("PARA_NUM_WORKERS", "3").workers, 3);
    setenv("OMP_NUM_THREADS", "nonsense", 1); /* not ours, and not asked */
    assert_int_equal(read_with("PARA_NUM_WORKERS", "3").workers, 3);
}

TEST(bindings)
{
    assert_int_equal(read_with("PARA_PROC_BIND", "true").binding, PARA_BIND_CORE);
    assert_int_equal(read_with("PARA_PROC_BIND", "1").binding, PARA_BIND_CORE);
    assert_int_equal(read_with("PARA_PROC_BIND", "0").binding, PARA_BIND_NONE);
    assert_int_equal(read_with("PARA_PROC_BIND", "core").binding, PARA_BIND_CORE);
    assert_int_equal(read_with("PARA_PROC_BIND", "Core").binding, PARA_BIND_CORE);
    assert_int_equal(read_with("PARA_PROC_BIND", "DOMAIN").binding, PARA_BIND_DOMAIN);
    assert_int_equal(read_with("PARA_PROC_BIND", "false").binding, PARA_BIND_NONE);
    assert_int_equal(read_with("PARA_PROC_BIND", "close").binding, PARA_BIND_CORE);
    assert_int_equal(read_with("PARA_PROC_BIND", "Spread").binding, PARA_BIND_CORE);
    assert_int_equal(read_with("PARA_PROC_BIND", "spread").filling, PARA__FILL_SPREAD);
    assert_int_equal(read_with("PARA_PROC_BIND", "close").filling, PARA__FILL_CLOSE);
    assert_int_equal(read_with("PARA_PROC_BIND", "primary").binding, PARA_BIND_DOMAIN);
    assert_int_equal(read_with("PARA_PROC_BIND", "master").binding, PARA_BIND_DOMAIN);
    assert_int_equal(read_with("PARA_PROC_BIND", "spread,close").filling, PARA__FILL_SPREAD);
    assert_int_equal(read_with("PARA_PROC_BIND", "primary, spread , close").binding,
                     PARA_BIND_DOMAIN);
    static const char *const bad[] = {"clos",       "spread,",     ",spread",      "spread,,close",
                                      "true,close", "close,false", "spread close", "spread,core",
                                      "close;core", "2",           "1,close",      " ",
                                      ","};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        refuses("PARA_PROC_BIND", bad[i]);
    assert_int_equal(read_with("PARA_PROC_BIND", " spread ").filling, PARA__FILL_SPREAD);
    assert_int_equal(read_with("PARA_PROC_BIND", "\tfalse").binding, PARA_BIND_NONE);
    assert_int_equal(read_with("PARA_PROC_BIND", "core ").binding, PARA_BIND_CORE);
    assert_int_equal(read_with("PARA_PROC_BIND", " primary, spread ").binding, PARA_BIND_DOMAIN);
    refuses("PARA_PROC_BIND", "cor");
}

/* On a machine of 2 domains with 4 cores each; placed, but not bound, since it is not this one. In
 * children, since a process has one machine. */
static unsigned domains_of_pool(const char *word, unsigned workers)
{
    const pid_t child = fork();
    if (child == 0) {
        setenv("HWLOC_SYNTHETIC", "node:2 core:4 pu:2", 1);
        setenv("PARA_PROC_BIND", word, 1);
        para_pool_config config = PARA_POOL_CONFIG_INIT;
        config.workers = workers;
        para_pool *pool = NULL;
        unsigned in_second = 0;
        unsigned before = 0;
        if (para_pool_create(&pool, &config))
            _exit(200);
        for (unsigned i = 0; i < workers; i++) {
            para_worker_info worker = {.size = sizeof worker};
            if (para_pool_get_worker(pool, i, &worker) || worker.domain < before)
                _exit(201);
            before = worker.domain;
            in_second += worker.domain == 1;
        }
        _exit((int)in_second);
    }
    return (unsigned)status_of_child(child);
}

TEST(a_pool_may_be_spread)
{
    assert_int_equal(domains_of_pool("close", 2), 0);
    assert_int_equal(domains_of_pool("spread", 2), 1);
    assert_int_equal(domains_of_pool("spread", 5), 2);
    assert_int_equal(domains_of_pool("close", 5), 1);
    assert_int_equal(domains_of_pool("spread", 8), 4);
}

TEST(display)
{
    assert_true(read_with("PARA_DISPLAY_ENV", "true").display);
    assert_true(read_with("PARA_DISPLAY_ENV", "TRUE").display);
    assert_false(read_with("PARA_DISPLAY_ENV", "false").display);
    refuses("PARA_DISPLAY_ENV", "yes");
    refuses("PARA_DISPLAY_ENV", "2");
    assert_true(read_with("PARA_DISPLAY_ENV", "1").display);
    assert_false(read_with("PARA_DISPLAY_ENV", "0").display);
}

TEST(a_pool_follows_the_environment_and_the_program_wins)
{
    setenv("PARA_NUM_WORKERS", "3", 1);
    setenv("PARA_PROC_BIND", "false", 1);
    assert_int_equal(info_of(NULL).requested, 3);
    assert_int_equal(info_of(NULL).pinned, 0);
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = 2;
    assert_int_equal(info_of(&config).requested, 2);
    assert_int_equal(info_of(&config).binding, PARA_BIND_NONE);
    setenv("PARA_PROC_BIND", "Primary,close", 1);
    assert_int_equal(info_of(&config).binding, PARA_BIND_DOMAIN);
    setenv("PARA_PROC_BIND", "core", 1);
    config.binding = PARA_BIND_NONE;
    assert_int_equal(info_of(&config).binding, PARA_BIND_NONE);
    assert_int_equal(info_of(&config).pinned, 0);
}

TEST(display_prints_what_is_in_force)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    fflush(stderr);
    const int saved = dup(STDERR_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    setenv("PARA_NUM_WORKERS", "2", 1);
    setenv("PARA_DISPLAY_ENV", "true", 1);
    const para_pool_info info = info_of(NULL);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    char text[2000] = {0};
    rewind(file);
    const size_t bytes = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    assert_int_equal(info.requested, 2);
    assert_true(bytes > 0);
    assert_non_null(strstr(text, "PARA_NUM_WORKERS = '2'"));
    assert_non_null(strstr(text, "PARA_STACKSIZE = 'automatic'"));
    assert_non_null(strstr(text, para_version()));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_pool_may_be_spread, clear), /* no machine is read yet */
        cmocka_unit_test_setup(nothing_set_is_all_automatic, clear),
        cmocka_unit_test_setup(empty_is_not_set, clear),
        cmocka_unit_test_setup(worker_counts, clear),
        cmocka_unit_test_setup(malformed_worker_counts, clear),
        cmocka_unit_test_setup(an_openmp_variable_is_never_an_error, clear),
        cmocka_unit_test_setup(a_very_long_value_is_refused, clear),
        cmocka_unit_test_setup(own_variable_wins_over_openmp, clear),
        cmocka_unit_test_setup(bindings, clear),
        cmocka_unit_test_setup(stack_sizes, clear),
        cmocka_unit_test_setup(wait_policies, clear),
        cmocka_unit_test_setup(display, clear),
        cmocka_unit_test_setup(a_pool_follows_the_environment_and_the_program_wins, clear),
        cmocka_unit_test_setup(display_prints_what_is_in_force, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
