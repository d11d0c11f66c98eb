/* The CPU quota, against trees of control groups that each test builds in a directory of its
 * own. */
#include "../common/root.h"

#include "topology/cpu_quota.h"
#include "topology/topology.h"

static void put_v2(const char *group, const char *mounted)
{
    char text[512];
    snprintf(text, sizeof text, "0::%s\n", group);
    put("proc/self/cgroup", text);
    snprintf(text, sizeof text,
             "22 1 0:20 / / rw - ext4 /dev/sda1 rw\n"
             "30 22 0:26 %s /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n",
             mounted);
    put("proc/self/mountinfo", text);
}

static void put_v1(const char *group, const char *mounted)
{
    char text[512];
    snprintf(text, sizeof text,
             "12:cpuset:/other\n4:cpu,cpuacct:%s\n3:memory:/elsewhere\n1:name=systemd:/user\n",
             group);
    put("proc/self/cgroup", text);
    snprintf(
        text, sizeof text,
        "31 22 0:27 / /sys/fs/cgroup/cpuset rw shared:8 - cgroup cgroup rw,cpuset\n"
        "33 22 0:28 %s /sys/fs/cgroup/cpu,cpuacct rw shared:7 - cgroup cgroup rw,cpu,cpuacct\n",
        mounted);
    put("proc/self/mountinfo", text);
}

static void put_v1_quota(const char *directory, const char *quota, const char *period)
{
    char path[256];
    snprintf(path, sizeof path, "sys/fs/cgroup/cpu,cpuacct%s/cpu.cfs_quota_us", directory);
    put(path, quota);
    snprintf(path, sizeof path, "sys/fs/cgroup/cpu,cpuacct%s/cpu.cfs_period_us", directory);
    put(path, period);
}

/* Quotas here are exact in binary, so that == decides. */
static void assert_quota(double expected)
{
    const double quota = para__cpu_quota(root).cpus;
    if (quota != expected)
        fail_msg("quota is %g, not %g", quota, expected);
}

static void test_v2(void **state)
{
    (void)state;
    put_v2("/app", "/");
    put("sys/fs/cgroup/app/cpu.max", "250000 100000\n");
    assert_quota(2.5);
    put("sys/fs/cgroup/app/cpu.max", "max 100000\n");
    assert_quota(0);
}

static void test_v1(void **state)
{
    (void)state;
    put_v1("/app", "/");
    put_v1_quota("/app", "50000\n", "100000\n");
    put("sys/fs/cgroup/cpuset/other/cpu.cfs_quota_us", "1\n"); /* another controller's hierarchy */
    assert_quota(0.5);
    put_v1_quota("/app", "-1\n", "100000\n");
    assert_quota(0);
}

static void test_v1_cpu_alone(void **state)
{
    (void)state;
    put("proc/self/cgroup", "2:cpuacct:/wrong\n3:cpu:/app\n");
    put("proc/self/mountinfo", "31 22 0:27 / /sys/fs/cgroup/cpuacct rw - cgroup cgroup rw,cpuacct\n"
                               "32 22 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n");
    put("sys/fs/cgroup/cpu/app/cpu.cfs_quota_us", "300000\n");
    put("sys/fs/cgroup/cpu/app/cpu.cfs_period_us", "200000\n");
    assert_quota(1.5);
}

static void test_hybrid_takes_the_least_of_both(void **state)
{
    (void)state;
    put("proc/self/cgroup", "3:cpu:/one\n0::/two\n");
    put("proc/self/mountinfo", "32 22 0:28 / /cg/cpu rw - cgroup cgroup rw,cpu\n"
                               "41 22 0:38 / /cg/unified rw - cgroup2 cgroup2 rw\n");
    put("cg/cpu/one/cpu.cfs_quota_us", "300000\n");
    put("cg/cpu/one/cpu.cfs_period_us", "100000\n");
    assert_quota(3);
    put("cg/unified/two/cpu.max", "200000 100000\n");
    assert_quota(2);
    put("cg/unified/two/cpu.max", "400000 100000\n");
    assert_quota(3);
}

static void test_ancestors_up_to_the_root(void **state)
{
    (void)state;
    put_v2("/a/b/c", "/");
    put("sys/fs/cgroup/a/b/c/cpu.max", "max 100000\n");
    put("sys/fs/cgroup/a/b/cpu.max", "400000 100000\n");
    assert_quota(4);
    put("sys/fs/cgroup/a/cpu.max", "150000 100000\n");
    assert_quota(1.5);
    put("sys/fs/cgroup/cpu.max", "125000 100000\n");
    assert_quota(1.25);
    put("sys/fs/cgroup/a/b/c/cpu.max", "25000 100000\n");
    assert_quota(0.25);
}

static void test_siblings_do_not_count(void **state)
{
    (void)state;
    put_v2("/a/b", "/");
    put("sys/fs/cgroup/a/cpu.max", "max 100000\n");
    put("sys/fs/cgroup/a/bc/cpu.max", "100000 100000\n");
    put("sys/fs/cgroup/cpu/cpu.max", "100000 100000\n");
    assert_quota(0);
}

static void test_container_mount_shows_its_own_group(void **state)
{
    (void)state;
    put_v1("/docker/abc/job", "/docker/abc");
    put_v1_quota("/job", "-1\n", "100000\n");
    put_v1_quota("", "350000\n", "100000\n");
    assert_quota(3.5);
    put_v1("/docker/abc", "/docker/abc");
    assert_quota(3.5);
}

static void test_mount_of_another_group_does_not_count(void **state)
{
    (void)state;
    put_v2("/docker/abcd", "/docker/abc"); /* a common beginning, but not of whole names */
    put("sys/fs/cgroup/cpu.max", "100000 100000\n");
    put("sys/fs/cgroup/d/cpu.max", "100000 100000\n");
    assert_quota(0);
    put_v2("/", "/docker/abc");
    assert_quota(0);
}

static void test_namespace_below_the_mounted_group(void **state)
{
    (void)state;
    /* The mount's root is two groups above the namespace's; what lies between has no visible name.
     * */
    put_v2("/job", "/../..");
    put("sys/fs/cgroup/cpu.max", "450000 100000\n");
    put("sys/fs/cgroup/job/cpu.max", "100000 100000\n");
    assert_quota(4.5);
}

static void test_process_moved_out_of_its_namespace(void **state)
{
    (void)state;
    put_v2("/../other/job", "/");
    put("sys/fs/cgroup/cpu.max", "100000 100000\n");
    put("sys/fs/other/job/cpu.max", "100000 100000\n"); /* "..", taken for a directory's name */
    assert_quota(0);
    put_v2("/../other/job", "/..");
    put("sys/fs/cgroup/cpu.max", "max 100000\n");
    put("sys/fs/cgroup/other/job/cpu.max", "150000 100000\n");
    assert_quota(1.5);
    put_v2("/../other/job", "/../other");
    put("sys/fs/cgroup/job/cpu.max", "50000 100000\n");
    assert_quota(0.5);
}

static void test_escaped_characters(void **state)
{
    (void)state;
    put("proc/self/cgroup", "0::/my group/a\\b:c\n");
    put("proc/self/mountinfo", "30 22 0:26 /my\\040group /cg\\040\\134x rw - cgroup2 cgroup2 rw\n");
    put("cg \\x/a\\b:c/cpu.max", "75000 100000\n");
    assert_quota(0.75);
}

static void test_every_mount_is_looked_at(void **state)
{
    (void)state;
    put("proc/self/cgroup", "0::/app\n");
    put("proc/self/mountinfo",
        "30 22 0:26 /other /one rw - cgroup2 cgroup2 rw\n"
        "31 22 0:26 / /two rw master:3 propagate_from:2 - cgroup2 none rw\n");
    put("one/cpu.max", "50000 100000\n");
    put("two/app/cpu.max", "200000 100000\n");
    assert_quota(2);
}

static void test_deleted_group_leaves_its_ancestors(void **state)
{
    (void)state;
    put_v2("/slice/app (deleted)", "/");
    put("sys/fs/cgroup/slice/cpu.max", "150000 100000\n");
    assert_quota(1.5);
}

/* Malformed as cpu.max, and as either file of version 1. */
static const char *const malformed_limits[] = {
    "",
    "\n",
    "max",
    "x 100000\n",
    "100000x 100000\n",
    "0 100000\n",
    "0\n",
    "-1 100000\n",
    "1e5 100000\n",
    "\xff\xfe\n",
    "100000\t100000\n",
    "99999999999999999999999 1\n",
};

static void test_malformed_limits_grant_everything(void **state)
{
    static const char *const malformed_v2[] = {
        "100000",       "100000 ",          "100000 0\n",        "100000 -5\n",
        "100000 max\n", "100000 100000x\n", "100000 100000 7\n",
    };
    (void)state;
    put_v2("/app", "/");
    for (size_t i = 0; i < sizeof malformed_limits / sizeof malformed_limits[0]; i++) {
        put("sys/fs/cgroup/app/cpu.max", malformed_limits[i]);
        assert_quota(0);
    }
    for (size_t i = 0; i < sizeof malformed_v2 / sizeof malformed_v2[0]; i++) {
        put("sys/fs/cgroup/app/cpu.max", malformed_v2[i]);
        assert_quota(0);
    }
    put_v1("/app", "/");
    for (size_t i = 0; i < sizeof malformed_limits / sizeof malformed_limits[0]; i++) {
        put_v1_quota("/app", malformed_limits[i], "100000\n");
        assert_quota(0);
        put_v1_quota("/app", "100000\n", malformed_limits[i]);
        assert_quota(0);
    }
}

static void test_malformed_lists(void **state)
{
    static const char *const malformed[] = {
        "",
        "\n\n",
        ":::\n",
        "0:\n",
        "0::\n",
        "0::app\n",
        "cpu\n",
        "3:cpu\n",
        "3:cpu:\n",
        "\xff\n",
        "30\n",
        "30 22 0:26 / - cgroup2 x rw\n",
        " - \n",
        "30 22 0:26 / /x rw - \n",
        " - cgroup2\n",
        "30 22 0:26 / /cg rw - cgroup cgroup\n",
        "30 22 0:26 \\9 \\04 rw - cgroup2 c r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        put_v2("/app", "/");
        put("sys/fs/cgroup/app/cpu.max", "100000 100000\n");
        assert_quota(1);
        put("proc/self/cgroup", malformed[i]);
        assert_quota(0);
        put("proc/self/cgroup", "0::/app\n3:cpu:/app\n");
        put("proc/self/mountinfo", malformed[i]);
        assert_quota(0);
    }
}

static void test_missing_files(void **state)
{
    (void)state;
    assert_quota(0);
    put_v2("/app", "/");
    assert_quota(0);
    put_v1("/app", "/");
    put("sys/fs/cgroup/cpu,cpuacct/app/cpu.cfs_quota_us", "100000\n");
    assert_quota(0);
    put("sys/fs/cgroup/cpu,cpuacct/app/cpu.cfs_period_us", "100000\n");
    assert_quota(1);
}

/* Overlay mounts have lines of many thousand characters. */
static void test_very_long_lines(void **state)
{
    (void)state;
    const size_t length = 300000;
    char *text = malloc(length + 256);
    assert_non_null(text);
    int at = sprintf(text, "29 22 0:25 / /data rw - overlay overlay rw,lowerdir=");
    memset(text + at, 'a', length);
    sprintf(text + at + length, "\n30 22 0:26 / /cg rw - cgroup2 cgroup2 rw\n");
    put("proc/self/mountinfo", text);
    sprintf(text, "7:");
    memset(text + 2, 'b', length);
    sprintf(text + 2 + length, ":/x\n0::/app\n");
    put("proc/self/cgroup", text);
    free(text);
    put("cg/app/cpu.max", "700000 200000\n");
    assert_quota(3.5);
}

static void test_errno_is_kept(void **state)
{
    (void)state;
    errno = 77;
    assert_quota(0);
    assert_int_equal(errno, 77);
}

/* ---- What is not known ------------------------------------------------------------------- */

static void assert_known(bool expected, double cpus)
{
    assert_int_equal(para__cpu_quota(root).is_known, expected);
    assert_quota(cpus);
}

/* A group has cgroup.procs. The root has no quota file, nor has a group without the controller. */
static void test_groups_without_quota_files_have_no_quota(void **state)
{
    (void)state;
    put_v2("/a/b", "/");
    put("sys/fs/cgroup/a/b/cgroup.procs", "");
    put("sys/fs/cgroup/a/cpu.max", "max 100000\n");
    put("sys/fs/cgroup/cgroup.procs", "");
    assert_known(true, 0);
    put("sys/fs/cgroup/a/cpu.max", "200000 100000\n");
    assert_known(true, 2);
    put_v2("/", "/");
    assert_known(true, 0);
    put_v1("/app", "/");
    put("sys/fs/cgroup/cpu,cpuacct/cgroup.procs", "");
    put_v1_quota("/app", "-1\n", "100000\n");
    assert_known(true, 0);
    put_v1_quota("/app", "50000\n", "100000\n");
    assert_known(true, 0.5);
}

/* Something else is mounted over the groups. */
static void test_groups_that_are_covered(void **state)
{
    (void)state;
    put_v2("/app", "/");
    assert_known(false, 0);
    put("sys/fs/cgroup/other", "");
    assert_known(false, 0);
    put_v2("/", "/");
    assert_known(false, 0);
    put_v1("/app", "/");
    assert_known(false, 0);
    put("proc/self/mountinfo", "22 1 0:20 / / rw - ext4 /dev/sda1 rw\n"); /* they are not mounted */
    assert_known(false, 0);
}

static void test_proc_that_is_covered(void **state)
{
    (void)state;
    assert_known(false, 0);
    put("proc/self/cgroup", "0::/app\n");
    assert_known(false, 0);
}

/* A kernel without control groups has no such file. One that has mounted none has an empty one. */
static void test_a_system_without_groups_has_no_quota(void **state)
{
    (void)state;
    put("proc/self/mountinfo", "22 1 0:20 / / rw - ext4 /dev/sda1 rw\n");
    assert_known(true, 0);
    put("proc/self/cgroup", "");
    assert_known(true, 0);
    put("proc/self/cgroup", "3:memory:/app\n1:name=systemd:/user\n"); /* without the controller */
    assert_known(true, 0);
}

/* What is seen of the groups above counts, but the group itself is not seen. */
static void test_a_group_that_its_mount_does_not_show(void **state)
{
    (void)state;
    put_v2("/docker/abcd", "/docker/other");
    put("sys/fs/cgroup/cpu.max", "max 100000\n");
    assert_known(false, 0);
    put_v2("/", "/../..");
    assert_known(false, 0);
    put_v2("/slice/app (deleted)", "/");
    put("sys/fs/cgroup/slice/cpu.max", "150000 100000\n");
    assert_known(false, 1.5);
}

/* A controller is in one hierarchy only. */
static void test_the_hierarchy_of_the_controller_decides(void **state)
{
    (void)state;
    put("proc/self/cgroup", "3:cpu:/one\n0::/two\n");
    put("proc/self/mountinfo", "32 22 0:28 / /cg/cpu rw - cgroup cgroup rw,cpu\n"
                               "41 22 0:38 / /cg/unified rw - cgroup2 cgroup2 rw\n");
    put("cg/unified/cgroup.procs", "");
    put("cg/unified/two/cgroup.procs", "");
    assert_known(false, 0);
    put("cg/cpu/cgroup.procs", "");
    put("cg/cpu/one/cgroup.procs", "");
    assert_known(true, 0);
    put("proc/self/cgroup", "3:memory:/one\n0::/two\n");
    assert_known(true, 0);
}

static void test_quotas_that_cannot_be_read(void **state)
{
    (void)state;
    put_v2("/app", "/");
    put("sys/fs/cgroup/cgroup.procs", "");
    put("sys/fs/cgroup/app/cgroup.procs", "");
    put("sys/fs/cgroup/app/cpu.max", "some\n");
    assert_known(false, 0);
    put("sys/fs/cgroup/app/cpu.max", "max 100000\n");
    assert_known(true, 0);
}

/* The budget: min(cpus, max(1, floor(quota))), here of 16 hardware threads on 8 cores. */
static void test_budget(void **state)
{
    static const struct {
        const char *limit;
        unsigned budget;
    } cases[] = {
        {"50000 100000\n", 1},  {"100000 100000\n", 1},   {"199000 100000\n", 1},
        {"250000 100000\n", 2}, {"800000 100000\n", 8},   {"790000 100000\n", 7},
        {"max 100000\n", 16},   {"6400000 100000\n", 16}, {"9000000000000000000 1\n", 16},
        {"1 1000000\n", 1},     {"1199000 100000\n", 11},
    };
    (void)state;
    put_v2("/app", "/");
    setenv("HWLOC_SYNTHETIC", "node:2 core:4 pu:2", 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put("sys/fs/cgroup/app/cpu.max", cases[i].limit);
        para__machine *machine = NULL;
        assert_int_equal(para__machine_load(&machine, root), PARA_OK);
        assert_int_equal(machine->info.budget, cases[i].budget);
        assert_true(machine->info.quota == para__cpu_quota(root).cpus);
        assert_int_equal(machine->info.quota_known, para__cpu_quota(root).is_known);
        para__machine_free(machine);
    }
    unsetenv("HWLOC_SYNTHETIC");
}

static void test_real_files(void **state)
{
    (void)state;
    assert_true(para__cpu_quota("").cpus >= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_IN_ROOT(test_v2),
        TEST_IN_ROOT(test_v1),
        TEST_IN_ROOT(test_v1_cpu_alone),
        TEST_IN_ROOT(test_hybrid_takes_the_least_of_both),
        TEST_IN_ROOT(test_ancestors_up_to_the_root),
        TEST_IN_ROOT(test_siblings_do_not_count),
        TEST_IN_ROOT(test_container_mount_shows_its_own_group),
        TEST_IN_ROOT(test_mount_of_another_group_does_not_count),
        TEST_IN_ROOT(test_namespace_below_the_mounted_group),
        TEST_IN_ROOT(test_process_moved_out_of_its_namespace),
        TEST_IN_ROOT(test_escaped_characters),
        TEST_IN_ROOT(test_every_mount_is_looked_at),
        TEST_IN_ROOT(test_deleted_group_leaves_its_ancestors),
        TEST_IN_ROOT(test_malformed_limits_grant_everything),
        TEST_IN_ROOT(test_malformed_lists),
        TEST_IN_ROOT(test_missing_files),
        TEST_IN_ROOT(test_very_long_lines),
        TEST_IN_ROOT(test_errno_is_kept),
        TEST_IN_ROOT(test_groups_without_quota_files_have_no_quota),
        TEST_IN_ROOT(test_groups_that_are_covered),
        TEST_IN_ROOT(test_proc_that_is_covered),
        TEST_IN_ROOT(test_a_system_without_groups_has_no_quota),
        TEST_IN_ROOT(test_a_group_that_its_mount_does_not_show),
        TEST_IN_ROOT(test_the_hierarchy_of_the_controller_decides),
        TEST_IN_ROOT(test_quotas_that_cannot_be_read),
        TEST_IN_ROOT(test_budget),
        TEST_IN_ROOT(test_real_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
