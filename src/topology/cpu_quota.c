/* The CPU quota, read from the files of control groups.
 *
 * /proc/self/cgroup names the process's group in each hierarchy, /proc/self/mountinfo where the
 * hierarchies are mounted. A mount need not show its whole hierarchy. In a container its root is
 * often the container's own group, so a group's directory is the mount point plus what the group's
 * path adds to the mount's root. A missing or malformed file never lowers the quota: the quota is a
 * hint for how many threads pay, and no reason to fail.
 *
 * The quota is known if all groups from the process's own one up to the root of a mount could be
 * read, in the hierarchy that has the cpu controller: the one of version 1 if that has it, else
 * that of version 2. A directory is a group if it has cgroup.procs, and one without a quota file
 * has no quota: the root has none, nor has a group without the controller. */
#include "topology/cpu_quota.h"

#include "base/bounds.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The process's groups, as paths in their hierarchies; NULL: none. */
typedef struct groups {
    char *v1; /* in the version 1 hierarchy that has the cpu controller */
    char *v2;
    bool are_known; /* the system has told which they are */
} groups;

static FILE *open_text(const char *root, const char *name)
{
    char *path = NULL;
    FILE *file = NULL;
    if (asprintf(&path, "%s%s", root, name) >= 0) {
        file = fopen(path, "re");
        free(path);
    }
    return file;
}

/* Whether a list such as "rw,cpu,cpuacct" has the word. */
static bool has_word(const char *list, const char *word)
{
    const size_t length = strlen(word);
    for (const char *at = list; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, word, length) == 0 && (at[length] == '\0' || at[length] == ','))
            return true;
    }
    return false;
}

static bool is_proc_mounted(const char *root)
{
    FILE *const file = open_text(root, "/proc/self/mountinfo");
    if (file)
        fclose(file);
    return file != NULL;
}

/* Lines are "number:controllers:path"; the version 2 hierarchy has number 0 and no controllers. */
static groups read_groups(const char *root)
{
    groups own = {NULL, NULL, false};
    FILE *file = open_text(root, "/proc/self/cgroup");
    char *line = NULL;
    size_t capacity = 0;
    own.are_known = file || (errno == ENOENT && is_proc_mounted(root)); /* else a kernel without */
    while (file && getline(&line, &capacity, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        char *path = line;
        const char *number = strsep(&path, ":");
        const char *controllers = strsep(&path, ":");
        if (!path || *path != '/')
            continue;
        if (!own.v1 && has_word(controllers, "cpu"))
            own.v1 = strdup(path);
        else if (!own.v2 && strcmp(number, "0") == 0 && *controllers == '\0')
            own.v2 = strdup(path);
    }
    free(line);
    if (file)
        fclose(file);
    return own;
}

/* mountinfo writes blanks, newlines and backslashes as a backslash and three octal digits. */
static void unescape(char *text)
{
    char *to = text;
    for (const char *from = text; *from; to++) {
        if (from[0] == '\\' && strspn(from + 1, "01234567") >= 3) {
            *to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
            from += 4;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
}

static bool goes_up(const char *path)
{
    return strncmp(path, "/..", 3) == 0 && (path[3] == '\0' || path[3] == '/');
}

/* The rest of own below mounted; both are group paths of one hierarchy. "" if they are the same;
 * NULL if own is not below mounted. Inside a cgroup namespace, paths start at the namespace's root
 * and climb out of it by "/..". If mounted climbs further up than own, the way down has names that
 * are not visible here: of such a mount only its root is known to be an ancestor, and *is_all is
 * false. */
static const char *path_below(const char *mounted, const char *own, bool *is_all)
{
    *is_all = true;
    for (; goes_up(mounted) && goes_up(own); mounted += 3)
        own += 3;
    if (goes_up(mounted)) {
        *is_all = false;
        while (goes_up(mounted))
            mounted += 3;
        return *mounted == '\0' ? "" : NULL;
    }
    if (goes_up(own))
        return NULL;
    const size_t length = strcmp(mounted, "/") == 0 ? 0 : strlen(mounted);
    if (strncmp(own, mounted, length) != 0 || (own[length] != '\0' && own[length] != '/'))
        return NULL;
    return own + length;
}

/* Reads the positive number at *text and moves *text past it and the blanks behind it. 0: there is
 * none, as for "max" and -1. */
static double take_number(const char **text)
{
    char *end = NULL;
    errno = 0;
    const long long number = strtoll(*text, &end, 10);
    if (end == *text || errno != 0 || number <= 0 || (*end != '\0' && !strchr(" \n", *end)))
        return 0;
    *text = end + strspn(end, " \n");
    return (double)number;
}

/* The start of a file; "" if it cannot be read, and errno says why. */
static const char *read_start(int directory, const char *name, char buffer[static 128])
{
    const int file = openat(directory, name, O_RDONLY | O_CLOEXEC);
    ssize_t length = 0;
    if (file >= 0) {
        length = read(file, buffer, 127);
        close(file);
    }
    buffer[para__max(length, 0)] = '\0';
    return buffer;
}

static bool has_file(int directory, const char *name)
{
    const int file = openat(directory, name, O_PATH | O_CLOEXEC);
    if (file >= 0)
        close(file);
    return file >= 0;
}

enum { UNREADABLE = -1 };

/* CPUs that the group in this directory grants by itself; 0: no limit; or UNREADABLE. */
static double read_limit(int directory, bool v2)
{
    char buffer[128];
    errno = 0;
    const char *text = read_start(directory, v2 ? "cpu.max" : "cpu.cfs_quota_us", buffer);
    if (*text == '\0')
        return errno == ENOENT && has_file(directory, "cgroup.procs") ? 0 : UNREADABLE;
    const bool is_unlimited = strncmp(text, v2 ? "max" : "-1", v2 ? 3 : 2) == 0;
    const double quota = take_number(&text);
    if (!v2)
        text = read_start(directory, "cpu.cfs_period_us", buffer);
    const double period = take_number(&text);
    if (is_unlimited)
        return 0;
    return quota > 0 && period > 0 && *text == '\0' ? quota / period : UNREADABLE;
}

static double read_quota(const char *path, bool v2)
{
    const int directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return UNREADABLE;
    const double quota = read_limit(directory, v2);
    close(directory);
    return quota;
}

/* Looks at the groups from the one at root/point/below up to the one at root/point. Whether all of
 * them could be read. *least: of their quotas and of what it was. */
static bool walk_up(const char *root, const char *point, const char *below, bool v2, double *least)
{
    char *path = NULL;
    bool all = true;
    if (asprintf(&path, "%s%s%s", root, point, below) < 0)
        return false;
    const size_t top = strlen(root) + strlen(point);
    size_t end = strlen(path);
    for (;;) {
        while (end > top && path[end - 1] == '/')
            end--;
        path[end] = '\0';
        const double quota = read_quota(path, v2);
        all &= quota >= 0;
        if (quota > 0 && (*least == 0 || quota < *least))
            *least = quota;
        if (end <= top)
            break;
        while (end > top && path[end - 1] != '/')
            end--;
    }
    free(path);
    return all;
}

/* Lines are "id parent device root point options [tag...] - type source superoptions". */
static para__quota read_mounts(const char *root, const groups *own)
{
    para__quota granted = {0, false};
    FILE *file = open_text(root, "/proc/self/mountinfo");
    char *line = NULL;
    size_t capacity = 0;
    while (file && getline(&line, &capacity, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        char *rest = strstr(line, " - ");
        if (!rest)
            continue;
        *rest = '\0';
        rest += 3;
        const char *type = strsep(&rest, " ");
        strsep(&rest, " ");
        const bool v2 = strcmp(type, "cgroup2") == 0;
        const bool v1 = strcmp(type, "cgroup") == 0 && rest && has_word(rest, "cpu");
        const char *group = v2 ? own->v2 : v1 ? own->v1 : NULL;
        rest = line;
        for (int skipped = 0; skipped < 3; skipped++)
            strsep(&rest, " ");
        char *mounted = strsep(&rest, " ");
        char *point = strsep(&rest, " ");
        if (!group || !point)
            continue;
        unescape(mounted);
        unescape(point);
        bool is_all;
        const char *below = path_below(mounted, group, &is_all);
        is_all &= below && walk_up(root, point, below, v2, &granted.cpus);
        granted.is_known |= is_all && (v1 || !own->v1);
    }
    free(line);
    if (file)
        fclose(file);
    return granted;
}

para__quota para__cpu_quota(const char *root)
{
    const int saved = errno;
    groups own = read_groups(root);
    para__quota granted = {0, own.are_known}; /* of a process in no group */
    if (own.v1 || own.v2)
        granted = read_mounts(root, &own);
    free(own.v1);
    free(own.v2);
    errno = saved;
    return granted;
}
