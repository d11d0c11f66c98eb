#include "cli/array.h"

#include "base/bounds.h"
#include "cli/ending.h"
#include "cli/say.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether a path is one of the names of a standard stream, of which there are several. */
static bool is_stream(const char *path, const char *name, int descriptor)
{
    static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        if (strncmp(path, folders[i], strlen(folders[i])) == 0 &&
            path[strlen(folders[i])] == (char)('0' + descriptor) &&
            path[strlen(folders[i]) + 1] == '\0')
            return true;
    return strcmp(path, "-") == 0 || strcmp(path, name) == 0;
}

bool para__array_is_stdin(const char *path)
{
    return is_stream(path, "/dev/stdin", STDIN_FILENO);
}

bool para__array_is_stdout(const char *path)
{
    return is_stream(path, "/dev/stdout", STDOUT_FILENO);
}

static int refuse_array(para__array *array, const char *fault)
{
    const int status = para__say_failed("%s: %s", array->path, fault);
    para__array_close(array);
    return status;
}

/* ---- Mapped ---------------------------------------------------------------------------- */

/* Some network mounts and FUSE file systems refuse MAP_SHARED. */
static bool map_data(para__mapping *mapping, int descriptor, size_t bytes)
{
    static const int kinds[] = {MAP_SHARED, MAP_PRIVATE};
    for (int i = 0; i < 2; i++) {
        void *data = mmap(NULL, bytes, PROT_READ, kinds[i], descriptor, 0);
        if (data != MAP_FAILED) {
            *mapping = (para__mapping){data, bytes, descriptor, kinds[i], PROT_READ};
            return true;
        }
        if (errno == ENOMEM) /* reading needs as much memory */
            return false;
    }
    return false;
}

/* Opens the array that begins at byte `begin` of the mapped file. */
static int open_mapped(para__array *array, size_t begin)
{
    char fault[PARA__NPY_FAULT_MAX];
    const para__mapping *mapping = &array->mapping;
    para__ending_watch_input(array->path, mapping->begin, mapping->bytes, mapping->descriptor);
    if (begin > mapping->bytes)
        begin = mapping->bytes;
    const char *file = mapping->begin + begin;
    if (!para__npy_parse(&array->npy, file, mapping->bytes - begin, fault))
        return refuse_array(array, fault);
    array->data = mapping->begin + begin + array->npy.data_offset;
    return 0;
}

/* ---- Read ------------------------------------------------------------------------------ */

/* Reads `bytes` bytes, or fewer if the file ends; *got is the number read. Returns false and sets
 * errno if the file cannot be read. */
static bool read_bytes(int descriptor, char *to, size_t bytes, size_t *got)
{
    *got = 0;
    while (*got < bytes) {
        const ssize_t n = read(descriptor, to + *got, bytes - *got);
        if (n > 0)
            *got += (size_t)n;
        else if (n == 0)
            return true;
        else if (errno == EAGAIN) /* the pipe was made non-blocking elsewhere */
            (void)poll(&(struct pollfd){.fd = descriptor, .events = POLLIN}, 1, -1);
        else if (errno != EINTR)
            return false;
    }
    return true;
}

/* Reads and parses the header. Returns 0, or the exit status after having said why not. */
static int read_header(para__array *array, int descriptor)
{
    char fault[PARA__NPY_FAULT_MAX];
    char prefix[PARA__NPY_PREFIX_MAX];
    const size_t shortest = 10; /* the prefix of version 1; the others have a longer one */
    size_t got;
    size_t more = 0;
    if (!read_bytes(descriptor, prefix, shortest, &got) ||
        (got == shortest && prefix[6] > 1 &&
         !read_bytes(descriptor, prefix + shortest, sizeof prefix - shortest, &more)))
        return refuse_array(array, strerror(errno));
    got += more;
    if (got == 0)
        return refuse_array(array, "the file is empty");
    const size_t length = para__npy_header_bytes(prefix, got, fault);
    if (length == 0)
        return refuse_array(array, fault);
    char *header = malloc(para__max(length, got));
    if (!header)
        return refuse_array(array, strerror(ENOMEM));
    memcpy(header, prefix, got);
    more = 0;
    const bool good = length <= got || read_bytes(descriptor, header + got, length - got, &more);
    const int error = errno;
    const bool parsed = good && para__npy_parse_header(&array->npy, header, got + more, fault);
    free(header);
    return !good ? refuse_array(array, strerror(error)) : !parsed ? refuse_array(array, fault) : 0;
}

/* Reads the array and not a byte more: another array may follow it. */
static int open_read(para__array *array, int descriptor)
{
    char fault[PARA__NPY_FAULT_MAX];
    size_t got;
    const int status = read_header(array, descriptor);
    if (status)
        return status;
    const size_t bytes = array->npy.count * array->npy.element_bytes;
    if (!para__array_allocate(array, bytes))
        return refuse_array(array, strerror(errno));
    if (!read_bytes(descriptor, array->data, bytes, &got))
        return refuse_array(array, strerror(errno));
    return para__npy_check_data(&array->npy, got, fault) ? 0 : refuse_array(array, fault);
}

/* ---- Either ---------------------------------------------------------------------------- */

static int open_file(para__array *array, int descriptor, bool is_stdin)
{
    struct stat facts;
    if (fstat(descriptor, &facts) != 0)
        return refuse_array(array, strerror(errno));
    if (S_ISDIR(facts.st_mode))
        return refuse_array(array, "not a regular file: it is a directory");
    if (isatty(descriptor))
        return refuse_array(array,
                            "a terminal has no arrays: name a file, or send one through a pipe");
    /* A file of size 0 may still have bytes: /proc, some FUSE file systems. */
    const off_t begin = is_stdin && S_ISREG(facts.st_mode) ? lseek(descriptor, 0, SEEK_CUR) : 0;
    if (!S_ISREG(facts.st_mode) || facts.st_size == 0 || begin < 0)
        return open_read(array, descriptor);
    const int own = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
    if (own < 0)
        return refuse_array(array, strerror(errno));
    if (!map_data(&array->mapping, own, (size_t)facts.st_size)) {
        const int error = errno;
        close(own);
        return error == ENOMEM ? refuse_array(array, strerror(error))
                               : open_read(array, descriptor);
    }
    const int status = open_mapped(array, (size_t)begin);
    if (!status && is_stdin) /* the next reader begins behind the array */
        (void)lseek(descriptor,
                    (char *)array->data - array->mapping.begin +
                        (off_t)(array->npy.count * array->npy.element_bytes),
                    SEEK_SET);
    return status;
}

int para__array_open(para__array *array, const char *path)
{
    const bool is_stdin = para__array_is_stdin(path);
    *array = (para__array){.path = is_stdin ? "standard input" : path, .mapping.descriptor = -1};
    const int descriptor = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return refuse_array(array, strerror(errno));
    const int status = open_file(array, descriptor, is_stdin);
    if (!is_stdin)
        close(descriptor);
    return status;
}

bool para__array_allocate(para__array *array, size_t bytes)
{
    const size_t some = bytes ? bytes : 1;
    void *data = mmap(NULL, some, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED)
        return false;
    array->mapping =
        (para__mapping){data, some, -1, MAP_PRIVATE | MAP_ANONYMOUS, PROT_READ | PROT_WRITE};
    array->data = data;
    return true;
}

void para__array_close(para__array *array)
{
    para__mapping *mapping = &array->mapping;
    if (mapping->begin) {
        para__ending_forget(mapping->begin);
        munmap(mapping->begin, mapping->bytes);
    }
    if (mapping->descriptor >= 0)
        close(mapping->descriptor);
    *mapping = (para__mapping){.descriptor = -1};
    array->data = NULL;
}
