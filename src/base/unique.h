/* Creates a file under a unique name, to be renamed when it is complete, and finds the name that it
 * will have then. The unique name is random and the file is created exclusively: process numbers
 * are not unique across containers that share a folder. Inline, because the command is linked with
 * the public library, which does not export it. */
#ifndef PARA_BASE_UNIQUE_H
#define PARA_BASE_UNIQUE_H

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/* Room for such a name without its folder. */
#define PARA__UNIQUE_MAX 32

/* Returns a random number; before the system has entropy, one made of the time and the process. */
static inline uint64_t para__unique_number(void)
{
    uint64_t number;
    struct timespec now;
    if (getrandom(&number, sizeof number, GRND_NONBLOCK) == sizeof number)
        return number;
    clock_gettime(CLOCK_REALTIME, &now);
    return ((uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec) * 0x9e3779b97f4a7c15U ^
           (uint64_t)getpid() << 32;
}

/* Creates a new file for reading and writing, relative to folder as in openat. Its name begins with
 * the first prefix_length bytes of prefix: a path up to its last slash, or nothing. Stores the name
 * in `name`, which has prefix_length + PARA__UNIQUE_MAX bytes. Returns the descriptor, or -1 and
 * sets errno. */
static inline int para__unique_create(int folder, const char *prefix, size_t prefix_length,
                                      char *name, unsigned mode)
{
    for (int attempt = 0; attempt < 100; attempt++) {
        snprintf(name, prefix_length + PARA__UNIQUE_MAX, "%.*s.para-%016" PRIx64 ".tmp",
                 (int)prefix_length, prefix, para__unique_number());
        const int descriptor =
            openat(folder, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
        if (descriptor >= 0 || errno != EEXIST)
            return descriptor;
    }
    return -1;
}

/* Returns where a link points to, as seen from the folder that the caller sees path from. NULL and
 * errno: EINVAL if it is no link, ENOENT if it is not there, or another fault. */
static inline char *para__unique_follow(const char *path)
{
    char there[PATH_MAX];
    char *target = NULL;
    const ssize_t length = readlink(path, there, sizeof there);
    if (length < 0)
        return NULL;
    const char *slash = *there == '/' ? NULL : strrchr(path, '/');
    const int folder = slash ? (int)(slash - path) + 1 : 0;
    return asprintf(&target, "%.*s%.*s", folder, path, (int)length, there) < 0 ? NULL : target;
}

/* Follows symbolic links to where the file will stand, which need not exist: the last link of a
 * chain may point to nothing. Returns a path to be freed, or NULL and sets errno: ELOOP for a chain
 * without an end. */
static inline char *para__unique_resolve(const char *path)
{
    char *target = realpath(path, NULL);
    if (target || errno != ENOENT)
        return target;
    target = strdup(path);
    for (int links = 0; target && links < 40; links++) { /* as many as the system follows */
        char *next = para__unique_follow(target);
        const int error = errno;
        if (!next && (error == EINVAL || error == ENOENT))
            return target;
        free(target);
        errno = error;
        target = next;
    }
    if (target)
        errno = ELOOP; /* links that somebody has changed meanwhile */
    free(target);
    return NULL;
}

#endif
