/* A file that appears under its name only when it is complete.
 *
 * It is written under a hidden name in the same folder, flushed, and renamed. A file without any
 * name (O_TMPFILE) would vanish by itself even after SIGKILL, but it cannot be renamed over an
 * existing one, and many file systems do not have it. All its space is allocated before it is
 * mapped: a full disk is then an error here, and not a SIGBUS in the middle of the kernel. */
#include "cli/array.h"
#include "cli/ending.h"
#include "cli/say.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Says why, then removes what there is. */
static int fail(para__output *output, const char *why)
{
    const int status = para__say_failed("%s: %s", output->array.path, why);
    para__output_discard(output);
    return status;
}

/* Where a link points to, which is seen from the folder that the link is in. NULL and errno: it is
 * no link (EINVAL), or it is not there. */
static char *follow(const char *path)
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
 * chain may point to nothing. A chain without an end has been refused by realpath. */
static char *resolve(const char *path)
{
    char *target = realpath(path, NULL);
    if (target || errno != ENOENT)
        return target;
    target = strdup(path);
    for (int links = 0; target && links < 40; links++) { /* as many as the system follows */
        char *next = follow(target);
        if (!next)
            break;
        free(target);
        target = next;
    }
    return target;
}

int para__output_begin(para__output *output, const char *path, const para__npy *npy)
{
    char header[PARA__NPY_HEADER_MAX];
    struct stat st;
    *output = (para__output){.descriptor = -1, .array = {.path = path, .npy = *npy}};
    para__array *array = &output->array;
    output->target = resolve(path);
    if (!output->target)
        return fail(output, strerror(errno));
    const bool exists = stat(output->target, &st) == 0;
    if (exists && !S_ISREG(st.st_mode))
        return fail(output, S_ISDIR(st.st_mode) ? strerror(EISDIR) : "not a regular file");
    if (exists && access(output->target, W_OK) != 0)
        return fail(output, strerror(errno));
    if (!para__npy_format(&array->npy, header))
        return fail(output, strerror(EFBIG));
    const size_t bytes = array->npy.data_offset + array->npy.count * array->npy.element_bytes;

    output->descriptor = para__ending_create(output->target, exists ? st.st_mode & 0777 : 0666);
    if (output->descriptor < 0)
        return fail(output, strerror(errno));
    if (exists && fchmod(output->descriptor, st.st_mode & 0777) != 0)
        return fail(output, strerror(errno));
    const int error = posix_fallocate(output->descriptor, 0, (off_t)bytes);
    if (error)
        return fail(output, strerror(error));
    errno = EIO;
    if (pwrite(output->descriptor, header, array->npy.data_offset, 0) !=
        (ssize_t)array->npy.data_offset)
        return fail(output, strerror(errno));
    const para_status status =
        para_buffer_map_file(&array->buffer, para__ending_name(), PARA_FILE_WRITE);
    if (status) {
        para__output_discard(output);
        return para__say_file_status(path, status);
    }
    array->data = (char *)para_buffer_data(array->buffer) + array->npy.data_offset;
    return 0;
}

int para__output_commit(para__output *output)
{
    para__array_close(&output->array);
    /* Without this a power cut could leave the name on a file without its elements; and a disk that
     * fails says so here or nowhere. */
    if (fsync(output->descriptor) != 0)
        return fail(output, strerror(errno));
    const int closed = close(output->descriptor);
    output->descriptor = -1;
    if (closed != 0 || para__ending_dispose(output->target) != 0)
        return fail(output, strerror(errno));
    para__output_discard(output);
    return 0;
}

void para__output_discard(para__output *output)
{
    para__array_close(&output->array);
    if (output->descriptor >= 0)
        close(output->descriptor);
    output->descriptor = -1;
    if (*para__ending_name())
        para__ending_dispose(NULL);
    free(output->target);
    output->target = NULL;
}
