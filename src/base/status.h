/* Status helpers: the detail of the calling thread's last failure. */
#ifndef PARA_BASE_STATUS_H
#define PARA_BASE_STATUS_H

#include <para/status.h>

/* Remembers a sentence for para_status_detail and returns status, so that a failing function can
 * end with `return para__fail(PARA_ERR_FILE, "%s: %s", path, strerror(errno));`. NULL: no detail.
 * Leaves errno as it was. */
para_status para__fail(para_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3), cold));

#endif
