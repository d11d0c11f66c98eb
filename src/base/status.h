/* Status helpers: the detail of the calling thread's last failure. */
#ifndef PARA_BASE_STATUS_H
#define PARA_BASE_STATUS_H

#include <para/status.h>

/* Stores a sentence for para_status_detail; NULL: there is nothing to add. Leaves errno as it
 * was. */
void para__set_detail(const char *format, ...) __attribute__((format(printf, 1, 2), cold));

/* The same, and the status: `return para__fail(PARA_ERR_FILE, "%s: %s", path, strerror(errno));` */
#define para__fail(status, ...) (para__set_detail(__VA_ARGS__), (status))

#endif
