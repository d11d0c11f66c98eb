/* The file's space is allocated before it is mapped: a full disk is then an error here and not a
 * SIGBUS in the kernel. If the file system cannot allocate ahead, the free space is checked, and
 * ending.h reports the SIGBUS as a full disk. If the file system cannot map, and for the standard
 * output, the elements are made in memory and written at the end. */
#include "cli/output.h"

#include "cli/ending.h"
#include "cli/say.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

static int fail(para__output *output, const char *why)
{
    const int status = para__say_failed("%s: %s", output->path, why);
    para__output_discard(output);
    return status;
}

/* Sets the file's size and allocates its space if the file system can. Returns 0 or an errno. */
static int allocate(int descriptor, off_t bytes)
{
    struct statvfs facts;
    int result;
    do
        result = fallocate(descriptor, 0, 0, bytes);
    while (result != 0 && errno == EINTR);
    if (result == 0)
        return 0;
    if (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL)
        return errno;
    if (fstatvfs(descriptor, &facts) == 0 && facts.f_blocks > 0 && facts.f_frsize > 0 &&
        (unsigned long long)bytes / facts.f_frsize >= facts.f_bavail)
        return ENOSPC;
    return ftruncate(descriptor, bytes) == 0 ? 0 : errno;
}

/* Writes all bytes. Returns false and sets errno on failure. */
static bool write_bytes(int descriptor, const char *from, size_t bytes)
{
    while (bytes > 0) {
        const ssize_t n = write(descriptor, from, bytes);
        if (n >= 0) {
            from += n;
            bytes -= (size_t)n;
        } else if (errno == EAGAIN) {
            (void)poll(&(struct pollfd){.fd = descriptor, .events = POLLOUT}, 1, -1);
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

static size_t data_bytes(const para__output *output)
{
    return output->array.npy.count * output->array.npy.element_bytes;
}

static int begin_file(para__output *output)
{
    para__array *array = &output->array;
    const size_t bytes = array->npy.data_offset + data_bytes(output);
    const int descriptor = output->target.descriptor;
    const int error = allocate(descriptor, (off_t)bytes);
    if (error)
        return fail(output, strerror(error));
    const int protection = PROT_READ | PROT_WRITE;
    void *file = mmap(NULL, bytes, protection, MAP_SHARED, descriptor, 0);
    if (file == MAP_FAILED)
        return errno != ENOMEM && para__array_allocate(array, data_bytes(output))
                   ? 0
                   : fail(output, strerror(errno));
    const int own = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
    array->mapping = (para__mapping){file, bytes, own, MAP_SHARED, protection};
    if (own < 0)
        return fail(output, strerror(errno));
    para__ending_watch_output(output->path, file, bytes, own);
    memcpy(file, output->header, array->npy.data_offset);
    array->data = array->mapping.begin + array->npy.data_offset;
    return 0;
}

int para__output_open(para__output *output, const char *path)
{
    const bool to_stdout = para__array_is_stdout(path);
    *output = (para__output){.path = to_stdout ? "standard output" : path,
                             .to_stdout = to_stdout,
                             .target = {.folder = -1, .descriptor = -1},
                             .array = {.mapping.descriptor = -1}};
    output->array.path = output->path;
    if (to_stdout)
        return isatty(STDOUT_FILENO)
                   ? fail(output, "a terminal cannot show an array: send it to a file or a pipe")
                   : 0;
    return para__target_create(&output->target, path,
                               ": '-o -' writes to the standard output, which may be one");
}

int para__output_begin(para__output *output, const para__npy *npy)
{
    para__array *array = &output->array;
    array->npy = *npy;
    if (!para__npy_format(&array->npy, output->header))
        return fail(output, strerror(EFBIG));
    if (!output->to_stdout)
        return begin_file(output);
    return para__array_allocate(array, data_bytes(output)) ? 0 : fail(output, strerror(errno));
}

int para__output_commit(para__output *output)
{
    const bool written = output->array.mapping.descriptor >= 0;
    const int descriptor = output->to_stdout ? STDOUT_FILENO : output->target.descriptor;
    if (output->to_stdout)
        signal(SIGPIPE, SIG_IGN); /* a reader that has gone is an error like any other */
    if (!written && !(write_bytes(descriptor, output->header, output->array.npy.data_offset) &&
                      write_bytes(descriptor, output->array.data, data_bytes(output))))
        return fail(output, strerror(errno));
    para__array_close(&output->array);
    return output->to_stdout ? 0 : para__target_commit(&output->target);
}

void para__output_discard(para__output *output)
{
    para__array_close(&output->array);
    para__target_discard(&output->target);
}
