#include "base/descriptor.h"
#include "base/signal_fd.h"

#include "base/cancellation.h"

#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

int para__signal_fd_make(void)
{
    return para__descriptor_keep(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

void para__signal_fd_tell(int fd)
{
    const uint64_t once = 1;
    const int saved = errno;
    const int cancel_state = para__cancellation_off();
    while (write(fd, &once, sizeof once) < 0 && errno == EINTR)
        continue; /* else its count is full, so it is readable */
    para__cancellation_restore(cancel_state);
    errno = saved;
}

void para__signal_fd_drop(int fd)
{
    const int saved = errno;
    const int cancel_state = para__cancellation_off();
    close(fd);
    para__cancellation_restore(cancel_state);
    errno = saved;
}
