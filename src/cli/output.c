/* A file that appears under its name only when it is complete.
 *
 * It is written under a hidden name in the same folder, flushed, and renamed. A file without any
 * name (O_TMPFILE) would vanish by itself even after SIGKILL, but it cannot be renamed over an
 * existing one, and many file systems do not have it. All its space is allocated before it is
 * mapped: a full disk is then an error here, and not a SIGBUS in the middle of the kernel. */
#include "cli/array.h"
#include "cli/say.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The signals that end a process in the middle of its work, and that it can see. */
static const int ending[] = {SIGHUP, SIGINT, SIGTERM, SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGABRT};

/* The name of the file in the making, "" if there is none. Changed only while the signals in
 * `ending` are blocked; the handler reads it. */
static char hidden[PATH_MAX];

static void remove_hidden(int signal_number)
{
    if (hidden[0])
        unlink(hidden);
    raise(
        signal_number); /* SA_RESETHAND has put the default back: the process ends by the signal */
}

static void block_ending(sigset_t *before)
{
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof ending / sizeof ending[0]; i++)
        sigaddset(&set, ending[i]);
    pthread_sigmask(SIG_BLOCK, &set, before);
}

static void handle_ending(void)
{
    for (size_t i = 0; i < sizeof ending / sizeof ending[0]; i++) {
        struct sigaction action;
        sigaction(ending[i], NULL, &action);
        if (action.sa_handler != SIG_DFL) /* ignored, as under nohup, or a sanitizer's */
            continue;
        action =
            (struct sigaction){.sa_handler = remove_hidden, .sa_flags = SA_RESETHAND | SA_NODEFER};
        sigaction(ending[i], &action, NULL);
    }
    signal(SIGXFSZ, SIG_IGN); /* a file beyond the limit is an error (EFBIG) like any other */
}

/* Makes the hidden file in the folder of target. Returns its descriptor, negative on failure. */
static int create_hidden(const char *target, mode_t mode)
{
    const char *slash = strrchr(target, '/');
    const int folder = slash ? (int)(slash - target) + 1 : 0;
    sigset_t before;
    int descriptor = -1;
    block_ending(&before);
    for (unsigned attempt = 0; attempt < 100; attempt++) {
        if (snprintf(hidden, sizeof hidden, "%.*s.para-%ld-%u.tmp", folder, target, (long)getpid(),
                     attempt) >= (int)sizeof hidden) {
            errno = ENAMETOOLONG;
            break;
        }
        descriptor = open(hidden, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (descriptor >= 0 || errno != EEXIST)
            break;
    }
    if (descriptor < 0)
        hidden[0] = '\0';
    const int saved = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = saved;
    return descriptor;
}

/* Renames the hidden file to target, or removes it where target is NULL. */
static int dispose_hidden(const char *target)
{
    sigset_t before;
    block_ending(&before);
    const int result = target ? rename(hidden, target) : unlink(hidden);
    const int saved = errno;
    if (target && result != 0)
        unlink(hidden);
    hidden[0] = '\0';
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = saved;
    return result;
}

/* Says why, then removes what there is. */
static int fail(para__output *output, int error)
{
    const int status = para__say_failed("%s: %s", output->array.path, strerror(error));
    para__output_discard(output);
    return status;
}

/* Follows symbolic links to where the file will stand, which need not exist. */
static char *resolve(const char *path)
{
    char *target = realpath(path, NULL);
    return target || errno != ENOENT ? target : strdup(path);
}

int para__output_begin(para__output *output, const char *path, const para__npy *npy)
{
    char header[PARA__NPY_HEADER_MAX];
    struct stat st;
    *output = (para__output){.descriptor = -1, .array = {.path = path, .npy = *npy}};
    para__array *array = &output->array;
    output->target = resolve(path);
    if (!output->target)
        return fail(output, errno);
    const bool exists = stat(output->target, &st) == 0;
    if (exists && !S_ISREG(st.st_mode))
        return fail(output, S_ISDIR(st.st_mode) ? EISDIR : EINVAL);
    if (exists && access(output->target, W_OK) != 0)
        return fail(output, errno);
    if (!para__npy_format(&array->npy, header))
        return fail(output, EFBIG);
    const size_t bytes = array->npy.data_offset + array->npy.count * array->npy.element_bytes;

    handle_ending();
    output->descriptor = create_hidden(output->target, exists ? st.st_mode & 0777 : 0666);
    if (output->descriptor < 0)
        return fail(output, errno);
    if (exists && fchmod(output->descriptor, st.st_mode & 0777) != 0)
        return fail(output, errno);
    const int error = posix_fallocate(output->descriptor, 0, (off_t)bytes);
    if (error)
        return fail(output, error);
    errno = EIO;
    if (pwrite(output->descriptor, header, array->npy.data_offset, 0) !=
        (ssize_t)array->npy.data_offset)
        return fail(output, errno);
    const para_status status = para_buffer_map_file(&array->buffer, hidden, PARA_FILE_WRITE);
    if (status) {
        para__output_discard(output);
        return para__say_status(status);
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
        return fail(output, errno);
    const int closed = close(output->descriptor);
    output->descriptor = -1;
    if (closed != 0 || dispose_hidden(output->target) != 0)
        return fail(output, errno);
    para__output_discard(output);
    return 0;
}

void para__output_discard(para__output *output)
{
    para__array_close(&output->array);
    if (output->descriptor >= 0)
        close(output->descriptor);
    output->descriptor = -1;
    if (hidden[0])
        dispose_hidden(NULL);
    free(output->target);
    output->target = NULL;
}
