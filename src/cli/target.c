/* A file is written under a hidden name in the folder of its target, flushed, and renamed. A file
 * without any name (O_TMPFILE) would vanish by itself even after SIGKILL, but it cannot be renamed
 * over an existing one, and many file systems do not have it. */
#include "cli/target.h"

#include "base/unique.h"
#include "cli/ending.h"
#include "cli/say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int para__target_fail(para__target *target, const char *fault)
{
    const int status = para__say_failed("%s: %s", target->path, fault);
    para__target_discard(target);
    return status;
}

/* Opens the folder and sets the name in it. */
static bool open_folder(para__target *target)
{
    char *slash = strrchr(target->resolved, '/');
    target->name = slash ? slash + 1 : target->resolved;
    char *folder =
        slash ? strndup(target->resolved, (size_t)(slash - target->resolved) + 1) : strdup(".");
    if (!folder)
        return false;
    target->folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    free(folder);
    return target->folder >= 0;
}

/* A mount point is on another device than its folder, or has the attribute MOUNT_ROOT (Linux 5.8,
 * glibc). */
static bool is_mount_point(const para__target *target, const struct stat *there,
                           const struct stat *folder)
{
#ifdef STATX_ATTR_MOUNT_ROOT
    struct statx facts = {0};
    if (statx(target->folder, target->name, AT_SYMLINK_NOFOLLOW, 0, &facts) == 0 &&
        facts.stx_attributes & STATX_ATTR_MOUNT_ROOT)
        return true;
#else
    (void)target;
#endif
    return there->st_dev != folder->st_dev;
}

/* Returns why a new file cannot replace the existing one; NULL: it can. */
static const char *find_obstacle(const para__target *target, const struct stat *there)
{
    struct stat folder;
    if (faccessat(target->folder, target->name, W_OK, 0) != 0 ||
        fstat(target->folder, &folder) != 0)
        return strerror(errno);
    if (is_mount_point(target, there, &folder))
        return "it is a mount point, which no new file can replace: name another file";
    const uid_t user = geteuid();
    if (folder.st_mode & S_ISVTX && user != 0 && user != there->st_uid && user != folder.st_uid)
        return "it belongs to another user, and in its folder only the owner may replace it: name "
               "another file";
    return NULL;
}

int para__target_create(para__target *target, const char *path, const char *advice)
{
    struct stat there;
    *target = (para__target){.path = path, .folder = -1, .descriptor = -1};
    /* The link of a pipe such as /dev/fd/63 cannot be resolved. */
    if (stat(path, &there) == 0 && !S_ISREG(there.st_mode)) {
        if (S_ISDIR(there.st_mode))
            return para__target_fail(target, strerror(EISDIR));
        return para__say_failed("%s: not a regular file%s", path, advice);
    }
    target->resolved = para__unique_resolve(path);
    if (!target->resolved || !open_folder(target))
        return para__target_fail(target, strerror(errno));
    if (!*target->name)
        return para__target_fail(target, strerror(EISDIR));
    const bool exists = fstatat(target->folder, target->name, &there, AT_SYMLINK_NOFOLLOW) == 0;
    if (exists && !S_ISREG(there.st_mode))
        return para__target_fail(target, "another program has just replaced it: try again");
    const char *obstacle = exists ? find_obstacle(target, &there) : NULL;
    if (obstacle)
        return para__target_fail(target, obstacle);
    const mode_t mode = exists ? there.st_mode & 0777 : 0666;
    target->descriptor = para__ending_create(target->folder, mode);
    if (target->descriptor < 0) {
        const int status = para__say_failed(
            "%s: %s%s", path, strerror(errno),
            errno == EACCES || errno == EPERM || errno == EROFS
                ? ": no file can be made in its folder, which is needed even to replace one"
                : "");
        para__target_discard(target);
        return status;
    }
    if (exists && fchmod(target->descriptor, mode) != 0)
        return para__target_fail(target, strerror(errno));
    return 0;
}

FILE *para__target_stream(para__target *target)
{
    const int own = fcntl(target->descriptor, F_DUPFD_CLOEXEC, 3);
    FILE *const stream = own < 0 ? NULL : fdopen(own, "w");
    if (!stream) {
        const int error = errno;
        if (own >= 0)
            close(own);
        para__target_fail(target, strerror(error));
    }
    return stream;
}

int para__target_commit(para__target *target)
{
    /* Without this a power cut could leave the name on a file without its elements; and a disk that
     * fails says so here or nowhere. Some file systems have nothing to flush. */
    if (fsync(target->descriptor) != 0 && errno != EINVAL && errno != ENOTSUP && errno != ENOSYS)
        return para__target_fail(target, strerror(errno));
    if (!para__ending_owns(target->descriptor))
        return para__target_fail(
            target, "another program has put a file in the place of the temporary one");
    const int closed = close(target->descriptor);
    target->descriptor = -1;
    if (closed != 0 || para__ending_dispose(target->name) != 0)
        return para__target_fail(target, strerror(errno));
    para__target_discard(target);
    return 0;
}

void para__target_discard(para__target *target)
{
    if (target->descriptor >= 0)
        close(target->descriptor);
    para__ending_dispose(NULL);
    if (target->folder >= 0)
        close(target->folder);
    free(target->resolved);
    target->resolved = NULL;
    target->folder = target->descriptor = -1;
}
