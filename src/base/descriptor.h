/* Descriptors that are kept. A program that has closed one of the first three prints into whatever
 * is opened next, and that must not be a file or memory of para's. */
#ifndef PARA_BASE_DESCRIPTOR_H
#define PARA_BASE_DESCRIPTOR_H

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* The same file under another number than those of the standard streams, closed on exec; -1 with
 * errno if it is -1, or there is none. Takes the descriptor. */
static inline int para__descriptor_keep(int descriptor)
{
    if (descriptor < 0 || descriptor > STDERR_FILENO)
        return descriptor;
    const int kept = fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    const int error = errno;
    close(descriptor);
    errno = error;
    return kept;
}

#endif
