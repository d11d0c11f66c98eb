/* A directory in /tmp for a test's files. make_root and remove_root are cmocka's setup and
 * teardown, for one test or for a group. */
#ifndef PARA_TESTS_ROOT_H
#define PARA_TESTS_ROOT_H

#include "check.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64];

/* Readable by everybody: a test may drop its privileges. */
static inline int make_root(void **state)
{
    (void)state;
    strcpy(root, "/tmp/para-test-XXXXXX");
    return mkdtemp(root) && chmod(root, 0755) == 0 ? 0 : -1;
}

static unsigned removed_from_root;

static inline int remove_below_root(const char *path, const struct stat *info, int flag,
                                    struct FTW *walk)
{
    (void)info;
    (void)flag;
    if (walk->level == 0)
        return 0;
    removed_from_root++;
    return remove(path);
}

/* Removes all files and directories below the root; returns their number. */
static inline unsigned empty_root(void)
{
    removed_from_root = 0;
    assert_int_equal(nftw(root, remove_below_root, 16, FTW_DEPTH | FTW_PHYS), 0);
    return removed_from_root;
}

static inline int remove_root(void **state)
{
    (void)state;
    empty_root();
    return rmdir(root);
}

#define TEST_IN_ROOT(name) cmocka_unit_test_setup_teardown(name, make_root, remove_root)

/* The full path of a name below the root. Valid until the next call. */
static inline const char *in_root(const char *name)
{
    static char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", root, name);
    return path;
}

/* Writes a file below the root. Makes the directories that it needs. */
static inline void put_bytes(const char *name, const void *bytes, size_t n)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", root, name);
    for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        assert_true(mkdir(path, 0777) == 0 || errno == EEXIST);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

static inline void put(const char *name, const char *text)
{
    put_bytes(name, text, strlen(text));
}

#endif
